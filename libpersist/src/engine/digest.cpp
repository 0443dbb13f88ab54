// The digest of a key as servers make it, and what datasets do with the digests of keys of either kind.
//
// All is made of two steps on 20 bytes: to xor them with the hash of something (the order does not matter),
// and to hash them after that (it does).
#include "engine/digest.hpp"

#include <algorithm>
#include <array>

#include "engine/digest_steps.hpp"
#include "engine/module_digest.hpp"

namespace persist {

namespace {

Sha1Hash hash_of_number(uint32_t number) {
  char room[sizeof number];
  for (size_t i = 0; i < sizeof room; ++i) room[i] = static_cast<char>(number >> (24 - 8 * i));
  return sha1({room, sizeof room});
}

// By ValueType, which counts in another order.
const Sha1Hash& hash_of_type(ValueType type) {
  static const std::array<Sha1Hash, 8> kHashes = [] {
    constexpr uint32_t kServerNumbers[] = {0, 1, 2, 3, 4, 6, 7, 5};
    std::array<Sha1Hash, 8> made{};
    std::ranges::transform(kServerNumbers, made.begin(), hash_of_number);
    return made;
  }();
  return kHashes[static_cast<size_t>(type)];
}

class ServerDigest : public KeyDigest {
 public:
  ServerDigest(const DigestRules& rules, HoleBudget& holes) : rules_(rules), holes_(holes) {}

  void begin(const DigestKey& key) override {
    digest_ = {};
    mix(digest_, key.key);
    mix_hash(digest_, hash_of_type(key.type));
    has_expiry_ = key.expire_at_ms != kNoExpiry;
    next_index_ = 0;
    obstacle_.reset();
    if (has_run_) run_.restart();
    has_run_ = false;
  }

  void add(const Element& told) override { std::visit(*this, told); }

  void add_run(Bytes run) override {
    run_.update(run);
    has_run_ = true;
  }

  void add_vector_set(const VectorSet& told) override {
    xor_into(digest_, sha1(as_bytes(vector_set_digest(told))));
  }

  Sha1Hash finish() override {
    static const Sha1Hash kExpiryMark = sha1("!!expire!!");
    if (has_run_) mix_hash(digest_, run_.finish());
    if (has_expiry_) xor_into(digest_, kExpiryMark);
    return sha1(as_bytes(digest_));
  }

  [[nodiscard]] std::optional<Bytes> obstacle() const override { return obstacle_; }

  // --- Each kind of element
  void operator()(const StringValue& told) { mix(digest_, told.value); }
  void operator()(const ListItem& told) { mix(digest_, told.value); }
  void operator()(const SetMember& told) { xor_into(digest_, sha1(told.member)); }
  void operator()(const SortedSetMember& told) {
    char room[kDoubleTextMax];
    add_pair(told.member, double_to_text(told.score, rules_.scores, room), false);
  }
  void operator()(const HashField& told) {
    add_pair(told.field, told.value, rules_.field_expiries && told.expire_at_ms != kNoExpiry);
  }
  void operator()(const StreamEntry& told) {
    char room[2 * kDecimalMax + 1];
    const size_t ms_size = to_decimal(told.id.ms, room).size();
    room[ms_size] = '.';
    const size_t seq_size = to_decimal(told.id.seq, room + ms_size + 1).size();
    mix(digest_, {room, ms_size + 1 + seq_size});
    for (const StreamField& field : told.fields) {
      mix(digest_, field.field);
      mix(digest_, field.value);
    }
  }
  void operator()(const ArrayElement& told) {
    static const Sha1Hash kHole = sha1("(null)");
    if (told.index < next_index_)
      obstacle_ = "an array whose elements are not in order";
    else if (!holes_.take(told.index - next_index_))
      obstacle_ = "arrays with more holes than a server would live to see the end of";
    if (obstacle_) return;
    for (; next_index_ < told.index; ++next_index_) mix_hash(digest_, kHole);
    mix(digest_, told.value);
    ++next_index_;
  }
  void operator()(const ModuleValue& told) {
    if (const std::optional<Sha1Hash> of_module = module_digest(told))
      xor_into(digest_, sha1(as_bytes(*of_module)));
  }
  // The rest it does not see.
  template <typename Unseen>
  void operator()(const Unseen& /*told*/) {}

 private:
  void add_pair(Bytes first, Bytes second, bool has_expiry) {
    static const Sha1Hash kExpiryMark = sha1("!!hexpire!!");
    Sha1Hash pair{};
    mix(pair, first);
    mix(pair, second);
    if (has_expiry) xor_into(pair, kExpiryMark);
    xor_into(digest_, sha1(as_bytes(pair)));
  }

  DigestRules rules_;
  HoleBudget& holes_;
  Sha1Hash digest_{};
  bool has_expiry_ = false;
  bool has_run_ = false;
  Sha1 run_;
  uint64_t next_index_ = 0;  // of an array
  std::optional<Bytes> obstacle_;
};

}  // namespace

DigestRules digest_rules(Dialect family, unsigned version) {
  constexpr unsigned kFieldExpiries = 703;  // what release candidates of 7.4 call themselves
  return {double_style(family, version), family == Dialect::redis && version >= kFieldExpiries};
}

bool HoleBudget::take(uint64_t holes) {
  uint64_t left = left_.load(std::memory_order_relaxed);
  do {
    if (left < holes) {
      left_.store(0, std::memory_order_relaxed);
      return false;
    }
  } while (!left_.compare_exchange_weak(left, left - holes, std::memory_order_relaxed));
  return true;
}

std::unique_ptr<KeyDigest> server_digest(const DigestRules& rules, HoleBudget& holes) {
  return std::make_unique<ServerDigest>(rules, holes);
}

void DatasetDigest::combine(Sha1Hash& into, const Sha1Hash& with) const {
  if (kind_ == DigestKind::server)
    xor_into(into, with);
  else
    add_into(into, with);
}

void DatasetDigest::add(uint64_t db, const Sha1Hash& of_key) { combine(dbs_[db], of_key); }

void DatasetDigest::merge(const DatasetDigest& other) {
  for (const auto& [db, digest] : other.dbs_) combine(dbs_[db], digest);
  if (!other.libraries_) return;
  if (!libraries_) libraries_.emplace();
  combine(*libraries_, *other.libraries_);
}

Sha1Hash DatasetDigest::total() const {
  Sha1Hash total{};
  for (const auto& [db, digest] : dbs_) {
    if (kind_ == DigestKind::server) mix_hash(total, hash_of_number(static_cast<uint32_t>(db)));
    combine(total, digest);
  }
  if (libraries_) combine(total, *libraries_);
  return total;
}

std::vector<std::pair<uint64_t, Sha1Hash>> DatasetDigest::dbs() const {
  std::vector<std::pair<uint64_t, Sha1Hash>> each;
  for (const auto& [db, digest] : dbs_) {
    Sha1Hash alone{};
    if (kind_ == DigestKind::server) mix_hash(alone, hash_of_number(static_cast<uint32_t>(db)));
    combine(alone, digest);
    each.emplace_back(db, alone);
  }
  return each;
}

void DatasetDigest::add_library(Bytes code) {
  if (kind_ == DigestKind::server) return;
  if (!libraries_) libraries_.emplace();
  combine(*libraries_, FieldHash().bytes("function").bytes(code).finish());
}

std::optional<Sha1Hash> DatasetDigest::libraries() const { return libraries_; }

}  // namespace persist
