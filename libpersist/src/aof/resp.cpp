// One bounds check a header and one an argument: everything else is a jump by its length.
#include "aof/resp.hpp"

#include <algorithm>

namespace persist {

namespace {

constexpr size_t kArgumentsAtFirst = 64;
constexpr uint64_t kNumberMax = uint64_t{1} << 63;
// More digits than any length that a server writes has: what is longer is looked at the slow way.
constexpr int kDigitsMax = 10;
// '$', a digit, and the two line ends: no argument is shorter.
constexpr uint64_t kArgumentBytesMin = 6;

unsigned digit_of(char c) { return static_cast<unsigned>(static_cast<unsigned char>(c)) - '0'; }

bool is_line_end(const char* at) { return at[0] == '\r' && at[1] == '\n'; }

struct Header {
  Framing framing;
  const char* end;
  uint64_t number;
};

// `*3\r\n` or `$5\r\n`.
[[gnu::always_inline]] inline Header parse_header(const char* at, const char* end, char prefix) {
  constexpr ptrdiff_t kHeaderBytesMin = 4;
  if (end - at < kHeaderBytesMin) [[unlikely]]
    return {Framing::more, at, 0};
  unsigned digit = digit_of(at[1]);
  if (at[0] != prefix || digit > 9) [[unlikely]]
    return {Framing::malformed, at, 0};
  if (is_line_end(at + 2)) [[likely]]
    return {Framing::whole, at + kHeaderBytesMin, digit};
  uint64_t number = digit;
  const char* p = at + 2;
  const char* const digits_end = p + std::min<ptrdiff_t>(end - p, kDigitsMax);
  for (; p < digits_end && (digit = digit_of(*p)) <= 9; ++p) number = number * 10 + digit;
  if (end - p < 2) return {Framing::more, at, 0};
  if (!is_line_end(p)) return {Framing::malformed, at, 0};
  return {Framing::whole, p + 2, number};
}

}  // namespace

void ArgumentList::grow() {
  const size_t capacity = std::max(kArgumentsAtFirst, capacity_ * 2);
  auto room = std::make_unique<Bytes[]>(capacity);
  std::copy_n(room_.get(), size_, room.get());
  room_ = std::move(room);
  capacity_ = capacity;
}

FramedCommand parse_command(const char* at, const char* end, ArgumentList& args) {
  args.clear();
  const auto more = [&](const char* from, uint64_t size) -> FramedCommand {
    return {Framing::more, nullptr, static_cast<uint64_t>(from - at) + size};
  };
  const Header count = parse_header(at, end, '*');
  if (count.framing == Framing::more) return more(end, 1);
  if (count.framing == Framing::malformed || count.number == 0) return {};
  const char* p = count.end;
  for (uint64_t left = count.number; left > 0; --left) {
    const Header length = parse_header(p, end, '$');
    if (length.framing != Framing::whole) [[unlikely]]
      return length.framing == Framing::more ? more(end, kArgumentBytesMin) : FramedCommand{};
    const auto room = static_cast<uint64_t>(end - length.end);
    if (room < length.number + 2) [[unlikely]]
      return more(length.end, length.number + 2);
    p = length.end + length.number;
    if (!is_line_end(p)) [[unlikely]]
      return {};
    args.push({length.end, static_cast<size_t>(length.number)});
    p += 2;
  }
  return {Framing::whole, p, 0};
}

size_t parse_digits(Bytes text, uint64_t& number) {
  number = 0;
  size_t count = 0;
  for (; count < text.size() && digit_of(text[count]) <= 9; ++count) {
    const unsigned digit = digit_of(text[count]);
    number = number > (kNumberMax - digit) / 10 ? kNumberMax : number * 10 + digit;
  }
  return count;
}

}  // namespace persist
