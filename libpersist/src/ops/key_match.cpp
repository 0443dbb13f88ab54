// The join of two sets of keys by hash.
#include "ops/key_match.hpp"

#include <algorithm>

#include "ops/value_difference.hpp"

namespace persist {

namespace {

// Lookups in a large table wait for memory: what so many need is asked for ahead.
constexpr size_t kPlacesAhead = 16;
constexpr size_t kRecordsAhead = 8;

// Of what there is in all, for the records: the rest is for the places that lead to them.
uint64_t bytes_of_records(uint64_t memory_bytes) { return memory_bytes / 4 * 3; }

}  // namespace

KeyMatch::KeyMatch(uint64_t memory_bytes, int64_t ttl_tolerance_ms)
    : memory_bytes_(memory_bytes),
      ttl_tolerance_ms_(ttl_tolerance_ms),
      indexed_(bytes_of_records(memory_bytes)),
      matched_(bytes_of_records(memory_bytes) / 2),
      differing_(bytes_of_records(memory_bytes) / 2) {}

void KeyMatch::index(std::span<const KeyRecord> records) { indexed_.add(records); }

void KeyMatch::end_index() {
  if (!indexed_.in_memory()) return;
  whole_.emplace(indexed_.take_all());
  counts_.only_indexed = whole_->records().size() - whole_->shadowed();
}

void KeyMatch::match(std::span<const KeyRecord> records) {
  if (!in_memory()) return matched_.add(records);
  for (size_t i = 0; i < records.size(); ++i) {
    if (i + kPlacesAhead < records.size()) whole_->prefetch(records[i + kPlacesAhead].print());
    if (i + kRecordsAhead < records.size()) whole_->prefetch_record(records[i + kRecordsAhead].print());
    match_in(*whole_, records[i], nullptr);
  }
}

void KeyMatch::match_in(KeyTable& table, const KeyRecord& record, std::vector<KeyRecord>* unknown) {
  KeyRecord* known = table.find(record.print());
  if (known == nullptr) {
    ++counts_.only_matched;
    if (unknown != nullptr) {
      unknown->push_back(record);
      unknown->back().set_state(KeyState::same);
    }
    return;
  }
  if (known->state() != KeyState::unmatched) return;  // the matched side has it twice
  const bool is_same = known->digest_high == record.digest_high && known->digest_low == record.digest_low &&
                       expiries_agree(known->expire_at_ms, record.expire_at_ms, ttl_tolerance_ms_);
  known->set_state(is_same ? KeyState::same : KeyState::changed);
  ++(is_same ? counts_.same : counts_.changed);
  --counts_.only_indexed;
}

void KeyMatch::end_match() {
  if (in_memory()) {
    rounds_.push_back({});
    return;
  }
  for (size_t i = 0; i < KeyStore::kPartitions; ++i) join_partition(i);
  joined_bytes_ = indexed_.spilled_bytes() + matched_.spilled_bytes();
  indexed_.clear();
  matched_.clear();
  plan_rounds();
}

void KeyMatch::join_partition(size_t partition) {
  KeyTable table(indexed_.read(partition));
  counts_.only_indexed += table.records().size() - table.shadowed();
  std::vector<KeyRecord> differing;
  for (const KeyRecord& record : matched_.read(partition)) match_in(table, record, &differing);
  for (const KeyRecord& record : table.records())
    if (record.state() == KeyState::unmatched || record.state() == KeyState::changed)
      differing.push_back(record);
  differing_.add(differing);
}

// Neighbours are looked at together while there is room for them.
void KeyMatch::plan_rounds() {
  const uint64_t most = std::max<uint64_t>(bytes_of_records(memory_bytes_) / sizeof(KeyRecord), 1);
  Round round;
  uint64_t records = 0;
  for (size_t i = 0; i < KeyStore::kPartitions; ++i) {
    const uint64_t more = differing_.size_of(i);
    if (records > 0 && records + more > most) {
      rounds_.push_back({round.first, i});
      round.first = i;
      records = 0;
    }
    records += more;
  }
  rounds_.push_back({round.first, KeyStore::kPartitions});
}

void KeyMatch::begin_round(size_t round) {
  if (in_memory()) return;
  round_.reset();
  uint64_t size = 0;
  for (size_t i = rounds_[round].first; i < rounds_[round].end; ++i) size += differing_.size_of(i);
  KeyRecords records;
  records.reserve(size);
  for (size_t i = rounds_[round].first; i < rounds_[round].end; ++i) {
    const KeyRecords of_one = differing_.read(i);
    records.insert(records.end(), of_one.begin(), of_one.end());
  }
  round_.emplace(std::move(records));
}

KeyMatch::Judgement KeyMatch::judge(KeyPrint print, bool is_indexed_side) {
  KeyTable& table = in_memory() ? *whole_ : *round_;
  KeyRecord* record = table.find(print);
  // Only the whole index knows all keys.
  if (record == nullptr)
    return {in_memory() && !is_indexed_side ? Verdict::only_here : Verdict::none, nullptr};
  switch (record->state()) {
    case KeyState::changed:
      return {Verdict::changed, record};
    case KeyState::unmatched:
      return {is_indexed_side ? Verdict::only_here : Verdict::none, record};
    case KeyState::same:
      return {!in_memory() && !is_indexed_side ? Verdict::only_here : Verdict::none, nullptr};
    default:
      return {};
  }
}

uint64_t KeyMatch::spilled_bytes() const {
  return joined_bytes_ + indexed_.spilled_bytes() + matched_.spilled_bytes() + differing_.spilled_bytes();
}

}  // namespace persist
