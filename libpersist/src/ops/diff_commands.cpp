// What comes is written before what goes, so that a key lives through its change. A change is planned as
// words first; their number decides whether it is worth it.
//
// Expiries of hash fields come last, since a time that is over takes the field away. One that the field had
// already may be over where the commands run, and the field gone: such a field is written again, value and
// all, which takes its expiry from it, too.
#include "ops/diff_commands.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <span>

#include "base/server_numbers.hpp"

namespace persist {

namespace {

constexpr unsigned kManyItemsSince = 204;
constexpr size_t kNameAndKey = 2;
constexpr size_t kDelWords = 2;

// Of a command with so many behind name and key. With none, there is no command.
size_t command_size(size_t words) { return words == 0 ? 0 : kNameAndKey + words; }

// --- Both values side by side -----------------------------------------------------------------------------

// Behind all items from `at` on that have one name: damaged files may have it twice, and the last one counts.
template <typename Item, typename NameOf>
size_t behind_name(const std::vector<Item>& items, size_t at, NameOf name_of) {
  const Bytes name = name_of(items[at]);
  while (at < items.size() && name_of(items[at]) == name) ++at;
  return at;
}

// Tells each name once, with the item that either side has of it, or null.
template <typename Item, typename NameOf, typename Tell>
void walk_side_by_side(const std::vector<Item>& from, const std::vector<Item>& to, NameOf name_of,
                       Tell tell) {
  size_t a = 0;
  size_t b = 0;
  while (a < from.size() || b < to.size()) {
    int order = a == from.size() ? 1 : -1;
    if (a < from.size() && b < to.size()) order = name_of(from[a]).compare(name_of(to[b]));
    const Item* before = nullptr;
    const Item* after = nullptr;
    if (order <= 0) {
      a = behind_name(from, a, name_of);
      before = &from[a - 1];
    }
    if (order >= 0) {
      b = behind_name(to, b, name_of);
      after = &to[b - 1];
    }
    tell(before, after);
  }
}

// --- Sets, sorted sets, hashes ----------------------------------------------------------------------------

// What comes, as the words of the command, and what goes.
struct MemberPlan {
  std::vector<Bytes> put;
  std::vector<Bytes> removed;

  [[nodiscard]] size_t words() const { return command_size(put.size()) + command_size(removed.size()); }
};

MemberPlan plan_set(const Value& from, const Value& to) {
  MemberPlan plan;
  const auto name_of = [](Bytes member) { return member; };
  walk_side_by_side(from.items, to.items, name_of, [&](const Bytes* before, const Bytes* after) {
    if (before == nullptr) plan.put.push_back(*after);
    if (after == nullptr) plan.removed.push_back(*before);
  });
  return plan;
}

// What ZADD makes of a score that is there already.
enum class ScoreChange : uint8_t { none, set, impossible };

ScoreChange score_change(double from, double to) {
  if (std::bit_cast<uint64_t>(from) == std::bit_cast<uint64_t>(to)) return ScoreChange::none;
  if (std::isnan(to)) return std::isnan(from) ? ScoreChange::none : ScoreChange::impossible;
  // To a server, zeros are equal, whatever their sign: it keeps the one that it has.
  return from == to ? ScoreChange::impossible : ScoreChange::set;
}

struct ScorePlan {
  std::vector<const SortedSetMember*> put;
  std::vector<Bytes> removed;
  bool possible = true;

  [[nodiscard]] size_t words() const { return command_size(2 * put.size()) + command_size(removed.size()); }
};

ScorePlan plan_scores(const Value& from, const Value& to) {
  ScorePlan plan;
  const auto name_of = [](const SortedSetMember& member) { return member.member; };
  walk_side_by_side(from.members, to.members, name_of,
                    [&](const SortedSetMember* before, const SortedSetMember* after) {
                      if (after == nullptr) return plan.removed.push_back(before->member);
                      ScoreChange change = ScoreChange::set;
                      if (before != nullptr)
                        change = score_change(before->score, after->score);
                      else if (std::isnan(after->score))
                        change = ScoreChange::impossible;
                      if (change == ScoreChange::set) plan.put.push_back(after);
                      if (change == ScoreChange::impossible) plan.possible = false;
                    });
  return plan;
}

struct FieldPlan {
  MemberPlan members;
  std::vector<const HashField*> expiring;  // by expiry

