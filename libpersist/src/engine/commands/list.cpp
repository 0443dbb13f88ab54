// Handlers of lists. Those that block find something at once or do nothing: nobody waits while a log is
// loaded, nor in a script.
#include <cmath>
#include <vector>

#include "engine/commands/arguments.hpp"
#include "engine/commands/table.hpp"

namespace persist {

namespace {

constexpr const char* kListNotPositive = "ERR value is out of range, must be positive";
constexpr const char* kBelowLowest =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();

enum class End : uint8_t { head, tail };

std::optional<End> parse_end(Bytes word) {
  if (is_word(word, "left")) return End::head;
  if (is_word(word, "right")) return End::tail;
  return std::nullopt;
}

void push(List& list, End end, Bytes item) {
  if (end == End::head)
    list.push_front(item);
  else
    list.push_back(item);
}

void answer_and_pop(const Call& call, List& list, End end) {
  if (call.has_listener()) {
    CellRoom room;
    call.answer_text(end == End::head ? list.front(room) : list.back(room));
  }
  if (end == End::head)
    list.pop_front();
  else
    list.pop_back();
}

void answer_and_pop_many(const Call& call, List& list, End end, uint64_t count) {
  count = std::min<uint64_t>(count, list.size());
  call.answer_array(count);
  for (; count > 0; --count) answer_and_pop(call, list, end);
}

// ------------------------------------------------------------------------------------- pushing and popping

Effect push_all(Call& call, const Found<List>& list, End end) {
  if (list.wrong_type()) return call.wrong_type();
  if (!list) return call.done(0, false);
  for (const Bytes item : call.args.subspan(2)) push(*list.value, end, item);
  return call.done(static_cast<int64_t>(list->size()), true);
}
Effect run_lpush(Call& call) { return push_all(call, call.find_or_make<List>(call.args[1]), End::head); }
Effect run_rpush(Call& call) { return push_all(call, call.find_or_make<List>(call.args[1]), End::tail); }
Effect run_lpushx(Call& call) { return push_all(call, call.find_as<List>(call.args[1]), End::head); }
Effect run_rpushx(Call& call) { return push_all(call, call.find_as<List>(call.args[1]), End::tail); }

Effect pop(Call& call, End end, const char* wrong_arity) {
  if (call.args.size() > 3) return call.fail(wrong_arity);
  std::optional<int64_t> count;
  if (call.args.size() == 3) {
    count = integer_argument(call, call.args[2]);
    if (!count || *count < 0) return call.fail(kListNotPositive);
  }
  const Found<List> list = call.find_as<List>(call.args[1]);
  if (list.wrong_type()) return call.wrong_type();
  if (!list) {
    call.answer_nil();
    return Effect::unchanged;
  }
  if (count)
    answer_and_pop_many(call, *list.value, end, static_cast<uint64_t>(*count));
  else
    answer_and_pop(call, *list.value, end);
  call.drop_if_empty(list);
  return count == 0 ? Effect::unchanged : Effect::changed;
}
Effect run_lpop(Call& call) {
  return pop(call, End::head, "ERR wrong number of arguments for 'lpop' command");
}
Effect run_rpop(Call& call) {
  return pop(call, End::tail, "ERR wrong number of arguments for 'rpop' command");
}

// Takes items from the first of the lists that has any: `count` as an array of their own, or if absent, one.
Effect pop_from_first(Call& call, std::span<const Bytes> keys, End end, std::optional<uint64_t> count) {
  for (const Bytes key : keys) {
    const Found<List> list = call.find_as<List>(key);
    if (list.wrong_type()) return call.wrong_type();
    if (!list) continue;
    call.answer_array(2);
    call.answer_text(key);
    if (count)
      answer_and_pop_many(call, *list.value, end, *count);
    else
      answer_and_pop(call, *list.value, end);
    call.drop_if_empty(list);
    return Effect::changed;
  }
  call.answer_nil();
  return Effect::unchanged;
}

Effect pop_blocking(Call& call, End end) {
  if (!accept_timeout(call, call.args.back())) return Effect::failed;
  return pop_from_first(call, call.args.subspan(1, call.args.size() - 2), end, std::nullopt);
}
Effect run_blpop(Call& call) { return pop_blocking(call, End::head); }
Effect run_brpop(Call& call) { return pop_blocking(call, End::tail); }

// [B]LMPOP: behind args[at], the number of keys, stand these, which end, and COUNT.
Effect pop_multiple(Call& call, size_t at, bool blocking) {
  const std::span<const Bytes> args = call.args;
  const std::optional<int64_t> keys = integer_argument(call, args[at]);
  if (!keys || *keys < 1) return call.fail("ERR numkeys should be greater than 0");
  if (static_cast<uint64_t>(*keys) >= args.size() - at - 1) return call.fail(kSyntax);
  const std::span<const Bytes> behind = args.subspan(at + 1 + static_cast<size_t>(*keys));
  const std::optional<End> end = parse_end(behind[0]);
  if (!end) return call.fail(kSyntax);
  int64_t count = 1;
  if (behind.size() > 1) {
    if (behind.size() == 2 || !is_word(behind[1], "count")) return call.fail(kSyntax);
    const std::optional<int64_t> given = integer_argument(call, behind[2]);
    if (!given || *given < 1) return call.fail("ERR count should be greater than 0");
    if (behind.size() > 3) return call.fail(kSyntax);
    count = *given;
  }
  if (blocking && !accept_timeout(call, args[1])) return Effect::failed;
  return pop_from_first(call, args.subspan(at + 1, static_cast<size_t>(*keys)), *end,
                        static_cast<uint64_t>(count));
}
Effect run_lmpop(Call& call) { return pop_multiple(call, 1, false); }
Effect run_blmpop(Call& call) { return pop_multiple(call, 2, true); }

// -------------------------------------------------------------------------------- from one list to another

Effect move_item(Call& call, End from, End to) {
  const Found<List> source = call.find_as<List>(call.args[1]);
  if (source.wrong_type()) return call.wrong_type();
  if (!source) {
    call.answer_nil();
    return Effect::unchanged;
  }
  const Found<List> target = call.args[1] == call.args[2] ? source : call.find_or_make<List>(call.args[2]);
  if (target.wrong_type()) return call.wrong_type();
  CellRoom room;
  push(*target.value, to, from == End::head ? source->front(room) : source->back(room));
  answer_and_pop(call, *source.value, from);
  call.drop_if_empty(source);
  return Effect::changed;
}

Effect run_rpoplpush(Call& call) { return move_item(call, End::tail, End::head); }

Effect run_brpoplpush(Call& call) {
  return accept_timeout(call, call.args[3]) ? move_item(call, End::tail, End::head) : Effect::failed;
}

Effect run_lmove(Call& call) {
  const std::optional<End> from = parse_end(call.args[3]);
  const std::optional<End> to = parse_end(call.args[4]);
  if (!from || !to) return call.fail(kSyntax);
  return move_item(call, *from, *to);
}

Effect run_blmove(Call& call) {
  const std::optional<End> from = parse_end(call.args[3]);
  const std::optional<End> to = parse_end(call.args[4]);
  if (!from || !to) return call.fail(kSyntax);
  return accept_timeout(call, call.args[5]) ? move_item(call, *from, *to) : Effect::failed;
}

// ------------------------------------------------------------------------------------------ changing inside

Effect run_lset(Call& call) {
  const Found<List> list = call.find_as<List>(call.args[1]);
  if (list.wrong_type()) return call.wrong_type();
  if (!list) return call.fail(kNoSuchKey);
  std::optional<int64_t> index = integer_argument(call, call.args[2]);
  if (!index) return call.fail(kNotInteger);
  // Since 7.2 the servers look at 32 bits only of where to put it.
  if (!call.profile.is_before(702)) index = static_cast<int32_t>(*index);
  const std::optional<size_t> place = index_place(*index, list->size());
  if (!place) return call.fail(kIndexRange);
  list->set(*place, call.args[3]);
  return call.done_ok();
}

Effect run_ltrim(Call& call) {
  const std::optional<int64_t> start = integer_argument(call, call.args[2]);
  const std::optional<int64_t> stop = integer_argument(call, call.args[3]);
  if (!start || !stop) return call.fail(kNotInteger);
  const Found<List> list = call.find_as<List>(call.args[1]);
  if (list.wrong_type()) return call.wrong_type();
  call.answer_ok();
  if (!list) return Effect::unchanged;
  const IndexRange kept = index_range(*start, *stop, list->size());
  const bool counts_always = call.profile.is_before(602);
  const bool removes = kept.count < list->size();
  if (removes) list->keep(kept.from, kept.count);
  call.drop_if_empty(list);
  return removes || counts_always ? Effect::changed : Effect::unchanged;
}

Effect run_lrem(Call& call) {
  const std::optional<int64_t> count = integer_argument(call, call.args[2]);
  if (!count) return call.fail(kNotInteger);
  if (*count == kLowest && (call.profile.is_redis(704) || call.profile.is_valkey(800)))
    return call.fail(kBelowLowest);
  const Found<List> list = call.find_as<List>(call.args[1]);
  if (list.wrong_type()) return call.wrong_type();
  if (!list) return call.done(0, false);
  const bool removes_all = *count == 0 || *count == kLowest;
  const size_t most = removes_all ? list->size() : static_cast<size_t>(std::abs(*count));
  const size_t removed = list->remove(call.args[3], most, *count < 0);
  call.drop_if_empty(list);
  return call.done(static_cast<int64_t>(removed), removed > 0);
}

std::optional<size_t> find_item(const List& list, Bytes item) {
  const SoughtText sought(item);
  for (size_t i = 0; i < list.size(); ++i)
    if (list.is_at(i, sought)) return i;
  return std::nullopt;
}

Effect run_linsert(Call& call) {
  const bool behind = is_word(call.args[2], "after");
  if (!behind && !is_word(call.args[2], "before")) return call.fail(kSyntax);
  const Found<List> list = call.find_as<List>(call.args[1]);
  if (list.wrong_type()) return call.wrong_type();
  if (!list) return call.done(0, false);
  const std::optional<size_t> pivot = find_item(*list.value, call.args[3]);
  if (!pivot) return call.done(-1, false);
  list->insert(*pivot + (behind ? 1 : 0), call.args[4]);
  return call.done(static_cast<int64_t>(list->size()), true);
}

// -------------------------------------------------------------------------------------------------- reading

Effect run_llen(Call& call) {
  const Found<List> list = call.find_as<List>(call.args[1]);
  if (list.wrong_type()) return call.wrong_type();
  return call.done(list ? static_cast<int64_t>(list->size()) : 0, false);
}

Effect run_lindex(Call& call) {
  const Found<List> list = call.find_as<List>(call.args[1]);
  if (list.wrong_type()) return call.wrong_type();
  std::optional<size_t> place;
  if (list) {
    const std::optional<int64_t> index = integer_argument(call, call.args[2]);
    if (!index) return call.fail(kNotInteger);
    place = index_place(*index, list->size());
  }
  CellRoom room;
  if (place)
    call.answer_text(list->at(*place, room));
  else
    call.answer_nil();
  return Effect::unchanged;
}

Effect run_lrange(Call& call) {
  const std::optional<int64_t> start = integer_argument(call, call.args[2]);
  const std::optional<int64_t> stop = integer_argument(call, call.args[3]);
  if (!start || !stop) return call.fail(kNotInteger);
  const Found<List> list = call.find_as<List>(call.args[1]);
  if (list.wrong_type()) return call.wrong_type();
  if (!call.has_listener()) return Effect::unchanged;
  const IndexRange range = list ? index_range(*start, *stop, list->size()) : IndexRange{};
  call.answer_array(range.count);
  CellRoom room;
  for (size_t i = 0; i < range.count; ++i) call.answer_text(list->at(range.from + i, room));
  return Effect::unchanged;
}

struct PosOptions {
  uint64_t rank = 1;
  bool from_tail = false;
  std::optional<uint64_t> count;  // 0: all
  uint64_t length_max = 0;        // 0: look at all
  bool is_endless = false;        // whatever the count
};

// Null, or what is wrong.
const char* parse_pos_options(const Call& call, PosOptions& options) {
  const std::span<const Bytes> words = call.args.subspan(3);
  for (size_t i = 0; i < words.size(); i += 2) {
    if (i + 1 == words.size()) return kSyntax;
    const std::optional<int64_t> number = integer_argument(call, words[i + 1]);
    if (is_word(words[i], "rank")) {
      if (!number) return kNotInteger;
      if (*number == 0) {
        return "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
               "or use negative to start from the end of the list";
      }
      // Up to 7.0 the lowest number cannot be turned around, and is a rank below the first.
      if (*number == kLowest && !call.profile.is_before(702)) return kBelowLowest;
      options.from_tail = *number < 0;
      options.is_endless = *number == kLowest;
      options.rank = options.is_endless ? 1 : static_cast<uint64_t>(std::abs(*number));
    } else if (is_word(words[i], "count")) {
      if (!number || *number < 0) return "ERR COUNT can't be negative";
      options.count = static_cast<uint64_t>(*number);
    } else if (is_word(words[i], "maxlen")) {
      if (!number || *number < 0) return "ERR MAXLEN can't be negative";
      options.length_max = static_cast<uint64_t>(*number);
    } else {
      return kSyntax;
    }
  }
  return nullptr;
}

std::vector<size_t> find_positions(const List& list, Bytes item, const PosOptions& options) {
  const SoughtText sought(item);
  std::vector<size_t> found;
  const uint64_t wanted = options.is_endless && options.count ? 0 : options.count.value_or(1);
  uint64_t before = options.rank - 1;
  const uint64_t looked_at =
      options.length_max == 0 ? list.size() : std::min<uint64_t>(options.length_max, list.size());
  for (size_t i = 0; i < looked_at; ++i) {
    const size_t index = options.from_tail ? list.size() - 1 - i : i;
    if (!list.is_at(index, sought)) continue;
    if (before > 0) {
      --before;
      continue;
    }
    found.push_back(index);
    if (found.size() == wanted) break;
  }
  return found;
}

Effect run_lpos(Call& call) {
  PosOptions options;
  if (const char* wrong = parse_pos_options(call, options)) return call.fail(wrong);
  const Found<List> list = call.find_as<List>(call.args[1]);
  if (list.wrong_type()) return call.wrong_type();
  std::vector<size_t> found;
  if (list) found = find_positions(*list.value, call.args[2], options);
  if (options.count)
    call.answer_array(found.size());
  else if (found.empty())
    call.answer_nil();
  for (const size_t index : found) call.answer_count(index);
  return Effect::unchanged;
}

constexpr CommandHandler kListHandlers[] = {
    {"blmove", run_blmove},
    {"blmpop", run_blmpop},
    {"blpop", run_blpop},
    {"brpop", run_brpop},
    {"brpoplpush", run_brpoplpush},
    {"lindex", run_lindex},
    {"linsert", run_linsert},
    {"llen", run_llen},
    {"lmove", run_lmove},
    {"lmpop", run_lmpop},
    {"lpop", run_lpop},
    {"lpos", run_lpos},
    {"lpush", run_lpush},
    {"lpushx", run_lpushx},
    {"lrange", run_lrange},
    {"lrem", run_lrem},
    {"lset", run_lset},
    {"ltrim", run_ltrim},
    {"rpop", run_rpop},
    {"rpoplpush", run_rpoplpush},
    {"rpush", run_rpush},
    {"rpushx", run_rpushx},
};

}  // namespace

std::span<const CommandHandler> list_commands() { return kListHandlers; }

}  // namespace persist
