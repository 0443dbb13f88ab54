// Digests of keys and datasets. Those of DEBUG DIGEST are what servers answered.
#include "engine/digest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace persist;

namespace {

struct Key {
  DigestKey head;
  std::vector<Element> elements;
};

DigestKey head(Bytes key, ValueType type, int64_t expire_at_ms = kNoExpiry) {
  return {0, key, type, expire_at_ms};
}

constexpr StreamField kField{"f", "v"};

// One key of each plain type, two of them with an expiry inside or outside.
std::vector<Key> keys_of_all_types() {
  using enum ValueType;
  return {
      {head("str", string), {StringValue{"hello"}}},
      {head("e", string, 4102444800000), {StringValue{"hello"}}},
      {head("l", list), {ListItem{"a"}, ListItem{"b"}}},
      {head("s", set), {SetMember{"x"}, SetMember{"y"}}},
      {head("z", zset), {SortedSetMember{"m", 1.5}, SortedSetMember{"n", 1e9}}},
      {head("h", hash), {HashField{"f", "v"}}},
      {head("hx", hash), {HashField{"f", "v", 4102444800000}, HashField{"g", "w"}}},
      {head("x", stream), {StreamInfo{1, {1, 2}, {}, {}, {}}, StreamEntry{{1, 2}, {&kField, 1}}}},
  };
}

Sha1Hash digest_of(KeyDigest& digest, const Key& key) {
  digest.begin(key.head);
  for (const Element& told : key.elements) digest.add(told);
  return digest.finish();
}

std::string server_digest_of(const std::vector<Key>& keys, const DigestRules& rules) {
  HoleBudget holes;
  const auto digest = server_digest(rules, holes);
  DatasetDigest dataset(DigestKind::server);
  for (const Key& key : keys) dataset.add(key.head.db, digest_of(*digest, key));
  return to_hex(dataset.total());
}

std::string full_digest_of(const Key& key) { return to_hex(digest_of(*full_digest(), key)); }

const DigestRules kRedis70 = digest_rules(Dialect::redis, 700);
const DigestRules kRedis74 = digest_rules(Dialect::redis, 704);
const DigestRules kValkey90 = digest_rules(Dialect::valkey, 900);

constexpr const char* kZeros = "0000000000000000000000000000000000000000";

}  // namespace

TEST_CASE("debug digest: as Redis 7.4 answered it") {
  CHECK(server_digest_of({}, kRedis74) == kZeros);
  std::vector<Key> keys = keys_of_all_types();
  CHECK(server_digest_of(keys, kRedis74) == "35fdccc34a09504a410f6073474d60223395b214");
  std::reverse(keys.begin(), keys.end());
  CHECK(server_digest_of(keys, kRedis74) == "35fdccc34a09504a410f6073474d60223395b214");
}

TEST_CASE("debug digest: each key by itself") {
  const char* const digests[] = {
      "42031a56775c7585ff6c185a6d9610c113a20066", "5ba7a7cff89213c35ab6148fb7499620141fc794",
      "c9bd95d3dab4cd59d2be8969d17c4601d69ae050", "1651029ad4a5b2844da00130fc892777c18b5fa9",
      "a7809618f919f9f20e1f3299d7d781bafe733156", "588f949c0e6916600ec2d911d8a42373346b5bd6",
      "eb922b661ad68a395c62d75291d261ef685c8d72", "a600aa9fbac0060eff3be35822d86cab11b0a4e1"};
  HoleBudget holes;
  const auto digest = server_digest(kRedis74, holes);
  const std::vector<Key> keys = keys_of_all_types();
  for (size_t i = 0; i < keys.size(); ++i) {
    CAPTURE(keys[i].head.key);
    Sha1Hash of_key{};
    for (size_t at = 0; at < of_key.size(); ++at)
      of_key[at] = static_cast<uint8_t>(std::stoul(std::string(digests[i] + 2 * at, 2), nullptr, 16));
    CHECK(to_hex(digest_of(*digest, keys[i])) == to_hex(sha1(as_bytes(of_key))));
  }
}

TEST_CASE("debug digest: the db counts, in ascending order whatever order keys come in") {
  Key key = keys_of_all_types()[0];
  CHECK(server_digest_of({key}, kRedis70) == "d018c2af619b4674e0fab9b8a1d5a21f736e6f8a");
  Key other = key;
  other.head.db = 1;
  CHECK(server_digest_of({other}, kRedis70) == "c8af294ec3e718f25a01f9e60815d09d777e9b38");
  CHECK(server_digest_of({other, key}, kRedis70) == server_digest_of({key, other}, kRedis70));
  CHECK(server_digest_of({other, key}, kRedis70) != server_digest_of({key}, kRedis70));
}

