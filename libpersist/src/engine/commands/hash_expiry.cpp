// Handlers that are about the expiry of single fields: HEXPIRE and its kin, HSETEX, HGETEX, HGETDEL. Redis
// and Valkey have them both, with the same words but rules of their own: in what order things are checked,
// what a time may be, and what they say of mistakes.
//
// A time in the past is set like any other: to delete in its place is what a server does that is not loading.
#include "engine/commands/hash_fields.hpp"
#include "engine/commands/table.hpp"

namespace persist {

namespace {

constexpr const char* kNoFieldsWord = "ERR Mandatory argument FIELDS is missing or not at the right position";
constexpr const char* kFieldsMismatch = "ERR The `numfields` parameter must match the number of arguments";
constexpr const char* kFieldsBelowOne = "ERR Number of fields must be a positive integer";
constexpr const char* kValkeyFields =
    "ERR numfields should be greater than 0 and match the provided number of fields";

// What is answered for one field.
constexpr int64_t kNoField = -2;
constexpr int64_t kNoTtl = -1;
constexpr int64_t kNotMet = 0;
constexpr int64_t kDone = 1;

bool is_valkey(const Call& call) { return call.profile.family == Dialect::valkey; }

using Words = std::span<const Bytes>;

// Words that say how many follow. Null in `wrong`: the ones that do are in `items`.
struct Counted {
  Words items;
  const char* wrong = nullptr;
};

// FIELDS n item..., of `step` words for each of the n.
Counted parse_fields(const Call& call, Words words, size_t step, const char* below_one,
                     const char* mismatch) {
  if (words.empty() || !is_word(words[0], "fields")) return {{}, kNoFieldsWord};
  if (words.size() < 2) return {{}, is_valkey(call) ? kValkeyFields : mismatch};
  const std::optional<int64_t> count = integer_argument(call, words[1]);
  const Words items = words.subspan(2);
  if (is_valkey(call)) {
    if (!count) return {{}, kNotInteger};
    const bool fits = *count > 0 && static_cast<uint64_t>(*count) <= items.size() &&
                      static_cast<uint64_t>(*count) * step == items.size();
    return fits ? Counted{items} : Counted{{}, kValkeyFields};
  }
  if (!count || *count < 1) return {{}, below_one};
  if (static_cast<uint64_t>(*count) > items.size() || static_cast<uint64_t>(*count) * step != items.size())
    return {{}, mismatch};
  return {items};
}

// Where the word FIELDS stands; at the end: nowhere.
size_t find_fields_word(Words words) {
  const auto at = std::ranges::find_if(words, [](Bytes word) { return is_word(word, "fields"); });
  return static_cast<size_t>(at - words.begin());
}

// How one command takes its times, and what it says of bad ones.
struct TimeRule {
  TimeScale scale;
  const char* invalid;  // "invalid expire time in ... command"
};

// The time a field expires at. Null in `wrong`: it may be that.
struct ParsedTime {
  int64_t at_ms = kNoExpiry;
  const char* wrong = nullptr;
};

ParsedTime parse_time(const Call& call, Bytes word, const TimeRule& rule) {
  constexpr int64_t kRedisMax = (int64_t{1} << 46) - 1;
  const std::optional<int64_t> given = integer_argument(call, word);
  if (!given) return {kNoExpiry, kNotInteger};
  if (*given < 0)
    return {kNoExpiry, is_valkey(call) ? rule.invalid : "ERR invalid expire time, must be >= 0"};
  const std::optional<int64_t> at_ms = expiry_of(*given, rule.scale, call.now_ms);
  if (!at_ms || (!is_valkey(call) && *at_ms > kRedisMax)) return {kNoExpiry, rule.invalid};
  return {*at_ms};
}

// Answers one number for each field, by act(field), and counts those that are kDone.
template <typename Do>
size_t answer_each(const Call& call, Words fields, Do&& act) {
  size_t done = 0;
  call.answer_array(fields.size());
  for (const Bytes field : fields) {
    const int64_t answer = act(field);
    done += answer == kDone ? 1U : 0U;
    call.answer(answer);
  }
  return done;
}

// ------------------------------------------------------------------------------------------ H[P]EXPIRE[AT]

// Null, or what is wrong with the words between the time and FIELDS.
const char* parse_condition(const Call& call, Words words, ExpiryCondition& condition) {
  for (const Bytes word : words) {
    const bool is_known = condition.take(word);
    if (!is_known) return is_valkey(call) ? "ERR Unsupported option" : kNoFieldsWord;
  }
  if (!is_valkey(call)) return words.size() > 1 ? kNoFieldsWord : nullptr;
  if (condition.if_none && (condition.if_any || condition.if_later || condition.if_earlier))
    return "ERR NX and XX, GT or LT options at the same time are not compatible";
  if (condition.if_later && condition.if_earlier)
    return "ERR GT and LT options at the same time are not compatible";
  return nullptr;
}

struct ExpireRequest {
  int64_t at_ms = kNoExpiry;
  ExpiryCondition condition;
  Words fields;
};

// Null, or what is wrong. The order of the checks decides which of several mistakes is named.
const char* parse_expire(const Call& call, const TimeRule& rule, ExpireRequest& request) {
  const ParsedTime time = parse_time(call, call.args[2], rule);
  if (!is_valkey(call) && time.wrong != nullptr) return time.wrong;
  const Words words = call.args.subspan(3);
  const size_t at = find_fields_word(words);
  if (is_valkey(call) && at == words.size()) return kValkeyFields;
  if (const char* wrong = parse_condition(call, words.first(at), request.condition)) return wrong;
  const Counted counted = parse_fields(call, words.subspan(at), 1,
                                       "ERR Parameter `numFields` should be greater than 0", kFieldsMismatch);
  if (counted.wrong != nullptr) return counted.wrong;
  request.at_ms = time.at_ms;
  request.fields = counted.items;
  return time.wrong;
}

Effect expire(Call& call, const TimeRule& rule) {
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type() && !is_valkey(call)) return call.wrong_type();
  ExpireRequest request;
  if (const char* wrong = parse_expire(call, rule, request)) return call.fail(wrong);
  if (hash.wrong_type()) return call.wrong_type();
  const size_t done = answer_each(call, request.fields, [&](Bytes field) {
    const std::optional<HashField> held = hash ? hash->find(field) : std::nullopt;
    if (!held) return kNoField;
    if (!request.condition.allows(held->expire_at_ms, request.at_ms)) return kNotMet;
    hash->set_expiry(field, request.at_ms);
    return kDone;
  });
  return done > 0 ? Effect::changed : Effect::unchanged;
}

constexpr TimeScale kSeconds{.in_seconds = true, .is_relative = true};
constexpr TimeScale kMilliseconds{.in_seconds = false, .is_relative = true};
constexpr TimeScale kUnixSeconds{.in_seconds = true, .is_relative = false};
constexpr TimeScale kUnixMilliseconds{.in_seconds = false, .is_relative = false};

Effect run_hexpire(Call& call) {
  return expire(call, {kSeconds, "ERR invalid expire time in 'hexpire' command"});
}
Effect run_hpexpire(Call& call) {
  return expire(call, {kMilliseconds, "ERR invalid expire time in 'hpexpire' command"});
}
Effect run_hexpireat(Call& call) {
  return expire(call, {kUnixSeconds, "ERR invalid expire time in 'hexpireat' command"});
}
Effect run_hpexpireat(Call& call) {
  return expire(call, {kUnixMilliseconds, "ERR invalid expire time in 'hpexpireat' command"});
}

// ------------------------------------------------------------------------- HPERSIST, and asking for expiries

// The hash, if it may be one, and the fields behind args[2]. Absent: the call has failed.
struct HashAndFields {
  Found<Hash> hash;
  Words fields;
};

std::optional<HashAndFields> find_hash_and_fields(Call& call) {
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  const Counted counted = parse_fields(call, call.args.subspan(2), 1, kFieldsBelowOne, kFieldsMismatch);
  if (hash.wrong_type() && !(is_valkey(call) && counted.wrong != nullptr)) {
    call.wrong_type();
    return std::nullopt;
  }
  if (counted.wrong != nullptr) {
    call.fail(counted.wrong);
    return std::nullopt;
  }
  return HashAndFields{hash, counted.items};
}

Effect run_hpersist(Call& call) {
  const auto request = find_hash_and_fields(call);
  if (!request) return Effect::failed;
  const size_t done = answer_each(call, request->fields, [&](Bytes field) {
    const std::optional<HashField> held = find_visible(call, request->hash, field);
    if (!held) return kNoField;
    if (held->expire_at_ms == kNoExpiry) return kNoTtl;
    request->hash->set_expiry(field, kNoExpiry);
    return kDone;
  });
  return done > 0 ? Effect::changed : Effect::unchanged;
}

// What is left of a time, or the time itself, in the unit of the command.
int64_t told_time(const Call& call, int64_t at_ms, TimeScale scale) {
  int64_t time = scale.is_relative ? at_ms - call.now_ms : at_ms;
  if (is_valkey(call)) time = std::max<int64_t>(time, 0);
  if (!scale.in_seconds) return time;
  // Redis rounds up, Valkey to the nearest.
  const int64_t rest = is_valkey(call) ? 500 : 999;
  return time / 1000 + (time % 1000 + rest) / 1000;
}

Effect tell_expiries(Call& call, TimeScale scale) {
  const auto request = find_hash_and_fields(call);
  if (!request) return Effect::failed;
  answer_each(call, request->fields, [&](Bytes field) {
    const std::optional<HashField> held = find_visible(call, request->hash, field);
    if (!held) return kNoField;
    return held->expire_at_ms == kNoExpiry ? kNoTtl : told_time(call, held->expire_at_ms, scale);
  });
  return Effect::unchanged;
}
Effect run_httl(Call& call) { return tell_expiries(call, kSeconds); }
Effect run_hpttl(Call& call) { return tell_expiries(call, kMilliseconds); }
Effect run_hexpiretime(Call& call) { return tell_expiries(call, kUnixSeconds); }
Effect run_hpexpiretime(Call& call) { return tell_expiries(call, kUnixMilliseconds); }

// -------------------------------------------------------------------------------------------------- HSETEX

std::optional<TimeScale> parse_scale(Bytes word) {
  if (is_word(word, "ex")) return kSeconds;
  if (is_word(word, "px")) return kMilliseconds;
  if (is_word(word, "exat")) return kUnixSeconds;
  if (is_word(word, "pxat")) return kUnixMilliseconds;
  return std::nullopt;
}

struct SetRequest {
  std::optional<int64_t> at_ms;
  bool keeps_expiry = false;
  bool if_no_field = false;    // FNX
  bool if_all_fields = false;  // FXX
  bool if_no_key = false;      // NX, of Valkey alone; as is
  bool if_key = false;         // XX
  Words pairs;
};

constexpr const char* kSetexInvalid = "ERR invalid expire time in 'hsetex' command";

struct SetexTexts {
  const char* second_time;
  const char* no_time;
  const char* second_condition;
  const char* unknown;
};
constexpr SetexTexts kRedisTexts{
    "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified", "ERR missing expire time",
    "ERR Only one of FXX or FNX arguments can be specified", "ERR unknown argument"};
constexpr SetexTexts kValkeyTexts{kSyntax, kSyntax, kSyntax, kSyntax};

// The flag that a word of HSETEX stands for, and the one that must not stand beside it; null: it is none.
struct SetFlag {
  bool* own = nullptr;
  const bool* other = nullptr;
};
SetFlag find_set_flag(const Call& call, Bytes word, SetRequest& request) {
  if (is_word(word, "fnx")) return {&request.if_no_field, &request.if_all_fields};
  if (is_word(word, "fxx")) return {&request.if_all_fields, &request.if_no_field};
  if (is_valkey(call) && is_word(word, "nx")) return {&request.if_no_key, &request.if_key};
  if (is_valkey(call) && is_word(word, "xx")) return {&request.if_key, &request.if_no_key};
  return {};
}

// The words in front of FIELDS. Null, or what is wrong with them.
const char* parse_set_options(const Call& call, Words words, SetRequest& request) {
  const SetexTexts& texts = is_valkey(call) ? kValkeyTexts : kRedisTexts;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::optional<TimeScale> scale = parse_scale(words[i]);
    const SetFlag flag = find_set_flag(call, words[i], request);
    if (scale || is_word(words[i], "keepttl")) {
      if (request.at_ms || request.keeps_expiry) return texts.second_time;
      request.keeps_expiry = !scale;
      if (!scale) continue;
      if (++i == words.size()) return texts.no_time;
      const ParsedTime time = parse_time(call, words[i], {*scale, kSetexInvalid});
      if (time.wrong != nullptr) return time.wrong;
      request.at_ms = time.at_ms;
    } else if (flag.own != nullptr) {
      if (*flag.other || (*flag.own && !is_valkey(call))) return texts.second_condition;
      *flag.own = true;
    } else {
      return texts.unknown;
    }
  }
  return nullptr;
}

