// Sections that have nothing to say are left out. persist-stat(1), JSON
#include "stat_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "report.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

Json& add_count(Json& json, const StatCount& count) {
  json["keys"] = count.keys;
  json["elements"] = count.elements;
  json["bytes"] = count.bytes;
  json["memory"] = count.memory;
  return json;
}

Json count_json(const StatCount& count) {
  Json json;
  return add_count(json, count);
}

Json quantiles_json(const Histogram& histogram) {
  return {{"p50", histogram.quantile(0.5)},
          {"p90", histogram.quantile(0.9)},
          {"p99", histogram.quantile(0.99)},
          {"p999", histogram.quantile(0.999)},
          {"max", histogram.max()}};
}

Json big_key_json(const BigKey& big) {
  Json json;
  json["db"] = big.db;
  json["key"] = json_string(big.key);
  if (big.key_bytes != big.key.size()) json["key_bytes"] = big.key_bytes;
  json["type"] = value_type_name(big.type);
  if (!big.encoding.empty()) json["encoding"] = big.encoding;
  json["bytes"] = big.bytes;
  json["elements"] = big.elements;
  json["memory"] = big.memory;
  json["largest_element"] = big.largest_element;
  if (big.expire_at_ms != kNoExpiry) json["expire_at_ms"] = big.expire_at_ms;
  return json;
}

Json types_json(const StatReport& report) {
  Json types = Json::array();
  for (size_t i = 0; i < report.types.size(); ++i) {
    const TypeStat& type = report.types[i];
    if (type.count.keys == 0) continue;
    Json json;
    json["type"] = value_type_name(static_cast<ValueType>(i));
    add_count(json, type.count);
    json["elements_per_key"] = quantiles_json(type.elements);
    if (type.largest) json["largest_element"] = big_key_json(*type.largest);
    types.push_back(std::move(json));
  }
  return types;
}

Json encodings_json(const StatReport& report) {
  Json encodings = Json::array();
  for (const auto& [label, encoding] : report.encodings) {
    Json json;
    json["encoding"] = label;
    json["type"] = value_type_name(encoding.type);
    encodings.push_back(add_count(json, encoding.count));
  }
  return encodings;
}

Json db_json(const DbStat& db) {
  Json json;
  json["volatile"] = db.volatile_keys;
  return add_count(json, db.count);
}

void add_dbs(Json& json, const StatReport& report) {
  json["dbs"] = Json::array();
  for (const auto& [number, db] : report.dbs) {
    Json one;
    one["db"] = number;
    one.update(db_json(db));
    json["dbs"].push_back(std::move(one));
  }
  if (report.other_dbs.count.keys > 0) json["other_dbs"] = db_json(report.other_dbs);
}

// The last bin has no end.
template <size_t Ends, size_t Bins>
Json bins_json(const std::array<int64_t, Ends>& ends_s, const std::array<StatCount, Bins>& bins) {
  static_assert(Bins == Ends + 1);
  Json json = Json::array();
  for (size_t i = 0; i < Bins; ++i) {
    Json bin = Json::object();
    if (i < Ends) bin["below_s"] = ends_s[i];
    json.push_back(add_count(bin, bins[i]));
  }
  return json;
}

Json expiry_json(const StatReport& report) {
  Json json;
  json["as_of_ms"] = report.as_of_last_ms;
  json["persistent"] = count_json(report.persistent);
  json["expired"] = count_json(report.expired);
  json["volatile"] = bins_json(kTtlBinsS, report.ttl);
  json["volatile_fields"] = report.volatile_fields;
  json["expired_fields"] = report.expired_fields;
  return json;
}

void add_use(Json& json, const StatReport& report) {
  if (std::ranges::any_of(report.idle, has_keys)) json["idle"] = bins_json(kIdleBinsS, report.idle);
  if (std::ranges::none_of(report.freq, has_keys)) return;
  json["freq"] = Json::array();
  for (size_t i = 0; i < report.freq.size(); ++i) {
    if (!has_keys(report.freq[i])) continue;
    Json one;
    one["freq"] = i;
    json["freq"].push_back(add_count(one, report.freq[i]));
  }
}

Json sizes_json(const StatReport& report) {
  Json sizes = Json::array();
  for (size_t bits = 0; bits < report.sizes.size(); ++bits) {
    if (!has_keys(report.sizes[bits])) continue;
    Json size;
    size["below"] = uint64_t{1} << bits;
    sizes.push_back(add_count(size, report.sizes[bits]));
  }
  return sizes;
}

Json top_json(const StatReport& report) {
  constexpr const char* kNames[] = {"bytes", "memory", "elements", "largest_element"};
  Json json;
  for (size_t i = 0; i < kBigBys; ++i) {
    json[kNames[i]] = Json::array();
    for (const BigKey& big : report.top[i].sorted()) json[kNames[i]].push_back(big_key_json(big));
  }
  return json;
}

