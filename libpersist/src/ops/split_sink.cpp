// Records are not looked into: the conversion has made them. Those that only hint at what is in the one file
// that comes are for none of the others.
#include "ops/split_sink.hpp"

#include "base/crc64.hpp"
#include "ops/split_names.hpp"
#include "persist/edit.hpp"

namespace persist {

namespace {

constexpr size_t kMagicBytes = 9;  // "REDIS0011", "VALKEY080"
constexpr Bytes kEndAlone = "\xff";
constexpr Bytes kSlotHint = "slot-info";
constexpr size_t kMisfitsNamed = 5;
// Of libraries and what modules keep: it may be written a thousand times.
constexpr size_t kSharedBytesMax = size_t{64} << 20;

}  // namespace

SplitSink::SplitSink(const SplitOptions& options, const RdbHeader& header, AtomicFolder* folder,
                     SplitSummary& summary)
    : options_(options),
      summary_(summary),
      files_(folder, {header.version >= kChecksumSince, options.convert.write.checksum}),
      origin_(memory_source({}, "the dataset")) {
  state_.dialect = header.dialect;
  state_.version = header.version;
}

void SplitSink::write(Bytes bytes) {
  if (ended_) return;  // a checksum; each file has its own
  if (shared_.empty()) {
    begin(bytes.substr(0, kMagicBytes));
    bytes.remove_prefix(std::min(kMagicBytes, bytes.size()));
  }
  if (bytes == kEndAlone) {
    ended_ = true;
    return;
  }
  RecordReader records(bytes, state_, found_, *origin_);
  while (const RdbRecord* record = records.next_head()) take(records, *record);
  if (records.stopped())
    throw EditRefused(EditRefused::Kind::beyond,
                      "the result would not be sound: " + found_.all.back().message());
  found_.all.clear();
  state_ = records.state();
}

void SplitSink::begin(Bytes magic) {
  shared_ = magic;
  state_.offset = magic.size();
  for (const SplitFile& file : options_.rule.files) {
    const size_t index = add(file);
    for (const SlotRange& range : file.slots) owners_.assign(range, index);
  }
}

void SplitSink::take(RecordReader& records, const RdbRecord& record) {
  const auto raw = [&] { return records.raw(record.extent.size); };
  if (const auto* entry = std::get_if<RdbEntry>(&record.body)) return take_entry(records, record, *entry);
  if (std::holds_alternative<SelectDb>(record.body)) {
    select_ = raw();
  } else if (const auto* aux = std::get_if<AuxField>(&record.body)) {
    if (aux->name != kSlotHint) share(raw());
  } else if (!std::holds_alternative<ResizeDb>(record.body) &&
             !std::holds_alternative<SlotInfo>(record.body)) {
    share(raw());
  }
}

void SplitSink::take_entry(RecordReader& records, const RdbRecord& record, const RdbEntry& entry) {
  const size_t file = file_for(entry);
  if (file == kNone || !records.finish_value()) return;
  std::optional<uint64_t>& selected = places_[file].db;
  if (selected != entry.db) {
    files_.write(file, select_);
    selected = entry.db;
  }
  files_.write(file, records.raw(record.extent.size));
  ++summary_.files[file].keys;
}

void SplitSink::share(Bytes record) {
  if (shared_.size() + record.size() > kSharedBytesMax) {
    throw EditRefused(EditRefused::Kind::unusable,
                      "what is no key, and so goes into each file, is more than 64 MiB");
  }
  shared_ += record;
  for (size_t i = 0; i < files_.count(); ++i) files_.write(i, record);
}

size_t SplitSink::file_for(const RdbEntry& entry) {
  switch (options_.rule.by) {
    case SplitRule::By::slots:
      return file_of_slot(entry);
    case SplitRule::By::db:
      return file_of_db(entry.db);
    case SplitRule::By::prefix:
      return file_of_prefix(entry.key);
  }
  return kNone;
}

size_t SplitSink::file_of_slot(const RdbEntry& entry) {
  if (entry.db != 0) {
    note(summary_.beyond, entry);
    return kNone;
  }
  const size_t owner = owners_.owner_of(key_slot(entry.key));
  if (owner != kNone) return owner;
  note(summary_.unowned, entry);
  return options_.keep_unassigned ? file_without_rule(unassigned_, SplitContent::unassigned) : kNone;
}

size_t SplitSink::file_of_db(uint64_t db) {
  const auto known = by_db_.find(db);
  if (known != by_db_.end()) return known->second;
  SplitFile file;
  file.content = SplitContent::db;
  file.db = db;
  return by_db_[db] = add(file);
}

size_t SplitSink::file_of_prefix(Bytes key) {
  const size_t end = key.find(options_.rule.separator);
  if (end == Bytes::npos) return file_without_rule(no_prefix_, SplitContent::no_prefix);
  prefix_ = key.substr(0, end);
  const auto known = by_prefix_.find(prefix_);
  if (known != by_prefix_.end()) return known->second;
  SplitFile file;
  file.content = SplitContent::prefix;
  file.prefix = prefix_;
  return by_prefix_[prefix_] = add(file);
}

size_t SplitSink::file_without_rule(size_t& known, SplitContent content) {
  if (known != kNone) return known;
  SplitFile file;
  file.content = content;
  return known = add(file);
}

size_t SplitSink::add(SplitFile file) {
  if (summary_.files.size() >= options_.files_max) {
    throw EditRefused(EditRefused::Kind::unusable, "more than " + std::to_string(options_.files_max) +
                                                       " files would be made: --most N permits more");
  }
  file.name = split_file_name(file);
  summary_.files.push_back(std::move(file));
  places_.emplace_back();
  return files_.add(summary_.files.back().name, shared_);
}

void SplitSink::note(SplitMisfits& misfits, const RdbEntry& entry) const {
  ++misfits.keys;
  if (misfits.first.size() < kMisfitsNamed) misfits.first.push_back({entry.db, std::string(entry.key)});
}

void SplitSink::finish() {
  files_.finish();
  for (size_t i = 0; i < summary_.files.size(); ++i) summary_.files[i].bytes = files_.bytes(i);
}

}  // namespace persist
