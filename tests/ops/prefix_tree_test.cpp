// The tree of prefixes: what its nodes are, and that they depend on the keys alone.
#include "ops/prefix_tree.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace persist;

namespace {

constexpr Bytes kSeparators = ":;,_-+@=|#";

struct TreeKey {
  std::string name;
  StatCount count;
  bool is_persistent = true;
};

void add_to(PrefixTree& tree, const TreeKey& key) { tree.add(key.name, key.count, key.is_persistent); }

// One node a line, indented: "user: 3" and its keys.
std::string tree_text(const PrefixNode& node, const std::string& indent = "") {
  std::string text = indent + (node.is_any ? "*" : node.token) + " " + std::to_string(node.count.keys) + "/" +
                     std::to_string(node.count.elements) + "/" + std::to_string(node.count.bytes) + "/" +
                     std::to_string(node.count.memory) + "/" + std::to_string(node.persistent_keys) + "\n";
  for (const PrefixNode& below : node.children) text += tree_text(below, indent + " ");
  return text;
}

std::string tree_text(const PrefixTree& tree) { return tree_text(tree.root()); }

// Keys only.
std::string shape_text(const PrefixNode& node, const std::string& indent = "") {
  std::string text = indent + (node.is_any ? "*" : node.token) + " " + std::to_string(node.count.keys) + "\n";
  for (const PrefixNode& below : node.children) text += shape_text(below, indent + " ");
  return text;
}

size_t nodes_in(const PrefixNode& node) {
  size_t nodes = 1;
  for (const PrefixNode& below : node.children) nodes += nodes_in(below);
  return nodes;
}

size_t depth_of(const PrefixNode& node) {
  size_t depth = 0;
  for (const PrefixNode& below : node.children) depth = std::max(depth, 1 + depth_of(below));
  return depth;
}

bool has_any(const PrefixNode& node) {
  return std::ranges::any_of(node.children, [](const PrefixNode& below) { return below.is_any; });
}

// Tokens whose number is drawn by level, so that some nodes collapse and others stay just below it.
std::vector<TreeKey> random_keys(unsigned seed, size_t count, const std::vector<unsigned>& widths) {
  std::mt19937 random(seed);
  std::vector<TreeKey> keys;
  for (size_t i = 0; i < count; ++i) {
    TreeKey key;
    const size_t levels = random() % (widths.size() + 1);
    unsigned way = 0;
    for (size_t level = 0; level < levels; ++level) {
      // Some branches are narrow: they collapse only together with others.
      const unsigned width = way % 3 == 0 ? widths[level] : std::max(1U, widths[level] / 8);
      way = way * 7 + static_cast<unsigned>(random()) % width;
      key.name += std::to_string(way % 10007) + ":";
    }
    key.name += "name";
    key.count = {1, random() % 10, random() % 1000, random() % 5000};
    key.is_persistent = random() % 2 == 0;
    keys.push_back(key);
  }
  return keys;
}

PrefixNode node_of(const std::string& token, uint64_t keys, std::vector<PrefixNode> children = {}) {
  PrefixNode node;
  node.token = token;
  node.is_any = token == "*";
  if (node.is_any) node.token.clear();
  node.count.keys = node.count.bytes = keys;
  node.children = std::move(children);
  return node;
}

}  // namespace

