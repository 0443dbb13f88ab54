// Values in one line, so that a test of a decoder is a table of two columns:
//
//   string "v"   list[a b]   set{a b}   zset{a:1.5 b:inf}   hash{a=1 b=2@1700000000000}   array{0=a 7=b
//   next=7} stream{1-1{f=a} last=3-4 group g@1-1{1-1>al*2@5 consumer al seen=5}}   module{vectorset/0 5
//   bytes}
//
// Bytes that are not printable, blanks and the signs above stand as \xNN; an empty string as "".
#pragma once

#include <string>
#include <vector>

#include "persist/element.hpp"
#include "persist/encoding.hpp"
#include "persist/rdb_reader.hpp"

namespace persist::test {

class Notation {
 public:
  void begin(ValueType type);
  void add(const Element& element);
  [[nodiscard]] std::string end();

 private:
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

  void item(const std::string& text);
  void close_inner();

  std::string text_;
  std::string behind_;  // what is told first but stands last
  ValueType type_{};
  bool first_ = true;
  bool inside_ = false;  // a group or a producer
};

// The entry that the reader stands at: `key = hash{a=1}`, with what its prefixes say in front.
[[nodiscard]] std::string notation_of(RdbReader& reader, const RdbEntry& entry);

// All entries of a file, one a line in `lines`, and the ids of what was found.
struct Told {
  std::vector<std::string> lines;
  std::vector<std::string> findings;
  bool complete = false;
};
[[nodiscard]] Told tell(ByteSource& source);
[[nodiscard]] Told tell(Bytes file);

// One value out of a DUMP payload.
[[nodiscard]] std::string notation_of_payload(Bytes payload);

[[nodiscard]] std::string shown(Bytes bytes);
[[nodiscard]] std::string shown(StreamId id);

}  // namespace persist::test
