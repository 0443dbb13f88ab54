// The layouts of records and values.
#include "support/rdb_builder.hpp"

#include <algorithm>
#include <cstdio>

#include "base/crc64.hpp"

namespace persist::test {

namespace {

constexpr unsigned kChecksumSince = 5;

enum Type : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kZsetText = 3,
  kHash = 4,
  kZset = 5,
  kModule = 7,
  kZipmap = 9,
  kListZiplist = 10,
  kIntset = 11,
  kZsetZiplist = 12,
  kHashZiplist = 13,
  kQuicklist = 14,
  kHashListpack = 16,
  kZsetListpack = 17,
  kQuicklist2 = 18,
  kSetListpack = 20,
  kHashTtlPre = 22,
  kHashValkey = 22,
  kHashListpackTtlPre = 23,
  kHashTtl = 24,
  kHashListpackTtl = 25,
  kArray = 28,
};

constexpr uint8_t kStreamTypes[] = {0, 15, 19, 21, 26, 27};

template <typename Builder>
std::string packed_strings(const Strings& items) {
  Builder builder;
  for (const std::string& item : items) builder.add(item);
  return builder.bytes();
}

template <typename Builder>
std::string packed_pairs(const Pairs& pairs) {
  Builder builder;
  for (const auto& [first, second] : pairs) builder.add(first).add(second);
  return builder.bytes();
}

std::string packed_triples(const std::vector<TtlField>& fields) {
  ListpackBuilder builder;
  for (const TtlField& field : fields)
    builder.add(field.field).add(field.value).add_number(field.expire_at_ms);
  return builder.bytes();
}

int64_t smallest_expiry(const std::vector<TtlField>& fields) {
  int64_t smallest = 0;
  for (const TtlField& field : fields) {
    if (field.expire_at_ms != 0 && (smallest == 0 || field.expire_at_ms < smallest))
      smallest = field.expire_at_ms;
  }
  return smallest;
}

bool same_names(const Pairs& one, const Pairs& other) {
  return std::ranges::equal(one, other, {}, &Pairs::value_type::first, &Pairs::value_type::first);
}

}  // namespace

std::string raw_id(StreamId id) { return be(id.ms) + be(id.seq); }

std::string length_id(StreamId id) { return length(id.ms) + length(id.seq); }

std::string stream_node(const std::vector<StreamSpec::Entry>& entries) {
  const StreamSpec::Entry& first = entries.front();
  const auto deleted = std::ranges::count(entries, true, &StreamSpec::Entry::deleted);
  ListpackBuilder node;
  node.add_number(static_cast<int64_t>(entries.size()) - deleted).add_number(deleted);
  node.add_number(static_cast<int64_t>(first.fields.size()));
  for (const auto& [name, value] : first.fields) node.add(name);
  node.add_number(0);
  for (const StreamSpec::Entry& entry : entries) {
    const bool same = same_names(first.fields, entry.fields);
    node.add_number((entry.deleted ? 1 : 0) | (same ? 2 : 0));
    node.add_number(static_cast<int64_t>(entry.id.ms - first.id.ms));
    node.add_number(static_cast<int64_t>(entry.id.seq - first.id.seq));
    const auto fields = static_cast<int64_t>(entry.fields.size());
    if (!same) node.add_number(fields);
    for (const auto& [name, value] : entry.fields) {
      if (!same) node.add(name);
      node.add(value);
    }
    node.add_number(same ? fields + 3 : 2 * fields + 4);
  }
  return node.bytes();
}

uint64_t module_id_of(Bytes name, unsigned encver) {
  constexpr Bytes kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  uint64_t id = 0;
  for (const char c : name) id = (id << 6) | kAlphabet.find(c);
  return (id << 10) | encver;
}

uint32_t key_meta_class(Bytes name, unsigned version, unsigned flags) {
  constexpr Bytes kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  uint32_t spec = 0;
  for (const char c : name) spec = (spec << 6) | static_cast<uint32_t>(kAlphabet.find(c));
  return (spec << 8) | (version << 3) | flags;
}

