// What is known of the keys of one side of a comparison: 32 bytes each, in memory as long as there is room,
// else divided among partitions in a file without a name.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/pages.hpp"
#include "io/unnamed_file.hpp"
#include "persist/bytes.hpp"
#include "persist/element.hpp"

namespace persist {

// What a key is known by: 94 bits of a seeded hash of its database and name. Two keys of a dataset of 10^9
// have the same with a probability below 10^-10.
struct KeyPrint {
  uint64_t high = 0;
  uint32_t low = 0;  // 30 bits
  bool operator==(const KeyPrint&) const = default;
};
[[nodiscard]] KeyPrint key_print(uint64_t db, Bytes key, uint64_t seed);

enum class KeyState : uint8_t {
  unmatched,
  same,
  changed,
  shadowed  // another record has the same print and counts
};

class KeyRecord {
 public:
  KeyRecord() = default;
  explicit KeyRecord(KeyPrint print) : low_and_state_(print.low << kStateBits), print_high_(print.high) {}

  [[nodiscard]] uint64_t print_high() const { return print_high_; }
  [[nodiscard]] KeyPrint print() const { return {print_high_, load_shared() >> kStateBits}; }

  // The state may be asked for and set by any number of threads.
  [[nodiscard]] KeyState state() const { return static_cast<KeyState>(load_shared() & kStateMask); }
  void set_state(KeyState state) {
    const uint32_t low = load_shared() & ~kStateMask;  // which nobody changes
    shared().store(low | static_cast<uint32_t>(state), std::memory_order_relaxed);
  }

  // Takes it from one state to another; false if it is in a third one. Of several threads, one gets true.
  [[nodiscard]] bool change_state(KeyState from, KeyState to) {
    const uint32_t low = load_shared() & ~kStateMask;
    uint32_t expected = low | static_cast<uint32_t>(from);
    return shared().compare_exchange_strong(expected, low | static_cast<uint32_t>(to),
                                            std::memory_order_relaxed);
  }

  // Of a value whose digest is no longer needed: where it is in a spool, in the place of the digest.
  void set_place(uint64_t place) { digest_high = place; }
  [[nodiscard]] uint64_t place() const { return digest_high; }

  uint64_t digest_high = 0;
  int64_t expire_at_ms = kNoExpiry;
  uint32_t digest_low = 0;

 private:
  static constexpr unsigned kStateBits = 2;
  static constexpr uint32_t kStateMask = (uint32_t{1} << kStateBits) - 1;

  [[nodiscard]] std::atomic_ref<uint32_t> shared() { return std::atomic_ref<uint32_t>(low_and_state_); }
  [[nodiscard]] uint32_t load_shared() const {
    return const_cast<KeyRecord*>(this)->shared().load(std::memory_order_relaxed);
  }

  uint32_t low_and_state_ = 0;
  uint64_t print_high_ = 0;
};
static_assert(sizeof(KeyRecord) == 32);

using KeyRecords = PageVector<KeyRecord>;

// Keys with their digests, looked up by print. A power of two of 4-byte places, at most three quarters full,
// lead to the records, which stand close together: 32 + 5 to 11 bytes a key.
class KeyTable {
 public:
  static constexpr size_t kRecordsMax = (size_t{1} << 31) - 1;

  // Takes the records, kRecordsMax at most; of equal prints the last one counts. Room for the places is taken
  // at once.
  explicit KeyTable(KeyRecords records);

  // Null if there is none. By any number of threads at once.
  [[nodiscard]] KeyRecord* find(KeyPrint print);

  // If there are many to look up: some 16 keys ahead of find() the place, some 8 ahead the record.
  void prefetch(KeyPrint print) const { __builtin_prefetch(&places_[first_place(print)]); }
  void prefetch_record(KeyPrint print) const;

  [[nodiscard]] std::span<KeyRecord> records() { return records_; }
  // Records that another one with the same print stands for: not found, and not to be counted. Their state
  // says so.
  [[nodiscard]] uint64_t shadowed() const { return shadowed_; }

 private:
  void add(size_t index);
  [[nodiscard]] size_t first_place(KeyPrint print) const { return print.high & (places_.size() - 1); }
  [[nodiscard]] size_t next_place(size_t at) const { return (at + 1) & (places_.size() - 1); }
  // The number that the print has in the highest bits of its place, above those of the index.
  [[nodiscard]] uint32_t tag(KeyPrint print) const { return print.low << index_bits_; }
  [[nodiscard]] bool has_tag(uint32_t place, uint32_t tag) const { return (place ^ tag) >> index_bits_ == 0; }
  [[nodiscard]] size_t index_in(uint32_t place) const {
    return (place & ((uint32_t{1} << index_bits_) - 1)) - 1;
  }

  KeyRecords records_;
  PageVector<uint32_t> places_;  // 0: free; else the tag and, from 1 on, the index of the record
  unsigned index_bits_ = 0;
  uint64_t shadowed_ = 0;
};

// Records on their way into tables: by the highest bits of their print, in partitions, in each of which they
// stay in order. Past `memory_bytes`, of which a few MiB are always taken, all go to the file.
class KeyStore {
 public:
  static constexpr unsigned kPartitionBits = 8;
  static constexpr size_t kPartitions = size_t{1} << kPartitionBits;

  explicit KeyStore(uint64_t memory_bytes);
  ~KeyStore() = default;
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;

  // By one thread at a time. Throws std::system_error when the disk is full; what was added is then void.
  void add(std::span<const KeyRecord> records);

  [[nodiscard]] uint64_t size() const;
  // Nothing went to the file: take_all() gives everything, and a KeyTable takes it.
  [[nodiscard]] bool in_memory() const { return !file_.is_open(); }
  // Everything, out of memory, without holding it twice; the store is then empty.
  [[nodiscard]] KeyRecords take_all();
  // One partition, whether in memory or in the file. Stays. By any number of threads, while nobody adds.
  [[nodiscard]] KeyRecords read(size_t partition) const;
  [[nodiscard]] uint64_t size_of(size_t partition) const;
  [[nodiscard]] uint64_t spilled_bytes() const { return file_.appended(); }
  // Gives memory and disk back.
  void clear();
  // Which one a record belongs to.
  [[nodiscard]] static size_t partition_of(uint64_t print_high) {
    return print_high >> (64 - kPartitionBits);
  }

 private:
  static constexpr size_t kBlockRecords = 256;

  // All blocks fill up alike: as in DuplicateHashes, their size is no power of two.
  struct Block {
    std::array<KeyRecord, kBlockRecords> records;
    size_t used = 0;  // known once it is closed
    std::array<char, 56> apart{};
  };
  using Slab = PageVector<Block>;  // never more than it has reserved

  struct Extent {
    uint64_t offset = 0;  // in the file
    uint64_t records = 0;
  };
  struct Partition {
    std::vector<Block*> blocks;  // all but the last are full
    std::vector<Extent> spilled;
    uint64_t spilled_records = 0;
  };
  // Where the next record of a partition goes: into its last block.
  struct Place {
    KeyRecord* next = nullptr;
    KeyRecord* end = nullptr;
  };

  void open_block(size_t partition);
  Block* new_block();
  void close_blocks();
  void spill();
  void empty_memory();
  [[nodiscard]] std::span<const KeyRecord> records_in(size_t partition, size_t block) const;

  size_t slabs_max_;
  std::array<Place, kPartitions> places_{};
  std::array<Partition, kPartitions> partitions_;
  std::vector<Slab> slabs_;
  size_t slab_ = 0;  // the one that blocks are taken out of
  UnnamedFile file_;
};

}  // namespace persist
