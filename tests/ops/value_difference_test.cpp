// In what two values differ: each kind of difference once, and how much is said of it.
#include "ops/value_difference.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "engine/vector_set.hpp"
#include "support/notation.hpp"

using namespace persist;

namespace {

using Elements = std::vector<Element>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

CompareRules all_rules() {
  CompareRules rules;
  rules.differences_max = 100;
  rules.word_bytes_max = 100;
  return rules;
}

void fill(Value& value, ValueType type, const Elements& elements) {
  value.begin(type);
  for (const Element& element : elements) value.add(element);
}

// With `[from of size]` behind what is not the whole.
std::string shown(const DiffWord& word) {
  if (word.bytes.size() == word.size) return test::shown(Bytes(word.bytes));
  return test::shown(Bytes(word.bytes)) + "[" + std::to_string(word.from) + " of " +
         std::to_string(word.size) + "]";
}

std::string shown(const DiffSide& side) {
  std::string text;
  if (side.index) text += "#" + std::to_string(*side.index) + " ";
  if (!side.there) return text + "no";
  if (side.words.empty()) return text + "yes";
  for (const DiffWord& word : side.words)
    text += (text.empty() || text.back() == ' ' ? "" : ",") + shown(word);
  return text;
}

// `part name of owner: a | b`, one after the other.
std::string shown(const ValueDifferences& differences) {
  std::string text;
  for (const Difference& made : differences.made) {
    text += (text.empty() ? "" : "; ") + std::string(diff_part_row(made.part).name);
    if (!made.name.bytes.empty()) text += " " + shown(made.name);
    if (!made.owner.bytes.empty()) text += " of " + shown(made.owner);
    text += ": " + shown(made.a) + " | " + shown(made.b);
  }
  if (differences.more > 0) text += " and " + std::to_string(differences.more) + " more";
  return text;
}

ValueDifferences differences_of(Value& a, Value& b, const CompareRules& rules) {
  ValueDifferences found;
  compare_values(a, b, rules, found);
  return found;
}

std::string difference_of(ValueType type, const Elements& a, const Elements& b,
                          const CompareRules& rules = all_rules()) {
  Value of_a;
  Value of_b;
  fill(of_a, type, a);
  fill(of_b, type, b);
  return shown(differences_of(of_a, of_b, rules));
}

struct ValueRow {
  Elements a;
  Elements b;
  std::string expected;
};

void check_rows(ValueType type, const std::vector<ValueRow>& rows, const CompareRules& rules = all_rules()) {
  for (const ValueRow& row : rows) {
    CAPTURE(row.expected);
    CHECK(difference_of(type, row.a, row.b, rules) == row.expected);
  }
}

std::vector<Element> letters(Bytes text) {
  std::vector<Element> items;
  for (size_t i = 0; i < text.size(); ++i) items.emplace_back(ListItem{text.substr(i, 1)});
  return items;
}

}  // namespace

TEST_CASE("differences of strings and lists") {
  check_rows(ValueType::string, {{{StringValue{"a"}}, {StringValue{"a"}}, ""},
                                 {{StringValue{"a"}}, {StringValue{"b"}}, "string: a | b"},
                                 {{StringValue{""}}, {StringValue{"b"}}, "string: \"\" | b"}});
  check_rows(ValueType::list,
             {{letters("abc"), letters("abc"), ""},
              {letters("abc"), letters("ac"), "item: #1 b | no"},
              {letters("ac"), letters("abc"), "item: no | #1 b"},
              {letters("abc"), letters("axc"), "item: #1 b | no; item: no | #1 x"},
              {letters("ab"), letters("ba"), "item: #0 a | no; item: no | #1 a"},
              {letters("aa"), letters("a"), "item: #1 a | no"},
              {letters(""), letters("ab"), "item: no | #0 a; item: no | #1 b"},
              {letters("xaybzc"), letters("abc"), "item: #0 x | no; item: #2 y | no; item: #4 z | no"}});
}

