// Two sets of keys against each other, in memory and out of files: the same verdicts.
#include "ops/key_match.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace persist;

namespace {

constexpr uint64_t kSeed = 5;

KeyRecord record_to_match(uint64_t key, uint64_t digest, int64_t expire_at_ms = kNoExpiry) {
  KeyRecord record(key_print(0, std::to_string(key), kSeed));
  record.digest_high = digest;
  record.digest_low = 7;
  record.expire_at_ms = expire_at_ms;
  return record;
}

KeyPrint print_to_match(uint64_t key) { return key_print(0, std::to_string(key), kSeed); }

// How often each side is told what of a key, over all rounds.
struct VerdictCount {
  int only_indexed = 0;
  int only_matched = 0;
  int changed_indexed = 0;
  int changed_matched = 0;
  bool operator==(const VerdictCount&) const = default;
};

VerdictCount verdicts_of(KeyMatch& match, uint64_t key) {
  using enum KeyMatch::Verdict;
  VerdictCount count;
  const KeyMatch::Judgement indexed = match.judge(print_to_match(key), true);
  const KeyMatch::Judgement matched = match.judge(print_to_match(key), false);
  count.only_indexed += indexed.verdict == only_here ? 1 : 0;
  count.only_matched += matched.verdict == only_here ? 1 : 0;
  count.changed_indexed += indexed.verdict == changed ? 1 : 0;
  count.changed_matched += matched.verdict == changed ? 1 : 0;
  if (indexed.verdict == changed) CHECK(indexed.record == matched.record);
  return count;
}

}  // namespace

TEST_CASE("keys on both sides, on one, and changed") {
  KeyMatch match(1 << 20, 10);
  const std::vector<KeyRecord> indexed = {record_to_match(1, 1), record_to_match(2, 1),
                                          record_to_match(3, 1, 100), record_to_match(4, 1, 100),
                                          record_to_match(5, 1)};
  match.index(indexed);
  match.end_index();
  const std::vector<KeyRecord> matched = {record_to_match(6, 1), record_to_match(5, 2),
                                          record_to_match(4, 1, 111), record_to_match(3, 1, 110),
                                          record_to_match(1, 1)};
  match.match(matched);
  match.end_match();
  CHECK(match.counts().same == 2);
  CHECK(match.counts().changed == 2);
  CHECK(match.counts().only_indexed == 1);
  CHECK(match.counts().only_matched == 1);
  CHECK(match.spilled_bytes() == 0);
  REQUIRE(match.rounds() == 1);
  match.begin_round(0);
  const VerdictCount expected[] = {{}, {1, 0, 0, 0}, {}, {0, 0, 1, 1}, {0, 0, 1, 1}, {0, 1, 0, 0}};
  for (uint64_t key = 1; key <= 6; ++key) {
    CAPTURE(key);
    CHECK(verdicts_of(match, key) == expected[key - 1]);
  }
}

TEST_CASE("a digest differs in any of its bits, and in the expiry") {
  for (int bit = 0; bit < 96; ++bit) {
    KeyMatch match(1 << 20, 0);
    KeyRecord record = record_to_match(1, 1);
    match.index({&record, 1});
    match.end_index();
    if (bit < 64) record.digest_high ^= uint64_t{1} << bit;
    if (bit >= 64) record.digest_low ^= uint32_t{1} << (bit - 64);
    match.match({&record, 1});
    match.end_match();
    CHECK(match.counts().changed == 1);
  }
}

TEST_CASE("nothing on one side or on both") {
  for (const bool is_indexed : {false, true}) {
    for (const bool is_matched : {false, true}) {
      KeyMatch match(1, 0);
      const KeyRecord record = record_to_match(is_indexed ? 1 : 2, 1);
      if (is_indexed) match.index({&record, 1});
      match.end_index();
      if (is_matched) match.match({&record, 1});
      match.end_match();
      CHECK(match.counts().same == (is_indexed && is_matched ? 1 : 0));
      CHECK(match.counts().only_indexed == (is_indexed && !is_matched ? 1 : 0));
      CHECK(match.counts().only_matched == (!is_indexed && is_matched ? 1 : 0));
    }
  }
}

TEST_CASE("what stands twice on the indexed side counts once, with its last digest") {
  KeyMatch match(1 << 20, 0);
  const std::vector<KeyRecord> indexed = {record_to_match(1, 1), record_to_match(1, 2), record_to_match(2, 1),
                                          record_to_match(2, 1)};
  match.index(indexed);
  match.end_index();
  const KeyRecord one = record_to_match(1, 2);
  match.match({&one, 1});
  match.match({&one, 1});
  match.end_match();
  CHECK(match.counts().same == 1);
  CHECK(match.counts().changed == 0);
  CHECK(match.counts().only_indexed == 1);
  CHECK(match.counts().only_matched == 0);
}

TEST_CASE("out of files, in rounds: each key once, the same as in memory") {
  constexpr uint64_t kKeys = 300'000;  // past what is always kept
  std::mt19937_64 random(3);
  std::vector<KeyRecord> indexed, matched;
  const auto is_in = [](uint64_t key, bool in_index) { return key % 10 != (in_index ? 1 : 2); };
  const auto is_changed = [](uint64_t key) { return key % 50 == 3; };
  for (uint64_t key = 0; key < kKeys; ++key) {
    if (is_in(key, true)) indexed.push_back(record_to_match(key, 1));
    if (is_in(key, false)) matched.push_back(record_to_match(key, is_changed(key) ? 2 : 1));
  }
  std::ranges::shuffle(matched, random);
  struct MemoryRow {
    uint64_t bytes;
    size_t rounds_min;
    size_t rounds_max;
  };
  for (const MemoryRow& row :
       {MemoryRow{uint64_t{1} << 30, 1, 1}, MemoryRow{1'000'000, 2, 10}, MemoryRow{1, 200, 256}}) {
    CAPTURE(row.bytes);
    KeyMatch match(row.bytes, 0);
    match.index(indexed);
    match.end_index();
    match.match(matched);
    match.end_match();
    CHECK((match.spilled_bytes() > 0) == (row.rounds_min > 1));
    CHECK(match.counts().only_indexed == kKeys / 10);
    CHECK(match.counts().only_matched == kKeys / 10);
    CHECK(match.counts().changed == kKeys / 50);
    CHECK(match.counts().same == kKeys - kKeys / 5 - kKeys / 50);
    CHECK(match.rounds() >= row.rounds_min);
    CHECK(match.rounds() <= row.rounds_max);
    // Some keys, in all rounds.
    std::vector<VerdictCount> told(1500);
    for (size_t round = 0; round < match.rounds(); ++round) {
      match.begin_round(round);
      for (uint64_t key = 0; key < told.size(); ++key) {
        const VerdictCount found = verdicts_of(match, key);
        told[key].only_indexed += is_in(key, true) ? found.only_indexed : 0;
        told[key].only_matched += is_in(key, false) ? found.only_matched : 0;
        told[key].changed_indexed += found.changed_indexed;
        told[key].changed_matched += found.changed_matched;
      }
    }
    size_t wrong = 0;
    for (uint64_t key = 0; key < told.size(); ++key) {
      VerdictCount expected;
      if (!is_in(key, false)) expected.only_indexed = 1;
      if (!is_in(key, true)) expected.only_matched = 1;
      if (is_changed(key)) expected.changed_indexed = expected.changed_matched = 1;
      if (told[key] != expected) ++wrong;
    }
    CHECK(wrong == 0);
  }
}
