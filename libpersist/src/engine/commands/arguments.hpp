// Reading the words of commands: what several families need.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "base/letters.hpp"
#include "base/server_numbers.hpp"
#include "engine/commands/call.hpp"

namespace persist {

// In any case of letters; `word` is written in lower case.
[[nodiscard]] constexpr bool is_word(Bytes argument, Bytes word) {
  return argument.size() == word.size() &&
         std::ranges::equal(argument, word, [](char a, char b) { return lower(a) == b; });
}

// An integer as the loading server reads it. Absent: the command fails with kNotInteger.
[[nodiscard]] inline std::optional<int64_t> integer_argument(const Call& call, Bytes text) {
  return call.profile.is_before(302) ? parse_old_server_integer(text) : parse_server_integer(text);
}

// Some of the elements of a sequence.
struct IndexRange {
  size_t from = 0;
  size_t count = 0;
};

// What `start` to `stop` mean, both inclusive and negative ones counted from the end, of `size` elements.
[[nodiscard]] constexpr IndexRange index_range(int64_t start, int64_t stop, size_t size) {
  const auto end = static_cast<int64_t>(size);
  if (start < 0) start = std::max<int64_t>(0, start + end);
  if (stop < 0) stop += end;
  stop = std::min(stop, end - 1);
  if (start > stop) return {};
  return {static_cast<size_t>(start), static_cast<size_t>(stop - start + 1)};
}

// Which place an index means, negative ones counted from the end. Absent: outside.
[[nodiscard]] constexpr std::optional<size_t> index_place(int64_t index, size_t size) {
  const auto end = static_cast<int64_t>(size);
  if (index < 0) index += end;
  if (index < 0 || index >= end) return std::nullopt;
  return static_cast<size_t>(index);
}

// The keys of commands that say how many they are: args[at] is the number, the keys follow. Absent: that is
// no integer, or below 1, or there are not as many words; which of them is the same to most callers.
[[nodiscard]] inline std::optional<std::span<const Bytes>> counted_words(const Call& call, size_t at) {
  if (at >= call.args.size()) return std::nullopt;
  const std::optional<int64_t> count = integer_argument(call, call.args[at]);
  const std::span<const Bytes> behind = call.args.subspan(at + 1);
  if (!count || *count < 1 || static_cast<uint64_t>(*count) > behind.size()) return std::nullopt;
  return behind.first(static_cast<size_t>(*count));
}

// Whether the word can be how long to wait, which plays no part otherwise. Else the call has failed.
[[nodiscard]] inline bool accept_timeout(Call& call, Bytes word) {
  const std::optional<long double> seconds = parse_server_long_double(word);
  if (!seconds) {
    call.fail("ERR timeout is not a float or out of range");
    return false;
  }
  const long double ms = std::ceil(*seconds * 1000);
  if (ms < 0 || ms >= static_cast<long double>(std::numeric_limits<int64_t>::max())) {
    call.fail("ERR timeout is negative");
    return false;
  }
  return true;
}

// --- When something expires

// How the word in front of a time, or the name of a command, says what the time is.
struct TimeScale {
  bool in_seconds = false;
  bool is_relative = false;  // to now
};

// The time in milliseconds since the epoch. Absent: it leaves the range of numbers. Whether it may be 0 or
// negative is for the command to say.
[[nodiscard]] constexpr std::optional<int64_t> expiry_of(int64_t given, TimeScale scale, int64_t now_ms) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  if (scale.in_seconds) {
    if (given > kMax / 1000 || given < -(kMax / 1000)) return std::nullopt;
    given *= 1000;
  }
  if (scale.is_relative) {
    if (given > kMax - now_ms) return std::nullopt;
    given += now_ms;
  }
  return given;
}

// NX XX GT LT of the commands that set an expiry.
struct ExpiryCondition {
  bool if_none = false;     // NX
  bool if_any = false;      // XX
  bool if_later = false;    // GT: none is later than any
  bool if_earlier = false;  // LT

  // False: the word is none of them.
  bool take(Bytes word) {
    bool* const flag = is_word(word, "nx")   ? &if_none
                       : is_word(word, "xx") ? &if_any
                       : is_word(word, "gt") ? &if_later
                       : is_word(word, "lt") ? &if_earlier
                                             : nullptr;
    if (flag == nullptr) return false;
    *flag = true;
    return true;
  }
  // Either may be kNoExpiry, `wanted` only in theory.
  [[nodiscard]] constexpr bool allows(int64_t held, int64_t wanted) const {
    if (if_none && held != kNoExpiry) return false;
    if (if_any && held == kNoExpiry) return false;
    if (if_later && (held == kNoExpiry || wanted <= held)) return false;
    if (if_earlier && held != kNoExpiry && wanted >= held) return false;
    return true;
  }
};

}  // namespace persist
