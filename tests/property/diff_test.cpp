// A dataset made by chance, and another one that came of it by changes that the test keeps account of: these
// are what differs, no more and no less, whatever forms the two are in and whichever of them comes first.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "support/conversions.hpp"
#include "support/differences.hpp"
#include "support/rdb_builder.hpp"
#include "support/values.hpp"
#include "support/verbs.hpp"
#include "support/violations.hpp"
#include "types/plain_encoding.hpp"

using namespace persist;
using namespace persist::test;

namespace {

using enum DiffPart;

// --- Datasets ---------------------------------------------------------------------------------------------

struct ModelKey {
  uint64_t db = 0;
  std::string name;
  int64_t expire_at_ms = kNoExpiry;
  std::optional<uint64_t> idle_s;
  std::optional<uint8_t> freq;
  Value value;
};

struct Model {
  std::vector<std::unique_ptr<ModelKey>> keys;  // databases ascending
  std::vector<std::string> functions;
};

void copy_value(const Value& from, Value& to) {
  to.begin(from.type);
  from.tell([&](const Element& told) { to.add(told); });
}

std::unique_ptr<ModelKey> copy_of(const ModelKey& key) {
  auto copy = std::make_unique<ModelKey>();
  copy->db = key.db;
  copy->name = key.name;
  copy->expire_at_ms = key.expire_at_ms;
  copy->idle_s = key.idle_s;
  copy->freq = key.freq;
  copy_value(key.value, copy->value);
  return copy;
}

const std::vector<std::string>& diffed_modules() {
  static const std::vector<std::string> names = {"Az09-_jsN"};
  return names;
}

std::string rdb_of(const Model& model, Bytes target, const PackLimits& limits = {}) {
  StringSink sink;
  WriteOptions options;
  options.target = find_target(target);
  options.modules = diffed_modules();
  options.limits = limits;
  RdbWriter writer(sink, options);
  for (const std::string& code : model.functions) writer.function(code);
  for (const auto& key : model.keys) {
    RdbEntry head;
    head.db = key->db;
    head.key = key->name;
    head.encoding = &plain_encoding(key->value.type);
    head.expire_at_ms = key->expire_at_ms;
    head.idle_s = key->idle_s;
    head.freq = key->freq;
    writer.entry(head, [&](ElementSink out) { key->value.tell(out); });
  }
  writer.finish();
  CHECK(told(writer.losses()) == "");
  return sink.text;
}

// --- Chance -----------------------------------------------------------------------------------------------

class DiffDice {
 public:
  explicit DiffDice(uint64_t seed) : random_(seed) {}
  uint64_t below(uint64_t bound) { return random_() % bound; }
  bool once_in(uint64_t chance) { return below(chance) == 0; }
  auto& engine() { return random_; }

 private:
  std::mt19937_64 random_;
};

constexpr int64_t kFieldExpiryMax = (int64_t{1} << 46) - 10;

// What is to be in the dataset.
struct ModelRules {
  int stream_layout = 5;
  bool has_arrays = true;
  bool has_modules = true;
  bool has_idle = true;
  // Without what commands lose: pending entries whose entries have gone, and the sign of 0.
  bool by_commands = false;
  size_t longest = 70;
};

void make_list_unique(Value& value) {
  std::set<Bytes> seen;
  std::erase_if(value.items, [&](Bytes item) { return !seen.insert(item).second; });
}

// Servers pass over an iid that comes twice.
void make_iids_unique(Value& value) {
  for (ProducerValue& producer : value.stream.producers) {
    size_t number = 0;
    for (StreamIid& iid : producer.iids) iid.iid = value.arena.keep("iid " + std::to_string(number++));
  }
}

class ModelMaker {
 public:
  ModelMaker(uint64_t seed, const ModelRules& rules)
      : rules_(rules), dice_(seed), values_(seed), streams_(seed, rules.stream_layout) {
    values_.longest = rules.longest;
    streams_.pending_max = rules.by_commands ? 1 : 12;
  }