TEST_CASE("differences of sets, sorted sets and hashes") {
  check_rows(ValueType::set, {{{SetMember{"a"}, SetMember{"b"}}, {SetMember{"b"}, SetMember{"a"}}, ""},
                              {{SetMember{"c"}, SetMember{"a"}, SetMember{"\xff"}},
                               {SetMember{"b"}, SetMember{"c"}},
                               "member a: yes | no; member b: no | yes; member \\xff: yes | no"}});
  check_rows(ValueType::zset,
             {{{SortedSetMember{"b", 1}, SortedSetMember{"a", kNan}},
               {SortedSetMember{"a", -kNan}, SortedSetMember{"b", 1}},
               ""},
              {{SortedSetMember{"a", 1}}, {SortedSetMember{"a", 1.5}}, "score a: 1 | 1.5"},
              {{SortedSetMember{"a", 0.0}}, {SortedSetMember{"a", -0.0}}, "score a: 0 | -0.0"},
              {{SortedSetMember{"a", kNan}}, {SortedSetMember{"a", kInfinity}}, "score a: nan | inf"},
              {{SortedSetMember{"b", 0.1}, SortedSetMember{"a", 9}},
               {SortedSetMember{"a", 9}, SortedSetMember{"c", -kInfinity}},
               "member b: 0.1 | no; member c: no | -inf"}});
  check_rows(
      ValueType::hash,
      {{{HashField{"f", "1"}, HashField{"g", "2"}}, {HashField{"g", "2"}, HashField{"f", "1"}}, ""},
       {{HashField{"f", "1"}}, {HashField{"g", "1"}}, "field f: 1 | no; field g: no | 1"},
       {{HashField{"f", "1"}}, {HashField{"f", "2"}}, "field f: 1 | 2"},
       {{HashField{"f", "1", 50}}, {HashField{"f", "1"}}, "field_expiry f: 50 | yes"},
       {{HashField{"f", "1", 50}}, {HashField{"f", "2", 51}}, "field f: 1 | 2; field_expiry f: 50 | 51"}});
}

TEST_CASE("differences of expiries: what is near enough, and what is not looked at") {
  struct Case {
    int64_t a;
    int64_t b;
    int64_t tolerance_ms;
    bool differ;
  };
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const Case cases[] = {{50, 60, 10, false},        {60, 50, 10, false},
                        {50, 61, 10, true},         {kNoExpiry, 5, 100, true},
                        {5, kNoExpiry, 100, true},  {kMin, kMax, kMax, true},
                        {kMin, kMin + 1, 1, false}, {kNoExpiry, kNoExpiry, 0, false}};
  for (const Case& row : cases) {
    CAPTURE(row.a);
    CAPTURE(row.b);
    CompareRules rules = all_rules();
    rules.ttl_tolerance_ms = row.tolerance_ms;
    const Elements a = {HashField{"f", "v", row.a}};
    const Elements b = {HashField{"f", "v", row.b}};
    CHECK(difference_of(ValueType::hash, a, b, rules).empty() == !row.differ);
    rules.field_ttl = false;
    CHECK(difference_of(ValueType::hash, a, b, rules).empty());
  }
}

TEST_CASE("differences of arrays") {
  check_rows(ValueType::array,
             {{{ArrayInfo{}, ArrayElement{0, "a"}}, {ArrayInfo{}, ArrayElement{0, "a"}}, ""},
              {{ArrayInfo{}, ArrayElement{10, "a"}, ArrayElement{2, "b"}},
               {ArrayInfo{7}, ArrayElement{2, "c"}, ArrayElement{3, "d"}},
               "insert_index: yes | 7; element 2: b | c; element 3: no | d; element 10: a | no"}});
}

namespace {

const std::vector<StreamField> kFieldsOne = {{"f", "1"}, {"g", "2"}};
const std::vector<StreamField> kFieldsOther = {{"f", "1"}, {"g", "3"}};

StreamInfo stream_info(uint64_t length, StreamId last) {
  StreamInfo info;
  info.length = length;
  info.last_id = last;
  return info;
}

StreamInfo full_info(uint64_t length, StreamId last, StreamId deleted, uint64_t added) {
  StreamInfo info = stream_info(length, last);
  info.max_deleted_id = deleted;
  info.entries_added = added;
  return info;
}

StreamGroup group(Bytes name, StreamId last) { return {name, last, false, std::nullopt}; }
StreamConsumer consumer(Bytes name) { return {name, 0, false, std::nullopt}; }

// Each differs in everything that there is about a stream.
const Elements kStreamA = {full_info(1, {3, 0}, {1, 0}, 5),
                           StreamEntry{{3, 0}, kFieldsOne},
                           StreamGroup{"g", {1, 0}, true, 2},
                           StreamPending{{2, 0}, "al", 7, 1, std::nullopt},
                           consumer("al"),
                           group("old", {}),
                           consumer("al"),
                           StreamProducer{"p"},
                           StreamIid{"i", {3, 0}},
                           StreamIid{"j", {3, 0}},
                           StreamProducer{"q"},
                           StreamIdmp{1, 2, 3, 4}};
const Elements kStreamB = {stream_info(2, {4, 0}),
                           StreamEntry{{3, 0}, kFieldsOther},
                           StreamEntry{{4, 0}, kFieldsOne},
                           StreamGroup{"g", {1, 1}, true, std::nullopt},
                           StreamPending{{1, 0}, "bo", 8, 2, std::nullopt},
                           StreamPending{{2, 0}, std::nullopt, 7, 1, 0},
                           consumer("bo"),
                           StreamProducer{"p"},
                           StreamIid{"i", {4, 0}},
                           StreamIid{"k", {4, 0}}};

const std::string kEntries = "entry 3-0: f,1,g,2 | f,1,g,3; entry 4-0: no | f,1,g,2";
const std::string kCounters = "; last_id: 3-0 | 4-0; max_deleted_id: 1-0 | 0-0; entries_added: 5 | 2";
const std::string kGroups =
    "; group_last_id g: 1-0 | 1-1; entries_read g: 2 | yes; consumer al of g: yes | no; consumer bo of g: no "
    "| "
    "yes; pending 1-0 of g: no | bo,8,2; pending 2-0 of g: al,7,1 | \"\",7,1,0; group old: yes | no";
const std::string kIdempotency =
    "; iid i of p: #0 3-0 | #0 4-0; iid j of p: #1 3-0 | no; iid k of p: no | #1 4-0; producer q: yes | no; "
    "idmp: "
    "1,2,3,4 | 100,100,0,0";

}  // namespace