TEST_CASE("prefixes: a key is cut behind each separator") {
  struct Row {
    std::vector<std::string> keys;
    const char* shape;
  };
  const std::string long_token(PrefixTree::kTokenBytesMax - 1, 'x');
  const Row rows[] = {
      {{}, " 0\n"},
      {{""}, " 1\n"},
      {{"plain", "other"}, " 2\n"},
      {{"user:1", "user:2"}, " 2\n user: 2\n"},
      {{"user:"}, " 1\n user: 1\n"},
      {{"a:b-c", "a:b_c", "a:d"}, " 3\n a: 3\n  b- 1\n  b_ 1\n"},
      {{"::x"}, " 1\n : 1\n  : 1\n"},
      {{"1:2:3:4:5:6:7:8:9:10:x"},
       " 1\n 1: 1\n  2: 1\n   3: 1\n    4: 1\n     5: 1\n      6: 1\n       7: 1\n        8: 1\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.shape);
    PrefixTree tree(kSeparators);
    for (const std::string& key : row.keys) tree.add(key, {1, 1, 1, 1}, false);
    CHECK(shape_text(tree.root()) == row.shape);
  }
}

TEST_CASE("prefixes: how long a token may be") {
  for (const size_t before : {0U, 1U, 40U, 63U, 64U, 200U}) {
    for (const size_t size : {1U, 63U, 64U, 65U, 255U, 256U, 257U, 1000U}) {
      CAPTURE(before);
      CAPTURE(size);
      PrefixTree tree(kSeparators);
      const std::string first = before == 0 ? "" : std::string(before - 1, 'a') + ":";
      const std::string token = std::string(size - 1, 'x') + ":";
      tree.add(first + token + "rest:", {1, 1, 1, 1}, true);
      PrefixNode at = tree.root();
      if (before > 0) {
        REQUIRE(at.children.size() == 1);
        CHECK(at.children[0].token == first);
        at = PrefixNode(at.children[0]);
      }
      const bool is_short = size <= PrefixTree::kTokenBytesMax;
      REQUIRE(at.children.size() == (is_short ? 1 : 0));
      if (is_short) CHECK(at.children[0].token == token);
      if (is_short) CHECK(at.children[0].children[0].token == "rest:");
    }
  }
}

TEST_CASE("prefixes: children by their bytes, then by their token") {
  PrefixTree tree(":");
  tree.add("a:1", {1, 0, 5, 0}, true);
  tree.add("c:1", {1, 0, 9, 0}, true);
  tree.add("b:1", {1, 0, 9, 0}, false);
  CHECK(tree_text(tree) == " 3/0/23/0/2\n b: 1/0/9/0/0\n c: 1/0/9/0/1\n a: 1/0/5/0/1\n");
}

TEST_CASE("prefixes: one child too many, on every level") {
  for (size_t level = 0; level < PrefixTree::kChildrenMax.size(); ++level) {
    CAPTURE(level);
    std::string above;
    for (size_t i = 0; i < level; ++i) above += "p:";
    PrefixTree tree(":");
    const auto children = [&] {
      PrefixNode node = tree.root();
      for (size_t i = 0; i < level; ++i) node = PrefixNode(node.children.at(0));
      return node;
    };
    for (uint32_t i = 0; i < PrefixTree::kChildrenMax[level]; ++i)
      tree.add(above + std::to_string(i) + ":x", {1, 0, 0, 0}, true);
    tree.add(above + "0:y", {1, 0, 0, 0}, true);
    CHECK(children().children.size() == PrefixTree::kChildrenMax[level]);
    CHECK(!has_any(children()));
    tree.add(above + "more:x", {1, 0, 0, 0}, true);
    REQUIRE(children().children.size() == 1);
    CHECK(children().children[0].is_any);
    CHECK(children().children[0].count.keys == PrefixTree::kChildrenMax[level] + 2);
    CHECK(!tree.coarsened());
  }
}

TEST_CASE("prefixes: what is below is merged too, and may collapse by that") {
  PrefixTree tree(":");
  const uint32_t wide = PrefixTree::kChildrenMax[0];
  // Every one has a child of its own and one that all have; the first has too many grandchildren.
  for (uint32_t i = 0; i < 40; ++i) tree.add("0:same:" + std::to_string(i) + ":x", {1, 0, 0, 0}, true);
  for (uint32_t i = 0; i < wide; ++i) tree.add(std::to_string(i) + ":same:a:x", {1, 0, 0, 0}, true);
  tree.add("last:", {1, 0, 0, 0}, true);
  CHECK(shape_text(tree.root()) == " 1065\n * 1065\n  same: 1064\n   * 1064\n");
  for (uint32_t i = 0; i <= PrefixTree::kChildrenMax[1]; ++i)
    tree.add("x:" + std::to_string(i) + ":b:c:", {1, 0, 0, 0}, true);
  CHECK(shape_text(tree.root()) == " 1130\n * 1130\n  * 1129\n   * 1129\n    c: 65\n");
}

TEST_CASE("prefixes: neither the order nor the division among trees matters") {
  struct Row {
    std::vector<unsigned> widths;
    size_t keys;
    bool collapses;
  };
  const Row rows[] = {
      {{4, 3, 2}, 500, false},
      {{3, 80, 40, 20, 10}, 3000, true},
      {{1100, 3, 40, 5, 9, 9, 5, 5}, 9000, true},
      {{20, 80, 4, 40}, 6000, true},
      {{1030, 66}, 9000, true},
  };
  unsigned seed = 1;
  for (const Row& row : rows) {
    CAPTURE(row.keys);
    std::vector<TreeKey> keys = random_keys(seed, row.keys, row.widths);
    std::mt19937 random(seed++);
    PrefixTree once(kSeparators);
    for (const TreeKey& key : keys) add_to(once, key);
    const std::string expected = tree_text(once);
    REQUIRE(!once.coarsened());
    CHECK((expected.find('*') != std::string::npos) == row.collapses);
    for (int round = 0; round < 6; ++round) {
      std::ranges::shuffle(keys, random);
      PrefixTree shuffled(kSeparators);
      for (const TreeKey& key : keys) add_to(shuffled, key);
      CHECK(tree_text(shuffled) == expected);

      std::vector<PrefixTree> parts(1 + random() % 7, PrefixTree(kSeparators));
      for (const TreeKey& key : keys) add_to(parts[random() % parts.size()], key);
      while (parts.size() > 1) {
        const size_t into = random() % (parts.size() - 1);
        parts[into].merge(parts.back());
        parts.pop_back();
      }
      CHECK(tree_text(parts[0]) == expected);
    }
  }
}

TEST_CASE("prefixes: a tree as nodes and back") {
  PrefixTree tree(kSeparators);
  for (const TreeKey& key : random_keys(7, 4000, {5, 70, 40, 20})) add_to(tree, key);
  PrefixTree back(kSeparators);
  back.merge(tree.root(), false);
  CHECK(tree_text(back) == tree_text(tree));
  CHECK(!back.coarsened());
  back.merge(PrefixNode(), true);
  CHECK(back.coarsened());
}

TEST_CASE("prefixes: too large a tree is made coarser, and stays small") {
  PrefixTree tree(kSeparators);
  constexpr uint64_t kTenants = 1000;
  for (uint64_t i = 0; i < 200000; ++i) {
    const std::string key = std::to_string(i % kTenants) + ":" + std::to_string(i / kTenants % 60) + ":" +
                            std::to_string(i % 7919) + ":x";
    tree.add(key, {1, 1, 2, 3}, true);
  }
  const PrefixNode root = tree.root();
  CHECK(tree.coarsened());
  CHECK(nodes_in(root) <= PrefixTree::kNodesMax);
  CHECK(root.children.size() == kTenants);  // the first level goes by its rule
  CHECK(root.count == StatCount{200000, 200000, 400000, 600000});
  uint64_t below = 0;
  for (const PrefixNode& tenant : root.children) below += tenant.count.keys;
  CHECK(below == 200000);
  PrefixTree other(kSeparators);
  other.add("1:2:", {1, 0, 0, 0}, true);
  other.merge(tree);
  CHECK(other.coarsened());
  CHECK(other.root().count.keys == 200001);
}

TEST_CASE("prefixes: keys that go on behind the last level are bounded like any") {
  const std::string deeper[] = {"p:p:p:p:p:p:p:p:", std::string(PrefixTree::kTokenBytesMax, 'x') + ":"};
  for (const std::string& behind : deeper) {
    CAPTURE(behind.size());
    PrefixTree tree(":");
    uint64_t keys = 0;
    for (int a = 0; a < 1000; ++a)
      for (int b = 0; b < 64; ++b, ++keys)
        tree.add(std::to_string(a) + ":" + std::to_string(b) + ":c:" + behind, {1, 1, 1, 1}, true);
    CHECK(tree.coarsened());
    CHECK(nodes_in(tree.root()) <= PrefixTree::kNodesMax);
    CHECK(tree.root().count.keys == keys);
  }
}

TEST_CASE("prefixes: long tokens make a tree too large, too") {
  PrefixTree tree(kSeparators);
  const std::string filling(240, 'x');
  uint64_t keys = 0;
  for (int a = 0; a < 500; ++a)
    for (int b = 0; b < 64; ++b, ++keys)
      tree.add(std::to_string(a) + ":" + filling + std::to_string(b) + ":", {1, 1, 1, 1}, true);
  size_t token_bytes = 0;
  const PrefixNode root = tree.root();
  for (const PrefixNode& one : root.children)
    for (const PrefixNode& below : one.children) token_bytes += below.token.size();
  CHECK(tree.coarsened());
  CHECK(token_bytes <= PrefixTree::kTokensBytesMax);
  CHECK(root.children.size() == 500);
  CHECK(root.count.keys == keys);
}

TEST_CASE("prefixes: nodes that nobody has made") {
  struct Row {
    PrefixNode root;
    const char* shape;
  };
  PrefixNode deep = node_of("z:", 1);
  for (int i = 0; i < 20; ++i) deep = node_of("d:", 1, {deep});
  const Row rows[] = {
      // The same token twice, and sums that are none.
      {node_of("", 1, {node_of("a:", 5), node_of("a:", 6, {node_of("b:", 1)})}), " 1\n a: 11\n  b: 1\n"},
      // A child that stands for all, and others.
      {node_of("", 9, {node_of("a:", 5), node_of("*", 4, {node_of("b:", 1)}), node_of("c:", 1)}),
       " 9\n * 10\n  b: 1\n"},
      {node_of("", 9, {node_of("*", 4), node_of("*", 3, {node_of("*", 1), node_of("x:", 1)})}),
       " 9\n * 7\n  * 2\n"},
      // Tokens that are none.
      {node_of("", 9, {node_of(std::string(300, 'x'), 4, {node_of("a:", 1)}), node_of("b:", 1)}),
       " 9\n b: 1\n"},
      {node_of("", 9, {node_of("", 4, {node_of("a:", 1)})}), " 9\n"},
      {node_of("*", 9, {node_of("a:", 4)}), " 9\n a: 4\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.shape);
    PrefixTree tree(":");
    tree.merge(row.root, false);
    CHECK(shape_text(tree.root()) == row.shape);
  }
  PrefixTree tree(":");
  tree.merge(deep, false);
  CHECK(depth_of(tree.root()) == PrefixTree::kChildrenMax.size());
}

TEST_CASE("prefixes: more nodes than there may be") {
  PrefixNode root;
  for (int a = 0; a < 1000; ++a) {
    std::vector<PrefixNode> children;
    for (int b = 0; b < 64; ++b)
      children.push_back(node_of(std::to_string(b) + ":", 2, {node_of("x:", 1), node_of("y:", 1)}));
    root.children.push_back(node_of(std::to_string(a) + ":", 128, std::move(children)));
  }
  PrefixTree tree(":");
  tree.merge(root, false);
  CHECK(tree.coarsened());
  CHECK(nodes_in(tree.root()) <= PrefixTree::kNodesMax);
  CHECK(tree.root().children.size() == 1000);
}