  void make_value(Value& value) {
    using enum ValueType;
    const std::vector<ValueType> types = types_made();
    const ValueType type = types[made_++ % types.size()];
    if (type == stream) {
      streams_.make(value, 1 + dice_.below(12));
      return make_iids_unique(value);
    }
    values_.with_ttl = dice_.once_in(2);
    values_.only_numbers = dice_.once_in(2);
    values_.make(value, type, 2 + dice_.below(20));
    if (type == list) make_list_unique(value);
    // What fields of all servers can have.
    for (HashField& field : value.fields) field.expire_at_ms = std::min(field.expire_at_ms, kFieldExpiryMax);
    for (SortedSetMember& member : value.members)
      if (rules_.by_commands && member.score == 0) member.score = 0;
    for (size_t i = 0; i < value.members.size(); i += 2)
      value.members[i].score = static_cast<double>(i) + 0.5;
  }

  std::unique_ptr<ModelKey> make_key(uint64_t db, const std::string& name) {
    auto key = std::make_unique<ModelKey>();
    key->db = db;
    key->name = name;
    make_value(key->value);
    if (dice_.once_in(3)) key->expire_at_ms = static_cast<int64_t>(1 + dice_.below(uint64_t{1} << 44));
    if (rules_.has_idle && dice_.once_in(4)) key->idle_s = dice_.below(1000);
    if (rules_.has_idle && !key->idle_s && dice_.once_in(4))
      key->freq = static_cast<uint8_t>(dice_.below(256));
    return key;
  }

  Model make(size_t count) {
    Model model;
    for (size_t i = 0; i < count; ++i)
      model.keys.push_back(
          make_key(i * 3 / count * 2, "\xff\n\"" + std::to_string(i) + std::string(i % 3, '\0')));
    for (const char* name : {"one", "two", "three"}) model.functions.push_back(library(name, 1));
    return model;
  }

  static std::string library(const std::string& name, int answer) {
    return "#!lua name=" + name + "\nredis.register_function('f_" + name + "', function() return " +
           std::to_string(answer) + " end)";
  }

 private:
  [[nodiscard]] std::vector<ValueType> types_made() const {
    using enum ValueType;
    std::vector<ValueType> types = {string, list, set, zset, hash, stream};
    if (rules_.has_arrays) types.push_back(array);
    if (rules_.has_modules) types.push_back(module);
    return types;
  }

  ModelRules rules_;
  DiffDice dice_;
  ValueMaker values_;
  StreamMaker streams_;
  size_t made_ = 0;
};

// --- Changes, and what they are to be called --------------------------------------------------------------

DiffWord whole_word(Bytes bytes) { return {std::string(bytes), 0, bytes.size()}; }

DiffSide there(std::initializer_list<Bytes> words = {}) {
  DiffSide side;
  side.there = true;
  for (const Bytes word : words) side.words.push_back(whole_word(word));
  return side;
}

DiffSide at_index(DiffSide side, uint64_t index) {
  side.index = index;
  return side;
}

DiffSide number_or_none(std::optional<uint64_t> number) {
  return number ? there({std::to_string(*number)}) : DiffSide{};
}

std::string id_text(StreamId id) { return std::to_string(id.ms) + "-" + std::to_string(id.seq); }

// Changes one key in several places that do not touch one another.
class KeyMutator {
 public:
  KeyMutator(DiffDice& dice, ModelKey& key) : dice_(dice), key_(key), value_(key.value) {}

  std::vector<Difference> mutate() {
    const auto changes = changes_of(value_.type);
    const size_t most = 1 + dice_.below(changes.size());
    for (size_t i = 0; i < most; ++i) (this->*changes[dice_.below(changes.size())])();
    return std::move(made_);
  }

  // Of the head alone.
  std::vector<Difference> mutate_head(const ModelRules& rules) {
    change_expiry();
    if (rules.has_idle && dice_.once_in(2)) change_idle();
    return std::move(made_);
  }

 private:
  using Change = void (KeyMutator::*)();

  static std::vector<Change> changes_of(ValueType type) {
    using M = KeyMutator;
    switch (type) {
      case ValueType::string:
        return {&M::change_string};
      case ValueType::list:
        return {&M::change_items};
      case ValueType::set:
        return {&M::add_member, &M::remove_member};
      case ValueType::zset:
        return {&M::add_scored, &M::remove_scored, &M::change_score};
      case ValueType::hash:
        return {&M::add_field, &M::remove_field, &M::change_field};
      case ValueType::array:
        return {&M::add_element, &M::change_element, &M::change_insert_index};
      case ValueType::module:
        return {&M::change_payload};
      case ValueType::stream:
        return {&M::add_entry,   &M::change_entry,   &M::remove_entry,   &M::change_counters,
                &M::add_group,   &M::remove_group,   &M::change_group,   &M::add_consumer,
                &M::add_pending, &M::change_pending, &M::remove_pending, &M::change_idmp,
                &M::add_iid,     &M::remove_producer};
    }
    return {};
  }

