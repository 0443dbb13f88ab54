// The lines of an earlier `persist check --json`.
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "gates.hpp"
#include "persist/source.hpp"
#include "report.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kHowToMakeOne = " (make one with: persist check --json PATH >BASELINE)";

std::optional<uint64_t> number_of(const Json& json, const char* name) {
  const auto member = json.find(name);
  if (member == json.end() || !member->is_number_unsigned()) return std::nullopt;
  return member->get<uint64_t>();
}

// Of the parts of a log.
std::optional<uint64_t> rdb_keys_of(const Json& json) {
  const auto parts = json.find("parts");
  if (parts == json.end() || !parts->is_array()) return std::nullopt;
  uint64_t sum = 0;
  for (const Json& part : *parts)
    if (part.is_object()) sum += number_of(part, "keys").value_or(0);
  return sum;
}

// Lines nest no deeper where it matters; what does may do so until it takes all the stack.
bool is_shallow(int depth, Json::parse_event_t /*event*/, Json& /*parsed*/) {
  constexpr int kDepthMax = 8;
  return depth <= kDepthMax;
}

// Text or {"$base64":"..."}.
bool is_path(const Json& json) {
  if (json.is_string()) return true;
  return json.is_object() && json.size() == 1 && json.begin().key() == "$base64" && json.front().is_string();
}

// Nothing if it is no line of ours.
std::optional<BaselineLine> parse_line(Bytes text) {
  const Json json = Json::parse(text, is_shallow, false);
  if (!json.is_object() || !json.contains("path") || !json.contains("status")) return std::nullopt;
  if (!is_path(json["path"])) return std::nullopt;
  BaselineLine line;
  line.path = json["path"].dump();
  line.sound = json["status"] == "ok";
  if (!line.sound) return line;
  const std::optional<uint64_t> keys = number_of(json, "keys");
  const std::optional<uint64_t> bytes = number_of(json, "bytes");
  line.commands = number_of(json, "commands").value_or(0);
  if (!bytes || (!keys && line.commands == 0)) return std::nullopt;
  line.bytes = *bytes;
  line.rdb_keys = rdb_keys_of(json).value_or(keys.value_or(0));
  // Of a log that was not replayed, older versions wrote down the keys of its RDB parts.
  if (line.commands == 0 || json.contains("replay")) line.keys = keys;
  line.functions = number_of(json, "functions").value_or(0);
  line.flushes = number_of(json, "flushes").value_or(0);
  return line;
}

std::string read_whole(const std::string& file) {
  try {
    const std::unique_ptr<ByteSource> source = open_source(file);
    return std::string(source->window(0, std::numeric_limits<uint64_t>::max()).bytes);
  } catch (const std::system_error& error) {
    throw std::invalid_argument(std::string("--baseline ") + error.what() + kHowToMakeOne);
  }
}

}  // namespace

Baseline Baseline::read(const std::string& file) {
  const std::string text = read_whole(file);
  Baseline baseline;
  Bytes rest = text;
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) {
      std::optional<BaselineLine> line = parse_line(rest.substr(0, end));
      if (!line) {
        throw std::invalid_argument(
            fmt::format("--baseline {}: line {} is none that persist check --json prints{}", file, number,
                        kHowToMakeOne));
      }
      baseline.lines_.push_back(std::move(*line));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (baseline.lines_.empty())
    throw std::invalid_argument("--baseline " + file + ": it has no lines" + kHowToMakeOne);
  return baseline;
}

bool Baseline::was_replayed() const {
  return std::ranges::any_of(lines_, [](const BaselineLine& line) { return line.commands > 0 && line.keys; });
}

const BaselineLine* Baseline::find(const std::string& path, bool only_path) const {
  // Of several the last, so that lines may be gathered in a file.
  const auto line =
      std::find_if(lines_.rbegin(), lines_.rend(),
                   [name = json_string(path).dump()](const BaselineLine& of) { return of.path == name; });
  if (line != lines_.rend()) return &*line;
  return only_path && lines_.size() == 1 ? &lines_.front() : nullptr;
}

}  // namespace persist::tool
