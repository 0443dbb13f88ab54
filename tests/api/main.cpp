// The smallest use of the installed library: prints every key of an RDB file and its type.
#include <iostream>
#include <persist/rdb_reader.hpp>

int main(int argc, char** argv) {
  const auto source = persist::open_source(argc > 1 ? argv[1] : "-");
  persist::FindingList findings;
  persist::RdbReader reader(*source, findings);
  while (const persist::RdbRecord* record = reader.next()) {
    if (const auto* entry = std::get_if<persist::RdbEntry>(&record->body))
      std::cout << entry->key << ' ' << persist::value_type_name(entry->encoding->type) << '\n';
  }
  for (const persist::Finding& finding : findings.all) std::cerr << finding.message() << '\n';
  return reader.complete() ? 0 : 1;
}