  void note(DiffPart part, Bytes name, DiffSide a, DiffSide b, Bytes owner = {}) {
    made_.push_back({part, whole_word(name), whole_word(owner), std::move(a), std::move(b)});
  }
  // Each change is made once, and nothing that another one has touched is touched again.
  bool first_time(const char* what) { return done_.insert(what).second; }
  bool untouched(Bytes name) { return touched_.insert(std::string(name)).second; }
  Bytes keep(const std::string& text) { return value_.arena.keep(text); }

  void change_expiry() {
    const int64_t before = key_.expire_at_ms;
    key_.expire_at_ms = before == kNoExpiry ? 1'700'000'000'123 : dice_.once_in(2) ? kNoExpiry : before + 1;
    const auto side = [](int64_t ms) { return ms == kNoExpiry ? DiffSide{} : there({std::to_string(ms)}); };
    note(expiry, {}, side(before), side(key_.expire_at_ms));
  }

  // A file has one of them at most for each key.
  void change_idle() {
    const std::optional<uint64_t> before = key_.idle_s;
    const std::optional<uint64_t> freq_before = key_.freq;
    if (dice_.once_in(2)) {
      key_.idle_s = before.value_or(0) + 1;
      key_.freq.reset();
    } else {
      key_.idle_s.reset();
      key_.freq = static_cast<uint8_t>(freq_before.value_or(0) + 1);
    }
    if (before != key_.idle_s) note(idle, {}, number_or_none(before), number_or_none(key_.idle_s));
    if (freq_before != key_.freq) note(freq, {}, number_or_none(freq_before), number_or_none(key_.freq));
  }

  void change_string() {
    if (!first_time("string")) return;
    const Bytes before = value_.text;
    value_.text = keep(std::string(before) + "more");
    note(DiffPart::string, {}, there({before}), there({value_.text}));
  }

  // Some go, some come, between those that stay.
  void change_items() {
    if (!first_time("items")) return;
    std::vector<Bytes> now;
    const uint64_t chance = 2 + dice_.below(4);
    bool changed = false;
    for (size_t i = 0; i < value_.items.size(); ++i) {
      const bool goes = dice_.once_in(chance);
      const bool comes = dice_.once_in(chance) || (i + 1 == value_.items.size() && !changed && !goes);
      changed = changed || goes || comes;
      if (goes) note(item, {}, at_index(there({value_.items[i]}), i), {});
      if (!goes) now.push_back(value_.items[i]);
      if (!comes) continue;
      now.push_back(keep("new item " + std::to_string(i)));
      note(item, {}, {}, at_index(there({now.back()}), now.size() - 1));
    }
    value_.items = now;
    if (!now.empty()) return;
    value_.items.push_back("the last one");
    note(item, {}, {}, at_index(there({"the last one"}), 0));
  }

  void add_member() {
    if (!first_time("add")) return;
    value_.items.insert(value_.items.begin(), "new member");
    note(member, "new member", {}, there());
  }
  void remove_member() {
    if (value_.items.size() < 2) return;
    const size_t at = dice_.below(value_.items.size());
    if (!untouched(value_.items[at]) || value_.items[at] == "new member") return;
    note(member, value_.items[at], there(), {});
    value_.items.erase(value_.items.begin() + static_cast<ptrdiff_t>(at));
  }

