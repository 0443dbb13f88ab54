// Checks whether the data of several nodes make one cluster: every slot owned once, every key in one place.
// persist-check(1), CLUSTERS
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/finding.hpp"
#include "persist/replay.hpp"

namespace persist {

// The data of a node: a log, or else an RDB file.
struct ClusterMember {
  std::string name;  // for messages: its path
  std::optional<AppendSet> log;
  std::string rdb_path;
  // Which slots it owns, says the line of its nodes.conf with the flag "myself". Empty: nobody says.
  std::string nodes_conf;
};

struct ClusterOptions {
  ReplayOptions replay;  // of logs
  unsigned threads = 0;  // 0: as many as are useful
};

struct ClusterMemberSummary {
  std::string node;               // its id; empty if nobody says
  bool knows_slots = false;       // which ones it owns
  uint64_t slots = 0;             // that it owns
  uint64_t keys = 0;              // in the end
  bool complete = false;          // all of its keys could be read
  std::optional<size_t> copy_of;  // a replica, of that member: then nothing is asked of it
};

struct ClusterSummary {
  std::vector<ClusterMemberSummary> members;  // in the order given
  uint64_t keys = 0;                          // of those that are no copies
  uint64_t slots = 0;                         // that somebody owns
  bool knows_slots = false;                   // of all members: whether slots are uncovered is known then
  uint64_t keys_twice = 0;
  uint64_t keys_foreign = 0;
  uint64_t keys_beyond = 0;  // not in database 0
  uint64_t errors = 0;
  uint64_t warnings = 0;
  Reach reach = Reach::nothing;

  [[nodiscard]] bool sound() const { return errors == 0; }
};

// Of a replica whose master is not among the members, what its master owns counts. Damage of the files is not
// reported: check_rdb() and check_set() do that. All are opened by path, and twice if keys are in two of
// them. Throws std::system_error when one cannot be read.
PERSIST_API ClusterSummary check_cluster(std::span<const ClusterMember> members, FindingSink& findings,
                                         const ClusterOptions& options);

}  // namespace persist
