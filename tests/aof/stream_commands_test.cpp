// Streams as commands, for each target in what it understands.
#include "aof/stream_commands.hpp"

#include <doctest/doctest.h>

#include "aof/resp.hpp"
#include "support/rdb_builder.hpp"
#include "text/command_line.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// One command a line, as it would be typed.
std::string stream_command_lines(const StreamContent& stream, Bytes target, Bytes key = "k") {
  ByteBuffer bytes;
  CommandWriter out(bytes, *find_target(target));
  write_stream_commands(out, key, stream);
  ByteBuffer lines;
  ArgumentList args;
  for (const char *at = bytes.bytes().data(), *end = at + bytes.size(); at != end;) {
    args.clear();
    const FramedCommand framed = parse_command(at, end, args);
    REQUIRE(framed.framing == Framing::whole);
    for (size_t i = 0; i < args.size(); ++i) {
      if (i > 0) lines.append(' ');
      append_argument(lines, args.all()[i]);
    }
    lines.append('\n');
    at = framed.end;
  }
  return std::string(lines.bytes());
}

void add_stream_entry(Value& value, StreamId id, const Pairs& pairs) {
  std::vector<StreamField> fields;
  for (const auto& [field, text] : pairs) fields.push_back({field, text});
  value.add(StreamEntry{id, fields});
  value.stream.info.last_id = id;
}

// Of everything something.
void make_full(Value& value) {
  value.begin(ValueType::stream);
  add_stream_entry(value, {1, 1}, {{"f", "a"}});
  add_stream_entry(value, {2, 0}, {{"f", "two words"}, {"g", ""}});
  add_stream_entry(value, {2, 7}, {{"f", "c"}});
  value.stream.info.last_id = {3, 0};
  value.stream.info.max_deleted_id = {1, 9};
  value.stream.info.entries_added = 5;
  value.add(StreamGroup{"g", {2, 0}, true, 3});
  value.add(StreamPending{{1, 1}, "bob", 1700000000000, 2, std::nullopt});
  value.add(StreamPending{{1, 9}, "gone", 1700000000001, 1, std::nullopt});
  value.add(StreamPending{{2, 0}, "al", 1700000000002, 1, std::nullopt});
  value.add(StreamPending{{2, 7}, "bob", 1700000000003, 1, std::nullopt});
  for (const Bytes name : {"al", "bob", "gone", "idle"})
    value.add(StreamConsumer{name, 9, true, std::nullopt});
  value.add(StreamGroup{"h", {0, 0}, true, std::nullopt});
}

constexpr Bytes kEntryLines =
    "XADD k 1-1 f a\n"
    "XADD k 2-0 f \"two words\" g \"\"\n"
    "XADD k 2-7 f c\n";
constexpr Bytes kClaimLines =
    "XCLAIM k g al 0 2-0 TIME 1700000000002 RETRYCOUNT 1 JUSTID FORCE\n"
    "XCLAIM k g bob 0 1-1 TIME 1700000000000 RETRYCOUNT 2 JUSTID FORCE\n"
    "XCLAIM k g bob 0 2-7 TIME 1700000000003 RETRYCOUNT 1 JUSTID FORCE\n";
constexpr Bytes kIdleLines =
    "XGROUP CREATECONSUMER k g gone\n"
    "XGROUP CREATECONSUMER k g idle\n";

std::string joined_lines(std::initializer_list<Bytes> parts) {
  std::string text;
  for (const Bytes part : parts) text += part;
  return text;
}

}  // namespace

TEST_CASE("stream commands: each target is told what it understands") {
  Value value;
  make_full(value);
  const std::string oldest = joined_lines(
      {kEntryLines, "XSETID k 3-0\nXGROUP CREATE k g 2-0\n", kClaimLines, "XGROUP CREATE k h 0-0\n"});
  CHECK(stream_command_lines(value.stream, "redis-5.0") == oldest);
  CHECK(stream_command_lines(value.stream, "redis-6.0") == oldest);
  CHECK(stream_command_lines(value.stream, "redis-6.2") ==
        joined_lines({kEntryLines, "XSETID k 3-0\nXGROUP CREATE k g 2-0\n", kClaimLines, kIdleLines,
                      "XGROUP CREATE k h 0-0\n"}));
  const std::string counting = joined_lines(
      {kEntryLines, "XSETID k 3-0 ENTRIESADDED 5 MAXDELETEDID 1-9\nXGROUP CREATE k g 2-0 ENTRIESREAD 3\n",
       kClaimLines, kIdleLines, "XGROUP CREATE k h 0-0 ENTRIESREAD -1\n"});
  for (const Bytes target :
       {"redis-7.0", "redis-8.4", "redis-8.6", "redis-8.8", "valkey-7.2", "valkey-8.0", "valkey-9.1"}) {
    CAPTURE(target);
    CHECK(stream_command_lines(value.stream, target) == counting);
  }
}

