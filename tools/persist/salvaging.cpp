// One place for all verbs: what they read then is sound, and what was wrong counts as errors of the opening.
#include "salvaging.hpp"

#include <fmt/core.h>

#include "persist/check_set.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

SalvageOptions all_of_it() {
  SalvageOptions options;
  options.salvage = true;
  return options;
}

bool may_be_rdb(ByteSource& source) {
  const FileContent content = recognise_content(source);
  if (content == FileContent::rdb) return true;
  const Window head = source.window(0, 1);
  return content == FileContent::other && !head.bytes.empty() && !head.bytes.starts_with('{');
}

std::string in_words(const RdbSalvage& report) {
  if (report.exact) return "flipped bits were found by the checksum, and corrected";
  std::string text = fmt::format("{} kept", counted(report.keys_kept, "key"));
  const auto add = [&](uint64_t count, const char* what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(report.keys_salvaged, "of them behind damage");
  add(report.keys_partial, "of them in part");
  add(report.keys_uncertain, "of them uncertain");
  add(report.keys_dropped, "known to be lost");
  return text + fmt::format(", {} left out", counted(report.bytes_lost, "byte"));
}

}  // namespace

SalvagedInput::SalvagedInput(std::unique_ptr<ByteSource> damaged)
    : damaged_(std::move(damaged)), salvaged_(*damaged_, all_of_it()), size_(salvaged_.source().size()) {}

const SalvagedInput* salvage_rdb(const std::string& verb, const std::string& path, Keyspace& found) {
  if (found.log || found.input.payload || !may_be_rdb(*found.input.source)) return nullptr;
  auto input = std::make_unique<SalvagedInput>(rereadable_source(std::move(found.input.source)));
  const SalvagedInput* salvaged = input.get();
  found.input.source = std::move(input);
  if (!salvaged->is_damaged()) return nullptr;
  const RdbSalvage& report = salvaged->salvaged().report();
  found.errors += report.steps_in_all;
  found.reach = exit_of(report) == kDamaged ? Reach::tail : Reach::beyond;
  fmt::print(
      stderr,
      "persist {}: {}: damaged: {}; `persist repair --salvage --dry-run` says what was done about what\n",
      verb, printable(path), in_words(report));
  return salvaged;
}

Exit exit_of(const RdbSalvage& report) {
  if (report.steps_in_all == 0) return kDone;
  if (report.exact) return kDamaged;
  for (const SalvageStep& step : report.steps) {
    if (step.action != SalvageAction::tail && step.action != SalvageAction::sealed) return kBroken;
  }
  return kDamaged;
}

}  // namespace persist::tool
