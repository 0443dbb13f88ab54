// Handlers of hashes, except those that are about the expiry of fields: hash_expiry.cpp.
#include <cmath>

#include "engine/commands/hash_fields.hpp"
#include "engine/commands/scan_options.hpp"
#include "engine/commands/table.hpp"

namespace persist {

namespace {

// How many fields one answer may repeat: those of a hash can be asked for any number of times.
constexpr uint64_t kHashRepeatedMax = 1'000'000;

// ------------------------------------------------------------------------------------------------ changing

// Sets all pairs; how many fields are new, or absent: the call has failed.
std::optional<int64_t> set_pairs(Call& call, const char* wrong_arity) {
  if (call.args.size() % 2 != 0) {
    call.fail(wrong_arity);
    return std::nullopt;
  }
  const Found<Hash> hash = call.find_or_make<Hash>(call.args[1]);
  if (hash.wrong_type()) {
    call.wrong_type();
    return std::nullopt;
  }
  int64_t created = 0;
  for (size_t i = 2; i < call.args.size(); i += 2)
    created += hash->set(call.args[i], call.args[i + 1]) ? 1 : 0;
  return created;
}

Effect run_hset(Call& call) {
  const auto created = set_pairs(call, "ERR wrong number of arguments for 'hset' command");
  return created ? call.done(*created, true) : Effect::failed;
}

Effect run_hmset(Call& call) {
  const auto created = set_pairs(call, "ERR wrong number of arguments for 'hmset' command");
  return created ? call.done_ok() : Effect::failed;
}

Effect run_hsetnx(Call& call) {
  const Found<Hash> hash = call.find_or_make<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  if (find_visible(call, hash, call.args[2])) return call.done(0, false);
  hash->set(call.args[2], call.args[3]);
  return call.done(1, true);
}

Effect run_hdel(Call& call) {
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  if (!hash) return call.done(0, false);
  int64_t removed = 0;
  for (const Bytes field : call.args.subspan(2)) removed += hash->remove(field) ? 1 : 0;
  call.drop_if_empty(hash);
  return call.done(removed, removed > 0);
}

// A failing increment leaves nothing behind: the hash is made only once it has succeeded.
Effect put_number(Call& call, Found<Hash> hash, Bytes text) {
  if (!hash) hash = call.find_or_make<Hash>(call.args[1]);
  hash->set_keeping_expiry(call.args[2], text);
  return Effect::changed;
}

Effect run_hincrby(Call& call) {
  const std::optional<int64_t> by = integer_argument(call, call.args[3]);
  if (!by) return call.fail(kNotInteger);
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  std::optional<int64_t> number = 0;
  if (const std::optional<HashField> held = find_visible(call, hash, call.args[2]))
    number = integer_argument(call, held->value);
  if (!number) return call.fail("ERR hash value is not an integer");
  int64_t sum = 0;
  if (__builtin_add_overflow(*number, *by, &sum)) return call.fail(kOverflow);
  call.answer(sum);
  char room[kDecimalMax];
  return put_number(call, hash, to_decimal(sum, room));
}

Effect run_hincrbyfloat(Call& call) {
  const std::optional<long double> by = parse_server_long_double(call.args[3]);
  if (!by) return call.fail(kNotFloat);
  if (!std::isfinite(*by)) return call.fail("ERR value is NaN or Infinity");
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  std::optional<long double> number = 0;
  if (const std::optional<HashField> held = find_visible(call, hash, call.args[2]))
    number = parse_server_long_double(held->value);
  if (!number) return call.fail("ERR hash value is not a float");
  const std::string sum = long_double_to_text(*number + *by);
  if (sum.empty()) return call.fail("ERR increment would produce NaN or Infinity");
  call.answer_text(sum);
  return put_number(call, hash, sum);
}

// -------------------------------------------------------------------------------------------------- reading

Effect run_hget(Call& call) {
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  answer_value(call, find_visible(call, hash, call.args[2]));
  return Effect::unchanged;
}

Effect run_hmget(Call& call) {
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  call.answer_array(call.args.size() - 2);
  for (const Bytes field : call.args.subspan(2)) answer_value(call, find_visible(call, hash, field));
  return Effect::unchanged;
}

Effect run_hlen(Call& call) {
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  return call.done(hash ? static_cast<int64_t>(hash->size()) : 0, false);
}

Effect run_hexists(Call& call) {
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  return call.done(find_visible(call, hash, call.args[2]) ? 1 : 0, false);
}

Effect run_hstrlen(Call& call) {
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  const std::optional<HashField> field = find_visible(call, hash, call.args[2]);
  return call.done(field ? static_cast<int64_t>(field->value.size()) : 0, false);
}

// Which parts of fields are told.
struct Parts {
  bool field = false;
  bool value = false;
  [[nodiscard]] size_t count() const { return (field ? 1U : 0U) + (value ? 1U : 0U); }
};

void answer_parts(const Call& call, const HashField& field, Parts parts) {
  if (parts.field) call.answer_text(field.field);
  if (parts.value) call.answer_text(field.value);
}

// Those that are seen and that choose(field) says yes to, as one array.
template <typename Choose>
void answer_chosen(const Call& call, const Found<Hash>& hash, Parts parts, Choose&& choose) {
  if (!call.has_listener()) return;
  const auto is_told = [&](const HashField& field) { return is_visible(call, field) && choose(field); };
  size_t told = 0;
  if (hash) hash->for_each([&](const HashField& field) { told += is_told(field) ? 1U : 0U; });
  call.answer_array(told * parts.count());
  if (told == 0) return;
  hash->for_each([&](const HashField& field) {
    if (is_told(field)) answer_parts(call, field, parts);
  });
}

Effect answer_fields(Call& call, Parts parts) {
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  answer_chosen(call, hash, parts, [](const HashField& /*field*/) { return true; });
  return Effect::unchanged;
}
Effect run_hgetall(Call& call) { return answer_fields(call, {true, true}); }
Effect run_hkeys(Call& call) { return answer_fields(call, {true, false}); }
Effect run_hvals(Call& call) { return answer_fields(call, {false, true}); }

Effect run_hscan(Call& call) {
  if (!is_cursor(call.args[2])) return call.fail("ERR invalid cursor");
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  ScanOptions options;
  if (hash) {
    const bool may_leave_out_values = call.profile.is_redis(704) || call.profile.is_valkey(800);
    const char* wrong = parse_scan_options(call, call.args.subspan(3), may_leave_out_values, options);
    if (wrong != nullptr) return call.fail(wrong);
  }
  call.answer_array(2);
  call.answer_text("0");
  answer_chosen(call, hash, {true, !options.without_values},
                [&](const HashField& field) { return options.chooses(field.field); });
  return Effect::unchanged;
}

// A negative count: so many, whatever is in the hash, and the same one as often as it takes.
Effect answer_fields_repeated(Call& call, const Hash& hash, uint64_t count, Parts parts) {
  if (count > kHashRepeatedMax) return call.fail("ERR value is out of range");
  if (!call.has_listener()) return Effect::unchanged;
  call.answer_array(count * parts.count());
  while (count > 0) {
    const uint64_t once = std::min<uint64_t>(count, hash.size());
    hash.for_some(once, [&](const HashField& field) { answer_parts(call, field, parts); });
    count -= once;
  }
  return Effect::unchanged;
}

Effect answer_some(Call& call, int64_t count, Parts parts) {
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  if (hash && count < 0)
    return answer_fields_repeated(call, *hash.value, static_cast<uint64_t>(-count), parts);
  const uint64_t some = hash ? std::min<uint64_t>(static_cast<uint64_t>(count), hash->size()) : 0;
  call.answer_array(some * parts.count());
  if (hash && call.has_listener())
    hash->for_some(some, [&](const HashField& field) { answer_parts(call, field, parts); });
  return Effect::unchanged;
}

Effect run_hrandfield(Call& call) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  if (call.args.size() > 2) {
    const std::optional<int64_t> count = integer_argument(call, call.args[2]);
    if (!count) return call.fail(kNotInteger);
    if (*count < -kMax) {
      return call.fail(
          "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");
    }
    const bool with_values = call.args.size() == 4 && is_word(call.args[3], "withvalues");
    if (call.args.size() > 3 && !with_values) return call.fail(kSyntax);
    if (with_values && (*count < -kMax / 2 || *count > kMax / 2))
      return call.fail("ERR value is out of range");
    return answer_some(call, *count, {true, with_values});
  }
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  if (hash)
    call.answer_text(hash->any().field);
  else
    call.answer_nil();
  return Effect::unchanged;
}

constexpr CommandHandler kHashHandlers[] = {
    {"hdel", run_hdel},
    {"hexists", run_hexists},
    {"hget", run_hget},
    {"hgetall", run_hgetall},
    {"hincrby", run_hincrby},
    {"hincrbyfloat", run_hincrbyfloat},
    {"hkeys", run_hkeys},
    {"hlen", run_hlen},
    {"hmget", run_hmget},
    {"hmset", run_hmset},
    {"hrandfield", run_hrandfield},
    {"hscan", run_hscan},
    {"hset", run_hset},
    {"hsetnx", run_hsetnx},
    {"hstrlen", run_hstrlen},
    {"hvals", run_hvals},
};

}  // namespace

std::span<const CommandHandler> hash_commands() { return kHashHandlers; }

}  // namespace persist
