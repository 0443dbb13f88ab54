// Reading what users type.
#include "options.hpp"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <stdexcept>

namespace persist::tool {

namespace {

constexpr unsigned kSlotMax = 16383;
constexpr size_t kOptionColumns = 28;

std::optional<unsigned> parse_number(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::pair<unsigned, unsigned> parse_slots(const std::string& text) {
  const size_t dash = text.find('-');
  const std::optional<unsigned> first = parse_number(std::string_view(text).substr(0, dash));
  const std::optional<unsigned> last =
      dash == std::string::npos ? first : parse_number(std::string_view(text).substr(dash + 1));
  if (!first || !last || *first > *last || *last > kSlotMax) {
    throw std::invalid_argument("--slot " + text +
                                ": expected a slot from 0 to 16383, or a range such as 0-5460");
  }
  return {*first, *last};
}

ValueType parse_type(const std::string& text) {
  for (int i = 0; i <= static_cast<int>(ValueType::module); ++i) {
    const auto type = static_cast<ValueType>(i);
    if (value_type_name(type) == text) return type;
  }
  throw std::invalid_argument("--type " + text +
                              ": expected string, list, set, zset, hash, stream, array or module");
}

}  // namespace

std::optional<Exit> parse(CLI::App& app, Arguments arguments) {
  app.set_help_flag("-h,--help", "show this and exit");
  app.get_formatter()->label("REQUIRED", "");
  app.get_formatter()->label("TEXT", "");
  app.get_formatter()->label("Positionals", "What");
  app.get_formatter()->column_width(kOptionColumns);
  try {
    app.parse(static_cast<int>(arguments.size()), arguments.data());
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);
      return kDone;
    }
    fmt::print(stderr, "{}: {}\n{}: `{} --help` tells the options\n", app.get_name(), printable(error.what()),
               app.get_name(), app.get_name());
    return kTrouble;
  }
}

void add_examples(CLI::App& app, const std::string& examples) { app.footer("Examples:\n" + examples); }

CLI::Validator whole_number() {
  return {[](const std::string& text) {
            const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
            return digits ? std::string() : "expected a whole number, found " + text;
          },
          ""};
}

int64_t wall_clock_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::optional<int64_t> parse_time(const std::string& text) {
  constexpr int64_t kFirstMilliseconds = 100'000'000'000;  // as seconds, this would be the year 5138
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) {
    return number < kFirstMilliseconds && number > -kFirstMilliseconds ? number * 1000 : number;
  }
  for (const char* format : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* rest = ::strptime(text.c_str(), format, &parts);
    if (rest != nullptr && *rest == '\0') return int64_t{::timegm(&parts)} * 1000;
  }
  return std::nullopt;
}

int64_t time_option(const std::string& name, const std::string& text) {
  if (const std::optional<int64_t> time_ms = parse_time(text)) return *time_ms;
  throw std::invalid_argument(name + " " + text +
                              ": expected a time such as 2026-11-20T18:00:00Z or 1795200000");
}

void add_known(CLI::App& app, std::vector<std::string>& known) {
  app.add_option("--known", known, "names of commands that were renamed, or are a module's")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

void CommonOptions::add_to(CLI::App& app) {
  app.add_flag("--json", json, "findings and summaries as JSON lines");
  app.add_option("--max-findings", findings_max, "say at most N findings a file, count the rest [100]")
      ->type_name("N")
      ->check(whole_number());
  app.add_option("--threads", threads, "work with N threads [as many as are useful]")
      ->type_name("N")
      ->check(whole_number());
  app.add_option("--progress", progress, "auto, always or never show how far it has come")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"auto", "always", "never"}).description(""));
}

When CommonOptions::progress_when() const {
  if (progress == "always") return When::always;
  return progress == "never" ? When::never : When::automatic;
}

void FilterArguments::add_selection_to(CLI::App& app) {
  app.add_option("--key", globs, "keys that match, as KEYS does: * ? [a-z] (any of several)")
      ->type_name("GLOB")
      ->take_all()
      ->allow_extra_args(false)
      ->expected(1);
  app.add_option("--key-regex", regexes, "keys in which this RE2 expression is found")
      ->type_name("REGEX")
      ->take_all()
      ->allow_extra_args(false)
      ->expected(1);
  app.add_flag("--not", invert, "the entries that --key, --key-regex, --db, --type, --slot do not select");
  app.add_option("--db", dbs, "these databases")
      ->type_name("N,...")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--type", types, "string list set zset hash stream array module")
      ->type_name("TYPE,...")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--slot", slots, "cluster slots, such as 7 or 0-5460")
      ->type_name("SLOT,...")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

void FilterArguments::add_to(CLI::App& app) {
  add_selection_to(app);
  app.add_option("--expired", expired, "keep, drop, or only those whose expiry has passed")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"keep", "drop", "only"}).description(""));
  app.add_option("--as-of", as_of, "the time that --expired goes by [now]; alone it means --expired drop")
      ->type_name("TIME");
}

bool FilterArguments::selects() const {
  return !globs.empty() || !regexes.empty() || !dbs.empty() || !types.empty() || !slots.empty();
}

FilterOptions FilterArguments::options() const {
  FilterOptions options;
  if (invert && !selects())
    throw std::invalid_argument("--not: expected --key, --key-regex, --db, --type or --slot with it");
  options.key_globs = globs;
  options.key_regexes = regexes;
  options.invert = invert;
  options.dbs = dbs;
  for (const std::string& type : types) options.types.push_back(parse_type(type));
  for (const std::string& range : slots) options.slots.push_back(parse_slots(range));
  const bool drops = expired == "drop" || (expired.empty() && !as_of.empty());
  options.expired = drops ? Expired::drop : expired == "only" ? Expired::only : Expired::keep;
  options.now_ms = as_of.empty() ? wall_clock_ms() : time_option("--as-of", as_of);
  return options;
}

}  // namespace persist::tool
