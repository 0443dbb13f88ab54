// Pieces one behind the other, found by halving: there may be a million of them.
#include "io/spliced_source.hpp"

#include <algorithm>
#include <cstring>

namespace persist {

SplicedSource::SplicedSource(ByteSource& from, const std::vector<Splice>& splices, uint64_t end)
    : from_(from), end_(std::min(end, from.size().value_or(end))) {
  uint64_t at = 0;
  for (const Splice& splice : splices) {
    if (splice.drop.offset > end_) break;
    add(splice.drop.offset - at, at, kKept);
    const uint64_t text = inserted_.size();
    inserted_ += splice.insert;
    add(splice.insert.size(), splice.drop.offset, text);
    at = splice.drop.offset + std::min(splice.drop.size, end_ - splice.drop.offset);
  }
  add(end_ - at, at, kKept);
}

void SplicedSource::add(uint64_t size, uint64_t origin, uint64_t text) {
  if (size == 0) return;
  pieces_.push_back({size_, size, origin, text});
  size_ += size;
}

// `offset` is before the end.
const SplicedSource::Piece& SplicedSource::piece_at(uint64_t offset) const {
  const auto behind = std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                                       [](uint64_t at, const Piece& piece) { return at < piece.begin; });
  return *std::prev(behind);
}

// What there is of one piece from `offset` on, and perhaps not all of that: a view, of the source or of
// inserted_.
Window SplicedSource::piece_window(const Piece& piece, uint64_t offset, uint64_t min) {
  const uint64_t skipped = offset - piece.begin;
  const uint64_t left = piece.size - skipped;
  if (piece.text != kKept) return {Bytes(inserted_).substr(piece.text + skipped, left), nullptr};
  Window window = from_.window(piece.origin + skipped, min);
  window.bytes = window.bytes.substr(0, left);
  return window;
}

Window SplicedSource::window(uint64_t offset, uint64_t min) {
  if (offset >= size_) return {};
  min = std::clamp<uint64_t>(min, 1, size_ - offset);
  const Piece& piece = piece_at(offset);
  const uint64_t left = piece.begin + piece.size - offset;
  const bool is_large = left >= kWindowBytes || offset + left == size_;
  if (piece.text == kKept && is_large && left >= min) return piece_window(piece, offset, min);

  return block_.window(offset, min, size_ - offset,
                       [&](uint64_t at, char* to, size_t room) { return put_together(at, to, room); });
}

size_t SplicedSource::put_together(uint64_t offset, char* to, size_t room) {
  size_t done = 0;
  while (done < room) {
    const Window part = piece_window(piece_at(offset + done), offset + done, 1);
    if (part.bytes.empty()) break;
    const size_t count = std::min(part.bytes.size(), room - done);
    std::memcpy(to + done, part.bytes.data(), count);
    done += count;
  }
  return done;
}

uint64_t SplicedSource::origin(uint64_t offset) const {
  if (offset >= size_) return end_;
  const Piece& piece = piece_at(offset);
  return piece.text == kKept ? piece.origin + (offset - piece.begin) : piece.origin;
}

uint64_t SplicedSource::place(uint64_t origin) const {
  if (origin >= end_) return size_;
  // What is put in before a byte that stays has the same origin, and stands before it.
  const auto behind = std::upper_bound(pieces_.begin(), pieces_.end(), origin,
                                       [](uint64_t at, const Piece& piece) { return at < piece.origin; });
  if (behind == pieces_.begin()) return 0;
  const Piece& piece = *std::prev(behind);
  return piece.begin + std::min(origin - piece.origin, piece.size);
}

}  // namespace persist
