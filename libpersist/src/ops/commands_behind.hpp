// Where, behind damaged RDB data, the commands of a log begin.
#pragma once

#include <optional>

#include "aof/record_probe.hpp"
#include "rdb/resync.hpp"

namespace persist {

class CommandsBehind {
 public:
  // The source must outlive it.
  explicit CommandsBehind(ByteSource& source) : source_(source) {}

  // At `at` or later, and before `chain`: of what looks like records, if commands go on undamaged over it.
  std::optional<uint64_t> find(uint64_t at, const std::optional<RecordChain>& chain);

 private:
  ByteSource& source_;
  std::optional<RecordProbe::Place> place_;  // the same for many gaps: looked for once
};

}  // namespace persist
