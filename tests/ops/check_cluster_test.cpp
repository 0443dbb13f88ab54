// The check of a cluster: each of its findings provoked, replicas left out, logs replayed.
#include "persist/check_cluster.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "ops/slot_map.hpp"
#include "persist/check_set.hpp"
#include "persist/filter.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"
#include "support/set_verbs.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

const std::string kNodes[] = {std::string(40, 'a'), std::string(40, 'b'), std::string(40, 'c')};

// "key" is in slot 12539, "foo" in 12182, "bar" in 5061, "hello" in 866.
struct ClusterFolder {
  TempFolder folder;
  std::vector<ClusterMember> members;
  std::vector<Finding> findings;

  // Without slots: no nodes.conf.
  ClusterMember& add(const Strings& keys, const std::string& nodes_conf, uint64_t db = 0) {
    RdbBuilder builder(redis, 11);
    builder.select(db);
    for (const std::string& key : keys) builder.string(key, "v");
    const std::string number = std::to_string(members.size());
    ClusterMember& member = members.emplace_back();
    member.name = "node-" + number;
    member.rdb_path = folder.file(number + ".rdb", builder.eof());
    if (!nodes_conf.empty()) member.nodes_conf = folder.file(number + ".conf", nodes_conf);
    return member;
  }

  ClusterSummary run() {
    FindingList found;
    ClusterSummary summary = check_cluster(members, found, {});
    findings = found.all;
    return summary;
  }
};

std::string master_line(size_t node, const std::string& slots, bool myself = true) {
  return kNodes[node] + " 10.0.0.1:6379@16379 " + (myself ? "myself," : "") + "master - 0 0 1 connected " +
         slots + "\n";
}

std::string replica_conf(size_t node, size_t of, const std::string& slots) {
  return kNodes[node] + " 10.0.0.2:6379@16379 myself,slave " + kNodes[of] + " 0 0 1 connected\n" +
         master_line(of, slots, false);
}

std::set<std::string> provoked_of_clusters;

std::string cluster_ids(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) provoked_of_clusters.emplace(finding.kind().id);
  return all_ids(findings);
}

}  // namespace

TEST_CASE("cluster: sound") {
  ClusterFolder cluster;
  cluster.add({"hello", "bar"}, master_line(0, "0-8191"));
  cluster.add({"foo"}, master_line(1, "8192-16383 [866-<-" + kNodes[0] + "]"));
  ClusterSummary summary = cluster.run();
  CHECK(cluster_ids(cluster.findings).empty());
  CHECK(summary.sound());
  CHECK(summary.keys == 3);
  CHECK(summary.slots == 16384);
  CHECK(summary.knows_slots);
  CHECK(summary.members[0].node == kNodes[0]);
  CHECK(summary.members[0].slots == 8192);
  CHECK(summary.members[0].keys == 2);
  CHECK(summary.members[0].complete);
}

TEST_CASE("cluster: slots") {
  ClusterFolder cluster;
  cluster.add({}, master_line(0, "0-8191 9000"));
  cluster.add({}, master_line(1, "8000-8999 9002-16383"));
  const ClusterSummary summary = cluster.run();
  CHECK(cluster_ids(cluster.findings) == "cluster.slot-twice cluster.slot-uncovered");
  CHECK(cluster.findings[0].found == "8000-8191, which node-0 owns, too");
  CHECK(cluster.findings[0].file == cluster.members[1].nodes_conf);
  CHECK(cluster.findings[1].found == "9001");
  CHECK(summary.slots == 16383);
  CHECK(summary.errors == 2);
  CHECK(summary.reach == Reach::beyond);
}

TEST_CASE("cluster: a slot is uncovered only if all members tell theirs") {
  ClusterFolder cluster;
  cluster.add({"hello"}, master_line(0, "0-8191"));
  cluster.add({"foo"}, "");
  const ClusterSummary summary = cluster.run();
  CHECK(cluster_ids(cluster.findings).empty());
  CHECK(!summary.knows_slots);
  CHECK(!summary.members[1].knows_slots);
}

TEST_CASE("cluster: a key where it does not belong") {
  ClusterFolder cluster;
  cluster.add({"hello", "foo"}, master_line(0, "0-8191 [12539-<-" + kNodes[1] + "]"));
  cluster.add({"key", "bar"}, master_line(1, "8192-16383 [5061-<-" + kNodes[0] + "]"));
  const ClusterSummary summary = cluster.run();
  REQUIRE(cluster_ids(cluster.findings) == "cluster.foreign-slot");
  CHECK(cluster.findings[0].key == "foo");
  CHECK(cluster.findings[0].found == "slot 12182");
  CHECK(cluster.findings[0].file == cluster.members[0].rdb_path);
  CHECK(cluster.findings[0].extent.offset > 0);
  CHECK(summary.keys_foreign == 1);
}

TEST_CASE("cluster: a key that two nodes have") {
  ClusterFolder cluster;
  cluster.add({"hello", "foo"}, "");
  cluster.add({"foo", "bar"}, "");
  cluster.add({"foo"}, "");
  const ClusterSummary summary = cluster.run();
  CHECK(cluster_ids(cluster.findings) ==
        "cluster.slot-shared cluster.slot-shared cluster.key-twice cluster.key-twice");
  CHECK(cluster.findings[0].found == "1 key in slots of which node-0 has keys, too");
  CHECK(cluster.findings[2].key == "foo");
  CHECK(cluster.findings[2].found == "also in node-0");
  CHECK(summary.keys_twice == 2);
  CHECK(summary.warnings == 2);
}

