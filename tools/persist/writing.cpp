// Targets, limits and losses, as options and as text.
#include "writing.hpp"

#include <fmt/core.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

// The names that servers give their settings, and older names of the same.
struct LimitRow {
  std::string_view name;
  std::string_view old_name;
  uint64_t PackLimits::*limit;
};
constexpr LimitRow kLimits[] = {
    {"hash-max-listpack-entries", "hash-max-ziplist-entries", &PackLimits::hash_entries},
    {"hash-max-listpack-value", "hash-max-ziplist-value", &PackLimits::hash_value},
    {"list-max-ziplist-entries", "", &PackLimits::list_entries},
    {"list-max-ziplist-value", "", &PackLimits::list_value},
    {"set-max-intset-entries", "", &PackLimits::set_ints},
    {"set-max-listpack-entries", "", &PackLimits::set_entries},
    {"set-max-listpack-value", "", &PackLimits::set_value},
    {"zset-max-listpack-entries", "zset-max-ziplist-entries", &PackLimits::zset_entries},
    {"zset-max-listpack-value", "zset-max-ziplist-value", &PackLimits::zset_value},
    {"stream-node-max-bytes", "", &PackLimits::stream_node_bytes},
    {"stream-node-max-entries", "", &PackLimits::stream_node_entries},
};
constexpr std::string_view kListNode = "list-max-listpack-size";
constexpr std::string_view kOldListNode = "list-max-ziplist-size";

template <typename T>
T parse_limit(const std::string& text, std::string_view digits) {
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc{} && end == digits.data() + digits.size()) return value;
  throw std::invalid_argument("--limit " + text + ": expected a whole number behind the =");
}

void set_limit(PackLimits& limits, const std::string& text) {
  const size_t equals = text.find('=');
  const std::string_view name = std::string_view(text).substr(0, equals);
  const std::string_view digits =
      equals == std::string::npos ? std::string_view() : std::string_view(text).substr(equals + 1);
  if (name == kListNode || name == kOldListNode) {
    constexpr int64_t kSmallestSize = -5;
    limits.list_node = parse_limit<int64_t>(text, digits);
    if (limits.list_node == 0 || limits.list_node < kSmallestSize)
      throw std::invalid_argument("--limit " + text + ": expected -5 to -1, or entries from 1 on");
    return;
  }
  for (const LimitRow& row : kLimits) {
    if (name != row.name && (row.old_name.empty() || name != row.old_name)) continue;
    limits.*row.limit = parse_limit<uint64_t>(text, digits);
    return;
  }
  std::string known(kListNode);
  for (const LimitRow& row : kLimits) known += ", " + std::string(row.name);
  throw std::invalid_argument("--limit " + text + ": there is no such limit; there are " + known);
}

std::string named_keys(const LossCount& lost) {
  std::string text;
  for (const LossCount::Where& where : lost.first) {
    text += text.empty() ? "" : ", ";
    text += "\"" + printable(where.key) + "\"";
    if (where.db != 0) text += " in db " + std::to_string(where.db);
  }
  if (lost.keys > lost.first.size()) text += ", ...";
  return text;
}

bool is_permitted(LossFeature feature, const std::vector<LossFeature>& permitted) {
  return std::ranges::find(permitted, feature) != permitted.end();
}

}  // namespace

void WriteArguments::add_target(CLI::App& app) {
  app.add_option(
         "--target", target,
         "the server that is to read it: redis-7.2, valkey-8.1, ...; `persist check --help` lists them")
      ->type_name("TARGET");
}

