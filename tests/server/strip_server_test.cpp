// What strip writes, a real redis-server loads: with the keys that were to stay, and no others.
#include <doctest/doctest.h>

#include <filesystem>

#include "persist/append_set.hpp"
#include "persist/check_set.hpp"
#include "persist/strip.hpp"
#include "server/live_server.hpp"

namespace persist::test {

namespace {

void fill(Client& client) {
  client.call({"SET", "keep:string", "1"});
  client.call({"SET", "tmp:string", "1"});
  client.call({"HSET", "tmp:hash", "f", "v"});
  client.call({"RPUSH", "keep:list", "a", "b"});
  client.call({"MULTI"});
  client.call({"SET", "tmp:in-multi", "1"});
  client.call({"INCR", "tmp:counter"});
  client.call({"EXEC"});
  client.call({"SELECT", "3"});
  client.call({"SET", "tmp:three", "3"});
  client.call({"SET", "keep:three", "3"});
  client.call({"SELECT", "0"});
}

void check_rest(Client& client) {
  CHECK(client.call({"DBSIZE"}).text == "2");
  CHECK(client.call({"GET", "keep:string"}).text == "1");
  CHECK(client.call({"LLEN", "keep:list"}).text == "2");
  client.call({"SELECT", "3"});
  CHECK(client.call({"DBSIZE"}).text == "1");
  CHECK(client.call({"GET", "keep:three"}).text == "3");
}

StripSummary strip_in_place(const std::string& path) {
  StripOptions options;
  options.keys.key_globs = {"tmp:*"};
  OutputOptions output;
  output.in_place = true;
  FindingList found;
  const AppendSet set =
      std::filesystem::is_directory(path) ? open_append_set(path, found, {}) : single_file_set(path);
  return strip_set(set, options, output);
}

}  // namespace

TEST_CASE("a server loads an RDB file without the keys that were stripped") {
  const LiveServer server({});
  Client client(server.port());
  fill(client);
  client.call({"SAVE"});
  CHECK(strip_in_place(server.rdb()).edit.keys_dropped == 5);
  client.call({"DEBUG", "RELOAD", "NOSAVE"});
  check_rest(client);
}

TEST_CASE("a server loads a log without the keys that were stripped") {
  const LiveServer server({"--appendonly", "yes"});
  Client client(server.port());
  fill(client);
  const StripSummary summary = strip_in_place(server.folder() / "appendonlydir");
  CHECK(summary.transactions_emptied == 1);
  client.call({"DEBUG", "LOADAOF"});
  check_rest(client);
}

}  // namespace persist::test