RdbBuilder::RdbBuilder(Dialect dialect, unsigned version) : version_(version) {
  char header[16];
  std::snprintf(header, sizeof header, dialect == redis ? "REDIS%04u" : "VALKEY%03u", version);
  bytes_ = header;
}

// ----------------------------------------------------------------------------------------------- opcodes

RdbBuilder& RdbBuilder::aux(Bytes name, Bytes value) { return raw("\xfa").str(name).str(value); }

RdbBuilder& RdbBuilder::select(uint64_t db) { return raw("\xfe").len(db); }

RdbBuilder& RdbBuilder::resize(uint64_t keys, uint64_t volatile_keys) {
  return raw("\xfb").len(keys).len(volatile_keys);
}

RdbBuilder& RdbBuilder::expire_s(int32_t at_s) { return raw("\xfd" + le(at_s)); }

RdbBuilder& RdbBuilder::expire_ms(int64_t at_ms) { return raw("\xfc" + le(at_ms)); }

RdbBuilder& RdbBuilder::idle(uint64_t seconds) { return raw("\xf8").len(seconds); }

RdbBuilder& RdbBuilder::freq(uint8_t frequency) { return raw("\xf9" + le(frequency)); }

RdbBuilder& RdbBuilder::key_meta(uint64_t count, Bytes classes) {
  return raw("\xf3").len(count).raw(classes);
}

RdbBuilder& RdbBuilder::slot_info(uint64_t slot, uint64_t keys, uint64_t volatile_keys) {
  return raw("\xf4").len(slot).len(keys).len(volatile_keys);
}

RdbBuilder& RdbBuilder::slot_import(Bytes job, const std::vector<std::pair<uint64_t, uint64_t>>& ranges) {
  raw("\xf3").str(job).len(ranges.size());
  for (const auto& [first, last] : ranges) len(first).len(last);
  return *this;
}

RdbBuilder& RdbBuilder::function(Bytes code) { return raw("\xf5").str(code); }

RdbBuilder& RdbBuilder::function_pre_release(Bytes name, Bytes engine, std::optional<Bytes> description,
                                             Bytes code) {
  raw("\xf6").str(name).str(engine).len(description ? 1 : 0);
  if (description) str(*description);
  return str(code);
}

RdbBuilder& RdbBuilder::module_aux(uint64_t id, uint64_t when, Bytes annotated) {
  return raw("\xf7").raw(long_length(id)).len(2).len(when).raw(annotated);
}

// ----------------------------------------------------------------------------------------- plain values

RdbBuilder& RdbBuilder::string(Bytes k, Bytes value) { return key(kString, k).str(value); }

RdbBuilder& RdbBuilder::string_int(Bytes k, int64_t value) {
  return key(kString, k).raw(integer_string(value));
}

RdbBuilder& RdbBuilder::string_lzf(Bytes k, Bytes value) { return key(kString, k).raw(lzf_string(value)); }

RdbBuilder& RdbBuilder::list(Bytes k, const Strings& items) {
  key(kList, k).len(items.size());
  for (const std::string& item : items) str(item);
  return *this;
}

RdbBuilder& RdbBuilder::list_ziplist(Bytes k, const Strings& items) {
  return blob(kListZiplist, k, packed_strings<ZiplistBuilder>(items));
}

RdbBuilder& RdbBuilder::list_quicklist(Bytes k, const std::vector<Strings>& nodes) {
  key(kQuicklist, k).len(nodes.size());
  for (const Strings& node : nodes) str(packed_strings<ZiplistBuilder>(node));
  return *this;
}

RdbBuilder& RdbBuilder::list_quicklist2(Bytes k, const std::vector<QuicklistNode>& nodes) {
  key(kQuicklist2, k).len(nodes.size());
  for (const QuicklistNode& node : nodes) len(node.container).str(node.bytes);
  return *this;
}

RdbBuilder& RdbBuilder::set(Bytes k, const Strings& members) {
  key(kSet, k).len(members.size());
  for (const std::string& member : members) str(member);
  return *this;
}

RdbBuilder& RdbBuilder::set_intset(Bytes k, const std::vector<int64_t>& members, uint32_t width) {
  IntsetBuilder builder(width);
  for (const int64_t member : members) builder.add(member);
  return blob(kIntset, k, builder.bytes());
}