  void add_scored() {
    if (!first_time("add")) return;
    value_.members.push_back({"new member", -17.25});
    note(member, "new member", {}, there({"-17.25"}));
  }
  void remove_scored() {
    if (value_.members.size() < 2) return;
    const size_t at = dice_.below(value_.members.size());
    const SortedSetMember gone = value_.members[at];
    if (!has_plain_score(gone) || !untouched(gone.member)) return;
    value_.members.erase(value_.members.begin() + static_cast<ptrdiff_t>(at));
    note(member, gone.member, there({half_text(gone.score)}), {});
  }
  void change_score() {
    SortedSetMember& one = value_.members[dice_.below(value_.members.size())];
    if (!has_plain_score(one) || !untouched(one.member)) return;
    const double before = one.score;
    one.score += 100;
    note(score, one.member, there({half_text(before)}), there({half_text(one.score)}));
  }
  // One that the maker of models gave it, and that can be written in one way only.
  static bool has_plain_score(const SortedSetMember& one) {
    return one.score > 0 && one.score < 100 && one.score == std::floor(one.score) + 0.5;
  }
  static std::string half_text(double score) { return std::to_string(static_cast<int>(score)) + ".5"; }

  void add_field() {
    if (!first_time("add")) return;
    value_.fields.push_back({"new field", "its value", kNoExpiry});
    note(field, "new field", {}, there({"its value"}));
  }
  void remove_field() {
    if (value_.fields.size() < 2) return;
    const size_t at = dice_.below(value_.fields.size());
    const HashField gone = value_.fields[at];
    if (gone.field == "new field" || !untouched(gone.field)) return;
    value_.fields.erase(value_.fields.begin() + static_cast<ptrdiff_t>(at));
    note(field, gone.field, there({gone.value}), {});
  }
  // Its value, its expiry or both.
  void change_field() {
    HashField& one = value_.fields[dice_.below(value_.fields.size())];
    if (one.field == "new field" || !untouched(one.field)) return;
    const uint64_t which = 1 + dice_.below(3);
    if ((which & 1) != 0) {
      const Bytes before = one.value;
      one.value = keep(std::string(before) + "!");
      note(field, one.field, there({before}), there({one.value}));
    }
    if ((which & 2) != 0) {
      const auto side = [](int64_t ms) { return ms == kNoExpiry ? there() : there({std::to_string(ms)}); };
      const int64_t before = one.expire_at_ms;
      one.expire_at_ms = before == kNoExpiry ? 1'800'000'000'007 : dice_.once_in(2) ? kNoExpiry : before + 1;
      note(field_expiry, one.field, side(before), side(one.expire_at_ms));
    }
  }

  void add_element() {
    if (!first_time("add")) return;
    value_.elements.push_back({~uint64_t{0} - 5, "new element"});
    note(element, std::to_string(~uint64_t{0} - 5), {}, there({"new element"}));
  }
  void change_element() {
    ArrayElement& one = value_.elements[dice_.below(value_.elements.size())];
    const std::string index = std::to_string(one.index);
    if (one.value == "new element" || !untouched(index)) return;
    const Bytes before = one.value;
    one.value = keep(std::string(before) + "?");
    note(element, index, there({before}), there({one.value}));
  }
  void change_insert_index() {
    if (!first_time("insert index")) return;
    const std::optional<uint64_t> before = value_.insert_index;
    value_.insert_index = before ? std::nullopt : std::optional<uint64_t>(77);
    const auto side = [](std::optional<uint64_t> index) { return index ? number_or_none(index) : there(); };
    note(insert_index, {}, side(before), side(value_.insert_index));
  }

  void change_payload() {
    if (!first_time("payload")) return;
    const Bytes before = value_.module.payload;
    std::string after(before);
    after[4] = 'b';  // of the string in it
    value_.module.payload = keep(after);
    note(payload, {}, there({value_.module.module, "1023", before}),
         there({value_.module.module, "1023", value_.module.payload}));
  }

  // --- Streams

  std::span<const StreamField> two_words(Bytes name, Bytes word) {
    const std::span<StreamField> fields = value_.arena.make<StreamField>(1);
    fields[0] = {name, word};
    return fields;
  }
  static DiffSide words_of_entry(const StreamEntry& entry) {
    DiffSide side = there();
    for (const StreamField& one : entry.fields) {
      side.words.push_back(whole_word(one.field));
      side.words.push_back(whole_word(one.value));
    }
    return side;
  }
  void set_length() { value_.stream.info.length = value_.stream.entries.size(); }

