// Both say the same, in the same order.
#include "diff_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>

#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

struct KindRow {
  char mark;
  const char* colour;
  const char* name;
};
// By DiffKind.
constexpr KindRow kKinds[] = {
    {'-', "\x1b[31m", "only-a"}, {'+', "\x1b[32m", "only-b"}, {'~', "\x1b[33m", "changed"}};
constexpr const char* kColourEnd = "\x1b[0m";

// What is there on one side only is gone or has come.
DiffKind kind_of(const Difference& difference) {
  if (!difference.b.there) return DiffKind::only_a;
  return difference.a.there ? DiffKind::changed : DiffKind::only_b;
}

// What would be a number has none: a field that both have is without an expiry on one side.
bool is_unset(DiffPart part, const DiffSide& side) {
  return side.words.empty() && diff_part_row(part).is_number;
}

template <size_t n>
bool is_one_of(DiffPart part, const DiffPart (&parts)[n]) {
  return std::ranges::find(parts, part) != std::end(parts);
}

// Whether it is called something, be it by an empty name.
bool has_name(DiffPart part) {
  using enum DiffPart;
  constexpr DiffPart kNamed[] = {member,       score,    field,   field_expiry, entry, group,  group_last_id,
                                 entries_read, consumer, pending, producer,     iid,   element};
  return is_one_of(part, kNamed);
}

bool has_owner(DiffPart part) {
  constexpr DiffPart kOwned[] = {DiffPart::consumer, DiffPart::pending, DiffPart::iid};
  return is_one_of(part, kOwned);
}

// --- Text

std::string quoted(const DiffWord& word) {
  const uint64_t behind = word.size - std::min<uint64_t>(word.size, word.from + word.bytes.size());
  return fmt::format("{}\"{}\"{}", word.from > 0 ? fmt::format("({} bytes)...", word.from) : "",
                     printable(word.bytes), behind > 0 ? fmt::format("...({} bytes)", behind) : "");
}

std::string expiry_text(int64_t expire_at_ms) {
  constexpr int64_t kSecondInMs = 1000;
  return fmt::format("{} ({})", expire_at_ms, time_in_words(expire_at_ms / kSecondInMs));
}

std::string time_text(const std::string& digits) {
  int64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return parsed.ec == std::errc{} ? expiry_text(number) : printable(digits);
}

// Which words of a part are numbers: of a pending entry all behind the consumer.
bool is_number(DiffPart part, size_t word) {
  return diff_part_row(part).is_number || part == DiffPart::member || (part == DiffPart::pending && word > 0);
}

bool is_time(DiffPart part) { return part == DiffPart::expiry || part == DiffPart::field_expiry; }

// "\"bob\", delivered 2x, last at ..."; the consumer is empty where nobody owns it.
std::string pending_text(const DiffSide& side) {
  const auto& [consumer, time, times] = std::tie(side.words[0], side.words[1], side.words[2]);
  std::string text = consumer.size == 0 ? "nobody's" : quoted(consumer);
  text += fmt::format(", delivered {}x, last at {}", printable(times.bytes), time_text(time.bytes));
  if (side.words.size() > 3) text += ", rank " + printable(side.words[3].bytes);
  return text;
}

// "apples" "1" "pears" "2"; empty if there is nothing more to say than that it is there.
std::string words_text(DiffPart part, const DiffSide& side) {
  if (!side.there || is_unset(part, side)) return "none";
  if (part == DiffPart::pending && side.words.size() >= 3) return pending_text(side);
  std::string text;
  for (size_t i = 0; i < side.words.size(); ++i) {
    if (i > 0) text += ' ';
    const DiffWord& word = side.words[i];
    if (is_time(part))
      text += time_text(word.bytes);
    else
      text += is_number(part, i) || part == DiffPart::type ? printable(word.bytes) : quoted(word);
  }
  return text;
}

std::string name_text(const Difference& difference) {
  std::string text(diff_part_row(difference.part).label);
  if (difference.a.index) text += fmt::format(" {}", *difference.a.index);
  if (difference.b.index)
    text += difference.a.index && difference.a.index != difference.b.index
                ? fmt::format(" -> {}", *difference.b.index)
                : fmt::format("{}", difference.a.index ? "" : fmt::format(" {}", *difference.b.index));
  if (has_name(difference.part)) text += " " + quoted(difference.name);
  if (has_owner(difference.part)) text += " of " + quoted(difference.owner);
  return text;
}