TEST_CASE("debug digest: what differs by server") {
  const std::vector<Key> keys = keys_of_all_types();
  const auto differs = [&](size_t i, const DigestRules& a, const DigestRules& b) {
    return server_digest_of({keys[i]}, a) != server_digest_of({keys[i]}, b);
  };
  const DigestRules candidate_of_74 = digest_rules(Dialect::redis, 703);
  constexpr size_t kZset = 4;
  constexpr size_t kHashWithExpiry = 6;
  CHECK(differs(kZset, kRedis70, kRedis74));
  CHECK_FALSE(differs(kZset, kValkey90, kRedis74));
  CHECK(differs(kHashWithExpiry, kRedis70, kRedis74));
  CHECK_FALSE(differs(kHashWithExpiry, kRedis70, kValkey90));
  CHECK_FALSE(differs(kHashWithExpiry, candidate_of_74, kRedis74));
  for (const size_t i : {0U, 1U, 2U, 3U, 5U, 7U}) CHECK_FALSE(differs(i, kRedis70, kRedis74));
}

TEST_CASE("debug digest: a string in runs, and a key that was given up") {
  HoleBudget holes;
  const auto digest = server_digest(kRedis74, holes);
  const Key key = keys_of_all_types()[0];
  const Sha1Hash whole = digest_of(*digest, key);
  digest->begin(head("torn", ValueType::string, 5));
  digest->add_run("he");
  digest->begin(key.head);
  digest->add_run("he");
  digest->add_run("llo");
  CHECK(digest->finish() == whole);
  CHECK(digest_of(*digest, key) == whole);
}

TEST_CASE("debug digest: arrays by their holes") {
  HoleBudget holes;
  const auto digest = server_digest(kRedis74, holes);
  // Read in the server's way: a hole counts as the text (null) would.
  const Key with_hole = {head("a", ValueType::array), {ArrayInfo{}, ArrayElement{1, "v"}}};
  const Key with_text = {head("a", ValueType::array),
                         {ArrayInfo{}, ArrayElement{0, "(null)"}, ArrayElement{1, "v"}}};
  CHECK(digest_of(*digest, with_hole) == digest_of(*digest, with_text));

  digest->begin(head("a", ValueType::array));
  digest->add(ArrayElement{~uint64_t{1}, "v"});
  CHECK(digest->obstacle().has_value());
  digest->begin(head("a", ValueType::array));
  CHECK_FALSE(digest->obstacle().has_value());
  digest->add(ArrayElement{0, "v"});
  digest->add(ArrayElement{0, "v"});
  CHECK(digest->obstacle().has_value());
}

TEST_CASE("debug digest: modules other than vector sets show nothing") {
  const auto with = [](Bytes module, Bytes payload) {
    return server_digest_of({{head("m", ValueType::module), {ModuleValue{module, 0, payload}}}}, kRedis74);
  };
  const std::string nothing = with("unknown--", "abc");
  CHECK(with("unknown--", "") == nothing);
  // Cut short: a vector set that no server would load.
  CHECK(with("vectorset", {"\x02\x03", 2}) == nothing);
  // Two dimensions, no elements, no quantisation, no flags.
  CHECK(with("vectorset", {"\x02\x02\x02\x00\x02\x00\x02\x00\x00", 9}) != nothing);
}

TEST_CASE("full digest: worked examples") {
  // persist-digest(1) has them, too.
  CHECK(full_digest_of(keys_of_all_types()[0]) == "0f629829185f206b283763fcfe5e6248fd5fb50f");
  CHECK(full_digest_of(keys_of_all_types()[3]) == "cb643aa722538e1a0d7586953664077d456fc12f");
}

