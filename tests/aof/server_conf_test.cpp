// Configuration files: what servers take from them, and what is refused with file and line.
#include "persist/server_conf.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

ServerConf read(Bytes text) {
  const TempFolder folder;
  return read_server_conf(folder.file("redis.conf", text));
}

// What it is refused with, behind "redis.conf:".
std::string refusal(Bytes text) {
  const TempFolder folder;
  const std::string path = folder.file("redis.conf", text);
  try {
    (void)read_server_conf(path);
  } catch (const std::invalid_argument& refused) {
    const std::string what = refused.what();
    CHECK(what.starts_with(path + ":"));
    return what.substr(path.size() + 1);
  }
  return "";
}

TEST_CASE("an empty file means the defaults") {
  const ServerConf conf = read("");
  CHECK_FALSE(conf.dir);
  CHECK_FALSE(conf.appendonly);
  CHECK(conf.appendfilename == "appendonly.aof");
  CHECK(conf.appenddirname == "appendonlydir");
  CHECK(conf.dbfilename == "dump.rdb");
  CHECK(conf.databases == 16);
  CHECK(conf.aof_load_truncated);
  CHECK(conf.aof_load_corrupt_tail_max_size == 0);
  CHECK(conf.has_save_points);
}

TEST_CASE("all directives, quoted and not, in any letter case") {
  const ServerConf conf = read(
      "# comment\r\n"
      "  AppendOnly YES\r\n"
      "appendfilename \"my \\x64ata.aof\"\n"
      "appenddirname 'a dir'\n"
      "dbfilename\tother.rdb\n"
      "DATABASES 4\n"
      "aof-load-truncated no\n"
      "aof-load-corrupt-tail-max-size 4096\n"
      "save \"\"\n"
      "port 6379\n"
      "requirepass \"unbalanced\n"
      "dir /var/lib/redis/");
  CHECK(conf.appendonly == true);
  CHECK(conf.appendfilename == "my data.aof");
  CHECK(conf.appenddirname == "a dir");
  CHECK(conf.dbfilename == "other.rdb");
  CHECK(conf.databases == 4);
  CHECK_FALSE(conf.aof_load_truncated);
  CHECK(conf.aof_load_corrupt_tail_max_size == 4096);
  CHECK_FALSE(conf.has_save_points);
  CHECK(conf.dir == "/var/lib/redis/");
}

TEST_CASE("later ones win") {
  CHECK(read("appendonly yes\nappendonly no\n").appendonly == false);
  CHECK(read("save \"\"\nsave 60 1\n").has_save_points);
  CHECK_FALSE(read("save 60 1 300 10\nsave ''\n").has_save_points);
}

TEST_CASE("a relative dir is one beside the file") {
  const TempFolder folder;
  const std::string path = folder.file("redis.conf", "dir ./data\n");
  CHECK(read_server_conf(path).dir == folder.path("data"));
}

struct Refused {
  Bytes text;
  Bytes message;
};
constexpr Refused kRefused[] = {
    {"appendonly maybe\n", "1: appendonly: expected yes or no, found maybe"},
    {"\n\nAPPENDONLY\n", "3: APPENDONLY: expected yes or no, found none"},
    {"appendonly yes no\n", "1: appendonly: expected yes or no, found yes no"},
    {"databases 0\n", "1: databases: expected a number of at least 1, found 0"},
    {"databases 16kb\n", "1: databases: expected a number of at least 1, found 16kb"},
    {"aof-load-corrupt-tail-max-size 4kb\n",
     "1: aof-load-corrupt-tail-max-size: expected a number, found 4kb"},
    {"aof-load-corrupt-tail-max-size -1\n", "1: aof-load-corrupt-tail-max-size: expected a number, found -1"},
    {"appendfilename a/b\n", "1: appendfilename: expected a name without a folder, found a/b"},
    {"appendfilename \"\"\n", R"(1: appendfilename: expected a name without a folder, found "")"},
    {"appenddirname ..\n", "1: appenddirname: expected a name without a folder, found .."},
    {"dbfilename a\\b\n", R"(1: dbfilename: expected a name without a folder, found "a\\b")"},
    {"save 60\n", R"(1: save: expected "", or pairs of seconds and changes, found 60)"},
    {"save a b\n", R"(1: save: expected "", or pairs of seconds and changes, found a b)"},
    {"dir\n", "1: dir: expected a folder, found none"},
    {"dir \"a\n", "1: dir: the quotes do not balance"},
    {"include\n", "1: include: expected a file, found none"},
    {"include redis.conf\n", "1: files include each other more than 16 deep"},
};

TEST_CASE("a value that is none is refused with its line") {
  for (const Refused& row : kRefused) {
    CAPTURE(row.text);
    CHECK(refusal(row.text) == row.message);
  }
}

TEST_CASE("other files are included where they stand, by name or by pattern") {
  const TempFolder folder;
  std::filesystem::create_directory(folder.path("d"));
  write_file(folder.path("d/2.conf"), "databases 2\n");
  write_file(folder.path("d/1.conf"), "databases 1\nappendonly yes\n");
  write_file(folder.path("d/3.txt"), "databases 3\n");
  write_file(folder.path("more.conf"), "INCLUDE d/*.conf\n");
  const std::string path =
      folder.file("redis.conf", "databases 9\ninclude more.conf\ninclude none/*.conf\nappendonly no\n");
  const ServerConf conf = read_server_conf(path);
  CHECK(conf.databases == 2);
  CHECK(conf.appendonly == false);
  write_file(folder.path("d/2.conf"), "\ndatabases x\n");
  try {
    (void)read_server_conf(path);
    FAIL("it was read");
  } catch (const std::invalid_argument& refused) {
    CHECK(refused.what() ==
          folder.path("d/2.conf") + ":2: databases: expected a number of at least 1, found x");
  }
}

TEST_CASE("files that include each other twice come to an end") {
  const TempFolder folder;
  for (int i = 0; i < 15; ++i) {
    const std::string next = "include " + std::to_string(i + 1) + ".conf\n";
    write_file(folder.path(std::to_string(i) + ".conf"), next + next);
  }
  write_file(folder.path("15.conf"), "");
  CHECK_THROWS_AS((void)read_server_conf(folder.path("0.conf")), std::invalid_argument);
}

TEST_CASE("a file that is not there is trouble") {
  const TempFolder folder;
  CHECK_THROWS_AS((void)read_server_conf(folder.path("none.conf")), std::system_error);
  CHECK_THROWS_AS((void)read_server_conf(folder.path()), std::system_error);
  const std::string path = folder.file("redis.conf", "include none.conf\n");
  CHECK_THROWS_AS((void)read_server_conf(path), std::system_error);
}

}  // namespace
