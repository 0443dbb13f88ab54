// Every command does and answers what a real redis-server does and answers: random ones, one by one, on both.
//
// PERSIST_SEED and PERSIST_COMMANDS are for runs by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/server_numbers.hpp"
#include "engine/commands/table.hpp"
#include "engine/digest.hpp"
#include "server/answers.hpp"
#include "server/command_generator.hpp"
#include "server/facts.hpp"
#include "text/command_line.hpp"

namespace persist::test {

namespace {

std::string upper_name(const CommandWords& words) {
  std::string name = words.front();
  for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

// What is answered in no order, and pairs among it.
const std::set<std::string> kUnordered = {"SMEMBERS", "SINTER", "SUNION", "SDIFF", "HKEYS", "HVALS", "KEYS"};
const std::set<std::string> kUnorderedPairs = {"HGETALL"};

// SORT of a set BY what has no star tells it in no order: LIMIT may then let any through.
bool leaves_order(const CommandWords& words) {
  for (size_t i = 2; i + 1 < words.size(); ++i) {
    if (words[i] == "BY") return words[i + 1].find('*') == std::string::npos;
  }
  return false;
}

void put_in_order(const CommandWords& words, Answer& answer) {
  const auto by_text = [](const Answer& a, const Answer& b) { return a.text < b.text; };
  const std::string name = upper_name(words);
  if (name == "SORT" && leaves_order(words)) answer.items.resize(0);
  if (kUnordered.contains(name)) std::ranges::sort(answer.items, by_text);
  if (!kUnorderedPairs.contains(name)) return;
  std::vector<Answer> pairs;
  for (size_t i = 0; i + 1 < answer.items.size(); i += 2)
    pairs.push_back({'*', answer.items[i].text, {answer.items[i], answer.items[i + 1]}});
  std::ranges::sort(pairs, by_text);
  answer.items = std::move(pairs);
}

// That the words of a command are too few or too many is no business of its handler, and it does not repeat
// what it was given.
void forget_details(Answer& answer) {
  for (const std::string_view start : {"ERR wrong number of arguments", "ERR unknown subcommand"}) {
    if (answer.kind == '-' && answer.text.starts_with(start)) answer.text = "ERR wrong words";
  }
  for (const std::string_view start : {"ERR invalid longitude,latitude pair", "NOGROUP No such",
                                       "ERR Unrecognized XCLAIM option", "ERR Unsupported option"}) {
    if (answer.kind == '-' && answer.text.starts_with(start)) answer.text = start;
  }
  for (Answer& item : answer.items) forget_details(item);
}

// A long answer from shortly before the place where the other is not the same.
std::string text_from_difference(const Answer& answer, const Answer& other) {
  constexpr std::ptrdiff_t kBefore = 40;
  const std::string text = text_of(answer);
  const std::string other_text = text_of(other);
  const auto at = std::ranges::mismatch(text, other_text).in1;
  return text.substr(at - text.begin() > kBefore ? static_cast<size_t>(at - text.begin() - kBefore) : 0);
}

constexpr int64_t kNow = 1'700'000'000'000;

// The engine as a server that answers.
class EngineServer {
 public:
  Answer run(const CommandWords& words, Effect& effect) {
    effect = Effect::failed;
    const std::vector<Bytes> args(words.begin(), words.end());
    const CommandSpec* spec = find_command(args.front());
    if (spec == nullptr) return {'-', "ERR unknown command", {}};
    const Handler handler = find_handler(*spec);
    if (spec->has(kCommandContainer) && args.size() > 1) {
      spec = find_subcommand(*spec, args[1]);
      if (spec == nullptr) return {'-', "ERR wrong words", {}};
    }
    if (!arity_fits(*spec, args.size())) return {'-', "ERR wrong words", {}};
    if (spec->kind == CommandKind::select) return select(args[1], effect);
    if (handler == nullptr) return {'-', "no handler", {}};
    AnswerSink answer;
    Call call(data_, db_, profile_, kNow, &answer);
    call.args = args;
    effect = handler(call);
    return answer.take();
  }

  [[nodiscard]] std::string digest() {
    HoleBudget holes;
    DatasetDigest all(DigestKind::server);
    const auto digest = server_digest(digest_rules(Dialect::redis, 700), holes);
    for (const auto& [number, db] : data_.dbs()) {
      db.for_each([&, n = number](const KeyEntry& entry) {
        digest->begin({n, entry.key(), entry.type(), entry.expire_at_ms});
        entry.tell([&](const Element& told) { digest->add(told); }, true);
        all.add(n, digest->finish());
      });
    }
    return to_hex(all.total());
  }

  [[nodiscard]] Keyspace facts() {
    Keyspace keys;
    for (const auto& [number, db] : data_.dbs()) {
      db.for_each([&, n = number](const KeyEntry& entry) {
        FactSink sink;
        entry.tell([&](const Element& told) { sink.add(told); }, true);
        keys[{n, std::string(entry.key())}] = {std::string(value_type_name(entry.type())), entry.expire_at_ms,
                                               sink.take(entry.type())};
      });
    }
    return keys;
  }

  void start_again() {
    data_.clear_keys();
    db_ = 0;
  }

 private:
  Answer select(Bytes number, Effect& effect) {
    const std::optional<int64_t> db = parse_server_integer(number);
    if (!db) return {'-', kNotInteger, {}};
    if (*db < 0 || *db > 15) return {'-', kDbRange, {}};
    db_ = static_cast<uint64_t>(*db);
    effect = Effect::unchanged;
    return {'+', "OK", {}};
  }

  Dataset data_;
  Profile profile_{Dialect::redis, 700};
  uint64_t db_ = 0;
};

// What the server has counted as changes.
uint64_t changes(Client& client) {
  const Answer info = read_answer(client);
  constexpr std::string_view kName = "rdb_changes_since_last_save:";
  return std::strtoull(info.text.c_str() + info.text.find(kName) + kName.size(), nullptr, 10);
}

class Comparison {
 public:
  explicit Comparison(uint64_t seed)
      : server_({"--hz", "1"}), client_(server_.port()), generator_(seed, Replies::certain) {
    client_.call({"DEBUG", "SET-ACTIVE-EXPIRE", "0"});
    ask_changes();
  }

  void run(uint64_t commands) {
    for (uint64_t done = 0; done < commands && differences_ < kDifferencesMax;) {
      std::vector<CommandWords> batch;
      while (batch.size() < 100) {
        for (CommandWords& words : generator_.next()) batch.push_back(std::move(words));
      }
      done += batch.size();
      differs_ = false;
      run_batch(batch);
      last_batch_ = std::move(batch);
      compare_datasets();
      if (differs_) start_again();
    }
  }

  [[nodiscard]] int differences() const { return differences_; }

 private:
  static constexpr int kDifferencesMax = 20;
  static constexpr uint64_t kDbs = 3;

  // What differs once goes on differing.
  void start_again() {
    client_.call({"FLUSHALL"});
    client_.call({"SELECT", "0"});
    ask_changes();
    engine_.start_again();
  }

  void ask_changes() {
    client_.send(encoded({"INFO", "persistence"}));
    changes_ = changes(client_);
  }

  void compare_datasets() {
    if (differs_) return;
    const std::string of_server = client_.call({"DEBUG", "DIGEST"}).text;
    differs_ = engine_.digest() != of_server;
    if (!differs_) return;
    ++differences_;
    FAIL_CHECK("the datasets differ after a batch of the same answers");
    const Keyspace theirs = ask_all(client_, kDbs);
    const Keyspace ours = engine_.facts();
    for (const Keyspace* side : {&theirs, &ours}) {
      for (const auto& [place, facts] : *side) show_difference(place, theirs, ours);
    }
  }

  // If there is one: the key on both sides, and the commands that name it.
  void show_difference(const std::pair<uint64_t, std::string>& place, const Keyspace& theirs,
                       const Keyspace& ours) {
    const auto text = [&](const Keyspace& side) {
      const auto at = side.find(place);
      if (at == side.end()) return std::string("none");
      Words words = at->second.value;
      for (size_t i = 0; i + 2 < words.size(); ++i)
        if (words[i] == "consumer") words[i + 2] = "seen";
      return at->second.type + "@" + std::to_string(at->second.expire_at_ms) + " " + line_of(words);
    };
    if (text(theirs) == text(ours)) return;
    MESSAGE("key ", place.second, " of db ", place.first, "\n  server ", text(theirs), "\n  engine ",
            text(ours));
    for (const CommandWords& words : last_batch_) {
      if (std::ranges::find(words, place.second) != words.end()) MESSAGE(line_of(words));
    }
  }

  void run_batch(const std::vector<CommandWords>& batch) {
    std::string requests;
    const std::string ask = encoded({"INFO", "persistence"});
    // Within a transaction too: then the answers come with its own.
    for (const CommandWords& words : batch) requests += encoded(words) + ask;
    client_.send(requests);
    std::vector<CommandWords> queued;
    bool in_multi = false;
    for (const CommandWords& words : batch) {
      Answer answer = read_answer(client_);
      if (words.front() == "MULTI") {
        in_multi = true;
        queued.clear();
        static_cast<void>(read_answer(client_));
      } else if (words.front() == "EXEC") {
        in_multi = false;
        compare_queued(queued, answer);
        changes_ = changes(client_);
      } else if (in_multi) {
        if (answer.kind == '+') queued.push_back(words);
        static_cast<void>(read_answer(client_));
      } else {
        const uint64_t before = changes_;
        changes_ = changes(client_);
        if (words.front() == "DUMP" && answer.kind == '$') generator_.learn_payload(answer.text);
        compare(words, answer, changes_ != before);
      }
    }
  }

  // Of a transaction: INFO stands behind each of its commands, and behind MULTI.
  void compare_queued(const std::vector<CommandWords>& queued, const Answer& exec) {
    if (exec.kind == '-') return;  // a command with too few words: nothing has run
    for (size_t i = 0; i < queued.size(); ++i) compare(queued[i], exec.items.at(i * 2 + 1), {});
  }

  void compare(const CommandWords& words, Answer of_server, std::optional<bool> changed) {
    if (differs_) return;
    Effect effect = Effect::failed;
    Answer ours = engine_.run(words, effect);
    if (upper_name(words) == "DUMP") return;  // bytes may differ
    put_in_order(words, ours);
    put_in_order(words, of_server);
    forget_details(ours);
    forget_details(of_server);
    CAPTURE(line_of(words));
    // Later releases allow more words, and which of two errors comes first is of no use to anybody.
    const bool both_refuse =
        ours.kind == '-' && of_server.kind == '-' &&
        (of_server.text == "ERR wrong words" || ours.text == "ERR wrong words" ||
         of_server.text.starts_with("INVALIDOBJ") || of_server.text.starts_with("ERR bit offset"));
    const bool same = ours == of_server || both_refuse;
    if (!same) CHECK(text_from_difference(ours, of_server) == text_from_difference(of_server, ours));
    const bool same_effect = !changed || *changed == (effect == Effect::changed);
    if (!same_effect) CHECK((effect == Effect::changed) == *changed);
    if (same && same_effect) return;
    differs_ = true;
    ++differences_;
  }

  LiveServer server_;
  Client client_;
  CommandGenerator generator_;
  EngineServer engine_;
  uint64_t changes_ = 0;
  std::vector<CommandWords> last_batch_;
  int differences_ = 0;
  bool differs_ = false;  // in this batch
};

}  // namespace

TEST_CASE("commands answer and change what they do on a server") {
  const uint64_t seed = from_environment("PERSIST_SEED", 1);
  CAPTURE(seed);
  Comparison comparison(seed);
  comparison.run(from_environment("PERSIST_COMMANDS", 40'000));
  CHECK(comparison.differences() == 0);
}

}  // namespace persist::test
