// What is made different about entries on their way through a verb: databases, names, expiries.
// persist-convert(1), CHANGES
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "persist/api.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

// sed's s/pattern/replacement/: RE2, \1 to \9 and \0 in the replacement. Empty pieces are fine.
struct Rename {
  std::string pattern;
  std::string replacement;
  bool every = false;  // every match in a key instead of the first
};

// "s/^a:/b:/", "s|x|y|g". Throws std::invalid_argument.
PERSIST_API Rename parse_rename(const std::string& text);

// What happens to an expiry.
enum class ExpiryChange : uint8_t {
  none,
  persist,  // it is taken away
  shift,    // it is moved by some time
  set       // it becomes a given one, also where there was none
};

struct ExpiryRule {
  ExpiryChange change = ExpiryChange::none;
  int64_t ms = 0;  // to be moved by, or the time since the epoch
};

struct KeyChangeOptions {
  std::vector<std::pair<uint64_t, uint64_t>> dbs;  // from, to
  std::vector<Rename> renames;                     // one after the other, each on what the last one made
  ExpiryRule all;                                  // of every key and hash field; `set` is for keys only
  ExpiryRule expired;                              // of those that have expired at now_ms, before `all`
  bool drop_expired_fields = false;                // that have expired at now_ms; before all that
  int64_t now_ms = 0;
};

class PERSIST_API KeyChanges {
 public:
  KeyChanges();  // changes nothing
  // Throws std::invalid_argument if a pattern is not one.
  explicit KeyChanges(KeyChangeOptions options);
  ~KeyChanges();
  KeyChanges(const KeyChanges&) = delete;
  KeyChanges& operator=(const KeyChanges&) = delete;

  // The entry as it is to be; its key may come to stand in `room`. True if anything has changed. Safe to call
  // from several threads, each with a room of its own.
  bool apply(RdbEntry& entry, std::string& room) const;

  // Whether two keys can become one.
  [[nodiscard]] bool changes_keys() const;
  [[nodiscard]] bool changes_expiries() const;
  // Whether the expiries of hash fields can come out different.
  [[nodiscard]] bool changes_fields() const;

  // What becomes of a field: absent if it is dropped, else its expiry.
  [[nodiscard]] std::optional<int64_t> field_expiry(int64_t expire_at_ms) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace persist
