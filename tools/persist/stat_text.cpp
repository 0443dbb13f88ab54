// One table after the other, most important first; those with nothing in them are left out.
#include "stat_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

constexpr int64_t kSecondInMs = 1000;

// "37.5%"; of nothing "-".
std::string share(uint64_t part, uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f}%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

void heading(const std::string& text) { fmt::print("\n{}\n", text); }

// --- Tables of counts

void count_header(const std::string& what) {
  heading(fmt::format("{:<24} {:>12} {:>14} {:>12} {:>12} {:>7}", what, "keys", "elements", "bytes", "memory",
                      "share"));
}

void count_row(const std::string& name, const StatCount& count, const StatCount& total) {
  fmt::print("{:<24} {:>12} {:>14} {:>12} {:>12} {:>7}\n", name, count.keys, count.elements,
             human_size(count.bytes), human_size(count.memory), share(count.memory, total.memory));
}

// Those that take most first.
template <typename Key>
void count_rows(std::vector<std::pair<Key, StatCount>> rows, size_t most, const StatCount& total) {
  std::ranges::stable_sort(rows, std::ranges::greater(), [](const auto& row) { return row.second.memory; });
  StatCount others;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i < most)
      count_row(fmt::format("{}", rows[i].first), rows[i].second, total);
    else
      others.add(rows[i].second);
  }
  if (has_keys(others)) count_row("others", others, total);
}

void print_counts(const StatReport& report) {
  constexpr size_t kDbsShown = 20;
  count_header("type");
  std::vector<std::pair<std::string_view, StatCount>> types;
  for (size_t i = 0; i < report.types.size(); ++i) {
    if (has_keys(report.types[i].count))
      types.emplace_back(value_type_name(static_cast<ValueType>(i)), report.types[i].count);
  }
  count_rows(types, types.size(), report.total);
  count_header("encoding");
  std::vector<std::pair<std::string, StatCount>> encodings;
  for (const auto& [label, encoding] : report.encodings)
    encodings.emplace_back(printable(label), encoding.count);
  count_rows(encodings, encodings.size(), report.total);
  count_header("db");
  std::vector<std::pair<std::string, StatCount>> dbs;
  for (const auto& [number, db] : report.dbs) dbs.emplace_back(std::to_string(number), db.count);
  if (has_keys(report.other_dbs.count)) dbs.emplace_back("65536 and above", report.other_dbs.count);
  count_rows(dbs, kDbsShown, report.total);
}

// "10 min", "1 d"
std::string duration(int64_t seconds) {
  struct Unit {
    uint64_t seconds;
    const char* name;
  };
  constexpr Unit kUnits[] = {{86400, "d"}, {3600, "h"}, {60, "min"}};
  const auto whole = static_cast<uint64_t>(seconds);
  for (const Unit& unit : kUnits)
    if (whole % unit.seconds == 0) return fmt::format("{} {}", whole / unit.seconds, unit.name);
  return fmt::format("{} s", whole);
}

template <size_t Ends, size_t Bins>
void print_bins(const std::array<int64_t, Ends>& ends_s, const std::array<StatCount, Bins>& bins,
                const StatCount& total) {
  for (size_t i = 0; i < Bins; ++i) {
    if (bins[i].keys == 0) continue;
    const std::string name =
        i < Ends ? "below " + duration(ends_s[i]) : duration(ends_s[Ends - 1]) + " and more";
    count_row(name, bins[i], total);
  }
}

void print_expiries(const StatReport& report) {
  count_header("time to live");
  count_row("without expiry", report.persistent, report.total);
  if (report.expired.keys > 0) count_row("expired", report.expired, report.total);
  print_bins(kTtlBinsS, report.ttl, report.total);
  fmt::print("measured at {}\n", time_in_words(report.as_of_last_ms / kSecondInMs));
  if (report.volatile_fields > 0) {
    fmt::print("{} with an expiry, {} of them expired\n", counted(report.volatile_fields, "hash field"),
               report.expired_fields);
  }
}

void print_use(const StatReport& report) {
  if (std::ranges::any_of(report.idle, has_keys)) {
    count_header("idle time");
    print_bins(kIdleBinsS, report.idle, report.total);
  }
  if (std::ranges::none_of(report.freq, has_keys)) return;
  count_header("frequency");
  for (size_t begin = 0, end = 1; begin < report.freq.size(); begin = end, end *= 2) {
    StatCount bin;
    for (size_t i = begin; i < std::min(end, report.freq.size()); ++i) bin.add(report.freq[i]);
    if (bin.keys > 0)
      count_row(end - begin == 1 ? std::to_string(begin) : fmt::format("{} to {}", begin, end - 1), bin,
                report.total);
  }
}

