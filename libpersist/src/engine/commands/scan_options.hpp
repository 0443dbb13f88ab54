// SSCAN, HSCAN and ZSCAN. The engine tells everything in the first answer: a walk over a value that is told
// in pieces would only differ in its order, which is nobody's business.
#pragma once

#include "base/decimal.hpp"
#include "engine/commands/arguments.hpp"
#include "persist/filter.hpp"

namespace persist {

struct ScanOptions {
  std::optional<Bytes> pattern;
  bool without_values = false;

  [[nodiscard]] bool chooses(Bytes member) const { return !pattern || glob_matches(*pattern, member); }
};

// As strtoul reads numbers.
[[nodiscard]] inline bool is_cursor(Bytes word) {
  if (word.empty()) return true;
  const bool has_sign = word[0] == '+' || word[0] == '-';
  return parse_decimal<uint64_t>(word.substr(has_sign ? 1 : 0)).has_value();
}

// The words behind the cursor. Null, or what is wrong with them.
[[nodiscard]] inline const char* parse_scan_options(const Call& call, std::span<const Bytes> words,
                                                    bool may_leave_out_values, ScanOptions& options) {
  for (size_t i = 0; i < words.size(); ++i) {
    const bool has_value = i + 1 < words.size();
    if (is_word(words[i], "count") && has_value) {
      const std::optional<int64_t> count = integer_argument(call, words[++i]);
      if (!count) return kNotInteger;
      if (*count < 1) return kSyntax;
    } else if (is_word(words[i], "match") && has_value) {
      options.pattern = words[++i];
    } else if (may_leave_out_values && is_word(words[i], "novalues")) {
      options.without_values = true;
    } else {
      return kSyntax;
    }
  }
  return nullptr;
}

}  // namespace persist
