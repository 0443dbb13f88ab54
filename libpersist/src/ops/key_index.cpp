// The table takes a little of the print into each place, so that it looks at hardly any record in vain. The
// store fills a block for each partition; once all blocks there may be are in use, they are written,
// partition by partition, and filled again.
#include "ops/key_index.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <type_traits>
#include <utility>

#include "base/hash64.hpp"

namespace persist {

KeyPrint key_print(uint64_t db, Bytes key, uint64_t seed) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;  // sends databases far apart
  const XXH128_hash_t hash = XXH3_128bits_withSeed(key.data(), key.size(), seed + db * kOdd);
  return {hash.high64, static_cast<uint32_t>(hash.low64 >> 34)};
}

KeyTable::KeyTable(KeyRecords records)
    : records_(std::move(records)),
      places_(std::bit_ceil(records_.size() + (records_.size() + 2) / 3)),
      index_bits_(static_cast<unsigned>(std::bit_width(records_.size()))) {
  assert(records_.size() <= kRecordsMax);
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < records_.size(); ++i) {
    if (i + kAhead < records_.size())
      __builtin_prefetch(&places_[first_place(records_[i + kAhead].print())], 1);
    add(i);
  }
}

void KeyTable::add(size_t index) {
  const KeyPrint print = records_[index].print();
  const uint32_t wanted = tag(print);
  size_t at = first_place(print);
  for (; places_[at] != 0; at = next_place(at)) {
    if (!has_tag(places_[at], wanted)) continue;
    KeyRecord& before = records_[index_in(places_[at])];
    if (before.print() != print) continue;
    before.set_state(KeyState::shadowed);
    ++shadowed_;
    break;
  }
  places_[at] = wanted | static_cast<uint32_t>(index + 1);
}

KeyRecord* KeyTable::find(KeyPrint print) {
  const uint32_t wanted = tag(print);
  for (size_t at = first_place(print); places_[at] != 0; at = next_place(at)) {
    if (!has_tag(places_[at], wanted)) continue;
    KeyRecord& record = records_[index_in(places_[at])];
    if (record.print() == print) return &record;
  }
  return nullptr;
}

void KeyTable::prefetch_record(KeyPrint print) const {
  const uint32_t wanted = tag(print);
  size_t at = first_place(print);
  while (places_[at] != 0 && !has_tag(places_[at], wanted)) at = next_place(at);
  if (places_[at] != 0) __builtin_prefetch(&records_[index_in(places_[at])], 1);
}

namespace {

// Twice, since blocks do not fill it to the last byte: what is less than one comes from the heap.
constexpr size_t kSlabBytes = 2 * kLargePageBytes;

// Before anything is spilled, a block for each partition has to have been filled; and what has been spilled
// once needs no more memory than makes the extents long.
constexpr size_t kKeySlabsMin = 2;
constexpr size_t kKeySlabsSpilling = 16;

constexpr size_t kKeyBytesWrittenAtOnce = size_t{1} << 20;

Bytes record_bytes(std::span<const KeyRecord> records) {
  return {reinterpret_cast<const char*>(records.data()), records.size_bytes()};
}

// Gathers the records of a partition into large writes.
class ExtentWriter {
 public:
  explicit ExtentWriter(UnnamedFile& file) : file_(file) { records_.reserve(kRecords); }

  void add(std::span<const KeyRecord> records) {
    while (!records.empty()) {
      const size_t fit = std::min(records.size(), kRecords - records_.size());
      records_.insert(records_.end(), records.begin(), records.begin() + static_cast<std::ptrdiff_t>(fit));
      records = records.subspan(fit);
      if (records_.size() == kRecords) write_out();
    }
  }
  void write_out() {
    if (!records_.empty()) file_.append(record_bytes(records_));
    records_.clear();
  }
  // Where the next record will be.
  [[nodiscard]] uint64_t offset() const { return file_.appended() + records_.size() * sizeof(KeyRecord); }

 private:
  static constexpr size_t kRecords = kKeyBytesWrittenAtOnce / sizeof(KeyRecord);
  UnnamedFile& file_;
  std::vector<KeyRecord> records_;
};

static_assert(std::is_trivially_copyable_v<KeyRecord>);

}  // namespace

// What is in memory has to fit into a table.
KeyStore::KeyStore(uint64_t memory_bytes)
    : slabs_max_(std::clamp<uint64_t>(memory_bytes / kSlabBytes, kKeySlabsMin,
                                      KeyTable::kRecordsMax / (kSlabBytes / sizeof(KeyRecord)))) {}

