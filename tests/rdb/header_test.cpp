// How files begin: versions, wrong kinds of files, and what replication puts around an RDB.
#include <doctest/doctest.h>

#include "io/block_source.hpp"
#include "support/files.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

const std::string kMark(40, 'f');

std::string body() { return RdbBuilder(redis, 10).select(0).string("k", "v").eof(); }

// What the check says of the file: ids, one a line.
std::string ids(Bytes file) { return joined(ids_of(check(file).findings)); }

struct WrongFile {
  std::string bytes;
  Bytes id;
};

std::vector<WrongFile> wrong_files() {
  std::string tar(600, '\0');
  tar.replace(0, 8, "dump.rdb").replace(257, 5, "ustar");
  return {
      {"", "input.empty"},
      {std::string(1, '\0'), "input.all-nul"},
      {std::string(700'000, '\0'), "input.all-nul"},
      {std::string(700'000, '\0') + "REDIS0011", "input.not-an-rdb"},
      {"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", "input.aof"},
      {"#TS:1700000000\r\n*1\r\n$4\r\nPING\r\n", "input.aof"},
      {"file appendonly.aof.1.base.rdb seq 1 type b\n", "input.manifest"},
      {"<!DOCTYPE html><html>", "input.html"},
      {"\n  <HTML>", "input.html"},
      {"{\"error\":\"no such key\"}", "input.json"},
      {"\xef\xbb\xbf[1, 2]", "input.json"},
      {"PK\x03\x04rest", "input.archive"},
      {unhex("fd377a585a00"), "input.archive"},
      {"BZh91AY&SY", "input.archive"},
      {unhex("377abcaf271c"), "input.archive"},
      {"Rar!\x1a\x07", "input.archive"},
      {tar, "input.archive"},
      {"VKCS0001", "input.valkey-envelope"},
      {"VCS0001", "input.valkey-envelope"},
      {"hello", "input.not-an-rdb"},
      {"redis0011\xff", "input.not-an-rdb"},
      {" REDIS0011", "input.not-an-rdb"},
      {"*", "input.not-an-rdb"},
      {"\x7f"
       "ELF",
       "input.not-an-rdb"},
  };
}

}  // namespace

TEST_CASE("header: files that are no RDB files") {
  for (const WrongFile& row : wrong_files()) {
    CAPTURE(row.bytes.substr(0, 20));
    CHECK(ids(row.bytes) == std::string(row.id) + "\n");
    const Checked checked = check(row.bytes);
    CHECK_FALSE(checked.summary.has_header);
    CHECK_FALSE(checked.summary.sound());
    CHECK(checked.findings.front().extent.offset == 0);
    CHECK(dump(row.bytes).text.empty());
  }
}

TEST_CASE("header: wrong files through a pipe") {
  for (const WrongFile& row : wrong_files()) {
    CAPTURE(row.bytes.substr(0, 20));
    PipedSource pipe(row.bytes);
    CHECK(joined(ids_of(check(pipe.source()).findings)) == std::string(row.id) + "\n");
  }
}

TEST_CASE("header: cut short") {
  for (size_t size = 1; size < 9; ++size) {
    CAPTURE(size);
    CHECK(ids(Bytes("REDIS0011").substr(0, size)) == "rdb.truncated\n");
    CHECK(ids(Bytes("VALKEY080").substr(0, size)) == "rdb.truncated\n");
  }
  CHECK(ids("REDIS0011") == "rdb.truncated\n");
}

TEST_CASE("header: known versions are taken without a word") {
  for (unsigned version = 1; version <= 14; ++version) {
    CAPTURE(version);
    const Checked checked = check(RdbBuilder(redis, version).eof());
    CHECK(checked.findings.empty());
    CHECK(checked.summary.version == version);
    CHECK(checked.summary.dialect == redis);
    CHECK(checked.summary.checksum == (version >= 5 ? ChecksumState::good : ChecksumState::absent));
  }
  const Checked checked = check(RdbBuilder(valkey, 80).eof());
  CHECK(checked.findings.empty());
  CHECK(checked.summary.dialect == valkey);
}

TEST_CASE("header: other versions are read with a warning") {
  for (const unsigned version : {0U, 15U, 16U, 79U, 80U, 9999U}) {
    CAPTURE(version);
    const Told told = tell(RdbBuilder(redis, version).select(0).string("k", "v").eof());
    CHECK(joined(told.findings) == "rdb.unknown-version\n");
    CHECK(joined(told.lines) == "k = string \"v\"\n");
    CHECK(told.complete);
  }
  for (const unsigned version : {11U, 79U, 81U, 999U}) {
    CAPTURE(version);
    CHECK(ids(RdbBuilder(valkey, version).eof()) == "rdb.unknown-version\n");
  }
}

TEST_CASE("header: a version that is no number is damage, but what follows is read") {
  std::string file = body();
  file[6] = 'x';
  const Told told = tell(file);
  CHECK(joined(told.findings).starts_with("rdb.bad-version\n"));
  CHECK(joined(told.lines) == "k = string \"v\"\n");
}

TEST_CASE("replication: a length in front") {
  const std::string file = body();
  const std::string length = "$" + std::to_string(file.size()) + "\r\n";
  for (const std::string& before :
       {std::string(), std::string("\n\n\n"), std::string("+FULLRESYNC ") + kMark + " 123\r\n",
        "+FULLRESYNC " + kMark + " 123\r\n\n\n", std::string("\r\n")}) {
    CAPTURE(before);
    const Told told = tell(before + length + file);
    CHECK(joined(told.findings).empty());
    CHECK(joined(told.lines) == "k = string \"v\"\n");
    CHECK(told.complete);
    CHECK(ids(before + length + file).empty());
  }
}

TEST_CASE("replication: what follows the RDB is the command stream, no trailing bytes") {
  const std::string file = body();
  CHECK(ids("$" + std::to_string(file.size()) + "\r\n" + file + "*1\r\n$4\r\nPING\r\n").empty());
  CHECK(ids("$EOF:" + kMark + "\r\n" + file + kMark + "*1\r\n$4\r\nPING\r\n").empty());
}

TEST_CASE("replication: a length that is not that of the RDB") {
  const std::string file = body();
  CHECK(ids("$" + std::to_string(file.size() - 1) + "\r\n" + file) == "rdb.wrapper-length\n");
  CHECK(ids("$" + std::to_string(file.size() + 1) + "\r\n" + file + "x") == "rdb.wrapper-length\n");
}

TEST_CASE("replication: a mark in front and behind") {
  const std::string file = body();
  CHECK(ids("$EOF:" + kMark + "\r\n" + file + kMark).empty());
  CHECK(ids("$EOF:" + kMark + "\r\n" + file + std::string(40, 'e')) == "rdb.eof-mark\n");
  CHECK(ids("$EOF:" + kMark + "\r\n" + file + std::string(39, 'f')) == "rdb.eof-mark\n");
  CHECK(ids("$EOF:" + kMark + "\r\n" + file) == "rdb.eof-mark\n");
}

TEST_CASE("replication: the checksum counts from the magic on, and offsets from the file's beginning") {
  std::string file = body();
  file[file.size() - 3] = static_cast<char>(file[file.size() - 3] ^ 1);
  const std::string wrapped = "\n$" + std::to_string(file.size()) + "\r\n" + file;
  const Checked checked = check(wrapped);
  CHECK(joined(ids_of(checked.findings)) == "rdb.checksum-mismatch\n");
  REQUIRE(checked.findings.size() == 1);
  CHECK(checked.findings.front().extent == Extent{wrapped.size() - 8, 8});
}

TEST_CASE("replication: lines that lead to no RDB") {
  CHECK(ids("+FULLRESYNC x 1\r\nhello") == "input.not-an-rdb\n");
  CHECK(ids("$12\r\nhello, world") == "input.not-an-rdb\n");
  CHECK(ids("\n\n\n") == "input.not-an-rdb\n");
  CHECK(ids("$EOF:" + kMark + "\r\n").ends_with("\n"));
  CHECK_FALSE(check("$EOF:" + kMark + "\r\n").summary.sound());
}
