// Sets: what a path is taken for, which parts are loaded, what is reported, and the manifest that files
// suggest.
#include "persist/append_set.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

namespace fs = std::filesystem;

constexpr Bytes kLog = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n";
constexpr Bytes kRdb = "REDIS0011";
constexpr Bytes kManifest =
    "file appendonly.aof.1.base.rdb seq 1 type b\n"
    "file appendonly.aof.1.incr.aof seq 1 type i\n";

struct File {
  std::string name;  // may begin with a folder
  std::string bytes;
};
using Files = std::vector<File>;

const Files kSound = {{"appendonly.aof.1.base.rdb", std::string(kRdb)},
                      {"appendonly.aof.1.incr.aof", std::string(kLog)},
                      {"appendonly.aof.manifest", std::string(kManifest)}};

void fill(const std::string& folder, const Files& files) {
  for (const File& file : files) {
    const fs::path path = fs::path(folder) / file.name;
    fs::create_directories(path.parent_path());
    write_file(path.string(), file.bytes);
  }
}

Files under(const std::string& folder, Files files) {
  for (File& file : files) file.name = folder + "/" + file.name;
  return files;
}

Files operator+(Files a, const Files& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void set_time(const std::string& path, int64_t seconds) {
  fs::last_write_time(
      path, fs::file_time_type::clock::from_sys(std::chrono::sys_seconds(std::chrono::seconds(seconds))));
}

// The folder that every appendonly.aof of a test is in; names are told without it.
struct Opened {
  AppendSet set;
  std::vector<Finding> findings;

  // "base appendonly.aof.1.base.rdb", a '!' behind those that are not there.
  [[nodiscard]] static std::string names(const std::vector<SetPart>& parts) {
    std::string text;
    for (const SetPart& part : parts) {
      if (!text.empty()) text += ", ";
      text += std::string(part_role_name(part.role)) + ' ' + part.name + (part.present ? "" : "!");
    }
    return text;
  }
  [[nodiscard]] std::string parts() const { return names(set.parts); }
  [[nodiscard]] std::string others() const { return names(set.others); }
  // "manifest.link appendonly.aof.1.base.rdb"
  [[nodiscard]] std::string reported() const {
    std::string text;
    for (const Finding& finding : findings) {
      if (!text.empty()) text += ", ";
      text += std::string(finding.kind().id) + ' ' + fs::path(finding.file).filename().string();
    }
    return text;
  }
};

Opened open(const std::string& path, const ServerConf* conf = nullptr) {
  Opened opened;
  FindingList findings;
  opened.set = open_append_set(path, findings, {conf});
  opened.findings = std::move(findings.all);
  return opened;
}

std::string refusal(const std::string& path, const ServerConf* conf = nullptr) {
  try {
    (void)open(path, conf);
  } catch (const std::invalid_argument& refused) {
    const std::string what = refused.what();
    CHECK(what.starts_with(path));
    return what.substr(std::min(what.size(), path.size() + 1));
  }
  return "";
}

constexpr const char* kBothParts = "base appendonly.aof.1.base.rdb, incr appendonly.aof.1.incr.aof";

TEST_CASE("a file is a set of one") {
  const TempFolder folder;
  for (const Bytes content : {kLog, kRdb, Bytes("junk"), Bytes()}) {
    const Opened opened = open(folder.file("x", content));
    CHECK(opened.set.kind == SetKind::file);
    CHECK(opened.set.folder.empty());
    CHECK(opened.set.manifest_sound);
    CHECK(opened.parts() == "single x");
    CHECK(opened.set.parts.front().path == folder.path("x"));
    CHECK(opened.set.parts.front().size == content.size());
    CHECK(opened.findings.empty());
    CHECK(rebuild_manifest(opened.set).manifest.lines.empty());
  }
  CHECK(open("-").parts() == "single -");
  REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  CHECK(open(folder.path("pipe")).parts() == "single pipe");
  CHECK_THROWS_AS((void)open(folder.path("none")), std::system_error);
}

TEST_CASE("the folder, the data dir above it and the manifest are the same set") {
  const TempFolder folder;
  fill(folder.path(), under("appendonlydir", kSound));
  struct Way {
    std::string path;
    SetKind kind;
  };
  const std::string dir = folder.path("appendonlydir");
  for (const Way& way :
       {Way{dir, SetKind::append_dir}, Way{dir + "/appendonly.aof.manifest", SetKind::append_dir},
        Way{folder.path(), SetKind::data_dir}}) {
    CAPTURE(way.path);
    const Opened opened = open(way.path);
    CHECK(opened.set.kind == way.kind);
    CHECK(opened.set.path == way.path);
    CHECK(opened.set.folder == dir);
    CHECK(opened.set.manifest_path == dir + "/appendonly.aof.manifest");
    CHECK(opened.set.manifest_sound);
    CHECK(opened.parts() == kBothParts);
    CHECK(opened.set.parts.front().path == dir + "/appendonly.aof.1.base.rdb");
    CHECK(opened.set.parts.front().size == kRdb.size());
    CHECK(opened.others().empty());
    CHECK(opened.findings.empty());
  }
}

TEST_CASE("a manifest is one by its content, whatever it is called") {
  const TempFolder folder;
  fill(folder.path(), kSound);
  fs::rename(folder.path("appendonly.aof.manifest"), folder.path("list"));
  const Opened opened = open(folder.path("list"));
  CHECK(opened.parts() == kBothParts);
  CHECK(opened.set.manifest_path == folder.path("list"));
  CHECK(open(folder.path("appendonly.aof.1.base.rdb")).set.kind == SetKind::file);
  fs::rename(folder.path("list"), folder.path("a-much-longer-name"));
  fill(folder.path(), {{"appendonly.aof.2.incr.aof", ""}});
  CHECK(open(folder.path("a-much-longer-name")).others() == "unlisted appendonly.aof.2.incr.aof");
  write_file(folder.path("a-much-longer-name"), std::string(kManifest) + "\n");
  CHECK(open(folder.path("a-much-longer-name")).parts() ==
        std::string(kBothParts) + ", incr appendonly.aof.2.incr.aof");
}

struct Folder {
  const char* story;
  std::string manifest;
  Files files;  // beside base and incr with sequence 1
  const char* parts;
  const char* others;
  const char* reported;
};

const Folder kFolders[] = {
    {"comments, CRLF, incr first",
     "#x\nfile appendonly.aof.1.incr.aof seq 1 type i\r\n file appendonly.aof.1.base.rdb seq 1 type b\n",
     {},
     kBothParts,
     "",
     ""},
    {"only a base",
     "file appendonly.aof.1.base.rdb seq 1 type b\n",
     {},
     "base appendonly.aof.1.base.rdb",
     "unlisted appendonly.aof.1.incr.aof",
     "set.unlisted-file appendonly.aof.1.incr.aof"},
    {"the same file twice",
     std::string(kManifest) + "file appendonly.aof.1.incr.aof seq 2 type i\n",
     {},
     "base appendonly.aof.1.base.rdb, incr appendonly.aof.1.incr.aof, incr appendonly.aof.1.incr.aof",
     "",
     ""},
    {"an incr that is not there",
     std::string(kManifest) + "file x seq 2 type i\n",
     {},
     "base appendonly.aof.1.base.rdb, incr appendonly.aof.1.incr.aof, incr x!",
     "",
     "manifest.missing-file x"},
    {"a base that is not there",
     "file appendonly.aof.9.base.rdb seq 9 type b\n",
     {},
     "base appendonly.aof.9.base.rdb!",
     "unlisted appendonly.aof.1.base.rdb, unlisted appendonly.aof.1.incr.aof",
     "manifest.missing-file appendonly.aof.9.base.rdb, set.unlisted-file appendonly.aof.1.base.rdb, "
     "set.unlisted-file appendonly.aof.1.incr.aof"},
    {"history, there and gone",
     std::string(kManifest) + "file h.aof seq 2 type h\nfile gone.aof seq 1 type h\n",
     {{"h.aof", ""}},
     kBothParts,
     "history h.aof",
     "set.history-file h.aof"},
    {"what a rewrite left",
     std::string(kManifest),
     {{"appendonly.aof.2.base.rdb", ""},
      {"appendonly.aof.2.incr.aof", ""},
      {"other.aof.1.incr.aof", ""},
      {"temp-appendonly.aof.incr", ""},
      {"temp-appendonly.aof.manifest", ""},
      {"notes.txt", ""}},
     kBothParts,
     "unlisted appendonly.aof.2.base.rdb, unlisted appendonly.aof.2.incr.aof, temporary "
     "temp-appendonly.aof.incr, temporary temp-appendonly.aof.manifest",
     "set.unlisted-file appendonly.aof.2.base.rdb, set.unlisted-file appendonly.aof.2.incr.aof, "
     "set.temporary-file temp-appendonly.aof.incr, set.temporary-file temp-appendonly.aof.manifest"},
    {"a path",
     std::string(kManifest) + "file ../x seq 2 type i\n",
     {},
     kBothParts,
     "",
     "manifest.path appendonly.aof.manifest"},
    {"the folder above",
     std::string(kManifest) + "file .. seq 2 type i\n",
     {},
     "base appendonly.aof.1.base.rdb, incr appendonly.aof.1.incr.aof, incr ..!",
     "",
     "manifest.path .."},
    {"a folder for a file",
     std::string(kManifest) + "file d seq 2 type i\n",
     {{"d/x", ""}},
     "base appendonly.aof.1.base.rdb, incr appendonly.aof.1.incr.aof, incr d!",
     "",
     "manifest.link d"},
    {"a name longer than names can be",
     std::string(kManifest) + "file " + std::string(300, 'x') + " seq 2 type i\n",
     {},
     nullptr,
     "",
     nullptr},
    {"no bytes", "", {}, kBothParts, "", "manifest.empty appendonly.aof.manifest"},
    {"comments only", "#\n", {}, kBothParts, "", "manifest.only-comments appendonly.aof.manifest"},
    {"a broken line",
     "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq x type i\n",
     {},
     kBothParts,
     "",
     "manifest.format appendonly.aof.manifest"},
    {"a broken line and a missing file",
     "file appendonly.aof.1.base.rdb seq 1 type b\n\nfile appendonly.aof.2.incr.aof seq 2 type i\n",
     {},
     "base appendonly.aof.1.base.rdb",
     "unlisted appendonly.aof.1.incr.aof",
     "manifest.format appendonly.aof.manifest, manifest.missing-file appendonly.aof.2.incr.aof, "
     "set.unlisted-file appendonly.aof.1.incr.aof"},
};

TEST_CASE("manifest versus folder") {
  for (const Folder& row : kFolders) {
    CAPTURE(row.story);
    const TempFolder folder;
    fill(folder.path(), kSound);
    fill(folder.path(), row.files);
    write_file(folder.path("appendonly.aof.manifest"), row.manifest);
    const Opened opened = open(folder.path());
    if (row.parts != nullptr) CHECK(opened.parts() == row.parts);
    CHECK(opened.others() == row.others);
    if (row.reported != nullptr) CHECK(opened.reported() == row.reported);
    for (const SetPart& part : opened.set.parts) CHECK(part.path == folder.path(part.name));
  }
}

TEST_CASE("links lead to parts only inside of the folder") {
  const TempFolder folder;
  const TempFolder elsewhere;
  fill(folder.path(), kSound);
  const std::string base = folder.path("appendonly.aof.1.base.rdb");
  fs::rename(base, folder.path("real"));
  fs::create_symlink("real", base);
  CHECK(open(folder.path()).reported().empty());
  fs::remove(base);
  fs::create_symlink(elsewhere.file("secret", "x"), base);
  const Opened out = open(folder.path());
  CHECK(out.reported() == "manifest.link appendonly.aof.1.base.rdb");
  CHECK(out.parts() == "base appendonly.aof.1.base.rdb!, incr appendonly.aof.1.incr.aof");
  CHECK(out.set.parts.front().size == 0);
  fs::remove(base);
  fs::create_symlink("nothing", base);
  CHECK(open(folder.path()).reported() == "manifest.missing-file appendonly.aof.1.base.rdb");
  fs::remove(base);
  fs::create_symlink("appendonly.aof.1.base.rdb", base);
  CHECK(open(folder.path()).reported() == "manifest.link appendonly.aof.1.base.rdb");
  fs::remove(base);
  REQUIRE(::mkfifo(base.c_str(), 0600) == 0);
  CHECK(open(folder.path()).reported() == "manifest.link appendonly.aof.1.base.rdb");
}

TEST_CASE("the folder itself may be a link, the manifest must not lead out") {
  const TempFolder folder;
  const TempFolder elsewhere;
  fill(folder.path(), kSound);
  fs::create_directory_symlink(folder.path(), elsewhere.path("appendonlydir"));
  CHECK(open(elsewhere.path()).parts() == kBothParts);
  CHECK(open(elsewhere.path()).findings.empty());
  const std::string manifest = folder.path("appendonly.aof.manifest");
  fs::remove(manifest);
  fs::create_symlink(elsewhere.file("secret", kManifest), manifest);
  const Opened out = open(folder.path());
  CHECK(out.reported() == "manifest.link appendonly.aof.manifest");
  CHECK(out.set.manifest_text.empty());
  CHECK(out.parts() == kBothParts);
}

TEST_CASE("without a manifest, the parts are what the files suggest") {
  const TempFolder folder;
  fill(folder.path(), kSound);
  fs::remove(folder.path("appendonly.aof.manifest"));
  const Opened opened = open(folder.path());
  CHECK(opened.reported() == "manifest.missing appendonly.aof.manifest");
  CHECK_FALSE(opened.set.manifest_sound);
  CHECK(opened.parts() == kBothParts);
  CHECK(opened.set.manifest_path == folder.path("appendonly.aof.manifest"));
}

TEST_CASE("several sets in one folder: the configured one, or none") {
  const TempFolder folder;
  fill(folder.path(), {{"a.manifest", "file a.1.base.rdb seq 1 type b\n"},
                       {"a.1.base.rdb", ""},
                       {"b.manifest", "file b.1.base.rdb seq 1 type b\n"},
                       {"b.1.base.rdb", ""}});
  CHECK(refusal(folder.path()) == "holds more than one set: name one of a.manifest, b.manifest");
  ServerConf conf;
  conf.appendfilename = "b";
  CHECK(open(folder.path(), &conf).parts() == "base b.1.base.rdb");
  CHECK(open(folder.path("a.manifest")).parts() == "base a.1.base.rdb");
  fs::remove(folder.path("a.manifest"));
  CHECK(open(folder.path()).parts() == "base b.1.base.rdb");
  CHECK(open(folder.path()).findings.empty());
  fs::remove(folder.path("b.manifest"));
  CHECK(refusal(folder.path()) == "holds more than one set: name one of a.manifest, b.manifest");
}

// What is in a data dir, and what comes of it.
struct DataDir {
  const char* story;
  Files files;
  std::optional<bool> appendonly;
  const char* parts;
  const char* others;
  const char* reported;
};

const Files kAppendDir = under("appendonlydir", kSound);
const Files kOldAof = {{"appendonly.aof", std::string(kLog)}};
const Files kDump = {{"dump.rdb", std::string(kRdb)}};

const DataDir kDataDirs[] = {
    {"an old AOF", kOldAof, {}, "single appendonly.aof", "", ""},
    {"an old AOF of another name",
     {{"log.aof", std::string(kLog)}, {"junk.aof", "junk"}},
     {},
     "single log.aof",
     "",
     ""},
    {"an append directory of another name", under("aof", kSound), {}, kBothParts, "", ""},
    {"folders of others", kAppendDir + Files{{"x/y", ""}}, {}, kBothParts, "", ""},
    {"an RDB file", kDump, {}, "", "", ""},
    {"an RDB file, AOF off", kDump, false, "", "", ""},
    {"an RDB file, AOF on", kDump, true, "", "", "set.starts-empty dump.rdb"},
    {"an RDB file and an empty append directory, AOF on", kDump + Files{{"appendonlydir/x", ""}}, true, "",
     "", "set.starts-empty dump.rdb"},
    {"a log, AOF off", kDump + kAppendDir, false, "", "", ""},
    {"an old AOF beside", kAppendDir + kOldAof, {}, kBothParts, "", "set.old-aof appendonly.aof"},
    {"a rewrite that died",
     kAppendDir + Files{{"temp-rewriteaof-bg-7.aof", ""}, {"temp-7.rdb", ""}},
     {},
     kBothParts,
     "temporary temp-rewriteaof-bg-7.aof",
     "set.temporary-file temp-rewriteaof-bg-7.aof"},
    {"an upgrade: no manifest yet",
     kOldAof + Files{{"appendonlydir/appendonly.aof.1.incr.aof", ""}},
     {},
     "single appendonly.aof",
     "unlisted appendonly.aof.1.incr.aof",
     "set.unlisted-file appendonly.aof.1.incr.aof"},
    {"an upgrade: a manifest of comments",
     kOldAof + Files{{"appendonlydir/appendonly.aof.manifest", "#\n"}},
     {},
     "single appendonly.aof",
     "",
     ""},
    {"an upgrade: the file was not moved yet",
     kOldAof + Files{{"appendonlydir/appendonly.aof.manifest", "file appendonly.aof seq 1 type b\n"}},
     {},
     "single appendonly.aof",
     "",
     ""},
    {"an upgrade that is over",
     kOldAof + Files{{"appendonlydir/appendonly.aof.manifest", "file appendonly.aof seq 1 type b\n"},
                     {"appendonlydir/appendonly.aof", ""}},
     {},
     "base appendonly.aof",
     "",
     "set.old-aof appendonly.aof"},
    {"no upgrade: another base is missing",
     kOldAof + Files{{"appendonlydir/appendonly.aof.manifest", "file x seq 1 type b\n"}},
     {},
     "base x!",
     "",
     "manifest.missing-file x, set.old-aof appendonly.aof"},
};

TEST_CASE("data dirs") {
  for (const DataDir& row : kDataDirs) {
    CAPTURE(row.story);
    const TempFolder folder;
    fill(folder.path(), row.files);
    // Long saved, so that it is older than the log.
    if (fs::exists(folder.path("dump.rdb"))) set_time(folder.path("dump.rdb"), 1'000'000);
    ServerConf conf;
    conf.appendonly = row.appendonly;
    const Opened opened = open(folder.path(), &conf);
    CHECK(opened.set.kind == SetKind::data_dir);
    CHECK(opened.parts() == row.parts);
    CHECK(opened.others() == row.others);
    CHECK(opened.reported() == row.reported);
    CHECK(opened.set.rdb_path == (fs::exists(folder.path("dump.rdb")) ? folder.path("dump.rdb") : ""));
    if (opened.parts().starts_with("single")) CHECK(opened.set.folder == folder.path());
  }
}

TEST_CASE("an RDB file that is newer than the log was perhaps meant to be loaded") {
  const TempFolder folder;
  fill(folder.path(), kAppendDir + kDump);
  set_time(folder.path("dump.rdb"), 4'000'000'000);
  CHECK(open(folder.path()).reported() == "set.rdb-not-loaded dump.rdb");
  set_time(folder.path("appendonlydir/appendonly.aof.1.incr.aof"), 4'000'000'001);
  CHECK(open(folder.path()).reported().empty());
}

TEST_CASE("a data dir that holds nothing, or too much") {
  const TempFolder folder;
  const std::string nothing =
      "holds neither an append directory (appendonlydir), nor an AOF (appendonly.aof), nor one RDB file "
      "(dump.rdb)";
  CHECK(refusal(folder.path()) == nothing);
  fill(folder.path(), {{"a.rdb", ""}, {"b.rdb", ""}});
  CHECK(refusal(folder.path()) == nothing);
  fill(folder.path(), {{"a.aof", std::string(kLog)}, {"b.aof", std::string(kLog)}});
  CHECK(refusal(folder.path()) == "holds more than one AOF: name one of a.aof, b.aof");
  fill(folder.path(), under("d", kSound) + under("e", kSound));
  CHECK(refusal(folder.path()) == "holds more than one append directory: name one of d, e");
  ServerConf conf;
  conf.appenddirname = "e";
  CHECK(open(folder.path(), &conf).set.folder == folder.path("e"));
  conf.appendonly = false;
  CHECK(refusal(folder.path(), &conf) ==
        "holds no RDB file (dump.rdb), which is all that a server with `appendonly no` loads; to read the "
        "log all "
        "the same, name e");
}

struct Rebuilt {
  const char* story;
  std::string manifest;  // "-" for none
  std::vector<std::string> files;
  const char* lines;  // names
  const char* left_out;
};

const Rebuilt kRebuilt[] = {
    {"base and incrs",
     "-",
     {"a.1.base.rdb", "a.1.incr.aof", "a.2.incr.aof"},
     "a.1.base.rdb a.1.incr.aof a.2.incr.aof",
     ""},
    {"numbers are sorted as such",
     "-",
     {"a.1.base.rdb", "a.10.incr.aof", "a.9.incr.aof"},
     "a.1.base.rdb a.9.incr.aof a.10.incr.aof",
     ""},
    {"an older base: the newest incr only",
     "-",
     {"a.1.base.rdb", "a.1.incr.aof", "a.2.base.aof", "a.2.incr.aof", "a.3.incr.aof"},
     "a.2.base.aof a.3.incr.aof",
     "a.1.base.rdb a.1.incr.aof a.2.incr.aof"},
    {"no base", "-", {"a.1.incr.aof", "a.2.incr.aof"}, "a.1.incr.aof a.2.incr.aof", ""},
    {"no bytes", "", {"a.1.base.rdb", "a.1.incr.aof"}, "a.1.base.rdb a.1.incr.aof", ""},
    {"sound: what is missing is dropped, nothing added",
     "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile a.2.incr.aof seq 2 type i\n",
     {"a.1.base.rdb", "a.2.incr.aof", "a.3.incr.aof"},
     "a.1.base.rdb a.2.incr.aof",
     "a.3.incr.aof"},
    {"sound: a lost base is not replaced by an older one",
     "file a.2.base.rdb seq 2 type b\nfile a.2.incr.aof seq 2 type i\n",
     {"a.1.base.rdb", "a.2.incr.aof"},
     "a.2.incr.aof",
     "a.1.base.rdb"},
    {"sound: a lost base is replaced by the next, made before the manifest was written",
     "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile a.2.incr.aof seq 2 type i\n",
     {"a.1.incr.aof", "a.2.base.rdb", "a.2.incr.aof"},
     "a.2.base.rdb a.2.incr.aof",
     "a.1.incr.aof"},
    {"cut behind the base",
     "file a.1.base.rdb seq 1 type b\nfile a.1.in",
     {"a.1.base.rdb", "a.1.incr.aof", "a.2.incr.aof"},
     "a.1.base.rdb a.1.incr.aof a.2.incr.aof",
     ""},
    {"cut in the history: what it lists does not come back",
     "file a.2.base.rdb seq 2 type b\nfile a.1.incr.aof seq 1 type h\nfile a.1.ba",
     {"a.1.base.rdb", "a.1.incr.aof", "a.2.base.rdb", "a.2.incr.aof"},
     "a.2.base.rdb a.2.incr.aof",
     "a.1.base.rdb a.1.incr.aof"},
    {"cut in front of a type, which may have been history",
     "file a.2.base.rdb seq 2 type b\nfile a.1.incr.aof seq 1 ty",
     {"a.1.base.rdb", "a.1.incr.aof", "a.2.base.rdb", "a.2.incr.aof"},
     "a.2.base.rdb a.2.incr.aof",
     "a.1.base.rdb a.1.incr.aof"},
    {"cut between incrs",
     "file a.1.base.rdb seq 1 type b\nfile a.2.incr.aof seq 2 type i\nfile a.3",
     {"a.1.base.rdb", "a.1.incr.aof", "a.2.incr.aof", "a.3.incr.aof"},
     "a.1.base.rdb a.2.incr.aof a.3.incr.aof",
     "a.1.incr.aof"},
    {"the same sequence twice",
     "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile a.2.incr.aof seq 1 type i\n",
     {"a.1.base.rdb", "a.1.incr.aof", "a.2.incr.aof"},
     "a.1.base.rdb a.1.incr.aof a.2.incr.aof",
     ""},
    {"names that say nothing",
     "file x seq 1 type b\nfile y seq 2 type i\nfile z seq 2 type i\n",
     {"x", "y", "z"},
     "x y z",
     ""},
    {"two bases: the newest",
     "file a.1.base.rdb seq 1 type b\nfile a.2.base.rdb seq 2 type b\n",
     {"a.1.base.rdb", "a.2.base.rdb"},
     "a.2.base.rdb",
     "a.1.base.rdb"},
    {"nothing", "file a.1.base.rdb seq 1 type b\n", {}, "", ""},
};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

std::string files_of(const Manifest& manifest) {
  std::vector<std::string> names;
  for (const ManifestLine& line : manifest.lines) names.push_back(line.file);
  return joined(names);
}

TEST_CASE("the manifest that the files suggest") {
  for (const Rebuilt& row : kRebuilt) {
    CAPTURE(row.story);
    const TempFolder folder;
    for (const std::string& name : row.files) write_file(folder.path(name), kLog);
    if (row.manifest != "-") write_file(folder.path("a.manifest"), row.manifest);
    const RebuiltManifest rebuilt = rebuild_manifest(open(folder.path()).set);
    CHECK(files_of(rebuilt.manifest) == row.lines);
    CHECK(joined(rebuilt.left_out) == row.left_out);
    CHECK(rebuilt.rule.ends_with('.'));
    if (rebuilt.manifest.lines.empty()) continue;
    // Servers read it.
    FindingList findings;
    Manifest again;
    CHECK(parse_manifest(format_manifest(rebuilt.manifest), "a.manifest", findings, again));
    CHECK(again == rebuilt.manifest);
  }
}

TEST_CASE("the pairs that only newer servers know are kept") {
  const TempFolder folder;
  fill(folder.path(), {{"a.1.base.rdb", ""},
                       {"a.1.incr.aof", ""},
                       {"a.manifest",
                        "#c\nfile a.1.base.rdb seq 1 type b\n"
                        "file a.1.incr.aof seq 1 type i startoffset 7\n\n"}});
  const Manifest manifest = rebuild_manifest(open(folder.path()).set).manifest;
  CHECK(format_manifest(manifest) ==
        "#c\nfile a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i startoffset 7\n");
}

// Bases made at second 1700000000, and how their heads say so.
const std::string kBases[] = {
    std::string("REDIS0011\xfa\x05"
                "ctime\xc2\x00\xf1\x53\x65",
                21),
    std::string("REDIS0011\xfa\x05"
                "ctime\x0a"
                "1700000000",
                27),
    "#TS:1700000000\r\n*1\r\n",
};

TEST_CASE("an incr file last written to before the base was made does not follow it") {
  constexpr int64_t kMade = 1'700'000'000;
  for (const std::string& base : kBases) {
    const TempFolder folder;
    fill(folder.path(), {{"a.2.base.rdb", base},
                         {"a.1.incr.aof", std::string(kLog)},
                         {"a.2.incr.aof", ""},
                         {"a.3.incr.aof", std::string(kLog)}});
    set_time(folder.path("a.2.base.rdb"), kMade + 2);
    set_time(folder.path("a.1.incr.aof"), kMade - 1);
    set_time(folder.path("a.2.incr.aof"), kMade - 1);
    set_time(folder.path("a.3.incr.aof"), kMade);
    const RebuiltManifest rebuilt = rebuild_manifest(open(folder.path()).set);
    CHECK(files_of(rebuilt.manifest) == "a.2.base.rdb a.2.incr.aof a.3.incr.aof");
    CHECK(joined(rebuilt.left_out) == "a.1.incr.aof");
    // Times that cannot be: somebody set them all.
    set_time(folder.path("a.2.base.rdb"), kMade - 1);
    CHECK(rebuild_manifest(open(folder.path()).set).left_out.empty());
  }
}

TEST_CASE("what real servers left") {
  const std::string folder = std::string(PERSIST_TESTDATA) + "/aof/";
  const Opened history = open(folder + "redis-7.2.6-history");
  CHECK(history.parts() == "base appendonly.aof.2.base.aof, incr appendonly.aof.2.incr.aof");
  CHECK(history.others() == "history appendonly.aof.1.base.rdb, history appendonly.aof.1.incr.aof");
  CHECK(history.findings.size() == 2);
  const Opened several = open(folder + "redis-8.4.0-multi-incr");
  CHECK(several.parts() ==
        "base appendonly.aof.1.base.rdb, incr appendonly.aof.1.incr.aof, incr appendonly.aof.2.incr.aof");
  CHECK(several.findings.empty());
  CHECK(format_manifest(several.set.manifest) == several.set.manifest_text);
  const Opened quoted = open(folder + "redis-7.2.6-quoted-name");
  CHECK(quoted.parts() == "base my data.aof.1.base.rdb, incr my data.aof.1.incr.aof");
  CHECK(quoted.findings.empty());
  CHECK(format_manifest(quoted.set.manifest) == quoted.set.manifest_text);
  const TempFolder copy;
  fs::copy(folder + "redis-7.2.6-history", copy.path("d"));
  fs::remove(copy.path("d/appendonly.aof.manifest"));
  CHECK(open(copy.path("d")).parts() == history.parts());
}

TEST_CASE("wherever the manifest is cut, history does not come back") {
  const TempFolder copy;
  fs::copy(std::string(PERSIST_TESTDATA) + "/aof/redis-7.2.6-history", copy.path("d"));
  const std::string path = copy.path("d/appendonly.aof.manifest");
  const std::string whole = read_file(path);
  const std::string all = open(path).parts();
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    fs::remove(path);
    write_file(path, whole.substr(0, size));
    // Behind a line feed it is sound, and servers load what it lists.
    const bool sound = size != 0 && whole[size - 1] == '\n';
    const Opened opened = open(copy.path("d"));
    CHECK(opened.set.manifest_sound == sound);
    CHECK(opened.parts() == (sound ? "base appendonly.aof.2.base.aof" : all));
  }
}

TEST_CASE("what a server does to the set meanwhile") {
  const TempFolder folder;
  fill(folder.path(), kSound);
  const AppendSet set = open(folder.path()).set;
  const std::string incr = folder.path("appendonly.aof.1.incr.aof");
  const auto changes = [&] {
    FindingList findings;
    const bool unchanged = is_unchanged(set, findings);
    CHECK(unchanged == findings.all.empty());
    std::string text;
    for (const Finding& finding : findings.all) {
      CHECK(finding.code == FindingCode::set_changed);
      text += fs::path(finding.file).filename().string() + ": " + finding.message() + '\n';
    }
    return text;
  };
  CHECK(changes().empty());
  write_file(incr, std::string(kLog) + std::string(kLog));
  CHECK(changes().empty());
  write_file(incr, "*");
  CHECK(changes() == "appendonly.aof.1.incr.aof: size: expected at least 23 bytes, found 1\n");
  write_file(folder.path("new"), std::string(kLog));
  fs::rename(folder.path("new"), incr);
  CHECK(changes() == "appendonly.aof.1.incr.aof: part: expected the same file, found another\n");
  fs::remove(incr);
  write_file(folder.path("appendonly.aof.manifest"), "#");
  CHECK(changes() ==
        "appendonly.aof.manifest: manifest: expected the same bytes, found others\n"
        "appendonly.aof.1.incr.aof: part: expected the same file, found none\n");
  fs::remove(folder.path("appendonly.aof.manifest"));
  CHECK(changes().starts_with(
      "appendonly.aof.manifest: manifest: expected the same bytes, found no file that can be read\n"));
}

TEST_CASE("a single file may be watched, too") {
  const TempFolder folder;
  const std::string path = folder.file("x.aof", kLog);
  const AppendSet set = open(path).set;
  FindingList findings;
  CHECK(is_unchanged(set, findings));
  write_file(path, "");
  CHECK_FALSE(is_unchanged(set, findings));
  CHECK(is_unchanged(open("-").set, findings));
}

}  // namespace