  void add_entry() {
    if (!first_time("add entry")) return;
    const StreamEntry made{value_.stream.info.last_id, two_words("new", "entry")};
    value_.stream.entries.push_back(made);
    note(entry, id_text(made.id), {}, there({"new", "entry"}));
    set_length();
  }
  void change_entry() {
    StreamEntry& one = value_.stream.entries[dice_.below(value_.stream.entries.size())];
    if (one.id == value_.stream.info.last_id || !untouched(id_text(one.id))) return;
    const DiffSide before = words_of_entry(one);
    one.fields = two_words("changed", "entry");
    note(entry, id_text(one.id), before, there({"changed", "entry"}));
  }
  void remove_entry() {
    if (value_.stream.entries.size() < 2) return;
    const size_t at = dice_.below(value_.stream.entries.size());
    const StreamEntry& one = value_.stream.entries[at];
    if (one.id == value_.stream.info.last_id || !untouched(id_text(one.id))) return;
    note(entry, id_text(one.id), words_of_entry(one), {});
    value_.stream.entries.erase(value_.stream.entries.begin() + static_cast<ptrdiff_t>(at));
    set_length();
  }
  void change_counters() {
    if (!first_time("counters") || done_.contains("add entry")) return;
    done_.insert("add entry");  // whose ID would be another one
    StreamInfo& info = value_.stream.info;
    const StreamInfo before = info;
    info.last_id.ms += 1;
    note(last_id, {}, there({id_text(before.last_id)}), there({id_text(info.last_id)}));
    if (!info.max_deleted_id || !info.entries_added) return;
    info.max_deleted_id->seq += 3;
    info.entries_added = *info.entries_added + 5;
    note(max_deleted_id, {}, there({id_text(*before.max_deleted_id)}),
         there({id_text(*info.max_deleted_id)}));
    note(entries_added, {}, number_or_none(before.entries_added), number_or_none(info.entries_added));
  }

  GroupValue* some_group() {
    if (value_.stream.groups.empty()) return nullptr;
    GroupValue& group = value_.stream.groups[dice_.below(value_.stream.groups.size())];
    return group.head.name == "new group" ? nullptr : &group;
  }
  void add_group() {
    if (!first_time("add group")) return;
    GroupValue& group = value_.stream.groups.emplace_back();
    group.head = {"new group", {3, 4}, true, 5};
    note(DiffPart::group, "new group", {}, there());
  }
  void remove_group() {
    GroupValue* group = some_group();
    if (group == nullptr || !untouched(group->head.name)) return;
    // Nothing that has changed in it would be told.
    note(DiffPart::group, group->head.name, there(), {});
    const Bytes name = group->head.name;
    std::erase_if(value_.stream.groups, [&](const GroupValue& one) { return one.head.name == name; });
  }
  void change_group() {
    GroupValue* group = some_group();
    if (group == nullptr || !untouched(group->head.name)) return;
    StreamGroup& head = group->head;
    const StreamGroup before = head;
    head.last_id.seq += 1;
    note(group_last_id, head.name, there({id_text(before.last_id)}), there({id_text(head.last_id)}));
    if (!head.has_entries_read) return;
    head.entries_read = before.entries_read ? std::nullopt : std::optional<uint64_t>(9);
    const auto side = [](const StreamGroup& one) {
      return one.entries_read ? there({std::to_string(*one.entries_read)}) : there();
    };
    note(entries_read, head.name, side(before), side(head));
  }
  void add_consumer() {
    GroupValue* group = some_group();
    if (group == nullptr || !untouched(group->head.name)) return;
    group->consumers.push_back({"new consumer", 5, true, std::nullopt});
    note(consumer, "new consumer", {}, there(), group->head.name);
  }

