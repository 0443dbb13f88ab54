// Each kind of thing that a line is made of.
#include "text/json_member.hpp"

#include <algorithm>
#include <limits>

#include "base/decimal.hpp"
#include "text/base64.hpp"

namespace persist {

namespace {

[[noreturn]] void refuse_value(const char* subject, std::string expected, const JsonElement& found) {
  refuse_json(FindingCode::json_value, subject, std::move(expected), shown_json(found));
}

// Where a name is in the list; the members of a line mostly stand in its order, so `hint` is looked at first.
size_t place_in(std::span<const JsonMember> names, Bytes name, size_t hint) {
  for (size_t i = hint; i < names.size(); ++i)
    if (names[i].name == name) return i;
  for (size_t i = 0; i < hint; ++i)
    if (names[i].name == name) return i;
  return names.size();
}

}  // namespace

void refuse_json(FindingCode code, const char* subject, std::string expected, std::string found) {
  Finding finding;
  finding.code = code;
  finding.subject = subject;
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  throw FormatError(std::move(finding));
}

std::string quoted_text(Bytes bytes) {
  constexpr size_t kShown = 64;
  std::string text = "\"" + std::string(bytes.substr(0, kShown)) + "\"";
  if (bytes.size() > kShown) text += "...";
  return text;
}

std::string shown_id(StreamId id) { return std::to_string(id.ms) + "-" + std::to_string(id.seq); }

std::string shown_json(const JsonElement& element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::INT64:
      return std::to_string(element.get_int64().value_unsafe());
    case element_type::UINT64:
      return std::to_string(element.get_uint64().value_unsafe());
    case element_type::STRING:
      return quoted_text(element.get_string().value_unsafe());
    case element_type::BOOL:
      return element.get_bool().value_unsafe() ? "true" : "false";
    case element_type::NULL_VALUE:
      return "null";
    case element_type::DOUBLE:
      return "a number with a fraction or out of range";
  }
  return "something else";
}

JsonMembers::JsonMembers(const JsonElement& element, const char* subject, std::span<const JsonMember> names) {
  JsonObject object;
  if (element.get_object().get(object) != simdjson::SUCCESS) refuse_value(subject, "an object", element);
  size_t hint = 0;
  for (const simdjson::dom::key_value_pair member : object) {
    const size_t place = place_in(names, member.key, hint);
    if (place == names.size()) {
      refuse_json(FindingCode::json_member, subject, "only members of the schema", quoted_text(member.key));
    }
    if (has(place)) {
      refuse_json(FindingCode::json_duplicate, subject, "each member once",
                  quoted_text(member.key) + " twice");
    }
    elements_[place] = member.value;
    present_ |= 1U << place;
    hint = place + 1;
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].required && !has(i))
      refuse_json(FindingCode::json_member, subject, "a member " + quoted_text(names[i].name), "none");
  }
}

JsonArray take_array(const JsonElement& element, const char* subject) {
  JsonArray array;
  if (element.get_array().get(array) != simdjson::SUCCESS) refuse_value(subject, "an array", element);
  return array;
}

std::array<JsonElement, 2> take_pair(const JsonElement& element, const char* subject) {
  JsonArray array;
  if (element.get_array().get(array) != simdjson::SUCCESS) refuse_value(subject, "an array of two", element);
  const size_t size = array.size();
  if (size != 2) {
    refuse_json(FindingCode::json_value, subject, "an array of two", "an array of " + std::to_string(size));
  }
  auto at = array.begin();
  std::array<JsonElement, 2> pair;
  pair[0] = *at;
  pair[1] = *++at;
  return pair;
}

uint64_t take_unsigned(const JsonElement& element, const char* subject, uint64_t most) {
  uint64_t number = 0;
  if (element.get_uint64().get(number) != simdjson::SUCCESS || number > most)
    refuse_value(subject, "an integer from 0 to " + std::to_string(most), element);
  return number;
}

int64_t take_signed(const JsonElement& element, const char* subject) {
  int64_t number = 0;
  if (element.get_int64().get(number) != simdjson::SUCCESS)
    refuse_value(subject, "an integer of 64 bits", element);
  return number;
}

double take_score(const JsonElement& element, const char* subject) {
  double score = 0;
  if (element.get_double().get(score) == simdjson::SUCCESS) return score;
  Bytes text;
  if (element.get_string().get(text) == simdjson::SUCCESS) {
    constexpr double kInfinite = std::numeric_limits<double>::infinity();
    if (text == "inf") return kInfinite;
    if (text == "-inf") return -kInfinite;
  }
  refuse_value(subject, R"(a number, "inf" or "-inf")", element);
}

StreamId take_id(const JsonElement& element, const char* subject) {
  Bytes text;
  if (element.get_string().get(text) == simdjson::SUCCESS) {
    const size_t dash = std::min(text.find('-'), text.size());
    const auto ms = parse_decimal<uint64_t>(text.substr(0, dash));
    const auto seq = dash == text.size() ? std::nullopt : parse_decimal<uint64_t>(text.substr(dash + 1));
    if (ms && seq) return {*ms, *seq};
  }
  refuse_value(subject, "an ID such as \"1700000000000-0\"", element);
}

bool take_only_member(const JsonElement& element, Bytes name, JsonElement& value) {
  JsonObject object;
  if (element.get_object().get(object) != simdjson::SUCCESS || object.size() != 1) return false;
  const simdjson::dom::key_value_pair member = *object.begin();
  value = member.value;
  return member.key == name;
}

Bytes take_base64(const JsonElement& element, const char* subject, Arena& arena) {
  JsonElement inner;
  Bytes text;
  if (!take_only_member(element, "$base64", inner) || inner.get_string().get(text) != simdjson::SUCCESS)
    refuse_value(subject, R"({"$base64":"..."})", element);
  const std::span<char> room = arena.make<char>(base64_room(text.size()));
  const std::optional<size_t> size = decode_base64(text, room.data());
  if (!size) refuse_value(subject, "base64, padded", inner);
  return {room.data(), *size};
}

Bytes take_bytes(const JsonElement& element, const char* subject, Arena& arena) {
  Bytes text;
  if (element.get_string().get(text) == simdjson::SUCCESS) return text;
  if (!element.is_object()) refuse_value(subject, R"(a string or {"$base64":"..."})", element);
  return take_base64(element, subject, arena);
}

}  // namespace persist