  // An expiry is a command of its own if no other field has the same.
  static constexpr size_t kExpiryWords = 6;
  [[nodiscard]] size_t words() const { return members.words() + kExpiryWords * expiring.size(); }
};

FieldPlan plan_fields(const Value& from, const Value& to, bool with_expiries) {
  FieldPlan plan;
  const auto expiry_of = [&](const HashField& field) {
    return with_expiries ? field.expire_at_ms : kNoExpiry;
  };
  const auto name_of = [](const HashField& field) { return field.field; };
  walk_side_by_side(from.fields, to.fields, name_of, [&](const HashField* before, const HashField* after) {
    if (after == nullptr) return plan.members.removed.push_back(before->field);
    const int64_t had = before != nullptr ? expiry_of(*before) : kNoExpiry;
    const int64_t has = expiry_of(*after);
    const bool is_put =
        before == nullptr || before->value != after->value || (had != has && had != kNoExpiry);
    if (is_put) plan.members.put.insert(plan.members.put.end(), {after->field, after->value});
    if (has != kNoExpiry && (is_put || had != has)) plan.expiring.push_back(after);
  });
  std::ranges::stable_sort(plan.expiring, {}, &HashField::expire_at_ms);
  return plan;
}

// --- Lists ------------------------------------------------------------------------------------------------

// Items at the ends that come and go, or some in the middle that become others. Items that go at one end come
// at the other, if anywhere.
struct ListPlan {
  size_t pushed_front = 0;
  size_t pushed_back = 0;
  size_t cut_front = 0;
  size_t cut_back = 0;
  std::vector<size_t> changed;  // indexes