RdbBuilder& RdbBuilder::set_listpack(Bytes k, const Strings& members) {
  return blob(kSetListpack, k, packed_strings<ListpackBuilder>(members));
}

RdbBuilder& RdbBuilder::zset_text(Bytes k, const Pairs& members) {
  key(kZsetText, k).len(members.size());
  for (const auto& [member, score] : members) {
    str(member);
    if (score == "nan") {
      raw("\xfd");
    } else if (score == "inf") {
      raw("\xfe");
    } else if (score == "-inf") {
      raw("\xff");
    } else {
      raw(le(static_cast<uint8_t>(score.size()))).raw(score);
    }
  }
  return *this;
}

RdbBuilder& RdbBuilder::zset(Bytes k, const Scores& members) {
  key(kZset, k).len(members.size());
  for (const auto& [member, score] : members) str(member).raw(le(score));
  return *this;
}

RdbBuilder& RdbBuilder::zset_ziplist(Bytes k, const Pairs& members) {
  return blob(kZsetZiplist, k, packed_pairs<ZiplistBuilder>(members));
}

RdbBuilder& RdbBuilder::zset_listpack(Bytes k, const Pairs& members) {
  return blob(kZsetListpack, k, packed_pairs<ListpackBuilder>(members));
}

// ------------------------------------------------------------------------------------------------ hashes

RdbBuilder& RdbBuilder::hash(Bytes k, const Pairs& fields) {
  key(kHash, k).len(fields.size());
  for (const auto& [field, value] : fields) str(field).str(value);
  return *this;
}

RdbBuilder& RdbBuilder::hash_zipmap(Bytes k, const Pairs& fields) {
  ZipmapBuilder builder;
  for (const auto& [field, value] : fields) builder.add(field, value);
  return blob(kZipmap, k, builder.bytes());
}

RdbBuilder& RdbBuilder::hash_ziplist(Bytes k, const Pairs& fields) {
  return blob(kHashZiplist, k, packed_pairs<ZiplistBuilder>(fields));
}

RdbBuilder& RdbBuilder::hash_listpack(Bytes k, const Pairs& fields) {
  return blob(kHashListpack, k, packed_pairs<ListpackBuilder>(fields));
}

RdbBuilder& RdbBuilder::hash_ttl_pre(Bytes k, const std::vector<TtlField>& fields) {
  key(kHashTtlPre, k).len(fields.size());
  for (const TtlField& field : fields)
    len(static_cast<uint64_t>(field.expire_at_ms)).str(field.field).str(field.value);
  return *this;
}

RdbBuilder& RdbBuilder::hash_listpack_ttl_pre(Bytes k, const std::vector<TtlField>& fields) {
  return blob(kHashListpackTtlPre, k, packed_triples(fields));
}

RdbBuilder& RdbBuilder::hash_ttl(Bytes k, const std::vector<TtlField>& fields) {
  const int64_t smallest = smallest_expiry(fields);
  key(kHashTtl, k).raw(le(smallest)).len(fields.size());
  for (const TtlField& field : fields) {
    const int64_t ttl = field.expire_at_ms == 0 ? 0 : field.expire_at_ms - smallest + 1;
    len(static_cast<uint64_t>(ttl)).str(field.field).str(field.value);
  }
  return *this;
}

RdbBuilder& RdbBuilder::hash_listpack_ttl(Bytes k, const std::vector<TtlField>& fields) {
  return key(kHashListpackTtl, k).raw(le(smallest_expiry(fields))).str(packed_triples(fields));
}

RdbBuilder& RdbBuilder::hash_valkey(Bytes k, const std::vector<TtlField>& fields) {
  key(kHashValkey, k).len(fields.size());
  for (const TtlField& field : fields)
    str(field.field).str(field.value).raw(le(field.expire_at_ms == 0 ? kNoExpiry : field.expire_at_ms));
  return *this;
}

// ----------------------------------------------------------------------------------------------- streams

