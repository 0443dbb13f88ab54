// How entries come out different.
#include "persist/key_changes.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace persist {

namespace {

// kNoExpiry is not a time that anything is moved to, and nothing goes over the edge of the numbers.
int64_t moved(int64_t time_ms, int64_t by_ms) {
  int64_t sum = 0;
  if (__builtin_add_overflow(time_ms, by_ms, &sum))
    return by_ms > 0 ? std::numeric_limits<int64_t>::max() : int64_t{0};
  return std::max<int64_t>(sum, 0);
}

int64_t apply_rule(const ExpiryRule& rule, int64_t expire_at_ms) {
  switch (rule.change) {
    case ExpiryChange::none:
      return expire_at_ms;
    case ExpiryChange::persist:
      return kNoExpiry;
    case ExpiryChange::shift:
      return expire_at_ms == kNoExpiry ? kNoExpiry : moved(expire_at_ms, rule.ms);
    case ExpiryChange::set:
      return rule.ms;
  }
  return expire_at_ms;
}

[[noreturn]] void refuse_rename(const std::string& text, const std::string& why) {
  throw std::invalid_argument("rename \"" + text + "\": " + why +
                              "; expected s/PATTERN/REPLACEMENT/ or the same with g behind it");
}

// The piece up to the next `mark`, of which a backslash in front makes an ordinary character; `at` is left
// behind the mark.
std::string take_piece(const std::string& text, size_t& at, char mark) {
  std::string piece;
  for (; at < text.size(); ++at) {
    if (text[at] == mark) {
      ++at;
      return piece;
    }
    if (text[at] == '\\' && at + 1 < text.size()) {
      if (text[at + 1] != mark) piece += '\\';
      ++at;
    }
    piece += text[at];
  }
  refuse_rename(text, "it ends too early");
}

}  // namespace

Rename parse_rename(const std::string& text) {
  constexpr size_t kShortest = 4;  // s///
  if (text.size() < kShortest || text[0] != 's') refuse_rename(text, "it does not begin with s");
  const char mark = text[1];
  if (mark == '\\' || mark == '\n') refuse_rename(text, "its pieces cannot be told apart by that character");
  Rename rename;
  size_t at = 2;
  rename.pattern = take_piece(text, at, mark);
  rename.replacement = take_piece(text, at, mark);
  const std::string flags = text.substr(at);
  if (!flags.empty() && flags != "g") refuse_rename(text, "\"" + flags + "\" stands behind it");
  rename.every = !flags.empty();
  return rename;
}

struct KeyChanges::Compiled {
  KeyChangeOptions options;
  struct Substitution {
    std::unique_ptr<re2::RE2> pattern;
    std::string replacement;
    bool every;
  };
  std::vector<Substitution> substitutions;

  [[nodiscard]] bool rename(Bytes key, std::string& room) const {
    bool changed = false;
    room.assign(key);
    for (const Substitution& each : substitutions) {
      const bool hit = each.every ? re2::RE2::GlobalReplace(&room, *each.pattern, each.replacement) > 0
                                  : re2::RE2::Replace(&room, *each.pattern, each.replacement);
      changed = changed || hit;
    }
    return changed && room != key;
  }

  [[nodiscard]] bool has_expired(int64_t expire_at_ms) const {
    return expire_at_ms != kNoExpiry && expire_at_ms <= options.now_ms;
  }

  [[nodiscard]] int64_t expiry(int64_t expire_at_ms) const {
    if (has_expired(expire_at_ms)) expire_at_ms = apply_rule(options.expired, expire_at_ms);
    return apply_rule(options.all, expire_at_ms);
  }

  [[nodiscard]] uint64_t db(uint64_t number) const {
    const auto at = std::ranges::find(options.dbs, number, &std::pair<uint64_t, uint64_t>::first);
    return at == options.dbs.end() ? number : at->second;
  }
};

KeyChanges::KeyChanges() : compiled_(std::make_unique<Compiled>()) {}

KeyChanges::KeyChanges(KeyChangeOptions options) : compiled_(std::make_unique<Compiled>()) {
  compiled_->options = std::move(options);
  // Keys are bytes: a pattern means the bytes that it is made of.
  re2::RE2::Options as_bytes(re2::RE2::Latin1);
  as_bytes.set_log_errors(false);
  for (const Rename& rename : compiled_->options.renames) {
    auto pattern = std::make_unique<re2::RE2>(rename.pattern, as_bytes);
    if (!pattern->ok())
      throw std::invalid_argument("regular expression \"" + rename.pattern + "\": " + pattern->error());
    std::string error;
    if (!pattern->CheckRewriteString(rename.replacement, &error))
      throw std::invalid_argument("replacement \"" + rename.replacement + "\": " + error);
    compiled_->substitutions.push_back({std::move(pattern), rename.replacement, rename.every});
  }
}

KeyChanges::~KeyChanges() = default;

bool KeyChanges::apply(RdbEntry& entry, std::string& room) const {
  const uint64_t db = compiled_->db(entry.db);
  const int64_t expire_at_ms = compiled_->expiry(entry.expire_at_ms);
  bool changed = db != entry.db || expire_at_ms != entry.expire_at_ms;
  entry.db = db;
  entry.expire_at_ms = expire_at_ms;
  if (!compiled_->substitutions.empty() && compiled_->rename(entry.key, room)) {
    entry.key = room;
    changed = true;
  }
  return changed;
}

bool KeyChanges::changes_keys() const {
  return !compiled_->substitutions.empty() || !compiled_->options.dbs.empty();
}

bool KeyChanges::changes_expiries() const {
  return compiled_->options.all.change != ExpiryChange::none ||
         compiled_->options.expired.change != ExpiryChange::none;
}

bool KeyChanges::changes_fields() const {
  const ExpiryChange all = compiled_->options.all.change;
  return compiled_->options.drop_expired_fields || compiled_->options.expired.change != ExpiryChange::none ||
         (all != ExpiryChange::none && all != ExpiryChange::set);
}

std::optional<int64_t> KeyChanges::field_expiry(int64_t expire_at_ms) const {
  if (expire_at_ms == kNoExpiry) return expire_at_ms;
  const KeyChangeOptions& options = compiled_->options;
  if (compiled_->has_expired(expire_at_ms)) {
    if (options.drop_expired_fields) return std::nullopt;
    if (options.expired.change != ExpiryChange::set) expire_at_ms = apply_rule(options.expired, expire_at_ms);
  }
  return options.all.change == ExpiryChange::set ? expire_at_ms : apply_rule(options.all, expire_at_ms);
}

}  // namespace persist
