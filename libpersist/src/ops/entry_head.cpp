// The expiry and what eviction knows go along; offsets there are none.
#include "ops/entry_head.hpp"

#include "types/plain_encoding.hpp"

namespace persist {

RdbEntry head_of(uint64_t db, const KeyEntry& held) {
  RdbEntry entry;
  entry.db = db;
  entry.key = held.key();
  entry.encoding = &plain_encoding(held.type());
  entry.expire_at_ms = held.expire_at_ms;
  if (held.idle_s != KeyEntry::kNoIdle) entry.idle_s = held.idle_s;
  if (held.has_freq) entry.freq = held.freq;
  return entry;
}

}  // namespace persist
