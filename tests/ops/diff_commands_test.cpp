// Commands that turn one value into another: which, for whom, and that a server which runs them has the other
// value then, with the expiry that it had all the while.
#include "ops/diff_commands.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "support/command_texts.hpp"
#include "support/engine_calls.hpp"
#include "support/values.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr Bytes kMadeAnew = "made anew";

// "a b" of a list or a set, "a:1 b:-0" of a sorted set, "a=1 b=2@5" of a hash; in the order of
// compare_values().
void set_value(Value& value, ValueType type, Bytes text) {
  value.begin(type);
  for (const std::string& word : test::words_of(text)) {
    const size_t colon = word.find(':');
    const size_t equals = word.find('=');
    const size_t at = word.find('@');
    if (type == ValueType::string) value.add(StringValue{word});
    if (type == ValueType::list) value.add(ListItem{word});
    if (type == ValueType::set) value.add(SetMember{word});
    if (type == ValueType::zset)
      value.add(SortedSetMember{word.substr(0, colon), std::stod(word.substr(colon + 1))});
    if (type == ValueType::hash) {
      value.add(HashField{word.substr(0, equals), word.substr(equals + 1, at - equals - 1),
                          at == std::string::npos ? kNoExpiry : std::stoll(word.substr(at + 1))});
    }
  }
}

// As compare_values() leaves them.
void order_by_names(Value& value) {
  if (value.type == ValueType::set) std::ranges::sort(value.items);
  std::ranges::sort(value.members, {}, &SortedSetMember::member);
  std::ranges::sort(value.fields, {}, &HashField::field);
}

std::string change_bytes(Bytes target, const Value& from, const Value& to) {
  RdbEntry entry;
  entry.key = "k";
  entry.expire_at_ms = 77;  // which is none of write_changes()'s business
  ByteBuffer out;
  CommandWriter writer(out, target_named(target));
  write_changes(writer, entry, from, to);
  return std::string(out.bytes());
}

std::string changes_of(Bytes target, const Value& from, const Value& to) {
  if (!changes_in_place(from, to)) return std::string(kMadeAnew);
  return one_line(change_bytes(target, from, to));
}

// How many arguments each command has.
std::string sizes_of(Bytes log) {
  std::string sizes;
  for (const auto& command : commands_in(log))
    sizes += (sizes.empty() ? "" : " ") + std::to_string(command.size());
  return sizes;
}

struct ChangeRow {
  std::vector<Bytes> targets;
  ValueType type;
  Bytes from;
  Bytes to;
  Bytes commands;
};

void check_change_rows(std::initializer_list<ChangeRow> rows) {
  for (const ChangeRow& row : rows) {
    Value from, to;
    set_value(from, row.type, row.from);
    set_value(to, row.type, row.to);
    for (const Bytes target : row.targets) {
      CAPTURE(target);
      CAPTURE(row.from);
      CAPTURE(row.to);
      CHECK(changes_of(target, from, to) == row.commands);
    }
  }
}

}  // namespace

TEST_CASE("members of a set that come and go") {
  using enum ValueType;
  check_change_rows({
      {{"redis-2.4", "redis-7.0", "valkey-9.0"}, set, "a b c d", "b c d e f", "SADD k e f | SREM k a"},
      {{"redis-2.0"}, set, "a b c d x y", "c d e x y", "SADD k e | SREM k a | SREM k b"},
      {{"redis-7.0"}, set, "a b", "a b", ""},
      {{"redis-7.0"}, set, "a", "b", kMadeAnew},
      {{"redis-7.0"}, set, "a b c d e", "d e", "SREM k a b c"},
      {{"redis-7.0"}, set, "a b c d e", "e", kMadeAnew},
      // One half of it, and one less.
      {{"redis-7.0"}, set, "a b c d", "a b y z", kMadeAnew},
      {{"redis-7.0"}, set, "a b c d e", "a b c y z", "SADD k y z | SREM k d e"},
      // Twice in a damaged file.
      {{"redis-7.0"}, set, "a a b c c", "a b c c", ""},
      {{"redis-7.0"}, set, "a a b b c", "b c", "SREM k a"},
  });
}

