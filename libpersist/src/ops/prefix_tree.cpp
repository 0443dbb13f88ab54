// Nodes in one vector, their children as linked lists, and one table that finds a child by its parent and its
// token. Nodes that are merged away are used again at once; tokens are packed when half of their bytes are
// of such nodes.
//
// Merging nodes makes none: the first of the children becomes the one that stands for all.
#include "ops/prefix_tree.hpp"

#include <algorithm>
#include <bit>

#include "base/endian.hpp"
#include "base/hash64.hpp"

namespace persist {

namespace {

constexpr size_t kStretch = 64;  // bytes of a key that are looked at together
constexpr size_t kPlacesMin = 64;
// Fewer bytes of tokens than this are not worth packing.
constexpr size_t kUnusedBytesMin = size_t{64} << 10;

// Tokens are short: a call would take longer than to compare them.
bool is_same(Bytes a, Bytes b) {
  constexpr size_t kShort = 16;
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size < sizeof(uint32_t) || size > kShort) return a == b;
  const auto same = [&]<typename Word>(Word /*of*/) {
    const size_t behind = size - sizeof(Word);
    return load_le<Word>(a.data()) == load_le<Word>(b.data()) &&
           load_le<Word>(a.data() + behind) == load_le<Word>(b.data() + behind);
  };
  return size < sizeof(uint64_t) ? same(uint32_t{}) : same(uint64_t{});
}

bool is_prefix_before(const PrefixNode& a, const PrefixNode& b) {
  if (a.count.bytes != b.count.bytes) return a.count.bytes > b.count.bytes;
  return a.token < b.token;
}

// What cannot be told apart from its parent is not.
bool may_be_child(const PrefixNode& node) {
  return node.is_any || (!node.token.empty() && node.token.size() <= PrefixTree::kTokenBytesMax);
}

}  // namespace

PrefixTree::PrefixTree(Bytes separators) : seed_(random_seed()), nodes_(1), table_(kPlacesMin) {
  for (const char c : separators) is_separator_[static_cast<uint8_t>(c)] = true;
}

// Which of up to 64 bytes are separators, a bit each: a loop without branches costs less than one that ends
// wherever a separator may stand, and one over eight bytes less than eight of them.
uint64_t PrefixTree::separators_in(Bytes bytes) const {
  const auto bit = [&](size_t i) { return uint64_t{is_separator_[static_cast<uint8_t>(bytes[i])]}; };
  uint64_t found = 0;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    const uint64_t low = bit(i) | bit(i + 1) << 1 | bit(i + 2) << 2 | bit(i + 3) << 3;
    const uint64_t high = bit(i + 4) | bit(i + 5) << 1 | bit(i + 6) << 2 | bit(i + 7) << 3;
    found |= (low | high << 4) << i;
  }
  for (; i < bytes.size(); ++i) found |= bit(i) << i;
  return found;
}

// Where a key belongs; nodes on the way there are made.
PrefixTree::NodeId PrefixTree::deepest(Bytes key) {
  NodeId id = descend(key);
  while (is_too_large()) [[unlikely]] {
      thin_out_all();
      id = descend(key);
    }
  return id;
}

PrefixTree::NodeId PrefixTree::descend(Bytes key) {
  NodeId id = kRoot;
  size_t begin = 0;
  size_t level = 0;
  for (size_t at = 0; at < key.size() && at - begin <= kTokenBytesMax; at += kStretch) {
    for (uint64_t left = separators_in(key.substr(at, kStretch)); left != 0; left &= left - 1) {
      const size_t end = at + static_cast<size_t>(std::countr_zero(left)) + 1;
      if (level == kChildrenMax.size() || end - begin > kTokenBytesMax) return id;
      const NodeId any = nodes_[id].any;
      id = any != kNone ? any : step(id, key.substr(begin, end - begin), level);
      begin = end;
      ++level;
    }
  }
  return id;
}

// --- Children
// -------------------------------------------------------------------------------------------------

PrefixTree::NodeId PrefixTree::step(NodeId parent, Bytes token, size_t level) {
  const Node& last = nodes_[last_[level]];
  if (last_[level] == kNone || last.parent != parent || !is_same(token_of(last), token))
    last_[level] = child(parent, token, level);
  return last_[level];
}

uint32_t PrefixTree::hash_of(NodeId parent, Bytes token) const {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  return static_cast<uint32_t>(hash64(token, seed_ + parent * kOdd));
}

