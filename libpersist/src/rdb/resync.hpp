// Finds where, behind damage, records can be read again. Any bytes may look like a record; several in a row
// that decode deeply hardly do by chance. Each record adds evidence: so many bits as the logarithm of how
// improbable it is that random bytes look like it. man/persist-rdb.5, DAMAGE
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "persist/encoding.hpp"
#include "persist/source.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

// A chain of records that follow each other.
struct RecordChain {
  uint64_t offset = 0;     // of the first one
  uint64_t sure_from = 0;  // of the first one that does not depend on the beginning being right: what stands
                           // before it may be something else that happens to lead there
  unsigned bits = 0;       // of evidence, counted no further than need be
  bool ends = false;       // with the EOF opcode at the end of the data
};

// Evidence that a chain needs. One in 2^64 places of random bytes would have as much.
inline constexpr unsigned kChainBits = 64;
// Of one that leads to the end of the data, where an EOF opcode stands: few places can. The opcode itself has
// more, so that it is found where it is all that is left.
inline constexpr unsigned kEndingChainBits = 24;

// What a whole record says for its being one.
[[nodiscard]] unsigned evidence_of(const RdbRecord& record, Bytes bytes);

class Resync {
 public:
  // `state`: dialect and version count. `end`: where the data ends in the source; a checksum may stand before
  // it. `followed`: commands may follow the EOF opcode, so that it need not be at the end.
  Resync(ByteSource& source, const RdbState& state, uint64_t end, bool followed);
  ~Resync();
  Resync(const Resync&) = delete;
  Resync& operator=(const Resync&) = delete;

  // The best chain that begins at `from` or later, in the first stretch of bytes that has one. Those that
  // begin before `beyond` count only if they go on behind it, by what is there: so `from` may lie inside of a
  // record that reads well but is under suspicion.
  std::optional<RecordChain> find(uint64_t from, uint64_t beyond);

 private:
  struct Search;
  std::unique_ptr<Search> search_;
};

}  // namespace persist
