// Hashes are kept by their highest bits in blocks of 4 KiB; past some MiB, full blocks go to the file,
// several at a time. What is equal is in one partition, and a partition is small enough to be looked through
// in the cache.
#include "ops/duplicates.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <thread>

namespace persist {

namespace {

constexpr size_t kBlocksWrittenAtOnce = 16;

// The table for looking through a partition, or a slice of one.
constexpr size_t kTableHashesMax = size_t{256} << 10;

}  // namespace

// Open addressing over 32 bits of each hash; others say where to look, so that together they are as good as
// 48 and more. What it finds is a suspicion, and the table stays in the cache.
class DuplicateHashes::Table {
 public:
  // Empty, and with room for so many.
  void reset(size_t hashes) { places_.assign(std::bit_ceil(hashes + hashes / 3 + 2), 0); }

  // True if it was there already.
  bool add(uint64_t hash) {
    const uint32_t kept = std::max<uint32_t>(static_cast<uint32_t>(hash), 1);  // 0 marks a free place
    for (size_t at = place_of(hash);; at = (at + 1) & (places_.size() - 1)) {
      if (places_[at] == kept) return true;
      if (places_[at] != 0) continue;
      places_[at] = kept;
      return false;
    }
  }
  void prefetch(uint64_t hash) const { __builtin_prefetch(&places_[place_of(hash)], 1); }

