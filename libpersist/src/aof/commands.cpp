// The table of commands, and a hash table over it that the compiler builds. Both are constant data.
//
// A name is looked up as three words of eight bytes, in lower case. Folding is exact, it moves A to Z and
// nothing else, so that comparing the words and the size compares the names.
#include "aof/commands.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "base/endian.hpp"
#include "base/letters.hpp"

namespace persist {
namespace {

// --- The rows, and the vocabulary of commands.def ----------------------------------------------------------

namespace table {

// The words of the rows, which read better without a prefix.
// NOLINTBEGIN(readability-identifier-naming)
constexpr unsigned none = 0;
constexpr unsigned write = kCommandWrites;
constexpr unsigned flush = kCommandFlushes;
constexpr unsigned script = kCommandRunsCode;
constexpr unsigned container = kCommandContainer;
constexpr unsigned admin = kCommandAdmin;

constexpr KeyRule no_keys{};
constexpr KeyRule migrate{KeyPlaces::migrate};
constexpr KeyRule sort_store{KeyPlaces::sort_store};
constexpr KeyRule stralgo{KeyPlaces::stralgo};
// NOLINTEND(readability-identifier-naming)

constexpr KeyRule range(int8_t first, int8_t last, int8_t step) {
  return {KeyPlaces::range, first, last, step};
}
constexpr KeyRule key(int8_t at) { return range(at, at, 1); }
constexpr KeyRule numkeys(int8_t at, int8_t step) { return {KeyPlaces::numkeys, at, 0, step}; }
constexpr KeyRule dest_numkeys(int8_t at) { return {KeyPlaces::dest_numkeys, at}; }
constexpr KeyRule streams(int8_t first) { return {KeyPlaces::streams, first}; }
constexpr KeyRule georadius_store(int8_t first) { return {KeyPlaces::georadius_store, first}; }

struct NamedKind {
  Bytes name;
  CommandKind kind;
};

constexpr NamedKind kKinds[] = {
    {"discard", CommandKind::discard},   {"exec", CommandKind::exec},
    {"flushall", CommandKind::flushall}, {"flushdb", CommandKind::flushdb},
    {"function", CommandKind::function}, {"multi", CommandKind::multi},
    {"select", CommandKind::select},     {"swapdb", CommandKind::swapdb},
};

// A subcommand is of the kind of its container.
constexpr CommandKind kind_of(Bytes name, unsigned flags) {
  if ((flags & script) != 0) return CommandKind::script;
  for (const NamedKind& row : kKinds) {
    if (name.substr(0, name.find('|')) == row.name) return row.kind;
  }
  return CommandKind::other;
}

constexpr CommandSpec row(Bytes name, int16_t arity, KeyRule keys, unsigned flags, uint16_t since_redis,
                          uint16_t since_valkey) {
  return {name, arity, kind_of(name, flags), keys, static_cast<uint16_t>(flags), since_redis, since_valkey};
}

#define PERSIST_COMMAND(name, arity, key_rule, flags, since_redis, since_valkey) \
  row(name, arity, key_rule, flags, since_redis, since_valkey),
constexpr CommandSpec kSpecs[] = {
#include "aof/commands.def"
};
#undef PERSIST_COMMAND

}  // namespace table

using table::kSpecs;

constexpr bool is_subcommand(Bytes name) { return name.find('|') != Bytes::npos; }

// --- Looking up by name ------------------------------------------------------------------------------------

constexpr size_t kNameBytesMax = 24;

// The bytes of a name, padded with NUL.
struct NameWords {
  uint64_t first = 0;
  uint64_t second = 0;
  uint64_t third = 0;
};

constexpr uint64_t each_byte(uint64_t value) { return value * 0x0101010101010101; }

// Lower-cases eight bytes at once. With the top bit out of the way, adding 0x80 - 'A' sets it in bytes from
// 'A' on, adding 0x7f - 'Z' in those behind 'Z'; bytes that had it set themselves are no letters. 0x80 >> 2
// is 0x20.
constexpr uint64_t fold(uint64_t word) {
  constexpr uint64_t kTop = each_byte(0x80);
  const uint64_t low = word & ~kTop;
  const uint64_t from_a = low + each_byte(0x80 - 'A');
  const uint64_t behind_z = low + each_byte(0x7f - 'Z');
  return word | (((from_a ^ behind_z) & ~word & kTop) >> 2);
}

// 1 to 8 bytes, and not one beyond them: a name may end where its buffer does.
inline uint64_t load_padded(const char* from, size_t size) {
  if (size >= 4) {
    return load_le<uint32_t>(from) | uint64_t{load_le<uint32_t>(from + size - 4)} << (8 * (size - 4));
  }
  const auto byte = [&](size_t at) { return uint64_t{static_cast<uint8_t>(from[at])} << (8 * at); };
  return byte(0) | byte(size / 2) | byte(size - 1);
}

// The last 1 to 8 bytes of something longer than 8: one load, that what stands before them is shifted out of.
inline uint64_t load_tail(const char* end, size_t size) {
  return load_le<uint64_t>(end - 8) >> (8 * (8 - size));
}

// The same words from a row of the table, at compile time.
constexpr NameWords words_of(Bytes name) {
  uint64_t words[3] = {};
  for (size_t i = 0; i < name.size(); ++i)
    words[i / 8] |= uint64_t{static_cast<uint8_t>(name[i])} << (8 * (i % 8));
  return {words[0], words[1], words[2]};
}

// Three places for each command keep the probes short; a slot is half a cache line.
constexpr unsigned kSlotBits = 10;
constexpr size_t kSlots = size_t{1} << kSlotBits;

struct Slot {
  NameWords name;
  uint16_t size = 0;  // of the name; 0 where no command is
  uint16_t row = 0;
};

// Takes all letter cases alike, so that it need not wait for fold(). The factor is the first of a series of
// random ones that gave each of the commands of is_frequent() a slot of its own; any odd number is right.
constexpr size_t slot_of(const NameWords& name) {
  constexpr uint64_t kCase = each_byte(0x20);
  constexpr uint64_t kFactor = 0xa9e1897e73257dab;
  const uint64_t mixed =
      (name.first | kCase) + std::rotl(name.second | kCase, 23) + std::rotl(name.third | kCase, 47);
  return (mixed * kFactor) >> (64 - kSlotBits);
}

// Found in logs often: these get their slots first, so that one probe finds them.
constexpr bool is_frequent(const CommandSpec& spec) {
  return spec.kind != CommandKind::other || (spec.flags & kCommandWrites) != 0;
}

constexpr void add_slots(std::array<Slot, kSlots>& slots, bool frequent) {
  for (size_t i = 0; i < std::size(kSpecs); ++i) {
    const Bytes name = kSpecs[i].name;
    if (is_subcommand(name) || is_frequent(kSpecs[i]) != frequent) continue;
    const NameWords words = words_of(name);
    size_t at = slot_of(words);
    while (slots[at].size != 0) at = (at + 1) % kSlots;
    slots[at] = {words, static_cast<uint16_t>(name.size()), static_cast<uint16_t>(i)};
  }
}

constexpr std::array<Slot, kSlots> build_slots() {
  std::array<Slot, kSlots> slots{};
  add_slots(slots, true);
  add_slots(slots, false);
  return slots;
}

constexpr std::array<Slot, kSlots> kTable = build_slots();

constexpr bool names_fit() {
  size_t commands = 0;
  for (const CommandSpec& spec : kSpecs) {
    if (is_subcommand(spec.name)) continue;
    if (spec.name.empty() || spec.name.size() > kNameBytesMax) return false;
    ++commands;
  }
  return commands * 3 < kSlots;
}
static_assert(names_fit(), "a name is too long for NameWords, or kSlotBits too small for so many commands");

// Inline for each length of names, in words: a short name pays for no word that it lacks.
template <unsigned words>
inline const CommandSpec* probe(const NameWords& name, size_t size) {
  const NameWords folded{fold(name.first), fold(name.second), fold(name.third)};
  for (size_t at = slot_of(name); kTable[at].size != 0; at = (at + 1) % kSlots) {
    const Slot& slot = kTable[at];
    uint64_t other = (slot.name.first ^ folded.first) | (slot.size ^ size);
    if constexpr (words > 1) other |= slot.name.second ^ folded.second;
    if constexpr (words > 2) other |= slot.name.third ^ folded.third;
    if (other == 0) return &kSpecs[slot.row];
  }
  return nullptr;
}

// --- Where the keys are ------------------------------------------------------------------------------------

// A count as servers read it, but that one beyond `most` is `most`. Nothing if it is no number above 0.
std::optional<size_t> read_count(Bytes text, size_t most) {
  size_t count = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    count = std::min(count * 10 + static_cast<size_t>(digit - '0'), most);
  }
  return count == 0 ? std::nullopt : std::optional(count);
}

// Of a rule's number that is never below 0.
size_t index_of(int8_t number) { return static_cast<uint8_t>(number); }

// One command whose keys are to be told. What it is asked for beyond its words, it does not tell.
struct Keys {
  std::span<const Bytes> args;
  FunctionRef<void(size_t)> tell;

