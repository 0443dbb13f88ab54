// Slot ranges and nodes.conf: what is read, and that anything else is refused with its line.
#include "ops/slot_map.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

const std::string kIdA(40, 'a');
const std::string kIdB(40, 'b');

std::string ranges_text(const std::vector<SlotRange>& ranges) {
  std::string text;
  for (const SlotRange& range : ranges) text += (text.empty() ? "" : " ") + slot_range_text(range);
  return text;
}

// What `work` has against its input; empty if nothing.
template <typename Work>
std::string complaint_of(Work work) {
  try {
    (void)work();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

std::string node_line(const std::string& address, const std::string& flags, const std::string& slots) {
  return kIdA + " " + address + " " + flags + " - 0 1426238317239 4 connected" + slots + "\n";
}

std::string complaint_of_line(const std::string& line) {
  return complaint_of([&] { return parse_nodes_conf("vars currentEpoch 6 lastVoteEpoch 0\n" + line, "n"); });
}

}  // namespace

TEST_CASE("slots: ranges") {
  CHECK(ranges_text(parse_slot_ranges("0-5460,5461-10922,16383")) == "0-5460 5461-10922 16383");
  CHECK(ranges_text(parse_slot_ranges("9,7")) == "9 7");
  for (const Bytes bad :
       {"", "1-", "-1", "5-4", "16384", "0-16384", "1,,2", "a", "1 2", "+1", "1-2-3", "1,"}) {
    CAPTURE(bad);
    const bool taken = bad == "1,";  // a comma at the end is none
    CHECK(complaint_of([&] { return parse_slot_ranges(bad); }).empty() == taken);
  }
  CHECK(complaint_of([] { return parse_slot_ranges("0-10,20,5-25"); }) == "slot 5 is in two ranges");
}

TEST_CASE("slots: equal ranges are those of redis-cli --cluster create") {
  CHECK(ranges_text(equal_slot_ranges(1)) == "0-16383");
  CHECK(ranges_text(equal_slot_ranges(3)) == "0-5460 5461-10922 10923-16383");
  CHECK(ranges_text(equal_slot_ranges(5)) == "0-3276 3277-6553 6554-9829 9830-13106 13107-16383");
  for (const unsigned count : {2U, 7U, 100U, 1000U, 16383U, 16384U}) {
    CAPTURE(count);
    SlotMap map;
    const std::vector<SlotRange> ranges = equal_slot_ranges(count);
    REQUIRE(ranges.size() == count);
    for (size_t i = 0; i < ranges.size(); ++i) {
      const uint64_t slots = ranges[i].last - ranges[i].first + 1;
      CHECK(slots - kClusterSlots / count <= 1);
      CHECK(map.assign(ranges[i], i).empty());
    }
    CHECK(map.unowned().empty());
  }
}

TEST_CASE("slots: who owns them") {
  SlotMap map;
  CHECK(map.assign({10, 20}, 0).empty());
  CHECK(map.assign({30, 40}, 1).empty());
  const std::vector<SlotMap::Clash> clashes = map.assign({15, 35}, 2);
  REQUIRE(clashes.size() == 2);
  CHECK(slot_range_text(clashes[0].slots) == "15-20");
  CHECK(clashes[0].owner == 0);
  CHECK(slot_range_text(clashes[1].slots) == "30-35");
  CHECK(clashes[1].owner == 1);
  CHECK(map.owner_of(9) == SlotMap::kNobody);
  CHECK(map.owner_of(20) == 0);
  CHECK(map.owner_of(21) == 2);
  CHECK(ranges_text(map.unowned()) == "0-9 41-16383");
}

TEST_CASE("nodes.conf: what servers write") {
  const std::string text = kIdA +
                           " 127.0.0.1:30004@31004,host4,shard-id=69bc080733d1355567173199cff4a6a039a2f024 "
                           "myself,slave " +
                           kIdB + " 0 1426238317239 4 connected\r\n" + kIdB +
                           " 10.0.0.1:30001@31001 master - 0 0 1 connected 0-5460 9000 [93->-" + kIdA +
                           "] [7000-<-" + kIdA + "]\n\nvars currentEpoch 6 lastVoteEpoch 0\n";
  const std::vector<ClusterNode> nodes = parse_nodes_conf(text, "nodes.conf");
  REQUIRE(nodes.size() == 2);
  CHECK(nodes[0].id == kIdA);
  CHECK(nodes[0].host == "127.0.0.1");
  CHECK(nodes[0].port == "30004");
  CHECK(nodes[0].is_myself);
  CHECK(!nodes[0].is_master);
  CHECK(nodes[0].master == kIdB);
  CHECK(nodes[0].slots.empty());
  CHECK(nodes[1].host == "10.0.0.1");
  CHECK(!nodes[1].is_myself);
  CHECK(nodes[1].is_master);
  CHECK(nodes[1].master.empty());
  CHECK(ranges_text(nodes[1].slots) == "0-5460 9000");
  CHECK(ranges_text(nodes[1].importing) == "7000");
}

TEST_CASE("nodes.conf: addresses") {
  struct Row {
    const char* address;
    const char* host;
    const char* port;
  };
  const Row rows[] = {
      {"127.0.0.1:6379", "127.0.0.1", "6379"},
      {":6379@16379", "", "6379"},
      {":0@0", "", "0"},
      {"::1:6379@16379", "::1", "6379"},
      {":6379@16379,name,x=1", "name", "6379"},
      {"1.2.3.4:6379@16379,name", "1.2.3.4", "6379"},
      {":6379@16379,,tls-port=0,x=1", "", "6379"},
      {":6379@16379,tls-port=0", "", "6379"},
      {"../../etc:6379@16379", "../../etc", "6379"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.address);
    const std::vector<ClusterNode> nodes = parse_nodes_conf(node_line(row.address, "master", " 1"), "n");
    CHECK(nodes[0].host == row.host);
    CHECK(nodes[0].port == row.port);
  }
}

TEST_CASE("nodes.conf: anything else is refused") {
  CHECK(complaint_of_line(node_line("h:1@2", "master", " 1")).empty());
  struct Row {
    std::string line;
    const char* why;
  };
  const Row rows[] = {
      {"hello\n", "n:2: fields"},
      {"hello my dear friend how are you today\n", "n:2: id"},
      {node_line("h", "master", ""), "n:2: address"},
      {node_line("h:", "master", ""), "n:2: address"},
      {node_line("h:70000@1", "master", ""), "n:2: address"},
      {node_line("h:x@1", "master", ""), "n:2: address"},
      {kIdA + " h:1@2 slave who 0 0 0 connected\n", "n:2: master"},
      {kIdA + " h:1@2 master - 0 0 0\n", "n:2: fields"},
      {node_line("h:1@2", "master", " 16384"), "n:2: slots"},
      {node_line("h:1@2", "master", " 5-4"), "n:2: slots"},
      {node_line("h:1@2", "master", " x"), "n:2: slots"},
      {node_line("h:1@2", "master", " [5]"), "n:2: slot on its way"},
      {node_line("h:1@2", "master", " [5-<-"), "n:2: slot on its way"},
      {node_line("h:1@2", "master", " ["), "n:2: slot on its way"},
      {node_line("h:1@2", "master", " [-<-x]"), "n:2: slot on its way"},
      {node_line("h:1@2", "master", " [99999-<-x]"), "n:2: slot on its way"},
      {node_line("h:1@2", "master", " [5-=-x]"), "n:2: slot on its way"},
      {"", "n: not a nodes.conf"},
      {std::string(1000, '\n'), "n: not a nodes.conf"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    const std::string complaint = complaint_of_line(row.line);
    CHECK_MESSAGE(complaint.starts_with(row.why), complaint);
  }
}

TEST_CASE("nodes.conf: out of a file") {
  const TempFolder folder;
  const std::string path = folder.file("nodes.conf", node_line("h:1@2", "myself,master", " 0-16383"));
  CHECK(read_nodes_conf(path).size() == 1);
  CHECK(error_of([&] { (void)read_nodes_conf(folder.path("none")); }, "none") == ENOENT);
}
