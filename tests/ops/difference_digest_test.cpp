// Values made and changed by chance: they differ in something just where their digests do.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "engine/digest.hpp"
#include "ops/value_difference.hpp"
#include "support/values.hpp"

using namespace persist;

namespace {

using Dice = std::mt19937_64;
using Elements = std::vector<Element>;

void fill_value(Value& value, ValueType type, const Elements& elements) {
  value.begin(type);
  for (const Element& element : elements) value.add(element);
}

ValueDifferences all_differences(Value& a, Value& b, uint64_t most) {
  CompareRules rules;
  rules.differences_max = most;
  rules.word_bytes_max = 100;
  ValueDifferences found;
  compare_values(a, b, rules, found);
  return found;
}

// Changes one element of what a value tells. Not all changes are to the value.
class ElementChanger {
 public:
  explicit ElementChanger(uint64_t seed) : dice_(seed) {}

  void change(Elements& elements) {
    if (elements.empty()) return;
    const size_t at = dice_() % elements.size();
    const uint64_t kind = dice_() % 4;
    if (kind == 0 && is_removable(elements[at])) {
      elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(at));
    } else if (kind == 1 && at + 1 < elements.size() && elements[at].index() == elements[at + 1].index() &&
               is_swappable(elements[at])) {
      std::swap(elements[at], elements[at + 1]);
    } else {
      std::visit([this](auto& told) { put(told); }, elements[at]);
    }
  }

 private:
  // What others follow that are its own must stay.
  static bool is_removable(const Element& element) {
    return !std::holds_alternative<StreamGroup>(element) &&
           !std::holds_alternative<StreamProducer>(element) &&
           !std::holds_alternative<StringValue>(element) && !std::holds_alternative<ModuleValue>(element);
  }
  // Entries always ascend.
  static bool is_swappable(const Element& element) {
    return !std::holds_alternative<StreamEntry>(element) && !std::holds_alternative<StreamGroup>(element) &&
           !std::holds_alternative<StreamProducer>(element);
  }

  bool coin() { return dice_() % 2 == 0; }
  void put(Bytes& bytes) { bytes = texts_.emplace_back(std::string(bytes) + (coin() ? "x" : "")); }
  void put(uint64_t& number) { number += coin() ? 1U : 0U; }
  void put(int64_t& number) { number = coin() ? kNoExpiry : 5; }
  void put(StreamId& id) { put(coin() ? id.ms : id.seq); }
  template <typename T>
  void put(std::optional<T>& maybe) {
    if (!maybe)
      maybe = T{};
    else if (coin())
      maybe.reset();
    else
      put(*maybe);
  }

  void put(StringValue& told) { put(told.value); }
  void put(ListItem& told) { put(told.value); }
  void put(SetMember& told) { put(told.member); }
  void put(SortedSetMember& told) {
    if (coin()) return put(told.member);
    told.score = coin() ? -told.score : 0;
  }
  void put(HashField& told) {
    if (coin()) return put(told.expire_at_ms);
    put(coin() ? told.field : told.value);
  }
  void put(StreamInfo& told) {
    switch (dice_() % 5) {
      case 0:
        return put(told.length);
      case 1:
        return put(told.last_id);
      case 2:
        return put(told.first_id);
      case 3:
        return put(told.max_deleted_id);
      default:
        return put(told.entries_added);
    }
  }
  void put(StreamEntry& told) {
    if (coin()) return put(told.id);
    std::vector<StreamField>& fields = fields_.emplace_back(told.fields.begin(), told.fields.end());
    if (fields.empty() || coin())
      fields.push_back({"f", "v"});
    else
      put(coin() ? fields.back().field : fields.back().value);
    told.fields = fields;
  }
  void put(StreamGroup& told) {
    if (coin()) return put(told.entries_read);
    if (coin()) return put(told.name);
    coin() ? put(told.last_id) : void(told.has_entries_read = !told.has_entries_read);
  }
  void put(StreamPending& told) {
    switch (dice_() % 5) {
      case 0:
        return put(told.id);
      case 1:
        return put(told.consumer);
      case 2:
        return put(told.delivery_time_ms);
      case 3:
        return put(told.delivery_count);
      default:
        return put(told.nack_rank);
    }
  }
  void put(StreamConsumer& told) {
    if (coin()) return put(told.name);
    coin() ? put(told.seen_time_ms) : put(told.active_time_ms);
  }
  void put(StreamProducer& told) { put(told.id); }
  void put(StreamIid& told) { coin() ? put(told.iid) : put(told.id); }
  void put(StreamIdmp& told) {
    uint64_t* const numbers[] = {&told.duration_s, &told.max_entries, &told.iids_added,
                                 &told.iids_duplicates};
    put(*numbers[dice_() % 4]);
  }
  void put(ArrayInfo& told) { put(told.insert_index); }
  void put(ArrayElement& told) { coin() ? put(told.index) : put(told.value); }
  void put(ModuleValue& told) {
    if (coin()) return put(told.payload);
    told.encver += coin() ? 1U : 0U;
  }