// --- Distributions

void quantile_row(const std::string& name, const Histogram& histogram) {
  fmt::print("{:<24} {:>12} {:>12} {:>12} {:>12} {:>14}\n", name, histogram.quantile(0.5),
             histogram.quantile(0.9), histogram.quantile(0.99), histogram.quantile(0.999), histogram.max());
}

void print_quantiles(const StatReport& report) {
  heading(fmt::format("{:<24} {:>12} {:>12} {:>12} {:>12} {:>14}", "elements of a key", "50%", "90%", "99%",
                      "99.9%", "most"));
  for (size_t i = 0; i < report.types.size(); ++i) {
    const auto type = static_cast<ValueType>(i);
    if (report.types[i].count.keys > 0 && type != ValueType::string && type != ValueType::module)
      quantile_row(std::string(value_type_name(type)), report.types[i].elements);
  }
  heading(fmt::format("{:<24} {:>12} {:>12} {:>12} {:>12} {:>14}", "bytes of a key", "50%", "90%", "99%",
                      "99.9%", "most"));
  quantile_row("all types", report.bytes);
}

// --- Large keys

// "hash listpack"; of the plain layout of a type its name.
std::string layout_text(const BigKey& big) {
  const std::string type(value_type_name(big.type));
  return big.encoding.empty() || big.encoding == type ? type : type + " " + printable(big.encoding);
}

std::string key_text(const BigKey& big) {
  std::string text = "\"" + printable(big.key) + "\"";
  if (big.key_bytes != big.key.size()) text += fmt::format("... of {} bytes", big.key_bytes);
  if (big.db != 0) text += fmt::format(" in db {}", big.db);
  return text;
}

void print_top(const StatReport& report) {
  constexpr const char* kNames[] = {"largest by bytes", "largest by memory", "most elements",
                                    "largest element"};
  for (size_t i = 0; i < kBigBys; ++i) {
    const std::vector<BigKey> keys = report.top[i].sorted();
    if (keys.empty()) continue;
    heading(fmt::format("{:<24} {:>10} {:>10} {:>12} {:>12}  key", kNames[i], "bytes", "memory", "elements",
                        "largest"));
    for (const BigKey& big : keys) {
      fmt::print("{:<24} {:>10} {:>10} {:>12} {:>12}  {}\n", layout_text(big), human_size(big.bytes),
                 human_size(big.memory), big.elements, human_size(big.largest_element), key_text(big));
    }
  }
}

// --- Prefixes: those with the most memory, wherever they are in the tree, in its order

struct Prefix {
  const PrefixNode* node = nullptr;
  size_t level = 0;
  std::string name;
};

// A prefix whose keys all have one longer prefix is not worth a line.
bool is_passage(const PrefixNode& node) {
  return node.children.size() == 1 && node.children.front().count.keys == node.count.keys;
}

void collect(const PrefixNode& node, size_t level, const std::string& name, std::vector<Prefix>& into) {
  std::vector<const PrefixNode*> children;
  for (const PrefixNode& child : node.children) children.push_back(&child);
  std::ranges::stable_sort(children, std::ranges::greater(),
                           [](const PrefixNode* child) { return child->count.memory; });
  for (const PrefixNode* child : children) {
    const std::string child_name = name + (child->is_any ? "*" : printable(child->token));
    const bool shown = !is_passage(*child);
    if (shown) into.push_back({child, level, child_name});
    collect(*child, shown ? level + 1 : level, child_name, into);
  }
}

void print_prefixes(const StatReport& report, size_t most) {
  std::vector<Prefix> all;
  collect(report.prefixes, 0, {}, all);
  if (all.empty() || most == 0) return;
  std::vector<uint64_t> sizes;
  sizes.reserve(all.size());
  for (const Prefix& prefix : all) sizes.push_back(prefix.node->count.memory);
  std::ranges::sort(sizes, std::ranges::greater());
  const uint64_t least = sizes[std::min(most, sizes.size()) - 1];
  heading(fmt::format("{:<40} {:>12} {:>12} {:>12} {:>7} {:>10}", "prefix", "keys", "bytes", "memory",
                      "share", "no expiry"));
  size_t shown = 0;
  for (const Prefix& prefix : all) {
    const PrefixNode& node = *prefix.node;
    if (node.count.memory < least || shown == most) continue;
    ++shown;
    fmt::print("{:<40} {:>12} {:>12} {:>12} {:>7} {:>10}\n",
               fmt::format("{:{}}{}", "", 2 * prefix.level, prefix.name), node.count.keys,
               human_size(node.count.bytes), human_size(node.count.memory),
               share(node.count.memory, report.total.memory), share(node.persistent_keys, node.count.keys));
  }
  if (all.size() > shown) fmt::print("and {} more\n", all.size() - shown);
  if (report.prefixes_coarsened) fmt::print("there are so many prefixes that they were counted coarsely\n");
}

