// Output folders that appear whole or not at all.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <system_error>

#include "persist/sink.hpp"
#include "support/bytes_builder.hpp"
#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

using Names = std::vector<std::string>;

void fill(AtomicFolder& folder, const std::string& content) {
  folder.create("a")->write(content);
  folder.create("sub/b")->write(content + "!");
}

// What fill() wrote is there, and nothing else.
void check_filled(const std::string& path, const std::string& content) {
  CHECK(names_in(path) == Names{"a", "sub"});
  CHECK(names_in(path + "/sub") == Names{"b"});
  CHECK(read_file(path + "/a") == content);
  CHECK(read_file(path + "/sub/b") == content + "!");
}

// A folder as fill() makes it.
std::string filled(const TempFolder& folder, const std::string& name, const std::string& content) {
  AtomicFolder made(folder.path(name), Existing::refuse);
  fill(made, content);
  made.commit();
  return folder.path(name);
}

int open_error(const std::string& path, Existing existing) {
  return error_of([&] { AtomicFolder folder(path, existing); }, path);
}

constexpr std::array kAll = {Existing::refuse, Existing::replace, Existing::back_up};

}  // namespace

TEST_CASE("AtomicFolder: appears with commit, and not before") {
  const TempFolder folder;
  const std::string path = folder.path("out");
  AtomicFolder made(path, Existing::refuse);
  fill(made, "x");
  CHECK(::access(path.c_str(), F_OK) != 0);
  CHECK(folder.names().size() == 1);
  CHECK(folder.names().front().starts_with('.'));
  CHECK(made.path_of("a") == made.temporary() + "/a");
  CHECK(read_file(made.path_of("sub/b")) == "x!");
  made.commit();
  CHECK(made.temporary().empty());
  CHECK(made.path_of("a") == path + "/a");
  CHECK(folder.names() == Names{"out"});
  check_filled(path, "x");
}

