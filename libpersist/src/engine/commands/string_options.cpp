// Options are rows of a table: which commands know them, since when, and which of them exclude each other.
#include "engine/commands/string_options.hpp"

#include <array>

#include "base/hash64.hpp"

namespace persist {

namespace {

// Options of one group exclude each other; one and the same may be said twice, and the last one counts.
enum class Group : uint8_t { condition, expiry, answer };
constexpr size_t kGroups = 3;

struct Option {
  Bytes word;
  uint8_t commands;  // of StringCommand
  Group group;
  bool takes_value;
  uint16_t since_redis;
  uint16_t since_valkey;  // 0: never
  void (*apply)(StringOptions& options, Bytes value);
};

template <StringCondition::Kind kind>
void set_condition(StringOptions& options, Bytes value) {
  options.condition = {kind, value};
}

template <bool in_seconds, bool is_relative>
void set_time(StringOptions& options, Bytes value) {
  options.time = value;
  options.scale = {in_seconds, is_relative};
}

using Kind = StringCondition::Kind;
constexpr uint8_t kOfAll = kOfSet | kOfGetex | kOfMsetex;
constexpr uint8_t kOfSetters = kOfSet | kOfMsetex;

constexpr Option kOptions[] = {
    {"nx", kOfSetters, Group::condition, false, 206, 702, set_condition<Kind::if_missing>},
    {"xx", kOfSetters, Group::condition, false, 206, 702, set_condition<Kind::if_there>},
    {"ifeq", kOfSet, Group::condition, true, 804, 801, set_condition<Kind::equals>},
    {"ifne", kOfSet, Group::condition, true, 804, 0, set_condition<Kind::differs>},
    {"ifdeq", kOfSet, Group::condition, true, 804, 0, set_condition<Kind::digest_equals>},
    {"ifdne", kOfSet, Group::condition, true, 804, 0, set_condition<Kind::digest_differs>},
    {"ex", kOfAll, Group::expiry, true, 206, 702, set_time<true, true>},
    {"px", kOfAll, Group::expiry, true, 206, 702, set_time<false, true>},
    {"exat", kOfAll, Group::expiry, true, 602, 702, set_time<true, false>},
    {"pxat", kOfAll, Group::expiry, true, 602, 702, set_time<false, false>},
    {"keepttl", kOfSetters, Group::expiry, false, 600, 702,
     [](StringOptions& options, Bytes) { options.keeps_expiry = true; }},
    {"persist", kOfGetex, Group::expiry, false, 602, 702,
     [](StringOptions& options, Bytes) { options.drops_expiry = true; }},
    {"get", kOfSet, Group::answer, false, 602, 702,
     [](StringOptions& options, Bytes) { options.returns_old = true; }},
};

bool is_known(const Profile& profile, const Option& option) {
  if (profile.family == Dialect::redis) return profile.version >= option.since_redis;
  return option.since_valkey != 0 && profile.version >= option.since_valkey;
}

const Option* find_option(const Profile& profile, Bytes word, StringCommand command) {
  for (const Option& option : kOptions) {
    if (is_word(word, option.word))
      return (option.commands & command) != 0 && is_known(profile, option) ? &option : nullptr;
  }
  return nullptr;
}

bool digest_is(Bytes text, Bytes wanted) {
  char room[kStringDigestBytes];
  return equals_ignoring_case(string_digest(text, room), wanted);
}

}  // namespace

Bytes string_digest(Bytes text, char* room) {
  constexpr char kDigits[] = "0123456789abcdef";
  uint64_t hash = hash64(text, 0);
  for (size_t i = kStringDigestBytes; i-- > 0; hash >>= 4) room[i] = kDigits[hash & 15];
  return {room, kStringDigestBytes};
}

Verdict judge(const Call& call, const StringCondition& condition, KeyEntry* entry) {
  const auto met_if = [](bool met) { return met ? Verdict::met : Verdict::not_met; };
  const Kind kind = condition.kind;
  if (kind == Kind::none) return Verdict::met;
  if (kind == Kind::if_missing || kind == Kind::if_there)
    return met_if((entry != nullptr) == (kind == Kind::if_there));
  if (entry == nullptr) return met_if(kind == Kind::differs || kind == Kind::digest_differs);
  if (!is_string(*entry)) return Verdict::not_a_string;

  CellRoom room;
  const Bytes text = entry->text(call.pool(), room);
  if (kind == Kind::equals) return met_if(text == condition.wanted);
  if (kind == Kind::differs) return met_if(text != condition.wanted);
  if (condition.wanted.size() != kStringDigestBytes) return Verdict::bad_digest;
  return met_if(digest_is(text, condition.wanted) == (kind == Kind::digest_equals));
}

std::optional<StringOptions> parse_string_options(const Call& call, std::span<const Bytes> words,
                                                  StringCommand command) {
  StringOptions options;
  std::array<const Option*, kGroups> chosen{};
  for (size_t at = 0; at < words.size(); ++at) {
    const Option* option = find_option(call.profile, words[at], command);
    if (option == nullptr) return std::nullopt;
    const Option*& rival = chosen[static_cast<size_t>(option->group)];
    if (rival != nullptr && rival != option) return std::nullopt;
    rival = option;
    if (option->takes_value && ++at == words.size()) return std::nullopt;
    option->apply(options, words[at]);
  }
  // An answer and NX together are newer than either.
  const bool only_since_700 = options.returns_old && options.condition.kind == Kind::if_missing;
  if (only_since_700 && call.profile.is_before(700)) return std::nullopt;
  return options;
}

std::optional<int64_t> expiry_argument(Call& call, Bytes text, TimeScale scale, const char* invalid) {
  const std::optional<int64_t> given = integer_argument(call, text);
  if (!given) {
    call.fail(kNotInteger);
    return std::nullopt;
  }
  const std::optional<int64_t> at = *given > 0 ? expiry_of(*given, scale, call.now_ms) : std::nullopt;
  if (!at) call.fail(invalid);
  return at;
}

}  // namespace persist
