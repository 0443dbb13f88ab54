// Building the graph: one node after the other, each linked to the nearest of those before it.
#include "engine/vector_graph.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/endian.hpp"

namespace persist {

namespace {

constexpr uint32_t kLevelMax = 16;    // servers refuse more
constexpr size_t kLinksMost = 16384;  // of any node: what servers load

// Candidates looked at for links. Servers take 200, and their searches find hardly more for it.
constexpr size_t kBreadth = 100;

bool is_nearer(const GraphLink& a, const GraphLink& b) {
  return a.distance != b.distance ? a.distance < b.distance : a.node < b.node;
}
bool is_farther(const GraphLink& a, const GraphLink& b) { return is_nearer(b, a); }

// A quarter of the nodes reach layer 1, a quarter of these layer 2...
uint32_t level_of(uint64_t node) {
  uint64_t mixed = (node + 1) * 0x9e3779b97f4a7c15U;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
  mixed ^= mixed >> 31;
  return std::min(static_cast<uint32_t>(std::countr_zero(mixed)) / 2, kLevelMax);
}

// Sums are kept apart so that machines can add several at a time.
template <typename Sum, typename Component>
Sum product_of(const std::string& a, const std::string& b, uint32_t dimension) {
  constexpr size_t kSums = 16;
  constexpr size_t kStep = kSums * sizeof(Component);
  const auto term = [&](size_t at) {
    return static_cast<Sum>(load_le<Component>(a.data() + at)) *
           static_cast<Sum>(load_le<Component>(b.data() + at));
  };
  std::array<Sum, kSums> sums{};
  const size_t end = dimension * sizeof(Component);
  size_t at = 0;
  for (; at + kStep <= end; at += kStep)
    for (size_t i = 0; i < kSums; ++i) sums[i] += term(at + i * sizeof(Component));
  for (; at < end; at += sizeof(Component)) sums[0] += term(at);
  return std::accumulate(sums.begin(), sums.end(), Sum{0});
}

float distance_of_floats(const VectorElement& a, const VectorElement& b, uint32_t dimension) {
  return 1 - product_of<float, float>(a.vector, b.vector, dimension);
}

float distance_of_q8(const VectorElement& a, const VectorElement& b, uint32_t dimension) {
  constexpr float kSteps = 127;
  // 65536 * 128 * 128 at most: no overflow.
  const auto product = product_of<int32_t, int8_t>(a.vector, b.vector, dimension);
  return 1 - static_cast<float>(product) * (a.range / kSteps) * (b.range / kSteps);
}

float distance_of_bits(const VectorElement& a, const VectorElement& b, uint32_t dimension) {
  int opposite = 0;
  for (size_t at = 0; at < a.vector.size(); at += sizeof(uint64_t))
    opposite +=
        std::popcount(load_le<uint64_t>(a.vector.data() + at) ^ load_le<uint64_t>(b.vector.data() + at));
  return static_cast<float>(opposite) * 2 / static_cast<float>(dimension);
}

}  // namespace

VectorGraph::VectorGraph(const VectorSet::Elements& elements, Quantisation quantisation, uint32_t dimension,
                         uint32_t links_max)
    : quantisation_(quantisation),
      dimension_(dimension),
      links_max_(links_max),
      visited_in_(elements.size()) {
  nodes_.reserve(elements.size());
  for (const auto& [name, element] : elements)
    nodes_.push_back({&element, std::vector<Links>(level_of(nodes_.size()) + 1)});
  for (uint32_t node = 1; node < nodes_.size(); ++node) insert(node);
  const auto by_node = [](const GraphLink& a, const GraphLink& b) { return a.node < b.node; };
  for (Node& node : nodes_)
    for (Links& links : node.layers) std::sort(links.begin(), links.end(), by_node);
}

float VectorGraph::raw_distance(const VectorElement& a, const VectorElement& b) const {
  if (quantisation_ == Quantisation::none) return distance_of_floats(a, b, dimension_);
  if (quantisation_ == Quantisation::q8) return distance_of_q8(a, b, dimension_);
  return distance_of_bits(a, b, dimension_);
}

// Vectors may hold nan, which has no place in an order.
float VectorGraph::distance(uint32_t a, uint32_t b) const {
  constexpr float kOpposite = 2;
  const float raw = raw_distance(*nodes_[a].element, *nodes_[b].element);
  return std::isnan(raw) ? kOpposite : raw;
}

// The nearest to `node` that are found from there on, up to `breadth`, nearest first.
VectorGraph::Links VectorGraph::search(uint32_t node, uint32_t from, size_t breadth, uint32_t layer) {
  ++searches_;
  visited_in_[from] = searches_;
  Links found{{from, distance(node, from)}};  // a heap, the farthest on top
  Links open = found;                         // a heap, the nearest on top
  while (!open.empty()) {
    const GraphLink current = open.front();
    if (found.size() >= breadth && is_farther(current, found.front())) break;
    std::pop_heap(open.begin(), open.end(), is_farther);
    open.pop_back();
    for (const GraphLink& link : nodes_[current.node].layers[layer]) {
      if (visited_in_[link.node] == searches_) continue;
      visited_in_[link.node] = searches_;
      const GraphLink next{link.node, distance(node, link.node)};
      if (found.size() >= breadth) {
        if (!is_nearer(next, found.front())) continue;
        std::pop_heap(found.begin(), found.end(), is_nearer);
        found.pop_back();
      }
      found.push_back(next);
      std::push_heap(found.begin(), found.end(), is_nearer);
      open.push_back(next);
      std::push_heap(open.begin(), open.end(), is_farther);
    }
  }
  std::sort(found.begin(), found.end(), is_nearer);
  return found;
}

void VectorGraph::insert(uint32_t node) {
  const uint32_t top = level(entry_);
  uint32_t nearest = entry_;
  for (uint32_t layer = top; layer > level(node); --layer)
    nearest = search(node, nearest, 1, layer).front().node;
  for (uint32_t layer = std::min(level(node), top) + 1; layer-- > 0;) {
    const Links candidates = search(node, nearest, kBreadth, layer);
    nearest = candidates.front().node;
    link_node(node, layer, candidates);
  }
  if (level(node) > top) entry_ = node;
}

bool VectorGraph::has_room(uint32_t node, uint32_t layer) const {
  return nodes_[node].layers[layer].size() < room(layer);
}

// Whether one of the links leads nearer to the candidate than the candidate is.
bool VectorGraph::is_covered(const GraphLink& candidate, const Links& own) const {
  return std::any_of(own.begin(), own.end(), [&](const GraphLink& link) {
    return distance(candidate.node, link.node) < candidate.distance;
  });
}

// If the candidate is full, it gives up its farthest link for one to a nearer node, unless the other end of
// that link has few.
bool VectorGraph::make_room(const GraphLink& candidate, uint32_t layer) {
  if (has_room(candidate.node, layer)) return true;
  Links& links = nodes_[candidate.node].layers[layer];
  const auto farthest = std::max_element(links.begin(), links.end(), is_nearer);
  Links& others = nodes_[farthest->node].layers[layer];
  if (farthest->distance <= candidate.distance || others.size() <= links_max_ / 2) return false;
  std::erase_if(others, [&](const GraphLink& link) { return link.node == candidate.node; });
  links.erase(farthest);
  return true;
}

void VectorGraph::connect(uint32_t node, uint32_t layer, const GraphLink& to) {
  nodes_[node].layers[layer].push_back(to);
  nodes_[to.node].layers[layer].push_back({node, to.distance});
}

// First those that lead into different directions, then, up to half of the links, the nearest; and if all are
// full, one of them has to take one more.
void VectorGraph::link_node(uint32_t node, uint32_t layer, const Links& candidates) {
  const Links& own = nodes_[node].layers[layer];
  std::vector<bool> taken(candidates.size());
  for (size_t i = 0; i < candidates.size() && own.size() < links_max_; ++i) {
    if (is_covered(candidates[i], own) || !make_room(candidates[i], layer)) continue;
    connect(node, layer, candidates[i]);
    taken[i] = true;
  }
  for (size_t i = 0; i < candidates.size() && own.size() < links_max_ / 2; ++i)
    if (!taken[i] && has_room(candidates[i].node, layer)) connect(node, layer, candidates[i]);
  if (!own.empty()) return;
  const auto link_count = [&](const GraphLink& link) { return nodes_[link.node].layers[layer].size(); };
  const auto emptiest =
      std::min_element(candidates.begin(), candidates.end(),
                       [&](const GraphLink& a, const GraphLink& b) { return link_count(a) < link_count(b); });
  if (link_count(*emptiest) < kLinksMost) connect(node, layer, *emptiest);
}

}  // namespace persist
