// Greedy: for each hash of four bytes the table knows where such bytes were met last, and what repeats there
// for four bytes or more becomes a reference. A repeat of three saves nothing unless it follows another
// reference directly: the literal run that has to begin anew behind it costs the byte that it saves.
//
// The table does not hold positions but places: the position plus a number that all places of former calls
// are below. A place that lies further back than the input begins is a former call's. So nothing has to be
// cleared, which would take longer than to pack a short string.
#include "codec/lzf_packer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/endian.hpp"

namespace persist {

namespace {

constexpr size_t kPackedRunMax = 32;
constexpr size_t kMatchMin = 4;
constexpr size_t kMatchMax = 264;
constexpr size_t kShortMatchMax = 8;  // up to here two bytes do
constexpr size_t kMatchDistanceMax = 8192;

// After 64 misses every second position only is tried, after 64 more every third, and so on: what does not
// compress is passed over quickly. The limit is for finding back to what does compress behind it.
constexpr unsigned kPatienceBits = 6;
constexpr unsigned kPatience = 1U << kPatienceBits;
constexpr unsigned kStepMax = 32;
// At the start half the patience must do: most short strings have no repeats at all.
constexpr unsigned kFirstMisses = kPatience + kPatience / 2;

uint32_t four_bytes(const char* at) { return load_le<uint32_t>(at); }

size_t bytes_between(const char* from, const char* to) { return static_cast<size_t>(to - from); }

// How many bytes before `end` are the same from `before` and from `at` on.
size_t same_bytes(const char* before, const char* at, const char* end) {
  const char* const begin = at;
  while (end - at >= 8) {
    const uint64_t differing = load_le<uint64_t>(before) ^ load_le<uint64_t>(at);
    if (differing != 0)
      return bytes_between(begin, at) + static_cast<size_t>(std::countr_zero(differing)) / 8;
    before += 8;
    at += 8;
  }
  while (at < end && *before == *at) {
    ++before;
    ++at;
  }
  return bytes_between(begin, at);
}

// `at` repeats `before` for `size` bytes.
struct Match {
  const char* before;
  const char* at;
  size_t size;
};

// As far as it goes: forwards up to `end`, backwards down to `begin` and to what is not a literal any more.
Match extended(Match match, const char* begin, const char* literals, const char* end) {
  const char* const limit = match.at + std::min(bytes_between(match.at, end), kMatchMax);
  match.size += same_bytes(match.before + match.size, match.at + match.size, limit);
  while (match.at > literals && match.before > begin && match.size < kMatchMax &&
         match.before[-1] == match.at[-1]) {
    --match.before;
    --match.at;
    ++match.size;
  }
  return match;
}

// Where an output stands. Literals are copied 32 bytes at a time, so behind `limit` there is room for as
// many.
struct Packed {
  char* to;
  char* limit;

  // Whether `literals` bytes and `more` fit.
  [[nodiscard]] bool fits(size_t literals, size_t more) const {
    const size_t controls = (literals + kPackedRunMax - 1) / kPackedRunMax;
    return literals + controls + more <= bytes_between(to, limit);
  }

  // The bytes from `from` to `to_here`; the input ends at `end`.
  void put_literals(const char* from, const char* to_here, const char* end) {
    while (from < to_here) {
      const size_t run = std::min(bytes_between(from, to_here), kPackedRunMax);
      *to++ = static_cast<char>(run - 1);
      if (bytes_between(from, end) >= kPackedRunMax) [[likely]]
        std::memcpy(to, from, kPackedRunMax);
      else
        std::memcpy(to, from, run);
      to += run;
      from += run;
    }
  }

  void put_reference(const Match& match) {
    const size_t back = bytes_between(match.before, match.at) - 1;
    const size_t stated = match.size - 2;
    if (match.size <= kShortMatchMax) {
      *to++ = static_cast<char>((stated << 5) | (back >> 8));
    } else {
      *to++ = static_cast<char>((size_t{7} << 5) | (back >> 8));
      *to++ = static_cast<char>(stated - 7);
    }
    *to++ = static_cast<char>(back & 0xff);
  }
};

}  // namespace

uint32_t LzfPacker::claim_places(size_t size) {
  constexpr uint32_t kLastPlace = std::numeric_limits<uint32_t>::max();
  if (size > kLastPlace - next_place_) {
    table_.fill(0);
    next_place_ = 1;
  }
  const uint32_t first = next_place_;
  // Of 4 GiB and more the places come round again. That is no harm, as long as they do not outlive the call.
  next_place_ += static_cast<uint32_t>(std::min<size_t>(size, kLastPlace - next_place_));
  return first;
}

size_t LzfPacker::pack(Bytes bytes, size_t most, ByteBuffer& out) {
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  // Literals alone take no more than this.
  most = std::min(most, bytes.size() + bytes.size() / kPackedRunMax + 1);
  char* const first = out.room(most + kPackedRunMax);
  Packed packed{first, first + most};

  const uint32_t first_place = claim_places(bytes.size());
  const auto place_of = [&](size_t position) { return first_place + static_cast<uint32_t>(position); };
  const auto slot_of = [&](uint32_t four) -> uint32_t& {
    return table_[(four * 0x9e3779b1U) >> (32 - kTableBits)];
  };

  const char* literals = begin;  // what is not yet put
  unsigned misses = kFirstMisses;
  for (size_t position = 0; position + kMatchMin <= bytes.size();) {
    const char* const at = begin + position;
    const uint32_t four = four_bytes(at);
    uint32_t& slot = slot_of(four);
    const uint32_t back = place_of(position) - slot;
    slot = place_of(position);
    // 0 is as wrong as too much: it is what places that came round again can give.
    const bool usable = back - 1 < std::min(position, kMatchDistanceMax);
    if (!usable || four_bytes(at - back) != four) {
      position += std::min(misses++ >> kPatienceBits, kStepMax);
      continue;
    }
    const Match match = extended({at - back, at, kMatchMin}, begin, literals, end);
    if (!packed.fits(bytes_between(literals, match.at), match.size <= kShortMatchMax ? 2 : 3)) return 0;
    packed.put_literals(literals, match.at, end);
    packed.put_reference(match);
    literals = match.at + match.size;
    position = bytes_between(begin, literals);
    misses = kPatience;
    if (position - 1 + kMatchMin <= bytes.size()) {
      for (const size_t inside : {position - 2, position - 1})
        slot_of(four_bytes(begin + inside)) = place_of(inside);
    }
  }
  if (!packed.fits(bytes_between(literals, end), 0)) return 0;
  packed.put_literals(literals, end, end);
  out.advance(packed.to);
  return bytes_between(first, packed.to);
}

}  // namespace persist