TEST_CASE("differences of streams, all and those that are looked at") {
  CompareRules rules = all_rules();
  const auto found = [&] { return difference_of(ValueType::stream, kStreamA, kStreamB, rules); };
  CHECK(difference_of(ValueType::stream, kStreamA, kStreamA) == "");
  CHECK(found() == kEntries + kCounters + kGroups + kIdempotency);
  rules.counters = false;
  CHECK(found() == kEntries + kGroups + kIdempotency);
  rules.groups = false;
  CHECK(found() == kEntries + kIdempotency);
  rules.idmp = false;
  CHECK(found() == kEntries);
}

TEST_CASE("streams: what an encoding does not store is what servers make of it") {
  const StreamInfo info = stream_info(1, {3, 0});
  const StreamEntry entry{{3, 0}, kFieldsOne};
  check_rows(ValueType::stream, {{{info, entry}, {full_info(1, {3, 0}, {0, 0}, 1), entry, kIdmpAsNew}, ""},
                                 {{info, group("g", {}), StreamConsumer{"c", 5, true, 6}},
                                  {info, StreamGroup{"g", {}, true, std::nullopt}, consumer("c")},
                                  ""},
                                 {{info, StreamProducer{"p"}, StreamIid{"a", {1, 0}}, StreamIid{"b", {2, 0}}},
                                  {info, StreamProducer{"p"}, StreamIid{"b", {2, 0}}, StreamIid{"a", {1, 0}}},
                                  "iid a of p: #0 1-0 | #1 1-0"}});
}

TEST_CASE("differences of modules: vector sets by what they mean, others byte for byte") {
  const auto vector_set = [](uint32_t links, float component) {
    VectorSet set;
    for (const char* name : {"a", "b", "c"}) {
      VectorAddition addition;
      addition.vector = {component, static_cast<float>(name[0])};
      addition.name = name;
      addition.graph_links = links;
      REQUIRE(set.add(addition) == VectorOutcome::changed);
    }
    return set.payload();
  };
  const std::string one = vector_set(16, 1);
  const std::string same = vector_set(5, 1);
  const std::string other = vector_set(16, 90);
  REQUIRE(one != same);
  CHECK(difference_of(ValueType::module, {ModuleValue{"vectorset", 0, one}},
                      {ModuleValue{"vectorset", 0, same}}) == "");
  CHECK(difference_of(ValueType::module, {ModuleValue{"vectorset", 0, one}},
                      {ModuleValue{"vectorset", 0, other}}) != "");
  CHECK(difference_of(ValueType::module, {ModuleValue{"other-mod", 3, "x"}},
                      {ModuleValue{"other-mod", 4, "y"}}) == "payload: other-mod,3,x | other-mod,4,y");
}

TEST_CASE("differences: no more are made than wanted, and the rest is counted") {
  const Elements a = letters("abcdefgh");
  const Elements none;
  for (const uint64_t most : {0U, 1U, 7U, 8U, 9U}) {
    CompareRules rules = all_rules();
    rules.differences_max = most;
    Value of_a;
    Value of_b;
    fill(of_a, ValueType::list, a);
    fill(of_b, ValueType::list, none);
    const ValueDifferences found = differences_of(of_a, of_b, rules);
    CHECK(found.made.size() == std::min<uint64_t>(most, 8));
    CHECK(found.made.size() + found.more == 8);
    CHECK(found.any());
  }
  CompareRules rules = all_rules();
  rules.differences_max = 3;
  const std::string found = difference_of(ValueType::stream, kStreamA, kStreamB, rules);
  CHECK(found == kEntries + "; last_id: 3-0 | 4-0 and 14 more");
}

