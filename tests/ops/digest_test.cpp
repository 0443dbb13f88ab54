// Digests of files: the same data in any encoding and order, by any number of threads; damage; whose digest
// it is.
#include "persist/digest.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct Digested {
  DigestSummary summary;
  std::vector<Finding> findings;
};

Digested digest(Bytes file, const DigestOptions& options = {}) {
  const auto source = memory_source(file);
  FindingList findings;
  DigestSummary summary = digest_rdb(*source, findings, options);
  return {std::move(summary), std::move(findings.all)};
}

DigestOptions full() {
  DigestOptions options;
  options.full = true;
  return options;
}

// Both digests, of a file that is whole.
std::string both(Bytes file) {
  DigestOptions as;
  as.server = find_target("redis-7.4");
  const Digested server = digest(file, as);
  const Digested ours = digest(file, full());
  CHECK(server.findings.empty());
  CHECK(server.summary.digest.size() == 40);
  CHECK(server.summary.digest != ours.summary.digest);
  return server.summary.digest + " " + ours.summary.digest;
}

constexpr int64_t kLater = 4102444800000;

const std::vector<TtlField> kTtlFields = {{"f", "v", kLater}, {"g", "w", 0}};

}  // namespace

TEST_CASE("digest: the encoding does not matter") {
  const auto file = [](const auto& add) {
    RdbBuilder builder(redis, 12);
    builder.select(0);
    add(builder);
    return builder.eof();
  };
  const Strings numbers = {"1", "2", "300"};
  const Pairs pairs = {{"f", "v"}, {"g", "12"}};
  const StreamSpec stream = {.entries = {{{1, 1}, {{"f", "v"}}}, {{1, 2}, {{"g", "w"}}}}, .last_id = {1, 2}};
  using Add = std::function<void(RdbBuilder&)>;
  const std::vector<std::vector<Add>> alike = {
      {[](auto& b) { b.string("k", "12345"); }, [](auto& b) { b.string_int("k", 12345); }},
      {[&](auto& b) { b.list("k", numbers); }, [&](auto& b) { b.list_ziplist("k", numbers); },
       [&](auto& b) {
         b.list_quicklist("k", {{"1", "2"}, {"300"}});
       }},
      {[&](auto& b) { b.set("k", numbers); },
       [&](auto& b) {
         b.set("k", {"300", "1", "2"});
       },
       [](auto& b) {
         b.set_intset("k", {1, 2, 300});
       },
       [&](auto& b) { b.set_listpack("k", numbers); }},
      {[](auto& b) {
         b.zset("k", {{"a", 1}, {"b", 2.5}});
       },
       [](auto& b) {
         b.zset_text("k", {{"b", "2.5"}, {"a", "1"}});
       },
       [](auto& b) {
         b.zset_ziplist("k", {{"a", "1"}, {"b", "2.5"}});
       },
       [](auto& b) {
         b.zset_listpack("k", {{"a", "1"}, {"b", "2.5"}});
       }},
      {[&](auto& b) { b.hash("k", pairs); }, [&](auto& b) { b.hash_zipmap("k", pairs); },
       [&](auto& b) { b.hash_ziplist("k", pairs); }, [&](auto& b) { b.hash_listpack("k", pairs); }},
      {[](auto& b) { b.hash_ttl("k", kTtlFields); }, [](auto& b) { b.hash_listpack_ttl("k", kTtlFields); }},
      {[&](auto& b) { b.stream("k", 2, stream); }, [&](auto& b) { b.stream("k", 3, stream); }},
  };
  for (const std::vector<Add>& group : alike) {
    const std::string first = both(file(group[0]));
    for (const Add& add : group) {
      CHECK(both(file(add)) == first);
      CHECK(both(file([&](RdbBuilder& builder) { add(builder.compressed()); })) == first);
    }
  }
}

TEST_CASE("digest: what belongs to a key besides its value") {
  const auto of = [](const auto& prefix) {
    RdbBuilder builder(redis, 12);
    prefix(builder.select(0));
    return digest(builder.string("k", "v").eof(), full()).summary.digest;
  };
  const std::string plain = of([](RdbBuilder&) {});
  CHECK(of([](RdbBuilder& b) { b.idle(5); }) == plain);
  CHECK(of([](RdbBuilder& b) { b.freq(5); }) == plain);
  CHECK(of([](RdbBuilder& b) { b.expire_ms(kLater); }) != plain);
  CHECK(of([](RdbBuilder& b) { b.expire_s(4000); }) == of([](RdbBuilder& b) { b.expire_ms(4000000); }));
  CHECK(of([](RdbBuilder& b) { b.select(1); }) != plain);
  CHECK(of([](RdbBuilder& b) { b.function("#!lua name=a\n"); }) != plain);
}