TEST_CASE("members and scores of a sorted set that change") {
  using enum ValueType;
  check_change_rows({
      {{"redis-2.0"},
       zset,
       "a:1 b:2 c:3",
       "a:1 b:0.1 d:4",
       "ZADD k 0.10000000000000001 b | ZADD k 4 d | ZREM k c"},
      {{"redis-7.0"}, zset, "a:1 b:2 c:3", "a:1 b:0.1 d:4", "ZADD k 0.10000000000000001 b 4 d | ZREM k c"},
      {{"redis-7.2", "valkey-7.2"}, zset, "a:1 b:2 c:3", "a:1 b:0.1 d:4", "ZADD k 0.1 b 4 d | ZREM k c"},
      {{"redis-7.0"}, zset, "a:1 b:2", "a:1 b:2 c:-0 d:-inf", "ZADD k -0 c -inf d"},
      {{"redis-7.0"}, zset, "a:-0 b:2", "a:1 b:2", "ZADD k 1 a"},
      // A server would keep the zero that it has.
      {{"redis-7.0"}, zset, "a:0 b:2 c:3", "a:-0 b:2 c:3", kMadeAnew},
      {{"redis-7.0"}, zset, "a:-0 b:2 c:3", "a:0 b:2 c:3", kMadeAnew},
      {{"redis-7.0"}, zset, "a:-0 b:2 c:3", "a:-0 b:2 c:4", "ZADD k 4 c"},
      {{"redis-7.0"}, zset, "a:1 b:2 c:nan", "a:1 b:3 c:nan", "ZADD k 3 b"},
      {{"redis-7.0"}, zset, "a:1 b:2 c:3", "a:1 b:2 c:nan", kMadeAnew},
      {{"redis-7.0"}, zset, "a:1 b:2 c:3", "a:1 b:2 c:3 d:nan", kMadeAnew},
      {{"redis-7.0"}, zset, "a:1 b:2 c:nan", "a:1 b:2 c:3", "ZADD k 3 c"},
  });
}

TEST_CASE("fields, values and expiries of a hash that change") {
  using enum ValueType;
  check_change_rows({
      {{"redis-2.0"},
       hash,
       "a=1 b=2 c=3 d=4 x=6",
       "b=2 c=4 e=5 x=6",
       "HMSET k c 4 e 5 | HDEL k a | HDEL k d"},
      {{"redis-2.4", "redis-7.0", "redis-7.4", "valkey-9.0"},
       hash,
       "a=1 b=2 c=3 d=4 x=6",
       "b=2 c=4 e=5 x=6",
       "HMSET k c 4 e 5 | HDEL k a d"},
      {{"redis-7.0"}, hash, "a=1", "a=2", "HMSET k a 2"},
      {{"redis-7.0"}, hash, "a=1 b=2", "a=2 c=3", kMadeAnew},
      // An expiry that comes, goes, changes, stays, stays on another value.
      {{"redis-7.4", "valkey-9.0"}, hash, "a=1 b=2", "a=1@5 b=2", "HPEXPIREAT k 5 FIELDS 1 a"},
      {{"redis-7.4", "valkey-9.0"}, hash, "a=1@5 b=2", "a=1 b=2", "HMSET k a 1"},
      {{"redis-7.4", "valkey-9.0"},
       hash,
       "a=1@5 b=2 c=3",
       "a=1@6 b=2 c=3",
       "HMSET k a 1 | HPEXPIREAT k 6 FIELDS 1 a"},
      {{"redis-7.4", "valkey-9.0"}, hash, "a=1@5 b=2", "a=1@5 b=3", "HMSET k b 3"},
      {{"redis-7.4", "valkey-9.0"},
       hash,
       "a=1@5 b=2 c=3",
       "a=2@5 b=2 c=3",
       "HMSET k a 2 | HPEXPIREAT k 5 FIELDS 1 a"},
      {{"redis-7.4", "valkey-9.0"},
       hash,
       "a=1 b=2 c=3 d=4 e=5 x=6",
       "a=1@5 b=2@7 c=3@5 d=4 e=5 y=7",
       "HMSET k y 7 | HDEL k x | HPEXPIREAT k 5 FIELDS 2 a c | HPEXPIREAT k 7 FIELDS 1 b"},
      {{"redis-7.2", "valkey-8.1"}, hash, "a=1@5 b=2", "a=1@6 b=3", "HMSET k b 3"},
      {{"redis-7.4"}, hash, "a=1", "a=1@70368744177664", "HPEXPIREAT k 70368744177663 FIELDS 1 a"},
      {{"valkey-9.0"}, hash, "a=1", "a=1@70368744177664", "HPEXPIREAT k 70368744177664 FIELDS 1 a"},
  });
}

