// Finding equal hashes, members and keys: few and many, in memory, spilled, and without room to spill.
#include "ops/duplicates.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <random>
#include <thread>

#include "ops/member_set.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr size_t kRoomy = size_t{64} << 20;
constexpr size_t kTight = size_t{1} << 20;

constexpr size_t kMany = 1'500'000;

// More keys than a check keeps in memory.
constexpr size_t kManyKeys = 2'200'000;

// Puts back what TMPDIR was.
class TmpDir {
 public:
  explicit TmpDir(const std::string& path) {
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    ::setenv("TMPDIR", path.c_str(), 1);
  }
  ~TmpDir() {
    if (before_)
      ::setenv("TMPDIR", before_->c_str(), 1);
    else
      ::unsetenv("TMPDIR");
  }
  TmpDir(const TmpDir&) = delete;
  TmpDir& operator=(const TmpDir&) = delete;

 private:
  std::optional<std::string> before_;
};

// `count` distinct hashes.
std::vector<uint64_t> distinct(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> hashes(count);
  for (uint64_t& hash : hashes) hash = random();
  std::ranges::sort(hashes);
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  std::ranges::shuffle(hashes, random);
  return hashes;
}

void add_all(DuplicateHashes& to, const std::vector<uint64_t>& hashes) {
  DuplicateHashes::Appender& appender = to.appender();
  for (const uint64_t hash : hashes) appender.add(hash);
}

std::vector<uint64_t> find_in(DuplicateHashes& hashes, unsigned threads = 1) {
  std::vector<uint64_t> found = hashes.find(threads);
  std::ranges::sort(found);
  return found;
}

// A few from all over, twice or more often.
std::vector<uint64_t> with_repeats(std::vector<uint64_t>& hashes) {
  std::vector<uint64_t> repeated;
  for (size_t i = 7; i < hashes.size(); i += hashes.size() / 20 + 1) repeated.push_back(hashes[i]);
  for (int times = 0; times < 2; ++times) hashes.insert(hashes.end(), repeated.begin(), repeated.end());
  std::ranges::sort(repeated);
  return repeated;
}

}  // namespace

TEST_CASE("duplicates: none, few, extreme values") {
  DuplicateHashes none(kRoomy);
  CHECK(none.find(1).empty());
  DuplicateHashes few(kRoomy);
  add_all(few, {0, 1, 0, ~uint64_t{0}, 5, ~uint64_t{0}, 5, 5});
  const std::vector<uint64_t> found = find_in(few);
  CHECK(std::ranges::binary_search(found, 5));
  CHECK(std::ranges::binary_search(found, ~uint64_t{0}));
  CHECK(few.complete());
}

TEST_CASE("duplicates: in one partition, and all over") {
  for (const size_t count : {size_t{100}, size_t{5'000}, size_t{200'000}}) {
    std::vector<uint64_t> hashes = distinct(count, count);
    const std::vector<uint64_t> repeated = with_repeats(hashes);
    DuplicateHashes all_over(kRoomy);
    add_all(all_over, hashes);
    CHECK(find_in(all_over, 2) == repeated);
    std::vector<uint64_t> together;
    for (const uint64_t hash : distinct(count, count + 1))
      together.push_back((hash >> 8) | (uint64_t{0xab} << 56));
    std::ranges::sort(together);
    together.erase(std::unique(together.begin(), together.end()), together.end());
    const std::vector<uint64_t> repeated_together = with_repeats(together);
    DuplicateHashes in_one(kRoomy);
    add_all(in_one, together);
    CHECK(find_in(in_one) == repeated_together);
  }
}

TEST_CASE("duplicates: more than stay in memory go to a file without a name") {
  const TempFolder folder;
  const TmpDir set(folder.path());
  std::vector<uint64_t> hashes = distinct(kMany, 3);
  const std::vector<uint64_t> repeated = with_repeats(hashes);
  for (const unsigned threads : {1U, 3U}) {
    DuplicateHashes all(kTight);
    add_all(all, hashes);
    CHECK(find_in(all, threads) == repeated);
    CHECK(all.complete());
    CHECK(folder.names().empty());
  }
}

