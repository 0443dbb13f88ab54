// The manifest of an append directory, to the byte as Redis 7.0 and later read and write it:
//
//   comment = "#" anything LF                             '#' is the very first byte
//   line    = key value key value key value { key value } LF
//
// with keys file, seq and type in any order and letter case, the last of its kind counting. Servers read with
// a buffer that holds 1024 bytes: what is longer (with the LF) does not end for them, and the rest of a
// longer comment is a line of its own.
#include "persist/manifest.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "aof/manifest_lines.hpp"
#include "aof/part_name.hpp"
#include "aof/words.hpp"

namespace persist {

namespace {

constexpr size_t kBufferBytes = 1024;
constexpr size_t kLineMax = kBufferBytes - 1;
constexpr size_t kWordsMin = 6;
// A file of blank lines would otherwise cost hundreds of bytes for each of its own.
constexpr size_t kProblemsMax = 100;

struct Problem {
  FindingCode code{};
  std::string subject;  // of the line: "seq"
  std::string expected;
  std::string found;
};

struct Fields {
  ManifestLine line;
  std::string sequence_text;
  std::string type_text;
  std::optional<Problem> problem;  // the first
  bool has_file = false;

  void complain(Problem what) {
    if (!problem) problem = std::move(what);
  }
};

struct RawLine {
  Bytes text;  // without the LF
  uint64_t number = 0;
  uint64_t offset = 0;
  bool ended = false;  // by an LF
};

class LineReader {
 public:
  explicit LineReader(Bytes text) : text_(text) {}

  bool next(RawLine& line) {
    if (at_ >= text_.size()) return false;
    const Bytes rest = text_.substr(at_);
    const bool comment = rest.front() == '#';
    const size_t size = comment ? comment_size(rest) : std::min(rest.find('\n'), rest.size());
    // An LF behind a full buffer is in the next one, and a blank line there.
    const bool buffer_full = comment && size % kBufferBytes == 0;
    line.text = rest.substr(0, size);
    line.ended = !buffer_full && size < rest.size() && rest[size] == '\n';
    line.number = number_;
    line.offset = at_;
    at_ += size + (line.ended ? 1 : 0);
    if (line.ended) ++number_;
    return true;
  }

 private:
  // A comment goes on in the next buffer only if that begins with '#', too.
  static size_t comment_size(Bytes rest) {
    size_t size = 0;
    do {
      const Bytes buffer = rest.substr(size, kBufferBytes);
      const size_t end = buffer.find('\n');
      if (end != Bytes::npos) return size + end;
      size += buffer.size();
    } while (size < rest.size() && rest[size] == '#');
    return size;
  }

