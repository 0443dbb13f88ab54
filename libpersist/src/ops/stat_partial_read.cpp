// Partial results, read back. They may come from anybody: what could not have been written is refused.
#include <algorithm>
#include <limits>
#include <stdexcept>

#include "base/arena.hpp"
#include "ops/prefix_tree.hpp"
#include "ops/stat_partial.hpp"
#include "text/json_member.hpp"

namespace persist {

namespace {

// Far more than the largest report takes.
constexpr size_t kPartialBytesMax = size_t{1} << 30;
constexpr uint64_t kPartialTopMax = 10000;
constexpr size_t kTypes = std::tuple_size_v<decltype(StatReport::types)>;
constexpr unsigned kTimeShiftMax = 62;
// How far behind blanks the first member is looked for.
constexpr size_t kPartialHeadBytes = 256;

[[noreturn]] void refuse_partial(const std::string& why) {
  throw std::invalid_argument("not a result of persist stat --partial: " + why);
}

// --- Parts that occur more than once
// --------------------------------------------------------------------------

template <size_t N>
std::array<JsonElement, N> take_row(const JsonElement& element, const char* subject) {
  const JsonArray array = take_array(element, subject);
  if (array.size() != N)
    refuse_json(FindingCode::json_value, subject, "an array of " + std::to_string(N),
                "one of " + std::to_string(array.size()));
  std::array<JsonElement, N> row;
  std::ranges::copy(array, row.begin());
  return row;
}

// At most that many.
JsonArray take_list(const JsonElement& element, const char* subject, size_t most) {
  const JsonArray array = take_array(element, subject);
  if (array.size() > most)
    refuse_json(FindingCode::json_value, subject, "at most " + std::to_string(most),
                std::to_string(array.size()));
  return array;
}

bool take_truth(const JsonElement& element, const char* subject) {
  bool holds = false;
  if (element.get_bool().get(holds) != simdjson::SUCCESS)
    refuse_json(FindingCode::json_value, subject, "true or false", shown_json(element));
  return holds;
}

std::string take_name(const JsonElement& element, const char* subject) {
  Arena arena;
  return std::string(take_bytes(element, subject, arena));
}

std::string take_short_name(const JsonElement& element, const char* subject, size_t most) {
  std::string name = take_name(element, subject);
  if (name.size() > most)
    refuse_json(FindingCode::json_value, subject, "at most " + std::to_string(most) + " bytes",
                std::to_string(name.size()));
  return name;
}

ValueType take_type(const JsonElement& element, const char* subject) {
  const std::string name = take_name(element, subject);
  for (size_t i = 0; i < kTypes; ++i)
    if (name == value_type_name(static_cast<ValueType>(i))) return static_cast<ValueType>(i);
  refuse_json(FindingCode::json_value, subject, "a type of values", quoted_text(name));
}

StatCount take_count(const JsonElement& element, const char* subject) {
  const auto row = take_row<4>(element, subject);
  return {take_unsigned(row[0], subject), take_unsigned(row[1], subject), take_unsigned(row[2], subject),
          take_unsigned(row[3], subject)};
}

// Pairs of a place and what stands there, in the order of their places.
template <size_t N, typename Take>
void take_places(const JsonElement& element, const char* subject, Take take) {
  uint64_t least = 0;
  for (const JsonElement pair : take_list(element, subject, N)) {
    const auto [place, what] = take_pair(pair, subject);
    const uint64_t at = take_unsigned(place, subject, N - 1);
    if (at < least)
      refuse_json(FindingCode::json_value, subject, "places in order", "place " + std::to_string(at));
    least = at + 1;
    take(static_cast<size_t>(at), what);
  }
}

template <size_t N>
void take_counts(const JsonElement& element, const char* subject, std::array<StatCount, N>& counts) {
  take_places<N>(element, subject,
                 [&](size_t at, const JsonElement& what) { counts[at] = take_count(what, subject); });
}

Histogram take_histogram(const JsonElement& element, const char* subject) {
  static constexpr std::array<JsonMember, 2> kMembers = {{{"max"}, {"buckets"}}};
  const JsonMembers members(element, subject, kMembers);
  const uint64_t max = take_unsigned(members[0], subject);
  std::array<uint64_t, Histogram::kBuckets> buckets{};
  uint64_t all = 0;
  size_t last = 0;
  take_places<Histogram::kBuckets>(members[1], subject, [&](size_t at, const JsonElement& what) {
    buckets[at] = take_unsigned(what, subject);
    last = at;
    if (buckets[at] == 0 || __builtin_add_overflow(all, buckets[at], &all))
      refuse_json(FindingCode::json_value, subject, "counts that add up to a 64-bit number",
                  shown_json(what));
  });
  if (all == 0 ? max != 0 : Histogram::bucket_of(max) != last)
    refuse_json(FindingCode::json_value, subject, "a max in the last bucket", std::to_string(max));
  Histogram histogram;
  histogram.set(buckets, max);
  return histogram;
}

BigKey take_big_key(const JsonElement& element) {
  static constexpr std::array<JsonMember, 10> kMembers = {{{"db"},
                                                           {"key"},
                                                           {"key_bytes"},
                                                           {"type"},
                                                           {"encoding"},
                                                           {"bytes"},
                                                           {"elements"},
                                                           {"memory"},
                                                           {"largest_element"},
                                                           {"expire_at_ms"}}};
  constexpr const char* kSubject = "large key";
  const JsonMembers members(element, kSubject, kMembers);
  BigKey key;
  key.db = take_unsigned(members[0], kSubject);
  key.key = take_short_name(members[1], kSubject, BigKey::kNameShownMax);
  key.key_bytes = take_unsigned(members[2], kSubject);
  key.type = take_type(members[3], kSubject);
  key.encoding = take_short_name(members[4], kSubject, BigKey::kNameShownMax);
  key.bytes = take_unsigned(members[5], kSubject);
  key.elements = take_unsigned(members[6], kSubject);
  key.memory = take_unsigned(members[7], kSubject);
  key.largest_element = take_unsigned(members[8], kSubject);
  key.expire_at_ms = take_signed(members[9], kSubject);
  return key;
}

template <typename Map, typename Key>
auto& take_new(Map& map, Key&& key, const char* subject) {
  const auto [at, is_new] = map.try_emplace(std::forward<Key>(key));
  if (!is_new) refuse_json(FindingCode::json_duplicate, subject, "each once", "one twice");
  return at->second;
}

// --- The parts of a report
// ------------------------------------------------------------------------------------

void take_estimate(const JsonElement& element, StatReport& report) {
  static constexpr std::array<JsonMember, 3> kMembers = {{{"target"}, {"allocator"}, {"separators"}}};
  const JsonMembers members(element, "estimate", kMembers);
  report.target = take_short_name(members[0], "target", BigKey::kNameShownMax);
  const std::string allocator = take_name(members[1], "allocator");
  const std::optional<Allocator> found = find_allocator(allocator);
  if (!found) refuse_json(FindingCode::json_value, "allocator", "a known one", quoted_text(allocator));
  report.allocator = *found;
  report.separators = take_short_name(members[2], "separators", BigKey::kNameShownMax);
}

void take_input(const JsonElement& element, StatReport& report) {
  static constexpr std::array<JsonMember, 6> kMembers = {
      {{"inputs"}, {"file_bytes"}, {"errors"}, {"complete"}, {"as_of_ms"}, {"writers"}}};
  const JsonMembers members(element, "input", kMembers);
  report.inputs = take_unsigned(members[0], "inputs");
  report.file_bytes = take_unsigned(members[1], "file_bytes");
  report.errors = take_unsigned(members[2], "errors");
  report.complete = take_truth(members[3], "complete");
  const auto as_of = take_pair(members[4], "as_of_ms");
  report.as_of_first_ms = take_signed(as_of[0], "as_of_ms");
  report.as_of_last_ms = take_signed(as_of[1], "as_of_ms");
  for (const JsonElement element_of : take_list(members[5], "writers", StatReport::kNamesMax)) {
    const auto pair = take_pair(element_of, "writer");
    take_new(report.writers, take_name(pair[0], "writer"), "writer") = take_unsigned(pair[1], "writer");
  }
}

void take_types(const JsonElement& element, StatReport& report) {
  static constexpr std::array<JsonMember, 4> kMembers = {{{"type"}, {"count"}, {"elements"}, {"largest"}}};
  size_t i = 0;
  for (const JsonElement& row : take_row<kTypes>(element, "types")) {
    const JsonMembers members(row, "type", kMembers);
    if (take_type(members[0], "type") != static_cast<ValueType>(i))
      refuse_json(FindingCode::json_value, "types", "all of them in order", shown_json(members[0]));
    TypeStat& type = report.types[i++];
    type.count = take_count(members[1], "type");
    type.elements = take_histogram(members[2], "elements of a type");
    if (!members.is_null(3)) type.largest = take_big_key(members[3]);
  }
}

void take_keys(const JsonElement& element, StatReport& report) {
  static constexpr std::array<JsonMember, 7> kMembers = {
      {{"total"}, {"dbs"}, {"other_dbs"}, {"types"}, {"encodings"}, {"bytes"}, {"sizes"}}};
  const JsonMembers members(element, "keys", kMembers);
  report.total = take_count(members[0], "total");
  for (const JsonElement one : take_list(members[1], "dbs", StatReport::kDbsMax)) {
    const auto row = take_row<3>(one, "db");
    DbStat& db = take_new(report.dbs, take_unsigned(row[0], "db", StatReport::kDbsMax - 1), "db");
    db = {take_count(row[1], "db"), take_unsigned(row[2], "db")};
  }
  const auto others = take_pair(members[2], "other_dbs");
  report.other_dbs = {take_count(others[0], "other_dbs"), take_unsigned(others[1], "other_dbs")};
  take_types(members[3], report);
  for (const JsonElement one : take_list(members[4], "encodings", StatReport::kNamesMax)) {
    const auto row = take_row<3>(one, "encoding");
    EncodingStat& encoding = take_new(report.encodings, take_name(row[0], "encoding"), "encoding");
    encoding = {take_type(row[1], "encoding"), take_count(row[2], "encoding")};
  }
  report.bytes = take_histogram(members[5], "bytes of keys");
  take_counts(members[6], "sizes", report.sizes);
}

void take_expiry(const JsonElement& element, StatReport& report) {
  static constexpr std::array<JsonMember, 5> kMembers = {
      {{"persistent"}, {"expired"}, {"ttl"}, {"volatile_fields"}, {"expired_fields"}}};
  const JsonMembers members(element, "expiry", kMembers);
  report.persistent = take_count(members[0], "persistent");
  report.expired = take_count(members[1], "expired");
  take_counts(members[2], "ttl", report.ttl);
  report.volatile_fields = take_unsigned(members[3], "volatile_fields");
  report.expired_fields = take_unsigned(members[4], "expired_fields");
}

void take_use(const JsonElement& element, StatReport& report) {
  static constexpr std::array<JsonMember, 2> kMembers = {{{"idle"}, {"freq"}}};
  const JsonMembers members(element, "use", kMembers);
  take_counts(members[0], "idle", report.idle);
  take_counts(members[1], "freq", report.freq);
}

void take_top(const JsonElement& element, StatReport& report) {
  static constexpr std::array<JsonMember, 3> kMembers = {{{"by"}, {"most"}, {"keys"}}};
  size_t i = 0;
  for (const JsonElement& row : take_row<kBigBys>(element, "top")) {
    const JsonMembers members(row, "top", kMembers);
    if (take_name(members[0], "top") != kBigByNames[i])
      refuse_json(FindingCode::json_value, "top", quoted_text(kBigByNames[i]), shown_json(members[0]));
    const auto most = static_cast<size_t>(take_unsigned(members[1], "top", kPartialTopMax));
    TopKeys& top = report.top[i];
    top = TopKeys(static_cast<BigBy>(i), most);
    for (const JsonElement key : take_list(members[2], "top", most)) top.offer(take_big_key(key));
    ++i;
  }
}

// Each node becomes the last child of the last one on the level above.
void take_nodes(const JsonElement& element, PrefixNode& root) {
  constexpr const char* kSubject = "prefix";
  std::array<PrefixNode*, PrefixTree::kChildrenMax.size() + 1> last{};
  size_t levels = 0;
  for (const JsonElement one : take_list(element, "prefixes", PrefixTree::kNodesMax)) {
    const auto row = take_row<4>(one, kSubject);
    const auto level = static_cast<size_t>(take_unsigned(row[0], kSubject, last.size() - 1));
    if (level > levels || (level == 0) != (levels == 0))
      refuse_json(FindingCode::json_value, kSubject, "each behind its parent", shown_json(row[0]));
    PrefixNode& node = level == 0 ? root : last[level - 1]->children.emplace_back();
    node.is_any = row[1].is_null();
    if (!node.is_any) node.token = take_short_name(row[1], kSubject, PrefixTree::kTokenBytesMax);
    if (level == 0 ? node.is_any || !node.token.empty() : !node.is_any && node.token.empty())
      refuse_json(FindingCode::json_value, kSubject, "a token, but of the root", shown_json(row[1]));
    node.count = take_count(row[2], kSubject);
    node.persistent_keys = take_unsigned(row[3], kSubject);
    last[level] = &node;
    levels = level + 1;
  }
  if (levels == 0) refuse_json(FindingCode::json_value, "prefixes", "a root", "none");
}

void take_prefixes(const JsonElement& element, StatReport& report) {
  static constexpr std::array<JsonMember, 2> kMembers = {{{"coarsened"}, {"nodes"}}};
  const JsonMembers members(element, "prefixes", kMembers);
  report.prefixes_coarsened = take_truth(members[0], "coarsened");
  take_nodes(members[1], report.prefixes);
}

void take_libraries(const JsonElement& functions, const JsonElement& modules, StatReport& report) {
  for (const JsonElement one : take_list(functions, "functions", StatReport::kNamesMax)) {
    const auto pair = take_pair(one, "function");
    if (!report.functions.emplace(take_name(pair[0], "function"), take_name(pair[1], "function")).second)
      refuse_json(FindingCode::json_duplicate, "function", "each once", "one twice");
  }
  for (const JsonElement one : take_list(modules, "modules", StatReport::kNamesMax)) {
    const auto row = take_row<3>(one, "module");
    ModuleStat& module = take_new(report.modules, take_name(row[0], "module"), "module");
    module = {take_count(row[1], "module"), take_unsigned(row[2], "module")};
  }
}

// --- Of a log
// -------------------------------------------------------------------------------------------------

CommandStat take_command_stat(const JsonElement& element) {
  const auto row = take_row<3>(element, "commands");
  return {take_unsigned(row[0], "commands"), take_unsigned(row[1], "commands"),
          take_unsigned(row[2], "commands")};
}

// Annotations name no time before the epoch.
int64_t take_seconds(const JsonElement& element) {
  constexpr uint64_t kSecondsMax = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(take_unsigned(element, "times", kSecondsMax));
}

void take_log_times(const JsonElement& element, LogStat& log) {
  static constexpr std::array<JsonMember, 6> kMembers = {
      {{"first_s"}, {"last_s"}, {"commands"}, {"shift"}, {"first"}, {"buckets"}}};
  constexpr const char* kSubject = "times";
  const JsonMembers members(element, kSubject, kMembers);
  if (!members.is_null(0)) log.first_time_s = take_seconds(members[0]);
  if (!members.is_null(1)) log.last_time_s = take_seconds(members[1]);
  log.timed_commands = take_unsigned(members[2], kSubject);
  log.times.shift = static_cast<unsigned>(take_unsigned(members[3], kSubject, kTimeShiftMax));
  log.times.first = take_seconds(members[4]);
  for (const JsonElement one : take_list(members[5], kSubject, TimeLine::kBucketsMax))
    log.times.commands.push_back(take_unsigned(one, kSubject));
  // Where the buckets end are seconds in 64 bits as well.
  const int64_t most = std::numeric_limits<int64_t>::max() >> log.times.shift;
  const auto buckets = static_cast<int64_t>(log.times.commands.size());
  if (log.times.first > most - buckets)
    refuse_json(FindingCode::json_value, kSubject, "seconds of 64 bits", shown_json(members[4]));
}

LogStat take_log(const JsonElement& element) {
  static constexpr std::array<JsonMember, 12> kMembers = {{{"names"},
                                                           {"other_names"},
                                                           {"dbs"},
                                                           {"other_dbs"},
                                                           {"total"},
                                                           {"bytes"},
                                                           {"transactions"},
                                                           {"flushes"},
                                                           {"times"},
                                                           {"rdb_bytes"},
                                                           {"command_bytes"},
                                                           {"live_bytes"}}};
  const JsonMembers members(element, "log", kMembers);
  LogStat log;
  for (const JsonElement one : take_list(members[0], "names of commands", StatReport::kNamesMax)) {
    const auto pair = take_pair(one, "command");
    take_new(log.by_name, take_name(pair[0], "command"), "command") = take_command_stat(pair[1]);
  }
  log.other_names = take_command_stat(members[1]);
  for (const JsonElement one : take_list(members[2], "dbs of the log", StatReport::kDbsMax)) {
    const auto pair = take_pair(one, "db");
    const uint64_t db = take_unsigned(pair[0], "db", StatReport::kDbsMax - 1);
    take_new(log.by_db, db, "db") = take_command_stat(pair[1]);
  }
  log.other_dbs = take_command_stat(members[3]);
  log.total = take_command_stat(members[4]);
  log.bytes = take_histogram(members[5], "bytes of commands");
  log.transactions = take_unsigned(members[6], "transactions");
  log.flushes = take_unsigned(members[7], "flushes");
  take_log_times(members[8], log);
  log.rdb_bytes = take_unsigned(members[9], "rdb_bytes");
  log.command_bytes = take_unsigned(members[10], "command_bytes");
  if (!members.is_null(11)) log.live_bytes = take_unsigned(members[11], "live_bytes");
  return log;
}

// --- The whole
// ------------------------------------------------------------------------------------------------

StatReport take_report(const JsonElement& element) {
  JsonElement version;
  if (element.at_key(kPartialMember).get(version) != simdjson::SUCCESS)
    refuse_partial("no member " + quoted_text(kPartialMember));
  uint64_t number = 0;
  if (version.get_uint64().get(number) != simdjson::SUCCESS || number != kPartialVersion)
    refuse_partial("version " + shown_json(version) + " is not known, only " +
                   std::to_string(kPartialVersion));
  static constexpr std::array<JsonMember, 11> kMembers = {{{kPartialMember},
                                                           {"estimate"},
                                                           {"input"},
                                                           {"keys"},
                                                           {"expiry"},
                                                           {"use"},
                                                           {"top"},
                                                           {"prefixes"},
                                                           {"functions"},
                                                           {"modules"},
                                                           {"log"}}};
  const JsonMembers members(element, "report", kMembers);
  StatReport report;
  take_estimate(members[1], report);
  take_input(members[2], report);
  take_keys(members[3], report);
  take_expiry(members[4], report);
  take_use(members[5], report);
  take_top(members[6], report);
  take_prefixes(members[7], report);
  take_libraries(members[8], members[9], report);
  if (!members.is_null(10)) report.log = take_log(members[10]);
  return report;
}

Bytes skip_blanks(Bytes text) {
  const size_t at = text.find_first_not_of(" \t\r\n");
  return at == Bytes::npos ? Bytes() : text.substr(at);
}

}  // namespace

bool is_partial(ByteSource& source) {
  const Window head = source.window(0, kPartialHeadBytes);
  Bytes text = skip_blanks(head.bytes.substr(0, kPartialHeadBytes));
  if (!text.starts_with('{')) return false;
  text = skip_blanks(text.substr(1));
  return text.starts_with('"') && text.substr(1).starts_with(kPartialMember) &&
         text.substr(1 + kPartialMember.size()).starts_with('"');
}

StatReport read_partial(ByteSource& source) {
  if (!is_partial(source)) refuse_partial("it does not begin with the member " + quoted_text(kPartialMember));
  const Window all = source.window(0, kPartialBytesMax + 1);
  if (all.bytes.size() > kPartialBytesMax) refuse_partial("more than 1 GiB");
  try {
    JsonParser parser;
    return take_report(parser.parse(all.bytes, 0));
  } catch (const FormatError& error) {
    const Finding& finding = error.finding;
    const std::string subject = finding.subject.empty() ? "" : finding.subject + ": ";
    refuse_partial(subject + "expected " + finding.expected + ", found " + finding.found);
  }
}

}  // namespace persist
