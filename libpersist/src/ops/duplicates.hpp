// Finds out which of very many hashes occur more than once, in bounded memory: what does not fit goes to a
// temporary file without a name.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "io/unnamed_file.hpp"

namespace persist {

class DuplicateHashes {
 public:
  // Hashes that share their highest bits are kept together: equal ones are always in one partition.
  static constexpr unsigned kPartitionBits = 6;
  static constexpr size_t kPartitions = size_t{1} << kPartitionBits;

 private:
  static constexpr unsigned kPartitionShift = 64 - kPartitionBits;
  static constexpr size_t kBlockHashes = 512;

  // All open blocks fill up alike. Were their size a power of two, they would fight for the same lines of the
  // cache.
  struct HashBlock {
    std::array<uint64_t, kBlockHashes> hashes;
    std::array<char, 64> apart;
  };

  struct Partition {
    HashBlock* open = nullptr;  // being filled
    std::vector<HashBlock*> full;
    std::vector<uint64_t> spilled;  // places in the file
  };

 public:
  // Keeps up to `memory_bytes` of hashes in memory, besides a quarter MiB a thread.
  explicit DuplicateHashes(size_t memory_bytes);
  DuplicateHashes(const DuplicateHashes&) = delete;
  DuplicateHashes& operator=(const DuplicateHashes&) = delete;

  // Where one thread puts its hashes. Owned by the DuplicateHashes.
  class Appender {
   public:
    explicit Appender(DuplicateHashes& owner);

    void add(uint64_t hash) {
      Place& place = places_[hash >> kPartitionShift];
      *place.next++ = hash;
      if (place.next == place.end) [[unlikely]]
        put_away(hash >> kPartitionShift);
    }

   private:
    friend DuplicateHashes;
    // Where the next hash of a partition goes.
    struct Place {
      uint64_t* next = nullptr;
      uint64_t* end = nullptr;
    };

    HashBlock* new_block();
    void open_block(size_t partition, HashBlock* block);
    void put_away(size_t index);
    bool spill(Partition& partition);
    void write_out();
    [[nodiscard]] std::span<const uint64_t> open_hashes(size_t partition) const;

    DuplicateHashes& owner_;
    std::array<Place, kPartitions> places_;
    std::array<Partition, kPartitions> partitions_;
    std::vector<std::unique_ptr<HashBlock[]>> slabs_;  // what blocks are taken out of
    size_t slab_used_ = 0;
    std::vector<HashBlock> unwritten_;  // full blocks on their way to the file
    uint64_t unwritten_at_ = 0;         // where in the file they go
  };

  // Each thread adds through one of its own.
  Appender& appender();

  // The hashes that were added more than once, each one once. Nobody may be adding any more.
  std::vector<uint64_t> find(unsigned threads);

  // False if there was no room for them all, in memory or on disk: then some duplicates may be missing.
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  bool take_memory();
  bool open_spill_file();
  template <typename Each>
  bool for_each_hash(size_t partition, Each each) const;
  class Table;
  void find_in(size_t partition, Table& table, std::vector<uint64_t>& found);
  void confirm(size_t partition, std::vector<uint64_t>& found) const;
  [[nodiscard]] size_t count_in(size_t partition) const;

  const size_t blocks_max_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Appender>> appenders_;
  std::atomic<size_t> blocks_ = 0;  // full ones in memory
  UnnamedFile spill_file_;
  std::atomic<uint64_t> spilled_bytes_ = 0;
  std::atomic<bool> complete_ = true;
};

}  // namespace persist
