// Telling the files of a set apart, and finding where in them the commands begin.
#include "ops/log_part.hpp"

#include "aof/record_probe.hpp"
#include "base/decimal.hpp"
#include "io/sources.hpp"
#include "persist/check_set.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

namespace {

constexpr size_t kContextBytes = 16;  // shown of a damaged place

}  // namespace

bool begins_with_rdb(ByteSource& source) {
  constexpr Bytes kMagics[] = {"REDIS", "VALKEY"};
  for (const Bytes magic : kMagics) {
    if (source.window(0, magic.size()).bytes.starts_with(magic)) return true;
  }
  return false;
}

bool holds_commands(ByteSource& source) {
  const Window first_two = source.window(0, 2);
  const Bytes head = first_two.bytes;
  if (head.empty()) return false;
  const bool digit = head.size() == 1 || (head[1] >= '0' && head[1] <= '9');
  if ((head.front() == '*' && digit) || head.front() == '#') return true;
  // Others are searched only as far as a first window goes.
  constexpr uint64_t kSearched = uint64_t{1} << 16;
  const Window beginning = source.window(0, kSearched);
  const std::unique_ptr<ByteSource> memory =
      memory_source(beginning.bytes.substr(0, kSearched), source.name());
  return RecordProbe(*memory).find(0, false).found;
}

FileContent recognise_content(ByteSource& source) {
  constexpr uint64_t kHeadBytes = 4096;
  if (begins_with_rdb(source)) return FileContent::rdb;
  if (looks_like_manifest(source.window(0, kHeadBytes).bytes)) return FileContent::manifest;
  return holds_commands(source) ? FileContent::log : FileContent::other;
}

AppendSet single_file_set(const std::string& path) {
  AppendSet set;
  set.path = path;
  SetPart part;
  part.path = path;
  part.name = path.substr(path.rfind('/') + 1);
  part.present = true;
  set.parts.push_back(std::move(part));
  return set;
}

Finding finding_of(const LogWalk& walk, const std::string& file) {
  const LogDamage& damage = walk.damage();
  Finding finding;
  finding.code = damage.code;
  finding.file = file;
  finding.extent = damage.extent;
  finding.subject = damage.subject;
  finding.expected = damage.expected;
  finding.found = damage.found;
  finding.db = walk.db();
  finding.context_offset = damage.place;
  finding.context = std::string(walk.record().around(damage.place, kContextBytes));
  return finding;
}

void RdbPartSink::report(const Finding& finding) {
  if (finding.code == FindingCode::rdb_aof_tail || finding.code == FindingCode::rdb_trailing) {
    swallowed_ = finding;
    return;
  }
  if (finding.kind().severity == Severity::error) ++errors_;
  to_.report(finding);
}

uint64_t size_of(ByteSource& source) {
  if (source.size()) return *source.size();
  uint64_t at = 0;
  while (true) {
    const Window window = source.window(at, 1);
    if (window.bytes.empty()) return at;
    at += window.bytes.size();
  }
}

std::unique_ptr<ByteSource> open_rereadable(const SetPart& part) {
  return rereadable_source(open_source(part.path));
}

LogPart open_part(const SetPart& part, FindingSink& findings) {
  LogPart opened;
  opened.source = open_rereadable(part);
  opened.size = size_of(*opened.source);
  opened.has_rdb = begins_with_rdb(*opened.source);
  // A source tells damage of what is around it to those who have met its end.
  (void)opened.source->window(opened.size, 1);
  if (const Finding* damage = opened.source->damage()) {
    findings.report(*damage);
    opened.sound_carrier = false;
  }
  if (!opened.has_rdb) return opened;
  RdbPartSink sink(findings);
  RecordReader records(*opened.source, sink);
  records.set_payloads(Payloads::validated);
  while (const RdbRecord* record = records.next_head()) {
    if (std::holds_alternative<RdbEntry>(record->body)) {
      ++opened.keys;
    } else if (const auto* aux = std::get_if<AuxField>(&record->body)) {
      if (aux->name == "ctime") opened.ctime_s = parse_decimal<int64_t>(aux->value);
    }
  }
  opened.sound_rdb = records.complete() && sink.errors() == 0;
  opened.log_offset = records.complete() ? records.offset() : opened.size;
  return opened;
}

}  // namespace persist
