// DUMP payloads: footers of all versions, and what is wrong with others.
#include <doctest/doctest.h>

#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct Footer {
  unsigned version;
  Bytes bytes;
};

// Of the string "v". man/persist-rdb.5, DUMP PAYLOAD
constexpr Footer kFooters[] = {
    {6, "06 00 07 e5 a6 32 ec 6d b6 5d"},  {7, "07 00 6e 3a 1b 41 11 f2 5f d4"},
    {8, "08 00 28 25 22 0d b0 21 00 f6"},  {9, "09 00 41 fa 9f 7e 4d be e9 7f"},
    {10, "0a 00 91 08 ce b2 19 38 8a ce"}, {11, "0b 00 f8 d7 73 c1 e4 a7 63 47"},
    {12, "0c 00 5a 7e fa 72 e3 12 14 87"}, {13, "0d 00 33 a1 47 01 1e 8d fd 0e"},
    {14, "0e 00 e3 53 16 cd 4a 0b 9e bf"}, {80, "50 00 5e 22 07 23 87 6a ed 3a"},
};

// The id of what is wrong, with its offset.
std::string failure(Bytes payload) {
  try {
    read_dump_payload(payload, [](const Element&) {});
  } catch (const FormatError& error) {
    return std::string(error.finding.kind().id) + " at " + std::to_string(error.finding.extent.offset);
  }
  return "";
}

std::string with_footer(const std::string& body, uint16_t version = 11) {
  return RdbBuilder().raw(body).dump_payload(version);
}

}  // namespace

TEST_CASE("dump payload: the footer of every version") {
  const std::string body = unhex("00 01 76");
  for (const Footer& row : kFooters) {
    CAPTURE(row.version);
    const std::string payload = body + unhex(row.bytes);
    CHECK(payload == with_footer(body, static_cast<uint16_t>(row.version)));
    CHECK(is_dump_payload(payload));
    CHECK(notation_of_payload(payload) == "string \"v\"");
    const DumpPayload told = read_dump_payload(payload, [](const Element&) {});
    CHECK(told.version == row.version);
    CHECK(told.dialect == (row.version == 80 ? valkey : redis));
    CHECK(told.checksum == ChecksumState::good);
    CHECK(told.encoding->label == "string");
  }
}

TEST_CASE("dump payload: a type code means what the version's dialect says") {
  const std::string redis_form = "\x16" + length(1) + length(0) + plain_string("f") + plain_string("v");
  const std::string valkey_form =
      "\x16" + length(1) + plain_string("f") + plain_string("v") + le(int64_t{-1});
  CHECK(notation_of_payload(with_footer(redis_form, 12)) == "hash{f=v}");
  CHECK(notation_of_payload(with_footer(valkey_form, 80)) == "hash{f=v}");
}

TEST_CASE("dump payload: key metadata in front") {
  const std::string meta = "\xf3" + length(1) + le(key_meta_class("KMT1", 1, 1)) + length(0);
  const std::string payload = with_footer(meta + unhex("00 01 76"), 13);
  CHECK(read_dump_payload(payload, [](const Element&) {}).key_meta.size() == 6);
  CHECK(notation_of_payload(payload) == "string \"v\"");
  CHECK(failure(with_footer(meta + meta + unhex("00 01 76"), 13)) == "rdb.unknown-code at 7");
  CHECK(failure(with_footer(meta + unhex("00 01 76"), 80)) == "rdb.unknown-code at 0");
}

TEST_CASE("dump payload: checksums") {
  const std::string payload = with_footer(unhex("00 01 76"));
  for (size_t at = 0; at < payload.size(); ++at) {
    CAPTURE(at);
    std::string changed = payload;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    CHECK(failure(changed) == "dump.checksum-mismatch at 5");
    CHECK_FALSE(is_dump_payload(changed));
  }
  const std::string disabled = payload.substr(0, 5) + std::string(8, '\0');
  CHECK(read_dump_payload(disabled, [](const Element&) {}).checksum == ChecksumState::disabled);
}

TEST_CASE("dump payload: sizes") {
  CHECK(failure("") == "dump.size-mismatch at 0");
  CHECK(failure(std::string(10, '\0')) == "dump.size-mismatch at 0");
  CHECK(failure(with_footer(unhex("00 01 76 00"))) == "dump.size-mismatch at 3");
  CHECK(failure(with_footer(unhex("00 02 76"))) == "rdb.truncated at 2");
  CHECK(failure(with_footer(unhex("00"))) == "rdb.truncated at 1");
}

TEST_CASE("dump payload: codes") {
  CHECK(failure(with_footer(unhex("08 01 76"))) == "rdb.unknown-code at 0");
  CHECK(failure(with_footer(unhex("ff 01 76"))) == "rdb.unknown-code at 0");
  CHECK(failure(with_footer(unhex("1d 01 76"), 15)) == "rdb.unestablished-code at 0");
}

TEST_CASE("dump payload: what the value means is checked, too") {
  const auto ids = [](const std::string& payload) {
    FindingList findings;
    const CheckSummary summary = check_dump_payload(payload, "name", findings, CheckOptions{});
    CHECK(summary.errors == findings.all.size());
    for (const Finding& finding : findings.all) CHECK(finding.file == "name");
    return joined(ids_of(findings.all));
  };
  CHECK(ids(with_footer("\x02" + length(2) + plain_string("a") + plain_string("b"))).empty());
  CHECK(ids(with_footer("\x02" + length(2) + plain_string("a") + plain_string("a"))) ==
        "set.duplicate-member\n");
  CHECK(ids(with_footer("\x05" + length(1) + plain_string("a") + unhex("000000000000f87f"))) ==
        "zset.nan-score\n");
  CHECK(ids("garbage that is no payload") == "dump.checksum-mismatch\n");
}
