// Entries and records as JSON Lines, schema 1. persist-dump(1), JSON LINES
#pragma once

#include "base/byte_buffer.hpp"
#include "persist/rdb_reader.hpp"
#include "persist/salvage.hpp"

namespace persist {

// Writes the line of one entry: begin(), its elements, end(); discard() takes back what begin() and the
// elements wrote.
class EntryLine {
 public:
  explicit EntryLine(ByteBuffer& out) : out_(out) {}

  // Field names of a hash become the keys of an object, unless `as_pairs`.
  void begin(const RdbEntry& entry, bool as_pairs);
  // For a value that has no key, out of a DUMP payload.
  void begin(const Encoding& encoding, bool as_pairs);
  void add(const Element& element);
  void end();
  void discard() { out_.truncate(begin_); }

  // All of it, for a value that has no key; `tell` may be called twice.
  void write(const Encoding& encoding, FunctionRef<void(ElementSink)> tell);

  // The line of an entry whose value is a DUMP payload.
  void write_payload(const RdbEntry& entry, Bytes payload);

  // A field name turned out not to be text: the line is void and the hash must be told again, as pairs.
  [[nodiscard]] bool wants_pairs() const { return wants_pairs_; }

 private:
  enum class Section : uint8_t { none, entries, groups, pending, consumers, producers, iids, idmp };

  void start(const Encoding& encoding, bool as_pairs);
  void put_head(const RdbEntry& entry);
  void open_value();
  void put(const StringValue& value);
  void put(const ListItem& item);
  void put(const SetMember& member);
  void put(const SortedSetMember& member);
  void put(const HashField& field);
  void put(const StreamInfo& info);
  void put(const StreamEntry& entry);
  void put(const StreamGroup& group);
  void put(const StreamPending& pending);
  void put(const StreamConsumer& consumer);
  void put(const StreamProducer& producer);
  void put(const StreamIid& iid);
  void put(const StreamIdmp& idmp);
  void put(const ArrayInfo& info);
  void put(const ArrayElement& element);
  void put(const ModuleValue& value);

  void put_id(StreamId id);
  void put_field_expiry(const HashField& field);
  void comma();
  void close_group();
  void open_producers();

  ByteBuffer& out_;
  ByteBuffer expiries_;  // of hash fields, collected to stand behind the value
  const Encoding* encoding_ = nullptr;
  size_t begin_ = 0;
  bool as_pairs_ = false;
  bool wants_pairs_ = false;
  Section section_ = Section::none;
  std::optional<uint64_t> insert_index_;

  // The part of a line that names type and encoding, made once for each run of entries alike.
  const Encoding* typed_ = nullptr;
  ByteBuffer type_text_;
};

// The line of a record that is no entry, for `dump --meta`. `keys` is how many entries came before: for the
// end.
void append_record_line(ByteBuffer& out, const RdbRecord& record, uint64_t keys);

// The line that carries a key's metadata, in front of the key's own.
void append_key_meta_line(ByteBuffer& out, const RdbEntry& entry);

// The line in front of a key, and of its metadata, that says what a salvage has to say of it.
void append_salvage_line(ByteBuffer& out, const RdbEntry& entry, SalvageLabel label);

}  // namespace persist
