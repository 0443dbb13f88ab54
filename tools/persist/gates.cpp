// What the gates ask, and how they say no. They fail closed.
#include "gates.hpp"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "options.hpp"
#include "report.hpp"

namespace persist::tool {

namespace {

constexpr int64_t kMinute = 60;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kMillisecondsInSecond = 1000;
// Clocks differ a little; beyond that a time to come is a mistake, and would never be too old.
constexpr int64_t kAheadMax = 5 * kMinute;

struct TimeUnit {
  std::string_view name;
  int64_t seconds;
};
// The largest first.
constexpr TimeUnit kTimeUnits[] = {{"w", 7 * kDay}, {"d", kDay}, {"h", kHour}, {"m", kMinute}, {"s", 1}};

// The number that the text begins with, and what stands behind it.
template <typename Number>
std::optional<std::pair<Number, std::string_view>> split_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return std::pair{number, text.substr(static_cast<size_t>(end - text.data()))};
}

int64_t parse_span_s(const std::string& option, const std::string& text) {
  if (const auto parts = split_number<int64_t>(text); parts && parts->first >= 0) {
    const auto& [number, name] = *parts;
    for (const TimeUnit& unit : kTimeUnits) {
      const bool named = name == unit.name || (name.empty() && unit.seconds == 1);
      if (named && number <= std::numeric_limits<int64_t>::max() / unit.seconds) return number * unit.seconds;
    }
  }
  throw std::invalid_argument(option + " " + text + ": expected a time span such as 90m, 26h, 7d or seconds");
}

// A plain number is a share of one: 20 without the sign could mean anything.
double parse_share(const std::string& option, const std::string& text) {
  constexpr double kPercent = 100;
  if (const auto parts = split_number<double>(text)) {
    const auto& [number, sign] = *parts;
    if (sign == "%" && number >= 0 && number <= kPercent) return number / kPercent;
    if (sign.empty() && number >= 0 && number < 1) return number;
  }
  throw std::invalid_argument(option + " " + text + ": expected a share such as 20% or 0.2");
}

// "2d 3h", "1h 1s", "0s": the first two units that there are any of, from days on.
std::string duration_in_words(int64_t seconds) {
  constexpr int kUnitsShown = 2;
  std::string text;
  int shown = 0;
  for (const TimeUnit& unit : kTimeUnits) {
    if (unit.seconds > kDay || seconds < unit.seconds || shown == kUnitsShown) continue;
    text += fmt::format("{}{}{}", text.empty() ? "" : " ", seconds / unit.seconds, unit.name);
    seconds %= unit.seconds;
    ++shown;
  }
  return text.empty() ? "0s" : text;
}

class GateCheck {
 public:
  GateCheck(const Verdict& verdict, const Gates& gates) : verdict_(verdict), gates_(gates) {}

  std::vector<Finding> run() {
    if (gates_.min_keys) check_keys(*gates_.min_keys);
    if (gates_.max_age_s) check_age(*gates_.max_age_s);
    if (gates_.baseline) check_baseline(*gates_.baseline);
    if (gates_.require_checksum) check_checksums();
    return std::move(failed_);
  }

 private:
  void check_keys(uint64_t least) {
    if (least == 0 || verdict_.keys().value_or(0) >= least) return;
    fail(FindingCode::gate_min_keys, "keys", fmt::format("at least {}", least), keys_in_words());
  }

  [[nodiscard]] std::string keys_in_words() const {
    if (const std::optional<uint64_t> keys = verdict_.keys()) return std::to_string(*keys);
    std::string text = fmt::format("{} in the RDB part, and {} whose keys are not counted",
                                   verdict_.rdb_keys(), counted(verdict_.commands(), "command"));
    if (verdict_.flushes() > 0) text += fmt::format(" ({} of them empty databases)", verdict_.flushes());
    return text;
  }

  // Never by the time of the file: a copy has a new one.
  void check_age(int64_t most_s) {
    const std::optional<int64_t> newest_s = verdict_.newest_time_s();
    if (!newest_s) return fail_age(verdict_.log ? "no time in the log" : "no time in the file");
    const std::string when = time_in_words(*newest_s);
    // All times are from 0 on: no difference overflows.
    if (*newest_s > gates_.now_s) {
      const int64_t ahead_s = *newest_s - gates_.now_s;
      if (ahead_s > kAheadMax) fail_age(fmt::format("{}, {} from now", when, duration_in_words(ahead_s)));
      return;
    }
    const int64_t age_s = gates_.now_s - *newest_s;
    if (age_s > most_s) fail_age(fmt::format("{}, of {}{}", duration_in_words(age_s), when, undated()));
  }

  void fail_age(std::string found) {
    fail(FindingCode::gate_max_age, "age", "at most " + gates_.max_age, std::move(found));
  }

  [[nodiscard]] std::string undated() const {
    const uint64_t commands = verdict_.undated_commands();
    return commands == 0 ? "" : fmt::format(" (and {} without a time)", counted(commands, "command"));
  }

