// Replays: any commands at all leave a dataset that can be told, and told again into another one that is the
// same; nothing takes much more memory than the log has bytes.
//
// The input is a log, or, if it does not begin like one, lines of words: `SET k v`, one command a line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/digest.hpp"
#include "engine/replay.hpp"
#include "engine/value_builder.hpp"
#include "persist/source.hpp"

namespace {

using namespace persist;

void require(bool holds) {
  if (!holds) std::abort();
}

void append_command(std::string& log, Bytes line) {
  std::vector<Bytes> words;
  while (!line.empty() && words.size() < 64) {
    const size_t blank = line.find(' ');
    words.push_back(line.substr(0, blank));
    line = blank == Bytes::npos ? Bytes{} : line.substr(blank + 1);
  }
  if (words.empty()) return;
  log += '*' + std::to_string(words.size()) + "\r\n";
  for (const Bytes word : words)
    log += '$' + std::to_string(word.size()) + "\r\n" + std::string(word) + "\r\n";
}

std::string log_of(Bytes input) {
  if (input.starts_with('*') || input.starts_with('#')) return std::string(input);
  std::string log;
  while (!input.empty()) {
    const size_t end = input.find('\n');
    append_command(log, input.substr(0, end));
    input = end == Bytes::npos ? Bytes{} : input.substr(end + 1);
  }
  return log;
}

Profile profile_of(size_t size) {
  constexpr Profile kProfiles[] = {{Dialect::redis, 702},
                                   {Dialect::redis, 300},
                                   {Dialect::redis, 602},
                                   {Dialect::redis, 808},
                                   {Dialect::valkey, 900}};
  return kProfiles[size % std::size(kProfiles)];
}

Sha1Hash full_digest_of(const KeyEntry& entry) {
  const std::unique_ptr<KeyDigest> digest = full_digest();
  digest->begin({0, entry.key(), entry.type(), entry.expire_at_ms});
  entry.tell([&](const Element& told) { digest->add(told); }, true);
  return digest->finish();
}

// A copy made of what the value tells is the value.
void require_round_trip(Dataset& data, const KeyEntry& entry) {
  KeyEntry* copy = KeyEntry::make(data.pool(), entry.key());
  ValueBuilder builder(data.pool(), *copy);
  entry.tell([&](const Element& told) { builder.add(told); }, false);
  copy->expire_at_ms = entry.expire_at_ms;
  require(copy->type() == entry.type() && copy->size() == entry.size());
  require(full_digest_of(*copy) == full_digest_of(entry));
  KeyEntry::free(data.pool(), copy);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string log = log_of({reinterpret_cast<const char*>(data), size});
  const std::unique_ptr<ByteSource> source = memory_source(log);
  Dataset dataset;
  ReplayRules rules;
  rules.profile = profile_of(size);
  rules.is_guess = size % 2 == 0;
  rules.now_ms = 1'700'000'000'000;
  rules.skip_module_commands = true;
  if (size % 3 == 0) rules.field_clock_ms = rules.now_ms;
  Replay replay(dataset, rules, nullptr);
  LogWalk walk(*source, 0, Hold::whole, {});
  replay.begin_file();
  while (replay.run(walk, [] {}) == Replay::Stop::damage) continue;
  for (auto& [number, db] : dataset.dbs()) {
    for (const KeyEntry* entry : db.entries()) {
      require(entry->type() == ValueType::string || entry->type() == ValueType::stream ||
              entry->type() == ValueType::module || entry->size() > 0);
      if (entry->type() != ValueType::module) require_round_trip(dataset, *entry);
    }
  }
  return 0;
}