RdbBuilder& RdbBuilder::stream(Bytes k, int layout, const StreamSpec& spec) {
  key(kStreamTypes[layout], k).len((spec.entries.size() + spec.entries_per_node - 1) / spec.entries_per_node);
  std::vector<StreamSpec::Entry> rest = spec.entries;
  while (!rest.empty()) {
    const auto count = static_cast<ptrdiff_t>(std::min(rest.size(), spec.entries_per_node));
    const std::vector<StreamSpec::Entry> node(rest.begin(), rest.begin() + count);
    str(raw_id(node.front().id)).str(stream_node(node));
    rest.erase(rest.begin(), rest.begin() + count);
  }
  const auto live =
      static_cast<uint64_t>(std::ranges::count(spec.entries, false, &StreamSpec::Entry::deleted));
  len(spec.length.value_or(live)).raw(length_id(spec.last_id));
  if (layout >= 2) {
    const auto first = std::ranges::find(spec.entries, false, &StreamSpec::Entry::deleted);
    raw(length_id(first == spec.entries.end() ? StreamId{} : first->id)).raw(length_id(spec.max_deleted_id));
    len(spec.entries.size());
  }
  groups(layout, spec);
  return layout >= 4 ? idempotency(spec) : *this;
}

RdbBuilder& RdbBuilder::groups(int layout, const StreamSpec& spec) {
  len(spec.groups.size());
  for (const StreamSpec::Group& group : spec.groups) {
    str(group.name).raw(length_id(group.last_id));
    if (layout >= 2) len(group.entries_read);
    len(group.pending.size());
    for (const StreamSpec::Pending& pending : group.pending)
      raw(raw_id(pending.id)).raw(le(pending.delivery_time_ms)).len(pending.delivery_count);
    len(group.consumers.size());
    for (const StreamSpec::Consumer& consumer : group.consumers) {
      str(consumer.name).raw(le(consumer.seen_time_ms));
      if (layout >= 3) raw(le(consumer.active_time_ms));
      len(consumer.owns.size());
      for (const StreamId id : consumer.owns) raw(raw_id(id));
    }
    if (layout < 5) continue;
    len(group.nacked.size());
    for (const StreamId id : group.nacked) raw(raw_id(id));
  }
  return *this;
}

RdbBuilder& RdbBuilder::idempotency(const StreamSpec& spec) {
  len(spec.idmp_duration_s).len(spec.idmp_max_entries).len(spec.producers.size());
  uint64_t added = 0;
  for (const StreamSpec::Producer& producer : spec.producers) {
    str(producer.id).len(producer.iids.size());
    for (const StreamSpec::Iid& iid : producer.iids) str(iid.iid).raw(length_id(iid.id));
    added += producer.iids.size();
  }
  return len(added).len(0);
}

// ------------------------------------------------------------------------------------------------ others

RdbBuilder& RdbBuilder::array(Bytes k, uint64_t count, std::optional<uint64_t> insert_index, Bytes elements) {
  key(kArray, k).len(count).len(insert_index ? 1 : 0);
  if (insert_index) len(*insert_index);
  return raw(elements);
}

RdbBuilder& RdbBuilder::module(Bytes k, uint64_t id, Bytes annotated) {
  return key(kModule, k).raw(long_length(id)).raw(annotated);
}

RdbBuilder& RdbBuilder::key(uint8_t type, Bytes key) { return raw(le(type)).str(key); }

RdbBuilder& RdbBuilder::blob(uint8_t type, Bytes k, Bytes bytes) { return key(type, k).str(bytes); }

RdbBuilder& RdbBuilder::str(Bytes text) {
  constexpr size_t kCompressedFrom = 5;
  return raw(compressed_ && text.size() >= kCompressedFrom ? lzf_string(text) : plain_string(text));
}

RdbBuilder& RdbBuilder::len(uint64_t value) { return raw(length(value)); }

std::string RdbBuilder::eof() const {
  const std::string file = bytes_ + "\xff";
  return version_ < kChecksumSince ? file : file + le(crc64(0, file));
}

std::string RdbBuilder::eof(uint64_t checksum) const { return bytes_ + "\xff" + le(checksum); }

std::string RdbBuilder::dump_payload(uint16_t version) const {
  const std::string body = bytes_ + le(version);
  return body + le(crc64(0, body));
}

}  // namespace persist::test
