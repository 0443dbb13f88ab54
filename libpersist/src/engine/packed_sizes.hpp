// How many bytes items take in containers of small values. Inline: asked for every element of a dataset.
#pragma once

#include "base/endian.hpp"
#include "base/server_numbers.hpp"
#include "codec/item_integer.hpp"
#include "persist/bytes.hpp"

namespace persist {

// The number that one to eight digits make; absent if they are not all digits. Without a loop, whose end
// nobody could foresee.
[[nodiscard]] inline std::optional<uint64_t> parse_few_digits(const char* text, size_t size) {
  const auto unused = static_cast<unsigned>(8 * (8 - size));  // bits
  uint64_t digits = 0;                                        // a byte each, the last one uppermost
  if (size >= 4) {
    digits = uint64_t{load_le<uint32_t>(text)} << unused | uint64_t{load_le<uint32_t>(text + size - 4)} << 32;
  } else {
    const auto at = [&](size_t i) {
      return uint64_t{static_cast<unsigned char>(text[i])} << (unused + 8 * static_cast<unsigned>(i));
    };
    digits = at(0) | at(size / 2) | at(size - 1);
  }
  digits ^= 0x3030303030303030 & ~uint64_t{0} << unused;
  if (((digits | (digits + 0x7676767676767676)) & 0x8080808080808080) != 0) return std::nullopt;
  // Pairs of digits, of these, and of those.
  digits = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ff;
  digits = (digits * 100 + (digits >> 16)) & 0x0000ffff0000ffff;
  return (digits * 10000 + (digits >> 32)) & 0xffffffff;
}

// The integer that an item is the text of. Nearly all others are told by their first byte.
[[nodiscard]] inline std::optional<int64_t> item_integer(Bytes item) {
  constexpr size_t kFew = 8;
  if (item.empty()) return std::nullopt;
  const auto first = static_cast<unsigned char>(item[0] - '0');
  if (first > 9 && item[0] != '-') return std::nullopt;
  if (first == 0) return item.size() == 1 ? std::optional<int64_t>(0) : std::nullopt;
  if (first > 9 || item.size() > 2 * kFew) {
    return may_be_item_integer(item) ? parse_server_integer(item) : std::nullopt;
  }
  const size_t upper = item.size() > kFew ? item.size() - kFew : 0;
  const std::optional<uint64_t> low = parse_few_digits(item.data() + upper, item.size() - upper);
  if (!low) return std::nullopt;
  if (upper == 0) return static_cast<int64_t>(*low);
  const std::optional<uint64_t> high = parse_few_digits(item.data(), upper);
  if (!high) return std::nullopt;
  return static_cast<int64_t>(*high * 100000000 + *low);
}

struct ListpackSizes {
  static constexpr uint64_t kEmpty = 7;
  bool narrow_backlen = false;

  [[nodiscard]] uint64_t with_backlen(uint64_t entry) const {
    constexpr uint64_t kShort = 127;
    if (entry <= kShort) [[likely]]
      return entry + 1;
    uint64_t width = 1;
    for (uint64_t rest = narrow_backlen ? entry : entry + 1; rest >>= 7;) ++width;
    return entry + width;
  }
  [[nodiscard]] static uint64_t of_integer(int64_t number) {
    if (number >= 0 && number < 128) return 2;
    if (number >= -4096 && number < 4096) return 3;
    return 2 + item_integer_width(number);
  }
  [[nodiscard]] uint64_t of_string(uint64_t size) const {
    if (size < 64) [[likely]]
      return with_backlen(1 + size);
    return with_backlen((size < 4096 ? 2 : 5) + size);
  }
  [[nodiscard]] uint64_t operator()(Bytes item) const {
    const std::optional<int64_t> number = item_integer(item);
    return number ? of_integer(*number) : of_string(item.size());
  }
};

// An entry of a ziplist states how long the one before is.
struct ZiplistSizes {
  static constexpr uint64_t kEmpty = 11;

  // `before` is the size of the entry before it, 0 for the first, and becomes that of this one.
  static uint64_t of(Bytes item, uint64_t& before) {
    constexpr uint64_t kLongBefore = 254;
    uint64_t size = before < kLongBefore ? 1 : 5;
    if (const std::optional<int64_t> number = item_integer(item)) {
      constexpr int64_t kTinyMax = 12;
      size += *number >= 0 && *number <= kTinyMax ? 1 : 1 + item_integer_width(*number);
    } else {
      size += item.size() + (item.size() < 64 ? 1 : item.size() < 16384 ? 2 : 5);
    }
    before = size;
    return size;
  }
};

// Field and value of a zipmap: a length each, and how many bytes the value has to spare.
struct ZipmapSizes {
  static constexpr uint64_t kEmpty = 2;

  static uint64_t of(Bytes field, Bytes value) {
    constexpr uint64_t kLong = 254;
    const auto length = [](Bytes text) -> uint64_t { return text.size() < kLong ? 1 : 5; };
    return length(field) + field.size() + length(value) + 1 + value.size();
  }
};

}  // namespace persist
