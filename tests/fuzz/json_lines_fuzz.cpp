// JSON Lines: what is read is written and read again, and is then the same; what is refused has a finding.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "text/csv_lines.hpp"
#include "text/json_lines.hpp"
#include "text/json_reader.hpp"

namespace {

using namespace persist;

void require(bool holds) {
  if (!holds) std::abort();
}

void append_again(ByteBuffer& out, const RdbEntry& entry, const Value& value) {
  if (!entry.key_meta.empty()) append_key_meta_line(out, entry);
  EntryLine line(out);
  for (const bool as_pairs : {false, true}) {
    line.begin(entry, as_pairs);
    value.tell([&line](const Element& told) { line.add(told); });
    if (!line.wants_pairs()) break;
    line.discard();
  }
  line.end();
  ByteBuffer rows;
  CsvLines csv(rows);
  csv.begin(entry);
  value.tell([&csv](const Element& told) { csv.add(told); });
  require(rows.bytes().ends_with("\r\n"));
}

// All that could be read, written anew.
std::string rewrite(Bytes text, bool must_be_sound) {
  const auto source = memory_source(text);
  FindingList findings;
  JsonLinesReader reader(*source, findings);
  ByteBuffer out;
  while (const RdbRecord* record = reader.next()) {
    require(record->extent.end() <= text.size());
    if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
      require(reader.value().type == entry->encoding->type);
      require(!reader.value().is_void());
      append_again(out, *entry, reader.value());
    } else {
      append_record_line(out, *record, 0);
    }
  }
  require(reader.complete() == findings.all.empty());
  require(findings.all.size() <= 1);
  require(!must_be_sound || reader.complete());
  for (const Finding& finding : findings.all) require(!finding.message().empty());
  return std::string(out.bytes());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string once = rewrite(Bytes(reinterpret_cast<const char*>(data), size), false);
  require(rewrite(once, true) == once);
  return 0;
}
