// The manifest: what servers read and refuse, what is kept of a broken one, and that writing is the inverse.
#include "persist/manifest.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "aof/manifest_lines.hpp"
#include "aof/part_name.hpp"
#include "aof/words.hpp"

using namespace persist;

namespace {

constexpr Bytes kBase = "file a.aof.1.base.rdb seq 1 type b\n";
constexpr Bytes kIncr = "file a.aof.1.incr.aof seq 1 type i\n";

struct Parsed {
  bool sound = false;
  Manifest manifest;
  std::vector<Finding> findings;
};

Parsed parse(Bytes text) {
  Parsed parsed;
  FindingList findings;
  parsed.sound = parse_manifest(text, "a.aof.manifest", findings, parsed.manifest);
  parsed.findings = std::move(findings.all);
  return parsed;
}

std::string operator+(Bytes a, Bytes b) { return std::string(a).append(b); }

// "file/seq/type" of each line.
std::string summary(const std::vector<ManifestLine>& lines) {
  std::string text;
  for (const ManifestLine& line : lines) {
    if (!text.empty()) text += ' ';
    text += line.file + '/' + std::to_string(line.sequence) + '/' + static_cast<char>(line.type);
    for (const auto& [key, value] : line.more) text += '/' + key + '=' + value;
  }
  return text;
}

struct Words {
  Bytes line;
  Bytes words;  // joined by '|'; "!" if the quotes do not balance
};

constexpr Words kWords[] = {
    {"", ""},
    {"  \t ", ""},
    {"a b\tc\r\nd", "a|b|c|d"},
    {"\v\fa", "a"},
    {"a\vb", "a\vb"},
    {R"("a b" 'c d')", "a b|c d"},
    {R"("\n\r\t\b\a\\\"\x41\xfF")", "\n\r\t\b\a\\\"A\xff"},
    {R"("\x4" "\xg1" "\q")", "x4|xg1|q"},
    {R"('a\'b\n')", R"(a'b\n)"},
    {R"(a\nb)", R"(a\nb)"},
    {R"(a"b c")", "ab c"},
    {R"(a'b c')", "ab c"},
    {R"("" '')", "|"},
    {R"("a"b)", "!"},
    {R"('a'b)", "!"},
    {R"("a" "b")", "a|b"},
    {"\"a\"\vb", "a|b"},
    {R"("a)", "!"},
    {R"('a)", "!"},
    {R"("a\)", "!"},
    {R"('a\')", "!"},
    {R"("a\")", "!"},
    {"it's", "!"},
};

// One line of a manifest that servers read.
struct Sound {
  Bytes text;
  Bytes lines;
};

const std::string kLongest = std::string(kBase.substr(0, kBase.size() - 1)) + " x " +
                             std::string(1023 - kBase.size() + 1 - 3, 'y') + '\n';

const Sound kSound[] = {
    {"file a seq 1 type b\n", "a/1/b"},
    {"type b seq 1 file a\n", "a/1/b"},
    {"FILE a Seq 1 tYPE b\n", "a/1/b"},
    {"file a seq 1 type base\n", "a/1/b"},
    {"file a seq 1 type image\n", "a/1/i"},
    {" \t file a seq 1 type b \t\n", "a/1/b"},
    {"file a seq 1 type b\r\n", "a/1/b"},
    {"file a  seq\t1 type b\n", "a/1/b"},
    {"file \"a b\" seq 1 type b\n", "a b/1/b"},
    {"file 'a b' seq 1 type b\n", "a b/1/b"},
    {"file \"\\x61\\\"b\" seq 1 type b\n", "a\"b/1/b"},
    {"file a seq 1abc type b\n", "a/1/b"},
    {"file a seq \" +7 \" type b\n", "a/7/b"},
    {"file a seq -5 type b\n", "a/-5/b"},
    {"file a seq 9223372036854775807 type b\n", "a/9223372036854775807/b"},
    {"file a seq 9223372036854775808 type b\n", "a/9223372036854775807/b"},
    {"file a seq -9223372036854775809 type b\n", "a/-9223372036854775808/b"},
    {"file a file b seq 2 seq 1 type x type b\n", "b/1/b"},
    {"file a seq 1 type i startoffset 0 endoffset 44\n", "a/1/i/startoffset=0/endoffset=44"},
    {"file a seq 1 type b crc \"1 2\"\n", "a/1/b/crc=1 2"},
    {"file a seq 1 type b crc \"\"\n", "a/1/b/crc="},
    {"file a\"\\x00\"b\" seq 1 type b\n", ""},  // unbalanced
    {"file \"a\\x00b\" seq 1 type b\n", "a/1/b"},
    {"file a seq 1 type i\nfile b seq 1 type b\n", "a/1/i b/1/b"},
    {"file a seq 1 type i\nfile b seq 9 type i\n", "a/1/i b/9/i"},
    {"file a seq 1 type i\nfile a seq 2 type i\n", "a/1/i a/2/i"},
    {"file a seq 3 type h\nfile b seq 1 type h\nfile c seq 1 type b\n", "a/3/h b/1/h c/1/b"},
    {"#x\nfile a seq 1 type b\n#y", "a/1/b"},
    {"file .. seq 1 type b\n", "../1/b"},
    {kLongest, ""},
};

