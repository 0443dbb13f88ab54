// The nodes of a cluster check: which slots each of them owns, and whose data is a copy of another's.
#pragma once

#include <bitset>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ops/slot_map.hpp"
#include "persist/check_cluster.hpp"

namespace persist {

// What the nodes.conf of a member says of it.
struct ClusterRole {
  bool known = false;
  bool is_master = false;
  std::string owner;  // its id, or that of its master
  std::vector<SlotRange> slots;
  std::bitset<kClusterSlots> owned;
  std::bitset<kClusterSlots> importing;  // keys of these may be there already
  std::optional<size_t> copy_of;
};

// Reports what is wrong with nodes.conf. The order is that of the members.
[[nodiscard]] std::vector<ClusterRole> cluster_roles(std::span<const ClusterMember> members,
                                                     FindingSink& findings);

// Reports slots that two of them own and, if all are known, those that nobody does. How many are owned.
uint64_t check_coverage(std::span<const ClusterMember> members, std::span<const ClusterRole> roles,
                        FindingSink& findings);

}  // namespace persist