  static constexpr size_t kTrimWords = 4;
  static constexpr size_t kSetWords = 4;
  [[nodiscard]] size_t words() const {
    return command_size(pushed_front) + command_size(pushed_back) +
           (cut_front + cut_back > 0 ? kTrimWords : 0) + kSetWords * changed.size();
  }
};

// How many items at the end of `text` are those at the beginning of `pattern`, at most: in linear time, by
// the table of how far each beginning of the pattern is one of itself.
size_t overlap_of(const std::vector<Bytes>& text, const std::vector<Bytes>& pattern) {
  std::vector<size_t> borders(pattern.size());
  const auto advance = [&](size_t matched, Bytes item) {
    while (matched > 0 && (matched == pattern.size() || pattern[matched] != item))
      matched = borders[matched - 1];
    return matched + (pattern[matched] == item ? 1 : 0);
  };
  for (size_t i = 1; i < pattern.size(); ++i) borders[i] = advance(borders[i - 1], pattern[i]);
  size_t matched = 0;
  for (const Bytes item : text) matched = advance(matched, item);
  return matched;
}

// Absent if too many differ: each costs a server a walk to its place.
std::optional<ListPlan> plan_changed_items(const std::vector<Bytes>& from, const std::vector<Bytes>& to) {
  if (from.size() != to.size()) return std::nullopt;
  ListPlan plan;
  for (size_t i = 0; i < to.size(); ++i) {
    if (from[i] == to[i]) continue;
    if (plan.changed.size() == kCommandItemsMax) return std::nullopt;
    plan.changed.push_back(i);
  }
  return plan;
}

// The shortest; neither may be empty.
ListPlan plan_list(const Value& from, const Value& to) {
  const size_t moved_left = overlap_of(from.items, to.items);
  ListPlan best;
  best.cut_front = from.items.size() - moved_left;
  best.pushed_back = to.items.size() - moved_left;

  const size_t moved_right = overlap_of(to.items, from.items);
  ListPlan other;
  other.cut_back = from.items.size() - moved_right;
  other.pushed_front = to.items.size() - moved_right;
  if (other.words() < best.words()) best = other;

  std::optional<ListPlan> changed = plan_changed_items(from.items, to.items);
  if (changed && changed->words() < best.words()) best = std::move(*changed);
  return best;
}

// --- Plans as commands ------------------------------------------------------------------------------------

// Groups of so many words, as many to a command as it may have, but at least one.
void write_groups(CommandWriter& out, Bytes name, Bytes key, std::span<const Bytes> words, size_t group,
                  size_t most) {
  while (!words.empty()) {
    size_t bytes = name.size() + key.size();
    size_t count = 0;
    while (count < most * group && count < words.size()) {
      for (const Bytes word : words.subspan(count, group)) bytes += word.size();
      if (count > 0 && bytes > kCommandBytesMax) break;
      count += group;
    }
    out.begin(kNameAndKey + count);
    out.arg(name);
    out.arg(key);
    for (const Bytes word : words.first(count)) out.arg(word);
    words = words.subspan(count);
  }
}

size_t most_items(const Target& target) { return target.release < kManyItemsSince ? 1 : kCommandItemsMax; }

void write_set_changes(CommandWriter& out, Bytes key, const Value& from, const Value& to) {
  const MemberPlan plan = plan_set(from, to);
  write_groups(out, "SADD", key, plan.put, 1, most_items(out.target()));
  write_groups(out, "SREM", key, plan.removed, 1, most_items(out.target()));
}

void write_score_changes(CommandWriter& out, Bytes key, const Value& from, const Value& to) {
  const ScorePlan plan = plan_scores(from, to);
  const DoubleStyle style = double_style(out.target().family, out.target().release);
  Arena texts;
  std::vector<Bytes> words;
  words.reserve(2 * plan.put.size());
  for (const SortedSetMember* member : plan.put) {
    char room[kDoubleTextMax];
    words.push_back(texts.keep(double_to_text(member->score, style, room)));
    words.push_back(member->member);
  }
  write_groups(out, "ZADD", key, words, 2, most_items(out.target()));
  write_groups(out, "ZREM", key, plan.removed, 1, most_items(out.target()));
}

// Fields of one expiry share a command.
void write_field_expiries(CommandWriter& out, Bytes key, std::span<const HashField* const> fields) {
  const int64_t latest = latest_field_expiry(out.target());
  while (!fields.empty()) {
    const int64_t at_ms = fields.front()->expire_at_ms;
    size_t bytes = key.size();
    size_t count = 0;
    for (; count < std::min(fields.size(), kCommandItemsMax); ++count) {
      bytes += fields[count]->field.size();
      if (fields[count]->expire_at_ms != at_ms || (count > 0 && bytes > kCommandBytesMax)) break;
    }
    out.begin(5 + count);
    out.arg("HPEXPIREAT");
    out.arg(key);
    out.arg_number(std::min(at_ms, latest));
    out.arg("FIELDS");
    out.arg_number(count);
    for (const HashField* field : fields.first(count)) out.arg(field->field);
    fields = fields.subspan(count);
  }
}

void write_field_changes(CommandWriter& out, Bytes key, const Value& from, const Value& to) {
  const Target& target = out.target();
  const FieldPlan plan = plan_fields(from, to, latest_field_expiry(target) != kNoExpiry);
  // Which always took many, unlike HSET.
  write_groups(out, "HMSET", key, plan.members.put, 2, kCommandItemsMax);
  write_groups(out, "HDEL", key, plan.members.removed, 1, most_items(target));
  write_field_expiries(out, key, plan.expiring);
}

void write_list_changes(CommandWriter& out, Bytes key, const Value& from, const Value& to) {
  const ListPlan plan = plan_list(from, to);
  const std::span<const Bytes> items = to.items;
  const size_t most = most_items(out.target());
  for (const size_t index : plan.changed) {
    char room[kDecimalMax];
    out.command({"LSET", key, to_decimal(index, room), items[index]});
  }
  // The first word comes to the front first, and so ends up behind the others.
  std::vector<Bytes> front(items.begin(), items.begin() + static_cast<ptrdiff_t>(plan.pushed_front));
  std::ranges::reverse(front);
  write_groups(out, "LPUSH", key, front, 1, most);
  write_groups(out, "RPUSH", key, items.last(plan.pushed_back), 1, most);
  if (plan.cut_front + plan.cut_back == 0) return;
  char first[kDecimalMax];
  char last[kDecimalMax];
  out.command({"LTRIM", key, to_decimal(plan.cut_front, first),
               to_decimal(-1 - static_cast<int64_t>(plan.cut_back), last)});
}

// --- The types --------------------------------------------------------------------------------------------

bool is_worth_it(size_t words, size_t words_anew) { return words < kDelWords + kNameAndKey + words_anew; }

bool list_change_pays(const Value& from, const Value& to) {
  return is_worth_it(plan_list(from, to).words(), to.items.size());
}

bool set_change_pays(const Value& from, const Value& to) {
  return is_worth_it(plan_set(from, to).words(), to.items.size());
}

bool score_change_pays(const Value& from, const Value& to) {
  const ScorePlan plan = plan_scores(from, to);
  return plan.possible && is_worth_it(plan.words(), 2 * to.members.size());
}

bool field_change_pays(const Value& from, const Value& to) {
  const auto expiring = static_cast<size_t>(std::ranges::count_if(
      to.fields, [](const HashField& field) { return field.expire_at_ms != kNoExpiry; }));
  return is_worth_it(plan_fields(from, to, true).words(),
                     2 * to.fields.size() + FieldPlan::kExpiryWords * expiring);
}

struct InPlaceRow {
  bool (*pays)(const Value& from, const Value& to) = nullptr;
  void (*write)(CommandWriter& out, Bytes key, const Value& from, const Value& to) = nullptr;
};

// In the order of ValueType: strings, streams, arrays and what modules have are made anew.
constexpr InPlaceRow kInPlace[] = {{},
                                   {list_change_pays, write_list_changes},
                                   {set_change_pays, write_set_changes},
                                   {score_change_pays, write_score_changes},
                                   {field_change_pays, write_field_changes},
                                   {},
                                   {},
                                   {}};

const InPlaceRow& row_of(const Value& value) { return kInPlace[static_cast<size_t>(value.type)]; }

}  // namespace

bool changes_in_place(const Value& from, const Value& to) {
  const InPlaceRow& row = row_of(to);
  return row.pays != nullptr && !from.is_void() && !to.is_void() && row.pays(from, to);
}

void write_changes(CommandWriter& out, const RdbEntry& entry, const Value& from, const Value& to) {
  row_of(to).write(out, entry.key, from, to);
}

}  // namespace persist
