// Whole files: the reader over memory and over the smallest windows, the check and the dump; they agree.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "persist/check.hpp"
#include "persist/dump.hpp"
#include "persist/rdb_reader.hpp"
#include "support/drip_source.hpp"

namespace {

using namespace persist;

class NullSink : public ByteSink {
 public:
  void write(Bytes /*bytes*/) override {}
};

class NullFindings : public FindingSink {
 public:
  void report(const Finding& finding) override {
    if (finding.message().empty()) std::abort();
  }
};

// How many keys the reader tells.
uint64_t read(ByteSource& source) {
  NullFindings findings;
  RdbReader reader(source, findings);
  uint64_t keys = 0;
  uint64_t end = 0;
  while (const RdbRecord* record = reader.next()) {
    if (record->extent.offset < end) std::abort();
    end = record->extent.end();
    if (!std::holds_alternative<RdbEntry>(record->body)) continue;
    ++keys;
    // What has been walked once cannot fail, and gives the same elements.
    size_t first = 0;
    size_t second = 0;
    reader.visit([&](const Element& element) { first += element.index() + 1; });
    reader.visit([&](const Element& element) { second += element.index() + 1; });
    if (first != second) std::abort();
  }
  return keys;
}

void skip(ByteSource& source) {
  NullFindings findings;
  RdbReader reader(source, findings);
  while (reader.next_head() != nullptr) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes file(reinterpret_cast<const char*>(data), size);
  const auto memory = memory_source(file);
  const uint64_t keys = read(*memory);
  skip(*memory);
  test::DripSource small_windows(file, true);
  // What stands in front of the magic is looked for in the first window, as long as that is.
  const bool plain = file.starts_with("REDIS") || file.starts_with("VALKEY");
  if (read(small_windows) != keys && plain) std::abort();
  test::DripSource pipe(file, false);
  read(pipe);

  NullFindings findings;
  CheckOptions check_options;
  check_options.threads = 1;
  if (check_rdb(*memory, findings, check_options).keys != keys) std::abort();
  NullSink output;
  DumpOptions dump_options;
  dump_options.threads = 1;
  dump_options.meta = true;
  if (dump_rdb(*memory, output, findings, dump_options).keys != keys) std::abort();
  dump_options.annotate = true;
  dump_rdb(*memory, output, findings, dump_options);
  return 0;
}