  static DiffSide words_of_pending(const StreamPending& one) {
    return there({one.consumer.value_or(Bytes()), std::to_string(one.delivery_time_ms),
                  std::to_string(one.delivery_count)});
  }
  // Of one that a consumer owns: others have ranks that depend on one another.
  StreamPending* some_pending(GroupValue*& group) {
    group = some_group();
    if (group == nullptr || group->pending.empty()) return nullptr;
    StreamPending& one = group->pending[dice_.below(group->pending.size())];
    if (!one.consumer || touched_.contains(std::string(group->head.name))) return nullptr;
    touched_.insert(std::string(group->head.name));
    return &one;
  }
  void add_pending() {
    GroupValue* group = some_group();
    if (group == nullptr || group->consumers.empty() || !may_be_pending || !untouched(group->head.name))
      return;
    const StreamId id{~uint64_t{0}, 1};
    const StreamPending one{id, group->consumers.front().name, 12, 3, std::nullopt};
    group->pending.push_back(one);
    note(pending, id_text(id), {}, words_of_pending(one), group->head.name);
  }
  void change_pending() {
    GroupValue* group = nullptr;
    StreamPending* one = some_pending(group);
    if (one == nullptr) return;
    const DiffSide before = words_of_pending(*one);
    one->delivery_count += 1;
    if (dice_.once_in(2)) one->delivery_time_ms += 1;
    note(pending, id_text(one->id), before, words_of_pending(*one), group->head.name);
  }
  void remove_pending() {
    GroupValue* group = nullptr;
    StreamPending* one = some_pending(group);
    if (one == nullptr) return;
    note(pending, id_text(one->id), words_of_pending(*one), {}, group->head.name);
    group->pending.erase(group->pending.begin() + (one - group->pending.data()));
  }

  static DiffSide words_of_idmp(const StreamIdmp& one) {
    return there({std::to_string(one.duration_s), std::to_string(one.max_entries),
                  std::to_string(one.iids_added), std::to_string(one.iids_duplicates)});
  }
  void change_idmp() {
    if (!value_.stream.idmp || !first_time("idmp")) return;
    const StreamIdmp before = *value_.stream.idmp;
    value_.stream.idmp->iids_added += 1;
    value_.stream.idmp->duration_s += 1;
    note(idmp, {}, words_of_idmp(before), words_of_idmp(*value_.stream.idmp));
  }
  void add_iid() {
    if (value_.stream.producers.empty() || !first_time("add iid")) return;
    ProducerValue& one = value_.stream.producers.front();
    if (!untouched(one.id)) return;
    one.iids.push_back({"new iid", {8, 9}});
    note(iid, "new iid", {}, at_index(there({"8-9"}), one.iids.size() - 1), one.id);
  }
  void remove_producer() {
    if (value_.stream.producers.empty() || !untouched(value_.stream.producers.back().id)) return;
    note(producer, value_.stream.producers.back().id, there(), {});
    value_.stream.producers.pop_back();
  }

  DiffDice& dice_;
  ModelKey& key_;
  Value& value_;
  std::set<std::string> done_;
  std::set<std::string> touched_;
  std::vector<Difference> made_;

