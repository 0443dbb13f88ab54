// How a log is replayed into the dataset that a server would hold: what the verbs that do so have in common.
// persist-dump(1), LOGS
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/encoding.hpp"
#include "persist/finding.hpp"
#include "persist/source.hpp"

namespace persist {

// A release of a server.
struct ServerVersion {
  Dialect family = Dialect::redis;
  unsigned version = 0;  // major * 100 + minor

  bool operator==(const ServerVersion&) const = default;
};

// "redis-7.2", "valkey-8.1.1": a patch level is taken and ignored. Absent if the text is none.
PERSIST_API std::optional<ServerVersion> parse_server_version(Bytes name);
PERSIST_API std::string server_version_name(const ServerVersion& server);

struct ReplayOptions {
  // Whose rules are followed. Absent: those of the server that wrote the set, as far as that can be told.
  std::optional<ServerVersion> as;
  // Commands of modules are passed over instead of ending the replay: what they changed is then missing.
  bool skip_module_commands = false;
  // What relative times are counted from, which only logs of servers up to 6.2 have; milliseconds since the
  // epoch. Absent: when the last file of the set was written.
  std::optional<int64_t> now_ms;
  // Redis from 7.4 on does not see hash fields whose time has passed while it loads, so that what it ends
  // with depends on when it does that. Absent: the state as it was when the log was written.
  std::optional<int64_t> load_at_ms;
  std::function<std::unique_ptr<ByteSource>(const SetPart&)> open;  // empty: by path
  std::function<void(uint64_t offset)> progress;
};

struct ReplaySummary {
  bool is_log = true;        // false: the one file begins with neither a command nor an RDB part
  bool refused = false;      // a command could not be replayed: a finding says which and why
  bool complete = true;      // false: damage ended the replay before the end of the set
  ServerVersion server;      // whose rules were followed
  bool server_known = true;  // false: guessed from the commands in the log
  uint64_t commands = 0;
  uint64_t changed = 0;
  uint64_t unchanged = 0;
  uint64_t failed = 0;           // that the server would have answered with an error
  uint64_t module_commands = 0;  // that were skipped
  uint64_t keys = 0;             // in the end
  Reach reach = Reach::nothing;
};

}  // namespace persist