void WriteArguments::add_allow_loss(CLI::App& app) {
  app.add_option("--allow-loss", allow_loss, "data that may be lost: field-ttl,streams,... or all")
      ->type_name("FEATURE")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

void WriteArguments::add_target_to(CLI::App& app) {
  add_target(app);
  add_allow_loss(app);
}

void WriteArguments::add_to(CLI::App& app) {
  add_target(app);
  app.add_option("--limit", limits,
                 "up to where values are packed, as the server's setting says: hash-max-listpack-entries=128")
      ->type_name("NAME=N")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  app.add_flag("--no-compress", no_compress, "leave strings as they are instead of compressing them");
  app.add_flag("--no-checksum", no_checksum, "leave the checksum 0, which means none");
  app.add_option("--with-module", modules, "the target has this module: keep what belongs to it")
      ->type_name("MODULE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  add_allow_loss(app);
}

WriteOptions WriteArguments::options() const {
  WriteOptions options;
  if (!target.empty()) {
    options.target = find_target(target);
    if (options.target == nullptr) {
      std::string known;
      for (const Target& each : targets()) known += (known.empty() ? "" : ", ") + std::string(each.name);
      throw std::invalid_argument("--target " + target + ": there is no such target; there are " + known);
    }
  }
  for (const std::string& limit : limits) set_limit(options.limits, limit);
  options.compress = !no_compress;
  options.checksum = !no_checksum;
  options.modules = modules;
  return options;
}

std::vector<LossFeature> WriteArguments::permitted_losses() const {
  std::vector<LossFeature> permitted;
  for (const std::string& name : allow_loss) {
    const LossRow* row = find_loss(name);
    if (row != nullptr) permitted.push_back(row->feature);
    if (name == "all")
      for (const LossRow& each : loss_rows()) permitted.push_back(each.feature);
    if (row != nullptr || name == "all") continue;
    std::string known = "all";
    for (const LossRow& each : loss_rows())
      if (each.kind == LossKind::data) known.append(", ").append(each.id);
    throw std::invalid_argument(
        fmt::format("--allow-loss {}: there is no such feature; there are {}", name, known));
  }
  return permitted;
}

bool is_file_name(const std::string& name) {
  const auto is_bad = [](char c) { return c == '/' || (static_cast<unsigned char>(c) < 0x20) || c == 0x7f; };
  return !name.empty() && name != "." && name != ".." && std::ranges::none_of(name, is_bad);
}

void print_losses(const std::string& verb, const std::string& path, const LossReport& losses,
                  const std::vector<LossFeature>& permitted) {
  std::string refused;
  for (const LossRow& row : loss_rows()) {
    const LossCount& lost = losses.of(row.feature);
    if (lost.count == 0) continue;
    const bool is_data = row.kind == LossKind::data;
    const bool refuses = is_data && !is_permitted(row.feature, permitted);
    const std::string keys = named_keys(lost);
    fmt::print(stderr, "persist {}: {}: {}: {} {}{} [{}]\n", verb, printable(path),
               !is_data  ? "not carried over"
               : refuses ? "would be lost"
                         : "lost",
               lost.count, row.sentence,
               keys.empty() ? "" : fmt::format(", in {}: {}", counted(lost.keys, "key"), keys), row.id);
    if (refuses) refused += (refused.empty() ? "" : ",") + std::string(row.id);
  }
  if (!refused.empty()) {
    fmt::print(
        stderr,
        "persist {}: {}: nothing was written: the target cannot hold all of it; --allow-loss {} goes on\n",
        verb, printable(path), refused);
  }
}

Json losses_json(const LossReport& losses, const std::vector<LossFeature>& permitted) {
  Json list = Json::array();
  for (const LossRow& row : loss_rows()) {
    const LossCount& lost = losses.of(row.feature);
    if (lost.count == 0) continue;
    Json one;
    one["feature"] = row.id;
    one["kind"] = row.kind == LossKind::data ? "data" : "hint";
    one["permitted"] = row.kind == LossKind::hint || is_permitted(row.feature, permitted);
    one["count"] = lost.count;
    one["keys"] = lost.keys;
    one["first"] = Json::array();
    for (const LossCount::Where& where : lost.first)
      one["first"].push_back({{"db", where.db}, {"key", json_string(where.key)}});
    list.push_back(std::move(one));
  }
  return list;
}

namespace {

bool is_damaged(const Keyspace& found, const ConvertSummary& summary) {
  return summary.errors > 0 || !summary.complete || found.errors > 0;
}

Json conversion_json(const ConversionTold& told, const ConvertSummary& summary, bool would_be_written,
                     const std::vector<LossFeature>& permitted) {
  Json json;
  json["path"] = json_string(told.path);
  if (!told.output.empty()) json["output"] = json_string(told.output);
  json["to"] = told.to;
  if (summary.target != nullptr) json["target"] = summary.target->name;
  json["status"] = summary.committed ? "written" : would_be_written ? "dry-run" : "refused";
  json["keys"] = summary.keys;
  json["written"] = summary.written;
  json["bytes"] = summary.bytes_written;
  json["complete"] = summary.complete;
  json["errors"] = summary.errors;
  if (summary.proven) json["proven"] = true;
  json["losses"] = losses_json(summary.losses, permitted);
  if (summary.replay) add_replay(json, *summary.replay);
  return json;
}

void print_conversion(const ConversionTold& told, const ConvertSummary& summary, bool would_be_written) {
  const std::string where = printable(told.output.empty() ? told.path : told.output);
  const bool is_text = told.to == "jsonl" || told.to == "csv";
  const std::string proof = summary.proven ? ", read back and found the same" : "";
  const std::string reader = is_text
                                 ? ""
                                 : fmt::format(", for {}{}", summary.target->name,
                                               summary.target_chosen ? " (as --target was not given)" : "");
  fmt::print(stderr, "persist {}: {}: {}: {} of {}, {}{}{}\n", told.verb, where,
             would_be_written ? "would be written" : "written", summary.written, counted(summary.keys, "key"),
             human_size(summary.bytes_written), reader, proof);
}

}  // namespace

Exit report_conversion(const ConversionTold& told, const Keyspace& found, const ConvertSummary& summary,
                       const std::vector<LossFeature>& permitted) {
  if (summary.replay) explain_replay(told.verb, told.path, *summary.replay, told.json);
  if (summary.replay && (!summary.replay->is_log || summary.replay->refused)) return kTrouble;
  const bool refused = is_damaged(found, summary) && !told.salvage;
  const bool loses = summary.losses.loses_more_than(permitted);
  const bool would_be_written = told.dry_run && !refused && !loses;
  if (told.json) {
    fmt::print(told.to_stream ? stderr : stdout, "{}",
               json_line(conversion_json(told, summary, would_be_written, permitted)));
  } else {
    print_losses(told.verb, told.path, summary.losses, permitted);
    if (summary.committed || would_be_written) print_conversion(told, summary, would_be_written);
    if (!summary.committed && refused)
      fmt::print(stderr,
                 "persist {}: {}: nothing was written: the input is damaged; --salvage writes what is "
                 "whole of it, {}\n",
                 told.verb, printable(told.path), counted(summary.written, "key"));
  }
  if (refused) return exit_of(std::max(summary.reach, found.reach), false);
  return loses ? kRefused : kDone;
}

}  // namespace persist::tool