TEST_CASE("items of a list that change") {
  using enum ValueType;
  check_change_rows({
      {{"redis-7.0"}, list, "a b", "a b c d", "RPUSH k c d"},
      {{"redis-2.0"}, list, "a b", "a b c d", "RPUSH k c | RPUSH k d"},
      {{"redis-7.0"}, list, "a b", "c d a b", "LPUSH k d c"},
      {{"redis-2.0"}, list, "a b", "c d a b", "LPUSH k d | LPUSH k c"},
      {{"redis-7.0"}, list, "a b c d e", "c d e f", "RPUSH k f | LTRIM k 2 -1"},
      {{"redis-7.0"}, list, "a b c d e", "x a b c", "LPUSH k x | LTRIM k 0 -3"},
      {{"redis-7.0"}, list, "a b c", "b c", "LTRIM k 1 -1"},
      {{"redis-7.0"}, list, "a b c", "a b", "LTRIM k 0 -2"},
      {{"redis-7.0"}, list, "a a a", "a", "LTRIM k 2 -1"},
      {{"redis-7.0"}, list, "a b c d", "a x c d", "LSET k 1 x"},
      {{"redis-7.0"}, list, "a b c d e f", "y b c d e x", "LSET k 0 y | LSET k 5 x"},
      {{"redis-7.0"}, list, "a b c", "x y z", kMadeAnew},
      {{"redis-7.0"}, list, "a b c d", "d c b a", kMadeAnew},
      {{"redis-7.0"}, list, "a b a b a c", "b a c a b", "RPUSH k a b | LTRIM k 3 -1"},
      {{"redis-7.0"}, list, "a b", "a b", ""},
      {{"redis-7.0"}, list, "a", "", kMadeAnew},
      {{"redis-7.0"}, list, "", "a", kMadeAnew},
  });
}

TEST_CASE("what is never changed in its place") {
  using enum ValueType;
  check_change_rows({
      {{"redis-7.0"}, set, "", "", kMadeAnew},
      {{"redis-7.0"}, string, "a", "ab", kMadeAnew},
      {{"redis-7.0"}, string, "a", "a", kMadeAnew},
      {{"redis-7.0"}, stream, "", "", kMadeAnew},
      {{"redis-7.0"}, module, "", "", kMadeAnew},
      {{"redis-8.8"}, array, "", "", kMadeAnew},
  });
}

TEST_CASE("so many members, pairs and fields to a command") {
  struct Row {
    size_t come;
    size_t go;
    Bytes plain;   // SADD and SREM
    Bytes pairs;   // ZADD and ZREM, HMSET and HDEL
    Bytes expiry;  // HPEXPIREAT of so many
  };
  const Row rows[] = {{1, 0, "3", "4", "6"},
                      {64, 64, "66 66", "130 66", "69"},
                      {65, 65, "66 3 66 3", "130 4 66 3", "69 6"},
                      {129, 63, "66 66 3 65", "130 130 4 65", "69 69 6"}};
  for (const Row& row : rows) {
    CAPTURE(row.come);
    Value sets[2], zsets[2], hashes[2], expiring[2];
    for (const size_t side : {0U, 1U}) {
      sets[side].begin(ValueType::set);
      zsets[side].begin(ValueType::zset);
      hashes[side].begin(ValueType::hash);
      expiring[side].begin(ValueType::hash);
      const size_t changing = side == 0 ? row.go : row.come;
      for (size_t i = 0; i < 1000 + changing; ++i) {
        const std::string name = (i < 1000 ? "a" : side == 0 ? "b" : "c") + std::to_string(i);
        sets[side].add(SetMember{name});
        zsets[side].add(SortedSetMember{name, 1});
        hashes[side].add(HashField{name, name});
        if (i < 1000) expiring[side].add(HashField{name, name, side == 1 && i < row.come ? 5 : kNoExpiry});
      }
      for (Value* value : {&sets[side], &zsets[side], &hashes[side], &expiring[side]}) order_by_names(*value);
    }
    REQUIRE(changes_in_place(sets[0], sets[1]));
    CHECK(sizes_of(change_bytes("redis-7.0", sets[0], sets[1])) == row.plain);
    CHECK(sizes_of(change_bytes("redis-7.0", zsets[0], zsets[1])) == row.pairs);
    CHECK(sizes_of(change_bytes("redis-7.0", hashes[0], hashes[1])) == row.pairs);
    CHECK(sizes_of(change_bytes("redis-7.4", expiring[0], expiring[1])) == row.expiry);
  }
}