TEST_CASE("words are split as servers split them") {
  for (const Words& row : kWords) {
    CAPTURE(row.line);
    const auto words = split_words(row.line);
    std::string joined = words ? "" : "!";
    for (size_t i = 0; words && i < words->size(); ++i) joined += (i > 0 ? "|" : "") + (*words)[i];
    CHECK(joined == row.words);
  }
  CHECK(split_words(Bytes("a\0b", 3)) == std::vector<std::string>{"a"});
}

TEST_CASE("a quoted word is read back, whatever its bytes") {
  for (const Quoting quoting : {Quoting::as_server, Quoting::shortest}) {
    for (int first = 0; first < 256; ++first) {
      for (const char second : {'a', ' ', '"', '\'', '\\', '\0', '1'}) {
        const std::string word = {static_cast<char>(first), second};
        CHECK(split_words(quoted_word(word, quoting)) == std::vector<std::string>{word});
      }
    }
    CHECK(split_words(quoted_word("", quoting)) == std::vector<std::string>{""});
  }
  CHECK(quoted_word("plain-1.aof") == "plain-1.aof");
  CHECK(quoted_word("a b") == "\"a b\"");
  CHECK(quoted_word("\xc3\xa4\n") == R"("\xc3\xa4\n")");
  CHECK(quoted_word("\xc3\xa4\n", Quoting::shortest) == "\"\xc3\xa4\\n\"");
  CHECK(shown_word(std::string(100, 'x')) == std::string(64, 'x') + "...");
}

TEST_CASE("what servers read is read") {
  for (const Sound& row : kSound) {
    CAPTURE(row.text);
    const Parsed parsed = parse(row.text);
    if (row.lines.empty() && row.text != kLongest) {
      CHECK_FALSE(parsed.sound);
      continue;
    }
    CHECK(parsed.sound);
    if (!row.lines.empty()) CHECK(summary(parsed.manifest.lines) == row.lines);
    const bool only_history = parsed.manifest.lines.empty();
    CHECK(parsed.findings.empty() != only_history);
  }
}

TEST_CASE("comments are kept, and go in front") {
  const Parsed parsed = parse("# one\nfile a seq 1 type b\n#two\r\n#three");
  REQUIRE(parsed.sound);
  CHECK(parsed.manifest.comments == std::vector<std::string>{"# one", "#two\r", "#three"});
  CHECK(format_manifest(parsed.manifest) == "# one\n#two\r\n#three\nfile a seq 1 type b\n");
  CHECK(parse(std::string("#\0x\n", 4) + std::string(kBase)).sound);
}

TEST_CASE("the rest of a comment longer than the servers' buffer is a line") {
  const std::string full = "#" + std::string(1023, 'c');
  CHECK(parse("#" + std::string(1022, 'c') + '\n' + std::string(kBase)).sound);
  CHECK_FALSE(parse(full + '\n' + std::string(kBase)).sound);
  CHECK_FALSE(parse(full + "c\n" + std::string(kBase)).sound);
  CHECK(parse(full + "#c\n" + std::string(kBase)).manifest.comments == std::vector<std::string>{full + "#c"});
  CHECK(parse(full + std::string(kBase)).sound);  // a line that begins inside of the comment's
  const Parsed last = parse(kBase + full);
  CHECK(last.sound);
  CHECK(parse(format_manifest(last.manifest)).manifest == last.manifest);
}

struct Refused {
  std::string text;
  FindingCode code;
  uint64_t offset;
  uint64_t size;
  Bytes message;
  Bytes kept;  // what could be read all the same
};

const std::string kLong = "file a seq 2 type i x " + std::string(1002, 'y');

