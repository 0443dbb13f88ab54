// In what two datasets differ, whatever form, encodings and order they are in. persist-diff(1)
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/convert.hpp"
#include "persist/filter.hpp"
#include "persist/finding.hpp"
#include "persist/key_changes.hpp"
#include "persist/sink.hpp"

namespace persist {

// What need not be equal.
enum class DiffIgnore : uint8_t {
  ttl,        // expiries of keys
  field_ttl,  // expiries of hash fields
  idle,       // idle times and frequencies
  groups,     // consumer groups of streams, with all that is in them
  counters,   // of streams: last ID, greatest deleted ID, number of entries ever added
  idmp,       // idempotency of streams
  functions,  // function libraries
  modules     // data of modules that belongs to no key
};
inline constexpr size_t kDiffIgnores = 8;
// "ttl", "field-ttl", "idle", "groups", "counters", "idmp", "functions", "modules"
PERSIST_API Bytes diff_ignore_name(DiffIgnore ignore);
PERSIST_API std::optional<DiffIgnore> find_diff_ignore(Bytes name);

// One thing in which two values can differ.
enum class DiffPart : uint8_t {
  type,
  expiry,  // of the key
  idle,
  freq,
  string,
  item,          // of a list
  member,        // of a set, or of a sorted set with its score
  score,         // of a member that both have
  field,         // of a hash, with its value
  field_expiry,  // of a field that both have
  entry,         // of a stream
  last_id,
  max_deleted_id,
  entries_added,
  group,
  group_last_id,
  entries_read,
  consumer,
  pending,
  producer,
  iid,
  idmp,          // settings and counters
  insert_index,  // of an array
  element,       // of an array
  payload        // of a module value
};

// A piece of text out of a value, or as much as was asked for of it.
struct DiffWord {
  std::string bytes;
  uint64_t from = 0;  // where in the whole it begins
  uint64_t size = 0;  // of the whole
  bool operator==(const DiffWord&) const = default;
};

// What one of the two has there.
struct DiffSide {
  bool there = false;
  // One word; of a stream entry its fields and values in turn; of a pending entry consumer (none: empty),
  // delivery time, count, and its rank among those that nobody owns, if it has one; of idempotency duration,
  // most entries, IIDs added and duplicates; of a module value module, version of its encoding and bytes.
  // Empty if there is nothing more to say than that it is there.
  std::vector<DiffWord> words;
  std::optional<uint64_t> index;  // of a list item, of an IID in its producer
  bool operator==(const DiffSide&) const = default;
};

struct Difference {
  DiffPart part{};
  DiffWord name;   // member, field, ID, group, index: what it is called, if it is called something
  DiffWord owner;  // of consumers and pending entries the group, of iids the producer
  DiffSide a;
  DiffSide b;
  bool operator==(const Difference&) const = default;
};

// The name of a part in JSON, and whether its words are numbers.
struct DiffPartRow {
  Bytes name;
  Bytes label;  // for people
  bool is_number = false;
};
PERSIST_API const DiffPartRow& diff_part_row(DiffPart part);

enum class DiffKind : uint8_t { only_a, only_b, changed };
inline constexpr size_t kDiffKinds = 3;

struct DiffSideHead {
  ValueType type{};
  int64_t expire_at_ms = kNoExpiry;
  uint64_t elements = 0;  // 0 where nobody has counted
};

struct KeyDifference {
  DiffKind kind{};
  uint64_t db = 0;
  std::string key;
  std::optional<DiffSideHead> a;
  std::optional<DiffSideHead> b;
  std::vector<Difference> differences;  // of a changed key, as many as were asked for
  uint64_t more = 0;                    // besides these
};

// A library or data of a module that belongs to no key.
struct LibraryDifference {
  DiffKind kind{};
  bool is_function = true;
  std::string name;
};

class PERSIST_API DiffSink {
 public:
  virtual ~DiffSink() = default;
  // One at a time: keys that only A has in the order of A, then others in the order of B.
  virtual void key(const KeyDifference& difference) = 0;
  virtual void library(const LibraryDifference& difference) = 0;
};

// How much is said of each difference.
enum class DiffDetail : uint8_t {
  counts,  // nothing: the sink is not called for keys
  keys,    // which keys
  values   // in what they differ
};

struct DiffOptions {
  DiffDetail detail = DiffDetail::values;
  std::vector<DiffIgnore> ignored;
  int64_t ttl_tolerance_ms = 0;           // expiries that are so near to one another are equal
  const Filter* filter = nullptr;         // of both; null: everything
  const KeyChanges* changes_a = nullptr;  // made to A before it is compared; null: none
  const KeyChanges* changes_b = nullptr;
  uint64_t keys_max = ~uint64_t{0};  // told to the sink; all are counted
  uint64_t differences_max = 100;    // of each key
  uint64_t word_bytes_max = 1024;    // of each word
  uint64_t memory_bytes = uint64_t{1}
                          << 30;  // for what is known of keys; what is more goes to $TMPDIR or /tmp
  bool salvage = false;           // damaged inputs: what is whole of them
  unsigned threads = 0;           // 0: as many as are useful
  // Commands that make A equal to B go there; `detail` must be `values`. As `target`'s server takes them;
  // null: that which wrote B.
  ByteSink* commands = nullptr;
  const Target* target = nullptr;
  std::vector<LossFeature> permitted_losses;  // of data, for want of commands that could say it
  std::function<void(uint64_t bytes)> progress;
};

struct DiffInput {
  bool has_header = false;
  bool complete = false;
  uint64_t keys = 0;      // whole ones in it
  uint64_t compared = 0;  // of these, what the filter let through
  uint64_t errors = 0;
  Reach reach = Reach::nothing;
  std::optional<ReplaySummary> replay;  // of a log

  [[nodiscard]] bool damaged() const { return errors > 0 || !complete; }
};

struct DiffSummary {
  DiffInput a;
  DiffInput b;
  // Both could be read, and wholly so unless `salvage`: else nothing below means anything.
  bool compared = false;
  uint64_t same = 0;
  std::array<uint64_t, kDiffKinds> keys{};       // by DiffKind
  std::array<uint64_t, kDiffKinds> libraries{};  // functions and data of modules
  // Of changed keys, those that differ in nothing but idle time or frequency; known if `detail` is `values`.
  uint64_t only_idle = 0;
  // By DiffKind and ValueType (of changed keys that of B); known if `detail` is not `counts`.
  std::array<std::array<uint64_t, 8>, kDiffKinds> by_type{};
  // Of the commands: none were written if more would be lost than is permitted.
  LossReport losses;
  bool commands_written = false;
  uint64_t commands_bytes = 0;
  const Target* target = nullptr;  // of the commands
  uint64_t spilled_bytes = 0;      // that went to temporary files

  [[nodiscard]] bool differ() const {
    return keys[0] + keys[1] + keys[2] + libraries[0] + libraries[1] + libraries[2] > 0;
  }
};

// Inputs that cannot be read twice are copied to a file without a name first. Throws std::system_error when
// reading or writing fails.
PERSIST_API DiffSummary diff(const ConvertInput& a, const ConvertInput& b, DiffSink& sink,
                             FindingSink& findings, const DiffOptions& options);

}  // namespace persist
