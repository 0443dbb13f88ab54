// One place for all verbs: what they read then is sound, and what was wrong counts as errors of the opening.
#include "salvaging.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "persist/check_set.hpp"
#include "repair_report.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

SalvageOptions all_of_it() {
  SalvageOptions options;
  options.salvage = true;
  return options;
}

// What is shorter than a header holds nothing that could be brought back.
bool may_be_rdb(ByteSource& source) {
  constexpr size_t kHeaderBytes = 9;
  const FileContent content = recognise_content(source);
  const Window window = source.window(0, kHeaderBytes);
  const Bytes head = window.bytes;
  if (head.size() < kHeaderBytes) return false;
  return content == FileContent::rdb || (content == FileContent::other && !head.starts_with('{'));
}

void tell_salvage(const std::string& verb, const std::string& path, const RdbSalvage& report) {
  const auto print = [&](const std::string& words) {
    if (!words.empty()) fmt::print(stderr, "persist {}: {}: {}\n", verb, printable(path), words);
  };
  print("damaged: " + salvage_in_words(report));
  print(unknown_in_words(report));
  print(fmt::format("`persist repair{} --dry-run` tells what was done, step by step",
                    report.exact ? "" : " --salvage"));
}

}  // namespace

SalvagedInput::SalvagedInput(std::unique_ptr<ByteSource> damaged)
    : damaged_(std::move(damaged)), salvaged_(*damaged_, all_of_it()), size_(salvaged_.source().size()) {}

const SalvagedInput* salvage_rdb(const std::string& verb, const std::string& path, Keyspace& found,
                                 bool quiet) {
  if (found.log || found.input.payload || !may_be_rdb(*found.input.source)) return nullptr;
  auto input = std::make_unique<SalvagedInput>(rereadable_source(std::move(found.input.source)));
  const SalvagedInput* salvaged = input.get();
  found.input.source = std::move(input);
  if (!salvaged->is_damaged()) return nullptr;
  const RdbSalvage& report = salvaged->salvaged().report();
  found.errors += report.steps_in_all;
  found.reach = exit_of(report) == kDamaged ? Reach::tail : Reach::beyond;
  if (!quiet) tell_salvage(verb, path, report);
  return salvaged;
}

Exit exit_of(const RdbSalvage& report) {
  if (report.steps_in_all == 0) return kDone;
  if (report.exact) return kDamaged;
  const auto is_of_tail = [](const SalvageStep& step) {
    return step.action == SalvageAction::tail || step.action == SalvageAction::sealed ||
           step.action == SalvageAction::uncertain;
  };
  return is_doubtful(report) || !std::ranges::all_of(report.steps, is_of_tail) ? kBroken : kDamaged;
}

}  // namespace persist::tool