TEST_CASE("full digest: the order of what has none does not matter, that of the rest does") {
  using enum ValueType;
  const auto of = [](ValueType type, std::vector<Element> elements) {
    return full_digest_of({head("k", type), std::move(elements)});
  };
  CHECK(of(set, {SetMember{"a"}, SetMember{"b"}}) == of(set, {SetMember{"b"}, SetMember{"a"}}));
  CHECK(of(list, {ListItem{"a"}, ListItem{"b"}}) != of(list, {ListItem{"b"}, ListItem{"a"}}));
  CHECK(of(list, {ListItem{"ab"}, ListItem{""}}) != of(list, {ListItem{"a"}, ListItem{"b"}}));
  CHECK(of(array, {ArrayInfo{}, ArrayElement{0, "a"}, ArrayElement{9, "b"}}) ==
        of(array, {ArrayInfo{}, ArrayElement{9, "b"}, ArrayElement{0, "a"}}));
  CHECK(of(set, {SetMember{"a"}}) != of(list, {ListItem{"a"}}));
}

namespace {

const StreamInfo kInfo{1, {5, 0}, StreamId{1, 2}, StreamId{3, 0}, 7};
const StreamEntry kEntry{{1, 2}, {&kField, 1}};
const StreamGroup kGroup{"g", {1, 2}, true, 3};
const StreamPending kPending{{1, 2}, "c", 1700, 2, {}};
const StreamConsumer kConsumer{"c", 1700, true, 1800};
const StreamGroup kOtherGroup{"h", {0, 0}, true, {}};
const StreamProducer kProducer{"p"};
const StreamIid kIid{"i", {1, 2}};
const StreamIid kOtherIid{"j", {1, 2}};
const StreamIdmp kIdmp{100, 100, 2, 0};

using Elements = std::vector<Element>;

std::string of_stream(Elements elements) {
  return full_digest_of({head("x", ValueType::stream), std::move(elements)});
}

}  // namespace

TEST_CASE("full digest: all that a stream is, but for its times") {
  const Elements whole = {kInfo,       kEntry,    kGroup, kPending,  kConsumer,
                          kOtherGroup, kProducer, kIid,   kOtherIid, kIdmp};
  std::set<std::string> digests = {of_stream(whole)};
  size_t variants = 1;
  // Without one element each. The other group, after which that of the first would pass to it, is one of
  // them.
  for (size_t i = 0; i < whole.size(); ++i) {
    Elements without = whole;
    without.erase(without.begin() + static_cast<ptrdiff_t>(i));
    digests.insert(of_stream(without));
    ++variants;
  }
  // With one number or name changed each.
  const auto changed = [&](size_t at, const auto& change) {
    Elements with = whole;
    change(with[at]);
    digests.insert(of_stream(with));
    ++variants;
  };
  changed(0, [](Element& e) { std::get<StreamInfo>(e).last_id = {5, 1}; });
  changed(0, [](Element& e) { std::get<StreamInfo>(e).max_deleted_id = StreamId{3, 1}; });
  changed(0, [](Element& e) { std::get<StreamInfo>(e).entries_added = 8; });
  changed(2, [](Element& e) { std::get<StreamGroup>(e).name = "G"; });
  changed(2, [](Element& e) { std::get<StreamGroup>(e).last_id = {1, 1}; });
  changed(2, [](Element& e) { std::get<StreamGroup>(e).entries_read = {}; });
  changed(3, [](Element& e) { std::get<StreamPending>(e).consumer = {}; });
  changed(3, [](Element& e) { std::get<StreamPending>(e).delivery_time_ms = 1701; });
  changed(3, [](Element& e) { std::get<StreamPending>(e).delivery_count = 3; });
  changed(3, [](Element& e) { std::get<StreamPending>(e).nack_rank = 0; });
  changed(7, [](Element& e) { std::get<StreamIid>(e).id = {1, 3}; });
  changed(9, [](Element& e) { std::get<StreamIdmp>(e).iids_duplicates = 1; });
  CHECK(digests.size() == variants);

  const auto same = [&](size_t at, const auto& change) {
    Elements with = whole;
    change(with[at]);
    CHECK(of_stream(with) == of_stream(whole));
  };
  same(0, [](Element& e) { std::get<StreamInfo>(e).first_id = {}; });
  same(4, [](Element& e) { std::get<StreamConsumer>(e).seen_time_ms = 0; });
  same(4, [](Element& e) { std::get<StreamConsumer>(e).active_time_ms = {}; });
}

