// One source for several readers, one after the other.
#include "io/sources.hpp"

namespace persist {

namespace {

class BorrowedSource : public ByteSource {
 public:
  explicit BorrowedSource(ByteSource& source) : source_(source) {}

  Window window(uint64_t from, uint64_t min) override { return source_.window(from, min); }
  [[nodiscard]] bool rereadable() const override { return source_.rereadable(); }
  [[nodiscard]] std::optional<uint64_t> size() const override { return source_.size(); }
  [[nodiscard]] const Finding* damage() const override { return source_.damage(); }
  [[nodiscard]] Compression compression() const override { return source_.compression(); }
  [[nodiscard]] const std::string& name() const override { return source_.name(); }

 private:
  ByteSource& source_;
};

}  // namespace

std::unique_ptr<ByteSource> borrowed_source(ByteSource& source) {
  return std::make_unique<BorrowedSource>(source);
}

std::unique_ptr<ByteSource> rereadable_source(std::unique_ptr<ByteSource> source) {
  return source->rereadable() ? std::move(source) : spool(*source);
}

}  // namespace persist
