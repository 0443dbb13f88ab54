// Bytes that somebody else holds, as a source.
#include <algorithm>
#include <utility>

#include "io/sources.hpp"

namespace persist {

namespace {

class MemorySource : public ByteSource {
 public:
  MemorySource(Bytes bytes, uint64_t offset, std::string name)
      : bytes_(bytes), offset_(offset), name_(std::move(name)) {}

  Window window(uint64_t from, uint64_t /*min*/) override {
    const uint64_t skipped = from - std::min(from, offset_);
    return {bytes_.substr(std::min<uint64_t>(skipped, bytes_.size())), nullptr};
  }
  [[nodiscard]] bool rereadable() const override { return true; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return offset_ + bytes_.size(); }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  Bytes bytes_;
  uint64_t offset_;
  std::string name_;
};

}  // namespace

std::unique_ptr<ByteSource> memory_source(Bytes bytes, std::string name) {
  return memory_source_at(bytes, 0, std::move(name));
}

std::unique_ptr<ByteSource> memory_source_at(Bytes bytes, uint64_t offset, std::string name) {
  return std::make_unique<MemorySource>(bytes, offset, std::move(name));
}

}  // namespace persist
