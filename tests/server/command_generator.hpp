// Random commands over a small key space, of every family that a redis-server 7.0 logs: right ones, wrong
// ones, edge numbers, keys of the wrong type. The same seed gives the same commands.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace persist::test {

using CommandWords = std::vector<std::string>;

// Whether replies are to be the same each time: then nothing is made that depends on chance or the clock, and
// no key gets an expiry that passes.
enum class Replies : uint8_t { any, certain };

class CommandGenerator {
 public:
  CommandGenerator(uint64_t seed, Replies replies) : random_(seed), replies_(replies) {}

  // One command, or a whole transaction from its MULTI to its EXEC. What would block stands in one.
  [[nodiscard]] std::vector<CommandWords> next();

  // A payload that DUMP answered, for RESTORE.
  void learn_payload(const std::string& payload);

 private:
  using Pattern = std::span<const std::string_view>;

  uint64_t below(uint64_t bound) { return random_() % bound; }
  bool once_in(uint64_t times) { return below(times) == 0; }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  template <typename T, size_t n>
  const T& one_of(const T (&all)[n]) {
    return all[below(n)];
  }

  CommandWords command(bool& blocks);
  void spoil(CommandWords& words);
  void expand(Pattern pattern, CommandWords& out);
  void expand_choice(Pattern pattern, CommandWords& out);
  void fill(std::string_view name, CommandWords& out);

  std::string key(std::string_view families);
  void counted_keys(std::string_view families, CommandWords& out);
  void weights(CommandWords& out);
  void shape(CommandWords& out);
  void center(CommandWords& out);

  std::string value();
  std::string member();
  std::string number();
  std::string index();
  std::string count();
  std::string score();
  std::string score_end();
  std::string lex_end();
  std::string time_ms();
  std::string future_ms();
  std::string stream_id();
  std::string bit_field();
  std::string bit_type();
  std::string payload();
  std::string coordinate(double limit);

  std::mt19937_64 random_;
  Replies replies_;
  size_t keys_counted_ = 1;  // by the last list of keys that says how many they are
  std::vector<std::string> payloads_;
};

// As people type it, and as a client sends it.
[[nodiscard]] std::string line_of(const CommandWords& words);
[[nodiscard]] std::string encoded(const CommandWords& words);

// A number out of an environment variable, for runs by hand.
[[nodiscard]] uint64_t from_environment(const char* name, uint64_t otherwise);

}  // namespace persist::test
