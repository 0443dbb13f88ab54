// The list of a log: what is selected, the first and the last lines, and staying at the end of a log that
// grows.
#include "persist/log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "ops/log_lines.hpp"
#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

class Written : public ByteSink {
 public:
  void write(Bytes bytes) override { text += bytes; }
  std::string text;
};

std::string command(std::initializer_list<Bytes> words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const Bytes word : words)
    bytes += "$" + std::to_string(word.size()) + "\r\n" + std::string(word) + "\r\n";
  return bytes;
}

struct Listed {
  std::string text;
  FindingList findings;
  LogSummary summary;
};

Listed list(const std::string& path, const LogOptions& options) {
  Listed listed;
  Written written;
  const AppendSet set = open_append_set(path, listed.findings, {});
  listed.summary = list_log(set, written, listed.findings, options);
  listed.text = written.text;
  return listed;
}

// What is left of the lines without the file, offset and index in front.
std::string words_of(const std::string& text) {
  std::string words;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const size_t begin = text.find(" db", at);
    words += text.substr(begin + 1, end - begin - 1) + "; ";
    at = end + 1;
  }
  return words;
}

std::string selected(Bytes log, const LogSelection& selection) {
  const TempFolder folder;
  LogOptions options;
  options.selection = selection;
  return words_of(list(folder.file("log.aof", log), options).text);
}

std::string sample_log() {
  return command({"SELECT", "0"}) + command({"set", "cart:1", "a"}) + "#TS:1795200000\r\n" +
         command({"MSET", "x", "1", "cart:2", "2"}) + "#TS:1795200010\r\n" + command({"SELECT", "3"}) +
         command({"HSET", "h", "cart:3", "1"}) + command({"MY.CMD", "cart:4", "cart:5"}) +
         "#TS:1795200020\r\n" + command({"FLUSHALL"}) + command({"SWAPDB", "0", "7"});
}

// Does one thing each time the follower has read all there is; ends it behind the last.
class Script {
 public:
  explicit Script(std::vector<std::function<void()>> steps) : steps_(std::move(steps)) {
    following_.pause = [this](int) {
      if (done_ == steps_.size()) return false;
      steps_[done_++]();
      return true;
    };
    following_.notice = [this](const std::string&, const std::string& what) { notices += what + "; "; };
    options.following = &following_;
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  LogOptions options;
  std::string notices;

 private:
  std::vector<std::function<void()>> steps_;
  size_t done_ = 0;
  LogFollowing following_;
};

std::string follow(const std::string& path, Script& script) {
  const Listed listed = list(path, script.options);
  CHECK(listed.findings.all.empty());
  CHECK(!listed.summary.complete);
  return listed.text;
}

}  // namespace

TEST_CASE("commands are selected by name, key, database and time") {
  const std::string log = sample_log();
  LogSelection by;
  by.commands = {"SeT", "my.cmd"};
  CHECK(selected(log, by) == "db0 - set cart:1 a; db3 2026-11-20T18:40:10Z MY.CMD cart:4 cart:5; ");
  // Of commands that are known, keys only; of others, the first word.
  by = {};
  by.key_globs = {"cart:[2345]"};
  CHECK(selected(log, by) ==
        "db0 2026-11-20T18:40:00Z MSET x 1 cart:2 2; db3 2026-11-20T18:40:10Z MY.CMD cart:4 cart:5; ");
  by = {};
  by.key_regexes = {"^h$"};
  CHECK(selected(log, by) == "db3 2026-11-20T18:40:10Z HSET h cart:3 1; ");
  // FLUSHALL and SWAPDB work on other databases than their own.
  by = {};
  by.dbs = {7};
  CHECK(selected(log, by) == "db3 2026-11-20T18:40:20Z FLUSHALL; db3 2026-11-20T18:40:20Z SWAPDB 0 7; ");
  by = {};
  by.since_ms = 1795200010'000;
  by.until_ms = 1795200010'999;
  by.commands = {"select", "mset", "flushall"};
  CHECK(selected(log, by) == "db3 2026-11-20T18:40:10Z SELECT 3; ");
  by.since_ms = 1795200010'001;
  CHECK(selected(log, by).empty());
}