TEST_CASE("stream commands: the NACK zone, in its order and in runs of one count") {
  Value value;
  value.begin(ValueType::stream);
  for (uint64_t i = 1; i <= 70; ++i) add_stream_entry(value, {i, 0}, {{"f", "v"}});
  value.add(StreamGroup{"g", {70, 0}, true, 70});
  for (uint64_t i = 1; i <= 72; ++i) {
    // The last two entries of the group are gone; the first three stand at the end of the zone, backwards.
    value.add(
        StreamPending{{i, 0}, std::nullopt, 0, i <= 2 ? uint64_t{4} : uint64_t{1}, i <= 3 ? 100 - i : i});
  }
  std::string first = "XNACK k g FAIL IDS 64";
  for (uint64_t i = 4; i <= 67; ++i) first += " " + std::to_string(i) + "-0";
  const std::string all = stream_command_lines(value.stream, "redis-8.8");
  CHECK(all.substr(all.find("XNACK")) == first +
                                             " RETRYCOUNT 1 FORCE\n"
                                             "XNACK k g FAIL IDS 4 68-0 69-0 70-0 3-0 RETRYCOUNT 1 FORCE\n"
                                             "XNACK k g FAIL IDS 2 2-0 1-0 RETRYCOUNT 4 FORCE\n");
  for (const Bytes target : {"redis-8.6", "valkey-9.0", "redis-5.0"})
    CHECK(stream_command_lines(value.stream, target).find("XNACK") == std::string::npos);
}

TEST_CASE("stream commands: idempotency, its settings first") {
  Value value;
  value.begin(ValueType::stream);
  add_stream_entry(value, {1, 1}, {{"f", "a"}});
  add_stream_entry(value, {1, 2}, {{"f", "b"}});
  value.add(StreamProducer{"p"});
  value.add(StreamIid{"one", {1, 2}});
  value.add(StreamIid{"gone", {1, 0}});
  value.add(StreamIid{"\xff", {1, 1}});
  value.add(StreamIdmp{100, 100, 7, 3});
  const std::string begin = "XADD k 1-1 f a\nXADD k 1-2 f b\nXSETID k 1-2 ENTRIESADDED 2 MAXDELETEDID 0-0\n";
  const std::string records = "XIDMPRECORD k p one 1-2\nXIDMPRECORD k p \"\\xff\" 1-1\n";
  CHECK(stream_command_lines(value.stream, "redis-8.6") == begin + records);
  CHECK(stream_command_lines(value.stream, "redis-8.4") == begin);
  CHECK(stream_command_lines(value.stream, "valkey-9.1") == begin);
  value.stream.idmp->max_entries = 5;
  CHECK(stream_command_lines(value.stream, "redis-8.8") ==
        begin + "XCFGSET k IDMP-DURATION 100 IDMP-MAXSIZE 5\n" + records);
}

TEST_CASE("stream commands: empty streams") {
  Value value;
  value.begin(ValueType::stream);
  value.add(StreamGroup{"g", {0, 0}, false, std::nullopt});
  const Bytes group = "XGROUP CREATE k g 0-0\n";
  CHECK(stream_command_lines(value.stream, "redis-5.0") ==
        joined_lines({"XADD k MAXLEN 0 0-1 x y\nXSETID k 0-0\n", group}));
  CHECK(stream_command_lines(value.stream, "valkey-8.0") ==
        "XADD k MAXLEN 0 0-1 x y\nXSETID k 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0\n"
        "XGROUP CREATE k g 0-0 ENTRIESREAD 0\n");
  value.stream.info.last_id = {7, 7};
  CHECK(stream_command_lines(value.stream, "redis-5.0") ==
        joined_lines({"XADD k MAXLEN 0 7-7 x y\nXSETID k 7-7\n", group}));
  CHECK(stream_command_lines(value.stream, "redis-6.2") ==
        joined_lines({"XADD k MAXLEN 0 0-1 x y\nXSETID k 7-7\n", group}));
}

TEST_CASE("stream commands: numbers that a command would refuse") {
  Value value;
  value.begin(ValueType::stream);
  add_stream_entry(value, {5, 0}, {{"f", "a"}});
  add_stream_entry(value, {6, 0}, {{"f", "b"}});
  value.stream.info.last_id = {4, 0};
  value.stream.info.max_deleted_id = {9, 0};
  value.stream.info.entries_added = 1;
  value.add(StreamGroup{"g", {5, 0}, true, ~uint64_t{0} - 1});
  value.add(StreamPending{{5, 0}, "new", -5, ~uint64_t{0}, std::nullopt});
  const std::string all = stream_command_lines(value.stream, "redis-7.0");
  CHECK(all.substr(all.find("XSETID")) ==
        "XSETID k 6-0 ENTRIESADDED 2 MAXDELETEDID 6-0\n"
        "XGROUP CREATE k g 5-0 ENTRIESREAD 9223372036854775807\n"
        "XCLAIM k g new 0 5-0 TIME -5 RETRYCOUNT 9223372036854775807 JUSTID FORCE\n");
}