  void check_baseline(const Baseline& baseline) {
    const BaselineLine* before = baseline.find(verdict_.path, gates_.only_path);
    if (before == nullptr || !before->sound) {
      const std::string found = before == nullptr ? "none for this path" : "one of damaged data";
      return fail(FindingCode::gate_shrunk, "baseline", "a line of sound data in " + gates_.baseline_file,
                  found);
    }
    // Like is compared with like: keys in the end, unless a log was not replayed for the one or the other.
    const std::optional<uint64_t> end = verdict_.keys();
    const bool in_the_end = before->keys && (end || before->commands > 0);
    const uint64_t keys_before = in_the_end ? *before->keys : before->rdb_keys;
    const uint64_t keys_now = in_the_end ? end.value_or(0) : verdict_.rdb_keys();
    compare("keys", keys_before, keys_now, in_the_end || !end ? keys_in_words() : std::to_string(keys_now));
    compare("functions", before->functions, verdict_.functions(), std::to_string(verdict_.functions()));
    // A rewrite makes a log smaller and loses nothing, so the bytes of one count only while nothing else
    // tells how much there is.
    const bool logs = before->commands > 0 || verdict_.commands() > 0;
    const bool keyless = keys_before == 0 && keys_now == 0;
    if (!logs || keyless) compare("bytes", before->bytes, verdict_.bytes(), std::to_string(verdict_.bytes()));
    // What is flushed behind the RDB part is still counted in it.
    if (verdict_.flushes() > before->flushes) {
      fail(FindingCode::gate_shrunk, "commands that empty databases",
           fmt::format("at most {} as in the baseline", before->flushes), std::to_string(verdict_.flushes()));
    }
  }

  void compare(const char* what, uint64_t before, uint64_t now, std::string now_in_words) {
    // The sum of roundings must not fail what is allowed exactly.
    constexpr double kSlack = 1 + 1e-12;
    const double allowed = std::floor(static_cast<double>(before) * gates_.max_shrink * kSlack);
    if (now >= before || static_cast<double>(before - now) <= allowed) return;
    const uint64_t least = before - static_cast<uint64_t>(allowed);
    fail(FindingCode::gate_shrunk, what,
         fmt::format("at least {} ({} in the baseline, less {})", least, before, gates_.max_shrink_text),
         std::move(now_in_words));
  }

  // A log has no checksums; only its RDB parts do.
  void check_checksums() {
    if (!verdict_.log) return check_checksum(verdict_.path, verdict_.rdb);
    for (const PartSummary& part : verdict_.log->parts) {
      if (part.rdb) check_checksum(part.part.path, *part.rdb);
    }
  }

  void check_checksum(const std::string& file, const CheckSummary& rdb) {
    std::string found;
    if (!rdb.has_header)
      found = "no RDB data";
    else if (!rdb.complete)
      found = "the reading ended before it";
    else if (rdb.checksum == ChecksumState::disabled)
      found = "none: it was switched off";
    else if (rdb.checksum == ChecksumState::absent)
      found = fmt::format("none: RDB version {} has no checksums", rdb.version);
    if (found.empty()) return;
    fail(FindingCode::gate_checksum, "checksum", "one to hold the file against", std::move(found));
    failed_.back().file = file;
  }

  void fail(FindingCode code, std::string subject, std::string expected, std::string found) {
    Finding& finding = failed_.emplace_back();
    finding.code = code;
    finding.file = verdict_.path;
    finding.subject = std::move(subject);
    finding.expected = std::move(expected);
    finding.found = std::move(found);
  }

  const Verdict& verdict_;
  const Gates& gates_;
  std::vector<Finding> failed_;
};

}  // namespace

std::vector<Finding> failed_gates(const Verdict& verdict, const Gates& gates) {
  return GateCheck(verdict, gates).run();
}

void GateArguments::add_to(CLI::App& app) {
  app.add_option("--min-keys", min_keys, "gate: fewer keys than N are too few; a log is replayed")
      ->type_name("N")
      ->check(whole_number());
  auto* age = app.add_option("--max-age", max_age, "gate: data older than this, such as 26h, is too old")
                  ->type_name("SPAN");
  app.add_option("--as-of", as_of, "the time that --max-age goes by [now]")->type_name("TIME")->needs(age);
  auto* before = app.add_option("--baseline", baseline, "gate: hold it against what an earlier --json said")
                     ->type_name("FILE");
  app.add_option("--max-shrink", max_shrink, "with --baseline: how much less there may be now [20%]")
      ->type_name("SHARE")
      ->needs(before);
  app.add_flag("--require-checksum", require_checksum, "gate: an RDB file must have a checksum");
}

Gates GateArguments::gates() const {
  Gates gates;
  gates.min_keys = min_keys;
  gates.require_checksum = require_checksum;
  if (!max_age.empty()) gates.max_age_s = parse_span_s("--max-age", max_age);
  gates.max_age = max_age;
  const std::optional<int64_t> now_ms = as_of.empty() ? wall_clock_ms() : parse_time(as_of);
  if (!now_ms || *now_ms < 0) {
    throw std::invalid_argument("--as-of " + as_of +
                                ": expected a time such as 2026-11-20T18:00:00Z or 1795200000");
  }
  gates.now_s = *now_ms / kMillisecondsInSecond;
  gates.max_shrink = parse_share("--max-shrink", max_shrink);
  gates.max_shrink_text = max_shrink;
  if (!baseline.empty()) gates.baseline = Baseline::read(baseline);
  gates.baseline_file = baseline;
  return gates;
}

}  // namespace persist::tool
