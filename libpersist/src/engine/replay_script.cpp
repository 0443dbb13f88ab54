// The interpreter's calls go through the same handlers as the commands of the log, with somebody listening.
#include "engine/replay_script.hpp"

#include "base/letters.hpp"
#include "base/server_numbers.hpp"
#include "engine/commands/table.hpp"

namespace persist {

namespace {

ScriptReply leaf(ScriptReply::Kind kind, Bytes text) { return {kind, 0, std::string(text), {}}; }

// Puts the pieces of an answer together to the tree that a script gets.
class ReplyTree : public ReplySink {
 public:
  void integer(int64_t number) override { put({ScriptReply::Kind::integer, number, {}, {}}); }
  void bulk(Bytes text) override { put(leaf(ScriptReply::Kind::bulk, text)); }
  void nil() override { put({}); }
  void status(Bytes text) override { put(leaf(ScriptReply::Kind::status, text)); }
  void error(Bytes text) override { put(leaf(ScriptReply::Kind::error, text)); }
  void array(size_t elements) override {
    open_.push_back({{ScriptReply::Kind::array, 0, {}, {}}, elements});
    close_full();
  }

  // Only behind a whole answer.
  ScriptReply take() { return std::move(root_); }

 private:
  struct Open {
    ScriptReply reply;
    size_t missing;
  };
  void put(ScriptReply reply) {
    if (open_.empty()) {
      root_ = std::move(reply);
      return;
    }
    open_.back().reply.items.push_back(std::move(reply));
    --open_.back().missing;
    close_full();
  }
  void close_full() {
    while (!open_.empty() && open_.back().missing == 0) {
      ScriptReply whole = std::move(open_.back().reply);
      open_.pop_back();
      if (open_.empty()) {
        root_ = std::move(whole);
      } else {
        open_.back().reply.items.push_back(std::move(whole));
        --open_.back().missing;
      }
    }
  }
  ScriptReply root_;
  std::vector<Open> open_;
};

}  // namespace

Effect ScriptCommand::run(const LoggedCommand& command) {
  command_ = &command;
  const Bytes name = command.spec->name;
  if (name == "script") return manage(command);
  if (name == "eval" && command.args.size() >= 3) return evaluate(command, command.args[1]);
  if (name == "evalsha" && command.args.size() >= 3) {
    const std::string* text = engine_.find(command.args[1]);
    if (text == nullptr) return refuse("its text is not in the log before it");
    return evaluate(command, *text);
  }
  return refuse("no server writes it into a log");
}

Effect ScriptCommand::evaluate(const LoggedCommand& command, Bytes text) {
  const std::optional<int64_t> count = parse_server_integer(command.args[2]);
  const std::span<const Bytes> rest = command.args.subspan(3);
  if (!count) return fail(kNotInteger);
  if (*count < 0) return fail("ERR Number of keys can't be negative");
  if (static_cast<uint64_t>(*count) > rest.size())
    return fail("ERR Number of keys can't be greater than number of args");
  const auto keys = static_cast<size_t>(*count);
  const std::string held(text);  // running it may forget the texts that are remembered
  const ScriptResult result = engine_.run(held, rest.first(keys), rest.subspan(keys), *this);
  if (result.refused) return refuse(result.error);
  if (draws_) return refuse("it calls SPOP, which takes another member on every server");
  if (!result.ok) error_ = result.error;
  if (changed_) return Effect::changed;
  return result.ok ? Effect::unchanged : Effect::failed;
}

Effect ScriptCommand::manage(const LoggedCommand& command) {
  if (command.args.size() == 3 && equals_ignoring_case(command.args[1], "load")) {
    engine_.load(command.args[2]);
  } else if (command.args.size() >= 2 && equals_ignoring_case(command.args[1], "flush")) {
    engine_.flush();
  }
  return Effect::unchanged;
}

Effect ScriptCommand::fail(std::string why) {
  error_ = std::move(why);
  return Effect::failed;
}

Effect ScriptCommand::refuse(std::string why) {
  refused_ = true;
  return fail(std::move(why));
}

ScriptReply ScriptCommand::call(std::span<const Bytes> args) {
  const CommandSpec* spec = args.empty() ? nullptr : find_command(args.front());
  if (spec == nullptr)
    return leaf(ScriptReply::Kind::error, "ERR Unknown Redis command called from Lua script");
  if (!arity_fits(*spec, args.size()))
    return leaf(ScriptReply::Kind::error, "ERR Wrong number of args calling Redis command From Lua script");
  if (spec->kind == CommandKind::select) {
    const std::optional<uint64_t> db = parse_db(args[1]);
    if (!db) return leaf(ScriptReply::Kind::error, kDbRange);
    db_ = *db;
    return leaf(ScriptReply::Kind::status, "OK");
  }
  // Which member goes is drawn anew by every server: what follows cannot be known.
  if (spec->name == "spop") draws_ = true;
  const Handler handler = find_handler(*spec);
  if (handler == nullptr)
    return leaf(ScriptReply::Kind::error, "ERR This Redis command is not allowed from scripts");
  ReplyTree reply;
  Call call(data_, db_, rules_.profile, rules_.now_ms, &reply);
  call.args = args;
  call.field_clock_ms = rules_.field_clock_ms;
  LoggedCommand caller = *command_;
  caller.db = db_;
  if (observer_ != nullptr) observer_->before_called(caller, args);
  const Effect effect = handler(call);
  if (observer_ != nullptr) observer_->after_called(caller, args, effect);
  changed_ = changed_ || effect == Effect::changed;
  return reply.take();
}

}  // namespace persist