TEST_CASE("duplicates: several threads add") {
  std::vector<uint64_t> hashes = distinct(kMany / 3, 4);
  const std::vector<uint64_t> repeated = with_repeats(hashes);
  DuplicateHashes all(kTight);
  std::vector<std::thread> threads;
  for (size_t part = 0; part < 4; ++part) {
    threads.emplace_back([&, part] {
      DuplicateHashes::Appender& appender = all.appender();
      for (size_t i = part; i < hashes.size(); i += 4) appender.add(hashes[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(find_in(all, 2) == repeated);
}

TEST_CASE("duplicates: without a folder to spill to, it says that it does not know") {
  const TempFolder folder;
  const TmpDir set(folder.path("absent"));
  DuplicateHashes all(kTight);
  add_all(all, distinct(kMany, 5));
  find_in(all);
  CHECK_FALSE(all.complete());
  DuplicateHashes small(kTight);
  add_all(small, {1, 2, 2});
  CHECK(find_in(small) == std::vector<uint64_t>{2});
  CHECK(small.complete());
}

TEST_CASE("member set: small and large, over and over") {
  MemberSet set(42);
  for (const size_t count : {0U, 1U, 500U, 513U, 5'000U, 70'000U, 300'000U, 10U}) {
    CAPTURE(count);
    set.begin();
    for (size_t i = 0; i < count; ++i) set.add("member:" + std::to_string(i));
    CHECK_FALSE(set.suspect().has_value());
    if (count == 0) continue;
    set.begin();
    for (size_t i = 0; i < count; ++i) set.add("member:" + std::to_string(i));
    const std::string twice = "member:" + std::to_string(count / 2);
    set.add(twice);
    CHECK(set.suspect() == set.hash_of(twice));
  }
}

TEST_CASE("member set: more rounds than the marks of rounds can count") {
  MemberSet set(1);
  for (int round = 0; round < 140'000; ++round) {
    set.begin();
    set.add("a");
    set.add("b");
    REQUIRE_FALSE(set.suspect().has_value());
  }
  set.add("a");
  CHECK(set.suspect().has_value());
}

namespace {

std::string many_keys(size_t count, bool with_duplicate) {
  RdbBuilder builder(redis, 11);
  builder.select(0);
  for (size_t i = 0; i < count; ++i) builder.string(std::to_string(i), "");
  if (with_duplicate) builder.string("5", "again").select(1).string("7", "elsewhere");
  return builder.eof();
}

}  // namespace

TEST_CASE("keys: twice in one database, named with both places") {
  const std::string file = RdbBuilder(redis, 11)
                               .select(0)
                               .string("a", "1")
                               .string("b", "2")
                               .select(1)
                               .string("a", "3")
                               .select(0)
                               .list("a", {"4"})
                               .eof();
  const Checked checked = check(file);
  REQUIRE(checked.findings.size() == 1);
  const Finding& finding = checked.findings.front();
  CHECK(finding.code == FindingCode::rdb_duplicate_key);
  CHECK(finding.key == "a");
  CHECK(finding.db == 0);
  CHECK(finding.record == "list");
  CHECK(finding.extent.offset == 9 + 2 + 5 + 5 + 2 + 5 + 2);
  CHECK(finding.found.find("0xb") != std::string::npos);
  CHECK(checked.summary.keys == 4);
}

TEST_CASE("keys: duplicates from what can be read once only are told without a name") {
  PipedSource pipe(RdbBuilder(redis, 11).string("a", "1").string("a", "2").eof());
  const Checked checked = check(pipe.source());
  CHECK(joined(ids_of(checked.findings)) == "rdb.duplicate-key\n");
  CHECK_FALSE(checked.findings.front().key.has_value());
}

TEST_CASE("keys: duplicates among very many") {
  const TempFolder folder;
  const TmpDir set(folder.path());
  const Checked checked = check(many_keys(kManyKeys, true));
  REQUIRE(joined(ids_of(checked.findings)) == "rdb.duplicate-key\n");
  CHECK(checked.findings.front().key == "5");
  CHECK(checked.summary.keys == kManyKeys + 2);
}

TEST_CASE("keys: without a folder to spill to, the check says so and goes on") {
  const TempFolder folder;
  const TmpDir set(folder.path("absent"));
  const Checked checked = check(many_keys(kManyKeys, false));
  CHECK(joined(ids_of(checked.findings)) == "rdb.duplicates-unknown\n");
  CHECK(checked.summary.sound());
}
