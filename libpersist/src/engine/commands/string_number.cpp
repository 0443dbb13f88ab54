// Strings as numbers. A missing key counts as 0; the expiry stays.
#include "engine/commands/string_number.hpp"

#include <cmath>

#include "engine/commands/string_options.hpp"

namespace persist {

namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// The key as it is and how it is found again when it is to be made.
struct Place {
  uint64_t hash;
  KeyEntry* entry;
};

Place find_place(const Call& call) {
  const uint64_t hash = call.db().hash_of(call.args[1]);
  return {hash, call.db().find(call.args[1], hash)};
}

KeyEntry& entry_at(const Call& call, const Place& place) {
  return place.entry != nullptr ? *place.entry : call.db().create(call.args[1], place.hash);
}

// Fails the call if the value is none.
std::optional<int64_t> integer_of(Call& call, KeyEntry* entry) {
  if (entry == nullptr) return 0;
  if (entry->held() == Held::integer) return entry->integer();
  if (!is_string(*entry)) {
    call.wrong_type();
    return std::nullopt;
  }
  CellRoom room;
  const std::optional<int64_t> number = integer_argument(call, entry->text(call.pool(), room));
  if (!number) call.fail(kNotInteger);
  return number;
}

std::optional<long double> float_of(Call& call, KeyEntry* entry) {
  if (entry == nullptr) return 0.0L;
  CellRoom room;
  const std::optional<long double> number = parse_server_long_double(entry->text(call.pool(), room));
  if (!number) call.fail(kNotFloat);
  return number;
}

Effect add(Call& call, int64_t by) {
  const Place place = find_place(call);
  const std::optional<int64_t> held = integer_of(call, place.entry);
  if (!held) return Effect::failed;
  int64_t sum = 0;
  if (__builtin_add_overflow(*held, by, &sum)) return call.fail(kOverflow);
  entry_at(call, place).set_integer(call.pool(), sum);
  return call.done(sum, true);
}

// ------------------------------------------------------------------------------------------------ INCREX

template <typename Number>
struct Bounds {
  Number low;
  Number high;
};

struct IncrexOptions {
  bool by_float = false;
  bool saturates = false;
  bool only_without_expiry = false;  // ENX
  bool drops_expiry = false;
  int64_t by_integer = 1;
  long double by = 0;
  Bounds<int64_t> integers{kMin, kMax};
  Bounds<long double> floats{-std::numeric_limits<long double>::max(),
                             std::numeric_limits<long double>::max()};
  int64_t expire_at_ms = kNoExpiry;
};

// The words of INCREX with what stands behind them, sorted out but not understood.
struct IncrexWords {
  std::optional<Bytes> by_integer, by_float, low, high, time;
  TimeScale scale;
  bool saturates = false;
  bool enx = false;
  bool persist = false;

  [[nodiscard]] bool take(std::span<const Bytes> words);