  Bytes text_;
  size_t at_ = 0;
  uint64_t number_ = 1;
};

// As C's atoll: what follows the digits does not matter, and no digits are 0.
int64_t leading_integer(Bytes text) {
  const size_t first = text.find_first_not_of(" \t\n\v\f\r");
  text.remove_prefix(std::min(first, text.size()));
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  int64_t value = 0;  // negated: there is one more number below 0 than above
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    if (value < (kMin + (c - '0')) / 10) {
      value = kMin;
      break;
    }
    value = value * 10 - (c - '0');
  }
  if (negative) return value;
  return value == kMin ? std::numeric_limits<int64_t>::max() : -value;
}

// Servers see words as C strings.
Bytes up_to_nul(const std::string& word) { return {word.c_str()}; }

void set_file(Fields& fields, const std::string& value) {
  fields.line.file = std::string(up_to_nul(value));
  fields.has_file = true;
  if (fields.line.file.find_first_of("/\\") != std::string::npos) {
    fields.complain(
        {FindingCode::manifest_path, "file", "a name without a folder", shown_word(fields.line.file)});
  }
}
void set_sequence(Fields& fields, const std::string& value) {
  fields.sequence_text = value;
  fields.line.sequence = leading_integer(up_to_nul(value));
}
void set_type(Fields& fields, const std::string& value) { fields.type_text = std::string(up_to_nul(value)); }

struct Key {
  Bytes name;
  void (*set)(Fields&, const std::string&);
};
constexpr Key kKeys[] = {{"file", set_file}, {"seq", set_sequence}, {"type", set_type}};

const Key* find_key(const std::string& word) {
  const auto* key = std::ranges::find_if(
      kKeys, [&](const Key& candidate) { return equals_ignoring_case(candidate.name, up_to_nul(word)); });
  return key == std::end(kKeys) ? nullptr : key;
}

std::optional<ManifestType> type_of(Bytes text) {
  constexpr std::array kTypes = {ManifestType::base, ManifestType::incr, ManifestType::history};
  for (const ManifestType type : kTypes) {
    if (text.starts_with(static_cast<char>(type))) return type;
  }
  return std::nullopt;
}

std::string or_none(const std::string& text) { return text.empty() ? "none" : shown_word(text); }

void check_fields(Fields& fields) {
  constexpr FindingCode kFormat = FindingCode::manifest_format;
  if (fields.line.file.empty()) fields.complain({kFormat, "file", "the name of a file", "none"});
  if (fields.line.sequence == 0) {
    fields.complain({kFormat, "seq", "a number other than 0", or_none(fields.sequence_text)});
  }
  if (fields.type_text.empty()) fields.complain({kFormat, "type", "b, i or h", "none"});
  const std::optional<ManifestType> type = type_of(fields.type_text);
  if (!type) fields.complain({FindingCode::manifest_type, "type", "b, i or h", or_none(fields.type_text)});
  fields.line.type = type.value_or(ManifestType::base);
}

Fields read_fields(Bytes text) {
  constexpr FindingCode kFormat = FindingCode::manifest_format;
  constexpr const char* kPairs = "pairs with file, seq and type";
  Fields fields;
  const Bytes inner = trimmed(text);
  const auto words = split_words(inner);
  if (inner.empty()) {
    fields.complain({kFormat, "", kPairs, "a blank line"});
  } else if (!words) {
    fields.complain({kFormat, "", "a closed quote with a blank behind it", shown_word(inner)});
  } else if (words->size() < kWordsMin || words->size() % 2 != 0) {
    const char* noun = words->size() == 1 ? " word" : " words";
    fields.complain({kFormat, "", kPairs, std::to_string(words->size()) + noun});
  }
  if (!words) return fields;
  for (size_t i = 0; i + 1 < words->size(); i += 2) {
    const std::string& word = (*words)[i];
    const std::string& value = (*words)[i + 1];
    if (const Key* key = find_key(word)) {
      key->set(fields, value);
    } else {
      fields.line.more.emplace_back(word, value);
    }
  }
  check_fields(fields);
  return fields;
}

std::optional<Problem> line_problem(const RawLine& line) {
  constexpr FindingCode kBadLine = FindingCode::manifest_long_line;
  if (line.text.size() > kLineMax) {
    return Problem{kBadLine, "", "at most 1023 bytes", std::to_string(line.text.size()) + " bytes"};
  }
  if (line.text.find('\0') != Bytes::npos) return Problem{kBadLine, "", "text", "a NUL byte"};
  if (!line.ended) return Problem{kBadLine, "", "a line feed at its end", "the end of the file"};
  return std::nullopt;
}

class Parser {
 public:
  Parser(const std::string& file, FindingSink& findings, Manifest& manifest)
      : file_(file), findings_(findings), manifest_(manifest) {}

  bool parse(Bytes text) {
    if (text.empty()) {
      report({}, {FindingCode::manifest_empty, "", "", ""});
      return false;
    }
    LineReader reader(text);
    for (RawLine line; problems_ < kProblemsMax && reader.next(line);) {
      if (line.text.starts_with('#')) {
        add_comment(line);
      } else {
        add_line(line);
      }
    }
    if (problems_ == 0 && !lists_data()) {
      const char* found = manifest_.lines.empty() ? "comments only" : "history lines only";
      report({text, 0, 0, true},
             {FindingCode::manifest_comments, "manifest", "a line of type b or i", found});
      return true;  // servers do start
    }
    return problems_ == 0;
  }

 private:
  void add_comment(const RawLine& line) {
    manifest_.comments.emplace_back(line.text);
    // Could not be written with a line feed behind it.
    if (line.text.size() % kBufferBytes == 0) manifest_.comments.back().pop_back();
  }

  void add_line(const RawLine& line) {
    Fields fields = read_fields(line.text);
    const bool usable = !fields.problem && line.text.find('\0') == Bytes::npos;
    std::optional<Problem> problem = line_problem(line);
    if (!problem) problem = std::move(fields.problem);
    if (!problem) problem = order_problem(fields.line);
    if (problem) report(line, *problem);
    if (!usable) return;
    has_base_ = has_base_ || fields.line.type == ManifestType::base;
    if (fields.line.type == ManifestType::incr) last_incr_ = std::max(last_incr_, fields.line.sequence);
    manifest_.lines.push_back(std::move(fields.line));
  }

