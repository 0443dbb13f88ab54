// Strings as rows of bits. Fields are worked on in a small window of the string: a bitmap may be large, and a
// command touches a few bytes of it.
#include <cstring>
#include <string>
#include <vector>

#include "engine/bit_field.hpp"
#include "engine/commands/string_options.hpp"
#include "engine/commands/table.hpp"

namespace persist {

namespace {

constexpr const char* kBadOffset = "ERR bit offset is not an integer or out of range";

// The value of a key that may be missing.
Bytes text_of(const Call& call, KeyEntry* entry, CellRoom& room) {
  return entry == nullptr ? Bytes("") : entry->text(call.pool(), room);
}

// Whether a string of `held` bytes may be made to reach as far as that.
bool may_reach(uint64_t held, uint64_t bytes) {
  return string_may_grow(held, 0, bytes) && bytes <= held + kPaddingMax;
}

// The bytes of a string that is at least so long; the key is made if it is missing.
char* reach(const Call& call, KeyEntry* entry, uint64_t held, uint64_t bytes) {
  if (entry == nullptr) {
    entry = &call.db().create(call.args[1]);
    entry->set_text(call.pool(), "");
  }
  return entry->resize_text(call.pool(), std::max(held, bytes));
}

// ------------------------------------------------------------------------------------------- single bits

Effect run_setbit(Call& call) {
  const std::optional<uint64_t> offset = parse_bit_offset(call.args[2]);
  if (!offset) return call.fail(kBadOffset);
  const std::optional<int64_t> bit = integer_argument(call, call.args[3]);
  if (!bit || *bit < 0 || *bit > 1) return call.fail("ERR bit is not an integer or out of range");
  KeyEntry* entry = call.find(call.args[1]);
  if (entry != nullptr && !is_string(*entry)) return call.wrong_type();
  CellRoom room;
  const uint64_t held = text_of(call, entry, room).size();
  const uint64_t at = *offset / 8;
  if (!may_reach(held, at + 1)) return call.fail(kBadOffset);

  char& byte = reach(call, entry, held, at + 1)[at];
  const unsigned mask = 0x80U >> (*offset % 8);
  const bool was = (static_cast<uint8_t>(byte) & mask) != 0;
  const bool is = *bit == 1;
  if (was != is) byte = static_cast<char>(static_cast<uint8_t>(byte) ^ mask);
  const bool differs = was != is || entry == nullptr || at >= held;
  return call.done(was ? 1 : 0, differs || call.profile.is_before(700));
}

Effect run_getbit(Call& call) {
  const std::optional<uint64_t> offset = parse_bit_offset(call.args[2]);
  if (!offset || !may_reach(0, *offset / 8 + 1)) return call.fail(kBadOffset);
  KeyEntry* entry = call.find(call.args[1]);
  if (entry != nullptr && !is_string(*entry)) return call.wrong_type();
  CellRoom room;
  return call.done(read_bit(text_of(call, entry, room), *offset) ? 1 : 0, false);
}

// ------------------------------------------------------------------------------------------------ ranges

// BYTE or BIT.
std::optional<BitUnit> parse_unit(Bytes word) {
  if (is_word(word, "byte")) return BitUnit::byte;
  if (is_word(word, "bit")) return BitUnit::bit;
  return std::nullopt;
}

Effect run_bitcount(Call& call) {
  const size_t words = call.args.size();
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr) return call.done(0, false);
  if (!is_string(*entry)) return call.wrong_type();
  CellRoom room;
  const Bytes text = entry->text(call.pool(), room);
  if (words == 2) {
    call.answer_count(count_bits(text, {0, uint64_t{text.size()} * 8}));
    return Effect::unchanged;
  }
  if (words < 4 || words > 5) return call.fail(kSyntax);
  const std::optional<int64_t> start = integer_argument(call, call.args[2]);
  const std::optional<int64_t> end = integer_argument(call, call.args[3]);
  if (!start || !end) return call.fail(kNotInteger);
  if (*start < 0 && *end < 0 && *start > *end) return call.done(0, false);
  const std::optional<BitUnit> unit = words == 5 ? parse_unit(call.args[4]) : BitUnit::byte;
  if (!unit) return call.fail(kSyntax);
  call.answer_count(count_bits(text, bitcount_range(*start, *end, *unit, text.size())));
  return Effect::unchanged;
}

Effect run_bitpos(Call& call) {
  const size_t words = call.args.size();
  const std::optional<int64_t> bit = integer_argument(call, call.args[2]);
  if (!bit) return call.fail(kNotInteger);
  if (*bit != 0 && *bit != 1) return call.fail("ERR The bit argument must be 1 or 0.");
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr) return call.done(*bit == 1 ? -1 : 0, false);
  if (!is_string(*entry)) return call.wrong_type();
  if (words > 6) return call.fail(kSyntax);

