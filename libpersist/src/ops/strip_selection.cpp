// Most commands of most logs are judged by one look at their name or key; all else is out of line.
#include "ops/strip_selection.hpp"

#include <algorithm>

#include "aof/command_walk.hpp"
#include "base/letters.hpp"
#include "persist/edit.hpp"

namespace persist {

namespace {

// Of a command that is too large to be held, so much of each word is looked at.
constexpr uint64_t kKeyBytesShown = uint64_t{64} << 10;

[[noreturn]] void refuse_selection(const std::string& what) {
  throw EditRefused(EditRefused::Kind::unusable, what);
}

// The database that the last key of MOVE and COPY is in, if it is another.
std::optional<uint64_t> other_db(const CommandSpec& spec, std::span<const Bytes> args) {
  if (spec.name == "move" && args.size() > 2) return parse_db(args[2]);
  if (spec.name != "copy") return std::nullopt;
  for (size_t i = 3; i + 1 < args.size(); ++i) {
    if (equals_ignoring_case(args[i], "db")) return parse_db(args[i + 1]);
  }
  return std::nullopt;
}

// Whether the words at hand are all that can be keys, and these are shown to their ends.
bool shows_keys(const LogReader& record, const CommandSpec& spec) {
  if (record.shows_all()) return true;
  const KeyRule& rule = spec.keys;
  const bool single =
      rule.places == KeyPlaces::range && rule.first == rule.last && !spec.has(kCommandContainer);
  if (!single && record.args().size() < record.argument_count()) return false;
  bool whole = true;
  for_each_key(spec, record.args(),
               [&](size_t i) { whole = whole && record.args()[i].size() < WalkLimits{}.beginning_bytes; });
  return whole;
}

}  // namespace

// ---------------------------------------------------------------------------------------------- numbers

NumberRanges::NumberRanges(std::vector<StripRange> ranges) {
  std::ranges::sort(ranges, {}, &StripRange::first);
  for (const StripRange& range : ranges) {
    if (range.last < range.first) continue;
    if (!ranges_.empty() && range.first <= ranges_.back().last)
      ranges_.back().last = std::max(ranges_.back().last, range.last);
    else
      ranges_.push_back(range);
  }
}

bool NumberRanges::holds(uint64_t number) const {
  const auto behind = std::ranges::upper_bound(ranges_, number, {}, &StripRange::first);
  return behind != ranges_.begin() && number <= std::prev(behind)->last;
}

// -------------------------------------------------------------------------------------------- the kinds

StripSelection::StripSelection(const AppendSet& set, const StripOptions& wanted)
    : wanted_(wanted), keys_(wanted.keys), indexes_(wanted.indexes) {
  for (const std::string& name : wanted.commands) {
    if (const CommandSpec* spec = find_command(name)) known_.push_back(spec);
  }
  entry_.encoding = encodings().front();  // looked at, but no type is asked for where commands are
  resolve_kinds();
  resolve_files(set);
}

void StripSelection::resolve_kinds() {
  const FilterOptions& keys = wanted_.keys;
  const bool by_db = !keys.dbs.empty();
  const bool by_name = !keys.key_globs.empty() || !keys.key_regexes.empty() || !keys.slots.empty();
  const bool by_value = !keys.types.empty() || !wanted_.modules.empty();
  by_key_ = by_db || by_name || !keys.types.empty();
  by_db_only_ = by_db && !by_name;
  by_offset_ = !wanted_.offsets.empty();

  const bool by_record = !wanted_.commands.empty() || !wanted_.indexes.empty();
  const bool by_place = by_offset_ && !wanted_.annotations;
  commands_ = (by_record || by_place || by_db || by_name) && !by_value;
  annotations_ = wanted_.annotations || (by_offset_ && !by_record && !by_key_ && !by_value);
  entries_ = (by_key_ || by_value) && !by_record && !by_place;
  module_aux_ = entries_ && !by_key_;
  if (commands_ || annotations_ || selects_in_rdb()) return;
  refuse_selection(
      "nothing can be selected by all of this at once: commands have no type, keys no command name");
}

void StripSelection::resolve_files(const AppendSet& set) {
  const auto names = [&] {
    std::string text = ": it has";
    for (const SetPart& part : set.parts) text += " " + part.name;
    return text;
  };
  for (const SetPart& part : set.parts) {
    std::vector<StripRange> ranges;
    for (const StripOffsets& offsets : wanted_.offsets) {
      const bool named = offsets.file == part.name || offsets.file == part.path;
      if (named || (offsets.file.empty() && set.parts.size() == 1)) ranges.push_back(offsets.range);
    }
    offsets_of_.emplace_back(part.name, NumberRanges(std::move(ranges)));
  }
  for (const StripOffsets& offsets : wanted_.offsets) {
    if (offsets.file.empty() && set.parts.size() > 1)
      refuse_selection("an offset needs the name of its file, FILE:A-B" + names());
    const bool known = offsets.file.empty() || std::ranges::any_of(set.parts, [&](const SetPart& part) {
                         return offsets.file == part.name || offsets.file == part.path;
                       });
    if (!known) refuse_selection(offsets.file + ": expected one of the files of the set" + names());
  }
}

void StripSelection::begin_part(const SetPart& part) {
  const auto at = std::ranges::find(offsets_of_, part.name, &std::pair<std::string, NumberRanges>::first);
  offsets_ = at != offsets_of_.end() ? at->second : NumberRanges();
}

// --------------------------------------------------------------------------------------------- commands

Verdict StripSelection::judge(const LogWalk& walk, ByteSource& source) {
  if (!commands_) return Verdict::stays;
  if (!wanted_.commands.empty() && !selects_name(walk)) return Verdict::stays;
  if (!indexes_.empty() && !indexes_.holds(walk.index())) return Verdict::stays;
  if (by_offset_ && !offsets_.holds(walk.record().extent().offset)) return Verdict::stays;
  return by_key_ ? judge_keys(walk, source) : Verdict::goes;
}

bool StripSelection::selects_name(const LogWalk& walk) const {
  if (walk.spec() != nullptr) return std::ranges::find(known_, walk.spec()) != known_.end();
  const Bytes name = walk.record().args().front();
  return std::ranges::any_of(wanted_.commands,
                             [&](const std::string& wanted) { return equals_ignoring_case(wanted, name); });
}

Verdict StripSelection::judge_keys(const LogWalk& walk, ByteSource& source) {
  if (walk.kind() != CommandKind::other && walk.kind() != CommandKind::script) [[unlikely]]
    return by_db_only_ ? judge_dbs(walk) : Verdict::stays;
  if (walk.spec() == nullptr || shows_keys(walk.record(), *walk.spec())) [[likely]]
    return judge_args(walk, walk.record().args());
  return judge_large(walk, source);
}

// Values are not needed; keys are, however long they may be.
Verdict StripSelection::judge_large(const LogWalk& walk, ByteSource& source) {
  WalkLimits limits;
  limits.beginnings = walk.record().argument_count();
  for (const uint64_t shown : {kKeyBytesShown, ~uint64_t{0}}) {
    limits.beginning_bytes = shown;
    const WalkedCommand walked = walk_command(source, walk.record().extent().offset, limits);
    const std::vector<Bytes> args(walked.beginnings.begin(), walked.beginnings.end());
    bool whole = true;
    for_each_key(*walk.spec(), args, [&](size_t i) { whole = whole && args[i].size() < shown; });
    if (whole) return judge_args(walk, args);
  }
  return Verdict::stays;
}

// What works on databases as a whole.
Verdict StripSelection::judge_dbs(const LogWalk& walk) {
  switch (walk.kind()) {
    case CommandKind::flushdb:
      return selects_key(walk.db(), {}) ? Verdict::goes : Verdict::stays;
    case CommandKind::flushall:
      return wanted_.any_key ? Verdict::goes : Verdict::shared;
    case CommandKind::swapdb: {
      size_t selected = 0;
      const std::span<const Bytes> dbs = walk.record().args().subspan(1);
      for (const Bytes text : dbs) {
        const std::optional<uint64_t> db = parse_db(text);
        if (db && selects_key(*db, {})) ++selected;
      }
      if (selected == 0) return Verdict::stays;
      return selected == dbs.size() || wanted_.any_key ? Verdict::goes : Verdict::shared;
    }
    default:
      return Verdict::stays;
  }
}

// Of a command that nobody knows, the first word behind the name is taken for its key.
Verdict StripSelection::judge_args(const LogWalk& walk, std::span<const Bytes> args) {
  if (walk.spec() == nullptr)
    return args.size() > 1 && selects_key(walk.db(), args[1]) ? Verdict::goes : Verdict::stays;
  size_t selected = 0;
  size_t others = 0;
  const auto count = [&](uint64_t db, Bytes key) { ++(selects_key(db, key) ? selected : others); };
  for_each_key(*walk.spec(), args, [&](size_t index) { count(walk.db(), args[index]); });
  if (selected + others > 0 && !wanted_.keys.dbs.empty()) {
    // The key that it makes is the same, or the second.
    if (const std::optional<uint64_t> db = other_db(*walk.spec(), args)) {
      const bool second = walk.spec()->name == "copy";
      if (second) --(selects_key(walk.db(), args[2]) ? selected : others);
      count(*db, args[second ? 2 : 1]);
    }
  }
  if (selected == 0) return Verdict::stays;
  return others == 0 || wanted_.any_key ? Verdict::goes : Verdict::shared;
}

bool StripSelection::selects_key(uint64_t db, Bytes key) {
  entry_.db = db;
  entry_.key = key;
  return keys_.accepts(entry_);
}

// --------------------------------------------------------------------------------------- the RDB part

bool StripSelection::drops_module(Bytes name) const {
  return std::ranges::find(wanted_.modules, name) != wanted_.modules.end();
}

bool StripSelection::drops_aux(const AuxField& aux) const {
  return std::ranges::find(wanted_.aux, aux.name) != wanted_.aux.end();
}

}  // namespace persist
