// nodes.conf is read once a member. Each has its own view of the cluster; what it says of itself counts.
#include "ops/cluster_members.hpp"

#include <algorithm>
#include <stdexcept>

namespace persist {

namespace {

constexpr Bytes kTheCluster = "cluster";

void mark(std::bitset<kClusterSlots>& slots, const std::vector<SlotRange>& ranges) {
  for (const SlotRange& range : ranges)
    for (uint64_t slot = range.first; slot <= range.last; ++slot) slots.set(slot);
}

const ClusterNode& myself_in(const std::vector<ClusterNode>& nodes, const std::string& path) {
  const auto myself = std::ranges::find_if(nodes, &ClusterNode::is_myself);
  if (myself == nodes.end()) throw std::invalid_argument(path + ": no node has the flag myself");
  return *myself;
}

ClusterRole role_in(const std::vector<ClusterNode>& nodes, const std::string& path) {
  const ClusterNode& myself = myself_in(nodes, path);
  ClusterRole role;
  role.is_master = myself.is_master;
  role.owner = myself.is_master || myself.master.empty() ? myself.id : myself.master;
  const auto owner = std::ranges::find(nodes, role.owner, &ClusterNode::id);
  if (owner == nodes.end()) return role;
  role.known = true;
  role.slots = owner->slots;
  mark(role.owned, owner->slots);
  mark(role.importing, owner->importing);
  return role;
}

// What a message says of a file, behind its name: "conf:3: id: ...", "conf: too large...".
std::string without_path(Bytes message, const std::string& path) {
  if (message.starts_with(path)) message.remove_prefix(path.size());
  const bool has_line = message.size() > 1 && message[0] == ':' && message[1] >= '0' && message[1] <= '9';
  message.remove_prefix(std::min(message.find_first_not_of(": "), message.size()));
  return (has_line ? "line " : "") + std::string(message);
}

Finding about_slots(FindingCode code, const std::string& file, const SlotRange& slots) {
  Finding finding;
  finding.code = code;
  finding.file = file;
  finding.subject = slots.first == slots.last ? "slot" : "slots";
  finding.found = slot_range_text(slots);
  return finding;
}

// A replica has what its master has. Of several without their master, the first stands for it.
void find_copies(std::vector<ClusterRole>& roles) {
  for (size_t i = 0; i < roles.size(); ++i) {
    if (roles[i].owner.empty() || roles[i].is_master) continue;
    for (size_t other = 0; other < roles.size() && !roles[i].copy_of; ++other) {
      const bool stands_for_it = roles[other].is_master || other < i;
      if (other != i && roles[other].owner == roles[i].owner && !roles[other].copy_of && stands_for_it)
        roles[i].copy_of = other;
    }
  }
}

}  // namespace

std::vector<ClusterRole> cluster_roles(std::span<const ClusterMember> members, FindingSink& findings) {
  std::vector<ClusterRole> roles;
  for (const ClusterMember& member : members) {
    ClusterRole& role = roles.emplace_back();
    if (member.nodes_conf.empty()) continue;
    try {
      role = role_in(read_nodes_conf(member.nodes_conf), member.nodes_conf);
    } catch (const std::invalid_argument& error) {
      Finding finding;
      finding.code = FindingCode::cluster_nodes_conf;
      finding.file = member.nodes_conf;
      finding.found = without_path(error.what(), member.nodes_conf);
      findings.report(finding);
    }
  }
  find_copies(roles);
  return roles;
}

uint64_t check_coverage(std::span<const ClusterMember> members, std::span<const ClusterRole> roles,
                        FindingSink& findings) {
  SlotMap owners;
  bool all_known = true;
  for (size_t i = 0; i < roles.size(); ++i) {
    if (roles[i].copy_of) continue;
    all_known = all_known && roles[i].known;
    for (const SlotRange& range : roles[i].slots) {
      for (const SlotMap::Clash& clash : owners.assign(range, i)) {
        Finding finding = about_slots(FindingCode::cluster_slot_twice, members[i].nodes_conf, clash.slots);
        finding.found += ", which " + members[clash.owner].name + " owns, too";
        findings.report(finding);
      }
    }
  }
  uint64_t owned = kClusterSlots;
  for (const SlotRange& range : owners.unowned()) {
    owned -= range.last - range.first + 1;
    if (all_known)
      findings.report(about_slots(FindingCode::cluster_slot_uncovered, std::string(kTheCluster), range));
  }
  return owned;
}

}  // namespace persist
