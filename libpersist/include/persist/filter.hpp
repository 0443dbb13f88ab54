// Which entries a verb deals with: one predicate, the same for all verbs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "persist/api.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

enum class Expired : uint8_t { keep, drop, only };

struct FilterOptions {
  std::vector<std::string> key_globs;    // as KEYS and SCAN match; any of them
  std::vector<std::string> key_regexes;  // RE2, anywhere in the key; any of them
  bool invert = false;  // what does not match the above, and db, type and slot, instead of what does
  std::vector<uint64_t> dbs;
  std::vector<ValueType> types;
  std::vector<std::pair<unsigned, unsigned>> slots;  // first and last, inclusive
  Expired expired = Expired::keep;
  int64_t now_ms = 0;  // what "expired" is measured against
};

class PERSIST_API Filter {
 public:
  // Throws std::invalid_argument if a regular expression is not one.
  explicit Filter(FilterOptions options);
  ~Filter();
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  // Whether nothing was asked for: then accepts() need not be.
  [[nodiscard]] bool accepts_all() const;

  // Whether anything was asked of keys, databases, types or slots.
  [[nodiscard]] bool selects() const;

  // Safe to call from several threads.
  [[nodiscard]] bool accepts(const RdbEntry& entry) const;

  // The same where only a key is known: what is asked of keys and slots decides.
  [[nodiscard]] bool accepts_key(Bytes key) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

// The cluster slot of a key: CRC16 of what stands between the first { and the next }, if that is not empty,
// else of all.
PERSIST_API unsigned key_slot(Bytes key);

// Glob matching as Redis does it: * ? [a-z] [^a-z] and \ before any of them. Linear in the text for each
// star.
PERSIST_API bool glob_matches(Bytes pattern, Bytes text);

}  // namespace persist
