// Builds RDB files record by record, legal ones and others:
//
//   RdbBuilder(redis, 11).aux("redis-ver", "7.2.6").select(0).string("k", "v").raw("\xc3").eof()
//
// Every value of the format has its own verb, named after the encoding. man/persist-rdb.5
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "persist/element.hpp"
#include "persist/encoding.hpp"
#include "support/blob_builders.hpp"

namespace persist::test {

using enum Dialect;

using Strings = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;
using Scores = std::vector<std::pair<std::string, double>>;

// A field with an expiry in absolute milliseconds; 0 for none.
struct TtlField {
  std::string field;
  std::string value;
  int64_t expire_at_ms = 0;
};

struct StreamSpec {
  struct Entry {
    StreamId id;
    Pairs fields;
    bool deleted = false;
  };
  struct Pending {
    StreamId id;
    int64_t delivery_time_ms = 0;
    uint64_t delivery_count = 1;
  };
  struct Consumer {
    std::string name;
    int64_t seen_time_ms = 0;
    int64_t active_time_ms = 0;
    std::vector<StreamId> owns;
  };
  struct Group {
    std::string name;
    StreamId last_id;
    uint64_t entries_read = ~uint64_t{0};
    std::vector<Pending> pending;
    std::vector<Consumer> consumers;
    std::vector<StreamId> nacked;
  };
  struct Iid {
    std::string iid;
    StreamId id;
  };
  struct Producer {
    std::string id;
    std::vector<Iid> iids;
  };

  std::vector<Entry> entries;
  StreamId last_id;
  std::vector<Group> groups = {};
  std::vector<Producer> producers = {};
  StreamId max_deleted_id = {};
  uint64_t idmp_duration_s = 100;
  uint64_t idmp_max_entries = 100;
  size_t entries_per_node = 100;
  std::optional<uint64_t> length = {};  // stated, instead of the true one
};

// The listpack of one node whose entries have IDs relative to the first one's.
[[nodiscard]] std::string stream_node(const std::vector<StreamSpec::Entry>& entries);
[[nodiscard]] std::string raw_id(StreamId id);
[[nodiscard]] std::string length_id(StreamId id);

// Nine characters and a version as a module id; four as the specification of a class of key metadata.
[[nodiscard]] uint64_t module_id_of(Bytes name, unsigned encver);
[[nodiscard]] uint32_t key_meta_class(Bytes name, unsigned version, unsigned flags);

// One node of a type 18 list.
struct QuicklistNode {
  uint64_t container = 2;
  std::string bytes;
};

class RdbBuilder {
 public:
  RdbBuilder(Dialect dialect, unsigned version);
  // Records alone, for what is no whole file.
  RdbBuilder() = default;

  // Whatever follows is compressed where it can be: every string of at least five bytes.
  RdbBuilder& compressed(bool on = true) { return compressed_ = on, *this; }

  // Opcodes.
  RdbBuilder& aux(Bytes name, Bytes value);
  RdbBuilder& select(uint64_t db);
  RdbBuilder& resize(uint64_t keys, uint64_t volatile_keys);
  RdbBuilder& expire_s(int32_t at_s);
  RdbBuilder& expire_ms(int64_t at_ms);
  RdbBuilder& idle(uint64_t seconds);
  RdbBuilder& freq(uint8_t frequency);
  // `classes` is what stands behind their number.
  RdbBuilder& key_meta(uint64_t count, Bytes classes);
  RdbBuilder& slot_info(uint64_t slot, uint64_t keys, uint64_t volatile_keys);
  RdbBuilder& slot_import(Bytes job, const std::vector<std::pair<uint64_t, uint64_t>>& ranges);
  RdbBuilder& function(Bytes code);
  RdbBuilder& function_pre_release(Bytes name, Bytes engine, std::optional<Bytes> description, Bytes code);
  RdbBuilder& module_aux(uint64_t id, uint64_t when, Bytes annotated);

  // Strings.
  RdbBuilder& string(Bytes key, Bytes value);
  RdbBuilder& string_int(Bytes key, int64_t value);
  RdbBuilder& string_lzf(Bytes key, Bytes value);

  // Lists.
  RdbBuilder& list(Bytes key, const Strings& items);
  RdbBuilder& list_ziplist(Bytes key, const Strings& items);
  RdbBuilder& list_quicklist(Bytes key, const std::vector<Strings>& nodes);
  RdbBuilder& list_quicklist2(Bytes key, const std::vector<QuicklistNode>& nodes);

  // Sets.
  RdbBuilder& set(Bytes key, const Strings& members);
  RdbBuilder& set_intset(Bytes key, const std::vector<int64_t>& members, uint32_t width = 2);
  RdbBuilder& set_listpack(Bytes key, const Strings& members);

  // Sorted sets; the compact ones in the order given.
  RdbBuilder& zset_text(Bytes key, const Pairs& members);
  RdbBuilder& zset(Bytes key, const Scores& members);
  RdbBuilder& zset_ziplist(Bytes key, const Pairs& members);
  RdbBuilder& zset_listpack(Bytes key, const Pairs& members);

  // Hashes.
  RdbBuilder& hash(Bytes key, const Pairs& fields);
  RdbBuilder& hash_zipmap(Bytes key, const Pairs& fields);
  RdbBuilder& hash_ziplist(Bytes key, const Pairs& fields);
  RdbBuilder& hash_listpack(Bytes key, const Pairs& fields);
  RdbBuilder& hash_ttl_pre(Bytes key, const std::vector<TtlField>& fields);
  RdbBuilder& hash_listpack_ttl_pre(Bytes key, const std::vector<TtlField>& fields);
  RdbBuilder& hash_ttl(Bytes key, const std::vector<TtlField>& fields);
  RdbBuilder& hash_listpack_ttl(Bytes key, const std::vector<TtlField>& fields);
  RdbBuilder& hash_valkey(Bytes key, const std::vector<TtlField>& fields);

  // Streams: layout 1 to 5.
  RdbBuilder& stream(Bytes key, int layout, const StreamSpec& spec);

  // Arrays: `elements` is what stands behind count and flag, for `count` elements.
  RdbBuilder& array(Bytes key, uint64_t count, std::optional<uint64_t> insert_index, Bytes elements);

  RdbBuilder& module(Bytes key, uint64_t id, Bytes annotated);

  // Parts: a type code with a key, a container that is one string, a string, a length, any bytes.
  RdbBuilder& key(uint8_t type, Bytes key);
  RdbBuilder& blob(uint8_t type, Bytes key, Bytes bytes);
  RdbBuilder& str(Bytes text);
  RdbBuilder& len(uint64_t value);
  RdbBuilder& raw(Bytes bytes) { return bytes_ += bytes, *this; }

  // The whole file: EOF opcode, and the checksum from version 5 on.
  [[nodiscard]] std::string eof() const;
  [[nodiscard]] std::string eof(uint64_t checksum) const;
  // A value without its key, and what stands behind it in a DUMP payload.
  [[nodiscard]] std::string dump_payload(uint16_t version) const;

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] size_t size() const { return bytes_.size(); }

 private:
  RdbBuilder& groups(int layout, const StreamSpec& spec);
  RdbBuilder& idempotency(const StreamSpec& spec);

  std::string bytes_;
  unsigned version_ = 0;
  bool compressed_ = false;
};

}  // namespace persist::test
