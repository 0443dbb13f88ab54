// Logs: read by windows of every size, whole and by beginnings, they are the same records, one behind the
// other and without a gap; what stands in a pipe is never read twice.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "aof/log_walk.hpp"
#include "support/drip_source.hpp"

namespace {

using namespace persist;

void require(bool holds) {
  if (!holds) std::abort();
}

// Enough to tell two records apart.
struct Record {
  LogStep step;
  Extent extent;
  uint64_t arguments;
  bool in_multi;
  FindingCode code;
  bool operator==(const Record&) const = default;
};

std::vector<Record> read(ByteSource& source, Hold hold) {
  std::vector<Record> records;
  LogWalk walk(source, 0, hold, {});
  uint64_t at = 0;
  for (LogStep step; (step = walk.next()) != LogStep::end;) {
    const bool damage = step == LogStep::damage;
    const Extent extent = damage ? walk.damage().extent : walk.record().extent();
    // An open transaction is told of behind its commands.
    const bool open = damage && walk.damage().subject == "transaction";
    require(open ? extent.end() == at : extent.offset == at);
    require(extent.size > 0);
    at = extent.end();
    require(walk.sound_up_to() <= at);
    const bool command = step == LogStep::command;
    if (command) {
      require(!walk.record().args().empty());
      require(walk.record().args().size() <= walk.record().argument_count());
      require(hold == Hold::beginnings || walk.record().shows_all());
    }
    records.push_back({step, extent, command ? walk.record().argument_count() : 0, walk.in_multi(),
                       damage ? walk.damage().code : FindingCode{}});
  }
  return records;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes log(reinterpret_cast<const char*>(data), size);
  const auto memory = memory_source(log);
  const std::vector<Record> records = read(*memory, Hold::whole);
  require(records.empty() || records.back().extent.end() == size);
  require(read(*memory, Hold::beginnings) == records);
  test::DripSource small_windows(log, true);
  require(read(small_windows, Hold::whole) == records);
  require(read(small_windows, Hold::beginnings) == records);
  // A pipe is searched from where it stands; up to the first damage it is the same.
  test::DripSource pipe(log, false);
  const std::vector<Record> piped = read(pipe, Hold::beginnings);
  const auto is_damage = [](const Record& record) { return record.step == LogStep::damage; };
  const auto first = std::find_if(records.begin(), records.end(), is_damage);
  require(piped.size() >= static_cast<size_t>(first - records.begin()));
  require(std::equal(records.begin(), first, piped.begin()));
  return 0;
}
