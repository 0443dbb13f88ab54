// Lines are read again one by one, in their new order.
#include "ops/sorted_lines.hpp"

#include <algorithm>
#include <tuple>

namespace persist {

bool SortedLines::index(FindingSink& findings, const KeyChanges* changes,
                        FunctionRef<void(const RdbRecord&)> tell_other) {
  JsonLinesReader reader(source_, findings);
  std::string room;
  while (const RdbRecord* record = reader.next()) {
    const auto* told = std::get_if<RdbEntry>(&record->body);
    if (told == nullptr) {
      tell_other(*record);
      continue;
    }
    RdbEntry entry = *told;
    if (changes != nullptr) changes->apply(entry, room);
    lines_.push_back({entry.db, std::string(entry.key), std::string(entry.key_meta), record->extent});
  }
  std::ranges::sort(lines_, {}, [](const Line& line) { return std::tie(line.db, line.key); });
  return reader.complete();
}

void SortedLines::for_each(FunctionRef<void(const RdbEntry&, Value&)> tell) {
  FindingList ignored;  // everything has been found by index()
  for (const Line& line : lines_) {
    const Window window = source_.window(line.extent.offset, line.extent.size);
    const std::unique_ptr<ByteSource> alone = memory_source(window.bytes.substr(0, line.extent.size));
    JsonLinesReader reader(*alone, ignored);
    const RdbRecord* record = reader.next();
    if (record == nullptr) continue;
    RdbEntry entry = std::get<RdbEntry>(record->body);
    entry.key_meta = line.key_meta;
    tell(entry, reader.value());
  }
}

}  // namespace persist
