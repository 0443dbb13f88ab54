// Conversions: whatever bytes come in, what goes out is sound, is loaded by the server it is for, and is the
// same when it is converted once more.
//
// The input begins with four bytes of choices (see choices_of); behind them stands an RDB file or JSON Lines.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "persist/check.hpp"
#include "persist/convert.hpp"
#include "text/json_reader.hpp"

namespace {

using namespace persist;

constexpr int64_t kNowMs = 1'700'000'000'000;
constexpr uint64_t kDatabasesByDefault = 16;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

class TextSink : public ByteSink {
 public:
  void write(Bytes bytes) override { text.append(bytes); }
  std::string text;
};

const std::vector<LossFeature>& all_losses() {
  static const std::vector<LossFeature> all = [] {
    std::vector<LossFeature> features;
    for (const LossRow& row : loss_rows()) features.push_back(row.feature);
    return features;
  }();
  return all;
}

// --- What is asked for
// ---------------------------------------------------------------------------------------

const Filter* filter_of(unsigned choice) {
  static const auto made = [] {
    std::vector<std::unique_ptr<Filter>> filters(4);
    FilterOptions options;
    options.key_globs = {"*[a-m0-4]*"};
    filters[1] = std::make_unique<Filter>(options);
    options = {};
    options.types = {ValueType::stream, ValueType::hash, ValueType::zset};
    filters[2] = std::make_unique<Filter>(options);
    options = {};
    options.expired = Expired::drop;
    options.now_ms = kNowMs;
    filters[3] = std::make_unique<Filter>(options);
    return filters;
  }();
  return made[choice % made.size()].get();
}

std::vector<KeyChangeOptions> change_options() {
  std::vector<KeyChangeOptions> rows(7);
  for (KeyChangeOptions& row : rows) row.now_ms = kNowMs;
  rows[0].all = {ExpiryChange::persist, 0};
  rows[1].all = {ExpiryChange::shift, 86'400'123};
  rows[2].all = {ExpiryChange::shift, std::numeric_limits<int64_t>::min() / 2};
  rows[3].all = {ExpiryChange::set, kNowMs + 5};
  rows[4].expired = {ExpiryChange::shift, std::numeric_limits<int64_t>::max()};
  rows[5].drop_expired_fields = true;
  rows[6].dbs = {{0, 3}, {3, 0}};
  rows[6].renames = {{"^k", "new:\\0", false}};
  return rows;
}

const KeyChanges* changes_of(unsigned choice) {
  static const auto made = [] {
    std::vector<std::unique_ptr<KeyChanges>> changes(1);
    for (const KeyChangeOptions& row : change_options()) changes.push_back(std::make_unique<KeyChanges>(row));
    return changes;
  }();
  return made[choice % made.size()].get();
}

PackLimits limits_of(unsigned choice) {
  constexpr uint64_t kNumbers[] = {0, 0, std::numeric_limits<uint64_t>::max(), 2};
  const uint64_t number = kNumbers[choice];
  PackLimits limits;
  if (choice == 0) return limits;
  for (uint64_t* limit : {&limits.hash_entries, &limits.hash_value, &limits.list_entries, &limits.list_value,
                          &limits.set_ints, &limits.set_entries, &limits.set_value, &limits.zset_entries,
                          &limits.zset_value, &limits.stream_node_bytes, &limits.stream_node_entries})
    *limit = number;
  limits.list_node = static_cast<int64_t>(number >> 1);
  return limits;
}

struct Choices {
  ConvertOptions options;
  bool is_json = false;
  bool permits_nothing = false;
};

Choices choices_of(const uint8_t* bytes) {
  constexpr unsigned kFirstWithRestore = 206;
  constexpr size_t kTargetsWithoutFolders = 11;
  const auto bit = [bytes](size_t byte, unsigned number) { return ((bytes[byte] >> number) & 1U) != 0; };
  Choices choices;
  ConvertOptions& options = choices.options;
  options.to = static_cast<OutputForm>((bytes[0] & 7U) % 6);
  choices.is_json = bit(0, 3);
  options.canonical = bit(0, 4);
  options.replace = bit(0, 6);
  choices.permits_nothing = bit(0, 7);
  const bool is_log = options.to == OutputForm::aof;
  const size_t target = bytes[1] % (is_log ? kTargetsWithoutFolders : targets().size() + 1);
  if (target < targets().size()) options.write.target = &targets()[target];
  options.restore =
      bit(0, 5) && options.write.target != nullptr && options.write.target->release >= kFirstWithRestore;
  options.write.limits = limits_of(bytes[2] & 3U);
  options.write.compress = !bit(2, 2);
  options.write.checksum = !bit(2, 3);
  if (bit(2, 4)) options.write.modules = {"test__rdb", "Az09-_jsN"};
  options.meta = bit(2, 5);
  options.base_of_commands = bit(2, 6);
  options.filter = filter_of(bytes[3] & 3U);
  options.changes = changes_of((bytes[3] >> 2U) & 7U);
  options.permitted_losses = all_losses();
  options.salvage = true;
  options.threads = 1;
  return choices;
}

// --- Input and output
// ----------------------------------------------------------------------------------------

// Flaws in what a value means: it can be read all the same, and comes out as it went in.
bool concerns_meaning(FindingCode code) {
  using enum FindingCode;
  constexpr FindingCode kCodes[] = {
      rdb_duplicate_key, set_duplicate, zset_duplicate,         hash_duplicate,   zset_order,
      zset_nan,          stream_order,  stream_unowned,         stream_last_id,   stream_duplicate_consumer,
      stream_idmp,       stream_length, stream_duplicate_group, function_shebang, function_duplicate};
  return std::ranges::find(kCodes, code) != std::end(kCodes);
}

struct Seen {
  bool is_sound = true;  // nothing that is read means anything wrong
  uint64_t last_db = 0;
  uint64_t keys = 0;
  bool has_functions = false;  // servers refuse names of libraries that nobody else minds
};

Seen look_at_rdb(Bytes file) {
  Seen seen;
  FindingList findings;
  CheckOptions options;
  options.threads = 1;
  options.observe = [&seen](const RdbRecord& record, uint64_t) {
    if (const auto* select = std::get_if<SelectDb>(&record.body))
      seen.last_db = std::max(seen.last_db, select->db);
    seen.has_functions = seen.has_functions || std::holds_alternative<FunctionLibrary>(record.body);
  };
  seen.keys = check_rdb(*memory_source(file), findings, options).keys;
  for (const Finding& finding : findings.all)
    seen.is_sound = seen.is_sound && !concerns_meaning(finding.code);
  return seen;
}

Seen look_at_json(Bytes text) {
  Seen seen;
  FindingList findings;
  const auto source = memory_source(text);
  JsonLinesReader reader(*source, findings);
  while (const RdbRecord* record = reader.next()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    seen.has_functions = seen.has_functions || std::holds_alternative<FunctionLibrary>(record->body);
    if (entry == nullptr) continue;
    ++seen.keys;
    seen.last_db = std::max(seen.last_db, entry->db);
  }
  return seen;
}

struct Converted {
  ConvertSummary summary;
  std::string bytes;
  std::vector<Finding> findings;
  bool refused = false;
};

Converted run(const ConvertInput& input, const ConvertOptions& options) {
  Converted converted;
  TextSink sink;
  FindingList findings;
  try {
    converted.summary = convert_to_stream(input, sink, findings, options);
  } catch (const EditRefused&) {
    converted.refused = true;
  }
  converted.bytes = std::move(sink.text);
  converted.findings = std::move(findings.all);
  for (const Finding& finding : converted.findings)
    require(!finding.message().empty(), "a finding without words");
  return converted;
}

Converted convert_bytes(Bytes bytes, bool is_json, const ConvertOptions& options) {
  const auto source = memory_source(bytes);
  ConvertInput input;
  (is_json ? input.json : input.rdb) = source.get();
  return run(input, options);
}

Converted replay(Bytes log, const Target& target, const ConvertOptions& options) {
  AppendSet set;
  SetPart part;
  part.name = part.path = set.path = "log";
  part.present = true;
  part.size = log.size();
  set.parts.push_back(part);
  ConvertInput input;
  input.log = &set;
  input.replay.as = ServerVersion{target.family, target.release};
  input.replay.now_ms = 0;
  input.replay.open = [log](const SetPart& opened) { return memory_source(log, opened.name); };
  return run(input, options);
}

bool loses_data(const LossReport& losses) { return losses.loses_more_than({}); }

// --- What must hold
// ------------------------------------------------------------------------------------------

// Keys are sorted by what they were called before they were changed. Lines about the file itself depend on
// it.
bool has_one_form(const ConvertOptions& options) {
  const bool keeps_names = options.changes == nullptr || !options.changes->changes_keys();
  const bool has_lines = options.to == OutputForm::jsonl && options.meta;
  return options.canonical && keeps_names && !has_lines;
}

ConvertOptions options_again(const ConvertOptions& options, const Target& target) {
  ConvertOptions again = options;
  again.filter = nullptr;
  again.changes = nullptr;
  again.write.target = &target;
  return again;
}

void require_sound_rdb(const Converted& made, const ConvertOptions& options, bool is_input_sound) {
  FindingList findings;
  CheckOptions checking;
  checking.target = made.summary.target;
  checking.threads = 1;
  const CheckSummary checked = check_rdb(*memory_source(made.bytes), findings, checking);
  require(checked.complete, "an RDB file without an end");
  require(checked.keys == made.summary.written, "not as many keys as were written");
  for (const Finding& finding : findings.all) {
    const bool is_bad = finding.kind().severity == Severity::error;
    // Which modules a target has is told to the conversion alone.
    const bool is_module = finding.code == FindingCode::target_module && !options.write.modules.empty();
    const bool came_in = !is_input_sound && concerns_meaning(finding.code);
    if (is_bad && !is_module && !came_in) require(false, finding.message().c_str());
  }
}

void require_same_again(const Converted& made, const ConvertOptions& options, bool is_input_sound) {
  const Converted again = convert_bytes(made.bytes, false, options_again(options, *made.summary.target));
  require(!again.refused && again.summary.committed && again.summary.complete, "not converted again");
  if (!is_input_sound) return;
  require(again.summary.errors == 0, "errors in what was converted");
  require(again.summary.written == made.summary.written, "fewer keys the second time");
  require(!loses_data(again.summary.losses), "data lost the second time");
  if (has_one_form(options)) require(again.bytes == made.bytes, "another canonical form");
}

void require_lines_read(const Converted& made, const ConvertOptions& options) {
  ConvertOptions again = options_again(options, *made.summary.target);
  const Converted back = convert_bytes(made.bytes, true, again);
  // Servers pass over an iid that comes twice, and let the last of two elements of an array stand; in lines
  // each stands once.
  const bool comes_twice =
      !back.findings.empty() && back.findings[0].code == FindingCode::json_duplicate &&
      (back.findings[0].subject.ends_with(", iid") || back.findings[0].subject.ends_with(", index"));
  if (comes_twice) return;
  for (const Finding& finding : back.findings) require(false, finding.message().c_str());
  require(!back.refused && back.summary.complete, "lines that cannot be read");
  require(back.summary.written == made.summary.written, "not as many keys as lines");
  if (has_one_form(options)) require(back.bytes == made.bytes, "other canonical lines");
}

void require_replayed(const Converted& made, const ConvertOptions& options, bool has_functions) {
  ConvertOptions lines = options_again(options, *made.summary.target);
  lines.to = OutputForm::rdb;
  const Converted replayed = replay(made.bytes, *made.summary.target, lines);
  if (made.bytes.empty()) return;
  require(replayed.summary.replay.has_value(), "a log that is none");
  for (const Finding& finding : replayed.findings)
    if (finding.kind().severity == Severity::error) require(false, finding.message().c_str());
  require(replayed.summary.replay->complete && !replayed.summary.replay->refused, "not replayed");
  require(has_functions || replayed.summary.replay->failed == 0, "a command that the server refuses");
  require(replayed.summary.keys == made.summary.written, "not as many keys as were made");
  require_sound_rdb(replayed, lines, true);
}

// Unless data may be lost nothing comes out, or the same.
void require_no_loss(Bytes file, bool is_json, ConvertOptions options, const Converted& made) {
  options.permitted_losses.clear();
  const Converted careful = convert_bytes(file, is_json, options);
  require(careful.refused == made.refused, "refused but for losses");
  if (careful.refused || !careful.summary.committed)
    return require(careful.bytes.empty(), "written all the same");
  require(!loses_data(careful.summary.losses), "lost without permission");
  require(!made.summary.committed || careful.bytes == made.bytes, "other bytes when nothing may be lost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kChoiceBytes = 4;
  if (size < kChoiceBytes) return 0;
  const Choices choices = choices_of(data);
  const ConvertOptions& options = choices.options;
  const Bytes file(reinterpret_cast<const char*>(data) + kChoiceBytes, size - kChoiceBytes);
  const Converted made = convert_bytes(file, choices.is_json, options);
  if (choices.permits_nothing) require_no_loss(file, choices.is_json, options, made);
  if (made.refused || !made.summary.committed) return 0;
  require(made.bytes.size() == made.summary.bytes_written, "not as many bytes as were written");
  const Seen seen = choices.is_json ? look_at_json(file) : look_at_rdb(file);
  require(made.summary.written <= seen.keys, "more keys than came in");
  const bool is_rdb = made.bytes.starts_with("REDIS") || made.bytes.starts_with("VALKEY");
  if (is_rdb) {
    require_sound_rdb(made, options, seen.is_sound);
    if (options.to == OutputForm::rdb) require_same_again(made, options, seen.is_sound);
  }
  if (!seen.is_sound) return 0;
  if (options.to == OutputForm::jsonl || options.to == OutputForm::dump) require_lines_read(made, options);
  const bool has_commands = options.to == OutputForm::resp || options.to == OutputForm::aof;
  if (has_commands && seen.last_db < kDatabasesByDefault) require_replayed(made, options, seen.has_functions);
  return 0;
}
