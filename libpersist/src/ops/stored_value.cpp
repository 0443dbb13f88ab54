// A value is walked once: where its bytes are wanted, that walk only sees that it is sound.
#include "ops/stored_value.hpp"

namespace persist {

bool StoredValue::tell(ElementSink sink) {
  records_.set_payloads(Payloads::wanted);
  if (read_) {
    records_.visit(sink);
    return true;
  }
  read_ = true;
  return records_.read_value(sink);
}

EntryValue::Raw StoredValue::raw() {
  Raw raw;
  if (read_) return raw;
  read_ = true;
  const uint64_t inflated = records_.inflated();
  bool has_elements = false;
  records_.set_payloads(Payloads::validated);
  raw.whole = records_.read_value([&](const Element&) { has_elements = true; });
  raw.is_void = !has_elements;
  raw.has_inflated = records_.inflated() != inflated;
  if (!raw.whole) return raw;
  const Bytes record = records_.raw(extent_->size);
  if (record.size() < extent_->size) return raw;
  raw.record = record;
  raw.value = record.substr(static_cast<size_t>(value_offset_ - extent_->offset));
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
