// What the three inflating sources share: pulling windows out of the packed source.
#pragma once

#include <utility>

#include "io/block_source.hpp"

namespace persist {

class PackedSource : public BlockSource {
 public:
  [[nodiscard]] bool rereadable() const override { return false; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return std::nullopt; }
  [[nodiscard]] Compression compression() const override { return compression_; }

 protected:
  PackedSource(std::unique_ptr<ByteSource> packed, Compression compression)
      : BlockSource(packed->name()), packed_(std::move(packed)), compression_(compression) {}

  // Packed bytes not yet used; empty at the end. Valid until the next call.
  Bytes input() {
    if (rest_.empty()) {
      window_ = packed_->window(at_, 1);
      rest_ = window_.bytes;
    }
    return rest_;
  }
  void used(size_t count) {
    rest_.remove_prefix(count);
    at_ += count;
  }
  [[nodiscard]] uint64_t packed_offset() const { return at_; }

 private:
  std::unique_ptr<ByteSource> packed_;
  Compression compression_;
  Window window_;
  Bytes rest_;
  uint64_t at_ = 0;
};

}  // namespace persist