TEST_CASE("digest: by db, and of nothing") {
  const std::string nothing = RdbBuilder(redis, 11).eof();
  CHECK(digest(nothing).summary.digest == std::string(40, '0'));
  CHECK(digest(nothing, full()).summary.digest == std::string(40, '0'));
  CHECK(digest(nothing).summary.dbs.empty());

  const std::string first = RdbBuilder(redis, 11).select(3).string("a", "1").eof();
  const std::string second = RdbBuilder(redis, 11).select(1).string("b", "2").eof();
  const std::string whole = RdbBuilder(redis, 11).select(3).string("a", "1").select(1).string("b", "2").eof();
  for (const DigestOptions& options : {DigestOptions(), full()}) {
    const DigestSummary summary = digest(whole, options).summary;
    REQUIRE(summary.dbs.size() == 2);
    CHECK(summary.dbs[0] == std::pair(uint64_t{1}, digest(second, options).summary.digest));
    CHECK(summary.dbs[1] == std::pair(uint64_t{3}, digest(first, options).summary.digest));
  }
}

TEST_CASE("digest: threads and large values make no difference") {
  const std::string file = long_file(60'000);
  DigestOptions options;
  options.threads = 1;
  const std::string one = digest(file, options).summary.digest;
  options.threads = 3;
  const DigestSummary three = digest(file, options).summary;
  CHECK(three.digest == one);
  CHECK(three.keys == 60'000);
  CHECK(three.counted == 60'000);

  // Passes in runs; compressed it cannot.
  const std::string large(size_t{40} << 20, 'x');
  const auto of = [&](bool compressed) {
    RdbBuilder builder(redis, 11);
    return both(builder.select(0).compressed(compressed).string("k", large).eof());
  };
  CHECK(of(false) == of(true));
}

TEST_CASE("digest: whose it is") {
  const auto server = [](Dialect dialect, unsigned version, Bytes name, Bytes value) {
    RdbBuilder builder(dialect, version);
    if (!name.empty()) builder.aux(name, value);
    return digest(builder.eof()).summary.server;
  };
  CHECK(server(redis, 11, "redis-ver", "7.2.6") == "redis-7.2");
  CHECK(server(redis, 11, "valkey-ver", "8.1.7") == "valkey-8.1");
  CHECK(server(valkey, 80, "valkey-ver", "9.0.4") == "valkey-9.0");
  CHECK(server(valkey, 80, "", "") == "valkey-9.0");
  CHECK(server(redis, 1, "", "") == "redis-2.0");
  CHECK(server(redis, 6, "", "") == "redis-2.6");
  CHECK(server(redis, 10, "redis-ver", "nonsense") == "redis-7.0");
  CHECK(server(redis, 12, "redis-ver", "255.255.255") == "redis-7.4");
  CHECK(server(redis, 11, "valkey-ver", "255.255.255") == "valkey-8.0");
  CHECK(digest(RdbBuilder(redis, 11).eof(), full()).summary.server.empty());
}

TEST_CASE("digest: the printer of scores is that of the server") {
  const std::string file =
      RdbBuilder(redis, 10).aux("redis-ver", "7.0.15").select(0).zset("z", {{"m", 0.1}}).eof();
  DigestOptions options;
  options.server = find_target("redis-7.0");
  const std::string old = digest(file, options).summary.digest;
  CHECK(digest(file).summary.digest == old);
  options.server = find_target("redis-7.2.6");
  CHECK(digest(file, options).summary.digest != old);
}

TEST_CASE("digest: a filter") {
  const std::string file = RdbBuilder(redis, 11).select(0).string("a", "1").string("b", "2").eof();
  FilterOptions only_a;
  only_a.key_globs = {"a"};
  const Filter filter(only_a);
  DigestOptions options;
  options.filter = &filter;
  const DigestSummary summary = digest(file, options).summary;
  CHECK(summary.keys == 2);
  CHECK(summary.counted == 1);
  CHECK(summary.digest == digest(RdbBuilder(redis, 11).select(0).string("a", "1").eof()).summary.digest);
}

TEST_CASE("digest: a damaged value is left out whole") {
  RdbBuilder damaged(redis, 11);
  damaged.select(0).string("a", "1");
  // Stated to have one entry more than it has, behind which it can be passed.
  damaged.blob(16, "h", ListpackBuilder().add("f").add("v").add("g").add("w").count(5).bytes());
  const Digested found = digest(damaged.string("b", "2").eof());
  CHECK(found.summary.errors == 1);
  CHECK(found.summary.keys == 2);
  CHECK(found.summary.digest ==
        digest(RdbBuilder(redis, 11).select(0).string("a", "1").string("b", "2").eof()).summary.digest);
}

TEST_CASE("digest: an array that no server would come to the end of") {
  RdbBuilder sparse(redis, 14);
  sparse.select(0).array("a", 1, {}, RdbBuilder().len(uint64_t{1} << 40).len(0).str("v").bytes());
  const Digested server = digest(sparse.eof());
  CHECK_FALSE(server.summary.obstacle.empty());
  CHECK(server.summary.digest.empty());
  CHECK(digest(sparse.eof(), full()).summary.digest.size() == 40);
}