 public:
  bool may_be_pending = true;
};

struct Changed {
  Model model;
  std::vector<KeyDifference> keys;
  std::vector<LibraryDifference> libraries;
  uint64_t same = 0;
};

DiffSideHead head_of(const ModelKey& key) { return {key.value.type, key.expire_at_ms, 0}; }

void note_new_key(const ModelKey& key, Changed& out) {
  out.keys.push_back({DiffKind::only_b, key.db, key.name, std::nullopt, head_of(key), {}, 0});
}

// Absent if it has gone.
std::unique_ptr<ModelKey> mutate_key(const ModelKey& before, ModelMaker& maker, const ModelRules& rules,
                                     DiffDice& dice, Changed& out) {
  const uint64_t way = dice.below(9);
  KeyDifference difference{DiffKind::changed, before.db, before.name, head_of(before), {}, {}, 0};
  if (way == 0) {
    difference.kind = DiffKind::only_a;
    out.keys.push_back(difference);
    return nullptr;
  }
  std::unique_ptr<ModelKey> key = copy_of(before);
  if (way == 1) {
    while (key->value.type == before.value.type) maker.make_value(key->value);
    difference.differences.push_back({type,
                                      {},
                                      {},
                                      there({value_type_name(before.value.type)}),
                                      there({value_type_name(key->value.type)})});
  }
  KeyMutator mutator(dice, *key);
  mutator.may_be_pending = !rules.by_commands;
  if (way >= 2 && way <= 5) difference.differences = mutator.mutate();
  if (way >= 4 && way <= 6)
    for (Difference& one : mutator.mutate_head(rules)) difference.differences.push_back(std::move(one));
  difference.b = head_of(*key);
  if (difference.differences.empty())
    ++out.same;
  else
    out.keys.push_back(difference);
  return key;
}

void mutate_functions(const Model& before, DiffDice& dice, Changed& out) {
  const uint64_t gone = dice.below(3);
  for (size_t i = 0; i < before.functions.size(); ++i)
    if (i != gone) out.model.functions.push_back(before.functions[i]);
  constexpr const char* kNames[] = {"one", "two", "three"};
  const uint64_t changed = (gone + 1) % 3;
  out.model.functions[changed < gone ? changed : changed - 1] = ModelMaker::library(kNames[changed], 2);
  out.model.functions.push_back(ModelMaker::library("new", 1));
  out.libraries = {{DiffKind::only_a, true, kNames[gone]},
                   {DiffKind::changed, true, kNames[changed]},
                   {DiffKind::only_b, true, "new"}};
}

Changed mutate(const Model& before, ModelMaker& maker, const ModelRules& rules, DiffDice& dice) {
  Changed out;
  for (const auto& key : before.keys)
    if (auto now = mutate_key(*key, maker, rules, dice, out)) out.model.keys.push_back(std::move(now));
  for (const uint64_t db : {0U, 1U, 2U, 3U, 4U, 5U}) {
    out.model.keys.push_back(maker.make_key(db, "new " + std::to_string(db)));
    note_new_key(*out.model.keys.back(), out);
  }
  std::ranges::shuffle(out.model.keys, dice.engine());
  std::ranges::stable_sort(out.model.keys, {}, [](const auto& key) { return key->db; });
  mutate_functions(before, dice, out);
  return out;
}

// --- What is expected --------------------------------------------------------------------------------------

DiffKind swapped(DiffKind kind) {
  return kind == DiffKind::only_a ? DiffKind::only_b : kind == DiffKind::only_b ? DiffKind::only_a : kind;
}

// As it is when the sides are the other way round.
void swap_sides(Changed& changed) {
  for (KeyDifference& key : changed.keys) {
    key.kind = swapped(key.kind);
    std::swap(key.a, key.b);
    for (Difference& one : key.differences) std::swap(one.a, one.b);
  }
  for (LibraryDifference& library : changed.libraries) library.kind = swapped(library.kind);
}

// In the order in which diff() says that it tells them.
std::vector<std::string> lines_of(const Changed& changed, bool with_idle) {
  Diffed expected;
  expected.keys = changed.keys;
  if (!with_idle) {
    for (KeyDifference& key : expected.keys)
      std::erase_if(key.differences,
                    [](const Difference& one) { return one.part == idle || one.part == freq; });
    std::erase_if(expected.keys, [](const KeyDifference& key) {
      return key.kind == DiffKind::changed && key.differences.empty();
    });
  }
  expected.libraries = changed.libraries;
  std::ranges::sort(expected.libraries, {}, &LibraryDifference::kind);
  return told(expected);
}

struct Pass {
  DatasetBytes a;
  DatasetBytes b;
  bool with_idle = true;
  std::string where;
};

void expect_told(const Pass& pass, const Changed& changed, Violations& violations) {
  for (const unsigned threads : {1U, 2U}) {
    DiffOptions options;
    options.differences_max = options.word_bytes_max = ~uint64_t{0};
    options.threads = threads;
    if (!pass.with_idle) options.ignored = {DiffIgnore::idle};
    Diffed diffed = diff_datasets(pass.a, pass.b, options);
    const std::string where = pass.where + ", threads " + std::to_string(threads);
    violations.expect(diffed.summary.compared && diffed.refusal.empty(), "not compared",
                      where + diffed.refusal);
    std::ranges::sort(diffed.libraries, {}, &LibraryDifference::kind);
    const std::vector<std::string> expected = lines_of(changed, pass.with_idle);
    const std::vector<std::string> found = told(diffed);
    std::vector<std::string> odd;
    std::ranges::set_symmetric_difference(expected, found, std::back_inserter(odd));
    if (found != expected) {
      std::string few;
      for (size_t i = 0; i < odd.size() && i < 4; ++i)
        few += (std::ranges::count(expected, odd[i]) > 0 ? "\n  missing " : "\n  not so  ") + odd[i];
      violations.expect(false, "other differences", where + few);
    }
    std::array<uint64_t, kDiffKinds> kinds{};
    for (const KeyDifference& key : diffed.keys) ++kinds[static_cast<size_t>(key.kind)];
    violations.expect(diffed.summary.keys == kinds, "counted otherwise than told", where);
    const uint64_t gone_quiet = changed.keys.size() + changed.libraries.size() - expected.size();
    violations.expect(diffed.summary.same == changed.same + gone_quiet, "other keys are the same", where);
  }
}

void expect_both_ways(const Pass& pass, Changed& changed, Violations& violations) {
  expect_told(pass, changed, violations);
  Pass back = pass;
  std::swap(back.a, back.b);
  back.where += ", swapped";
  swap_sides(changed);
  expect_told(back, changed, violations);
  swap_sides(changed);
}

PackLimits nothing_packed() {
  PackLimits limits;
  for (uint64_t* limit : {&limits.hash_entries, &limits.hash_value, &limits.list_entries, &limits.list_value,
                          &limits.set_ints, &limits.set_entries, &limits.set_value, &limits.zset_entries,
                          &limits.zset_value, &limits.stream_node_bytes, &limits.stream_node_entries})
    *limit = 1;
  limits.list_node = 1;
  return limits;
}

std::string as_lines(const std::string& file, Bytes target) {
  ConvertOptions options = options_for(target, OutputForm::jsonl);
  options.meta = true;
  const Converted lines = convert_rdb(file, options);
  CHECK(lines.summary.committed);
  return lines.bytes;
}

// Without the times when consumers were active, which nobody compares.
std::string as_log(const std::string& file, Bytes target) {
  ConvertOptions options = options_for(target, OutputForm::resp);
  options.permitted_losses = {LossFeature::consumer_times};
  const Converted commands = convert_rdb(file, options);
  CHECK(commands.summary.committed);
  return commands.bytes;
}

}  // namespace

