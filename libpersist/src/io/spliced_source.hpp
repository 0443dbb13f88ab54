// The bytes of another source with some left out and others put in: what a mended file will be, before it is
// written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/assembled_block.hpp"
#include "persist/source.hpp"

namespace persist {

// At `drop.offset` of a source: what goes, and what comes in its place.
struct Splice {
  Extent drop;
  std::string insert;
};

// Windows inside a large piece of the source are those of the source; around splices, and where pieces are
// small, they are put together in blocks.
class SplicedSource : public ByteSource {
 public:
  // `from` must be rereadable, of known size, and outlive this. Splices ascend and do not overlap; one that
  // begins behind `end` does not count, as nothing does of `from` that is behind there.
  SplicedSource(ByteSource& from, const std::vector<Splice>& splices, uint64_t end);

  Window window(uint64_t offset, uint64_t min) override;
  [[nodiscard]] bool rereadable() const override { return true; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return size_; }
  [[nodiscard]] const Finding* damage() const override { return from_.damage(); }
  [[nodiscard]] Compression compression() const override { return from_.compression(); }
  [[nodiscard]] const std::string& name() const override { return from_.name(); }

  // Where in `from` the byte at `offset` comes from; of what was put in: where the splice is.
  [[nodiscard]] uint64_t origin(uint64_t offset) const;
  // Where a byte of `from` is now; of one that is left out: where what came in its place is, or would be.
  [[nodiscard]] uint64_t place(uint64_t origin) const;

 private:
  static constexpr uint64_t kKept = ~uint64_t{0};
  // A run of bytes that stay together. None is empty.
  struct Piece {
    uint64_t begin = 0;  // here
    uint64_t size = 0;
    uint64_t origin = 0;    // in `from`; of what was put in: where it was
    uint64_t text = kKept;  // of what was put in: where in inserted_
  };
  void add(uint64_t size, uint64_t origin, uint64_t text);
  [[nodiscard]] const Piece& piece_at(uint64_t offset) const;
  [[nodiscard]] Window piece_window(const Piece& piece, uint64_t offset, uint64_t min);
  [[nodiscard]] size_t put_together(uint64_t offset, char* to, size_t room);

  ByteSource& from_;
  std::vector<Piece> pieces_;
  std::string inserted_;  // all of it
  uint64_t size_ = 0;
  uint64_t end_ = 0;  // of `from`, as far as it counts
  AssembledBlock block_;
};

}  // namespace persist
