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

int open_error(const std::string& path, bool overwrite) {
  try {
    AtomicFile file(path, overwrite);
  } catch (const std::system_error& error) {
    CHECK(std::string(error.what()).find(path) != std::string::npos);
    return error.code().value();
  }
  return 0;
}

}  // namespace

TEST_CASE("AtomicFile: appears with commit, and not before") {
  const TempFolder folder;
  const std::string path = folder.path("out");
  AtomicFile file(path, false);
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
    AtomicFile file(folder.path("out"), false);
    file.write(noise(1'000'000));
  }
  CHECK(folder.names().empty());
}

TEST_CASE("AtomicFile: nothing existing is overwritten unasked") {
  const TempFolder folder;
  const std::string path = folder.file("out", "old");
  CHECK(open_error(path, false) == EEXIST);
  CHECK(read_file(path) == "old");
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("AtomicFile: overwriting keeps the old file until commit") {
  const TempFolder folder;
  const std::string path = folder.file("out", "old");
  {
    AtomicFile dropped(path, true);
    dropped.write("half");
  }
  CHECK(read_file(path) == "old");
  AtomicFile file(path, true);
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
    AtomicFile file(path, false);
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
  AtomicFile file(folder.path("out"), false);
  file.commit();
  ::umask(mask);
  struct stat about {};
  REQUIRE(::stat(folder.path("out").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0640);
}

TEST_CASE("AtomicFile: a folder that is not there") {
  const TempFolder folder;
  CHECK(open_error(folder.path("absent/out"), false) == ENOENT);
}

TEST_CASE("AtomicFile: devices are written to directly") {
  AtomicFile file("/dev/null", false);
  file.write("gone");
  file.commit();
  struct stat about {};
  REQUIRE(::stat("/dev/null", &about) == 0);
  CHECK(S_ISCHR(about.st_mode));
}

TEST_CASE("AtomicFile: a device that is full") {
  AtomicFile file("/dev/full", false);
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
    AtomicFile file("bare", false);
    file.write("x");
    file.commit();
  }
  REQUIRE(::chdir(before) == 0);
  CHECK(read_file(folder.path("bare")) == "x");
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
