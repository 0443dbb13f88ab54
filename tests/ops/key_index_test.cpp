// Keys known by their prints: tables of them, and the store that they come together in.
#include "ops/key_index.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr uint32_t kPrintLowMax = (uint32_t{1} << 30) - 1;

KeyPrint print_by_chance(std::mt19937_64& random) {
  const uint64_t high = random();
  return {high, static_cast<uint32_t>(random()) & kPrintLowMax};
}

KeyRecord record_of(KeyPrint print, uint64_t digest) {
  KeyRecord record(print);
  record.digest_high = digest;
  record.digest_low = static_cast<uint32_t>(digest * 3);
  record.expire_at_ms = static_cast<int64_t>(digest) - 5;
  return record;
}

// With their numbers as digests.
KeyRecords numbered_records(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  KeyRecords records;
  for (size_t i = 0; i < count; ++i) records.push_back(record_of(print_by_chance(random), i));
  return records;
}

bool is_same_record(const KeyRecord& a, const KeyRecord& b) {
  return a.print() == b.print() && a.state() == b.state() && a.digest_high == b.digest_high &&
         a.digest_low == b.digest_low && a.expire_at_ms == b.expire_at_ms;
}

std::array<KeyRecords, KeyStore::kPartitions> by_partition(std::span<const KeyRecord> records) {
  std::array<KeyRecords, KeyStore::kPartitions> parts;
  for (const KeyRecord& record : records)
    parts[KeyStore::partition_of(record.print_high())].push_back(record);
  return parts;
}

void add_in_pieces(KeyStore& store, std::span<const KeyRecord> records) {
  for (size_t piece = 1; !records.empty(); piece = piece * 2 % 5003) {
    const size_t fit = std::min(piece, records.size());
    store.add(records.first(fit));
    records = records.subspan(fit);
  }
}

// Whether the store has these records, partition by partition in their order.
bool holds(const KeyStore& store, std::span<const KeyRecord> records) {
  const auto parts = by_partition(records);
  uint64_t size = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (store.size_of(i) != parts[i].size()) return false;
    if (!std::ranges::equal(store.read(i), parts[i], is_same_record)) return false;
    size += parts[i].size();
  }
  return store.size() == size && size == records.size();
}

}  // namespace

TEST_CASE("key print: by database, name and seed") {
  const KeyPrint print = key_print(0, "key", 1);
  CHECK(print == key_print(0, std::string("key"), 1));
  CHECK(print != key_print(1, "key", 1));
  CHECK(print != key_print(0, "kez", 1));
  CHECK(print != key_print(0, "key", 2));
  CHECK(key_print(3, "", 1) != key_print(4, "", 1));
  uint32_t bits = 0;
  for (uint64_t db = 0; db < 100; ++db) bits |= key_print(db, "a", 7).low;
  CHECK(bits == kPrintLowMax);
}

TEST_CASE("key record: state and print share a word and do not meet") {
  for (const uint32_t low : {uint32_t{0}, uint32_t{1}, kPrintLowMax}) {
    KeyRecord record(KeyPrint{~uint64_t{0}, low});
    CHECK(record.state() == KeyState::unmatched);
    for (const KeyState state :
         {KeyState::changed, KeyState::same, KeyState::shadowed, KeyState::unmatched, KeyState::shadowed}) {
      record.set_state(state);
      CHECK(record.state() == state);
      CHECK(record.print() == KeyPrint{~uint64_t{0}, low});
    }
    record.set_place(~uint64_t{1});
    CHECK(record.place() == ~uint64_t{1});
    CHECK(record.print() == KeyPrint{~uint64_t{0}, low});
    CHECK(record.expire_at_ms == kNoExpiry);
  }
}

