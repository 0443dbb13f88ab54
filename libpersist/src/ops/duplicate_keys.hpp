// Finds keys that stand twice in one database: a fatal flaw to every server.
#pragma once

#include "base/hash64.hpp"
#include "ops/duplicates.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

class DuplicateKeys {
 public:
  [[nodiscard]] uint64_t hash(uint64_t db, Bytes key) const { return hash64(key, seed_ + db); }
  [[nodiscard]] DuplicateHashes& hashes() { return hashes_; }
  [[nodiscard]] uint64_t seed() const { return seed_; }

  // Once all hashes are in: reads a source that can be read again for the keys behind equal ones. `header` is
  // the state behind the header.
  void report(ByteSource& source, const RdbState& header, unsigned threads, FindingSink& findings);

 private:
  uint64_t seed_ = random_seed();
  // A million keys; what is more goes to disk.
  DuplicateHashes hashes_{size_t{8} << 20};
};

}  // namespace persist
