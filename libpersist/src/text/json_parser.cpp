// simdjson does the work. Two things are ours: integers beyond 64 bits, which it refuses although they are
// fine as scores, and how much memory is kept.
#include "text/json_parser.hpp"

#include <algorithm>

#include "persist/finding.hpp"

namespace persist {

namespace {

constexpr size_t kDepthMax = 16;  // the schema needs eight
constexpr size_t kTextMax = simdjson::SIMDJSON_MAXSIZE_BYTES;
// The parser takes some fourteen bytes for each of the text: what is kept from one line to the next is that
// of lines up to this size.
constexpr size_t kKeptTextBytes = size_t{1} << 20;
constexpr size_t kIntegerDigitsMax = 18;  // that many always fit

[[noreturn]] void refuse_syntax(const char* found) {
  Finding finding;
  finding.code = FindingCode::json_syntax;
  finding.expected = "one JSON object";
  finding.found = found;
  throw FormatError(std::move(finding));
}

const char* what_is_wrong(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "bytes that are not UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a string without an end";
    case simdjson::UNESCAPED_CHARS:
      return "a control character in a string";
    case simdjson::STRING_ERROR:
      return "an escape that stands for no character";
    case simdjson::NUMBER_ERROR:
      return "a number that is malformed or out of range";
    case simdjson::DEPTH_ERROR:
      return "brackets nested too deeply";
    case simdjson::CAPACITY:
      return "more than 4 GiB";
    case simdjson::MEMALLOC:
      return "more than there is memory for";
    default:
      return "a bracket, comma or word that does not belong there";
  }
}

bool is_of_number(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

// Behind the string that begins at `at`.
size_t end_of_string(Bytes text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return std::min(at + 1, text.size());
}

}  // namespace

void JsonParser::make_room(size_t size) {
  if (capacity_ > kKeptTextBytes) {
    parser_ = simdjson::dom::parser();
    document_ = simdjson::dom::document();
    capacity_ = 0;
  }
  if (size <= capacity_) return;
  constexpr size_t kTextMin = size_t{4} << 10;
  const size_t wanted = size > kKeptTextBytes ? size : std::max(kTextMin, 2 * size);
  simdjson::error_code error = parser_.allocate(wanted, kDepthMax);
  if (error == simdjson::SUCCESS) error = document_.allocate(wanted);
  if (error != simdjson::SUCCESS) refuse_syntax(what_is_wrong(error));
  capacity_ = wanted;
}

simdjson::simdjson_result<JsonElement> JsonParser::parse_padded(const char* text, size_t size) {
  make_room(size);
  return parser_.parse_into_document(document_, text, size, false);
}

// Long integers as floating point numbers of the same value.
Bytes JsonParser::widen_integers(Bytes text) {
  ByteBuffer wide;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    if (text[at] == '"') {
      at = end_of_string(text, at);
      wide.append(text.substr(begin, at - begin));
      continue;
    }
    while (at < text.size() && is_of_number(text[at])) ++at;
    if (at == begin) ++at;
    const Bytes part = text.substr(begin, at - begin);
    wide.append(part);
    if (part.size() > kIntegerDigitsMax && part.find_first_of(".eE") == Bytes::npos) wide.append("e0");
  }
  wide.room(simdjson::SIMDJSON_PADDING);
  copy_ = std::move(wide);
  return copy_.bytes();
}

JsonElement JsonParser::parse(Bytes text, size_t behind) {
  if (text.size() > kTextMax) refuse_syntax(what_is_wrong(simdjson::CAPACITY));
  copy_.clear();
  copy_.shrink(kKeptTextBytes);
  const char* from = text.data();
  if (behind < simdjson::SIMDJSON_PADDING) {
    copy_.append(text);
    copy_.room(simdjson::SIMDJSON_PADDING);
    from = copy_.bytes().data();
  }
  JsonElement element;
  simdjson::error_code error = parse_padded(from, text.size()).get(element);
  if (error == simdjson::NUMBER_ERROR) {
    const Bytes wide = widen_integers(text);
    error = parse_padded(wide.data(), wide.size()).get(element);
  }
  if (error != simdjson::SUCCESS) refuse_syntax(what_is_wrong(error));
  return element;
}

}  // namespace persist