 private:
  [[nodiscard]] size_t place_of(uint64_t hash) const { return (hash >> 32) & (places_.size() - 1); }
  std::vector<uint32_t> places_;
};

DuplicateHashes::DuplicateHashes(size_t memory_bytes) : blocks_max_(memory_bytes / sizeof(HashBlock)) {}

DuplicateHashes::Appender& DuplicateHashes::appender() {
  const std::lock_guard lock(mutex_);
  return *appenders_.emplace_back(std::make_unique<Appender>(*this));
}

DuplicateHashes::Appender::Appender(DuplicateHashes& owner) : owner_(owner) {
  for (size_t i = 0; i < kPartitions; ++i) open_block(i, new_block());
}

void DuplicateHashes::Appender::open_block(size_t partition, HashBlock* block) {
  partitions_[partition].open = block;
  places_[partition] = {block->hashes.data(), block->hashes.data() + kBlockHashes};
}

// Blocks by the slab, so that they lie at the distances that HashBlock wants.
DuplicateHashes::HashBlock* DuplicateHashes::Appender::new_block() {
  constexpr size_t kSlabBlocks = 32;
  if (slabs_.empty() || slab_used_ == kSlabBlocks) {
    slabs_.push_back(std::make_unique_for_overwrite<HashBlock[]>(kSlabBlocks));
    slab_used_ = 0;
  }
  return &slabs_.back()[slab_used_++];
}

std::span<const uint64_t> DuplicateHashes::Appender::open_hashes(size_t partition) const {
  return {partitions_[partition].open->hashes.data(), places_[partition].next};
}

// The open block is full: keep it in memory while there is room, else send it to the file and fill it again.
void DuplicateHashes::Appender::put_away(size_t index) {
  Partition& partition = partitions_[index];
  HashBlock* next = partition.open;
  if (owner_.take_memory()) {
    partition.full.push_back(partition.open);
    next = new_block();
  } else if (!spill(partition)) {
    owner_.complete_ = false;
  }
  open_block(index, next);
}

bool DuplicateHashes::Appender::spill(Partition& partition) {
  if (unwritten_.empty()) {
    if (!owner_.open_spill_file()) return false;
    unwritten_at_ = owner_.spilled_bytes_.fetch_add(kBlocksWrittenAtOnce * sizeof(HashBlock));
  }
  partition.spilled.push_back(unwritten_at_ + unwritten_.size() * sizeof(HashBlock));
  unwritten_.push_back(*partition.open);
  if (unwritten_.size() == kBlocksWrittenAtOnce) write_out();
  return true;
}

void DuplicateHashes::Appender::write_out() {
  if (unwritten_.empty()) return;
  const size_t size = unwritten_.size() * sizeof(HashBlock);
  if (owner_.spill_file_.write_at(unwritten_.data(), size, unwritten_at_) != 0) owner_.complete_ = false;
  unwritten_.clear();
}

bool DuplicateHashes::take_memory() {
  if (blocks_.load(std::memory_order_relaxed) >= blocks_max_) return false;
  return blocks_.fetch_add(1, std::memory_order_relaxed) < blocks_max_;
}

bool DuplicateHashes::open_spill_file() {
  const std::lock_guard lock(mutex_);
  if (!spill_file_.is_open() && complete_) return spill_file_.open() == 0;
  return spill_file_.is_open();
}

size_t DuplicateHashes::count_in(size_t partition) const {
  size_t count = 0;
  for (const std::unique_ptr<Appender>& appender : appenders_) {
    const Partition& part = appender->partitions_[partition];
    count +=
        appender->open_hashes(partition).size() + (part.full.size() + part.spilled.size()) * kBlockHashes;
  }
  return count;
}

// Block by block. False if the file could not be read.
template <typename Each>
bool DuplicateHashes::for_each_hash(size_t partition, Each each) const {
  bool readable = true;
  HashBlock block;
  for (const std::unique_ptr<Appender>& appender : appenders_) {
    const Partition& part = appender->partitions_[partition];
    each(appender->open_hashes(partition));
    for (const HashBlock* full : part.full) each(std::span<const uint64_t>(full->hashes));
    for (const uint64_t place : part.spilled) {
      if (spill_file_.read_at(&block, sizeof block, place) == 0)
        each(std::span<const uint64_t>(block.hashes));
      else
        readable = false;
    }
  }
  return readable;
}

void DuplicateHashes::find_in(size_t partition, Table& table, std::vector<uint64_t>& found) {
  const size_t hashes = count_in(partition);
  if (hashes < 2) return;
  // A partition that is too large for one table is looked through slice by slice.
  const size_t slices = std::bit_ceil((hashes + kTableHashesMax - 1) / kTableHashesMax);
  for (size_t slice = 0; slice < slices; ++slice) {
    table.reset(slices == 1 ? hashes : kTableHashesMax * 2);
    const bool readable = for_each_hash(partition, [&](std::span<const uint64_t> block) {
      constexpr size_t kAhead = 12;
      for (size_t i = 0; i < block.size(); ++i) {
        if (i + kAhead < block.size()) table.prefetch(block[i + kAhead]);
        const uint64_t hash = block[i];
        if (((hash >> 24) & (slices - 1)) == slice && table.add(hash)) found.push_back(hash);
      }
    });
    if (!readable) complete_ = false;
  }
  if (!found.empty()) confirm(partition, found);
}

// Keeps of what the table found only hashes that really stand there twice.
void DuplicateHashes::confirm(size_t partition, std::vector<uint64_t>& found) const {
  std::map<uint64_t, size_t> counts;
  for (const uint64_t hash : found) counts[hash] = 0;
  (void)for_each_hash(partition, [&](std::span<const uint64_t> block) {
    for (const uint64_t hash : block) {
      if (const auto count = counts.find(hash); count != counts.end()) ++count->second;
    }
  });
  std::erase_if(found, [&](uint64_t hash) { return counts[hash] < 2; });
}

std::vector<uint64_t> DuplicateHashes::find(unsigned threads) {
  for (const std::unique_ptr<Appender>& appender : appenders_) appender->write_out();
  std::atomic<size_t> next = 0;
  std::vector<uint64_t> all;
  const auto look = [&] {
    Table table;  // one for all partitions: its pages are touched for the first time once only
    std::vector<uint64_t> found;
    for (size_t i = next++; i < kPartitions; i = next++) {
      find_in(i, table, found);
      if (found.empty()) continue;
      const std::lock_guard lock(mutex_);
      all.insert(all.end(), found.begin(), found.end());
      found.clear();
    }
  };
  std::vector<std::thread> others;
  // What fits into memory is done before a thread has started.
  for (unsigned i = 1; i < threads && spill_file_.is_open(); ++i) others.emplace_back(look);
  look();
  for (std::thread& other : others) other.join();
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace persist