const Refused kRefused[] = {
    {"", FindingCode::manifest_empty, 0, 0, "The manifest has no bytes.", ""},
    {kLong + '\n', FindingCode::manifest_long_line, 0, 1024,
     "line 1: expected at most 1023 bytes, found 1024 bytes", "-"},
    {std::string("file a\0 seq 1 type b\n", 21), FindingCode::manifest_long_line, 0, 20,
     "line 1: expected text, found a NUL byte", ""},
    {kBase + "file a seq 2 type i", FindingCode::manifest_long_line, 35, 19,
     "line 2: expected a line feed at its end, found the end of the file", "a.aof.1.base.rdb/1/b a/2/i"},
    {kBase + "\n" + std::string(kIncr), FindingCode::manifest_format, 35, 0,
     "line 2: expected pairs with file, seq and type, found a blank line",
     "a.aof.1.base.rdb/1/b a.aof.1.incr.aof/1/i"},
    {kBase + " \t\r\n", FindingCode::manifest_format, 35, 3,
     "line 2: expected pairs with file, seq and type, found a blank line", "a.aof.1.base.rdb/1/b"},
    {" #x\n", FindingCode::manifest_format, 0, 3,
     "line 1: expected pairs with file, seq and type, found 1 word", ""},
    {"file \"a seq 1 type b\n", FindingCode::manifest_format, 0, 20,
     R"(line 1: expected a closed quote with a blank behind it, found "file \"a seq 1 type b")", ""},
    {"file \"a\"b seq 1 type b\n", FindingCode::manifest_format, 0, 22,
     R"(line 1: expected a closed quote with a blank behind it, found "file \"a\"b seq 1 type b")", ""},
    {"file a seq 1\n", FindingCode::manifest_format, 0, 12,
     "line 1: expected pairs with file, seq and type, found 4 words", ""},
    {"file a seq 1 type b x\n", FindingCode::manifest_format, 0, 21,
     "line 1: expected pairs with file, seq and type, found 7 words", ""},
    {"x y seq 1 type b\n", FindingCode::manifest_format, 0, 16,
     "line 1: file: expected the name of a file, found none", ""},
    {"file \"\" seq 1 type b\n", FindingCode::manifest_format, 0, 20,
     "line 1: file: expected the name of a file, found none", ""},
    {"file a x y type b\n", FindingCode::manifest_format, 0, 17,
     "line 1: seq: expected a number other than 0, found none", ""},
    {"file a seq 0 type b\n", FindingCode::manifest_format, 0, 19,
     "line 1: seq: expected a number other than 0, found 0", ""},
    {kBase + "#c\nfile a seq x\x01 type i\n", FindingCode::manifest_format, 38, 20,
     R"(line 3: seq: expected a number other than 0, found "x\x01")", "a.aof.1.base.rdb/1/b"},
    {"file a seq 1 x y\n", FindingCode::manifest_format, 0, 16,
     "line 1: type: expected b, i or h, found none", ""},
    {"file a seq 1 type \"\"\n", FindingCode::manifest_format, 0, 20,
     "line 1: type: expected b, i or h, found none", ""},
    {"file a seq 1 type B\n", FindingCode::manifest_type, 0, 19, "line 1: type: expected b, i or h, found B",
     ""},
    {"file d/a seq 1 type b\n", FindingCode::manifest_path, 0, 21,
     "line 1: file: expected a name without a folder, found d/a", ""},
    {"file d/a file a seq 1 type b\n", FindingCode::manifest_path, 0, 28,
     "line 1: file: expected a name without a folder, found d/a", ""},
    {"file d\\a seq 1 type b\n", FindingCode::manifest_path, 0, 21,
     R"(line 1: file: expected a name without a folder, found "d\\a")", ""},
    {kBase + std::string(kBase), FindingCode::manifest_two_bases, 35, 34,
     "line 2: type: expected one base, found another", "a.aof.1.base.rdb/1/b a.aof.1.base.rdb/1/b"},
    {kIncr + std::string(kIncr), FindingCode::manifest_sequence, 35, 34,
     "line 2: seq: expected more than 1, found 1", "a.aof.1.incr.aof/1/i a.aof.1.incr.aof/1/i"},
    {"file a seq -1 type i\n", FindingCode::manifest_sequence, 0, 20,
     "line 1: seq: expected more than 0, found -1", "a/-1/i"},
};