TEST_CASE("as many items of a list change as come into a command") {
  const auto change = [](size_t changed) {
    Value from, to;
    from.begin(ValueType::list);
    to.begin(ValueType::list);
    for (size_t i = 0; i < 1000; ++i) {
      from.add(ListItem{std::to_string(i)});
      to.add(ListItem{std::to_string(i % 10 == 0 && i < 10 * changed ? i + 5000 : i)});
    }
    return changes_in_place(from, to);
  };
  CHECK(change(64));
  CHECK_FALSE(change(65));
}

TEST_CASE("what is large comes alone") {
  const std::string half(kCommandBytesMax / 2, 'x');
  const std::string other(kCommandBytesMax / 2, 'y');
  Value from, to;
  from.begin(ValueType::set);
  to.begin(ValueType::set);
  from.items = {"a", "b", "c", "d", "e"};
  to.items = {"a", "b", "c", "d", "e", half, other};
  CHECK(sizes_of(change_bytes("redis-7.0", from, to)) == "3 3");
  to.items.back() = Bytes(other).substr(5);  // SADD and k
  CHECK(sizes_of(change_bytes("redis-7.0", from, to)) == "4");
}

namespace {

// Pairs of values that have something in common.
class PairMaker {
 public:
  explicit PairMaker(unsigned seed) : random_(seed) {}

  size_t below(size_t bound) { return std::uniform_int_distribution<size_t>(0, bound - 1)(random_); }

  void make(ValueType type, bool with_expiries, Value& from, Value& to) {
    from.begin(type);
    to.begin(type);
    if (type == ValueType::list) return make_lists(from, to);
    const size_t size = 1 + below(below(5) == 0 ? 400 : 12);
    const size_t chance = 1 + below(12);         // one in so many changes
    const size_t kinds = below(5) == 0 ? 2 : 4;  // goes, comes, changes, stays
    for (size_t i = 0; i < size; ++i) {
      const std::string name = std::to_string(i) + ':' + text();
      const size_t kind = kinds == 2 || below(chance) == 0 ? below(kinds) : 3;
      if (kind != 0 || i == 0) add(from, name, false, with_expiries);
      if (kind != 1 || i == 0) add(to, name, kind == 2, with_expiries);
    }
    order_by_names(from);
    order_by_names(to);
  }

 private:
  std::string text() {
    std::string made(below(6) == 0 ? below(200) : below(6), '\0');
    for (char& c : made) c = static_cast<char>(below(256));
    return made;
  }

  // The same from the same name, unless it is to be another.
  void add(Value& value, const std::string& name, bool other, bool with_expiries) {
    const size_t number = std::hash<std::string>()(name) % 1000 + (other ? 1000 + below(50) : 0);
    if (value.type == ValueType::set) value.add(SetMember{name});
    if (value.type == ValueType::zset)
      value.add(SortedSetMember{name, static_cast<double>(number) / 7 + 0.5});
    if (value.type == ValueType::hash) {
      const bool expires = with_expiries && (other ? below(2) : number % 2) == 0;
      const auto at_ms = static_cast<int64_t>(other ? below(4) : number % 4) + 100;
      const bool same_value = other && below(2) == 0;
      value.add(
          HashField{name, std::to_string(same_value ? number % 1000 : number), expires ? at_ms : kNoExpiry});
    }
  }

