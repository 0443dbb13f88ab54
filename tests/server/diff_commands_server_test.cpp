// A real redis-server that runs the commands which turn one value into another has the other one then, and
// the key lives through it.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "ops/diff_commands.hpp"
#include "server/answers.hpp"
#include "server/facts.hpp"
#include "server/live_server.hpp"

namespace persist::test {

namespace {

constexpr int64_t kFarMs = 9'000'000'000'000;

// What is in one value and what is in another, with much in common.
class ChangeDice {
 public:
  explicit ChangeDice(unsigned seed) : random_(seed) {}

  void throw_values(ValueType type, Value& from, Value& to) {
    from.begin(type);
    to.begin(type);
    const size_t size = 1 + below(below(4) == 0 ? 600 : 15);
    const size_t chance = 1 + below(20);
    if (type == ValueType::list) return throw_lists(size, from, to);
    for (size_t i = 0; i < size; ++i) {
      // No two are the same; some are numbers.
      const std::string name = std::to_string(i) + (below(3) == 0 ? "" : ":" + text());
      const size_t kind = i == 0 || below(chance) > 0 ? 3 : below(4);
      const size_t number = below(50);
      if (kind != 0) add(from, name, number);
      if (kind != 1) add(to, name, kind == 2 ? number + 1 : number);
    }
    for (Value* value : {&from, &to}) {
      if (type == ValueType::set) std::ranges::sort(value->items);
      std::ranges::sort(value->members, {}, &SortedSetMember::member);
      std::ranges::sort(value->fields, {}, &HashField::field);
    }
  }

  size_t below(size_t bound) { return std::uniform_int_distribution<size_t>(0, bound - 1)(random_); }

 private:
  std::string text() {
    std::string made(below(8) == 0 ? below(200) : below(10), '\0');
    for (char& c : made) c = static_cast<char>(below(256));
    return made;
  }

  void throw_lists(size_t size, Value& from, Value& to) {
    std::vector<std::string> items(size);
    for (std::string& item : items) item = below(2) == 0 ? text() : std::to_string(below(3));
    const size_t begin = below(3) == 0 ? below(size) : 0;
    const size_t end = below(3) == 0 ? size - below(size - begin) : size;
    for (const std::string& item : items) from.add(ListItem{item});
    for (size_t more = below(3) == 0 ? below(100) : 0; more > 0; --more) to.add(ListItem{text()});
    const size_t chance = 5 + below(200);
    for (size_t i = begin; i < end; ++i) to.add(ListItem{below(chance) == 0 ? "another" : items[i]});
    for (size_t more = below(3) == 0 ? below(100) : 0; more > 0; --more) to.add(ListItem{text()});
  }

  static void add(Value& value, const std::string& name, size_t number) {
    constexpr double kScores[] = {0.1, 1.0 / 3, -1e300, 5e-324, 1e17, 123456789.123456789};
    if (value.type == ValueType::string) value.text = value.arena.keep(name);
    if (value.type == ValueType::set) value.add(SetMember{name});
    if (value.type == ValueType::hash) value.add(HashField{name, std::to_string(number)});
    if (value.type == ValueType::zset) {
      const double score = number < 25 ? static_cast<double>(number) : kScores[number % std::size(kScores)];
      value.add(SortedSetMember{name, score});
    }
  }

  std::mt19937 random_;
};

// Sends commands; none may fail.
void run_all(Client& client, const ByteBuffer& commands) {
  std::string bytes(commands.bytes());
  bytes += "*2\r\n$4\r\nECHO\r\n$4\r\ndone\r\n";
  client.send(bytes);
  for (Answer answer = read_answer(client); answer.text != "done"; answer = read_answer(client))
    REQUIRE_MESSAGE(answer.kind != '-', answer.text);
}

Words words_in(const Value& value) {
  FactSink sink;
  value.tell([&](const Element& element) { sink.add(element); });
  return sink.take(value.type);
}

struct ChangeTally {
  size_t changed = 0;
  size_t anew = 0;
};

void check_change(Client& client, const Target& target, ChangeDice& dice, ValueType type,
                  ChangeTally& tally) {
  constexpr int64_t kExpiries[] = {kNoExpiry, kFarMs, kFarMs + 1};
  Value from, to;
  dice.throw_values(type, from, to);
  if (from.is_void() || to.is_void()) return;
  RdbEntry entry;
  entry.key = "key";
  const int64_t from_ms = entry.expire_at_ms = kExpiries[dice.below(3)];
  ByteBuffer out;
  CommandWriter writer(out, target);
  writer.entry(entry, from);
  run_all(client, out);
  REQUIRE(ask(client, "key").value == words_in(from));

  out.clear();
  entry.expire_at_ms = kExpiries[dice.below(3)];
  if (changes_in_place(from, to)) {
    ++tally.changed;
    write_changes(writer, entry, from, to);
    run_all(client, out);
    // It was there all the while: else it would have none.
    REQUIRE(ask(client, "key").expire_at_ms == from_ms);
    out.clear();
    if (entry.expire_at_ms == kNoExpiry)
      writer.command({"PERSIST", entry.key});
    else
      writer.expiry(entry);
  } else {
    ++tally.anew;
    writer.del(entry.key);
    writer.entry(entry, to);
  }
  run_all(client, out);
  const Facts facts = ask(client, "key");
  CHECK(facts.type == value_type_name(type));
  CHECK(facts.expire_at_ms == entry.expire_at_ms);
  CHECK(facts.value == words_in(to));
  client.call({"DEL", "key"});
}

}  // namespace

TEST_CASE("a server that runs the changes of a value has the other value") {
  const LiveServer server({});
  Client client(server.port());
  const Target* const target = find_target("redis-7.0");
  REQUIRE(target != nullptr);
  ChangeDice dice(3);
  for (const ValueType type :
       {ValueType::string, ValueType::list, ValueType::set, ValueType::zset, ValueType::hash}) {
    CAPTURE(value_type_name(type));
    ChangeTally tally;
    for (int round = 0; round < 120; ++round) {
      CAPTURE(round);
      check_change(client, *target, dice, type, tally);
    }
    CHECK((tally.changed >= 30) == (type != ValueType::string));
    CHECK((type != ValueType::list && type != ValueType::string) == (tally.anew < 40));
  }
}

TEST_CASE("a server that is told of a time that is over has the key no longer") {
  const LiveServer server({});
  Client client(server.port());
  Value from, to;
  for (Value* value : {&from, &to}) {
    value->begin(ValueType::set);
    for (const char* member : {"a", "b", "c"}) value->add(SetMember{member});
  }
  to.add(SetMember{"d"});
  RdbEntry entry;
  entry.key = "key";
  ByteBuffer out;
  CommandWriter writer(out, *find_target("redis-7.0"));
  writer.entry(entry, from);
  REQUIRE(changes_in_place(from, to));
  entry.expire_at_ms = 1;
  write_changes(writer, entry, from, to);
  run_all(client, out);
  CHECK(client.call({"EXISTS", "key"}).text == "1");
  out.clear();
  writer.expiry(entry);
  run_all(client, out);
  CHECK(client.call({"EXISTS", "key"}).text == "0");
}

}  // namespace persist::test
