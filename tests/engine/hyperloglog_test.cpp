// HyperLogLogs: the bytes and cardinalities that servers have after the same commands, and values that are
// none.
#include "engine/hyperloglog.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "base/sha1.hpp"
#include "support/bytes_builder.hpp"

using namespace persist;
using namespace persist::test;
using namespace std::string_literals;

namespace {

std::string element(size_t i) { return "element:" + std::to_string(i); }

// PFADD of elements [first, end) to a value.
void add_elements(std::string& value, size_t first, size_t end) {
  for (size_t i = first; i < end; ++i) (void)hll_add(value, element(i));
}

std::string with_elements(size_t first, size_t end) {
  std::string value = new_hyperloglog();
  add_elements(value, first, end);
  return value;
}

std::string sparse(const std::string& opcodes) { return "HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80"s + opcodes; }

std::string dense_of(std::string value) {
  REQUIRE(hll_to_dense(value));
  return value;
}

bool is_dense(const std::string& value) { return value[4] == 0; }

}  // namespace

TEST_CASE("a HyperLogLog grows as that of a server") {
  std::string value = new_hyperloglog();
  CHECK(value == "HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff"s);
  CHECK(hll_cached(value) == 0);
  const char* const kFirstBytes[] = {"48594c4c0100000000000000000000806081805f7c",
                                     "48594c4c010000000000000000000080448e805bf1805f7c",
                                     "48594c4c010000000000000000000080448e8050c8804b27805f7c"};
  for (size_t i = 0; i < std::size(kFirstBytes); ++i) {
    CHECK(hll_add(value, element(i)) == HllChange::changed);
    CHECK(hex(value) == kFirstBytes[i]);
    CHECK(hll_add(value, element(i)) == HllChange::unchanged);
    CHECK(hex(value) == kFirstBytes[i]);
  }
}

TEST_CASE("bytes and cardinality are those of Redis 7.0") {
  struct Stage {
    size_t elements;
    size_t size;
    uint64_t cardinality;
    const char* sha1;  // of the value, the cache holding the cardinality of the row before, invalid
  };
  const Stage kStages[] = {
      {10, 48, 10, "dd7cf3784918baa4c956f1723b1cebdb193228f7"},
      {100, 285, 99, "7459ce723e60c1e28c51049e9d7b94aefaa41573"},
      {500, 1050, 502, "9f04e22687312022cc87e6e64a368224c03edda8"},
      {1000, 1897, 997, "dfa0062724c1e7fea3af69df2a0c40c3e2c9c730"},
      {1200, 2230, 1198, "8067fca5a30bdec409a5bc63eb06d734a4cbb7fe"},
      {1300, 2387, 1294, "25938dbe610cecee425f9c07afaf66794b836e20"},
      {1400, 2558, 1397, "d3533d3b65f6197ce277964e15c11086ea742037"},
      {1500, 2722, 1500, "01648ac68319d1d752223329569e7226e57cf64c"},
      {3500, 12304, 3499, "6468d53c56f53b00af33a1208a875df7c58952d2"},
      {20000, 12304, 19986, "462e4d84e4a57c7315829475193390a5d14d7042"},
  };
  std::string value = new_hyperloglog();
  size_t added = 0;
  for (const Stage& stage : kStages) {
    CAPTURE(stage.elements);
    add_elements(value, added, stage.elements);
    added = stage.elements;
    CHECK(value.size() == stage.size);
    CHECK(to_hex(sha1(value)) == stage.sha1);
    CHECK_FALSE(hll_cached(value));
    const auto count = hll_count(value, HllEstimator::ertl);
    CHECK(count == stage.cardinality);
    // What is stored is found again; what changes the registers makes it invalid.
    hll_store_cached(value, count.value_or(0));
    CHECK(hll_cached(value) == count);
    CHECK(hll_add(value, element(0)) == HllChange::unchanged);
    CHECK(hll_cached(value) == count);
    hll_invalidate(value);
  }
}

TEST_CASE("every generation of servers estimates its own way") {
  struct Row {
    size_t elements;
    uint64_t raw;
    uint64_t log_log_beta;
    uint64_t ertl;
  };
  const Row kRows[] = {{1, 1, 1, 1},
                       {10, 10, 10, 10},
                       {300, 300, 301, 301},
                       {1000, 996, 996, 997},
                       {5000, 5003, 5007, 5005},
                       {20000, 19988, 19984, 19986},
                       {50000, 49711, 49717, 49716},
                       {100000, 100030, 100039, 100039}};
  std::string value = new_hyperloglog();
  size_t added = 0;
  for (const Row& row : kRows) {
    CAPTURE(row.elements);
    add_elements(value, added, row.elements);
    added = row.elements;
    CHECK(hll_count(value, HllEstimator::raw) == row.raw);
    CHECK(hll_count(value, HllEstimator::log_log_beta) == row.log_log_beta);
    CHECK(hll_count(value, HllEstimator::ertl) == row.ertl);
  }
}