  void at(size_t index) const {
    if (index < args.size()) tell(index);
  }

  // The words before `end`, every step-th.
  void from(size_t index, size_t end, size_t step = 1) const {
    for (; index < std::min(end, args.size()); index += step) tell(index);
  }

  void range(const KeyRule& rule) const {
    const size_t size = args.size();
    const auto back = static_cast<size_t>(rule.last < 0 ? -rule.last - 1 : 0);
    if (back > size) return;
    const size_t end = rule.last < 0 ? size - back : static_cast<size_t>(rule.last) + 1;
    from(index_of(rule.first), end, index_of(rule.step));
  }

  void numkeys(const KeyRule& rule) const {
    const size_t count_at = index_of(rule.first);
    const size_t step = index_of(rule.step);
    if (count_at >= args.size()) return;
    const std::optional<size_t> count = read_count(args[count_at], args.size());
    if (count) from(count_at + 1, count_at + 1 + *count * step, step);
  }

  void streams(const KeyRule& rule) const {
    for (size_t i = index_of(rule.first); i < args.size(); ++i) {
      if (!equals_ignoring_case(args[i], "streams")) continue;
      const size_t behind = i + 1;
      from(behind, behind + (args.size() - behind) / 2);
      return;
    }
  }

  void migrate() const {
    constexpr size_t kSingle = 3;
    constexpr size_t kOptions = 6;
    if (args.size() <= kSingle) return;
    if (!args[kSingle].empty()) return at(kSingle);
    for (size_t i = kOptions; i < args.size(); ++i) {
      if (equals_ignoring_case(args[i], "keys")) return from(i + 1, args.size());
      if (equals_ignoring_case(args[i], "auth"))
        i += 1;
      else if (equals_ignoring_case(args[i], "auth2"))
        i += 2;
    }
  }