TEST_CASE("words: how they are shortened") {
  struct Case {
    Bytes bytes;
    uint64_t most;
    uint64_t same;
    DiffWord expected;
  };
  const Case cases[] = {{"abcdefgh", 8, 0, {"abcdefgh", 0, 8}}, {"abcdefgh", 8, 7, {"abcdefgh", 0, 8}},
                        {"abcdefgh", 4, 0, {"abcd", 0, 8}},     {"abcdefgh", 4, 1, {"abcd", 0, 8}},
                        {"abcdefgh", 4, 3, {"cdef", 2, 8}},     {"abcdefgh", 4, 8, {"efgh", 4, 8}},
                        {"abcdefgh", 0, 3, {"", 3, 8}},         {"", 4, 0, {"", 0, 0}}};
  for (const Case& row : cases) {
    CAPTURE(row.bytes);
    CAPTURE(row.same);
    CHECK(word_of(row.bytes, row.most, row.same) == row.expected);
  }
  CompareRules rules = all_rules();
  rules.word_bytes_max = 4;
  CHECK(difference_of(ValueType::string, {StringValue{"0123456789abcdef"}}, {StringValue{"0123456789x"}},
                      rules) == "string: 9abc[9 of 16] | 789x[7 of 11]");
  CHECK(difference_of(ValueType::hash, {HashField{"long name", "0123456"}}, {}, rules) ==
        "field long[0 of 9]: 0123[0 of 7] | no");
}

TEST_CASE("differences: what rules come of options") {
  DiffOptions options;
  options.ttl_tolerance_ms = 5;
  options.word_bytes_max = 6;
  options.differences_max = 7;
  CompareRules rules = CompareRules::of(options);
  CHECK((rules.field_ttl && rules.groups && rules.counters && rules.idmp));
  CHECK(rules.ttl_tolerance_ms == 5);
  CHECK(rules.word_bytes_max == 6);
  CHECK(rules.differences_max == 7);
  options.ignored = {DiffIgnore::field_ttl, DiffIgnore::counters};
  rules = CompareRules::of(options);
  CHECK((!rules.field_ttl && rules.groups && !rules.counters && rules.idmp));
  options.ignored = {DiffIgnore::groups, DiffIgnore::idmp};
  rules = CompareRules::of(options);
  CHECK((rules.field_ttl && !rules.groups && rules.counters && !rules.idmp));
}

TEST_CASE("differences: names") {
  for (size_t i = 0; i < kDiffIgnores; ++i) {
    const auto ignore = static_cast<DiffIgnore>(i);
    CHECK(find_diff_ignore(diff_ignore_name(ignore)) == ignore);
  }
  CHECK(diff_ignore_name(DiffIgnore::field_ttl) == "field-ttl");
  CHECK(diff_ignore_name(DiffIgnore::modules) == "modules");
  CHECK_FALSE(find_diff_ignore("field_ttl"));
  CHECK(diff_part_row(DiffPart::type).name == "type");
  CHECK(diff_part_row(DiffPart::field_expiry).name == "field_expiry");
  CHECK(diff_part_row(DiffPart::score).is_number);
  CHECK(diff_part_row(DiffPart::payload).name == "payload");
  CHECK_FALSE(diff_part_row(DiffPart::payload).is_number);
}

TEST_CASE("what is there twice, as only damage has it, is compared as often") {
  check_rows(ValueType::set, {{{SetMember{"a"}, SetMember{"a"}}, {SetMember{"a"}}, "member a: yes | no"}});
  check_rows(ValueType::hash,
             {{{HashField{"f", "1"}, HashField{"f", "2"}}, {HashField{"f", "2"}, HashField{"f", "1"}}, ""}});
  const StreamInfo info = stream_info(0, {});
  check_rows(ValueType::stream, {{{info, group("g", {1, 0}), consumer("c"), group("g", {1, 0}),
                                   StreamProducer{"p"}, StreamIid{"i", {}}, StreamProducer{"p"}},
                                  {info, group("g", {1, 0}), group("g", {1, 0}), consumer("c"),
                                   StreamProducer{"p"}, StreamProducer{"p"}, StreamIid{"i", {}}},
                                  ""}});
}