TEST_CASE("merging takes the larger registers, in the form that the version prefers") {
  const std::string left = with_elements(0, 300);
  const std::string right = with_elements(200, 500);
  const std::vector<Bytes> both = {left, right};
  std::string merged = new_hyperloglog();
  REQUIRE(hll_merge(merged, both, HllMergeResult::dense_if_any));
  CHECK_FALSE(hll_cached(merged));
  CHECK_FALSE(is_dense(merged));
  // The same registers, though another sparse form than adding the elements one by one has.
  CHECK(dense_of(merged) == dense_of(with_elements(0, 500)));

  std::string old = new_hyperloglog();
  REQUIRE(hll_merge(old, both, HllMergeResult::dense));
  CHECK(old == dense_of(with_elements(0, 500)));

  const std::string dense = dense_of(right);
  const std::vector<Bytes> with_dense = {left, dense};
  std::string joined = new_hyperloglog();
  REQUIRE(hll_merge(joined, with_dense, HllMergeResult::dense_if_any));
  CHECK(joined == old);
  CHECK(hll_count_union(with_dense, HllEstimator::ertl) == hll_count(old, HllEstimator::ertl));

  // Too many registers for the limit.
  std::string small = new_hyperloglog();
  REQUIRE(hll_merge(small, both, HllMergeResult::dense_if_any, 100));
  CHECK(small == old);

  // Nothing to merge: the cache is invalid all the same.
  std::string lonely = new_hyperloglog();
  REQUIRE(hll_merge(lonely, {}, HllMergeResult::dense_if_any));
  CHECK(lonely == sparse("\x7f\xff"));
}

TEST_CASE("the form follows the limit") {
  std::string value = new_hyperloglog();
  CHECK(hll_add(value, "a", 18) == HllChange::changed);
  CHECK(is_dense(value));
  value = with_elements(0, 50);
  const std::string before = value;
  hll_store_cached(value, 7);
  CHECK(hll_to_dense(value));
  CHECK(value.size() == 12304);
  CHECK(hll_cached(value) == 7);
  CHECK(hll_count(value, HllEstimator::ertl) == hll_count(before, HllEstimator::ertl));
  const std::string dense = value;
  CHECK(hll_to_dense(value));
  CHECK(value == dense);
}

TEST_CASE("the header tells what is a HyperLogLog") {
  const struct {
    std::string value;
    bool is_one;
  } kRows[] = {
      {"", false},
      {"HYLL", false},
      {sparse("").substr(0, 15), false},
      {sparse(""), true},
      {sparse("\x7f\xff"), true},
      {"hYLL" + sparse("").substr(4), false},
      {"HYLL\x02" + sparse("").substr(5), false},
      {"HYLL\0"s + sparse("").substr(5), false},
      {"HYLL\0"s + std::string(12299, '\0'), true},
      {"HYLL\0"s + std::string(12300, '\0'), false},
  };
  for (const auto& row : kRows) {
    CAPTURE(hex(row.value.substr(0, 20)));
    CHECK(is_hyperloglog(row.value) == row.is_one);
  }
}

TEST_CASE("registers that are not 16384 are corrupt") {
  const std::string kRows[] = {
      sparse(""),
      sparse("\x7f"),                               // half an opcode
      sparse("\x7f\xfe"),                           // one register short
      sparse("\x7f\xff\x80"),                       // one too many
      sparse("\x7f\xff\x7f\xff"),                   // twice
      sparse(std::string(40000, '\0')),             // 40000 times one
      sparse(std::string(4096, '\xff') + "\x7f"s),  // half an opcode behind enough
  };
  for (const std::string& corrupt : kRows) {
    CAPTURE(hex(corrupt.substr(0, 30)));
    REQUIRE(is_hyperloglog(corrupt));
    CHECK_FALSE(hll_count(corrupt, HllEstimator::ertl));
    std::string value = corrupt;
    CHECK_FALSE(hll_to_dense(value));
    CHECK_FALSE(hll_merge(value, {}, HllMergeResult::dense));
    CHECK(value == corrupt);
    std::string target = new_hyperloglog();
    const Bytes source = corrupt;
    CHECK_FALSE(hll_merge(target, {&source, 1}, HllMergeResult::dense_if_any));
    CHECK(target == new_hyperloglog());
  }
  // Adding looks no further than the register, which is the server's way: this one is covered, that one not.
  std::string value = sparse("\x7f\xfe");
  CHECK(hll_add(value, element(0)) == HllChange::changed);
  value = sparse("\x40\x01");
  CHECK(hll_add(value, element(0)) == HllChange::corrupt);
  CHECK(value == sparse("\x40\x01"));
}

TEST_CASE("registers beyond what elements reach are counted without trouble") {
  const std::string value = "HYLL\0\0\0\0\0\0\0\0\0\0\0\x80"s + std::string(12288, '\xff');
  for (const HllEstimator estimator : {HllEstimator::raw, HllEstimator::log_log_beta, HllEstimator::ertl})
    CHECK(hll_count(value, estimator).has_value());
}