TEST_CASE("cluster: keys of one slot in two nodes that do not tell theirs") {
  ClusterFolder cluster;
  cluster.add({"{foo}1"}, "");
  cluster.add({"{foo}2", "{foo}3", "bar"}, "");
  CHECK(cluster.run().sound());
  REQUIRE(cluster_ids(cluster.findings) == "cluster.slot-shared");
  CHECK(cluster.findings[0].found == "2 keys in slots of which node-0 has keys, too");
}

TEST_CASE("cluster: one database") {
  ClusterFolder cluster;
  cluster.add({"foo", "bar"}, master_line(0, "0-16383"), 2);
  const ClusterSummary summary = cluster.run();
  REQUIRE(cluster_ids(cluster.findings) == "cluster.db cluster.db");
  CHECK(cluster.findings[0].db == 2);
  CHECK(cluster.findings[0].key == "foo");
  CHECK(summary.keys_beyond == 2);
}

TEST_CASE("cluster: a nodes.conf that is none") {
  const std::pair<std::string, const char*> rows[] = {
      {"vars x 1\nhello\n", "line 2: fields: expected at least 8 of them, as in nodes.conf, found \"hello\""},
      {master_line(0, "0-5", false), "no node has the flag myself"},
  };
  for (const auto& [text, why] : rows) {
    ClusterFolder cluster;
    cluster.add({"foo"}, text);
    const ClusterSummary summary = cluster.run();
    REQUIRE(cluster_ids(cluster.findings) == "cluster.nodes-conf");
    CHECK(cluster.findings[0].file == cluster.members[0].nodes_conf);
    CHECK(cluster.findings[0].found == why);
    CHECK(!summary.knows_slots);
  }
}

TEST_CASE("cluster: replicas are copies, or stand for their master") {
  ClusterFolder cluster;
  cluster.add({"foo"}, replica_conf(2, 0, "0-16383"));
  cluster.add({"foo"}, master_line(0, "0-16383"));
  ClusterSummary summary = cluster.run();
  CHECK(cluster_ids(cluster.findings).empty());
  CHECK(summary.members[0].copy_of == 1);
  CHECK(!summary.members[1].copy_of);
  CHECK(summary.keys == 1);

  ClusterFolder alone;
  alone.add({"foo"}, replica_conf(1, 0, "0-12000"));
  alone.add({"foo"}, replica_conf(2, 0, "0-12000"));
  summary = alone.run();
  CHECK(cluster_ids(alone.findings) == "cluster.slot-uncovered cluster.foreign-slot");
  CHECK(!summary.members[0].copy_of);
  CHECK(summary.members[1].copy_of == 0);
}

TEST_CASE("cluster: logs are replayed") {
  ClusterFolder cluster;
  cluster.add({"foo"}, master_line(0, "0-16383"));
  const std::string log =
      "*3\r\n$3\r\nSET\r\n$3\r\nfoo\r\n$1\r\n1\r\n*3\r\n$3\r\nSET\r\n$3\r\nbar\r\n$1\r\n1\r\n"
      "*2\r\n$3\r\nDEL\r\n$3\r\nbar\r\n";
  ClusterMember& member = cluster.members.emplace_back();
  member.name = "a log";
  member.log = single_file_set(cluster.folder.file("appendonly.aof", log));
  ClusterSummary summary = cluster.run();
  REQUIRE(cluster_ids(cluster.findings) == "cluster.key-twice");
  CHECK(cluster.findings[0].file == "a log");
  CHECK(summary.members[1].keys == 1);
  CHECK(summary.members[1].complete);

  member.log = single_file_set(cluster.folder.file("module.aof", "*2\r\n$7\r\nBF.ADDX\r\n$3\r\nfoo\r\n"));
  summary = cluster.run();
  CHECK(!summary.members[1].complete);
  CHECK(summary.errors == 1);
}

TEST_CASE("cluster: damage is for others to report") {
  ClusterFolder cluster;
  ClusterMember& member = cluster.add({"foo"}, master_line(0, "0-16383"));
  const std::string whole = read_file(member.rdb_path);
  member.rdb_path = cluster.folder.file("torn.rdb", whole.substr(0, whole.size() - 10));
  const ClusterSummary summary = cluster.run();
  CHECK(cluster_ids(cluster.findings).empty());
  CHECK(summary.sound());
  CHECK(!summary.members[0].complete);
}

TEST_CASE("cluster: the same file twice") {
  ClusterFolder cluster;
  Strings keys;
  for (int i = 0; i < 11'000; ++i) keys.push_back(std::to_string(i));
  cluster.add(keys, "");
  cluster.add(keys, "");
  const ClusterSummary summary = cluster.run();
  CHECK(summary.keys_twice == 11'000);
  CHECK(cluster.findings.size() == 10'001);  // the others are counted; and one for the slots
}

TEST_CASE("cluster: all findings were provoked") {
  for (const FindingKind& kind : finding_kinds()) {
    if (!kind.id.starts_with("cluster.") || kind.code == FindingCode::cluster_unknown) continue;
    CAPTURE(kind.id);
    CHECK(provoked_of_clusters.contains(std::string(kind.id)));
  }
}
