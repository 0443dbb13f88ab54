// What the commands of strings share: the options of SET, GETEX and MSETEX, the conditions that SET and DELEX
// compare a value by, and how long a string may get.
#pragma once

#include <optional>

#include "engine/commands/arguments.hpp"

namespace persist {

[[nodiscard]] inline bool is_string(const KeyEntry& entry) { return entry.type() == ValueType::string; }

// A string with that text and without expiry, whatever there was.
inline KeyEntry& put_string(const Call& call, Bytes key, Bytes text) {
  KeyEntry& entry = call.db().find_or_create(key);
  entry.set_text(call.pool(), text);
  entry.expire_at_ms = kNoExpiry;
  return entry;
}

// --- How long a string may get: the servers' own limit is on what they pad with zeros, so that a short
// command cannot ask for much; what commands bring along themselves may add up to more.
inline constexpr uint64_t kStringBytesMax = uint64_t{4} << 30;
inline constexpr uint64_t kPaddingMax = uint64_t{512} << 20;
inline constexpr const char* kStringTooLong = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";

// `given`: how many of the bytes the command brings along.
[[nodiscard]] constexpr bool string_may_grow(uint64_t held, uint64_t given, uint64_t wanted) {
  return wanted <= held || (wanted <= kStringBytesMax && wanted <= std::max(held + given, kPaddingMax));
}

// --- Conditions
struct StringCondition {
  enum class Kind : uint8_t {
    none,
    if_missing,     // NX
    if_there,       // XX
    equals,         // IFEQ: there, and equal
    differs,        // IFNE: missing or not equal
    digest_equals,  // IFDEQ: likewise of what DIGEST answers
    digest_differs  // IFDNE
  };
  Kind kind = Kind::none;
  Bytes wanted;  // from `equals` on
};

enum class Verdict : uint8_t { met, not_met, not_a_string, bad_digest };

inline constexpr const char* kBadDigest = "ERR must be exactly 16 hexadecimal characters";

// `entry` is null if there is no such key.
[[nodiscard]] Verdict judge(const Call& call, const StringCondition& condition, KeyEntry* entry);

// What DIGEST answers: the XXH3 of 64 bits in lower-case hexadecimal, 16 characters into `room`.
inline constexpr size_t kStringDigestBytes = 16;
[[nodiscard]] Bytes string_digest(Bytes text, char* room);

// --- Options
enum StringCommand : uint8_t { kOfSet = 1, kOfGetex = 2, kOfMsetex = 4 };

struct StringOptions {
  StringCondition condition;
  bool returns_old = false;   // GET
  bool keeps_expiry = false;  // KEEPTTL
  bool drops_expiry = false;  // PERSIST
  std::optional<Bytes> time;  // with EX, PX, EXAT, PXAT
  TimeScale scale;
};

// Absent: a syntax error, as one for this server or for any.
[[nodiscard]] std::optional<StringOptions> parse_string_options(const Call& call,
                                                                std::span<const Bytes> words,
                                                                StringCommand command);

// When something is to expire that must do so later than in 1970. Fails the call with kNotInteger or with
// `invalid`, which names the command.
[[nodiscard]] std::optional<int64_t> expiry_argument(Call& call, Bytes text, TimeScale scale,
                                                     const char* invalid);

}  // namespace persist