  // The last STORE is the one that counts; what looks like one may be the argument of another option.
  void sort_store() const {
    at(1);
    size_t destination = args.size();
    for (size_t i = 2; i + 1 < args.size(); ++i) {
      if (equals_ignoring_case(args[i], "store"))
        destination = ++i;
      else if (equals_ignoring_case(args[i], "limit"))
        i += 2;
      else if (equals_ignoring_case(args[i], "get") || equals_ignoring_case(args[i], "by"))
        i += 1;
    }
    at(destination);
  }

  void georadius_store(const KeyRule& rule) const {
    at(1);
    size_t destination = args.size();
    for (size_t i = index_of(rule.first); i + 1 < args.size(); ++i) {
      if (equals_ignoring_case(args[i], "store") || equals_ignoring_case(args[i], "storedist"))
        destination = ++i;
    }
    at(destination);
  }

  void stralgo() const {
    for (size_t i = 2; i < args.size(); ++i) {
      if (equals_ignoring_case(args[i], "keys")) return from(i + 1, i + 3);
      if (equals_ignoring_case(args[i], "minmatchlen"))
        i += 1;
      else if (equals_ignoring_case(args[i], "strings"))
        i += 2;
    }
  }
};

}  // namespace

std::span<const CommandSpec> command_specs() { return kSpecs; }

const CommandSpec* find_command(Bytes name) {
  const size_t size = name.size();
  if (size == 0 || size > kNameBytesMax) return nullptr;
  const char* const from = name.data();
  const char* const end = from + size;
  if (size <= 8) return probe<1>({load_padded(from, size), 0, 0}, size);
  const auto first = load_le<uint64_t>(from);
  if (size <= 16) return probe<2>({first, load_tail(end, size - 8), 0}, size);
  return probe<3>({first, load_le<uint64_t>(from + 8), load_tail(end, size - 16)}, size);
}

// The rows of the subcommands stand behind that of their container. Rows of other commands may be in between.
const CommandSpec* find_subcommand(const CommandSpec& container, Bytes word) {
  if (!container.has(kCommandContainer)) return nullptr;
  const Bytes name = container.name;
  const CommandSpec* spec = std::ranges::lower_bound(kSpecs, name, {}, &CommandSpec::name);
  for (; spec != std::end(kSpecs) && spec->name.starts_with(name); ++spec) {
    if (spec->name.size() <= name.size() + 1 || spec->name[name.size()] != '|') continue;
    if (equals_ignoring_case(word, spec->name.substr(name.size() + 1))) return spec;
  }
  return nullptr;
}

bool arity_fits(const CommandSpec& spec, size_t arguments) {
  const auto least = static_cast<size_t>(spec.arity < 0 ? -spec.arity : spec.arity);
  return spec.arity < 0 ? arguments >= least : arguments == least;
}

void for_each_key(const CommandSpec& spec, std::span<const Bytes> args, FunctionRef<void(size_t)> tell) {
  const CommandSpec* named = &spec;
  if (spec.has(kCommandContainer) && args.size() > 1) named = find_subcommand(spec, args[1]);
  if (named == nullptr) return;

  const Keys keys{args, tell};
  const KeyRule& rule = named->keys;
  switch (rule.places) {
    case KeyPlaces::none:
      return;
    case KeyPlaces::range:
      return keys.range(rule);
    case KeyPlaces::numkeys:
      return keys.numkeys(rule);
    case KeyPlaces::dest_numkeys:
      return keys.at(1), keys.numkeys(rule);
    case KeyPlaces::streams:
      return keys.streams(rule);
    case KeyPlaces::migrate:
      return keys.migrate();
    case KeyPlaces::sort_store:
      return keys.sort_store();
    case KeyPlaces::georadius_store:
      return keys.georadius_store(rule);
    case KeyPlaces::stralgo:
      return keys.stralgo();
  }
}

bool known_in(const CommandSpec& spec, Dialect family, unsigned version) {
  const unsigned since = family == Dialect::redis ? spec.since_redis : spec.since_valkey;
  return since != 0 && since <= version;
}

}  // namespace persist
