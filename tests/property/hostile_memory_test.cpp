// Files that promise more than they hold, read by the real binary with little address space: they are damaged
// (exit status 1 or 3), never too much for memory (2), and nothing ends it by a signal.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "support/files.hpp"
#include "support/rdb_builder.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

// A sanitizer maps terabytes: a limit on the address space makes no sense then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PERSIST_NO_LIMITS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define PERSIST_NO_LIMITS
#endif
#endif

#ifndef PERSIST_NO_LIMITS

namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kAllowance = 256 * kMiB;

// The exit status, or the negative number of the signal. The child sees `limit` bytes of address space.
int run(const std::vector<std::string>& arguments, uint64_t limit) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int descriptor : {0, 1, 2}) ::dup2(nowhere, descriptor);
    const rlimit space{limit, limit};
    ::setrlimit(RLIMIT_AS, &space);
    ::execv(argv.front(), argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// What the binary needs to read a file of nothing.
uint64_t baseline(const std::string& path) {
  for (uint64_t limit = 8 * kMiB;; limit += 4 * kMiB) {
    if (run({PERSIST_BINARY, "check", "--threads", "1", path}, limit) == 0) return limit;
    REQUIRE(limit < 4096 * kMiB);
  }
}

struct Hostile {
  Bytes name;
  std::string file;
};

// A compressed string of `packed` bytes that inflates to 88 times as many, and states `stated`.
std::string bomb(size_t packed, uint64_t stated) {
  std::string stream("\0a", 2);
  while (stream.size() + 3 <= packed) stream += lzf_reference(1, 264);
  return "\xc3" + length(stream.size()) + length(stated) + stream;
}

uint64_t bomb_size(size_t packed) { return 1 + (packed - 2) / 3 * 264; }

RdbBuilder file14() { return RdbBuilder(redis, 14).select(0); }

void add_lengths(std::vector<Hostile>& all) {
  constexpr uint64_t kHuge[] = {uint64_t{1} << 32, uint64_t{1} << 60, uint64_t{1} << 63, ~uint64_t{0}};
  for (const uint64_t huge : kHuge) {
    const std::string length_bytes = long_length(huge);
    all.push_back({"key length", file14().raw(Bytes("\0", 1)).raw(length_bytes).raw("k").eof()});
    all.push_back({"string length", file14().key(0, "k").raw(length_bytes).raw("v").eof()});
    all.push_back({"AUX length", file14().raw("\xfa").raw(length_bytes).raw("v").eof()});
    all.push_back({"function length", file14().raw("\xf5").raw(length_bytes).raw("v").eof()});
    for (const Encoding* encoding : encodings())
      all.push_back(
          {"count", file14().key(encoding->code, "k").raw(length_bytes).raw(std::string(100, '\1')).eof()});
    all.push_back({"hash TTL count", file14().key(24, "k").raw(le(int64_t{5})).raw(length_bytes).eof()});
    all.push_back({"slot ranges", RdbBuilder(valkey, 80).raw("\xf3").str("j").raw(length_bytes).eof()});
    for (int field = 0; field < 5; ++field) {
      // Lengths of the empty stream; number of groups, pending, consumers, their IDs.
      RdbBuilder stream = file14();
      stream.key(21, "k").raw(std::string(9, '\0'));
      Bytes parts[] = {"", "01 0167 0000 00", "01 0167 0000 00 00",
                       "01 0167 0000 00 00 01 0163 "
                       "0000000000000000 0000000000000000",
                       "00"};
      all.push_back({"stream group part", stream.raw(unhex(parts[field])).raw(length_bytes).eof()});
    }
  }
}

void add_bombs(std::vector<Hostile>& all) {
  for (const uint64_t stated : {uint64_t{1} << 30, uint64_t{1} << 40, uint64_t{1} << 62, ~uint64_t{0}}) {
    all.push_back({"bomb that overstates", file14().key(0, "k").raw(bomb(300'000, stated)).eof()});
    all.push_back({"bomb in a list", file14().key(1, "k").len(2).raw(bomb(300'000, stated)).str("a").eof()});
    all.push_back({"bomb as a set member", file14().key(2, "k").len(1).raw(bomb(300'000, stated)).eof()});
    all.push_back({"bomb as a container", file14().key(16, "k").raw(bomb(300'000, stated)).eof()});
    all.push_back({"bomb as a key", file14().raw(Bytes("\0", 1)).raw(bomb(300'000, stated)).str("v").eof()});
  }
  const size_t packed = 900'000;  // inflates to 75 MiB
  all.push_back(
      {"bomb that is no listpack", file14().key(16, "k").raw(bomb(packed, bomb_size(packed))).eof()});
  all.push_back(
      {"bomb that is no ziplist", file14().key(10, "k").raw(bomb(packed, bomb_size(packed))).eof()});
  all.push_back({"bomb that is no intset", file14().key(11, "k").raw(bomb(packed, bomb_size(packed))).eof()});
  all.push_back({"bomb that is no zipmap", file14().key(9, "k").raw(bomb(packed, bomb_size(packed))).eof()});
  RdbBuilder many = file14();
  many.key(18, "k").len(40);
  for (int i = 0; i < 40; ++i) many.len(2).raw(bomb(200'000, bomb_size(200'000)));
  all.push_back({"many bombs in one list", many.eof()});
}

// A compressed string: `head`, then `count` times the byte `fill`, then `tail`.
std::string run_string(const std::string& head, char fill, size_t count, const std::string& tail) {
  std::string stream = lzf_literals(head + fill);
  size_t left = count - 1;
  for (; left >= 264; left -= 264) stream += lzf_reference(1, 264);
  stream += lzf_literals(std::string(left, fill) + tail);
  return "\xc3" + length(stream.size()) + length(head.size() + count + tail.size()) + stream;
}

// A node whose listpack inflates to some 20 MiB, one string, and claims as many fields as could be.
void add_nodes(std::vector<Hostile>& all) {
  constexpr size_t kFill = 20 * kMiB;
  for (const int64_t claimed : {int64_t{10'000'000}, int64_t{1'000'000}}) {
    ListpackBuilder own;
    for (const int number : {1, 0, 0, 0, 0, 0, 0}) own.add_number(number);
    ListpackBuilder names;
    names.add_number(1).add_number(0);
    for (ListpackBuilder* node : {&own, &names}) {
      node->add_number(claimed).raw("\xf0" + le(static_cast<uint32_t>(kFill)), 1);
      const std::string behind = listpack_backlen(5 + kFill) + "\xff";
      node->total(static_cast<uint32_t>(node->bytes().size() + kFill + behind.size() - 1));
      const std::string head = node->bytes();
      RdbBuilder stream = file14();
      stream.key(15, "k")
          .len(1)
          .str(raw_id({1, 1}))
          .raw(run_string(head.substr(0, head.size() - 1), 'x', kFill, behind));
      all.push_back({"stream node of many fields", stream.len(1).len(1).len(1).len(0).eof()});
    }
  }
}

void add_many(std::vector<Hostile>& all) {
  constexpr size_t kMillion = 1'000'000;
  RdbBuilder groups = file14();
  groups.key(15, "k").len(0).len(0).len(0).len(0).len(kMillion);
  for (size_t i = 0; i < kMillion; ++i) groups.raw(Bytes("\0\0\0\0\0", 5));
  all.push_back({"a million groups of nothing", groups.eof()});
  RdbBuilder consumers = file14();
  consumers.key(15, "k").len(0).len(0).len(0).len(0).len(1).str("g").len(0).len(0).len(0).len(kMillion);
  for (size_t i = 0; i < kMillion; ++i) consumers.raw(std::string(10, '\0'));
  all.push_back({"a million consumers without a name", consumers.eof()});
  RdbBuilder members = file14();
  members.key(2, "k").len(kMillion);
  for (size_t i = 0; i < kMillion; ++i) members.raw(Bytes("\0", 1));
  all.push_back({"a million times the same member", members.eof()});
  RdbBuilder keys = file14();
  for (size_t i = 0; i < kMillion; ++i) keys.raw(Bytes("\0\0\0", 3));
  all.push_back({"a million times the same key", keys.eof()});
  RdbBuilder broken = file14();
  for (size_t i = 0; i < kMillion / 2; ++i) broken.raw(Bytes("\x14\0\x01x", 4));
  all.push_back({"half a million broken values", broken.eof()});
}

std::vector<Hostile> hostile_files() {
  std::vector<Hostile> all;
  add_lengths(all);
  add_bombs(all);
  add_nodes(all);
  add_many(all);
  return all;
}

}  // namespace

TEST_CASE("hostile files: damaged, and no more than that") {
  const TempFolder folder;
  const uint64_t limit = kAllowance + baseline(folder.file("empty.rdb", RdbBuilder(redis, 11).eof()));
  for (const Hostile& hostile : hostile_files()) {
    CAPTURE(hostile.name);
    CAPTURE(hostile.file.size());
    const std::string path = folder.file("hostile.rdb", hostile.file);
    const int checked = run({PERSIST_BINARY, "check", "--threads", "1", path}, limit);
    CHECK((checked == 1 || checked == 3));
    // The dump does not look at what values mean: it may find nothing wrong.
    const int dumped = run({PERSIST_BINARY, "dump", "--threads", "1", path}, limit);
    CHECK((dumped == 0 || dumped == 1 || dumped == 3));
  }
}

TEST_CASE("hostile files: the same through a gzip stream, where sizes are not known") {
  const TempFolder folder;
  const uint64_t limit = kAllowance + baseline(folder.file("empty.rdb", RdbBuilder(redis, 11).eof()));
  std::vector<Hostile> all;
  add_lengths(all);
  add_bombs(all);
  for (const Hostile& hostile : all) {
    CAPTURE(hostile.name);
    const std::string path = folder.file("hostile.rdb.gz", gzip_of(hostile.file));
    const int checked = run({PERSIST_BINARY, "check", "--threads", "1", path}, limit);
    CHECK((checked == 1 || checked == 3));
    const int dumped = run({PERSIST_BINARY, "dump", "--threads", "1", path}, limit);
    CHECK((dumped == 1 || dumped == 3));
  }
}

// Nothing is wrong with these: a small file that means much. What is written goes out as it is made; no more
// than the largest string needs to be in memory.
TEST_CASE("hostile files: sound ones that inflate") {
  const TempFolder folder;
  const uint64_t limit = kAllowance + baseline(folder.file("empty.rdb", RdbBuilder(redis, 11).eof()));
  const std::string nuls = run_string("", '\0', 30 * kMiB, "");  // six characters each in JSON
  RdbBuilder list = file14();
  list.key(1, "k").len(60);
  for (int i = 0; i < 60; ++i) list.raw(run_string("", 'x', 10 * kMiB, ""));
  RdbBuilder keys = file14();
  for (int i = 0; i < 60; ++i) keys.key(0, std::to_string(i)).raw(run_string("", 'x', 10 * kMiB, ""));
  const Hostile all[] = {
      {"a string", file14().key(0, "k").raw(nuls).eof()},
      {"a list", list.eof()},
      {"many keys", keys.eof()},
  };
  for (const Hostile& hostile : all) {
    CAPTURE(hostile.name);
    CAPTURE(hostile.file.size());
    const std::string path = folder.file("hostile.rdb", hostile.file);
    CHECK(run({PERSIST_BINARY, "check", "--threads", "1", path}, limit) == 0);
    CHECK(run({PERSIST_BINARY, "dump", "--threads", "1", path}, limit) == 0);
  }
}

#endif