TEST_CASE("the first and the last lines") {
  const TempFolder folder;
  std::string log;
  for (int i = 0; i < 50'000; ++i) log += command({"SET", "key:" + std::to_string(i), "value"});
  const std::string path = folder.file("log.aof", log);
  LogOptions options;
  const std::string all = list(path, options).text;
  // Where the line of that number begins.
  const auto line_at = [&](uint64_t line) {
    size_t at = 0;
    while (line-- > 0 && at < all.size()) at = all.find('\n', at) + 1;
    return at;
  };
  for (const uint64_t lines : std::initializer_list<uint64_t>{0, 1, 2, 40'000, 50'000, 60'000}) {
    options.tail_lines.reset();
    options.head_lines = lines;
    const Listed head = list(path, options);
    CHECK(head.text == all.substr(0, line_at(lines)));
    CHECK(head.summary.complete == (lines > 50'000));
    options.head_lines.reset();
    options.tail_lines = lines;
    const Listed tail = list(path, options);
    CHECK(tail.text == all.substr(line_at(50'000 - std::min<uint64_t>(lines, 50'000))));
    CHECK(tail.summary.lines == 50'000);
  }
}

TEST_CASE("what is appended is listed once it is whole") {
  const TempFolder folder;
  const std::string log = sample_log();
  LogOptions once;
  once.annotations = true;
  const std::string expected = list(folder.file("whole.aof", log), once).text;
  const std::string path = folder.file("grow.aof", "");
  std::vector<std::function<void()>> steps;
  for (size_t size = 1; size <= log.size(); ++size)
    steps.emplace_back([&, size] { write_file(path, Bytes(log).substr(0, size)); });
  Script script(std::move(steps));
  script.options.annotations = true;
  std::string found = follow(path, script);
  for (size_t at = found.find("grow"); at != std::string::npos; at = found.find("grow", at))
    found.replace(at, 4, "whole");
  CHECK(found == expected);
  CHECK(script.notices.empty());
}

TEST_CASE("a tail that is cut off and written anew") {
  const TempFolder folder;
  const std::string before = command({"SELECT", "5"}) + command({"SET", "a", "1"});
  const std::string path =
      folder.file("log.aof", before + command({"SET", "torn", "123456789"}).substr(0, 30));
  Script script({[&] { std::filesystem::resize_file(path, before.size()); },
                 [&] {
                   write_file(path, before + command({"SET", "b", "2"}));
                 }});
  CHECK(words_of(follow(path, script)) == "db5 - SELECT 5; db5 - SET a 1; db5 - SET b 2; ");
  CHECK(script.notices == "was cut off behind what was listed: reading goes on there; ");
}

TEST_CASE("a file that is replaced") {
  const TempFolder folder;
  const std::string path = folder.file("log.aof", command({"SET", "old", "1"}));
  Script script({[&] { std::filesystem::rename(folder.file("new", command({"SET", "new", "1"})), path); }});
  CHECK(words_of(follow(path, script)) == "db0 - SET old 1; db0 - SET new 1; ");
  CHECK(script.notices == "is another file now: it is read from its beginning; ");
}

TEST_CASE("a rewrite: a new file is listed in the manifest") {
  const TempFolder folder;
  const std::string one = "file a.aof.1.incr.aof seq 1 type i\n";
  const std::string two = "file a.aof.2.incr.aof seq 2 type i\n";
  const std::string first = command({"SET", "a", "1"});
  write_file(folder.path("a.aof.manifest"), one);
  write_file(folder.path("a.aof.1.incr.aof"), first);
  Script script({[&] {
                   // The last of the old file comes at the same moment.
                   write_file(folder.path("a.aof.1.incr.aof"), first + command({"SET", "b", "1"}));
                   write_file(folder.path("a.aof.2.incr.aof"), "");
                   write_file(folder.path("new"), one + two);
                   std::filesystem::rename(folder.path("new"), folder.path("a.aof.manifest"));
                 },
                 [] {},
                 [&] {
                   write_file(folder.path("a.aof.2.incr.aof"), command({"SET", "c", "1"}));
                 },
                 [] {}});
  CHECK(follow(folder.path(), script) ==
        "a.aof.1.incr.aof:0x0 #0 db0 - SET a 1\n"
        "a.aof.1.incr.aof:0x1b #1 db0 - SET b 1\n"
        "a.aof.2.incr.aof:0x0 #2 db0 - SET c 1\n");
  CHECK(script.notices.empty());
}

TEST_CASE("the last lines are shown before anything is waited for") {
  const TempFolder folder;
  const std::string log = command({"SET", "a", "1"}) + command({"SET", "b", "1"});
  const std::string path = folder.file("log.aof", log);
  Script script({[&] { write_file(path, log + command({"SET", "c", "1"}) + command({"SET", "d", "1"})); }});
  script.options.tail_lines = 1;
  CHECK(words_of(follow(path, script)) == "db0 - SET b 1; db0 - SET c 1; db0 - SET d 1; ");
}

TEST_CASE("what is compressed is not followed") {
  const TempFolder folder;
  Script script({});
  const std::string path = folder.file("log.aof.gz", gzip_of(command({"SET", "a", "1"})));
  CHECK_THROWS_AS(list(path, script.options), std::invalid_argument);
}

TEST_CASE("times of any year") {
  CHECK(utc_text(0) == "1970-01-01T00:00:00Z");
  CHECK(utc_text(1795200000) == "2026-11-20T18:40:00Z");
  CHECK(utc_text(951782399) == "2000-02-28T23:59:59Z");
  CHECK(utc_text(253402300800) == "10000-01-01T00:00:00Z");
  CHECK(utc_text(std::numeric_limits<int64_t>::max()) == "292277026596-12-04T15:30:07Z");
}
