// Entries as comma-separated values, RFC 4180: one row for each element of a value, so that spreadsheets and
// databases can take them. What each column holds is told by the part that the row is:
//
//   part        of type  columns used
//   string      string   value
//   item        list     index, value
//   member      set      name
//   member      zset     name, score
//   field       hash     name, value, time_ms (when it expires; empty: never)
//   stream      stream   id (the last one given); the first row of every stream, even of an empty one
//   entry       stream   id, name, value: one row for each field
//   bare-entry  stream   id: an entry without fields
//   group       stream   id (the last one delivered), name
//   pending     stream   id, owner (the group), name (the consumer; empty: none), time_ms, count, index (its
//                        place among those that nobody owns)
//   consumer    stream   owner (the group), name, time_ms (when it was seen)
//   producer    stream   name
//   iid         stream   id (the entry), owner (the producer), name
//   cursor      array    index (where the next element goes)
//   element     array    index, value
//   module      module   name, index (version of its encoding), value (base64)
//   library     function value: the code of a function library, which has no key
//
// Every row begins with db, key, type, expire_at_ms, idle_s, freq of its key. A string that is not UTF-8 or
// holds a NUL byte is written in base64, and the name of its column then stands in the last column, base64,
// blanks between several. Left out are the counters of streams, of their groups and of their idempotency, and
// when consumers were last active.
#pragma once

#include <string>

#include "base/byte_buffer.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

// With quotes around it if it would be taken for something else. True if it had to be base64.
bool append_csv_string(ByteBuffer& out, Bytes bytes);

// The names of the columns, as a row.
void append_csv_header(ByteBuffer& out);

// Writes the rows of one entry: begin(), its elements, end(); discard() takes back what they wrote.
class CsvLines {
 public:
  explicit CsvLines(ByteBuffer& out) : out_(out) {}

  void begin(const RdbEntry& entry);
  void add(const Element& element);
  // There is nothing to close; so that whoever tells elements need not know.
  void end() {}
  void discard() { out_.truncate(begin_); }

  // The row of a function library.
  void write_library(Bytes code);

 private:
  struct Row;

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
  template <typename T>
  void put_number(const std::optional<T>& number);
  void put_string(Bytes bytes, Bytes column, bool as_base64 = false);
  void write(const Row& row);

  ByteBuffer& out_;
  size_t begin_ = 0;
  ByteBuffer head_;  // what all rows of the entry begin with
  bool key_is_base64_ = false;
  ByteBuffer base64_;  // the names of such columns of a row, a blank behind each
  uint64_t items_ = 0;
  std::string owner_;  // the group or producer that what follows belongs to
};

}  // namespace persist