PrefixTree::NodeId PrefixTree::find(NodeId parent, Bytes token, uint32_t hash) const {
  const size_t mask = table_.size() - 1;
  for (size_t at = hash & mask; table_[at].node != kNone; at = (at + 1) & mask) {
    if (table_[at].hash != hash) continue;
    const Node& node = nodes_[table_[at].node];
    if (node.parent == parent && is_same(token_of(node), token)) return table_[at].node;
  }
  return kNone;
}

// Of a node that has not collapsed.
PrefixTree::NodeId PrefixTree::child(NodeId parent, Bytes token, size_t level) {
  const uint32_t hash = hash_of(parent, token);
  if (const NodeId found = find(parent, token, hash); found != kNone) [[likely]]
    return found;
  if (nodes_[parent].children < limit(level)) return make_child(parent, token, hash);
  collapse(parent, level);
  return nodes_[parent].any;
}

// The child that stands for all: the node has collapsed if it had not.
PrefixTree::NodeId PrefixTree::any_child(NodeId parent, size_t level) {
  if (nodes_[parent].any != kNone) return nodes_[parent].any;
  if (nodes_[parent].children > 0) {
    collapse(parent, level);
  } else {
    const NodeId any = make_node();
    set_any(parent, any, level);
  }
  return nodes_[parent].any;
}

PrefixTree::NodeId PrefixTree::make_child(NodeId parent, Bytes token, uint32_t hash) {
  const NodeId id = make_node();
  keep_token(nodes_[id], token);
  nodes_[id].hash = hash;
  link(parent, id);
  enter(id);
  return id;
}

PrefixTree::NodeId PrefixTree::make_node() {
  ++live_;
  if (free_ == kNone) {
    nodes_.emplace_back();
    return static_cast<NodeId>(nodes_.size() - 1);
  }
  const NodeId id = free_;
  free_ = nodes_[id].next;
  nodes_[id] = Node();
  return id;
}

void PrefixTree::link(NodeId parent, NodeId node) {
  nodes_[node].parent = parent;
  nodes_[node].next = nodes_[parent].first_child;
  nodes_[parent].first_child = node;
  ++nodes_[parent].children;
}

// --- Merging nodes
// --------------------------------------------------------------------------------------------

// A node that has children, none of which stands for all.
void PrefixTree::collapse(NodeId node, size_t level) {
  const NodeId any = nodes_[node].first_child;
  nodes_[node].first_child = nodes_[any].next;
  leave(any);
  drop_token(nodes_[any]);
  set_any(node, any, level);
}

// `any` becomes its only child; those that it had are merged into that.
void PrefixTree::set_any(NodeId node, NodeId any, size_t level) {
  NodeId next = nodes_[node].first_child;
  nodes_[node].first_child = kNone;
  nodes_[node].children = 0;
  nodes_[node].any = any;
  link(node, any);
  while (next != kNone) {
    const NodeId merged = next;
    next = nodes_[merged].next;
    leave(merged);
    absorb(any, merged, level + 1);
  }
}

// Merges `from`, which nobody has as a child any more, into `into`. `level` is that of their children.
void PrefixTree::absorb(NodeId into, NodeId from, size_t level) {
  count(into, nodes_[from].own, nodes_[from].own_persistent_keys);
  NodeId next = nodes_[from].first_child;
  const bool has_collapsed = nodes_[from].any != kNone;
  drop_token(nodes_[from]);
  nodes_[from].next = free_;
  free_ = from;
  --live_;
  if (has_collapsed) {
    if (nodes_[into].any == kNone)
      set_any(into, next, level);
    else
      absorb(nodes_[into].any, next, level + 1);
    return;
  }
  while (next != kNone) {
    const NodeId moved = next;
    next = nodes_[moved].next;
    leave(moved);
    place(into, moved, level);
  }
}

// A node with a token becomes a child of `into`, or part of one.
void PrefixTree::place(NodeId into, NodeId node, size_t level) {
  if (nodes_[into].any == kNone) {
    const Bytes token = token_of(nodes_[node]);
    const uint32_t hash = hash_of(into, token);
    const NodeId equal = find(into, token, hash);
    if (equal != kNone) return absorb(equal, node, level + 1);
    if (nodes_[into].children < limit(level)) {
      nodes_[node].hash = hash;
      link(into, node);
      return enter(node);
    }
    collapse(into, level);
  }
  absorb(nodes_[into].any, node, level + 1);
}

// It ends with limits of one below the first level: 1024 chains of eight nodes are small enough.
void PrefixTree::thin_out_all() {
  coarsened_ = true;
  while (is_too_large()) {
    ++lowered_;
    thin_out(kRoot, 0);
  }
}

void PrefixTree::thin_out(NodeId node, size_t level) {
  if (level == kChildrenMax.size()) return;
  if (nodes_[node].any == kNone && nodes_[node].children > limit(level)) collapse(node, level);
  for (NodeId next = nodes_[node].first_child; next != kNone; next = nodes_[next].next)
    thin_out(next, level + 1);
}

