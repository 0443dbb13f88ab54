// All that is counted is a sum, a greatest of some, or a tree that does not depend on order: so that threads,
// and files, can be added up.
#include "ops/key_stats.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>
#include <tuple>

#include "base/endian.hpp"
#include "engine/function_library.hpp"
#include "ops/big_keys.hpp"
#include "rdb/function_code.hpp"

namespace persist {

namespace {

constexpr int64_t kSecondInMs = 1000;

template <size_t N>
size_t bin_of(const std::array<int64_t, N>& ends_s, int64_t seconds) {
  return static_cast<size_t>(std::ranges::upper_bound(ends_s, seconds) - ends_s.begin());
}

// "LUA" of "#!lua name=mylib".
std::string function_engine(Bytes code) {
  if (!code.starts_with("#!")) return {};
  std::string engine(code.substr(2, code.find_first_of(" \n") - 2));
  for (char& c : engine)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return engine.substr(0, BigKey::kNameShownMax);
}

Bytes shown_name(Bytes key) { return key.substr(0, BigKey::kNameShownMax); }

// By their bytes. Many keys are no longer than two words, and then a call would take longer.
bool is_before(Bytes a, Bytes b) {
  constexpr size_t kWord = sizeof(uint64_t);
  if (a.size() != b.size() || a.size() < kWord || a.size() > 2 * kWord) return a < b;
  const size_t behind = a.size() - kWord;
  const auto first_a = load_be<uint64_t>(a.data());
  const auto first_b = load_be<uint64_t>(b.data());
  if (first_a != first_b) return first_a < first_b;
  return load_be<uint64_t>(a.data() + behind) < load_be<uint64_t>(b.data() + behind);
}

// Only the first ones in their order are kept, which do not depend on that in which they come.
template <typename Names>
void limit(Names& names) {
  if (names.size() > StatReport::kNamesMax) names.erase(std::prev(names.end()));
}

}  // namespace

KeyStats::KeyStats(const StatRules& rules)
    : rules_(rules),
      memory_(*rules.target, rules.allocator),
      prefixes_(rules.separators),
      report_(rules.top_keys) {
  report_.target = std::string(rules.target->name);
  report_.allocator = rules.allocator;
  report_.separators = rules.separators;
}

void KeyStats::begin(const RdbEntry& entry) {
  entry_ = &entry;
  elements_ = largest_ = 0;
  fields_volatile_ = fields_expired_ = 0;
  memory_.begin(entry);
}

void KeyStats::add(const Element& told) {
  std::visit(
      [this](const auto& one) {
        memory_.add(one);
        (*this)(one);
      },
      told);
}

void KeyStats::add_string(uint64_t size) {
  memory_.add_string(size);
  count(size);
}

void KeyStats::operator()(const HashField& told) {
  count(told.field.size() + told.value.size());
  if (told.expire_at_ms == kNoExpiry) return;
  ++(told.expire_at_ms <= rules_.as_of_ms ? fields_expired_ : fields_volatile_);
}

void KeyStats::operator()(const StreamEntry& told) {
  uint64_t bytes = 0;
  for (const StreamField& field : told.fields) bytes += field.field.size() + field.value.size();
  count(bytes);
}

void KeyStats::operator()(const ModuleValue& told) {
  module_.assign(told.module);
  count(told.payload.size());
}

KeyStat KeyStats::end(uint64_t bytes, const Encoding* encoding) {
  if (encoding == nullptr) encoding = entry_->encoding;
  const Footprint footprint = memory_.end();
  const KeyStat key{encoding, bytes, elements_, footprint.allocated, footprint.reported, largest_};
  const Alike alike{encoding, entry_->db, bytes, elements_, footprint.allocated};
  if (!(alike == alike_)) {
    count_alike();
    alike_ = alike;
  }
  ++times_;
  // Numbers, and not a StatCount: what is added everywhere stays in registers.
  const auto add_to = [elements = elements_, bytes, memory = footprint.allocated](StatCount& count) {
    ++count.keys;
    count.elements += elements;
    count.bytes += bytes;
    count.memory += memory;
  };
  add_to(prefixes_.count_of(entry_->key, entry_->expire_at_ms == kNoExpiry));
  if (entry_->expire_at_ms != kNoExpiry) {
    ++db_stat(entry_->db).volatile_keys;
    add_to(bin_of_expiry(entry_->expire_at_ms));
  }
  if (entry_->idle_s) add_to(bin_of_idle(*entry_->idle_s));
  if (entry_->freq) add_to(report_.freq[*entry_->freq]);
  if (encoding->type == ValueType::hash) {
    report_.volatile_fields += fields_volatile_ + fields_expired_;
    report_.expired_fields += fields_expired_;
  } else if (encoding->type == ValueType::module) {
    add_to(report_.modules[module_].count);
    limit(report_.modules);
    module_.clear();
  }
  offer(key);
  return key;
}

// All that comes of keys that are alike is added at once.
void KeyStats::count_alike() {
  if (times_ == 0) return;
  const StatCount sum{times_, times_ * alike_.elements, times_ * alike_.bytes, times_ * alike_.memory};
  db_stat(alike_.db).count.add(sum);
  report_.types[static_cast<size_t>(alike_.encoding->type)].elements.add(alike_.elements, times_);
  report_.bytes.add(alike_.bytes, times_);
  report_.sizes[static_cast<size_t>(std::bit_width(alike_.bytes)) % report_.sizes.size()].add(sum);
  if (alike_.encoding != last_encoding_) {
    last_encoding_ = alike_.encoding;
    of_last_encoding_ = &encodings_[alike_.encoding];
  }
  of_last_encoding_->add(sum);
  times_ = 0;
}

DbStat& KeyStats::db_stat(uint64_t db) {
  if (db >= StatReport::kDbsMax) return report_.other_dbs;
  if (of_last_db_ == nullptr || db != last_db_) {
    last_db_ = db;
    of_last_db_ = &report_.dbs[db];
  }
  return *of_last_db_;
}

StatCount& KeyStats::bin_of_expiry(int64_t expire_at_ms) {
  if (expire_at_ms <= rules_.as_of_ms) return report_.expired;
  // Both may be anything: the distance can be more than fits.
  int64_t left_ms = 0;
  if (__builtin_sub_overflow(expire_at_ms, rules_.as_of_ms, &left_ms))
    left_ms = std::numeric_limits<int64_t>::max();
  return report_.ttl[bin_of(kTtlBinsS, left_ms / kSecondInMs)];
}

StatCount& KeyStats::bin_of_idle(uint64_t idle_s) {
  constexpr uint64_t kIdleMax = uint64_t{1} << 62;
  return report_.idle[bin_of(kIdleBinsS, static_cast<int64_t>(std::min(idle_s, kIdleMax)))];
}

// Many keys are alike but for their names: of those that measure the same, what comes behind one that was
// not wanted is not wanted either.
void KeyStats::offer(const KeyStat& key) {
  const KeyStat& other = unwanted_.stat;
  if (key.bytes == other.bytes && key.memory == other.memory && key.elements == other.elements &&
      key.largest_element == other.largest_element && key.encoding == other.encoding &&
      entry_->db == unwanted_.db && is_before(unwanted_.key, shown_name(entry_->key))) [[likely]]
    return;
  const Measures measures = {key.bytes, key.memory, key.elements, key.largest_element};
  if (is_wanted(key, measures)) return keep(key, measures);
  unwanted_.stat = key;
  unwanted_.db = entry_->db;
  unwanted_.key.assign(shown_name(entry_->key));
}

bool KeyStats::is_larger_element(const KeyStat& key) const {
  const std::optional<BigKey>& largest = report_.types[static_cast<size_t>(key.encoding->type)].largest;
  if (!largest || key.largest_element != largest->largest_element)
    return !largest || key.largest_element > largest->largest_element;
  // Of the same name as far as it is kept, whatever else tells them apart decides.
  return std::tuple(entry_->db, shown_name(entry_->key)) <= std::tuple(largest->db, Bytes(largest->key));
}

bool KeyStats::is_wanted(const KeyStat& key, const Measures& measures) const {
  if (is_larger_element(key)) return true;
  for (size_t i = 0; i < kBigBys; ++i)
    if (report_.top[i].wants(measures[i], entry_->db, entry_->key)) return true;
  return false;
}

void KeyStats::keep(const KeyStat& key, const Measures& measures) {
  BigKey big;
  big.db = entry_->db;
  big.key = std::string(shown_name(entry_->key));
  big.key_bytes = entry_->key.size();
  big.type = key.encoding->type;
  big.encoding = std::string(key.encoding->name);
  big.bytes = key.bytes;
  big.elements = key.elements;
  big.memory = key.memory;
  big.largest_element = key.largest_element;
  big.expire_at_ms = entry_->expire_at_ms;
  for (size_t i = 0; i < kBigBys; ++i)
    if (report_.top[i].wants(measures[i], big.db, big.key)) report_.top[i].offer(big);
  take_larger(report_.types[static_cast<size_t>(big.type)].largest, big);
}

void KeyStats::record(const RdbRecord& record) {
  if (const auto* library = std::get_if<FunctionLibrary>(&record.body)) {
    const std::string code = function_code(*library);
    const std::pair<std::string, std::string> named(
        function_engine(code), function_library_name(code).substr(0, BigKey::kNameShownMax));
    report_.functions.insert(named);
    limit(report_.functions);
  } else if (const auto* aux = std::get_if<ModuleAux>(&record.body)) {
    ++report_.modules[std::string(aux->module)].records;
    limit(report_.modules);
  }
}

void KeyStats::add_to(StatReport& report) {
  count_alike();
  StatReport mine = report_;
  for (const auto& [encoding, count] : encodings_) {
    EncodingStat& of = mine.encodings[std::string(encoding->label)];
    of.type = encoding->type;
    of.count.add(count);
    mine.types[static_cast<size_t>(encoding->type)].count.add(count);
    mine.total.add(count);
  }
  mine.persistent = mine.total;
  mine.persistent.subtract(mine.expired);
  for (const StatCount& bin : mine.ttl) mine.persistent.subtract(bin);
  mine.prefixes = prefixes_.root();
  mine.prefixes_coarsened = prefixes_.coarsened();
  merge_stat(report, mine);
}

KeyStats& StatCounters::add() {
  const std::lock_guard lock(mutex_);
  return *each_.emplace_back(std::make_unique<KeyStats>(rules_));
}

void StatCounters::add_to(StatReport& report) {
  for (const std::unique_ptr<KeyStats>& one : each_) one->add_to(report);
}

}  // namespace persist
