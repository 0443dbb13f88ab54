// Cutting files into pieces: read piece by piece, a file holds the same records as read in one go.
#include "rdb/pieces.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "io/block_source.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct Keys {
  std::vector<std::string> keys;
  std::vector<std::string> findings;
  size_t pieces = 0;
  size_t straight = 0;
  std::string end;  // what the EOF record says of the checksum
  bool complete = false;
};

void note(Keys& keys, const RdbRecord& record) {
  if (const auto* entry = std::get_if<RdbEntry>(&record.body))
    keys.keys.push_back(std::to_string(record.extent.offset) + " db" + std::to_string(entry->db) + " " +
                        std::string(entry->key) + " " + std::to_string(entry->expire_at_ms));
  if (const auto* end = std::get_if<RdbEnd>(&record.body)) keys.end = checksum_state_name(end->checksum);
}

Keys read_whole(ByteSource& source) {
  Keys keys;
  FindingList findings;
  RecordReader reader(source, findings);
  while (const RdbRecord* record = reader.next()) note(keys, *record);
  keys.findings = ids_of(findings.all);
  keys.complete = reader.complete();
  return keys;
}

// As the pipeline does it: pieces while there are any, else one record straight from the source.
Keys read_pieces(ByteSource& source) {
  Keys keys;
  FindingList findings;
  RecordReader header(source, findings);
  REQUIRE(header.next() != nullptr);
  PieceCutter cutter(source, header.state());
  Checksum checksum = cutter.state().checksum;
  for (bool more = true; more;) {
    Piece piece;
    const RdbState before = cutter.state();
    if (cutter.next(piece)) {
      ++keys.pieces;
      CHECK(piece.offset == before.offset);
      CHECK(piece.db == before.db);
      RecordReader reader(piece.bytes, before, findings, source);
      while (const RdbRecord* record = reader.next()) note(keys, *record);
      CHECK(reader.offset() == piece.offset + piece.bytes.size());
      checksum.extend(piece.bytes, piece.offset);
      continue;
    }
    ++keys.straight;
    RdbState state = cutter.state();
    state.checksum = checksum;
    RecordReader reader(source, state, findings);
    reader.stop_after_next();
    const RdbRecord* record = reader.next();
    more = record != nullptr && !reader.complete();
    if (record != nullptr) note(keys, *record);
    keys.complete = reader.complete();
    cutter.resume(reader.state());
    checksum = reader.state().checksum;
  }
  keys.findings = ids_of(findings.all);
  return keys;
}

// Over memory, file, pipe and packed file.
void compare(const std::string& file, const std::function<void(const Keys&)>& look = {}) {
  const TempFolder folder;
  const Keys whole = read_whole(*memory_source(file));
  const std::string path = folder.file("dump.rdb", file);
  const std::string packed = folder.file("dump.rdb.gz", gzip_of(file));
  PipedSource pipe(file);
  const auto from_memory = memory_source(file);
  const auto from_file = open_source(path);
  const auto from_packed = open_source(packed);
  for (ByteSource* source : {from_memory.get(), from_file.get(), from_packed.get(), &pipe.source()}) {
    CAPTURE(source->name());
    const Keys cut = read_pieces(*source);
    CHECK(joined(cut.keys) == joined(whole.keys));
    CHECK(joined(cut.findings) == joined(whole.findings));
    CHECK(cut.end == whole.end);
    CHECK(cut.complete == whole.complete);
    if (look) look(cut);
  }
}

}  // namespace

TEST_CASE("pieces: the samples") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    compare(sample.file, [](const Keys& keys) { CHECK(keys.straight == 1); });
  }
}

TEST_CASE("pieces: a long file, whose records straddle windows") {
  const std::string file = long_file(40'000);
  REQUIRE(file.size() > 6 * kWindowBytes);
  compare(file, [](const Keys& keys) {
    CHECK(keys.keys.size() == 40'000);
    CHECK(keys.complete);
    CHECK(keys.findings.empty());
    CHECK(keys.straight == 1);
    CHECK(keys.end == "good");
  });
  const TempFolder folder;
  CHECK(read_pieces(*open_source(folder.file("dump.rdb", file))).pieces > 5);
}

TEST_CASE("pieces: broken values are passed over in every piece") { compare(long_file(20'000, 100)); }

TEST_CASE("pieces: records of every size around a window") {
  RdbBuilder builder(redis, 11);
  for (int i = 0; i < 12; ++i) {
    const size_t size = kWindowBytes - 200 + static_cast<size_t>(i) * 37;
    builder.string("k" + std::to_string(i), noise(size, static_cast<uint32_t>(i)));
    builder.list("l" + std::to_string(i), Strings(static_cast<size_t>(i) * 10'000, "item"));
  }
  compare(builder.eof(), [](const Keys& keys) { CHECK(keys.keys.size() == 24); });
}

TEST_CASE("pieces: records larger than a piece, between others") {
  const std::string large = noise(5'000'000);
  RdbBuilder builder(redis, 11);
  builder.select(1).string("before", "1").expire_ms(77).string("large", large).string("between", "2");
  builder.hash("hash", {{"f", large}, {"g", "v"}}).select(2).list("last", Strings(2'000'000, "item"));
  builder.string("after", "3");
  compare(builder.eof(), [](const Keys& keys) {
    CHECK(keys.keys.size() == 6);
    CHECK(keys.complete);
    CHECK(keys.findings.empty());
  });
}

TEST_CASE("pieces: the whole verbs over records larger than a piece") {
  const std::string large = noise(5'000'000);
  RdbBuilder builder(redis, 11);
  builder.select(1).string("before", "1").string("large", large).string("between", "2");
  builder.set("set", {large, "b"}).string("after", "3");
  const std::string file = builder.eof();
  const TempFolder folder;
  const std::string path = folder.file("dump.rdb", file);
  for (const unsigned threads : {1U, 2U, 4U}) {
    CAPTURE(threads);
    const Checked checked = check(*open_source(path), threads);
    CHECK(joined(ids_of(checked.findings)).empty());
    CHECK(checked.summary.keys == 5);
    CHECK(checked.summary.complete);
    CHECK(checked.summary.checksum == ChecksumState::good);
    CHECK(checked.summary.valid_up_to == file.size());
    const Dumped dumped = dump(*open_source(path), threads);
    CHECK(dumped.summary.written == 5);
    CHECK(dumped.summary.complete);
    CHECK(split_lines(dumped.text).size() == 5);
  }
  PipedSource pipe(file);
  CHECK(check(pipe.source()).summary.keys == 5);
}

TEST_CASE("pieces: cut short anywhere near a window's end") {
  const std::string file = long_file(12'000);
  for (size_t cut = kWindowBytes - 60; cut < kWindowBytes + 60; ++cut) {
    CAPTURE(cut);
    const std::string torn = file.substr(0, cut);
    const Keys whole = read_whole(*memory_source(torn));
    const TempFolder folder;
    const Keys pieces = read_pieces(*open_source(folder.file("torn.rdb", torn)));
    CHECK(pieces.keys == whole.keys);
    CHECK(pieces.findings == whole.findings);
    CHECK(pieces.findings.size() == 1);
  }
}
