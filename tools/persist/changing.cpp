// What the words of these options mean.
#include "changing.hpp"

#include <charconv>
#include <limits>
#include <stdexcept>

namespace persist::tool {

namespace {

constexpr std::string_view kShift = "shift=";

struct DurationUnit {
  std::string_view name;
  int64_t ms;
};
constexpr DurationUnit kDurationUnits[] = {
    {"ms", 1},        {"s", 1000},       {"", 1000},         {"m", 60'000},
    {"h", 3'600'000}, {"d", 86'400'000}, {"w", 604'800'000},
};

std::pair<uint64_t, uint64_t> parse_db_pair(const std::string& text) {
  std::pair<uint64_t, uint64_t> pair;
  const char* end = text.data() + text.size();
  const auto from = std::from_chars(text.data(), end, pair.first);
  if (from.ec == std::errc{} && from.ptr != end && *from.ptr == '=') {
    const auto to = std::from_chars(from.ptr + 1, end, pair.second);
    constexpr uint64_t kDbMax = std::numeric_limits<int32_t>::max();
    if (to.ec == std::errc{} && to.ptr == end && pair.second <= kDbMax) return pair;
  }
  throw std::invalid_argument("--db-map " + text + ": expected FROM=TO, such as 0=1");
}

}  // namespace

int64_t parse_duration(const std::string& option, const std::string& text) {
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  int64_t number = 0;
  const auto digits = std::from_chars(begin, end, number);
  const std::string_view unit(digits.ptr, static_cast<size_t>(end - digits.ptr));
  for (const DurationUnit& each : kDurationUnits) {
    int64_t ms = 0;
    if (digits.ec == std::errc{} && unit == each.name && !__builtin_mul_overflow(number, each.ms, &ms))
      return ms;
  }
  throw std::invalid_argument(option + " " + text + ": expected a time such as +30d, -12h, 90s or 1500ms");
}

void ChangeArguments::add_names_to(CLI::App& app) {
  app.add_option("--db-map", db_map, "put the keys of db FROM into db TO")
      ->type_name("FROM=TO")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--rename", renames,
                 "as sed does with the name of each key: s/^a:/b:/ (several: one by one)")
      ->type_name("s/RE/TEXT/")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

void ChangeArguments::add_to(CLI::App& app) {
  add_names_to(app);
  app.add_option("--expired", expired, "what has expired: keep, drop, only, persist or shift=+30d [keep]")
      ->type_name("HOW");
  app.add_option("--as-of", as_of,
                 "the time that counts for --expired and --ttl [now]; alone: --expired drop")
      ->type_name("TIME");
  app.add_option("--ttl", ttl,
                 "all expiries: none takes them away, shift=+30d moves them, 30d from now for every key")
      ->type_name("HOW");
}

bool ChangeArguments::changes_something() const {
  return !db_map.empty() || !renames.empty() || !ttl.empty() || drops_expired() || expired == "persist" ||
         expired.starts_with(kShift);
}

int64_t ChangeArguments::now_ms() const {
  return as_of.empty() ? wall_clock_ms() : time_option("--as-of", as_of);
}

KeyChangeOptions ChangeArguments::options() const {
  KeyChangeOptions options;
  options.now_ms = now_ms();
  for (const std::string& pair : db_map) options.dbs.push_back(parse_db_pair(pair));
  for (const std::string& text : renames) options.renames.push_back(parse_rename(text));
  options.drop_expired_fields = drops_expired();
  if (expired == "persist")
    options.expired = {ExpiryChange::persist, 0};
  else if (expired.starts_with(kShift))
    options.expired = {ExpiryChange::shift, parse_duration("--expired", expired.substr(kShift.size()))};
  if (ttl == "none")
    options.all = {ExpiryChange::persist, 0};
  else if (ttl.starts_with(kShift))
    options.all = {ExpiryChange::shift, parse_duration("--ttl", ttl.substr(kShift.size()))};
  else if (!ttl.empty())
    options.all = {ExpiryChange::set, options.now_ms + parse_duration("--ttl", ttl)};
  return options;
}

FilterOptions ChangeArguments::with_expired(FilterOptions selection) const {
  selection.now_ms = now_ms();
  if (drops_expired())
    selection.expired = Expired::drop;
  else if (expired == "only")
    selection.expired = Expired::only;
  else if (!expired.empty() && expired != "keep" && expired != "persist" && !expired.starts_with(kShift))
    throw std::invalid_argument("--expired " + expired +
                                ": expected keep, drop, only, persist or shift=+30d");
  return selection;
}

}  // namespace persist::tool
