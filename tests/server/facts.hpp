// What is true of a key, in one form for both sides: as the server answers and as the library reads it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "persist/element.hpp"
#include "persist/rdb_reader.hpp"
#include "server/live_server.hpp"

namespace persist::test {

// The value as a list of words: members and fields of what has no order are sorted.
using Words = std::vector<std::string>;

struct Facts {
  std::string type;
  int64_t expire_at_ms = kNoExpiry;
  Words value;
};

using Keyspace = std::map<std::pair<uint64_t, std::string>, Facts>;

// Collects the elements of one value.
class FactSink {
 public:
  void add(const Element& element);
  // Of a value whose type is `type`.
  Words take(ValueType type);

 private:
  void put(const StringValue& value) { plain_.emplace_back(value.value); }
  void put(const ListItem& item) { plain_.emplace_back(item.value); }
  void put(const SetMember& member) { plain_.emplace_back(member.member); }
  void put(const SortedSetMember& member);
  void put(const HashField& field) { pairs_.emplace_back(field.field, field.value); }
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

  Words plain_;
  std::vector<std::pair<std::string, std::string>> pairs_;
  std::vector<std::pair<double, std::string>> scored_;
};

// Everything the server holds.
Keyspace ask_all(Client& client, uint64_t dbs);

// One key of the selected database.
Facts ask(Client& client, const std::string& key);

}  // namespace persist::test