TEST_CASE("key table: finds all that is there and nothing else") {
  for (const size_t count : {0U, 1U, 2U, 3U, 4U, 6U, 12U, 96U, 1000U, 150'000U}) {
    CAPTURE(count);
    const KeyRecords records = numbered_records(count, count);
    KeyTable table(records);
    REQUIRE(table.records().size() == count);
    CHECK(table.shadowed() == 0);
    size_t wrong = 0;
    for (const KeyRecord& record : records) {
      const KeyPrint print = record.print();
      table.prefetch(print);
      table.prefetch_record(print);
      const KeyRecord* const found = table.find(print);
      if (found == nullptr || !is_same_record(*found, record)) ++wrong;
      if (table.find({print.high, print.low ^ 1}) != nullptr) ++wrong;
      if (table.find({print.high, print.low ^ (uint32_t{1} << 29)}) != nullptr) ++wrong;
      if (table.find({print.high ^ (uint64_t{1} << 63), print.low}) != nullptr) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(table.find({12345, 678}) == nullptr);
  }
}

TEST_CASE("key table: prints that want one place, and share what a place knows of them") {
  constexpr size_t kCount = 700;
  KeyRecords records;
  for (uint64_t i = 0; i < kCount; ++i) records.push_back(record_of({i << 40 | 0x3ff, 5}, i));
  KeyTable table(records);
  for (uint64_t i = 0; i < kCount; ++i) {
    const KeyRecord* const found = table.find({i << 40 | 0x3ff, 5});
    REQUIRE(found != nullptr);
    CHECK(found->digest_high == i);
  }
  table.prefetch_record({kCount << 40 | 0x3ff, 5});
  CHECK(table.find({kCount << 40 | 0x3ff, 5}) == nullptr);
}

TEST_CASE("key table: of equal prints the last counts, and the others say that they do not") {
  KeyRecords records = numbered_records(1000, 9);
  for (const size_t again : {3U, 500U, 3U, 999U}) {
    const KeyRecord& first = records[again];
    records.push_back(record_of(first.print(), records.size()));
  }
  KeyTable table(records);
  CHECK(table.shadowed() == 4);
  CHECK(table.find(records[3].print())->digest_high == 1002);
  CHECK(table.find(records[500].print())->digest_high == 1001);
  CHECK(table.find(records[999].print())->digest_high == 1003);
  std::vector<size_t> shadowed;
  for (size_t i = 0; i < table.records().size(); ++i) {
    if (table.records()[i].state() == KeyState::shadowed) shadowed.push_back(i);
  }
  CHECK(shadowed == std::vector<size_t>{3, 500, 999, 1000});
}

TEST_CASE("key table: several threads find and mark the same records") {
  constexpr size_t kCount = 20'000;
  const KeyRecords records = numbered_records(kCount, 11);
  KeyTable table(records);
  std::atomic<size_t> lost = 0;
  std::vector<std::thread> threads;
  for (size_t part = 0; part < 3; ++part) {
    threads.emplace_back([&] {
      for (size_t i = 0; i < kCount; ++i) {
        KeyRecord* const found = table.find(records[i].print());
        if (found == nullptr)
          ++lost;
        else
          found->set_state(i % 2 == 0 ? KeyState::same : KeyState::changed);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(lost == 0);
  size_t wrong = 0;
  for (size_t i = 0; i < kCount; ++i) {
    const KeyRecord& record = table.records()[i];
    if (record.print() != records[i].print()) ++wrong;
    if (record.state() != (i % 2 == 0 ? KeyState::same : KeyState::changed)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("key store: what fits into memory is taken out in the order of each partition") {
  KeyStore store(uint64_t{64} << 20);
  for (const size_t count : {0U, 1U, 10U, 66'000U, 200'000U}) {
    CAPTURE(count);
    const KeyRecords records = numbered_records(count, count + 1);
    add_in_pieces(store, records);
    REQUIRE(store.in_memory());
    CHECK(store.spilled_bytes() == 0);
    CHECK(holds(store, records));
    const KeyRecords all = store.take_all();
    CHECK(all.capacity() == count);
    const auto wanted = by_partition(records);
    const auto taken = by_partition(all);
    for (size_t i = 0; i < wanted.size(); ++i)
      REQUIRE(std::ranges::equal(wanted[i], taken[i], is_same_record));
    CHECK(store.size() == 0);
    CHECK(store.read(17).empty());
  }
}

TEST_CASE("key store: what does not fit goes to the file, and is read in order all the same") {
  struct Row {
    uint64_t memory_bytes;
    size_t count;
  };
  // The second one keeps more in memory before it spills than after.
  for (const Row row : {Row{0, 700'000}, Row{uint64_t{72} << 20, 2'700'000}}) {
    CAPTURE(row.count);
    const KeyRecords records = numbered_records(row.count, row.count);
    KeyStore store(row.memory_bytes);
    const std::span<const KeyRecord> all = records;
    add_in_pieces(store, all.first(row.count / 2));
    CHECK(holds(store, all.first(row.count / 2)));
    add_in_pieces(store, all.subspan(row.count / 2));
    CHECK_FALSE(store.in_memory());
    CHECK(store.spilled_bytes() > row.memory_bytes / 2);
    CHECK(store.spilled_bytes() <= row.count * sizeof(KeyRecord));
    CHECK(holds(store, records));
  }
}

TEST_CASE("key store: several threads read partitions") {
  const KeyRecords records = numbered_records(400'000, 21);
  KeyStore store(0);
  store.add(records);
  REQUIRE_FALSE(store.in_memory());
  std::atomic<size_t> next = 0;
  std::atomic<uint64_t> found = 0;
  std::vector<std::thread> threads;
  for (size_t part = 0; part < 3; ++part) {
    threads.emplace_back([&] {
      for (size_t i = next++; i < KeyStore::kPartitions; i = next++) found += store.read(i).size();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(found == records.size());
}

TEST_CASE("key store: all keys in one partition") {
  std::mt19937_64 random(5);
  KeyRecords records;
  for (uint64_t i = 0; i < 400'000; ++i)
    records.push_back(record_of({random() >> 8 | uint64_t{0xab} << 56, 1}, i));
  KeyStore store(0);
  store.add(records);
  CHECK_FALSE(store.in_memory());
  CHECK(store.size_of(0xab) == records.size());
  CHECK(holds(store, records));
}

TEST_CASE("key store: a full disk is told") {
  const KeyRecords records = numbered_records(600'000, 31);
  KeyStore store(0);
  const FileSizeLimit limit(uint64_t{3} << 20);
  CHECK(error_of([&] { store.add(records); }, temporary_folder()) == EFBIG);
}
