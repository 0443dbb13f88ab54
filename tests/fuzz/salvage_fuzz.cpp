// Salvage: whatever the file and the options, the result is sound, made of the input by edits that stand in
// order, counted as it is, the same by windows of every size, and needs no second salvage. The first byte of
// the input is options; the file follows.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "persist/check.hpp"
#include "persist/edit.hpp"
#include "persist/salvage.hpp"
#include "support/drip_source.hpp"

namespace {

using namespace persist;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

SalvageOptions options_of(uint8_t bits) {
  SalvageOptions options;
  options.salvage = (bits & 0x01) != 0;
  options.reseal = (bits & 0x02) != 0;
  options.keep_damaged = (bits & 0x04) != 0;
  options.drop_uncertain = (bits & 0x08) != 0;
  options.deep = (bits & 0x10) != 0;
  options.followed = (bits & 0x20) != 0;
  return options;
}

// Counts how often it is asked, which is what time goes by.
class AskedSource : public test::DripSource {
 public:
  explicit AskedSource(Bytes bytes) : DripSource(bytes, true) {}
  Window window(uint64_t from, uint64_t min) override {
    ++asked;
    return DripSource::window(from, min);
  }
  uint64_t asked = 0;
};

// The edits, applied.
std::string applied(Bytes input, const std::vector<SalvageEdit>& edits, uint64_t end) {
  std::string result;
  uint64_t at = 0;
  for (const SalvageEdit& edit : edits) {
    require(edit.drop.offset >= at && edit.drop.end() <= input.size(), "edits overlap or leave the input");
    require(edit.drop.size > 0 || !edit.insert.empty(), "an edit that does nothing");
    require(!edit.why.empty(), "an edit without a reason");
    result += input.substr(static_cast<size_t>(at), static_cast<size_t>(edit.drop.offset - at));
    result += edit.insert;
    at = edit.drop.end();
  }
  require(at <= end && end <= input.size(), "edits behind the end");
  return result.append(input.substr(static_cast<size_t>(at), static_cast<size_t>(end - at)));
}

using Counts = std::map<uint64_t, SalvageCounts::ByType>;  // by db

Counts counts_of(const RdbSalvage& report) {
  Counts counts;
  for (const SalvageCounts& of_db : report.dbs) {
    const bool is_any = std::ranges::any_of(of_db.kept, [](uint64_t count) { return count > 0; });
    if (is_any) counts[of_db.db] = of_db.kept;
  }
  return counts;
}

Counts counts_of(ByteSource& result, const SalvagedRdb& salvaged, bool has_uncertain) {
  Counts counts;
  FindingList found;
  RdbReader reader(result, found);
  while (const RdbRecord* record = reader.next()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr) continue;
    ++counts[entry->db][static_cast<size_t>(entry->encoding->type)];
    require(has_uncertain || salvaged.label(record->extent.offset) != SalvageLabel::uncertain,
            "an uncertain key is left");
  }
  return counts;
}

void expect_sound(ByteSource& result) {
  FindingList found;
  require(check_rdb(result, found, {}).sound(), "the result is not sound");
}

void expect_report(const RdbSalvage& report, size_t size) {
  require(report.steps.size() <= report.steps_in_all, "more steps than there are");
  require(
      std::ranges::is_sorted(report.steps, {}, [](const SalvageStep& step) { return step.extent.offset; }),
      "steps out of order");
  for (const SalvageStep& step : report.steps)
    require(step.extent.end() <= size, "a step outside of the input");
  // An entry has at least a type code and two lengths.
  constexpr uint64_t kEntryBytes = 3;
  require(report.keys_kept * kEntryBytes <= size, "more keys than there is room for");
  require(report.keys_salvaged <= report.keys_kept && report.keys_partial <= report.keys_kept &&
              report.keys_uncertain <= report.keys_kept,
          "more keys of a kind than keys");
  require(report.bytes_lost <= size, "more is lost than there was");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const SalvageOptions options = options_of(data[0]);
  const Bytes file(reinterpret_cast<const char*>(data) + 1, size - 1);
  AskedSource input(file);
  std::optional<SalvagedRdb> salvaged;
  try {
    salvaged.emplace(input, options);
  } catch (const EditRefused&) {
    return 0;
  }
  // Six for each byte were seen.
  constexpr uint64_t kAskedPerByte = 50;
  constexpr uint64_t kAskedAtLeast = 10000;
  require(input.asked <= kAskedAtLeast + kAskedPerByte * file.size(), "it reads the file too often");
  const RdbSalvage& report = salvaged->report();
  expect_report(report, file.size());
  const std::string result = applied(file, salvaged->edits(), salvaged->end());
  const Window window = salvaged->source().window(0, result.size() + 1);
  require(window.bytes == result, "the edits do not make the result");
  const auto memory = memory_source(result);
  expect_sound(*memory);
  // What is sound is not counted.
  if (report.steps_in_all > 0)
    require(counts_of(*memory, *salvaged, !options.drop_uncertain) == counts_of(report), "counted otherwise");

  const auto whole_windows = memory_source(file);
  SalvagedRdb same(*whole_windows, options);
  require(same.edits().size() == salvaged->edits().size() && same.report().keys_kept == report.keys_kept,
          "other windows, another result");

  SalvageOptions again = options;
  again.salvage = again.reseal = false;
  SalvagedRdb twice(*memory, again);
  require(twice.edits().empty() && twice.report().steps_in_all == 0, "the result needs a salvage");
  return 0;
}
