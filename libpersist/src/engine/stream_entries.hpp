// The entries of a stream, packed: a stream of ten million entries must not need ten million allocations, nor
// more memory than the server that wrote it.
//
// Entries stand in chunks of about 4 KiB, in order. A chunk's bytes begin with the field names of the entry
// that opened it; an entry with the same names stores its values alone:
//
//   chunk:  n, n x text                    the names
//           entries
//   entry:  size of what follows, ms, seq, shape, texts
//   text:   size, bytes
//
// All numbers are varints. ms is relative to the chunk's base; so is seq while ms is 0, else it stands as it
// is. Shape is 0 for an entry with the chunk's names, whose texts are its values; else it is the number of
// fields plus one, and the texts are names and values in turn. Removed entries leave no trace.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "persist/element.hpp"
#include "persist/function_ref.hpp"

namespace persist {

class StreamEntries {
 public:
  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // The smallest and the greatest ID; 0-0 if there are no entries.
  [[nodiscard]] StreamId first_id() const;
  [[nodiscard]] StreamId last_id() const { return last_id_; }
  [[nodiscard]] bool contains(StreamId id) const;

  // `id` must be greater than last_id().
  void append(StreamId id, std::span<const StreamField> fields);

  // False: there is no such entry.
  bool remove(StreamId id);

  // Removes the `count` entries in front, of at least as many; those in front of `id`. The latter returns how
  // many there were.
  void drop_front(uint64_t count);
  uint64_t drop_below(StreamId id);

  // Tells the entries from `from` to `to`, both included, ascending, until `each` returns false. They are
  // valid during the call. Nothing may be changed meanwhile.
  void for_each(StreamId from, StreamId to, FunctionRef<bool(const StreamEntry&)> each) const;

 private:
  struct Chunk {
    StreamId base;  // of the entry that opened the chunk, which may be gone
    std::vector<char> bytes;
    size_t begin = 0;    // where in `bytes` the first entry stands; in front of it are the names
    uint32_t count = 0;  // entries; 0: the chunk is hollow and has no bytes
  };

  [[nodiscard]] size_t chunk_of(StreamId id) const;
  [[nodiscard]] static const char* find_in(const Chunk& chunk, StreamId id);
  bool append_to_last(StreamId id, std::span<const StreamField> fields);
  void open_chunk(StreamId id, std::span<const StreamField> fields);
  void find_last();
  void hollow_out(size_t index);
  void tidy_up();

  // Chunks in the middle become hollow before they go, so that removing entries in any order is linear in
  // all: hollow ones are at most as many as the others. The last one is never hollow, nor is the one at
  // front_.
  std::vector<Chunk> chunks_;
  size_t front_ = 0;
  size_t hollow_ = 0;
  uint64_t size_ = 0;
  StreamId last_id_;
};

}  // namespace persist
