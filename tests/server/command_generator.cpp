// What may stand at each place of a pattern.
#include "server/command_generator.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <stdexcept>

#include "server/command_patterns.hpp"
#include "text/command_line.hpp"

namespace persist::test {

namespace {

constexpr std::string_view kKeyFamilies = "sbplthzgx";
// Of these nothing strange is made.
constexpr std::string_view kStrictFamilies = "ywq";
constexpr int64_t kKeysPerFamily = 3;
constexpr int64_t kDbs = 3;
constexpr size_t kPayloadsMax = 64;
constexpr int64_t kLargeTimes = 300;

// No test runs as long as until then.
constexpr int64_t kFarAwayMs = 4'000'000'000'000;

constexpr const char* kScript =
    "redis.call('SET', KEYS[1], ARGV[1]); return redis.call('RPUSH', KEYS[2], ARGV[1], 'x')";

int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string library(std::string_view name) {
  return "#!lua name=" + std::string(name) + "\nredis.register_function('" + std::string(name) +
         "', function(keys, args) redis.call('SET', keys[1], args[1]); return redis.call('LPUSH', keys[2], "
         "args[1]) end)";
}

std::vector<std::string_view> words_of(std::string_view pattern) {
  std::vector<std::string_view> words;
  while (!pattern.empty()) {
    const size_t end = std::min(pattern.find(' '), pattern.size());
    words.push_back(pattern.substr(0, end));
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }
  return words;
}

bool opens(std::string_view word) { return word == "[" || word == "(" || word == "{" || word == "{{"; }
bool closes(std::string_view word) { return word == "]" || word == ")" || word == "}" || word == "}}"; }

// Where the bracket at `open` is closed.
size_t closing(std::span<const std::string_view> pattern, size_t open) {
  for (size_t at = open, depth = 0; at < pattern.size(); ++at) {
    if (opens(pattern[at])) ++depth;
    if (closes(pattern[at]) && --depth == 0) return at;
  }
  throw std::logic_error("a pattern does not close its bracket");
}

// Splitting takes longer than all else.
const std::vector<std::string_view>& split_pattern(const CommandPattern& pattern) {
  static std::map<const CommandPattern*, std::vector<std::string_view>> known;
  auto& words = known[&pattern];
  if (words.empty()) words = words_of(pattern.words);
  return words;
}

}  // namespace

std::vector<CommandWords> CommandGenerator::next() {
  bool blocks = false;
  std::vector<CommandWords> commands = {command(blocks)};
  if (!blocks && !once_in(40)) return commands;
  commands.insert(commands.begin(), {"MULTI"});
  for (uint64_t more = below(5); more > 0; --more) commands.push_back(command(blocks));
  commands.push_back({"EXEC"});
  return commands;
}

void CommandGenerator::learn_payload(const std::string& payload) {
  if (payloads_.size() < kPayloadsMax)
    payloads_.push_back(payload);
  else
    payloads_[below(kPayloadsMax)] = payload;
}

CommandWords CommandGenerator::command(bool& blocks) {
  static const std::span<const PatternFamily> families = pattern_families();
  static const uint64_t all_weights = [] {
    uint64_t sum = 0;
    for (const PatternFamily& family : families) sum += family.weight;
    return sum;
  }();
  while (true) {
    uint64_t place = below(all_weights);
    const PatternFamily* family = families.data();
    while (place >= family->weight) place -= family++->weight;
    const CommandPattern& pattern = family->patterns[below(family->patterns.size())];
    if (pattern.nature == Nature::chance && replies_ == Replies::certain) continue;
    // What empties or fills a lot is to be rare.
    const std::string_view text = pattern.words;
    if ((text.starts_with("FLUSHDB") || text.find("{{") != std::string_view::npos) && !once_in(8)) continue;
    CommandWords words;
    expand(split_pattern(pattern), words);
    if (once_in(100)) spoil(words);
    blocks = blocks || pattern.nature == Nature::blocks;
    return words;
  }
}

// A command that somebody mistyped. Its name stays: what it may do is known.
void CommandGenerator::spoil(CommandWords& words) {
  constexpr std::string_view kExact[] = {"EVAL", "FUNCTION", "SELECT", "MOVE", "COPY", "SWAPDB"};
  if (words.size() < 2 || std::ranges::find(kExact, words.front()) != std::end(kExact)) return;
  const auto is_strict = [](const std::string& word) {
    return word.size() == 2 && kStrictFamilies.find(word[0]) != std::string_view::npos;
  };
  if (std::ranges::any_of(words, is_strict)) return;
  // A time must not become one that passes.
  const bool has_time = words.front() == "RESTORE" || words.front() == "PEXPIREAT" ||
                        words.back() == "ABSTTL" || std::ranges::find(words, "PXAT") != words.end();
  if (has_time && replies_ == Replies::certain) return;
  const size_t at = 1 + below(words.size() - 1);
  switch (below(4)) {
    case 0:
      words.pop_back();
      break;
    case 1:
      words.push_back(words[at]);
      break;
    case 2:
      words[at] = value();
      break;
    default:
      words.insert(words.begin() + static_cast<ptrdiff_t>(at), number());
      break;
  }
}

void CommandGenerator::expand(Pattern pattern, CommandWords& out) {
  for (size_t at = 0; at < pattern.size(); ++at) {
    const std::string_view word = pattern[at];
    if (!opens(word)) {
      if (word.size() > 1 && word[0] == '@')
        out.push_back(key(word.substr(1)));
      else if (word.size() > 1 && word[0] == '%')
        fill(word.substr(1), out);
      else
        out.emplace_back(word);
      continue;
    }
    const size_t end = closing(pattern, at);
    const Pattern inner = pattern.subspan(at + 1, end - at - 1);
    if (word == "(") {
      expand_choice(inner, out);
    } else {
      const int64_t times = word == "["   ? between(0, 1)
                            : word == "{" ? between(1, 4)
                                          : between(1, kLargeTimes);
      for (int64_t i = 0; i < times; ++i) expand(inner, out);
    }
    at = end;
  }
}

void CommandGenerator::expand_choice(Pattern pattern, CommandWords& out) {
  std::vector<Pattern> choices;
  size_t from = 0;
  for (size_t at = 0; at <= pattern.size(); ++at) {
    if (at == pattern.size() || pattern[at] == "|") {
      choices.push_back(pattern.subspan(from, at - from));
      from = at + 1;
    } else if (opens(pattern[at])) {
      at = closing(pattern, at);
    }
  }
  expand(choices[below(choices.size())], out);
}

// --- Places ---------------------------------------------------------------------------------------------

void CommandGenerator::fill(std::string_view name, CommandWords& out) {
  if (name.starts_with("keys:")) return counted_keys(name.substr(5), out);
  if (name == "weights") return weights(out);
  if (name == "shape") return shape(out);
  if (name == "center") return center(out);
  using Maker = std::string (*)(CommandGenerator&);
  using G = CommandGenerator;
  static const std::map<std::string_view, Maker> makers = {
      {"v", [](G& g) { return g.value(); }},
      {"m", [](G& g) { return g.member(); }},
      {"n", [](G& g) { return g.number(); }},
      {"i", [](G& g) { return g.index(); }},
      {"f", [](G& g) { return g.score(); }},
      {"end", [](G& g) { return g.score_end(); }},
      {"lex", [](G& g) { return g.lex_end(); }},
      {"count", [](G& g) { return g.count(); }},
      {"element", [](G& g) { return "e" + std::to_string(g.below(2000)); }},
      {"few", [](G& g) { return std::string(1, static_cast<char>('a' + g.below(20))); }},
      {"db", [](G& g) { return std::to_string(g.between(0, kDbs - 1)); }},
      {"offset", [](G& g) { return g.once_in(20) ? g.number() : std::to_string(g.below(80)); }},
      {"bit", [](G& g) { return g.once_in(20) ? g.number() : std::to_string(g.below(300)); }},
      {"type", [](G& g) { return g.bit_type(); }},
      {"field", [](G& g) { return g.bit_field(); }},
      {"timeout", [](G& g) { return std::string(g.once_in(20)  ? "x"
                                                : g.once_in(2) ? "0"
                                                               : "0.01"); }},
      {"seconds", [](G& g) { return g.once_in(20) ? g.number() : std::to_string(g.below(100'000)); }},
      {"milliseconds", [](G& g) { return g.once_in(20) ? g.number() : std::to_string(g.below(3000)); }},
      {"future", [](G& g) { return g.future_ms(); }},
      {"time", [](G& g) { return g.time_ms(); }},
      {"past_ms", [](G& g) { return std::to_string(now_ms() - g.between(0, 100'000)); }},
      {"past_s", [](G& g) { return std::to_string(now_ms() / 1000 + g.between(-1000, 1000)); }},
      {"id", [](G& g) { return g.stream_id(); }},
      {"group", [](G& g) { return "g" + std::to_string(g.below(3)); }},
      {"consumer", [](G& g) { return "c" + std::to_string(g.below(3)); }},
      {"longitude", [](G& g) { return g.coordinate(181); }},
      {"latitude", [](G& g) { return g.coordinate(86); }},
      {"radius", [](G& g) { return g.once_in(20) ? g.score() : std::to_string(g.below(20'000)); }},
      {"unit",
       [](G& g) {
         return g.once_in(30) ? "x" : std::string(g.one_of({"m", "km", "km", "ft", "mi"}));
       }},
      {"payload", [](G& g) { return g.payload(); }},
      {"pattern",
       [](G& g) {
         return std::string(
             g.one_of({"*", "#", "s*", "h*->f1", "h*->1", "l*", "nosort", "s*->", "*->*", ""}));
       }},
      {"library",
       [](G& g) {
         return library(g.one_of({"one", "two", "three"}));
       }},
      {"script", [](G&) { return std::string(kScript); }},
  };
  const auto maker = makers.find(name);
  if (maker == makers.end()) throw std::logic_error("nothing is known to stand at a place of a pattern");
  out.push_back(maker->second(*this));
}

std::string CommandGenerator::key(std::string_view families) {
  char family = families[below(families.size())];
  const bool strict = kStrictFamilies.find(family) != std::string_view::npos;
  if (family == 'k' || (!strict && once_in(16))) family = kKeyFamilies[below(kKeyFamilies.size())];
  return std::string(1, family) + std::to_string(between(0, kKeysPerFamily));
}

void CommandGenerator::counted_keys(std::string_view families, CommandWords& out) {
  keys_counted_ = static_cast<size_t>(between(1, 3));
  out.push_back(once_in(40) ? number() : std::to_string(keys_counted_));
  for (size_t i = 0; i < keys_counted_; ++i) out.push_back(key(families));
}

void CommandGenerator::weights(CommandWords& out) {
  out.emplace_back("WEIGHTS");
  for (size_t i = 0; i < keys_counted_; ++i) out.push_back(score());
}

void CommandGenerator::center(CommandWords& out) {
  if (once_in(2))
    out.insert(out.end(), {"FROMMEMBER", member()});
  else
    out.insert(out.end(), {"FROMLONLAT", coordinate(181), coordinate(86)});
}

void CommandGenerator::shape(CommandWords& out) {
  if (once_in(2)) {
    out.emplace_back("BYRADIUS");
  } else {
    out.emplace_back("BYBOX");
    fill("radius", out);
  }
  fill("radius", out);
  fill("unit", out);
}

std::string CommandGenerator::value() {
  static const std::string kValues[] = {"",
                                        "0",
                                        "1",
                                        "-1",
                                        "7",
                                        "007",
                                        "-0",
                                        "abc",
                                        "3.5",
                                        "1e5",
                                        "inf",
                                        "hello",
                                        std::string("\0\xff\r\n", 4),
                                        std::string(70, 'x'),
                                        "a b",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "9223372036854775808",
                                        "nan",
                                        "10",
                                        "2",
                                        " 3"};
  if (once_in(300)) return std::string(20'000, 'y');
  return once_in(3) ? std::to_string(between(-30, 30)) : one_of(kValues);
}

std::string CommandGenerator::member() {
  static const std::string kMembers[] = {
      "f1", "f2", "a", "b", "ab", "B", "", std::string("\0\x80", 2), std::string(65, 'm')};
  return once_in(2) ? std::to_string(between(-3, 12)) : one_of(kMembers);
}

// A number that is taken for what it is wherever it stands does no harm: none asks for gigabytes.
std::string CommandGenerator::number() {
  static const std::string kNumbers[] = {"9223372036854775807",
                                         "-9223372036854775808",
                                         "-9223372036854775807",
                                         "9223372036854775808",
                                         "4611686018427387904",
                                         "-4611686018427387905",
                                         "4294967296",
                                         "8589934592",
                                         "-2147483649",
                                         "x",
                                         "",
                                         "1.5",
                                         "+1",
                                         "01",
                                         " 1",
                                         "-0",
                                         "0"};
  return once_in(4) ? one_of(kNumbers) : std::to_string(between(-300, 300));
}

std::string CommandGenerator::index() { return once_in(12) ? number() : std::to_string(between(-6, 6)); }

std::string CommandGenerator::count() {
  return once_in(25) ? number() : std::to_string(between(0, once_in(5) ? 300 : 6));
}

// None leaves the range of numbers: servers keep errno until something else sets it, and a later SORT of
// theirs then takes its own numbers for wrong.
std::string CommandGenerator::score() {
  static const std::string kScores[] = {"inf",
                                        "-inf",
                                        "+inf",
                                        "nan",
                                        "-0",
                                        "0",
                                        "0.0",
                                        "1e308",
                                        "1e17",
                                        "4611686018427387904",
                                        "4503599627370497.5",
                                        "9007199254740993",
                                        "0x1p-3",
                                        "1e5",
                                        " 1",
                                        "x",
                                        "",
                                        "3.0e3",
                                        "0.1",
                                        "200.7712097",
                                        "1e-5",
                                        "infinity",
                                        "Inf"};
  if (once_in(8)) return one_of(kScores);
  if (once_in(2)) return std::to_string(between(-5, 5));
  return std::to_string(between(-100, 100)) + "." + std::to_string(below(1000));
}

std::string CommandGenerator::score_end() {
  if (once_in(4)) return once_in(2) ? "-inf" : "+inf";
  return (once_in(3) ? "(" : "") + score();
}

std::string CommandGenerator::lex_end() {
  switch (below(8)) {
    case 0:
    case 1:
      return "-";
    case 2:
    case 3:
      return "+";
    case 4:
      return once_in(4) ? member() : "(";
    default:
      return (once_in(2) ? "[" : "(") + member();
  }
}

std::string CommandGenerator::future_ms() { return std::to_string(kFarAwayMs + between(0, 5)); }

std::string CommandGenerator::time_ms() {
  if (once_in(20)) return number();
  if (once_in(3)) return future_ms();
  return std::to_string(now_ms() + between(-2000, 2000));
}

std::string CommandGenerator::stream_id() {
  if (once_in(20))
    return one_of(
        {"0-0", "x", "18446744073709551615-18446744073709551615", "5-", "-", "1-2-3", "3-x", "(1-1"});
  const std::string ms = std::to_string(below(30));
  if (once_in(4)) return ms;
  if (once_in(8)) return ms + "-*";
  return ms + "-" + std::to_string(below(5));
}

std::string CommandGenerator::bit_type() {
  if (once_in(30)) return one_of({"u64", "i65", "i0", "x", "u", "u-1"});
  return once_in(2) ? "u" + std::to_string(between(1, 63)) : "i" + std::to_string(between(1, 64));
}

std::string CommandGenerator::bit_field() {
  if (once_in(20)) return number();
  return once_in(3) ? "#" + std::to_string(below(10)) : std::to_string(below(120));
}

std::string CommandGenerator::payload() {
  if (payloads_.empty() || once_in(20)) return value();
  std::string payload = payloads_[below(payloads_.size())];
  if (once_in(50)) payload[below(payload.size())] ^= 1;
  return payload;
}

std::string CommandGenerator::coordinate(double limit) {
  if (once_in(30)) return score();
  // Few places, so that some are the same and some are close.
  if (once_in(2)) return std::to_string(between(-8, 8) * 10);
  return std::to_string(std::uniform_real_distribution(-limit, limit)(random_));
}

std::string line_of(const CommandWords& words) {
  ByteBuffer line;
  for (const std::string& word : words) {
    if (!line.bytes().empty()) line.append(' ');
    append_argument(line, word);
  }
  return std::string(line.bytes());
}

std::string encoded(const CommandWords& words) {
  std::string request = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return request;
}

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace persist::test
