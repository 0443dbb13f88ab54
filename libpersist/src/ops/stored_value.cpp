// A value is walked once: where its bytes are wanted, that walk only sees that it is sound.
#include "ops/stored_value.hpp"

namespace persist {

bool StoredValue::read(ElementSink sink) {
  read_ = true;
  if (check_ == nullptr) return records_.read_value(sink);
  check_->checker.begin(*entry_.encoding);
  const bool whole = records_.read_value([&](const Element& told) {
    check_->checker.add(told);
    sink(told);
  });
  return whole && has_no_flaws();
}

bool StoredValue::has_no_flaws() {
  check_->checker.end([this](ElementSink again) { records_.visit(again); });
  bool sound = true;
  for (const Flaw& flaw : check_->checker.flaws()) {
    Finding finding = flaw.at(check_->file, record_.extent, *entry_.encoding);
    finding.db = entry_.db;
    finding.key = std::string(entry_.key);
    sound = sound && finding.kind().severity != Severity::error;
    check_->findings.report(finding);
  }
  return sound;
}

bool StoredValue::tell(ElementSink sink) {
  records_.set_payloads(Payloads::wanted);
  if (!read_) return read(sink);
  records_.visit(sink);
  return true;
}

EntryValue::Raw StoredValue::raw() {
  Raw raw;
  if (read_) return raw;
  const uint64_t inflated = records_.inflated();
  bool has_elements = false;
  records_.set_payloads(Payloads::validated);
  raw.whole = read([&](const Element&) { has_elements = true; });
  raw.is_void = !has_elements;
  raw.has_inflated = records_.inflated() != inflated;
  if (!raw.whole) return raw;
  const Bytes record = records_.raw(record_.extent.size);
  if (record.size() < record_.extent.size) return raw;
  raw.record = record;
  raw.value = record.substr(static_cast<size_t>(entry_.value_offset - record_.extent.offset));
  return raw;
}

RdbProvenance provenance_of(const RdbHead& head) {
  constexpr uint32_t kFirstNarrowRedisFile = 14;
  constexpr unsigned kFirstNarrowValkeyServer = 901;
  RdbProvenance provenance{head.header, std::nullopt};
  if (head.header.dialect == Dialect::redis)
    provenance.narrow_backlen = head.header.version >= kFirstNarrowRedisFile;
  else if (head.server)
    provenance.narrow_backlen = head.server->version >= kFirstNarrowValkeyServer;
  return provenance;
}

}  // namespace persist