void KeyStore::add(std::span<const KeyRecord> records) {
  for (const KeyRecord& record : records) {
    const size_t partition = partition_of(record.print_high());
    Place& place = places_[partition];
    if (place.next == place.end) [[unlikely]]
      open_block(partition);
    *place.next++ = record;
  }
}

void KeyStore::open_block(size_t partition) {
  Block* block = new_block();
  if (block == nullptr) {
    spill();
    block = new_block();
  }
  if (!partitions_[partition].blocks.empty()) partitions_[partition].blocks.back()->used = kBlockRecords;
  partitions_[partition].blocks.push_back(block);
  places_[partition] = {block->records.data(), block->records.data() + kBlockRecords};
}

// Null if memory is used up. Blocks that are opened later never stand in an earlier slab.
KeyStore::Block* KeyStore::new_block() {
  if (slab_ < slabs_.size() && slabs_[slab_].size() == slabs_[slab_].capacity()) ++slab_;
  if (slab_ == slabs_.size()) {
    static_assert(kSlabBytes / sizeof(Block) * sizeof(Block) >= kLargePageBytes);
    if (slabs_.size() == slabs_max_) return nullptr;
    slabs_.emplace_back().reserve(kSlabBytes / sizeof(Block));
  }
  return &slabs_[slab_].emplace_back();
}

std::span<const KeyRecord> KeyStore::records_in(size_t partition, size_t block) const {
  const std::vector<Block*>& blocks = partitions_[partition].blocks;
  const KeyRecord* const begin = blocks[block]->records.data();
  if (block + 1 < blocks.size()) return {begin, kBlockRecords};
  return {begin, static_cast<const KeyRecord*>(places_[partition].next)};
}

void KeyStore::spill() {
  if (!file_.is_open()) slabs_max_ = std::min(slabs_max_, kKeySlabsSpilling);
  ExtentWriter out(file_);
  for (size_t i = 0; i < kPartitions; ++i) {
    Partition& partition = partitions_[i];
    if (partition.blocks.empty()) continue;
    const uint64_t records = size_of(i) - partition.spilled_records;
    partition.spilled.push_back({out.offset(), records});
    partition.spilled_records += records;
    for (size_t block = 0; block < partition.blocks.size(); ++block) out.add(records_in(i, block));
  }
  out.write_out();
  empty_memory();
  for (Slab& slab : slabs_) slab.clear();
  if (slabs_.size() > slabs_max_) slabs_.resize(slabs_max_);
}

void KeyStore::empty_memory() {
  for (Partition& partition : partitions_) partition.blocks.clear();
  places_.fill({});
  slab_ = 0;
}

void KeyStore::clear() {
  partitions_.fill({});
  places_.fill({});
  slabs_.clear();
  slab_ = 0;
  file_.close();
}

uint64_t KeyStore::size_of(size_t partition) const {
  const Partition& part = partitions_[partition];
  if (part.blocks.empty()) return part.spilled_records;
  return part.spilled_records + (part.blocks.size() - 1) * kBlockRecords +
         records_in(partition, part.blocks.size() - 1).size();
}

uint64_t KeyStore::size() const {
  uint64_t size = 0;
  for (size_t i = 0; i < kPartitions; ++i) size += size_of(i);
  return size;
}

// Slab by slab, each of which is given back before the next is looked at. Blocks of one partition come in
// the order in which they were opened.
KeyRecords KeyStore::take_all() {
  assert(in_memory());
  KeyRecords all;
  all.reserve(size());
  close_blocks();
  empty_memory();
  for (Slab& slab : slabs_) {
    for (const Block& block : slab)
      all.insert(all.end(), block.records.begin(),
                 block.records.begin() + static_cast<std::ptrdiff_t>(block.used));
    Slab().swap(slab);
  }
  slabs_.clear();
  return all;
}

// Full ones are closed already.
void KeyStore::close_blocks() {
  for (size_t i = 0; i < kPartitions; ++i) {
    std::vector<Block*>& blocks = partitions_[i].blocks;
    if (!blocks.empty()) blocks.back()->used = records_in(i, blocks.size() - 1).size();
  }
}

KeyRecords KeyStore::read(size_t partition) const {
  const Partition& part = partitions_[partition];
  KeyRecords all;
  all.reserve(size_of(partition));
  all.resize(part.spilled_records);
  KeyRecord* to = all.data();
  for (const Extent& extent : part.spilled) {
    file_.read(to, extent.records * sizeof(KeyRecord), extent.offset);
    to += extent.records;
  }
  for (size_t block = 0; block < part.blocks.size(); ++block) {
    const std::span<const KeyRecord> records = records_in(partition, block);
    all.insert(all.end(), records.begin(), records.end());
  }
  return all;
}

}  // namespace persist
