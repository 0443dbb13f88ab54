// Writing and finding packed entries. The bytes are our own, so reading them needs no checks.
#include "engine/stream_entries.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "engine/cell.hpp"

namespace persist {

namespace {

// Large enough that a chunk's own cost does not count, small enough that a removal moves little.
constexpr size_t kStreamEntriesChunkBytesMax = 4096;
constexpr uint32_t kChunkEntriesMax = 128;

// Room that is not worth a reallocation.
constexpr size_t kSpareBytes = 256;

constexpr uint64_t kSameNames = 0;
constexpr size_t kVarintBytesMax = 10;

size_t text_size(Bytes text) { return varint_bytes(text.size()) + text.size(); }

char* put_text(char* to, Bytes text) {
  to = put_varint(to, text.size());
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

uint64_t take_varint(const char*& at) {
  uint64_t number = 0;
  at = get_varint(at, number);
  return number;
}

Bytes take_text(const char*& at) {
  const size_t size = take_varint(at);
  const Bytes text(at, size);
  at += size;
  return text;
}

// `id` as it is stored in a chunk, and back. The one undoes the other, whatever the ID: numbers wrap around.
StreamId relative(StreamId base, StreamId id) {
  const uint64_t ms = id.ms - base.ms;
  return {ms, ms == 0 ? id.seq - base.seq : id.seq};
}
StreamId absolute(StreamId base, StreamId stored) {
  return {base.ms + stored.ms, stored.ms == 0 ? base.seq + stored.seq : stored.seq};
}

bool has_names(const char* at, std::span<const StreamField> fields) {
  if (take_varint(at) != fields.size()) return false;
  return std::ranges::all_of(fields, [&](const StreamField& field) { return take_text(at) == field.field; });
}

// Where an entry ends, and where its shape and texts begin.
struct Place {
  const char* body;
  const char* end;
  StreamId stored;
};

Place place_at(const char* at) {
  const uint64_t size = take_varint(at);
  const char* end = at + size;
  const uint64_t ms = take_varint(at);
  const uint64_t seq = take_varint(at);
  return {at, end, {ms, seq}};
}

// What an entry with the names `names` has for fields.
void read_fields(const char* body, const char* names, std::vector<StreamField>& fields) {
  const uint64_t shape = take_varint(body);
  const uint64_t count = shape == kSameNames ? take_varint(names) : shape - 1;
  fields.resize(count);
  for (StreamField& field : fields) {
    field.field = take_text(shape == kSameNames ? names : body);
    field.value = take_text(body);
  }
}

}  // namespace

// The last chunk whose base is not above `id`, or the first one. There must be entries.
size_t StreamEntries::chunk_of(StreamId id) const {
  const auto first = chunks_.begin() + static_cast<ptrdiff_t>(front_);
  const auto above = std::upper_bound(first, chunks_.end(), id,
                                      [](StreamId left, const Chunk& right) { return left < right.base; });
  return static_cast<size_t>(std::max(above - chunks_.begin() - 1, first - chunks_.begin()));
}

StreamId StreamEntries::first_id() const {
  if (empty()) return {};
  const Chunk& chunk = chunks_[front_];
  return absolute(chunk.base, place_at(chunk.bytes.data() + chunk.begin).stored);
}

// Where the entry begins; null: there is none in this chunk. No varint is the beginning of another one, so
// IDs need not be decoded to be told apart.
const char* StreamEntries::find_in(const Chunk& chunk, StreamId id) {
  const StreamId stored = relative(chunk.base, id);
  char room[2 * kVarintBytesMax];
  const char* room_end = put_varint(put_varint(room, stored.ms), stored.seq);
  const Bytes wanted(room, static_cast<size_t>(room_end - room));
  const char* at = chunk.bytes.data() + chunk.begin;
  for (uint32_t left = chunk.count; left > 0; --left) {
    const char* begin = at;
    const Bytes body = take_text(at);
    if (body.starts_with(wanted)) return begin;
  }
  return nullptr;
}

bool StreamEntries::contains(StreamId id) const {
  return !empty() && find_in(chunks_[chunk_of(id)], id) != nullptr;
}

void StreamEntries::append(StreamId id, std::span<const StreamField> fields) {
  assert(empty() || id > last_id_);
  if (!empty() && append_to_last(id, fields)) return;
  open_chunk(id, fields);
  append_to_last(id, fields);
}

// False: the last chunk is full. An empty one takes anything.
bool StreamEntries::append_to_last(StreamId id, std::span<const StreamField> fields) {
  Chunk& chunk = chunks_.back();
  const bool same = has_names(chunk.bytes.data(), fields);
  const uint64_t shape = same ? kSameNames : fields.size() + 1;
  const StreamId stored = relative(chunk.base, id);
  size_t size = varint_bytes(stored.ms) + varint_bytes(stored.seq) + varint_bytes(shape);
  for (const StreamField& field : fields) {
    if (!same) size += text_size(field.field);
    size += text_size(field.value);
  }
  const size_t begin = chunk.bytes.size();
  const size_t end = begin + varint_bytes(size) + size;
  if (chunk.count > 0 && (chunk.count == kChunkEntriesMax || end > kStreamEntriesChunkBytesMax)) return false;

  chunk.bytes.resize(end);
  char* to = put_varint(chunk.bytes.data() + begin, size);
  to = put_varint(put_varint(to, stored.ms), stored.seq);
  to = put_varint(to, shape);
  for (const StreamField& field : fields) {
    if (!same) to = put_text(to, field.field);
    to = put_text(to, field.value);
  }
  ++chunk.count;
  ++size_;
  last_id_ = id;
  return true;
}

// A stream's first chunk grows as it must, since there may be a million small streams; the others take at
// once what they are going to need.
void StreamEntries::open_chunk(StreamId id, std::span<const StreamField> fields) {
  size_t names_bytes = varint_bytes(fields.size());
  for (const StreamField& field : fields) names_bytes += text_size(field.field);
  Chunk chunk;
  chunk.base = id;
  chunk.begin = names_bytes;
  if (!empty()) {
    chunks_.back().bytes.shrink_to_fit();
    chunk.bytes.reserve(kStreamEntriesChunkBytesMax);
  }
  chunk.bytes.resize(names_bytes);
  char* to = put_varint(chunk.bytes.data(), fields.size());
  for (const StreamField& field : fields) to = put_text(to, field.field);
  chunks_.push_back(std::move(chunk));
}

bool StreamEntries::remove(StreamId id) {
  if (empty()) return false;
  const size_t index = chunk_of(id);
  Chunk& chunk = chunks_[index];
  const char* at = find_in(chunk, id);
  if (at == nullptr) return false;
  --size_;
  if (--chunk.count == 0) {
    hollow_out(index);
  } else {
    const auto offset = [&](const char* byte) { return chunk.bytes.begin() + (byte - chunk.bytes.data()); };
    chunk.bytes.erase(offset(at), offset(place_at(at).end));
    const bool is_last = index + 1 == chunks_.size();
    if (!is_last && chunk.bytes.capacity() > 2 * chunk.bytes.size() + kSpareBytes)
      chunk.bytes.shrink_to_fit();
  }
  if (id == last_id_) find_last();
  return true;
}

void StreamEntries::find_last() {
  if (empty()) {
    last_id_ = {};
    return;
  }
  const Chunk& chunk = chunks_.back();
  Place place = place_at(chunk.bytes.data() + chunk.begin);
  for (uint32_t left = chunk.count - 1; left > 0; --left) place = place_at(place.end);
  last_id_ = absolute(chunk.base, place.stored);
}

void StreamEntries::drop_front(uint64_t count) {
  assert(count <= size_);
  while (count > 0) {
    Chunk& chunk = chunks_[front_];
    if (chunk.count <= count) {
      count -= chunk.count;
      size_ -= chunk.count;
      hollow_out(front_);
      if (empty()) last_id_ = {};
      continue;
    }
    const char* at = chunk.bytes.data() + chunk.begin;
    for (uint64_t left = count; left > 0; --left) at = place_at(at).end;
    chunk.begin = static_cast<size_t>(at - chunk.bytes.data());
    chunk.count -= static_cast<uint32_t>(count);
    size_ -= count;
    return;
  }
}

uint64_t StreamEntries::drop_below(StreamId id) {
  const uint64_t before = size_;
  while (!empty() && front_ + 1 < chunks_.size() && chunks_[front_ + 1].base <= id)
    drop_front(chunks_[front_].count);
  if (empty()) return before;
  const Chunk& chunk = chunks_[front_];
  const char* at = chunk.bytes.data() + chunk.begin;
  uint32_t count = 0;
  for (; count < chunk.count; ++count) {
    const Place place = place_at(at);
    if (absolute(chunk.base, place.stored) >= id) break;
    at = place.end;
  }
  drop_front(count);
  return before - size_;
}

void StreamEntries::hollow_out(size_t index) {
  Chunk& chunk = chunks_[index];
  chunk.count = 0;
  chunk.begin = 0;
  std::vector<char>().swap(chunk.bytes);
  ++hollow_;
  for (; !chunks_.empty() && chunks_.back().count == 0; --hollow_) chunks_.pop_back();
  if (chunks_.empty()) {
    front_ = 0;
    return;
  }
  front_ = std::min(front_, chunks_.size() - 1);
  while (chunks_[front_].count == 0) ++front_;
  if (2 * hollow_ > chunks_.size()) tidy_up();
}

void StreamEntries::tidy_up() {
  std::erase_if(chunks_, [](const Chunk& chunk) { return chunk.count == 0; });
  front_ = 0;
  hollow_ = 0;
}

void StreamEntries::for_each(StreamId from, StreamId to, FunctionRef<bool(const StreamEntry&)> each) const {
  if (empty()) return;
  std::vector<StreamField> fields;
  for (size_t index = chunk_of(from); index < chunks_.size(); ++index) {
    const Chunk& chunk = chunks_[index];
    const char* at = chunk.bytes.data() + chunk.begin;
    for (uint32_t left = chunk.count; left > 0; --left) {
      const Place place = place_at(at);
      at = place.end;
      const StreamId id = absolute(chunk.base, place.stored);
      if (id < from) continue;
      if (id > to) return;
      read_fields(place.body, chunk.bytes.data(), fields);
      if (!each(StreamEntry{id, fields})) return;
    }
  }
}

}  // namespace persist