  [[nodiscard]] std::optional<Problem> order_problem(const ManifestLine& line) const {
    if (line.type == ManifestType::base && has_base_) {
      return Problem{FindingCode::manifest_two_bases, "type", "one base", "another"};
    }
    if (line.type == ManifestType::incr && line.sequence <= last_incr_) {
      return Problem{FindingCode::manifest_sequence, "seq", "more than " + std::to_string(last_incr_),
                     std::to_string(line.sequence)};
    }
    return std::nullopt;
  }

  [[nodiscard]] bool lists_data() const {
    return std::ranges::any_of(manifest_.lines,
                               [](const ManifestLine& line) { return line.type != ManifestType::history; });
  }

  void report(const RawLine& line, const Problem& problem) {
    ++problems_;
    Finding finding;
    finding.code = problem.code;
    finding.file = file_;
    finding.extent = {line.offset, line.text.size()};
    finding.subject = problem.subject;
    if (line.number != 0) {
      finding.subject =
          "line " + std::to_string(line.number) + (problem.subject.empty() ? "" : ": ") + problem.subject;
    }
    finding.expected = problem.expected;
    finding.found = problem.found;
    findings_.report(finding);
  }

  const std::string& file_;
  FindingSink& findings_;
  Manifest& manifest_;
  size_t problems_ = 0;
  bool has_base_ = false;
  int64_t last_incr_ = 0;
};

std::string spell(const ManifestLine& line, Quoting quoting, bool with_more) {
  std::string text = "file " + quoted_word(line.file, quoting) + " seq " + std::to_string(line.sequence) +
                     " type " + static_cast<char>(line.type);
  if (!with_more) return text;
  for (const auto& [key, value] : line.more) {
    text += ' ' + quoted_word(key, quoting) + ' ' + quoted_word(value, quoting);
  }
  return text;
}

// A line must not get longer than servers read: what they would only ignore is then given up.
std::string format_line(const ManifestLine& line) {
  std::string text = spell(line, Quoting::as_server, true);
  if (text.size() > kLineMax) text = spell(line, Quoting::shortest, true);
  if (text.size() > kLineMax) text = spell(line, Quoting::shortest, false);
  return text;
}

}  // namespace

bool parse_manifest(Bytes text, const std::string& file, FindingSink& findings, Manifest& manifest) {
  manifest = {};
  return Parser(file, findings, manifest).parse(text);
}

std::string format_manifest(const Manifest& manifest) {
  constexpr std::array kOrder = {ManifestType::base, ManifestType::history, ManifestType::incr};
  std::string text;
  for (const std::string& comment : manifest.comments) text += comment + '\n';
  for (const ManifestType type : kOrder) {
    std::vector<const ManifestLine*> lines;
    for (const ManifestLine& line : manifest.lines) {
      if (line.type == type) lines.push_back(&line);
    }
    // Servers keep history lines in the order in which they became that.
    if (type == ManifestType::incr) std::ranges::stable_sort(lines, {}, &ManifestLine::sequence);
    for (const ManifestLine* line : lines) text += format_line(*line) + '\n';
  }
  return text;
}

bool looks_like_manifest(Bytes head) {
  LineReader reader(head);
  for (RawLine line; reader.next(line);) {
    const Bytes inner = trimmed(line.text);
    if (inner.empty() || line.text.starts_with('#')) continue;
    // Only the first two words count: the line may be cut where the head ends, in the middle of a quote.
    const size_t blank = inner.find_first_of(" \t");
    return blank != Bytes::npos && find_key(std::string(inner.substr(0, blank))) != nullptr;
  }
  return false;
}

std::vector<ManifestLine> salvage_manifest(Bytes text) {
  std::vector<ManifestLine> lines;
  LineReader reader(text);
  for (RawLine raw; reader.next(raw);) {
    if (raw.text.starts_with('#')) continue;
    Fields fields = read_fields(raw.text);
    ManifestLine& line = fields.line;
    if (!is_plain_name(line.file)) continue;
    const std::optional<PartName> name = parse_part_name(line.file);
    const bool typed = type_of(fields.type_text).has_value();
    if (!name && (!typed || line.sequence == 0)) continue;
    // Where the text was cut, it may have been an incr file or the history that one became.
    if (!typed && !raw.ended) continue;
    if (!typed) line.type = name->type;
    if (name) line.sequence = name->sequence;
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace persist
