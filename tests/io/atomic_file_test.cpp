// Output files that appear whole or not at all.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <system_error>

#include "persist/sink.hpp"
#include "support/bytes_builder.hpp"
#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

int open_error(const std::string& path, Existing existing) {
  return error_of([&] { AtomicFile file(path, existing); }, path);
}

}  // namespace

TEST_CASE("AtomicFile: appears with commit, and not before") {
  const TempFolder folder;
  const std::string path = folder.path("out");
  AtomicFile file(path, Existing::refuse);
  file.write("hello, ");
  file.write("world");
  CHECK(::access(path.c_str(), F_OK) != 0);
  CHECK(folder.names().size() == 1);
  CHECK(folder.names().front().starts_with('.'));
  file.commit();
  CHECK(folder.names() == std::vector<std::string>{"out"});
  CHECK(read_file(path) == "hello, world");
}

TEST_CASE("AtomicFile: without commit no trace is left") {
  const TempFolder folder;
  {
    AtomicFile file(folder.path("out"), Existing::refuse);
    file.write(noise(1'000'000));
  }
  CHECK(folder.names().empty());
}

TEST_CASE("AtomicFile: nothing existing is overwritten unasked") {
  const TempFolder folder;
  const std::string path = folder.file("out", "old");
  CHECK(open_error(path, Existing::refuse) == EEXIST);
  CHECK(read_file(path) == "old");
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("AtomicFile: overwriting keeps the old file until commit") {
  const TempFolder folder;
  const std::string path = folder.file("out", "old");
  {
    AtomicFile dropped(path, Existing::replace);
    dropped.write("half");
  }
  CHECK(read_file(path) == "old");
  AtomicFile file(path, Existing::replace);
  file.write("new");
  CHECK(read_file(path) == "old");
  file.commit();
  CHECK(read_file(path) == "new");
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("AtomicFile: a file that came in between is kept") {
  const TempFolder folder;
  const std::string path = folder.path("out");
  {
    AtomicFile file(path, Existing::refuse);
    file.write("ours");
    write_file(path, "theirs");
    CHECK_THROWS_AS(file.commit(), std::system_error);
  }
  CHECK(read_file(path) == "theirs");
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("AtomicFile: rights are those of a new file") {
  const TempFolder folder;
  const mode_t mask = ::umask(027);
  AtomicFile file(folder.path("out"), Existing::refuse);
  file.commit();
  ::umask(mask);
  struct stat about {};
  REQUIRE(::stat(folder.path("out").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0640);
}

TEST_CASE("AtomicFile: a folder that is not there") {
  const TempFolder folder;
  CHECK(open_error(folder.path("absent/out"), Existing::refuse) == ENOENT);
}

TEST_CASE("AtomicFile: devices are written to directly") {
  AtomicFile file("/dev/null", Existing::refuse);
  file.write("gone");
  file.commit();
  struct stat about {};
  REQUIRE(::stat("/dev/null", &about) == 0);
  CHECK(S_ISCHR(about.st_mode));
}

TEST_CASE("AtomicFile: a device that is full") {
  AtomicFile file("/dev/full", Existing::refuse);
  try {
    file.write("x");
    FAIL("nothing was thrown");
  } catch (const std::system_error& error) {
    CHECK(error.code().value() == ENOSPC);
  }
}

TEST_CASE("AtomicFile: a bare name is written in the current folder") {
  const TempFolder folder;
  char before[4096];
  REQUIRE(::getcwd(before, sizeof before) != nullptr);
  REQUIRE(::chdir(folder.path().c_str()) == 0);
  {
    AtomicFile file("bare", Existing::refuse);
    file.write("x");
    file.commit();
  }
  REQUIRE(::chdir(before) == 0);
  CHECK(read_file(folder.path("bare")) == "x");
}

TEST_CASE("AtomicFile: finished, it can be read back before it is committed") {
  const TempFolder folder;
  AtomicFile file(folder.path("out"), Existing::refuse);
  file.write("new");
  file.finish();
  file.finish();
  CHECK(read_file(file.temporary()) == "new");
  CHECK(::access(folder.path("out").c_str(), F_OK) != 0);
  file.commit();
  CHECK(file.temporary().empty());
  CHECK(file.backup().empty());
  CHECK(read_file(folder.path("out")) == "new");
}

TEST_CASE("AtomicFile: backups take the first name that is free") {
  const TempFolder folder;
  const std::string path = folder.file("out", "first");
  for (const char* content : {"second", "third", "fourth"}) {
    AtomicFile file(path, Existing::back_up);
    file.write(content);
    CHECK(file.backup().empty());
    file.commit();
    CHECK(read_file(path) == content);
    CHECK_FALSE(file.backup().empty());
  }
  CHECK(folder.names() == std::vector<std::string>{"out", "out.bak", "out.bak.1", "out.bak.2"});
  CHECK(read_file(folder.path("out.bak")) == "first");
  CHECK(read_file(folder.path("out.bak.1")) == "second");
  CHECK(read_file(folder.path("out.bak.2")) == "third");
}

TEST_CASE("AtomicFile: with nothing there, there is no backup") {
  const TempFolder folder;
  AtomicFile file(folder.path("out"), Existing::back_up);
  file.commit();
  CHECK(file.backup().empty());
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("AtomicFile: what a link leads to is replaced, and made") {
  const TempFolder folder;
  const TempFolder elsewhere;
  const std::string old = elsewhere.file("old", "old");
  REQUIRE(::symlink(old.c_str(), folder.path("link").c_str()) == 0);
  REQUIRE(::symlink("absent", folder.path("dangling").c_str()) == 0);
  CHECK(error_of([&] { AtomicFile file(folder.path("link"), Existing::refuse); }, old) == EEXIST);
  for (const char* name : {"link", "dangling"}) {
    AtomicFile file(folder.path(name), Existing::back_up);
    file.write("new");
    file.commit();
  }
  CHECK(elsewhere.names() == std::vector<std::string>{"old", "old.bak"});
  CHECK(read_file(old) == "new");
  CHECK(folder.names() == std::vector<std::string>{"absent", "dangling", "link"});
  CHECK(read_file(folder.path("absent")) == "new");
}

TEST_CASE("AtomicFile: links in a circle") {
  const TempFolder folder;
  REQUIRE(::symlink("b", folder.path("a").c_str()) == 0);
  REQUIRE(::symlink("a", folder.path("b").c_str()) == 0);
  CHECK(open_error(folder.path("a"), Existing::replace) == ELOOP);
}

TEST_CASE("AtomicFile: a folder is no file") {
  const TempFolder folder;
  REQUIRE(::mkdir(folder.path("there").c_str(), 0777) == 0);
  for (const Existing existing : {Existing::refuse, Existing::replace, Existing::back_up}) {
    CHECK(open_error(folder.path("there"), existing) == EISDIR);
    CHECK(open_error(folder.path("absent/"), existing) == EISDIR);
  }
  AtomicFile file(folder.path("out"), Existing::replace);
  REQUIRE(::mkdir(folder.path("out").c_str(), 0777) == 0);
  CHECK_THROWS_AS(file.commit(), std::system_error);
}

TEST_CASE("AtomicFile: rights and owner of another") {
  const TempFolder folder;
  const std::string path = folder.file("out", "old");
  REQUIRE(::chmod(path.c_str(), 0604) == 0);
  if (::geteuid() == 0) REQUIRE(::chown(path.c_str(), 12345, 54321) == 0);
  const Attributes before = attributes_of(path);
  AtomicFile file(path, Existing::back_up, before);
  file.write("new");
  file.commit();
  for (const std::string& each : {path, file.backup()}) {
    const Attributes after = attributes_of(each);
    CHECK(*after.mode == 0604);
    CHECK(after.uid == before.uid);
    CHECK(after.gid == before.gid);
  }
  CHECK_THROWS_AS((void)attributes_of(folder.path("absent")), std::system_error);
}

TEST_CASE("AtomicFile: a folder in which nothing can be made") {
  const TempFolder folder;
  const std::string path = folder.file("out", "old");
  REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
  {
    const Unprivileged nobody;
    CHECK(open_error(path, Existing::replace) == EACCES);
    CHECK(open_error(folder.path("other"), Existing::refuse) == EACCES);
  }
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("AtomicFile: the longest of names") {
  const TempFolder folder;
  const std::string path = folder.file(std::string(255, 'n'), "old");
  CHECK(open_error(path, Existing::back_up) == ENAMETOOLONG);
  AtomicFile file(path, Existing::replace);
  file.write("new");
  file.commit();
  CHECK(read_file(path) == "new");
}

TEST_CASE("AtomicFile: a write that failed is met again") {
  const TempFolder folder;
  const FileSizeLimit limit(1000);
  AtomicFile file(folder.path("out"), Existing::refuse);
  CHECK(error_of([&] { file.write(noise(2000)); }, folder.path("out")) == EFBIG);
  CHECK(error_of([&] { file.commit(); }, folder.path("out")) == EFBIG);
  CHECK(::access(folder.path("out").c_str(), F_OK) != 0);
}

TEST_CASE("descriptor_sink: writes everything, and says EPIPE") {
  const TempFolder folder;
  const std::string bytes = noise(3'000'000);
  const int file = ::open(folder.path("out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  descriptor_sink(file)->write(bytes);
  ::close(file);
  CHECK(read_file(folder.path("out")) == bytes);

  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  const auto handler = std::signal(SIGPIPE, SIG_IGN);
  try {
    descriptor_sink(ends[1])->write("x");
    FAIL("nothing was thrown");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::broken_pipe);
  }
  std::signal(SIGPIPE, handler);
  ::close(ends[1]);
}
