// The part that all sources which read share: windows out of recycled blocks, the unread tail carried over.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "persist/source.hpp"

namespace persist {

// Large enough that a system call costs nothing a byte, small enough that what was read is still in the L2
// cache.
inline constexpr size_t kWindowBytes = size_t{512} << 10;

// Decoders may read (never use) this many bytes behind the end of a window that came out of a block.
inline constexpr size_t kBlockSlack = 64;

struct Block {
  std::unique_ptr<char[]> data;
  size_t capacity = 0;
};

// Blocks of the usual size come back here when the last window on them is gone: fresh pages cost more than
// reading.
class BlockPool : public std::enable_shared_from_this<BlockPool> {
 public:
  std::shared_ptr<Block> take(size_t capacity);

 private:
  void give_back(std::unique_ptr<Block> block);
  std::mutex mutex_;
  std::vector<std::unique_ptr<Block>> free_;
};

class BlockSource : public ByteSource {
 public:
  Window window(uint64_t from, uint64_t min) override;
  [[nodiscard]] const Finding* damage() const override { return damage_ ? &*damage_ : nullptr; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 protected:
  explicit BlockSource(std::string name) : name_(std::move(name)) {}

  // Reads up to `room` bytes on from where it stands; fewer only at the end.
  virtual size_t fill(char* to, size_t room) = 0;
  // Stands at `offset` from now on. Only called if rereadable().
  virtual void seek(uint64_t offset);

  void set_damage(FindingCode code, uint64_t offset, std::string found);

 private:
  void move_to(uint64_t from);
  void grow(uint64_t from, uint64_t min);
  [[nodiscard]] uint64_t end() const { return start_ + filled_; }

  std::string name_;
  std::shared_ptr<BlockPool> pool_ = std::make_shared<BlockPool>();
  std::shared_ptr<Block> block_;
  uint64_t start_ = 0;  // offset in the source of the block's first byte
  size_t filled_ = 0;
  bool ended_ = false;
  std::optional<Finding> damage_;
};

}  // namespace persist