TEST_CASE("what servers refuse is one finding, at the line") {
  for (const Refused& row : kRefused) {
    CAPTURE(row.text);
    const Parsed parsed = parse(row.text);
    CHECK_FALSE(parsed.sound);
    REQUIRE(parsed.findings.size() == 1);
    const Finding& finding = parsed.findings.front();
    CHECK(finding.code == row.code);
    CHECK(finding.file == "a.aof.manifest");
    CHECK(finding.extent == Extent{row.offset, row.size});
    CHECK(finding.message() == row.message);
    if (row.kept != "-") CHECK(summary(parsed.manifest.lines) == row.kept);
  }
}

TEST_CASE("a broken line does not hide those behind it") {
  const Parsed parsed = parse("junk\n" + std::string(kBase) + "file a seq 0 type i\n\n" + std::string(kIncr));
  CHECK_FALSE(parsed.sound);
  CHECK(parsed.findings.size() == 3);
  CHECK(summary(parsed.manifest.lines) == "a.aof.1.base.rdb/1/b a.aof.1.incr.aof/1/i");
}

TEST_CASE("a file of blank lines does not fill the memory with findings") {
  CHECK(parse(std::string(100'000, '\n')).findings.size() == 100);
}

TEST_CASE("a manifest that lists nothing is read by servers, which then start empty") {
  for (const Bytes text : {"#", "# nothing\n", "file a seq 1 type h\n"}) {
    CAPTURE(text);
    const Parsed parsed = parse(text);
    CHECK(parsed.sound);
    REQUIRE(parsed.findings.size() == 1);
    CHECK(parsed.findings.front().code == FindingCode::manifest_comments);
  }
}

TEST_CASE("a manifest is written as servers write it") {
  Manifest manifest;
  manifest.lines = {{"a.2.incr.aof", 2, ManifestType::incr, {{"startoffset", "3751"}, {"endoffset", "9"}}},
                    {"a.1.incr.aof", 1, ManifestType::history, {}},
                    {"a.1.base.rdb", 1, ManifestType::history, {}},
                    {"a b\n.3.base.rdb", 3, ManifestType::base, {{"it's", ""}}},
                    {"a.1.incr.aof", 1, ManifestType::incr, {}}};
  CHECK(format_manifest(manifest) ==
        "file \"a b\\n.3.base.rdb\" seq 3 type b \"it's\" \"\"\n"
        "file a.1.incr.aof seq 1 type h\n"
        "file a.1.base.rdb seq 1 type h\n"
        "file a.1.incr.aof seq 1 type i\n"
        "file a.2.incr.aof seq 2 type i startoffset 3751 endoffset 9\n");
}

TEST_CASE("a line is never written longer than servers read") {
  const std::string bytes(400, '\xe4');
  Manifest manifest;
  manifest.lines = {{"a", 1, ManifestType::base, {{"x", bytes}}}};
  CHECK(parse(format_manifest(manifest)).manifest == manifest);
  manifest.lines.front().more.emplace_back("y", std::string(700, 'z'));
  const Parsed parsed = parse(format_manifest(manifest));
  CHECK(parsed.sound);
  CHECK(summary(parsed.manifest.lines) == "a/1/b");
}

const std::string kServers =
    "file appendonly.aof.2.base.rdb seq 2 type b\n"
    "file appendonly.aof.1.incr.aof seq 1 type h startoffset 0\n"
    "file \"my data\\x01.aof.2.incr.aof\" seq 2 type i startoffset 3751\n"
    "file appendonly.aof.3.incr.aof seq 3 type i startoffset 4000 endoffset 5000\n";

// Whatever the bytes: a sound manifest is the same after it was written and read.
void check_round_trip(Bytes text) {
  const Parsed parsed = parse(text);
  CHECK(parsed.sound ==
        (parsed.findings.empty() || parsed.findings.front().code == FindingCode::manifest_comments));
  (void)looks_like_manifest(text);
  (void)salvage_manifest(text);
  if (!parsed.sound) return;
  const std::string written = format_manifest(parsed.manifest);
  const Parsed again = parse(written);
  CHECK(again.sound);
  CHECK(format_manifest(again.manifest) == written);
  CHECK(again.manifest.lines.size() == parsed.manifest.lines.size());
}

TEST_CASE("what a server wrote is written again byte for byte") {
  const Parsed parsed = parse(kServers);
  CHECK(parsed.sound);
  CHECK(parsed.findings.empty());
  CHECK(format_manifest(parsed.manifest) == kServers);
}

TEST_CASE("cut at every byte: what is left is told, and nothing is invented") {
  const Parsed whole = parse(kServers);
  for (size_t size = 0; size < kServers.size(); ++size) {
    const Bytes text = Bytes(kServers).substr(0, size);
    const Parsed parsed = parse(text);
    CHECK(parsed.sound == (size != 0 && text.back() == '\n'));
    REQUIRE(parsed.manifest.lines.size() <= whole.manifest.lines.size());
    for (size_t i = 0; i < parsed.manifest.lines.size(); ++i) {
      CHECK(parsed.manifest.lines[i].file == whole.manifest.lines[i].file);
      CHECK(parsed.manifest.lines[i].type == whole.manifest.lines[i].type);
    }
    check_round_trip(text);
  }
}

TEST_CASE("every byte changed to every other") {
  std::string text = "#c\nfile \"a b\" seq 12 type i x 'y'\nfile c seq 1 type b\n";
  for (char& byte : text) {
    const char kept = byte;
    for (int value = 0; value < 256; ++value) {
      byte = static_cast<char>(value);
      check_round_trip(text);
    }
    byte = kept;
  }
}

struct Look {
  Bytes head;
  bool is_manifest;
};
constexpr Look kLooks[] = {
    {kBase, true},
    {"# comment\nfile a", true},
    {"\n TYPE b seq 1", true},
    {"seq\t1", true},
    {"file \"a b", true},
    {"", false},
    {"# comment\n", false},
    {"#TS:1628217470\r\n*1\r\n", false},
    {"*3\r\n$3\r\nSET\r\n", false},
    {"REDIS0011", false},
    {"file", false},
    {"files a b", false},
    {"set a 1\r\n", false},
};

TEST_CASE("a manifest is told by its first line") {
  for (const Look& row : kLooks) {
    CAPTURE(row.head);
    CHECK(looks_like_manifest(row.head) == row.is_manifest);
  }
}

struct Named {
  Bytes name;
  Bytes parts;  // "stem/sequence/type", empty for none
};
constexpr Named kNames[] = {
    {"appendonly.aof.1.base.rdb", "appendonly.aof/1/b"},
    {"appendonly.aof.12.base.aof", "appendonly.aof/12/b"},
    {"a b.3.incr.aof", "a b/3/i"},
    {"a.1.incr.rdb", ""},
    {"a.0.incr.aof", ""},
    {"a.-1.incr.aof", ""},
    {"a.99999999999999999999.incr.aof", ""},
    {"a.x.incr.aof", ""},
    {".1.incr.aof", ""},
    {"1.incr.aof", ""},
    {"temp-a.1.incr.aof", ""},
    {"a.1.incr.aof.bak", ""},
};

TEST_CASE("names of parts") {
  for (const Named& row : kNames) {
    CAPTURE(row.name);
    const auto part = parse_part_name(row.name);
    CHECK((part ? std::string(part->stem) + '/' + std::to_string(part->sequence) + '/' +
                      static_cast<char>(part->type)
                : "") == row.parts);
  }
  CHECK(is_manifest_name("a.manifest"));
  CHECK_FALSE(is_manifest_name("temp-a.manifest"));
  CHECK_FALSE(is_manifest_name(".manifest"));
  for (const Bytes name : {"", ".", "..", "a/b", "a\\b", "/"}) CHECK_FALSE(is_plain_name(name));
}

struct Salvaged {
  Bytes text;
  Bytes lines;
};
constexpr Salvaged kSalvaged[] = {
    {"file a.2.incr.aof seq abc type i\n", "a.2.incr.aof/2/i"},
    {"file a.2.incr.aof seq 2 type x\n", "a.2.incr.aof/2/i"},
    {"file a.2.base.rdb seq 2\n", "a.2.base.rdb/2/b"},
    {"file a.2.incr.aof seq 7 type h\n", "a.2.incr.aof/2/h"},
    {"file a.2.incr.aof seq 2 ty", ""},  // may have been history
    {"file a.2.incr.aof seq 2 type i", "a.2.incr.aof/2/i"},
    {"file log seq 2 type i\n", "log/2/i"},
    {"file log seq 0 type i\n", ""},
    {"file log seq 2\n", ""},
    {"file ../a.2.incr.aof seq 2 type i\n", ""},
    {"file .. seq 2 type i\n", ""},
    {"#file a.2.incr.aof seq 2 type i\n", ""},
};

TEST_CASE("what can be made of broken lines") {
  for (const Salvaged& row : kSalvaged) {
    CAPTURE(row.text);
    CHECK(summary(salvage_manifest(row.text)) == row.lines);
  }
}

}  // namespace