  std::optional<int64_t> start = 0;
  if (words > 3) start = integer_argument(call, call.args[3]);
  if (!start) return call.fail(kNotInteger);
  const std::optional<BitUnit> unit = words == 6 ? parse_unit(call.args[5]) : BitUnit::byte;
  if (!unit) return call.fail(kSyntax);
  std::optional<int64_t> end = -1;
  if (words > 4) end = integer_argument(call, call.args[4]);
  if (!end) return call.fail(kNotInteger);

  CellRoom room;
  const Bytes text = entry->text(call.pool(), room);
  const BitRange range = bitpos_range(*start, *end, *unit, text.size());
  if (range.first >= range.end) return call.done(-1, false);
  if (const std::optional<uint64_t> found = find_bit(text, range, *bit == 1))
    return call.done(static_cast<int64_t>(*found), false);
  // Without an end the string goes on with zeros for ever.
  const bool is_behind = *bit == 0 && words < 5;
  return call.done(is_behind ? static_cast<int64_t>(text.size()) * 8 : -1, false);
}

// --------------------------------------------------------------------------------------------- operations

// DIFF and what came with it are younger than the rest.
bool is_known_operation(const Profile& profile, BitOperation operation) {
  return operation <= BitOperation::bit_not || profile.is_redis(802);
}

Effect run_bitop(Call& call) {
  const std::span<const Bytes> keys = call.args.subspan(3);
  const std::optional<BitOperation> operation = parse_bit_operation(call.args[1]);
  if (!operation || !is_known_operation(call.profile, *operation)) return call.fail(kSyntax);
  if (*operation == BitOperation::bit_not && keys.size() != 1)
    return call.fail("ERR BITOP NOT must be called with a single source key.");
  if (keys.size() < sources_min(*operation))
    return call.fail("ERR BITOP must be called with at least two source keys.");

  std::vector<CellRoom> rooms(keys.size());
  std::vector<Bytes> sources;
  sources.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    KeyEntry* entry = call.find(keys[i]);
    if (entry != nullptr && !is_string(*entry)) return call.wrong_type();
    sources.push_back(text_of(call, entry, rooms[i]));
  }
  const std::string result = apply_bit_operation(*operation, sources);
  if (result.empty()) return call.done(0, call.erase(call.args[2]));
  put_string(call, call.args[2], result);
  return call.done(static_cast<int64_t>(result.size()), true);
}

// ----------------------------------------------------------------------------------------------- BITFIELD

struct FieldStep {
  enum class Verb : uint8_t { get, set, increment };
  Verb verb;
  BitField field;
  int64_t number = 0;
  BitOverflow overflow = BitOverflow::wrap;
};

struct FieldSteps {
  std::vector<FieldStep> steps;
  uint64_t bytes_to_write = 0;
};

// One step and how many words it took, or the error.
struct ParsedStep {
  std::optional<FieldStep> step;  // absent: OVERFLOW
  size_t words = 0;
  const char* error = nullptr;
};

ParsedStep parse_overflow(std::span<const Bytes> words, BitOverflow& overflow) {
  const std::optional<BitOverflow> given = parse_bit_overflow(words[1]);
  if (!given) return {{}, 0, "ERR Invalid OVERFLOW type specified"};
  overflow = *given;
  return {{}, 2, nullptr};
}