TEST_CASE("diff: what was changed is what differs, whatever the encodings, the order and the form") {
  Violations violations;
  size_t differences = 0;
  for (const uint64_t seed : {1U, 2U, 3U, 4U, 5U, 6U}) {
    ModelRules rules;
    rules.longest = seed % 3 == 0 ? 20000 : 70;
    ModelMaker maker(seed, rules);
    DiffDice dice(seed);
    const Model before = maker.make(96);
    Changed changed = mutate(before, maker, rules, dice);
    differences += changed.keys.size();
    using Form = DatasetBytes::Form;
    const std::string a = rdb_of(before, "redis-8.8");
    const std::string b = rdb_of(changed.model, "redis-8.8", nothing_packed());
    const std::string number = "seed " + std::to_string(seed);
    expect_both_ways({{Form::rdb, a, {}}, {Form::rdb, b, {}}, true, number + " rdb"}, changed, violations);
    const std::string b_lines = as_lines(b, "redis-8.8");
    expect_both_ways({{Form::rdb, a, {}}, {Form::lines, b_lines, {}}, true, number + " lines"}, changed,
                     violations);
    expect_both_ways({{Form::lines, as_lines(a, "redis-8.8"), {}},
                      {Form::lines, b_lines, {}},
                      true,
                      number + " only lines"},
                     changed, violations);
  }
  CHECK(differences > 300);
  violations.report();
}

TEST_CASE("diff: files of other servers, and a log, differ in what they hold alone") {
  Violations violations;
  const ServerVersion writer{Dialect::redis, 704};
  for (const uint64_t seed : {11U, 12U, 13U}) {
    ModelRules rules;
    rules.stream_layout = 3;
    rules.has_arrays = rules.has_modules = rules.has_idle = false;
    rules.by_commands = true;
    ModelMaker maker(seed, rules);
    DiffDice dice(seed);
    const Model before = maker.make(72);
    Changed changed = mutate(before, maker, rules, dice);
    using Form = DatasetBytes::Form;
    const std::string a = rdb_of(before, "redis-7.4");
    const std::string b = rdb_of(changed.model, "redis-8.8", nothing_packed());
    const std::string number = "seed " + std::to_string(seed);
    expect_both_ways({{Form::rdb, a, {}}, {Form::rdb, b, {}}, true, number + " rdb"}, changed, violations);
    const DatasetBytes a_log{Form::log, as_log(a, "redis-7.4"), writer};
    expect_both_ways({a_log, {Form::rdb, b, {}}, false, number + " log"}, changed, violations);
    expect_both_ways({a_log, {Form::lines, as_lines(b, "redis-8.8"), {}}, false, number + " log, lines"},
                     changed, violations);
  }
  violations.report();
}
