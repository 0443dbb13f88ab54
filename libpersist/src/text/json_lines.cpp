// The shape of a line is fixed by the schema; what opens and closes depends on the type alone.
#include "text/json_lines.hpp"

#include "text/json_string.hpp"
#include "types/plain_encoding.hpp"

namespace persist {

namespace {

struct Brackets {
  Bytes open;
  Bytes close;
};

Brackets brackets_of(ValueType type, bool as_pairs) {
  switch (type) {
    case ValueType::list:
    case ValueType::set:
    case ValueType::zset:
      return {"[", "]"};
    case ValueType::hash:
      return as_pairs ? Brackets{R"({"$pairs":[)", "]}"} : Brackets{"{", "}"};
    case ValueType::array:
      return {R"({"elements":[)", "]"};
    default:
      return {"", ""};
  }
}

template <typename... Parts>
void append_all(ByteBuffer& out, const Parts&... parts) {
  const auto append = [&](const auto& part) {
    using Part = std::remove_cvref_t<decltype(part)>;
    if constexpr (std::integral<Part> && !std::same_as<Part, char>)
      out.append_number(part);
    else
      out.append(part);
  };
  (append(parts), ...);
}

}  // namespace

void EntryLine::start(const Encoding& encoding, bool as_pairs) {
  begin_ = out_.size();
  encoding_ = &encoding;
  as_pairs_ = as_pairs;
  wants_pairs_ = false;
  section_ = Section::none;
  insert_index_.reset();
  expiries_.clear();
  if (typed_ == encoding_) return;
  typed_ = encoding_;
  type_text_.clear();
  append_all(type_text_, R"("type":")", value_type_name(encoding_->type), '"');
  if (!encoding_->name.empty()) append_all(type_text_, R"(,"encoding":")", encoding_->name, '"');
}

void EntryLine::begin(const RdbEntry& entry, bool as_pairs) {
  start(*entry.encoding, as_pairs);
  put_head(entry);
  open_value();
}

void EntryLine::write_payload(const RdbEntry& entry, Bytes payload) {
  start(plain_encoding(entry.encoding->type), false);
  put_head(entry);
  out_.append(R"(,"dump":)");
  append_json_base64(out_, payload);
  out_.append("}\n");
}

void EntryLine::put_head(const RdbEntry& entry) {
  append_all(out_, R"({"db":)", entry.db, R"(,"key":)");
  append_json_string(out_, entry.key);
  out_.append(',');
  out_.append(type_text_.bytes());
  if (entry.expire_at_ms != kNoExpiry) append_all(out_, R"(,"expire_at_ms":)", entry.expire_at_ms);
  if (entry.idle_s) append_all(out_, R"(,"idle_s":)", *entry.idle_s);
  if (entry.freq) append_all(out_, R"(,"freq":)", unsigned{*entry.freq});
}

void EntryLine::begin(const Encoding& encoding, bool as_pairs) {
  start(encoding, as_pairs);
  out_.append('{');
  out_.append(type_text_.bytes());
  open_value();
}

void EntryLine::open_value() {
  out_.append(R"(,"value":)");
  out_.append(brackets_of(encoding_->type, as_pairs_).open);
}

void EntryLine::add(const Element& element) {
  if (wants_pairs_) return;
  std::visit([this](const auto& told) { put(told); }, element);
}

void EntryLine::end() {
  out_.append(brackets_of(encoding_->type, as_pairs_).close);
  if (encoding_->type == ValueType::stream) {
    close_group();
    if (section_ == Section::entries) out_.append(R"(],"groups":[)");
    out_.append(section_ == Section::idmp ? Bytes("}") : Bytes("]}"));
  } else if (encoding_->type == ValueType::array) {
    out_.append(R"(,"insert_index":)");
    if (insert_index_)
      append_all(out_, *insert_index_, '}');
    else
      out_.append("null}");
  }
  if (!expiries_.empty()) {
    append_all(out_, R"(,"field_expire_at_ms":)", as_pairs_ ? Bytes(R"({"$pairs":[)") : Bytes("{"),
               expiries_.bytes(), as_pairs_ ? Bytes("]}") : Bytes("}"));
  }
  out_.append("}\n");
}

void EntryLine::write(const Encoding& encoding, FunctionRef<void(ElementSink)> tell) {
  const auto add_one = [this](const Element& told) { add(told); };
  begin(encoding, false);
  tell(add_one);
  if (wants_pairs()) {
    discard();
    begin(encoding, true);
    tell(add_one);
  }
  end();
}

// Between two things of one list, but not before the first.
void EntryLine::comma() {
  const char last = out_.back();
  if (last != '[' && last != '{') out_.append(',');
}

// ------------------------------------------------------------------------------------------------ plain
// types

void EntryLine::put(const StringValue& value) { append_json_string(out_, value.value); }

void EntryLine::put(const ListItem& item) {
  comma();
  append_json_string(out_, item.value);
}

void EntryLine::put(const SetMember& member) {
  comma();
  append_json_string(out_, member.member);
}

void EntryLine::put(const SortedSetMember& member) {
  comma();
  out_.append('[');
  append_json_string(out_, member.member);
  out_.append(',');
  append_json_double(out_, member.score);
  out_.append(']');
}

void EntryLine::put(const HashField& field) {
  comma();
  if (as_pairs_) {
    out_.append('[');
    append_json_string(out_, field.field);
    out_.append(',');
    append_json_string(out_, field.value);
    out_.append(']');
  } else {
    wants_pairs_ = !append_json_text(out_, field.field);
    if (wants_pairs_) return;
    out_.append(':');
    append_json_string(out_, field.value);
  }
  if (field.expire_at_ms != kNoExpiry) put_field_expiry(field);
}

void EntryLine::put_field_expiry(const HashField& field) {
  if (!expiries_.empty()) expiries_.append(',');
  if (as_pairs_) expiries_.append('[');
  append_json_string(expiries_, field.field);
  append_all(expiries_, as_pairs_ ? ',' : ':', field.expire_at_ms);
  if (as_pairs_) expiries_.append(']');
}

void EntryLine::put(const ArrayInfo& info) { insert_index_ = info.insert_index; }

void EntryLine::put(const ArrayElement& element) {
  comma();
  append_all(out_, '[', element.index, ',');
  append_json_string(out_, element.value);
  out_.append(']');
}

void EntryLine::put(const ModuleValue& value) {
  append_all(out_, R"({"module":")", value.module, R"(","encver":)", value.encver, R"(,"payload":)");
  append_json_base64(out_, value.payload);
  out_.append('}');
}

// ------------------------------------------------------------------------------------------------ streams

void EntryLine::put_id(StreamId id) { append_all(out_, '"', id.ms, '-', id.seq, '"'); }

void EntryLine::put(const StreamInfo& info) {
  out_.append(R"({"last_id":)");
  put_id(info.last_id);
  if (info.entries_added) append_all(out_, R"(,"entries_added":)", *info.entries_added);
  if (info.max_deleted_id) {
    out_.append(R"(,"max_deleted_id":)");
    put_id(*info.max_deleted_id);
  }
  if (info.first_id) {
    out_.append(R"(,"first_id":)");
    put_id(*info.first_id);
  }
  out_.append(R"(,"entries":[)");
  section_ = Section::entries;
}

void EntryLine::put(const StreamEntry& entry) {
  comma();
  out_.append(R"({"id":)");
  put_id(entry.id);
  out_.append(R"(,"fields":[)");
  for (const StreamField& field : entry.fields) {
    comma();
    out_.append('[');
    append_json_string(out_, field.field);
    out_.append(',');
    append_json_string(out_, field.value);
    out_.append(']');
  }
  out_.append("]}");
}

void EntryLine::close_group() {
  if (section_ == Section::pending) out_.append(R"(],"consumers":[)");
  if (section_ == Section::pending || section_ == Section::consumers) out_.append("]}");
  if (section_ == Section::iids) out_.append("]}");
}

void EntryLine::put(const StreamGroup& group) {
  close_group();
  if (section_ == Section::entries) out_.append(R"(],"groups":[)");
  comma();
  out_.append(R"({"name":)");
  append_json_string(out_, group.name);
  out_.append(R"(,"last_id":)");
  put_id(group.last_id);
  if (group.has_entries_read) {
    out_.append(R"(,"entries_read":)");
    if (group.entries_read)
      out_.append_number(*group.entries_read);
    else
      out_.append("null");
  }
  out_.append(R"(,"pending":[)");
  section_ = Section::pending;
}

void EntryLine::put(const StreamPending& pending) {
  comma();
  out_.append(R"({"id":)");
  put_id(pending.id);
  out_.append(R"(,"consumer":)");
  if (pending.consumer)
    append_json_string(out_, *pending.consumer);
  else
    out_.append("null");
  append_all(out_, R"(,"delivery_time_ms":)", pending.delivery_time_ms, R"(,"delivery_count":)",
             pending.delivery_count);
  if (pending.nack_rank) append_all(out_, R"(,"nack_rank":)", *pending.nack_rank);
  out_.append('}');
}

void EntryLine::put(const StreamConsumer& consumer) {
  if (section_ == Section::pending) out_.append(R"(],"consumers":[)");
  section_ = Section::consumers;
  comma();
  out_.append(R"({"name":)");
  append_json_string(out_, consumer.name);
  append_all(out_, R"(,"seen_time_ms":)", consumer.seen_time_ms);
  if (consumer.has_active_time) {
    out_.append(R"(,"active_time_ms":)");
    if (consumer.active_time_ms)
      out_.append_number(*consumer.active_time_ms);
    else
      out_.append("null");
  }
  out_.append('}');
}

// Behind the groups, if anything is left to say.
void EntryLine::open_producers() {
  if (section_ == Section::producers || section_ == Section::iids) return;
  close_group();
  if (section_ == Section::entries) out_.append(R"(],"groups":[)");
  out_.append(R"(],"idmp":{"producers":[)");
  section_ = Section::producers;
}

void EntryLine::put(const StreamProducer& producer) {
  open_producers();
  if (section_ == Section::iids) out_.append("]}");
  comma();
  out_.append(R"({"id":)");
  append_json_string(out_, producer.id);
  out_.append(R"(,"iids":[)");
  section_ = Section::iids;
}

void EntryLine::put(const StreamIid& iid) {
  comma();
  out_.append(R"({"iid":)");
  append_json_string(out_, iid.iid);
  out_.append(R"(,"id":)");
  put_id(iid.id);
  out_.append('}');
}

void EntryLine::put(const StreamIdmp& idmp) {
  open_producers();
  close_group();
  append_all(out_, R"(],"duration_s":)", idmp.duration_s, R"(,"max_entries":)", idmp.max_entries,
             R"(,"iids_added":)", idmp.iids_added, R"(,"iids_duplicates":)", idmp.iids_duplicates, '}');
  section_ = Section::idmp;
}

// ------------------------------------------------------------------------------------------------ other
// records

namespace {

struct RecordLine {
  ByteBuffer& out;
  uint64_t keys;

