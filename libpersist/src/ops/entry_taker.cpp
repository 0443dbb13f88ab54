// Values are copied where the output takes them as they are: then nothing looks into them but to see that
// they are sound.
#include "ops/entry_taker.hpp"

namespace persist {

namespace {

// A hash whose fields come out with other expiries, or not at all.
class ChangedFields : public EntryValue {
 public:
  ChangedFields(EntryValue& value, const KeyChanges& changes) : value_(value), changes_(changes) {}

  bool tell(ElementSink sink) override {
    return value_.tell([&](const Element& told) {
      HashField field = std::get<HashField>(told);
      const std::optional<int64_t> expiry = changes_.field_expiry(field.expire_at_ms);
      if (!expiry) return;
      field.expire_at_ms = *expiry;
      sink(field);
    });
  }
  Raw raw() override { return {}; }
  bool skip() override { return value_.skip(); }

 private:
  EntryValue& value_;
  const KeyChanges& changes_;
};

}  // namespace

bool EntryTaker::take(const RdbEntry& entry, EntryValue& value) {
  if (originals_ != nullptr) originals_->add(plan_.originals->hash(entry.db, entry.key));
  if (!takes_all_ && !plan_.filter->accepts(entry)) return value.skip();
  if (plan_.changes == nullptr) return put_seen(entry, value, true);
  changed_ = entry;
  const bool differs = plan_.changes->apply(changed_, room_);
  return put_seen(changed_, value, !differs);
}

bool EntryTaker::put_seen(const RdbEntry& entry, EntryValue& value, bool as_it_was) {
  const uint64_t before = output_.written();
  const bool whole = changes_fields_ && entry.encoding->type == ValueType::hash
                         ? put_changed_hash(entry, value)
                         : put(entry, value, as_it_was);
  if (names_ && output_.written() > before) names_->see(entry.db, entry.key);
  return whole;
}

bool EntryTaker::put(const RdbEntry& entry, EntryValue& value, bool as_it_was) {
  if (output_.copies(*entry.encoding)) {
    const EntryValue::Raw raw = value.raw();
    if (!raw.whole) return false;
    if (output_.put_copy(entry, raw, as_it_was)) return true;
  }
  return output_.put(entry, value);
}

// A hash of which no field is left goes as a whole.
bool EntryTaker::put_changed_hash(const RdbEntry& entry, EntryValue& value) {
  ChangedFields changed(value, *plan_.changes);
  bool had_fields = false;
  bool has_fields = false;
  const bool whole = value.tell([&](const Element& told) {
    had_fields = true;
    has_fields =
        has_fields || plan_.changes->field_expiry(std::get<HashField>(told).expire_at_ms).has_value();
  });
  if (!whole) return false;
  if (had_fields && !has_fields) return true;
  return output_.put(entry, changed);
}

}  // namespace persist