// --- Code and logs

void print_code(const StatReport& report) {
  if (!report.functions.empty()) heading("function libraries");
  for (const auto& [engine, name] : report.functions)
    fmt::print("{} ({})\n", printable(name), printable(engine));
  if (report.modules.empty()) return;
  count_header("module");
  for (const auto& [name, module] : report.modules) count_row(printable(name), module.count, report.total);
}

void command_row(const std::string& name, const CommandStat& of, const CommandStat& total) {
  fmt::print("{:<24} {:>12} {:>12} {:>12} {:>12} {:>7}\n", name, of.commands, human_size(of.bytes),
             human_size(of.commands == 0 ? 0 : of.bytes / of.commands), human_size(of.largest),
             share(of.bytes, total.bytes));
}

void command_header(const char* what) {
  heading(fmt::format("{:<24} {:>12} {:>12} {:>12} {:>12} {:>7}", what, "commands", "bytes", "each",
                      "largest", "share"));
}

void print_log(const LogStat& log) {
  command_header("command");
  for (const auto& [name, of] : commands_by_bytes(log)) command_row(printable(name), of, log.total);
  if (log.other_names.commands > 0) command_row("others", log.other_names, log.total);
  command_row("all", log.total, log.total);
  if (log.by_db.size() > 1 || log.other_dbs.commands > 0) {
    command_header("commands by db");
    for (const auto& [db, of] : log.by_db) command_row(std::to_string(db), of, log.total);
    if (log.other_dbs.commands > 0) command_row("others", log.other_dbs, log.total);
  }
  heading(fmt::format("log: {} of commands, {} of RDB parts, {}, {}", human_size(log.command_bytes),
                      human_size(log.rdb_bytes), counted(log.transactions, "transaction"),
                      log.flushes == 1 ? std::string("1 flush") : fmt::format("{} flushes", log.flushes)));
  if (log.live_bytes) {
    const uint64_t all = log.command_bytes + log.rdb_bytes;
    fmt::print("compacted it would be {}: {} of it is dead\n", human_size(*log.live_bytes),
               share(all - std::min(all, *log.live_bytes), all));
  }
  if (!log.first_time_s || !log.last_time_s) return;
  if (*log.last_time_s <= *log.first_time_s) {
    fmt::print("written at {}\n", time_in_words(*log.first_time_s));
    return;
  }
  const auto seconds = static_cast<double>(*log.last_time_s - *log.first_time_s) + 1;
  fmt::print("written from {} to {}: {:.1f} commands a second\n", time_in_words(*log.first_time_s),
             time_in_words(*log.last_time_s), static_cast<double>(log.timed_commands) / seconds);
}

}  // namespace

void print_stat(const StatReport& report, const StatTold& told, const StatTextOptions& options) {
  const MemoryEstimate memory = estimate_memory(report);
  std::string writers;
  for (const auto& writer : report.writers)
    writers += (writers.empty() ? "" : ", ") + printable(writer.first);
  constexpr uint64_t kPathsShown = 3;
  const std::string path =
      report.inputs > kPathsShown ? counted(report.inputs, "input") : printable(told.path);
  fmt::print("{}: {}{}{}\n", path, told.kind, writers.empty() ? "" : " of ", writers);
  // Of JSON Lines that came through a pipe nobody knows the size.
  const std::string on_disk =
      report.file_bytes == 0 ? "" : fmt::format(", {} on disk", human_size(report.file_bytes));
  const bool is_log_alone = report.log && !report.log->live_bytes && report.total.keys == 0;
  if (is_log_alone) {
    fmt::print("not replayed{}\n", on_disk);
  } else {
    fmt::print("{} with {}{}{}\n", counted(report.total.keys, "key"),
               counted(report.total.elements, "element"), on_disk,
               told.damaged ? "; damaged: this is what could be read" : "");
    fmt::print("in {} about {}: {} for keys and values, {} for tables ({})\n", printable(report.target),
               human_size(memory.total()), human_size(memory.keys), human_size(memory.tables),
               allocator_name(report.allocator));
  }
  if (report.total.keys > 0) {
    print_counts(report);
    print_quantiles(report);
    print_expiries(report);
    print_use(report);
    print_prefixes(report, options.prefixes);
    print_top(report);
  }
  print_code(report);
  if (report.log) print_log(*report.log);
}

}  // namespace persist::tool
