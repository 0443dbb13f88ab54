// The reader over windows as small as they can be: nothing depends on how a source hands out its bytes.
#include <doctest/doctest.h>

#include "support/drip_source.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/small_files.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr size_t kBytesMax = 3000;

void compare(const SmallFile& file, bool is_file) {
  CAPTURE(file.name);
  CAPTURE(is_file);
  const Told expected = tell(file.bytes);
  DripSource told_source(file.bytes, is_file);
  const Told told = tell(told_source);
  CHECK(joined(told.lines) == joined(expected.lines));
  CHECK(joined(told.findings) == joined(expected.findings));
  CHECK(told.complete == expected.complete);
  DripSource checked_source(file.bytes, is_file);
  const Checked checked = check(checked_source);
  CHECK(checked.summary.keys == expected.lines.size());
  CHECK(checked.summary.checksum == check(file.bytes).summary.checksum);
  DripSource dumped_source(file.bytes, is_file);
  CHECK(dump(dumped_source).text == dump(file.bytes).text);
}

}  // namespace

TEST_CASE("windows: of exactly what was asked for, as a file and as a pipe") {
  for (const SmallFile& file : small_files(kBytesMax)) {
    compare(file, true);
    compare(file, false);
  }
}

TEST_CASE("windows: cut files and broken values, too") {
  for (const Sample& sample : samples()) {
    const SmallFile cut{sample.name, sample.file.substr(0, sample.file.size() * 2 / 3)};
    CAPTURE(cut.name);
    DripSource source(cut.bytes, true);
    const Told told = tell(source);
    const Told expected = tell(cut.bytes);
    CHECK(joined(told.lines) == joined(expected.lines));
    CHECK(joined(told.findings) == joined(expected.findings));
  }
  compare({"broken values", long_file(60, 10)}, true);
}

TEST_CASE("windows: skipping sees the same records") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    for (const bool is_file : {true, false}) {
      DripSource source(sample.file, is_file);
      FindingList findings;
      RdbReader reader(source, findings);
      uint64_t end = 0;
      while (const RdbRecord* record = reader.next_head()) end = record->extent.end();
      CHECK(end == sample.file.size());
      CHECK(reader.complete());
    }
  }
}

TEST_CASE("windows: what stands in front of the magic") {
  const std::string file = RdbBuilder(redis, 10).select(0).string("k", "v").eof();
  compare({"length", "\n$" + std::to_string(file.size()) + "\r\n" + file}, true);
  compare({"mark", "$EOF:" + std::string(40, 'f') + "\r\n" + file + std::string(40, 'f')}, false);
}