ParsedStep parse_step(const Call& call, std::span<const Bytes> words, BitOverflow& overflow) {
  using Verb = FieldStep::Verb;
  Verb verb{};
  size_t taken = 4;
  if (is_word(words[0], "get") && words.size() >= 3)
    taken = 3;
  else if (is_word(words[0], "set") && words.size() >= 4)
    verb = Verb::set;
  else if (is_word(words[0], "incrby") && words.size() >= 4)
    verb = Verb::increment;
  else if (is_word(words[0], "overflow") && words.size() >= 2)
    return parse_overflow(words, overflow);
  else
    return {{}, 0, kSyntax};

  const std::optional<BitFieldType> type = parse_bit_field_type(words[1]);
  if (!type) {
    return {
        {},
        0,
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."};
  }
  const std::optional<uint64_t> offset = parse_bit_field_offset(words[2], *type);
  if (!offset || *offset / 8 >= kPaddingMax) return {{}, 0, kBadOffset};
  FieldStep step{verb, {*type, *offset}, 0, overflow};
  if (verb != Verb::get) {
    const std::optional<int64_t> number = integer_argument(call, words[3]);
    if (!number) return {{}, 0, kNotInteger};
    step.number = *number;
  }
  return {step, taken, nullptr};
}

std::optional<FieldSteps> parse_steps(Call& call) {
  FieldSteps parsed;
  BitOverflow overflow = BitOverflow::wrap;
  for (std::span<const Bytes> words = call.args.subspan(2); !words.empty();) {
    const ParsedStep next = parse_step(call, words, overflow);
    if (next.error != nullptr) {
      call.fail(next.error);
      return std::nullopt;
    }
    if (next.step) {
      parsed.steps.push_back(*next.step);
      if (next.step->verb != FieldStep::Verb::get)
        parsed.bytes_to_write = std::max(parsed.bytes_to_write, next.step->field.bytes_needed());
    }
    words = words.subspan(next.words);
  }
  return parsed;
}

// The bytes that a field lies in, and the field among them. What lies behind the string reads as zeros.
struct FieldWindow {
  BitField field;
  uint64_t first;
  std::string bytes;

  FieldWindow(Bytes text, const BitField& wanted)
      : field{wanted.type, wanted.offset % 8}, first(wanted.offset / 8) {
    if (first < text.size()) bytes = text.substr(first, field.bytes_needed());
    extend_with_zeros(bytes, field.bytes_needed());
  }
};

void answer_or_nil(const Call& call, const std::optional<int64_t>& number) {
  if (number)
    call.answer(*number);
  else
    call.answer_nil();
}

// Writes a field into the string that reaches as far. What becomes of it tells whether it counts as a change.
struct FieldChange {
  bool written = false;
  bool differs = false;
};

FieldChange write_step(const Call& call, const FieldStep& step, char* text, uint64_t size) {
  FieldWindow window({text, static_cast<size_t>(size)}, step.field);
  const std::string before = window.bytes;
  const std::optional<int64_t> answer =
      step.verb == FieldStep::Verb::set
          ? set_bit_field(window.bytes, window.field, step.number, step.overflow)
          : increment_bit_field(window.bytes, window.field, step.number, step.overflow);
  answer_or_nil(call, answer);
  copy_bytes(text + window.first, window.bytes);
  return {answer.has_value(), window.bytes != before};
}

// What only reads: the key is not made.
Effect read_fields(Call& call, const FieldSteps& parsed, KeyEntry* entry) {
  CellRoom room;
  const Bytes text = text_of(call, entry, room);
  for (const FieldStep& step : parsed.steps) {
    const FieldWindow window(text, step.field);
    call.answer(read_bit_field(window.bytes, window.field));
  }
  return Effect::unchanged;
}

Effect run_bitfield(Call& call) {
  const std::optional<FieldSteps> parsed = parse_steps(call);
  if (!parsed) return Effect::failed;
  KeyEntry* entry = call.find(call.args[1]);
  if (entry != nullptr && !is_string(*entry)) return call.wrong_type();
  if (parsed->bytes_to_write == 0) {
    call.answer_array(parsed->steps.size());
    return read_fields(call, *parsed, entry);
  }

  CellRoom room;
  const uint64_t held = text_of(call, entry, room).size();
  if (!may_reach(held, parsed->bytes_to_write)) return call.fail(kBadOffset);
  const bool grows = entry == nullptr || parsed->bytes_to_write > held;
  const uint64_t size = std::max(held, parsed->bytes_to_write);
  char* text = reach(call, entry, held, parsed->bytes_to_write);
  bool changed = call.profile.is_before(700);
  call.answer_array(parsed->steps.size());
  for (const FieldStep& step : parsed->steps) {
    if (step.verb == FieldStep::Verb::get) {
      const FieldWindow window({text, static_cast<size_t>(size)}, step.field);
      call.answer(read_bit_field(window.bytes, window.field));
      continue;
    }
    const FieldChange change = write_step(call, step, text, size);
    changed = changed || (change.written && (grows || change.differs));
  }
  return changed ? Effect::changed : Effect::unchanged;
}

Effect run_bitfield_ro(Call& call) {
  const std::optional<FieldSteps> parsed = parse_steps(call);
  if (!parsed) return Effect::failed;
  if (parsed->bytes_to_write > 0) return call.fail("ERR BITFIELD_RO only supports the GET subcommand");
  KeyEntry* entry = call.find(call.args[1]);
  if (entry != nullptr && !is_string(*entry)) return call.wrong_type();
  call.answer_array(parsed->steps.size());
  return read_fields(call, *parsed, entry);
}

constexpr CommandHandler kBitHandlers[] = {
    {"bitcount", run_bitcount}, {"bitfield", run_bitfield}, {"bitfield_ro", run_bitfield_ro},
    {"bitop", run_bitop},       {"bitpos", run_bitpos},     {"getbit", run_getbit},
    {"setbit", run_setbit},
};

}  // namespace

std::span<const CommandHandler> bit_commands() { return kBitHandlers; }

}  // namespace persist
