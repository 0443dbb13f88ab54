// Arrays. Scripts of logs are older than they are: only what changes them is here.
#include "engine/array_value.hpp"

#include <array>
#include <vector>

#include "engine/commands/arguments.hpp"
#include "engine/commands/table.hpp"

namespace persist {

namespace {

constexpr const char* kNoIndex = "ERR invalid array index";
constexpr const char* kIndexOverflow = "ERR array index overflow";

// A new array that nothing was put into must not stay.
Effect fail_unused(Call& call, const Found<ArrayValue>& found, const char* why) {
  if (found && found->empty()) call.db().erase(*found.entry);
  return call.fail(why);
}

bool read_indexes(std::span<const Bytes> words, std::vector<uint64_t>& indexes) {
  for (const Bytes word : words) {
    const std::optional<uint64_t> index = parse_array_index(word);
    if (!index) return false;
    indexes.push_back(*index);
  }
  return true;
}

Effect arset(Call& call) {
  const std::optional<uint64_t> first = parse_array_index(call.args[2]);
  if (!first) return call.fail(kNoIndex);
  const Found<ArrayValue> found = call.find_or_make<ArrayValue>(call.args[1]);
  if (!found) return call.wrong_type();
  const std::span<const Bytes> values = call.args.subspan(3);
  const uint64_t before = found->size();
  if (!found->set_run(*first, values)) return fail_unused(call, found, kIndexOverflow);
  return call.done(static_cast<int64_t>(found->size() - before), true);
}

// index value index value...
Effect armset(Call& call) {
  const std::span<const Bytes> pairs = call.args.subspan(2);
  if (pairs.size() % 2 != 0) return call.fail(kWrongArity);
  std::vector<uint64_t> indexes;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    const std::optional<uint64_t> index = parse_array_index(pairs[i]);
    if (!index) return call.fail(kNoIndex);
    indexes.push_back(*index);
  }
  const Found<ArrayValue> found = call.find_or_make<ArrayValue>(call.args[1]);
  if (!found) return call.wrong_type();
  const uint64_t before = found->size();
  for (size_t i = 0; i < indexes.size(); ++i) found->set(indexes[i], pairs[i * 2 + 1]);
  return call.done(static_cast<int64_t>(found->size() - before), true);
}

Effect removed_from(Call& call, const Found<ArrayValue>& found, uint64_t removed) {
  call.drop_if_empty(found);
  return call.done(static_cast<int64_t>(removed), removed > 0);
}

Effect ardel(Call& call) {
  std::vector<uint64_t> indexes;
  if (!read_indexes(call.args.subspan(2), indexes)) return call.fail(kNoIndex);
  const Found<ArrayValue> found = call.find_as<ArrayValue>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  if (!found) return call.done(0, false);
  uint64_t removed = 0;
  for (const uint64_t index : indexes) removed += found->erase(index) ? 1U : 0U;
  return removed_from(call, found, removed);
}

// from to from to...
Effect ardelrange(Call& call) {
  const std::span<const Bytes> ends = call.args.subspan(2);
  if (ends.size() % 2 != 0) return call.fail(kWrongArity);
  std::vector<uint64_t> indexes;
  if (!read_indexes(ends, indexes)) return call.fail(kNoIndex);
  const Found<ArrayValue> found = call.find_as<ArrayValue>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  if (!found) return call.done(0, false);
  uint64_t removed = 0;
  for (size_t i = 0; i < indexes.size(); i += 2) removed += found->erase_range(indexes[i], indexes[i + 1]);
  return removed_from(call, found, removed);
}

Effect arinsert(Call& call) {
  const Found<ArrayValue> found = call.find_or_make<ArrayValue>(call.args[1]);
  if (!found) return call.wrong_type();
  if (!found->insert(call.args.subspan(2))) return fail_unused(call, found, kIndexOverflow);
  return call.done(static_cast<int64_t>(*found->cursor()), true);
}

Effect arseek(Call& call) {
  const std::optional<uint64_t> index = parse_array_seek(call.args[2]);
  if (!index) return call.fail(kNoIndex);
  const Found<ArrayValue> found = call.find_as<ArrayValue>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  if (!found) return call.done(0, false);
  found->seek(*index);
  return call.done(1, true);
}

Effect arring(Call& call) {
  const std::optional<uint64_t> size = parse_array_index(call.args[2]);
  if (!size || *size == 0) return call.fail("ERR invalid array size");
  const Found<ArrayValue> found = call.find_or_make<ArrayValue>(call.args[1]);
  if (!found) return call.wrong_type();
  found->ring(*size, call.args.subspan(3));
  return call.done(static_cast<int64_t>(*found->cursor()), true);
}

constexpr std::array kArrayHandlers = {
    CommandHandler{"arset", arset},       CommandHandler{"armset", armset},
    CommandHandler{"ardel", ardel},       CommandHandler{"ardelrange", ardelrange},
    CommandHandler{"arinsert", arinsert}, CommandHandler{"arseek", arseek},
    CommandHandler{"arring", arring},
};

}  // namespace

std::span<const CommandHandler> array_commands() { return kArrayHandlers; }

}  // namespace persist
