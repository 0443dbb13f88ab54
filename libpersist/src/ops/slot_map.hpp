// Who owns which slots of a cluster, as users and nodes.conf say it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "persist/rdb_reader.hpp"

namespace persist {

inline constexpr unsigned kClusterSlots = 16384;

// "7", "0-5460"
[[nodiscard]] std::string slot_range_text(const SlotRange& range);

// "0-5460,5461-10922,7", in that order. Throws std::invalid_argument.
[[nodiscard]] std::vector<SlotRange> parse_slot_ranges(Bytes text);

// As many ranges, of the sizes that `redis-cli --cluster create` gives to masters.
[[nodiscard]] std::vector<SlotRange> equal_slot_ranges(unsigned count);

// A line of nodes.conf.
struct ClusterNode {
  std::string id;
  std::string host;  // an address, or a name where there is none; may be empty
  std::string port;
  bool is_myself = false;
  bool is_master = false;
  std::string master;                // of a replica: the id of its master
  std::vector<SlotRange> slots;      // that it owns
  std::vector<SlotRange> importing;  // that it is taking over
};

// `name` is for messages. Throws std::invalid_argument with name and line.
[[nodiscard]] std::vector<ClusterNode> parse_nodes_conf(Bytes text, const std::string& name);
// Throws std::system_error, too.
[[nodiscard]] std::vector<ClusterNode> read_nodes_conf(const std::string& path);

// The owner of each slot.
class SlotMap {
 public:
  static constexpr size_t kNobody = ~size_t{0};

  SlotMap() { owners_.fill(kNobody); }

  // The slots of the range that are free become the owner's. What others own already comes back, as ranges
  // of one owner each.
  struct Clash {
    SlotRange slots;
    size_t owner = kNobody;
  };
  std::vector<Clash> assign(const SlotRange& range, size_t owner);

  [[nodiscard]] size_t owner_of(unsigned slot) const { return owners_[slot]; }
  [[nodiscard]] std::vector<SlotRange> unowned() const;

 private:
  std::array<size_t, kClusterSlots> owners_;
};

}  // namespace persist
