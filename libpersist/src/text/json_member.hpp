// What stands in a line, taken as what the schema says it is, or refused: by a FormatError that says what was
// expected and what was found. Its place is for the reader of the lines to add.
#pragma once

#include <array>
#include <span>
#include <string>

#include "base/arena.hpp"
#include "persist/element.hpp"
#include "persist/finding.hpp"
#include "text/json_parser.hpp"

namespace persist {

using JsonArray = simdjson::dom::array;
using JsonObject = simdjson::dom::object;

// `subject` says in a few words what is being read.
[[noreturn]] void refuse_json(FindingCode code, const char* subject, std::string expected, std::string found);

// For messages: the bytes in quotes, and an element in short.
[[nodiscard]] std::string quoted_text(Bytes bytes);
[[nodiscard]] std::string shown_json(const JsonElement& element);
[[nodiscard]] std::string shown_id(StreamId id);

struct JsonMember {
  Bytes name;
  bool required = true;
};

// The members of an object, by their place in a list of names. Every one is in the list, once, and those that
// are required are there.
class JsonMembers {
 public:
  static constexpr size_t kMost = 12;

  JsonMembers(const JsonElement& element, const char* subject, std::span<const JsonMember> names);

  [[nodiscard]] bool has(size_t place) const { return ((present_ >> place) & 1) != 0; }
  [[nodiscard]] bool is_null(size_t place) const { return elements_[place].is_null(); }
  [[nodiscard]] const JsonElement& operator[](size_t place) const { return elements_[place]; }

 private:
  std::array<JsonElement, kMost> elements_;
  uint32_t present_ = 0;
};

[[nodiscard]] JsonArray take_array(const JsonElement& element, const char* subject);
// Two things in an array: a field and its value, a member and its score.
[[nodiscard]] std::array<JsonElement, 2> take_pair(const JsonElement& element, const char* subject);
[[nodiscard]] uint64_t take_unsigned(const JsonElement& element, const char* subject, uint64_t most = ~0ULL);
[[nodiscard]] int64_t take_signed(const JsonElement& element, const char* subject);
// A number, "inf" or "-inf".
[[nodiscard]] double take_score(const JsonElement& element, const char* subject);
// "ms-seq", both in decimal.
[[nodiscard]] StreamId take_id(const JsonElement& element, const char* subject);
// Text, or {"$base64":"..."}, whose bytes go to the arena.
[[nodiscard]] Bytes take_bytes(const JsonElement& element, const char* subject, Arena& arena);
// Only the latter.
[[nodiscard]] Bytes take_base64(const JsonElement& element, const char* subject, Arena& arena);
// The value of {"name":...} if that is all there is in the element.
[[nodiscard]] bool take_only_member(const JsonElement& element, Bytes name, JsonElement& value);

}  // namespace persist