TEST_CASE("AtomicFolder: without commit no trace is left") {
  const TempFolder folder;
  const std::string old = filled(folder, "out", "old");
  for (const Existing existing : {Existing::replace, Existing::back_up}) {
    AtomicFolder dropped(old, existing);
    fill(dropped, noise(100'000));
  }
  CHECK(folder.names() == Names{"out"});
  check_filled(old, "old");
}

TEST_CASE("AtomicFolder: an empty one") {
  const TempFolder folder;
  AtomicFolder made(folder.path("out/"), Existing::refuse);
  made.commit();
  CHECK(folder.names() == Names{"out"});
  CHECK(names_in(folder.path("out")).empty());
}

TEST_CASE("AtomicFolder: nothing existing is replaced unasked") {
  const TempFolder folder;
  const std::string old = filled(folder, "out", "old");
  CHECK(open_error(old, Existing::refuse) == EEXIST);
  {
    AtomicFolder late(folder.path("late"), Existing::refuse);
    fill(late, "ours");
    REQUIRE(::mkdir(folder.path("late").c_str(), 0777) == 0);
    CHECK(error_of([&] { late.commit(); }, folder.path("late")) == EEXIST);
  }
  CHECK(folder.names() == Names{"late", "out"});
  CHECK(names_in(folder.path("late")).empty());
}

TEST_CASE("AtomicFolder: replaced as a whole") {
  const TempFolder folder;
  const std::string outside = folder.file("outside", "kept");
  const std::string old = filled(folder, "out", "old");
  write_file(old + "/extra", "old");
  REQUIRE(::symlink(folder.path().c_str(), (old + "/link").c_str()) == 0);
  AtomicFolder made(old, Existing::replace);
  fill(made, "new");
  CHECK(read_file(old + "/a") == "old");
  made.commit();
  check_filled(old, "new");
  CHECK(folder.names() == Names{"out", "outside"});
  CHECK(read_file(outside) == "kept");
  CHECK(made.backup().empty());
}

TEST_CASE("AtomicFolder: backups take the first name that is free") {
  const TempFolder folder;
  const std::string path = filled(folder, "out", "first");
  write_file(path + ".bak.1", "somebody else's");
  for (const std::string content : {"second", "third"}) {
    AtomicFolder made(path, Existing::back_up);
    fill(made, content);
    made.commit();
    check_filled(path, content);
    CHECK(made.backup() == path + (content == "second" ? ".bak" : ".bak.2"));
  }
  CHECK(folder.names() == Names{"out", "out.bak", "out.bak.1", "out.bak.2"});
  check_filled(path + ".bak", "first");
  check_filled(path + ".bak.2", "second");
}

TEST_CASE("AtomicFolder: what a link leads to is replaced") {
  const TempFolder folder;
  const TempFolder elsewhere;
  const std::string old = filled(elsewhere, "old", "old");
  REQUIRE(::symlink((old + "/").c_str(), folder.path("link").c_str()) == 0);
  AtomicFolder made(folder.path("link"), Existing::back_up);
  fill(made, "new");
  made.commit();
  CHECK(folder.names() == Names{"link"});
  CHECK(elsewhere.names() == Names{"old", "old.bak"});
  check_filled(old, "new");
  check_filled(made.backup(), "old");
}

TEST_CASE("AtomicFolder: the current folder has a name, too") {
  const TempFolder folder;
  const std::string old = filled(folder, "out", "old");
  char before[4096];
  REQUIRE(::getcwd(before, sizeof before) != nullptr);
  REQUIRE(::chdir(old.c_str()) == 0);
  {
    AtomicFolder made(".", Existing::back_up);
    fill(made, "new");
    made.commit();
  }
  REQUIRE(::chdir(before) == 0);
  CHECK(folder.names() == Names{"out", "out.bak"});
  check_filled(old, "new");
}

TEST_CASE("AtomicFolder: a file is no folder") {
  const TempFolder folder;
  const std::string file = folder.file("file", "old");
  for (const Existing existing : kAll) {
    CHECK(open_error(file, existing) == ENOTDIR);
    CHECK(open_error("/dev/null", existing) == ENOTDIR);
    CHECK(open_error(folder.path("absent/out"), existing) == ENOENT);
  }
  {
    AtomicFolder late(folder.path("late"), Existing::replace);
    write_file(folder.path("late"), "theirs");
    CHECK(error_of([&] { late.commit(); }, folder.path("late")) == ENOTDIR);
  }
  CHECK(folder.names() == Names{"file", "late"});
}

TEST_CASE("AtomicFolder: a folder in which nothing can be made") {
  const TempFolder folder;
  const std::string old = filled(folder, "out", "old");
  REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
  {
    const Unprivileged nobody;
    CHECK(open_error(old, Existing::back_up) == EACCES);
    CHECK(open_error(folder.path("other"), Existing::refuse) == EACCES);
  }
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  CHECK(folder.names() == Names{"out"});
}

TEST_CASE("AtomicFolder: names that are none") {
  const TempFolder folder;
  AtomicFolder made(folder.path("out"), Existing::refuse);
  for (const std::string name : {"", ".", "..", "/a", "a/", "a/..", "../a", "./a", "a/b/c", "a//b", "a/."}) {
    INFO(name);
    CHECK_THROWS_AS(made.create(name), std::invalid_argument);
  }
  CHECK_THROWS_AS(made.create(std::string("a\0b", 3)), std::invalid_argument);
  made.create("a");
  CHECK_THROWS_AS(made.create("a"), std::invalid_argument);
  made.create("..a");
  made.commit();
  CHECK(names_in(folder.path("out")) == Names{"..a", "a"});
}

TEST_CASE("AtomicFolder: a file that is still being written") {
  const TempFolder folder;
  AtomicFolder made(folder.path("out"), Existing::refuse);
  const auto sink = made.create("a");
  sink->write("x");
  CHECK_THROWS_AS(made.commit(), std::logic_error);
  sink->finish();
  made.commit();
  CHECK(read_file(folder.path("out/a")) == "x");
}

TEST_CASE("AtomicFolder: a file that could not be written whole") {
  const TempFolder folder;
  AtomicFolder made(folder.path("out"), Existing::refuse);
  {
    const auto sink = made.create("sub/a");
    const FileSizeLimit limit(1000);
    CHECK(error_of([&] { sink->write(noise(2000)); }, folder.path("out/sub/a")) == EFBIG);
  }
  CHECK(error_of([&] { made.commit(); }, folder.path("out/sub/a")) == EFBIG);
  CHECK(::access(folder.path("out").c_str(), F_OK) != 0);
}

TEST_CASE("AtomicFolder: a file that an exception left unfinished") {
  const TempFolder folder;
  AtomicFolder made(folder.path("out"), Existing::refuse);
  try {
    const auto sink = made.create("a");
    sink->write("half");
    throw std::runtime_error("the other half is missing");
  } catch (const std::runtime_error&) {
  }
  CHECK(error_of([&] { made.commit(); }, folder.path("out/a")) == ECANCELED);
}

TEST_CASE("AtomicFolder: rights and owners of others") {
  const TempFolder folder;
  const std::string old = filled(folder, "out", "old");
  REQUIRE(::chmod(old.c_str(), 0510) == 0);
  if (::geteuid() == 0) REQUIRE(::chown(old.c_str(), 12345, 54321) == 0);
  const Attributes before = attributes_of(old);
  AtomicFolder made(old, Existing::back_up, before);
  made.create("sub/a", {0640, before.uid, before.gid})->write("x");
  made.commit();
  for (const std::string& each : {old, old + "/sub", made.backup()}) {
    const Attributes after = attributes_of(each);
    CHECK(*after.mode == 0510);
    CHECK(after.uid == before.uid);
    CHECK(after.gid == before.gid);
  }
  CHECK(*attributes_of(old + "/sub/a").mode == 0640);
  for (const std::string& each : {old, old + "/sub", made.backup()}) ::chmod(each.c_str(), 0700);
}

TEST_CASE("AtomicFolder: rights of a new folder, and of one that nobody may write to") {
  const TempFolder folder;
  const mode_t mask = ::umask(027);
  AtomicFolder made(folder.path("out"), Existing::refuse);
  fill(made, "x");
  made.commit();
  ::umask(mask);
  CHECK(*attributes_of(folder.path("out")).mode == 0750);
  CHECK(*attributes_of(folder.path("out/sub")).mode == 0750);
  CHECK(*attributes_of(folder.path("out/sub/b")).mode == 0640);

  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  const Unprivileged nobody;
  {
    AtomicFolder late(folder.path("late"), Existing::refuse, {0500, {}, {}});
    fill(late, "x");
    REQUIRE(::mkdir(folder.path("late").c_str(), 0777) == 0);
    CHECK_THROWS_AS(late.commit(), std::system_error);
  }
  CHECK(folder.names() == Names{"late", "out"});
}