Json node_json(const PrefixNode& node) {
  Json json;
  json["token"] = json_string(node.token);
  json["any"] = node.is_any;
  add_count(json, node.count);
  json["persistent"] = node.persistent_keys;
  if (node.children.empty()) return json;
  json["children"] = Json::array();
  for (const PrefixNode& child : node.children) json["children"].push_back(node_json(child));
  return json;
}

Json prefixes_json(const StatReport& report) {
  Json json;
  json["separators"] = json_string(report.separators);
  json["coarsened"] = report.prefixes_coarsened;
  json["tree"] = node_json(report.prefixes);
  return json;
}

void add_code(Json& json, const StatReport& report) {
  if (!report.functions.empty()) json["functions"] = Json::array();
  for (const auto& [engine, name] : report.functions)
    json["functions"].push_back({{"engine", json_string(engine)}, {"name", json_string(name)}});
  if (!report.modules.empty()) json["modules"] = Json::array();
  for (const auto& [name, module] : report.modules) {
    Json one;
    one["module"] = json_string(name);
    one["records"] = module.records;
    json["modules"].push_back(add_count(one, module.count));
  }
}

Json command_json(Json json, const CommandStat& of) {
  json["commands"] = of.commands;
  json["bytes"] = of.bytes;
  json["largest"] = of.largest;
  return json;
}

void add_times(Json& json, const LogStat& log) {
  if (!log.first_time_s || !log.last_time_s) return;
  json["first_time_s"] = *log.first_time_s;
  json["last_time_s"] = *log.last_time_s;
  const auto seconds = static_cast<double>(std::max<int64_t>(*log.last_time_s - *log.first_time_s, 0)) + 1;
  json["per_second"] = static_cast<double>(log.timed_commands) / seconds;
  json["times"] = {{"seconds_each", uint64_t{1} << log.times.shift},
                   {"first_s", log.times.first * (int64_t{1} << log.times.shift)},
                   {"commands", log.times.commands}};
}

Json log_json(const LogStat& log) {
  Json json;
  json["commands"] = log.total.commands;
  json["bytes"] = log.total.bytes;
  json["transactions"] = log.transactions;
  json["flushes"] = log.flushes;
  json["by_name"] = Json::array();
  for (const auto& [name, of] : commands_by_bytes(log))
    json["by_name"].push_back(command_json({{"name", json_string(name)}}, of));
  if (log.other_names.commands > 0) json["other_names"] = command_json(Json::object(), log.other_names);
  json["by_db"] = Json::array();
  for (const auto& [db, of] : log.by_db) json["by_db"].push_back(command_json({{"db", db}}, of));
  if (log.other_dbs.commands > 0) json["other_dbs"] = command_json(Json::object(), log.other_dbs);
  json["command_bytes_each"] = quantiles_json(log.bytes);
  json["rdb_bytes"] = log.rdb_bytes;
  json["command_bytes"] = log.command_bytes;
  if (log.live_bytes) {
    json["live_bytes"] = *log.live_bytes;
    const uint64_t all = log.rdb_bytes + log.command_bytes;
    json["dead_bytes"] = all - std::min(all, *log.live_bytes);
  }
  add_times(json, log);
  return json;
}

}  // namespace

std::vector<std::pair<std::string, CommandStat>> commands_by_bytes(const LogStat& log) {
  std::vector<std::pair<std::string, CommandStat>> names(log.by_name.begin(), log.by_name.end());
  std::ranges::stable_sort(names, std::ranges::greater(),
                           [](const auto& named) { return named.second.bytes; });
  return names;
}

nlohmann::ordered_json stat_json(const StatReport& report, const StatTold& told) {
  Json json;
  json["path"] = json_string(told.path);
  json["kind"] = told.kind;
  json["status"] = told.damaged ? "damaged" : "ok";
  json["inputs"] = report.inputs;
  json["file_bytes"] = report.file_bytes;
  json["writers"] = Json::array();
  for (const auto& writer : report.writers) json["writers"].push_back(json_string(writer.first));
  json["as_of_ms"] = report.as_of_last_ms;
  json["complete"] = report.complete;
  json["errors"] = report.errors;
  json["total"] = count_json(report.total);
  const MemoryEstimate memory = estimate_memory(report);
  json["estimate"] = {{"target", report.target},
                      {"allocator", allocator_name(report.allocator)},
                      {"keys", memory.keys},
                      {"tables", memory.tables},
                      {"total", memory.total()}};
  json["types"] = types_json(report);
  json["encodings"] = encodings_json(report);
  add_dbs(json, report);
  json["expiry"] = expiry_json(report);
  add_use(json, report);
  json["sizes"] = sizes_json(report);
  json["key_bytes"] = quantiles_json(report.bytes);
  json["top"] = top_json(report);
  json["prefixes"] = prefixes_json(report);
  add_code(json, report);
  if (report.log) json["log"] = log_json(*report.log);
  return json;
}

}  // namespace persist::tool
