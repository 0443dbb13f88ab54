// The result is copied, so that it outlives the source.
#include "support/salvages.hpp"

namespace persist::test {

std::vector<Whole> entries_of(Bytes file) {
  std::vector<Whole> all;
  const std::unique_ptr<ByteSource> source = memory_source(file);
  FindingList found;
  RdbReader reader(*source, found);
  while (const RdbRecord* record = reader.next()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr) continue;
    const Extent extent = record->extent;
    all.push_back({extent, entry->db, std::string(entry->key),
                   std::string(file.substr(extent.offset, extent.size)), entry->encoding->type});
  }
  return all;
}

std::map<Name, std::string> by_name(const std::vector<Whole>& entries) {
  std::map<Name, std::string> all;
  for (const Whole& entry : entries) all[{entry.db, entry.key}] = entry.record;
  return all;
}

Salvaged salvage(Bytes damaged, const SalvageOptions& options) {
  const std::unique_ptr<ByteSource> source = memory_source(damaged);
  Salvaged salvaged;
  try {
    SalvagedRdb rdb(*source, options);
    const Window window = rdb.source().window(0, ~uint64_t{0});
    salvaged.file = std::string(window.bytes);
    salvaged.end = rdb.end();
    salvaged.report = rdb.report();
    salvaged.edits = rdb.edits();
    salvaged.entries = entries_of(salvaged.file);
    for (const Whole& entry : salvaged.entries) salvaged.labels.push_back(rdb.label(entry.extent.offset));
  } catch (const EditRefused& refused) {
    salvaged.refused = true;
    salvaged.refusal = refused.what();
  }
  return salvaged;
}

Salvaged salvage(Bytes damaged) {
  SalvageOptions options;
  options.salvage = true;
  return salvage(damaged, options);
}

std::string applied(Bytes damaged, const Salvaged& salvaged) {
  std::string result;
  uint64_t at = 0;
  for (const SalvageEdit& edit : salvaged.edits) {
    if (edit.drop.offset < at || edit.drop.end() > damaged.size()) return "edits that are out of order";
    result += damaged.substr(at, edit.drop.offset - at);
    result += edit.insert;
    at = edit.drop.end();
  }
  if (at > salvaged.end) return "edits behind the end";
  return result += damaged.substr(at, salvaged.end - at);
}

std::string steps_of(const RdbSalvage& report) {
  std::string text;
  for (const SalvageStep& step : report.steps) {
    text += std::string(salvage_action_name(step.action)) + " " + std::string(finding_kind(step.why).id);
    text += "\n";
  }
  return text;
}

}  // namespace persist::test
