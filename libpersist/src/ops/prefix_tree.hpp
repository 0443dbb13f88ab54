// The prefixes of keys, as a tree of bounded size that comes out the same whatever order the keys come in and
// however they were divided among trees that were merged.
//
// A key is cut behind each separator; what is left behind the last one is no node. A node that would get more
// children than kChildrenMax allows on its level gets one instead that stands for all of them, and into which
// they are merged with what is below them. What a node is therefore depends on the set of keys alone. Only if
// all of it still is too large do the limits go down by half, for good: then it is said to be coarsened, and
// the order can matter.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "persist/bytes.hpp"
#include "persist/stat.hpp"

namespace persist {

class PrefixTree {
 public:
  // By level, from the root's children on; nodes below the last level do not exist.
  static constexpr std::array<uint32_t, 8> kChildrenMax = {1024, 64, 32, 16, 8, 8, 4, 4};
  static constexpr size_t kNodesMax = size_t{64} << 10;
  // Of all nodes together: more than that is too large as well.
  static constexpr size_t kTokensBytesMax = size_t{4} << 20;
  // A token longer than this is not told apart from others: it is where a key ends for the tree.
  static constexpr size_t kTokenBytesMax = 256;

  explicit PrefixTree(Bytes separators);

  void add(Bytes key, const StatCount& of_key, bool is_persistent) {
    count_of(key, is_persistent).add(of_key);
  }
  // For who adds to it without making a StatCount: what is counted where the key belongs. Until anything else
  // is added.
  StatCount& count_of(Bytes key, bool is_persistent) {
    Node& node = nodes_[deepest(key)];
    node.own_persistent_keys += static_cast<uint64_t>(is_persistent);
    return node.own;
  }
  // The same separators.
  void merge(const PrefixTree& other) { merge(other.root(), other.coarsened()); }
  // Whatever its shape: what cannot be a node is not told apart from its parent.
  void merge(const PrefixNode& root, bool coarsened);

  [[nodiscard]] PrefixNode root() const;
  [[nodiscard]] bool coarsened() const { return coarsened_; }

 private:
  // The number of a node; 0 is the root, which is nobody's child, and so stands for none as well.
  using NodeId = uint32_t;
  static constexpr NodeId kRoot = 0;
  static constexpr NodeId kNone = 0;

  struct Node {
    StatCount own;  // of keys that belong to none of its children
    uint64_t own_persistent_keys = 0;
    NodeId parent = kNone;
    NodeId first_child = kNone;
    NodeId next = kNone;      // child of the same parent; of a free node: the next free one
    NodeId any = kNone;       // its only child, which stands for all: it has collapsed
    uint32_t children = 0;    // how many
    uint32_t hash = 0;        // under which the table has it
    uint32_t token_at = 0;    // in tokens_
    uint32_t token_size = 0;  // 0: of one that stands for many
  };
  struct Place {
    uint32_t hash = 0;
    NodeId node = kNone;
  };

  void count(NodeId id, const StatCount& more, uint64_t persistent_keys) {
    Node& node = nodes_[id];
    node.own.add(more);
    node.own_persistent_keys += persistent_keys;
  }
  [[nodiscard]] uint64_t separators_in(Bytes bytes) const;

  // `level` is that of a node's children, from 0: those of the root.
  [[nodiscard]] uint32_t limit(size_t level) const {
    if (level == 0) return kChildrenMax[0];
    const uint32_t lowered = kChildrenMax[level] >> lowered_;
    return lowered == 0 ? 1 : lowered;
  }
  [[nodiscard]] bool is_too_large() const {
    return live_ > kNodesMax || tokens_.size() - unused_bytes_ > kTokensBytesMax;
  }
  [[nodiscard]] Bytes token_of(const Node& node) const {
    return Bytes(tokens_).substr(node.token_at, node.token_size);
  }
  NodeId deepest(Bytes key);
  NodeId descend(Bytes key);
  // As child(), of a node that has not collapsed; mostly the child that the key before had there.
  NodeId step(NodeId parent, Bytes token, size_t level);
  [[nodiscard]] uint32_t hash_of(NodeId parent, Bytes token) const;
  [[nodiscard]] NodeId find(NodeId parent, Bytes token, uint32_t hash) const;
  NodeId child(NodeId parent, Bytes token, size_t level);
  NodeId any_child(NodeId parent, size_t level);
  NodeId make_child(NodeId parent, Bytes token, uint32_t hash);
  NodeId make_node();
  void link(NodeId parent, NodeId node);

  void collapse(NodeId node, size_t level);
  void set_any(NodeId node, NodeId any, size_t level);
  void absorb(NodeId into, NodeId from, size_t level);
  void place(NodeId into, NodeId node, size_t level);
  void lower_limits() {
    if (is_too_large()) [[unlikely]]
      thin_out_all();
  }
  void thin_out_all();
  void thin_out(NodeId node, size_t level);

  void merge_node(const PrefixNode& node, std::vector<const PrefixNode*>& path);
  NodeId reach(const std::vector<const PrefixNode*>& path);
  void copy_below(NodeId node, PrefixNode& to) const;

  void enter(NodeId node);
  void leave(NodeId node);
  void grow_table();
  void keep_token(Node& node, Bytes token);
  void drop_token(Node& node);

  std::array<bool, 256> is_separator_{};
  uint64_t seed_;
  std::vector<Node> nodes_;
  NodeId free_ = kNone;
  size_t live_ = 1;           // nodes that are not free
  std::vector<Place> table_;  // by parent and token; a power of two, at most half full
  size_t entered_ = 0;
  std::array<NodeId, kChildrenMax.size()> last_{};  // what step() gave on each level, if it is still there
  std::string tokens_;
  size_t unused_bytes_ = 0;  // of them: of nodes that are gone
  unsigned lowered_ = 0;     // how often the limits below the first level were halved
  bool coarsened_ = false;
};

}  // namespace persist
