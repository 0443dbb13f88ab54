// Which server wrote an RDB file, as its beginning tells.
#pragma once

#include <optional>

#include "persist/rdb_reader.hpp"
#include "persist/replay.hpp"
#include "persist/source.hpp"

namespace persist {

class RdbOrigin {
 public:
  void take(const RdbHeader& header);
  void take(const AuxField& aux);

  // Absent before the header. Of a build that is no release: the first release that writes such a header, or
  // one later than all if there is none.
  [[nodiscard]] const std::optional<ServerVersion>& server() const { return server_; }

 private:
  std::optional<ServerVersion> server_;
};

// What stands in front of the first key of an RDB file.
struct RdbHead {
  bool found = false;  // there is a header
  RdbHeader header;
  std::optional<ServerVersion> server;  // as RdbOrigin tells it
  std::optional<int64_t> ctime_s;       // when it was written, seconds since the epoch
};
// The beginning of the source stays to be read.
[[nodiscard]] RdbHead read_rdb_head(ByteSource& source);

}  // namespace persist
