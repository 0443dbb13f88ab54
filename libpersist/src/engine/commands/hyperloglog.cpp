// The commands of HyperLogLogs, which are strings of a kind. Not much larger than 12 KiB, they are worked on
// as copies.
#include <string>
#include <vector>

#include "engine/commands/string_options.hpp"
#include "engine/commands/table.hpp"
#include "engine/hyperloglog.hpp"

namespace persist {

namespace {

constexpr const char* kNotHyperloglog = "WRONGTYPE Key is not a valid HyperLogLog string value.";
constexpr const char* kCorrupt = "INVALIDOBJ Corrupted HLL object detected";

HllEstimator estimator_of(const Profile& profile) {
  if (profile.is_before(400)) return HllEstimator::raw;
  return profile.is_before(500) ? HllEstimator::log_log_beta : HllEstimator::ertl;
}

// False: the call has failed. `text` shows the entry's bytes.
bool read_hyperloglog(Call& call, KeyEntry& entry, CellRoom& room, Bytes& text) {
  if (!is_string(entry)) {
    call.wrong_type();
    return false;
  }
  text = entry.text(call.pool(), room);
  if (!is_hyperloglog(text)) call.fail(kNotHyperloglog);
  return call.error() == nullptr;
}

// Keeps the expiry.
void store(const Call& call, Bytes key, const std::string& value) {
  call.db().find_or_create(key).set_text(call.pool(), value);
}

Effect run_pfadd(Call& call) {
  const Bytes key = call.args[1];
  KeyEntry* entry = call.find(key);
  bool changed = entry == nullptr;
  std::string value;
  if (entry == nullptr) {
    value = new_hyperloglog();
    hll_invalidate(value);
  } else {
    CellRoom room;
    Bytes text;
    if (!read_hyperloglog(call, *entry, room, text)) return Effect::failed;
    value = text;
  }
  for (const Bytes element : call.args.subspan(2)) {
    const HllChange change = hll_add(value, element);
    if (change == HllChange::corrupt) return call.fail(kCorrupt);
    changed = changed || change == HllChange::changed;
  }
  if (changed) store(call, key, value);
  return call.done(changed ? 1 : 0, changed);
}

Effect count_union(Call& call) {
  const std::span<const Bytes> keys = call.args.subspan(1);
  std::vector<CellRoom> rooms(keys.size());
  std::vector<Bytes> values;
  for (size_t i = 0; i < keys.size(); ++i) {
    KeyEntry* entry = call.find(keys[i]);
    if (entry == nullptr) continue;
    if (!read_hyperloglog(call, *entry, rooms[i], values.emplace_back())) return Effect::failed;
  }
  const std::optional<uint64_t> count = hll_count_union(values, estimator_of(call.profile));
  if (!count) return call.fail(kCorrupt);
  return call.done(static_cast<int64_t>(*count), false);
}

// Of one key the number is kept in the value, which is a change like any other.
Effect run_pfcount(Call& call) {
  if (call.args.size() != 2) return count_union(call);
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr) return call.done(0, false);
  CellRoom room;
  Bytes text;
  if (!read_hyperloglog(call, *entry, room, text)) return Effect::failed;
  if (const std::optional<uint64_t> cached = hll_cached(text))
    return call.done(static_cast<int64_t>(*cached), false);
  const std::optional<uint64_t> count = hll_count(text, estimator_of(call.profile));
  if (!count) return call.fail(kCorrupt);
  std::string value(text);
  hll_store_cached(value, *count);
  entry->set_text(call.pool(), value);
  return call.done(static_cast<int64_t>(*count), true);
}

Effect run_pfmerge(Call& call) {
  const std::span<const Bytes> keys = call.args.subspan(1);
  std::vector<CellRoom> rooms(keys.size());
  std::vector<Bytes> sources;
  std::string target = new_hyperloglog();
  for (size_t i = 0; i < keys.size(); ++i) {
    KeyEntry* entry = call.find(keys[i]);
    if (entry == nullptr) continue;
    Bytes text;
    if (!read_hyperloglog(call, *entry, rooms[i], text)) return Effect::failed;
    if (i == 0)
      target = text;
    else
      sources.push_back(text);
  }
  const bool always_dense = call.profile.is_before(400);
  if (!hll_merge(target, sources, always_dense ? HllMergeResult::dense : HllMergeResult::dense_if_any))
    return call.fail(kCorrupt);
  store(call, keys[0], target);
  return call.done_ok();
}

// ------------------------------------------------------------------------------------------------ PFDEBUG

constexpr size_t kHeaderBytes = 16;
constexpr size_t kRegisters = 16384;
constexpr size_t kRegisterBits = 6;
constexpr size_t kEncodingAt = 4;  // 0: dense

bool is_dense(Bytes value) { return value[kEncodingAt] == 0; }

// Of a dense value. Registers stand in the order of bits from the lowest of the first byte on.
int64_t register_at(Bytes value, size_t index) {
  const size_t bit = index * kRegisterBits;
  const size_t at = kHeaderBytes + bit / 8;
  const unsigned high = at + 1 < value.size() ? static_cast<uint8_t>(value[at + 1]) : 0;
  const unsigned both = static_cast<uint8_t>(value[at]) | high << 8;
  return static_cast<int64_t>(both >> (bit % 8) & 0x3f);
}

Effect run_pfdebug(Call& call) {
  const Bytes verb = call.args[1];
  KeyEntry* entry = call.find(call.args[2]);
  if (entry == nullptr) return call.fail("ERR The specified key does not exist");
  CellRoom room;
  Bytes text;
  if (!read_hyperloglog(call, *entry, room, text)) return Effect::failed;
  const bool was_dense = is_dense(text);
  if (is_word(verb, "encoding")) {
    call.answer_status(was_dense ? "dense" : "sparse");
    return Effect::unchanged;
  }
  const bool tells_registers = is_word(verb, "getreg");
  if (!tells_registers && !is_word(verb, "todense")) return call.fail("ERR Unknown PFDEBUG subcommand");

  std::string value(text);
  if (!was_dense) {
    if (!hll_to_dense(value)) return call.fail(kCorrupt);
    entry->set_text(call.pool(), value);
  }
  if (!tells_registers) return call.done(was_dense ? 0 : 1, !was_dense);
  call.answer_array(kRegisters);
  if (call.has_listener()) {
    for (size_t i = 0; i < kRegisters; ++i) call.answer(register_at(value, i));
  }
  return was_dense ? Effect::unchanged : Effect::changed;
}

constexpr CommandHandler kHyperloglogHandlers[] = {
    {"pfadd", run_pfadd},
    {"pfcount", run_pfcount},
    {"pfdebug", run_pfdebug},
    {"pfmerge", run_pfmerge},
};

}  // namespace

std::span<const CommandHandler> hyperloglog_commands() { return kHyperloglogHandlers; }

}  // namespace persist