// --- Other trees
// ----------------------------------------------------------------------------------------------

void PrefixTree::merge(const PrefixNode& root, bool coarsened) {
  coarsened_ = coarsened_ || coarsened;
  std::vector<const PrefixNode*> path;
  merge_node(root, path);
}

// Every node is looked for from the root on: the limits may go down between any two. Counts that do not add
// up come out as they went in: what is more than 64 bits on the way down is so again on the way up.
void PrefixTree::merge_node(const PrefixNode& node, std::vector<const PrefixNode*>& path) {
  const bool may_have_children = path.size() < kChildrenMax.size();
  StatCount own = node.count;
  uint64_t own_persistent_keys = node.persistent_keys;
  for (const PrefixNode& below : node.children) {
    if (!may_have_children || !may_be_child(below)) continue;
    own.subtract(below.count);
    own_persistent_keys -= below.persistent_keys;
  }
  count(reach(path), own, own_persistent_keys);
  lower_limits();
  for (const PrefixNode& below : node.children) {
    if (!may_have_children || !may_be_child(below)) continue;
    path.push_back(&below);
    merge_node(below, path);
    path.pop_back();
  }
}

PrefixTree::NodeId PrefixTree::reach(const std::vector<const PrefixNode*>& path) {
  NodeId id = kRoot;
  for (size_t level = 0; level < path.size(); ++level) {
    const bool is_any = path[level]->is_any || nodes_[id].any != kNone;
    id = is_any ? any_child(id, level) : child(id, path[level]->token, level);
  }
  return id;
}

PrefixNode PrefixTree::root() const {
  PrefixNode root;
  copy_below(kRoot, root);
  return root;
}

void PrefixTree::copy_below(NodeId node, PrefixNode& to) const {
  const Node& from = nodes_[node];
  to.token = std::string(token_of(from));
  to.count = from.own;
  to.persistent_keys = from.own_persistent_keys;
  to.children.reserve(from.children);
  for (NodeId next = from.first_child; next != kNone; next = nodes_[next].next) {
    PrefixNode& below = to.children.emplace_back();
    below.is_any = next == from.any;
    copy_below(next, below);
    to.count.add(below.count);
    to.persistent_keys += below.persistent_keys;
  }
  std::ranges::sort(to.children, is_prefix_before);
}

// --- The table and the tokens
// ---------------------------------------------------------------------------------

void PrefixTree::enter(NodeId node) {
  if (++entered_ * 2 > table_.size()) grow_table();
  const size_t mask = table_.size() - 1;
  size_t at = nodes_[node].hash & mask;
  while (table_[at].node != kNone) at = (at + 1) & mask;
  table_[at] = {nodes_[node].hash, node};
}

void PrefixTree::grow_table() {
  std::vector<Place> old(table_.size() * 2);
  old.swap(table_);
  const size_t mask = table_.size() - 1;
  for (const Place& moved : old) {
    if (moved.node == kNone) continue;
    size_t at = moved.hash & mask;
    while (table_[at].node != kNone) at = (at + 1) & mask;
    table_[at] = moved;
  }
}

// Those behind it that were pushed on by it move up, so that a search never meets a gap.
void PrefixTree::leave(NodeId node) {
  last_ = {};
  --entered_;
  const size_t mask = table_.size() - 1;
  size_t gap = nodes_[node].hash & mask;
  while (table_[gap].node != node) gap = (gap + 1) & mask;
  for (size_t at = (gap + 1) & mask; table_[at].node != kNone; at = (at + 1) & mask) {
    const size_t home = table_[at].hash & mask;
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    table_[gap] = table_[at];
    gap = at;
  }
  table_[gap] = Place();
}

void PrefixTree::keep_token(Node& node, Bytes token) {
  if (unused_bytes_ > kUnusedBytesMin && unused_bytes_ > tokens_.size() / 2) {
    std::string packed;
    packed.reserve(tokens_.size() - unused_bytes_ + token.size());
    for (Node& kept : nodes_) {
      const Bytes of_kept = token_of(kept);
      kept.token_at = static_cast<uint32_t>(packed.size());
      packed += of_kept;
    }
    tokens_ = std::move(packed);
    unused_bytes_ = 0;
  }
  node.token_at = static_cast<uint32_t>(tokens_.size());
  node.token_size = static_cast<uint32_t>(token.size());
  tokens_ += token;
}

void PrefixTree::drop_token(Node& node) {
  unused_bytes_ += node.token_size;
  node.token_size = 0;
}

}  // namespace persist