TEST_CASE("full digest: of a stream, the order of iids counts and that of groups and consumers does not") {
  const StreamConsumer other{"d", 0, false, {}};
  CHECK(of_stream({kInfo, kGroup, kPending, kConsumer, other, kOtherGroup}) ==
        of_stream({kInfo, kOtherGroup, kGroup, other, kConsumer, kPending}));
  CHECK(of_stream({kInfo, kProducer, kIid, kOtherIid}) != of_stream({kInfo, kProducer, kOtherIid, kIid}));
  // What older encodings lack is what servers that have it make of them.
  CHECK(of_stream({StreamInfo{1, {5, 0}, {}, {}, {}}, kEntry}) ==
        of_stream({StreamInfo{1, {5, 0}, {}, StreamId{0, 0}, 1}, kEntry, StreamIdmp{100, 100, 0, 0}}));
}

TEST_CASE("full digest: what servers' own does not see") {
  Key key = {head("k", ValueType::hash, 5), {HashField{"f", "v", 6}}};
  const std::string before = full_digest_of(key);
  key.head.expire_at_ms = 6;
  CHECK(full_digest_of(key) != before);
  key.head.expire_at_ms = 5;
  std::get<HashField>(key.elements[0]).expire_at_ms = 7;
  CHECK(full_digest_of(key) != before);
  const auto array = [](std::optional<uint64_t> index) {
    return full_digest_of({head("k", ValueType::array), {ArrayInfo{index}, ArrayElement{0, "a"}}});
  };
  CHECK(array({}) != array(0));
  CHECK(array(1) != array(0));
}

TEST_CASE("full digest: of module values, what they hold and not how it is kept") {
  const auto with = [](Bytes payload) {
    return full_digest_of({head("m", ValueType::module), {ModuleValue{"unknown--", 1, payload}}});
  };
  // The same string plain and as an integer; another; what is cut short.
  CHECK(with({"\x05\x02\x31\x32\x00", 5}) == with({"\x05\xc0\x0c\x00", 4}));
  CHECK(with({"\x05\x02\x31\x33\x00", 5}) != with({"\x05\xc0\x0c\x00", 4}));
  CHECK(with({"\x02\x01\x00", 3}) != with({"\x01\x01\x00", 3}));
  CHECK(with({"\x05\x20", 2}) != with({"\x05\x21", 2}));
}

TEST_CASE("full digest: of a vector set, not the graph") {
  const auto with = [](Bytes flags_and_on) {
    const std::string payload = std::string("\x02\x01\x02\x01\x02\x01", 6) + std::string(flags_and_on);
    return full_digest_of({head("v", ValueType::module), {ModuleValue{"vectorset", 0, payload}}});
  };
  // No flags; "a", its vector of one byte, node: number, level, scale.
  const std::string whole =
      with({"\x02\x00\x05\x01\x61\x05\x01\x7f\x02\x03\x02\x07\x02\x01\x02\x09\x00", 17});
  CHECK(with({"\x02\x00\x05\x01\x61\x05\x01\x7f\x02\x03\x02\x08\x02\x02\x02\x09\x00", 17}) == whole);
  CHECK(with({"\x02\x00\x05\x01\x61\x05\x01\x7f\x02\x03\x02\x07\x02\x01\x02\x0a\x00", 17}) != whole);
  CHECK(with({"\x02\x00\x05\x01\x61\x05\x01\x7e\x02\x03\x02\x07\x02\x01\x02\x09\x00", 17}) != whole);
  CHECK(with({"\x02\x00\x05\x01\x62\x05\x01\x7f\x02\x03\x02\x07\x02\x01\x02\x09\x00", 17}) != whole);
}

TEST_CASE("full digest: shards add up, libraries are apart") {
  const std::vector<Key> keys = keys_of_all_types();
  const auto digest = full_digest();
  DatasetDigest whole(DigestKind::full);
  DatasetDigest shards[] = {DatasetDigest(DigestKind::full), DatasetDigest(DigestKind::full)};
  for (size_t i = 0; i < keys.size(); ++i) {
    whole.add(i % 3, digest_of(*digest, keys[i]));
    shards[i % 2].add(i % 3, digest_of(*digest, keys[i]));
  }
  shards[0].merge(shards[1]);
  CHECK(shards[0].total() == whole.total());
  CHECK(shards[0].dbs() == whole.dbs());
  CHECK(whole.dbs().size() == 3);

  CHECK_FALSE(whole.libraries().has_value());
  const Sha1Hash before = whole.total();
  whole.add_library("#!lua name=a\n");
  CHECK(whole.total() != before);
  CHECK(whole.libraries().has_value());
  DatasetDigest of_server(DigestKind::server);
  of_server.add_library("#!lua name=a\n");
  CHECK(to_hex(of_server.total()) == kZeros);
}
