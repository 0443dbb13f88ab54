// How lines become calls, and answers text.
#include "support/engine_calls.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/commands/table.hpp"
#include "support/notation.hpp"
#include "text/command_line.hpp"

namespace persist::test {

namespace {

std::string quoted(Bytes bytes) {
  ByteBuffer out;
  append_quoted(out, bytes);
  return std::string(out.bytes());
}

std::string as_argument(Bytes bytes) {
  ByteBuffer out;
  append_argument(out, bytes);
  return std::string(out.bytes());
}

class TextReply : public ReplySink {
 public:
  void integer(int64_t number) override { put("(integer) " + std::to_string(number)); }
  void bulk(Bytes text) override { put(open_.empty() ? quoted(text) : as_argument(text)); }
  void nil() override { put("(nil)"); }
  void status(Bytes text) override { put(std::string(text)); }
  void error(Bytes text) override { put(std::string(text)); }
  void array(size_t elements) override {
    separate();
    text_ += '[';
    open_.push_back({elements, true});
    close_full();
  }

  // What was announced must have come, and nothing else.
  [[nodiscard]] std::string end() const {
    if (!open_.empty()) return text_ + " (announced more)";
    return text_;
  }

 private:
  struct Array {
    size_t left;
    bool first;
  };

  void put(const std::string& piece) {
    separate();
    text_ += piece;
    close_full();
  }
  void separate() {
    if (open_.empty()) {
      if (!text_.empty()) text_ += " (and) ";
      return;
    }
    if (!open_.back().first) text_ += ", ";
    open_.back().first = false;
    --open_.back().left;
  }
  void close_full() {
    while (!open_.empty() && open_.back().left == 0) {
      text_ += ']';
      open_.pop_back();
    }
  }

  std::string text_;
  std::vector<Array> open_;
};

unsigned digit_value(char digit) {
  return static_cast<unsigned>(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

// Reads one character of a quoted word.
char unescaped(Bytes line, size_t& at) {
  const char c = line[at++];
  if (c != '\\' || at >= line.size()) return c;
  const char escape = line[at++];
  switch (escape) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'x': {
      const unsigned value = digit_value(line.at(at)) << 4 | digit_value(line.at(at + 1));
      at += 2;
      return static_cast<char>(value);
    }
    default:
      return escape;
  }
}

const CommandSpec* spec_of(std::span<const Bytes> args) {
  const CommandSpec* spec = find_command(args.front());
  if (spec != nullptr && spec->has(kCommandContainer) && args.size() > 1) {
    if (const CommandSpec* inner = find_subcommand(*spec, args[1])) return inner;
  }
  return spec;
}

std::string shown_entry(KeyEntry& entry) {
  Notation notation;
  notation.begin(entry.type());
  entry.tell([&](const Element& element) { notation.add(element); }, true);
  std::string expiry;
  if (entry.has_expiry()) expiry = "@" + std::to_string(entry.expire_at_ms) + " ";
  return expiry + notation.end();
}

}  // namespace

std::vector<std::string> words_of(Bytes line) {
  std::vector<std::string> words;
  for (size_t at = 0; at < line.size();) {
    if (line[at] == ' ') {
      ++at;
      continue;
    }
    std::string word;
    if (line[at] == '"') {
      for (++at; at < line.size() && line[at] != '"';) word += unescaped(line, at);
      ++at;
    } else {
      while (at < line.size() && line[at] != ' ') word += line[at++];
    }
    words.push_back(word);
  }
  return words;
}

std::string EngineCalls::run(Bytes line) { return run_words(words_of(line)); }

std::string EngineCalls::run_words(const std::vector<std::string>& words) {
  const std::vector<Bytes> args(words.begin(), words.end());
  effect_ = Effect::failed;
  const CommandSpec* container = find_command(args.front());
  const Handler handler = container == nullptr ? nullptr : find_handler(*container);
  if (handler == nullptr) return "ERR unknown command '" + words.front() + "'";
  const CommandSpec* spec = spec_of(args);
  if (!arity_fits(*spec, args.size()))
    return "ERR wrong number of arguments for '" + std::string(spec->name) + "' command";

  TextReply reply;
  Call call(data, db_number_, profile, now_ms, &reply);
  call.args = args;
  effect_ = handler(call);
  std::string text = reply.end();
  if (effect_ == Effect::changed) text += " changed";
  if ((effect_ == Effect::failed) != (call.error() != nullptr)) text += " (effect and answer differ)";
  return text;
}

std::string EngineCalls::show(Bytes key) {
  KeyEntry* entry = data.db(db_number_).find(key);
  return entry == nullptr ? "none" : shown_entry(*entry);
}

std::string EngineCalls::show_all() {
  std::string text;
  for (const auto& [number, db] : data.dbs()) {
    std::vector<KeyEntry*> entries = db.entries();
    std::ranges::sort(entries, {}, [](const KeyEntry* entry) { return entry->key(); });
    for (KeyEntry* entry : entries) {
      if (!text.empty()) text += "; ";
      if (number != 0) text += "db" + std::to_string(number) + " ";
      text += shown(entry->key()) + " = " + shown_entry(*entry);
    }
  }
  return text.empty() ? "empty" : text;
}

void check_rows(EngineCalls& calls, std::initializer_list<EngineRow> rows) {
  for (const EngineRow& row : rows) {
    CAPTURE(row.command);
    CHECK(calls.run(row.command) == row.reply);
    if (row.show != nullptr) CHECK(calls.show(row.show) == row.value);
  }
}

void check_rows(std::initializer_list<EngineRow> rows) {
  EngineCalls calls;
  check_rows(calls, rows);
}

}  // namespace persist::test