 private:
  bool take_value(Bytes word, Bytes value) {
    const auto once = [&](std::optional<Bytes>& place, bool may) {
      if (!may || place) return false;
      place = value;
      return true;
    };
    if (is_word(word, "byint")) return once(by_integer, !by_float);
    if (is_word(word, "byfloat")) return once(by_float, !by_integer);
    if (is_word(word, "lbound")) return once(low, true);
    if (is_word(word, "ubound")) return once(high, true);
    scale = {is_word(word, "ex") || is_word(word, "exat"), is_word(word, "ex") || is_word(word, "px")};
    const bool is_time = scale.in_seconds || scale.is_relative || is_word(word, "pxat");
    return is_time && once(time, !persist);
  }
  bool take_flag(Bytes word) {
    bool* const flag = is_word(word, "saturate")                   ? &saturates
                       : is_word(word, "enx") && !persist          ? &enx
                       : is_word(word, "persist") && !enx && !time ? &persist
                                                                   : nullptr;
    if (flag == nullptr || *flag) return false;
    return *flag = true;
  }
};

bool IncrexWords::take(std::span<const Bytes> words) {
  for (size_t at = 0; at < words.size(); ++at) {
    if (take_flag(words[at])) continue;
    if (at + 1 == words.size() || !take_value(words[at], words[at + 1])) return false;
    ++at;
  }
  return true;
}

// Null: all is well.
const char* read_integers(const Call& call, const IncrexWords& words, IncrexOptions& options) {
  const auto read = [&](const std::optional<Bytes>& word, int64_t& number) {
    if (!word) return true;
    const std::optional<int64_t> given = integer_argument(call, *word);
    if (given) number = *given;
    return given.has_value();
  };
  if (!read(words.by_integer, options.by_integer)) return "ERR Increment is not an integer or out of range";
  if (!read(words.low, options.integers.low)) return "ERR LBOUND is not an integer or out of range";
  if (!read(words.high, options.integers.high)) return "ERR UBOUND is not an integer or out of range";
  if (options.integers.low > options.integers.high) return "ERR LBOUND can't be greater than UBOUND";
  return nullptr;
}

const char* read_floats(const IncrexWords& words, IncrexOptions& options) {
  const auto read = [](const std::optional<Bytes>& word, long double& number) {
    if (!word) return true;
    const std::optional<long double> given = parse_server_long_double(*word);
    if (given) number = *given;
    return given.has_value();
  };
  options.by_float = true;
  if (!read(words.by_float, options.by)) return "ERR Increment is not a valid float";
  if (std::isinf(options.by)) return "ERR BYFLOAT increment cannot be Infinity";
  if (!read(words.low, options.floats.low)) return "ERR LBOUND is not a valid float";
  if (!read(words.high, options.floats.high)) return "ERR UBOUND is not a valid float";
  if (options.floats.low > options.floats.high) return "ERR LBOUND can't be greater than UBOUND";
  return nullptr;
}

// Fails the call if they are no good.
std::optional<IncrexOptions> increx_options(Call& call) {
  const auto refuse = [&](const char* why) -> std::optional<IncrexOptions> {
    call.fail(why);
    return std::nullopt;
  };
  IncrexWords words;
  if (!words.take(call.args.subspan(2))) return refuse(kSyntax);
  IncrexOptions options;
  if (const char* why = words.by_float ? read_floats(words, options) : read_integers(call, words, options))
    return refuse(why);
  if (words.enx && !words.time) return refuse("ERR ENX flag requires an expiration");
  options.saturates = words.saturates;
  options.only_without_expiry = words.enx;
  options.drops_expiry = words.persist;
  if (words.time) {
    const auto at =
        expiry_argument(call, *words.time, words.scale, "ERR invalid expire time in 'increx' command");
    if (!at) return std::nullopt;
    options.expire_at_ms = *at;
  }
  return options;
}

void apply_expiry(KeyEntry& entry, const IncrexOptions& options) {
  const bool sets = options.expire_at_ms != kNoExpiry && !(options.only_without_expiry && entry.has_expiry());
  if (sets) entry.expire_at_ms = options.expire_at_ms;
  if (options.drops_expiry) entry.expire_at_ms = kNoExpiry;
}

// What a sum becomes that lies outside, or that does not exist at all.
template <typename Number>
Number nearest_bound(const Bounds<Number>& bounds, Number sum, bool overflow, bool upwards) {
  return (overflow ? upwards : sum > bounds.high) ? bounds.high : bounds.low;
}

Effect increx_integer(Call& call, const Place& place, const IncrexOptions& options) {
  const std::optional<int64_t> held = integer_of(call, place.entry);
  if (!held) return Effect::failed;
  int64_t sum = 0;
  const bool overflow = __builtin_add_overflow(*held, options.by_integer, &sum);
  const bool outside = overflow || sum > options.integers.high || sum < options.integers.low;
  const bool refused = outside && !options.saturates;
  if (refused) sum = *held;
  if (outside && !refused) sum = nearest_bound(options.integers, sum, overflow, options.by_integer >= 0);
  int64_t applied = 0;
  if (__builtin_sub_overflow(sum, *held, &applied)) return call.fail("ERR applied increment would overflow");
  call.answer_array(2);
  call.answer(sum);
  call.answer(applied);
  if (refused) return Effect::unchanged;
  KeyEntry& entry = entry_at(call, place);
  entry.set_integer(call.pool(), sum);
  apply_expiry(entry, options);
  return Effect::changed;
}

Effect increx_float(Call& call, const Place& place, const IncrexOptions& options) {
  if (place.entry != nullptr && !is_string(*place.entry)) return call.wrong_type();
  const std::optional<long double> held = float_of(call, place.entry);
  if (!held) return Effect::failed;
  if (std::isinf(*held)) return call.fail("ERR value cannot be Infinity");
  long double sum = *held + options.by;
  const bool overflow = std::isinf(sum);
  const bool outside = overflow || sum > options.floats.high || sum < options.floats.low;
  const bool refused = outside && !options.saturates;
  if (refused) sum = *held;
  if (outside && !refused) sum = nearest_bound(options.floats, sum, overflow, options.by >= 0);
  if (std::isinf(sum - *held)) return call.fail("ERR applied increment would be Infinity");
  call.answer_array(2);
  call.answer_text(long_double_to_text(sum));
  call.answer_text(long_double_to_text(sum - *held));
  if (refused) return Effect::unchanged;
  KeyEntry& entry = entry_at(call, place);
  entry.set_text(call.pool(), long_double_to_text(sum));
  apply_expiry(entry, options);
  return Effect::changed;
}

}  // namespace

Effect run_incr(Call& call) { return add(call, 1); }
Effect run_decr(Call& call) { return add(call, -1); }

Effect run_incrby(Call& call) {
  const std::optional<int64_t> by = integer_argument(call, call.args[2]);
  return by ? add(call, *by) : call.fail(kNotInteger);
}

Effect run_decrby(Call& call) {
  const std::optional<int64_t> by = integer_argument(call, call.args[2]);
  if (!by) return call.fail(kNotInteger);
  if (*by == kMin) return call.fail("ERR decrement would overflow");
  return add(call, -*by);
}

Effect run_incrbyfloat(Call& call) {
  const Place place = find_place(call);
  if (place.entry != nullptr && !is_string(*place.entry)) return call.wrong_type();
  const std::optional<long double> held = float_of(call, place.entry);
  if (!held) return Effect::failed;
  const std::optional<long double> by = parse_server_long_double(call.args[2]);
  if (!by) return call.fail(kNotFloat);
  const std::string sum = long_double_to_text(*held + *by);
  if (sum.empty()) return call.fail("ERR increment would produce NaN or Infinity");
  entry_at(call, place).set_text(call.pool(), sum);
  call.answer_text(sum);
  return Effect::changed;
}

Effect run_increx(Call& call) {
  const std::optional<IncrexOptions> options = increx_options(call);
  if (!options) return Effect::failed;
  const Place place = find_place(call);
  return options->by_float ? increx_float(call, place, *options) : increx_integer(call, place, *options);
}

}  // namespace persist
