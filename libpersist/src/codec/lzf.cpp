// An LZF stream is a run of items. Let c be the first byte of one:
//
//   c < 32    c + 1 literal bytes follow
//   c >= 32   a reference: length (c >> 5) + 2, or, if c >> 5 is 7, 9 plus one more byte; then one byte b;
//   the copy
//             comes from ((c & 31) << 8 | b) + 1 bytes back and may overlap what it makes
//
// Copies are made 16 bytes at a time and may run over: what is behind the position is written again later,
// and behind the end there is slack. That makes them several times as fast as byte loops.
#include "codec/lzf.hpp"

#include <array>
#include <cstring>

namespace persist {

namespace {

constexpr uint8_t kLiteralMax = 32;  // control bytes below are literal runs
constexpr size_t kLiteralRunMax = 32;
constexpr uint8_t kLongFrom = 7 << 5;
constexpr size_t kWide = 16;

using Byte = unsigned char;

void copy_wide(Byte* to, const Byte* from) {
  std::array<Byte, kWide> piece;
  std::memcpy(piece.data(), from, kWide);
  std::memcpy(to, piece.data(), kWide);
}

// Copies `length` bytes from `distance` before `to`, possibly overlapping; writes up to kWide - 1 bytes too
// many.
void copy_back(Byte* to, size_t distance, size_t length) {
  const Byte* from = to - distance;
  const Byte* const end = to + length;
  // A short distance is a repeating pattern: each step doubles how much of it lies between the two.
  while (static_cast<size_t>(to - from) < kWide) {
    const auto made = static_cast<size_t>(to - from);
    copy_wide(to, from);
    to += made;
    if (to >= end) return;
  }
  do {
    copy_wide(to, from);
    to += kWide;
    from += kWide;
  } while (to < end);
}

const Byte* bytes_of(Bytes bytes) { return reinterpret_cast<const Byte*>(bytes.data()); }

struct Reference {
  size_t length;
  size_t distance;
};
// `at` is behind the control byte, and the bytes are there.
Reference read_reference(Byte control, const Byte*& at) {
  size_t length = control >> 5;
  if (length == 7) length += *at++;
  return {length + 2, ((static_cast<size_t>(control & 31) << 8) | *at++) + 1};
}

}  // namespace

const char* lzf_fault_text(LzfFault fault) {
  constexpr std::array<const char*, 5> kTexts = {"nothing wrong", "an item that leaves the compressed bytes",
                                                 "a reference to before the start", "more bytes than stated",
                                                 "fewer bytes than stated"};
  return kTexts[static_cast<size_t>(fault)];
}

namespace {

// Where an inflation stands.
struct Inflation {
  const Byte* at;
  const Byte* end;
  Byte* begin;
  Byte* to;
  Byte* to_end;
};

// As long as neither side is near its end: no length needs a check, only distances. A reference mostly
// follows a literal run, so that is what comes next in the code, too: one branch less to guess wrong.
LzfFault inflate_far_from_end(Inflation& state) {
  constexpr ptrdiff_t kPackedMargin = 2 * (1 + kLiteralRunMax) + 4;
  constexpr ptrdiff_t kInflatedMargin = 264 + kLiteralRunMax + kWide;
  const Byte* at = state.at;
  Byte* to = state.to;
  LzfFault fault = LzfFault::none;
  while (state.end - at >= kPackedMargin && state.to_end - to >= kInflatedMargin) {
    Byte control = *at++;
    if (control < kLiteralMax) {
      copy_wide(to, at);
      copy_wide(to + kWide, at + kWide);
      at += control + 1;
      to += control + 1;
      control = *at;
      if (control < kLiteralMax) [[unlikely]]
        continue;
      ++at;
    }
    const Reference reference = read_reference(control, at);
    if (reference.distance > static_cast<size_t>(to - state.begin)) [[unlikely]] {
      fault = LzfFault::distance;
      break;
    }
    copy_back(to, reference.distance, reference.length);
    to += reference.length;
  }
  state.at = at;
  state.to = to;
  return fault;
}

}  // namespace

LzfFault inflate_lzf(Bytes packed, char* out, size_t size) {
  Byte* const first = reinterpret_cast<Byte*>(out);
  Inflation state{bytes_of(packed), bytes_of(packed) + packed.size(), first, first, first + size};
  const LzfFault fault = inflate_far_from_end(state);
  if (fault != LzfFault::none) return fault;
  auto& [at, end, begin, to, to_end] = state;
  while (at < end) {
    const Byte control = *at++;
    if (control < kLiteralMax) {
      const size_t run = static_cast<size_t>(control) + 1;
      if (static_cast<size_t>(end - at) < run) return LzfFault::input_overrun;
      if (static_cast<size_t>(to_end - to) < run) return LzfFault::output_overrun;
      std::memcpy(to, at, run);
      at += run;
      to += run;
      continue;
    }
    if (static_cast<size_t>(end - at) < (control >= kLongFrom ? 2U : 1U)) return LzfFault::input_overrun;
    const Reference reference = read_reference(control, at);
    if (reference.distance > static_cast<size_t>(to - begin)) return LzfFault::distance;
    if (reference.length > static_cast<size_t>(to_end - to)) return LzfFault::output_overrun;
    copy_back(to, reference.distance, reference.length);
    to += reference.length;
  }
  return to == to_end ? LzfFault::none : LzfFault::output_short;
}

LzfFault validate_lzf(Bytes packed, uint64_t size) {
  // The same walk without the copies. It is no faster to do it without branches: they let the processor run
  // ahead.
  const Byte* at = bytes_of(packed);
  const Byte* const end = at + packed.size();
  uint64_t made = 0;
  while (at < end) {
    const Byte control = *at++;
    if (control < kLiteralMax) {
      const size_t run = static_cast<size_t>(control) + 1;
      if (static_cast<size_t>(end - at) < run) return LzfFault::input_overrun;
      at += run;
      made += run;
      continue;
    }
    if (static_cast<size_t>(end - at) < (control >= kLongFrom ? 2U : 1U)) return LzfFault::input_overrun;
    const Reference reference = read_reference(control, at);
    if (reference.distance > made) return LzfFault::distance;
    made += reference.length;
  }
  if (made == size) return LzfFault::none;
  return made > size ? LzfFault::output_overrun : LzfFault::output_short;
}

}  // namespace persist