const char* parse_set_request(const Call& call, SetRequest& request) {
  constexpr const char* kArity = "ERR wrong number of arguments for 'hsetex' command";
  const Words words = call.args.subspan(2);
  const size_t at = find_fields_word(words);
  if (is_valkey(call) && at == words.size()) return kValkeyFields;
  if (const char* wrong = parse_set_options(call, words.first(at), request)) return wrong;
  if (!is_valkey(call) && words.size() - at < 4) return kArity;
  const Counted counted = parse_fields(call, words.subspan(at), 2, "ERR invalid number of fields", kArity);
  request.pairs = counted.items;
  return counted.wrong;
}

// Whether the fields and the key are there, or not, as the request wants them.
bool allows(const Call& call, const Found<Hash>& hash, const SetRequest& request) {
  if ((request.if_no_key && hash) || (request.if_key && !hash)) return false;
  if (!request.if_no_field && !request.if_all_fields) return true;
  for (size_t i = 0; i < request.pairs.size(); i += 2) {
    const bool is_there = find_visible(call, hash, request.pairs[i]).has_value();
    if (is_there != request.if_all_fields) return false;
  }
  return true;
}

Effect run_hsetex(Call& call) {
  SetRequest request;
  if (const char* wrong = parse_set_request(call, request)) return call.fail(wrong);
  Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type()) return call.wrong_type();
  if (!allows(call, hash, request)) return call.done(0, false);
  if (!hash) hash = call.find_or_make<Hash>(call.args[1]);
  for (size_t i = 0; i < request.pairs.size(); i += 2) {
    if (request.keeps_expiry)
      hash->set_keeping_expiry(request.pairs[i], request.pairs[i + 1]);
    else
      hash->set(request.pairs[i], request.pairs[i + 1], request.at_ms.value_or(kNoExpiry));
  }
  return call.done(1, true);
}