  Dice dice_;
  std::deque<std::string> texts_;
  std::deque<std::vector<StreamField>> fields_;
};

// `elements` are views into the value.
Elements elements_of(const Value& value) {
  Elements elements;
  value.tell([&](const Element& told) { elements.push_back(told); });
  return elements;
}

Sha1Hash proof_of(const Value& value) {
  const auto digest = proof_digest();
  digest->begin({0, "key", value.type, kNoExpiry});
  value.tell([&](const Element& told) { digest->add(told); });
  return digest->finish();
}

// The proof is taken before values are put in order.
bool differ_as_digests_do(Value& a, Value& b, size_t& differing) {
  CAPTURE(test::notation_of(a).substr(0, 2000));
  CAPTURE(test::notation_of(b).substr(0, 2000));
  const bool proofs_differ = proof_of(a) != proof_of(b);
  differing += proofs_differ ? 1 : 0;
  const ValueDifferences found = all_differences(a, b, 100);
  CHECK(found.any() == proofs_differ);
  CHECK(proofs_differ == (proof_of(a) != proof_of(b)));
  // And in other roles.
  CHECK(all_differences(b, a, 0).more == found.made.size() + found.more);
  return found.any();
}

}  // namespace

TEST_CASE("differences are there just where digests differ") {
  size_t differing = 0;
  size_t compared = 0;
  Value a;
  Value b;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    for (const ValueType type : {ValueType::string, ValueType::list, ValueType::set, ValueType::zset,
                                 ValueType::hash, ValueType::array, ValueType::module, ValueType::stream}) {
      CAPTURE(seed);
      if (type == ValueType::stream) {
        test::StreamMaker maker(seed, static_cast<int>(seed % 5) + 1);
        maker.pending_max = 5;
        maker.make(a, seed % 6);
      } else {
        test::ValueMaker maker(seed);
        maker.with_ttl = true;
        maker.longest = 40;
        maker.make(a, type, 1 + seed % 9);
      }
      ElementChanger changer(seed);
      Elements elements = elements_of(a);
      for (size_t changes = seed % 3; changes > 0; --changes) changer.change(elements);
      fill_value(b, type, elements);
      differ_as_digests_do(a, b, differing);
      ++compared;
    }
  }
  CHECK(differing > compared / 4);
  CHECK(differing < compared * 3 / 4);
}

TEST_CASE("streams: groups, consumers, pending entries and producers have no order") {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    Value a;
    Value b;
    test::StreamMaker maker(seed, 5);
    maker.pending_max = 10;
    maker.make(a, 3);
    fill_value(b, ValueType::stream, elements_of(a));
    std::ranges::reverse(b.stream.groups);
    std::ranges::reverse(b.stream.producers);
    for (GroupValue& group : b.stream.groups) {
      std::ranges::reverse(group.pending);
      std::ranges::reverse(group.consumers);
    }
    CHECK(!all_differences(a, b, 100).any());
  }
}
