// The graph by which servers search a vector set: a hierarchical navigable small world (Malkov and Yashunin,
// 2016). Payloads hold it, and servers refuse one that is not sound: every link must have its way back, on a
// layer that both ends reach, and no end may have more links than room.
//
// Servers draw levels at random. Here they follow from the numbers of the nodes, so that the same set gives
// the same graph. How links are chosen is much like the servers' way, and searches find about as much.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/vector_set.hpp"

namespace persist {

struct GraphLink {
  uint32_t node;
  float distance;
};

class VectorGraph {
 public:
  // Of the elements in their order, which are not copied. Takes time for n log n comparisons of vectors.
  VectorGraph(const VectorSet::Elements& elements, Quantisation quantisation, uint32_t dimension,
              uint32_t links_max);

  [[nodiscard]] uint32_t level(uint32_t node) const {
    return static_cast<uint32_t>(nodes_[node].layers.size()) - 1;
  }
  // In ascending order of nodes.
  [[nodiscard]] std::span<const GraphLink> links(uint32_t node, uint32_t layer) const {
    return nodes_[node].layers[layer];
  }
  // How many links a node may have on a layer; some have a few more.
  [[nodiscard]] uint32_t room(uint32_t layer) const { return layer == 0 ? 2 * links_max_ : links_max_; }

 private:
  using Links = std::vector<GraphLink>;
  struct Node {
    const VectorElement* element;
    std::vector<Links> layers;
  };

  // From 0, the same, to 2, the opposite.
  [[nodiscard]] float distance(uint32_t a, uint32_t b) const;
  [[nodiscard]] float raw_distance(const VectorElement& a, const VectorElement& b) const;
  Links search(uint32_t node, uint32_t from, size_t breadth, uint32_t layer);
  void insert(uint32_t node);
  void link_node(uint32_t node, uint32_t layer, const Links& candidates);
  void connect(uint32_t node, uint32_t layer, const GraphLink& to);
  bool make_room(const GraphLink& candidate, uint32_t layer);
  [[nodiscard]] bool has_room(uint32_t node, uint32_t layer) const;
  [[nodiscard]] bool is_covered(const GraphLink& candidate, const Links& own) const;

  Quantisation quantisation_;
  uint32_t dimension_;
  uint32_t links_max_;
  std::vector<Node> nodes_;
  uint32_t entry_ = 0;                // a node of the highest level so far
  std::vector<uint32_t> visited_in_;  // by which search each node was seen last
  uint32_t searches_ = 0;
};

}  // namespace persist
