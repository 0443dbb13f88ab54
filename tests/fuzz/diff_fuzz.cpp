// Comparisons: whatever bytes the two sides are, what is told adds up to what is counted, is the same the
// other way round, and nothing differs from itself.
//
// The input begins with two bytes of choices (see options_of) and the length of A in two more; behind them
// stand A and B, each an RDB file or JSON Lines.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "persist/diff.hpp"

namespace {

using namespace persist;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

class CountingSink : public DiffSink {
 public:
  void key(const KeyDifference& difference) override {
    const auto kind = static_cast<size_t>(difference.kind);
    ++keys[kind];
    require(difference.a.has_value() == (difference.kind != DiffKind::only_b),
            "a side of A where there is none");
    require(difference.b.has_value() == (difference.kind != DiffKind::only_a),
            "a side of B where there is none");
    if (difference.kind != DiffKind::changed) return;
    require(!has_values || !difference.differences.empty() || difference.more > 0, "changed in nothing");
    for (const Difference& one : difference.differences) look_at(one);
  }
  void library(const LibraryDifference& difference) override {
    ++libraries[static_cast<size_t>(difference.kind)];
  }

  bool has_values = true;
  uint64_t word_bytes_max = 0;
  std::array<uint64_t, kDiffKinds> keys{};
  std::array<uint64_t, kDiffKinds> libraries{};

 private:
  void look_at(const Difference& one) const {
    require(one.a.there || one.b.there, "a difference of nothing");
    require(!(one.a == one.b), "a difference of what is the same, or is shown so");
    for (const DiffSide* side : {&one.a, &one.b}) {
      require(side->there || (side->words.empty() && !side->index), "words of what is not there");
      for (const DiffWord& word : side->words)
        require(word.bytes.size() + word.from <= word.size, "a word that is longer than it is");
    }
  }
};

class TextSink : public ByteSink {
 public:
  void write(Bytes bytes) override { text += bytes; }
  std::string text;
};

struct Compared {
  DiffSummary summary;
  CountingSink told;
  std::string commands;
  bool refused = false;
  bool has_same_keys = false;  // one side has a key more than once
};

struct FuzzSide {
  Bytes bytes;
  bool is_json = false;
};

Compared compare(const FuzzSide& a, const FuzzSide& b, DiffOptions options, bool wants_commands = false) {
  const auto source_a = memory_source(a.bytes);
  const auto source_b = memory_source(b.bytes);
  ConvertInput in_a, in_b;
  (a.is_json ? in_a.json : in_a.rdb) = source_a.get();
  (b.is_json ? in_b.json : in_b.rdb) = source_b.get();
  Compared compared;
  compared.told.has_values = options.detail == DiffDetail::values;
  TextSink commands;
  if (wants_commands) options.commands = &commands;
  FindingList findings;
  try {
    compared.summary = diff(in_a, in_b, compared.told, findings, options);
  } catch (const EditRefused&) {
    compared.refused = true;
  }
  for (const Finding& finding : findings.all)
    compared.has_same_keys = compared.has_same_keys || finding.code == FindingCode::rdb_duplicate_key;
  compared.commands = std::move(commands.text);
  return compared;
}

DiffOptions options_of(const uint8_t* bytes) {
  constexpr int64_t kTolerances[] = {0, 1, 1000, std::numeric_limits<int64_t>::max()};
  DiffOptions options;
  options.threads = 1;
  options.salvage = true;
  options.word_bytes_max = ~uint64_t{0};
  for (size_t i = 0; i < kDiffIgnores; ++i)
    if (((bytes[1] >> i) & 1U) != 0) options.ignored.push_back(static_cast<DiffIgnore>(i));
  options.ttl_tolerance_ms = kTolerances[(bytes[0] >> 2U) & 3U];
  if (((bytes[0] >> 4U) & 1U) != 0) options.detail = DiffDetail::keys;
  return options;
}

void require_told_is_counted(const Compared& compared) {
  const DiffSummary& summary = compared.summary;
  require(compared.told.keys == summary.keys, "told otherwise than counted");
  require(compared.told.libraries == summary.libraries, "libraries told otherwise than counted");
  for (size_t kind = 0; kind < kDiffKinds; ++kind) {
    uint64_t of_types = 0;
    for (const uint64_t count : summary.by_type[kind]) of_types += count;
    require(of_types == summary.keys[kind], "counted otherwise by type");
  }
  if (compared.has_same_keys) return;
  require(summary.same + summary.keys[0] + summary.keys[2] == summary.a.compared, "not all keys of A");
  require(summary.same + summary.keys[1] + summary.keys[2] == summary.b.compared, "not all keys of B");
}

void require_mirrored(const Compared& one, const Compared& other) {
  require(one.summary.compared == other.summary.compared, "compared in one direction");
  if (one.has_same_keys) return;
  require(one.summary.same == other.summary.same && one.summary.keys[0] == other.summary.keys[1] &&
              one.summary.keys[1] == other.summary.keys[0] && one.summary.keys[2] == other.summary.keys[2],
          "other counts in the other direction");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kHeadBytes = 4;
  if (size < kHeadBytes) return 0;
  const Bytes rest(reinterpret_cast<const char*>(data) + kHeadBytes, size - kHeadBytes);
  const size_t size_a = std::min<size_t>(data[2] + 256U * data[3], rest.size());
  const FuzzSide a{rest.substr(0, size_a), (data[0] & 1U) != 0};
  const FuzzSide b{rest.substr(size_a), (data[0] & 2U) != 0};
  const DiffOptions options = options_of(data);
  const Compared compared = compare(a, b, options);
  if (!compared.refused && compared.summary.compared) {
    require_told_is_counted(compared);
    const Compared back = compare(b, a, options);
    require_told_is_counted(back);
    require_mirrored(compared, back);
  }
  const Compared itself = compare(b, b, options);
  if (!itself.has_same_keys) require(!itself.summary.differ(), "different from itself");
  DiffOptions careful = options;
  careful.salvage = false;
  careful.detail = DiffDetail::values;
  const Compared sound = compare(a, b, careful, true);
  const bool may_write = sound.summary.compared && !sound.summary.losses.loses_more_than({});
  require(may_write || sound.commands.empty(), "commands in spite of all");
  require(sound.summary.differ() || sound.commands.empty(), "commands for nothing");
  return 0;
}