  void named(Bytes name, Bytes value) const {
    append_all(out, R"(,")", name, R"(":)");
    append_json_string(out, value);
  }
  template <std::integral T>
  void named(Bytes name, T value) const {
    append_all(out, R"(,")", name, R"(":)", value);
  }
  void begin(Bytes record) const { append_all(out, R"({"record":")", record, '"'); }

  void operator()(const RdbHeader& header) const {
    begin("header");
    named("dialect", dialect_name(header.dialect));
    named("version", header.version);
  }
  void operator()(const AuxField& aux) const {
    begin("aux");
    named("name", aux.name);
    named("value", aux.value);
  }
  void operator()(const SelectDb& select) const {
    begin("select_db");
    named("db", select.db);
  }
  void operator()(const ResizeDb& resize) const {
    begin("resize_db");
    named("keys", resize.keys);
    named("volatile_keys", resize.volatile_keys);
  }
  void operator()(const SlotInfo& info) const {
    begin("slot_info");
    named("slot", info.slot);
    named("keys", info.keys);
    named("volatile_keys", info.volatile_keys);
  }
  void operator()(const SlotImport& import) const {
    begin("slot_import");
    named("job", import.job);
    out.append(R"(,"slots":[)");
    for (const SlotRange& range : import.slots) {
      if (out.back() != '[') out.append(',');
      append_all(out, '[', range.first, ',', range.last, ']');
    }
    out.append(']');
  }
  void operator()(const FunctionLibrary& library) const {
    begin("function");
    if (library.pre_release) {
      named("name", library.name);
      named("engine", library.engine);
      if (library.description) named("description", *library.description);
    }
    named("code", library.code);
  }
  void operator()(const ModuleAux& aux) const {
    begin("module_aux");
    named("module", aux.module);
    named("encver", aux.encver);
    named("when", aux.when);
    out.append(R"(,"payload":)");
    append_json_base64(out, aux.payload);
  }
  void operator()(const RdbEntry& /*entry*/) const {}
  void operator()(const RdbEnd& end) const {
    begin("end");
    named("keys", keys);
    named("checksum", checksum_state_name(end.checksum));
  }
};

}  // namespace

void append_record_line(ByteBuffer& out, const RdbRecord& record, uint64_t keys) {
  if (std::holds_alternative<RdbEntry>(record.body)) return;
  std::visit(RecordLine{out, keys}, record.body);
  out.append("}\n");
}

void append_key_meta_line(ByteBuffer& out, const RdbEntry& entry) {
  append_all(out, R"({"record":"key_meta","db":)", entry.db, R"(,"key":)");
  append_json_string(out, entry.key);
  out.append(R"(,"payload":)");
  append_json_base64(out, entry.key_meta);
  out.append("}\n");
}

void append_salvage_line(ByteBuffer& out, const RdbEntry& entry, SalvageLabel label) {
  append_all(out, R"({"record":"salvage","db":)", entry.db, R"(,"key":)");
  append_json_string(out, entry.key);
  append_all(out, R"(,"label":")", salvage_label_name(label), "\"}\n");
}

}  // namespace persist