std::string difference_text(const Difference& difference) {
  std::string text = name_text(difference);
  const bool has_name = difference.part != DiffPart::string && difference.part != DiffPart::item;
  if (kind_of(difference) == DiffKind::changed || is_time(difference.part)) {
    return text + ": " + words_text(difference.part, difference.a) + " -> " +
           words_text(difference.part, difference.b);
  }
  const std::string words = words_text(difference.part, difference.a.there ? difference.a : difference.b);
  if (words.empty()) return text;
  return text + (has_name ? ": " : " ") + words;
}

class DiffText : public DiffSink {
 public:
  explicit DiffText(bool colour) : colour_(colour) {}

  void key(const KeyDifference& difference) override {
    const DiffSideHead& head = difference.b ? *difference.b : *difference.a;
    line(0, difference.kind,
         fmt::format("{}\"{}\" {}", difference.db != 0 ? fmt::format("db {} ", difference.db) : "",
                     printable(difference.key), value_type_name(head.type)));
    for (const Difference& one : difference.differences) line(kIndent, kind_of(one), difference_text(one));
    if (difference.more > 0) fmt::print("    ... and {}\n", counted(difference.more, "difference") + " more");
  }

  void library(const LibraryDifference& difference) override {
    line(0, difference.kind,
         fmt::format("{} \"{}\"", difference.is_function ? "function library" : "data of module",
                     printable(difference.name)));
  }

 private:
  static constexpr int kIndent = 4;

  void line(int indent, DiffKind kind, const std::string& text) const {
    const KindRow& row = kKinds[static_cast<size_t>(kind)];
    fmt::print("{:{}}{}{} {}{}\n", "", indent, colour_ ? row.colour : "", row.mark, text,
               colour_ ? kColourEnd : "");
  }

  bool colour_;
};

// --- JSON

Json word_json(DiffPart part, size_t which, const DiffWord& word) {
  if (is_number(part, which)) {
    const Json number = Json::parse(word.bytes, nullptr, false);
    return number.is_number() ? number : json_string(word.bytes);
  }
  if (word.from == 0 && word.size == word.bytes.size()) return json_string(word.bytes);
  return {{"part", json_string(word.bytes)}, {"from", word.from}, {"size", word.size}};
}

Json side_json(DiffPart part, const DiffSide& side) {
  if (side.words.empty() && part != DiffPart::entry) return side.there;
  if (side.words.size() == 1 && part != DiffPart::entry) return word_json(part, 0, side.words.front());
  Json words = Json::array();
  for (size_t i = 0; i < side.words.size(); ++i) words.push_back(word_json(part, i, side.words[i]));
  return words;
}

Json difference_json(const Difference& difference) {
  Json json;
  json["part"] = diff_part_row(difference.part).name;
  if (has_name(difference.part)) json["name"] = word_json(DiffPart::string, 0, difference.name);
  if (has_owner(difference.part)) json["of"] = word_json(DiffPart::string, 0, difference.owner);
  if (difference.a.index) json["a_index"] = *difference.a.index;
  if (difference.b.index) json["b_index"] = *difference.b.index;
  for (const auto& [name, side] : {std::pair("a", &difference.a), std::pair("b", &difference.b)})
    if (side->there && !is_unset(difference.part, *side)) json[name] = side_json(difference.part, *side);
  return json;
}

Json head_json(const DiffSideHead& head) {
  Json json;
  json["type"] = value_type_name(head.type);
  if (head.expire_at_ms != kNoExpiry) json["expire_at_ms"] = head.expire_at_ms;
  return json;
}

class DiffJson : public DiffSink {
 public:
  void key(const KeyDifference& difference) override {
    Json json;
    json["db"] = difference.db;
    json["key"] = json_string(difference.key);
    json["kind"] = kKinds[static_cast<size_t>(difference.kind)].name;
    if (difference.a) json["a"] = head_json(*difference.a);
    if (difference.b) json["b"] = head_json(*difference.b);
    if (!difference.differences.empty()) {
      json["differences"] = Json::array();
      for (const Difference& one : difference.differences)
        json["differences"].push_back(difference_json(one));
    }
    if (difference.more > 0) json["more"] = difference.more;
    fmt::print("{}", json_line(json));
  }

  void library(const LibraryDifference& difference) override {
    Json json;
    json[difference.is_function ? "library" : "module"] = json_string(difference.name);
    json["kind"] = kKinds[static_cast<size_t>(difference.kind)].name;
    fmt::print("{}", json_line(json));
  }
};

}  // namespace

std::unique_ptr<DiffSink> diff_text(bool colour) { return std::make_unique<DiffText>(colour); }
std::unique_ptr<DiffSink> diff_json() { return std::make_unique<DiffJson>(); }

}  // namespace persist::tool
