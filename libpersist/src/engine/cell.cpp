// How texts become words of their own, and words texts.
#include "engine/cell.hpp"

#include "base/server_numbers.hpp"

namespace persist {

namespace {

constexpr size_t kShortMax = 7;
constexpr int64_t kIntegerMax = (int64_t{1} << 61) - 1;

}  // namespace

Word integer_word(int64_t number) {
  if (number > kIntegerMax || number < -kIntegerMax) return 0;
  return (static_cast<Word>(number) << 2) | kWordInteger;
}

Word immediate_word(Bytes text) {
  if (text.size() > kDecimalMax) return 0;
  const bool may_be_number = !text.empty() && static_cast<uint8_t>(text.back() - '0') < 10 &&
                             (static_cast<uint8_t>(text.front() - '0') < 10 || text.front() == '-');
  if (may_be_number) {
    if (const std::optional<int64_t> number = parse_server_integer(text)) return integer_word(*number);
  }
  if (text.size() > kShortMax) return 0;
  char bytes[sizeof(Word)] = {};
  bytes[0] = static_cast<char>((text.size() << 2) | kWordShort);
  if (!text.empty()) std::memcpy(bytes + 1, text.data(), text.size());
  return load_le<Word>(bytes);
}

Bytes immediate_text(Word word, CellRoom& room) {
  if ((word & kWordKind) == kWordInteger) return to_decimal(static_cast<int64_t>(word) >> 2, room.bytes);
  for (size_t i = 0; i <= kShortMax; ++i) room.bytes[i] = static_cast<char>(word >> (8 * i));
  return {room.bytes + 1, static_cast<size_t>((word >> 2) & 7)};
}

}  // namespace persist