// ----------------------------------------------------------------------------------------- HGETEX, HGETDEL

struct GetRequest {
  bool sets_expiry = false;
  int64_t at_ms = kNoExpiry;
  Words fields;
};

// Null, or what is wrong.
const char* parse_get_request(const Call& call, GetRequest& request) {
  Words words = call.args.subspan(2);
  if (const std::optional<TimeScale> scale = parse_scale(words[0])) {
    const ParsedTime time =
        parse_time(call, words[1], {*scale, "ERR invalid expire time in 'hgetex' command"});
    if (time.wrong != nullptr) return time.wrong;
    request.sets_expiry = true;
    request.at_ms = time.at_ms;
    words = words.subspan(2);
  } else if (is_word(words[0], "persist")) {
    request.sets_expiry = true;
    words = words.subspan(1);
  }
  const Counted counted = parse_fields(call, words, 1, kFieldsBelowOne, kFieldsMismatch);
  request.fields = counted.items;
  return counted.wrong;
}

Effect run_hgetex(Call& call) {
  const Found<Hash> hash = call.find_as<Hash>(call.args[1]);
  if (hash.wrong_type() && !is_valkey(call)) return call.wrong_type();
  GetRequest request;
  if (const char* wrong = parse_get_request(call, request)) return call.fail(wrong);
  if (hash.wrong_type()) return call.wrong_type();
  bool changed = false;
  call.answer_array(request.fields.size());
  for (const Bytes field : request.fields) {
    const std::optional<HashField> held = find_visible(call, hash, field);
    answer_value(call, held);
    if (!held || !request.sets_expiry) continue;
    // Valkey finds nothing to do for a field that has no expiry; Redis counts it all the same.
    const bool is_idle = held->expire_at_ms == kNoExpiry && request.at_ms == kNoExpiry;
    changed = changed || !is_idle || !is_valkey(call);
    hash->set_expiry(field, request.at_ms);
  }
  return changed ? Effect::changed : Effect::unchanged;
}

Effect run_hgetdel(Call& call) {
  const auto request = find_hash_and_fields(call);
  if (!request) return Effect::failed;
  bool changed = false;
  call.answer_array(request->fields.size());
  for (const Bytes field : request->fields) {
    const std::optional<HashField> held = find_visible(call, request->hash, field);
    answer_value(call, held);
    if (!held) continue;
    request->hash->remove(field);
    changed = true;
  }
  if (changed) call.drop_if_empty(request->hash);
  return changed ? Effect::changed : Effect::unchanged;
}

constexpr CommandHandler kHashExpiryHandlers[] = {
    {"hexpire", run_hexpire},   {"hexpireat", run_hexpireat},   {"hexpiretime", run_hexpiretime},
    {"hgetdel", run_hgetdel},   {"hgetex", run_hgetex},         {"hpersist", run_hpersist},
    {"hpexpire", run_hpexpire}, {"hpexpireat", run_hpexpireat}, {"hpexpiretime", run_hpexpiretime},
    {"hpttl", run_hpttl},       {"hsetex", run_hsetex},         {"httl", run_httl},
};

}  // namespace

std::span<const CommandHandler> hash_expiry_commands() { return kHashExpiryHandlers; }

}  // namespace persist