  void make_lists(Value& from, Value& to) {
    std::vector<std::string> items(1 + below(below(4) == 0 ? 300 : 12));
    for (std::string& item : items)
      item = below(3) == 0 ? text() : std::string(1, static_cast<char>('a' + below(3)));
    const size_t cut_front = below(3) == 0 ? below(items.size()) : 0;
    const size_t cut_back = below(3) == 0 ? below(items.size() - cut_front) : 0;
    for (const std::string& item : items) from.add(ListItem{item});
    if (below(3) == 0) to.add(ListItem{text()});
    for (size_t i = cut_front; i < items.size() - cut_back; ++i)
      to.add(ListItem{below(40) == 0 ? text() : items[i]});
    for (size_t more = below(3) == 0 ? below(100) : 0; more > 0; --more) to.add(ListItem{text()});
  }

  std::mt19937 random_;
};

struct ReplayTally {
  size_t changed = 0;
  size_t anew = 0;
};

// The key is there behind each command, with the expiry that it had.
void check_pair(EngineCalls& calls, const Target& target, const Value& from, const Value& to,
                ReplayTally& tally) {
  if (!changes_in_place(from, to)) {
    ++tally.anew;
    return;
  }
  ++tally.changed;
  RdbEntry entry;
  entry.key = "k";
  entry.expire_at_ms = 5000;
  ByteBuffer out;
  CommandWriter writer(out, target);
  writer.del(entry.key);
  writer.entry(entry, from);
  for (const auto& command : commands_in(out.bytes())) calls.run_words(command);
  REQUIRE(calls.show("k").starts_with("@5000 "));

  out.clear();
  entry.expire_at_ms = 9000;
  write_changes(writer, entry, from, to);
  size_t words = 0;
  for (const auto& command : commands_in(out.bytes())) {
    CAPTURE(command.front());
    calls.run_words(command);
    REQUIRE(calls.effect() == Effect::changed);
    REQUIRE(calls.show("k").starts_with("@5000 "));
    words += command.size();
  }
  out.clear();
  writer.expiry(entry);
  for (const auto& command : commands_in(out.bytes())) calls.run_words(command);
  Value shown;
  shown.begin(to.type);
  to.tell([&](const Element& element) { shown.add(element); });
  shown.sort();
  CHECK(calls.show("k") == "@9000 " + notation_of(shown));

  out.clear();
  writer.del(entry.key);
  entry.expire_at_ms = kNoExpiry;
  writer.entry(entry, to);
  size_t words_anew = 0;
  for (const auto& command : commands_in(out.bytes())) words_anew += command.size();
  CHECK((target.release < 204 || words <= words_anew + 8));
}

}  // namespace

TEST_CASE("a server that runs the changes has the other value, and had a value all the while") {
  unsigned seed = 1;
  for (const Bytes name : {"redis-2.2", "redis-2.4", "redis-7.0", "redis-7.4", "valkey-9.0"}) {
    CAPTURE(name);
    const Target& target = target_named(name);
    const bool with_expiries = target.release >= (target.family == Dialect::redis ? 704 : 900);
    EngineCalls calls({target.family, target.release});
    PairMaker maker(seed++);
    for (const ValueType type : {ValueType::list, ValueType::set, ValueType::zset, ValueType::hash}) {
      CAPTURE(value_type_name(type));
      ReplayTally tally;
      for (unsigned round = 0; round < 60; ++round) {
        Value from, to;
        maker.make(type, with_expiries, from, to);
        check_pair(calls, target, from, to, tally);
      }
      CHECK(tally.changed >= 10);
      CHECK(tally.anew >= 1);
    }
  }
}

TEST_CASE("a field whose time was over in between is there again") {
  Value from, to;
  set_value(from, ValueType::hash, "a=1 b=2@5 c=3@5 d=4");
  set_value(to, ValueType::hash, "a=1 b=2@9000000000 c=3 d=4");
  for (const Bytes name : {"redis-7.4", "valkey-9.0"}) {
    CAPTURE(name);
    EngineCalls calls({target_named(name).family, target_named(name).release});
    (void)calls.run("HSET k a 1 d 4");
    for (const auto& command : commands_in(change_bytes(name, from, to))) calls.run_words(command);
    CHECK(calls.show("k") == "hash{a=1 b=2@9000000000 c=3 d=4}");
  }
}
