// Hashes. man/persist-rdb.5, HASH ENCODINGS
//
//   hash           LEN n, n x (STR field, STR value)
//   zipmap         STR zipmap
//   ziplist        STR ziplist: field, value, field, value...
//   listpack       STR listpack, likewise
// With a TTL per field, in absolute milliseconds:
//   ttl-pre        LEN n, n x (LEN expiry, STR field, STR value); 0 is none         Redis 7.4 before release
//   listpack-pre   STR listpack of field, value, expiry; 0 is none                  Redis 7.4 before release
//   ttl            i64le smallest, LEN n, n x (LEN ttl, STR field, STR value); 0 is none, else
//                  smallest + ttl - 1
//   listpack-ttl   i64le smallest (may be stale), STR listpack of field, value, expiry, ascending, those
//                  with 0, which is none, last
//   ttl-valkey     LEN n, n x (STR field, STR value, i64le expiry); -1 is none                  Valkey 9
#include <array>

#include "codec/listpack.hpp"
#include "codec/ziplist.hpp"
#include "codec/zipmap.hpp"
#include "codec/zipmap_writer.hpp"
#include "types/containers.hpp"
#include "types/element_scope.hpp"
#include "types/encode.hpp"
#include "types/packing.hpp"
#include "types/primitives.hpp"
#include "types/types.hpp"

namespace persist {

namespace {

constexpr uint64_t kPairBytesMin = 2;
constexpr uint64_t kTripleBytesMin = 3;
constexpr uint64_t kValkeyFieldBytesMin = 10;
constexpr uint64_t kFieldExpiryMax = (uint64_t{1} << 48) - 1;  // what Redis stores and accepts

const std::string kFieldExpiryRange = "0 to 2^48 - 1";

template <typename Reader>
void tell_pairs(Reader reader, ElementSink out) {
  ItemText field;
  ItemText value;
  for_each_tuple<2>(reader, "hash", [&](const std::array<PackedItem, 2>& items) {
    out(HashField{items[0].as_text(field), items[1].as_text(value)});
  });
}

void check_expiry(const Cursor& in, uint64_t at, uint64_t expiry) {
  if (expiry > kFieldExpiryMax) {
    in.fail(FindingCode::hash_expiry, {at, in.offset() - at}, "field expiry", kFieldExpiryRange,
            std::to_string(expiry));
  }
}

// Triples of field, value, expiry: ascending by expiry, those without one last.
void tell_triples(ListpackReader reader, ElementSink out) {
  ItemText field;
  ItemText value;
  int64_t before = 0;
  bool none_seen = false;
  for_each_tuple<3>(reader, "hash with field TTLs", [&](const std::array<PackedItem, 3>& items) {
    const int64_t expiry = items[2].number;
    if (!items[2].is_number || expiry < 0 || static_cast<uint64_t>(expiry) > kFieldExpiryMax) {
      reader.blob().fail(FindingCode::hash_expiry, items[2].at, 0, "field expiry", kFieldExpiryRange,
                         items[2].is_number ? std::to_string(expiry) : "a string");
    }
    if (expiry != 0 && (none_seen || expiry < before)) {
      reader.blob().fail(
          FindingCode::hash_expiry_order, items[2].at, 0, "field expiry",
          none_seen ? "no field with an expiry behind those without" : "at least " + std::to_string(before),
          std::to_string(expiry));
    }
    none_seen = expiry == 0;
    before = expiry;
    out(HashField{items[0].as_text(field), items[1].as_text(value), expiry == 0 ? kNoExpiry : expiry});
  });
}

template <typename Writer>
void put_pairs(Writer& writer, const Value& value) {
  for (const HashField& field : value.fields) {
    writer.add(field.field);
    writer.add(field.value);
  }
}

// As Redis stores it: 0 is none. A field of Valkey's that expires at 0 expires at 1, which is as long ago.
int64_t expiry_or_zero(const HashField& field) {
  return field.expire_at_ms == kNoExpiry ? 0 : std::max<int64_t>(field.expire_at_ms, 1);
}

// By expiry, those without one last: as an unsigned number, none is the largest.
bool expires_before(const HashField& a, const HashField& b) {
  return static_cast<uint64_t>(a.expire_at_ms) < static_cast<uint64_t>(b.expire_at_ms);
}

}  // namespace

void decode_hash(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  for (uint64_t left = in.count("hash field count", kPairBytesMin); left > 0; --left) {
    const Bytes field = read_string(in, "hash field");
    out(HashField{field, read_payload(in, "hash value")});
    scope.next();
  }
}

void decode_hash_zipmap(Cursor& in, ElementSink out) {
  ZipmapReader reader(read_blob(in, "zipmap"));
  HashField pair{};
  while (reader.next(pair.field, pair.value)) out(pair);
}

void decode_hash_ziplist(Cursor& in, ElementSink out) {
  tell_pairs(ZiplistReader(read_blob(in, "hash ziplist")), out);
}

void decode_hash_listpack(Cursor& in, ElementSink out) {
  tell_pairs(ListpackReader(read_blob(in, "hash listpack")), out);
}

void decode_hash_ttl_pre(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  for (uint64_t left = in.count("hash field count", kTripleBytesMin); left > 0; --left) {
    const uint64_t at = in.offset();
    const uint64_t expiry = in.length("field expiry");
    check_expiry(in, at, expiry);
    const Bytes field = read_string(in, "hash field");
    const Bytes value = read_payload(in, "hash value");
    out(HashField{field, value, expiry == 0 ? kNoExpiry : static_cast<int64_t>(expiry)});
    scope.next();
  }
}

void decode_hash_ttl_listpack_pre(Cursor& in, ElementSink out) {
  tell_triples(ListpackReader(read_blob(in, "hash listpack")), out);
}

void decode_hash_ttl(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  const uint64_t smallest_at = in.offset();
  const auto smallest = in.le<uint64_t>("smallest field expiry");
  check_expiry(in, smallest_at, smallest);
  for (uint64_t left = in.count("hash field count", kTripleBytesMin); left > 0; --left) {
    const uint64_t at = in.offset();
    const uint64_t ttl = in.length("field TTL");
    check_expiry(in, at, ttl);
    const uint64_t expiry = ttl == 0 ? 0 : smallest + ttl - 1;
    check_expiry(in, at, expiry);
    const Bytes field = read_string(in, "hash field");
    const Bytes value = read_payload(in, "hash value");
    out(HashField{field, value, ttl == 0 ? kNoExpiry : static_cast<int64_t>(expiry)});
    scope.next();
  }
}

void decode_hash_ttl_listpack(Cursor& in, ElementSink out) {
  in.skip(sizeof(int64_t), "smallest field expiry");
  tell_triples(ListpackReader(read_blob(in, "hash listpack")), out);
}

void decode_hash_valkey(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  for (uint64_t left = in.count("hash field count", kValkeyFieldBytesMin); left > 0; --left) {
    const Bytes field = read_string(in, "hash field");
    const Bytes value = read_payload(in, "hash value");
    const auto expiry = in.le<int64_t>("field expiry");
    if (expiry < kNoExpiry) {
      in.fail(FindingCode::hash_expiry, {in.offset() - sizeof expiry, sizeof expiry}, "field expiry",
              "-1 or more", std::to_string(expiry));
    }
    out(HashField{field, value, expiry});
    scope.next();
  }
}

void skip_string_pairs(Cursor& in) {
  for (uint64_t left = in.count("hash field count", kPairBytesMin); left > 0; --left) {
    skip_string(in, "hash field");
    skip_string(in, "hash value");
  }
}

void skip_hash_ttl_pre(Cursor& in) {
  for (uint64_t left = in.count("hash field count", kTripleBytesMin); left > 0; --left) {
    in.length("field TTL");
    skip_string(in, "hash field");
    skip_string(in, "hash value");
  }
}

void skip_hash_ttl(Cursor& in) {
  in.skip(sizeof(int64_t), "smallest field expiry");
  skip_hash_ttl_pre(in);
}

void skip_hash_ttl_listpack(Cursor& in) {
  in.skip(sizeof(int64_t), "smallest field expiry");
  skip_string(in, "hash listpack");
}

void skip_hash_valkey(Cursor& in) {
  for (uint64_t left = in.count("hash field count", kValkeyFieldBytesMin); left > 0; --left) {
    skip_string(in, "hash field");
    skip_string(in, "hash value");
    in.skip(sizeof(int64_t), "field expiry");
  }
}

void encode_hash(Encoder& out, const Value& value) {
  out.length(value.fields.size());
  for (const HashField& field : value.fields) {
    out.string(field.field);
    out.string(field.value);
  }
}

void encode_hash_zipmap(Encoder& out, const Value& value) {
  ByteBuffer& container = out.container();
  ZipmapWriter writer(container);
  for (const HashField& field : value.fields) writer.add(field.field, field.value);
  writer.finish();
  out.blob(container.bytes());
}

void encode_hash_ziplist(Encoder& out, const Value& value) {
  put_ziplist(out, [&value](ZiplistWriter& writer) { put_pairs(writer, value); });
}

void encode_hash_listpack(Encoder& out, const Value& value) {
  put_listpack(out, [&value](ListpackWriter& writer) { put_pairs(writer, value); });
}

void encode_hash_ttl(Encoder& out, const Value& value) {
  const int64_t smallest = expiry_or_zero(*std::ranges::min_element(value.fields, expires_before));
  out.le(smallest);
  out.length(value.fields.size());
  for (const HashField& field : value.fields) {
    const int64_t expiry = expiry_or_zero(field);
    out.length(expiry == 0 ? 0 : static_cast<uint64_t>(expiry - smallest) + 1);
    out.string(field.field);
    out.string(field.value);
  }
}

void encode_hash_ttl_listpack(Encoder& out, const Value& value) {
  const auto fields = in_order(out, value.fields, expires_before);
  out.le(expiry_or_zero(fields.front()));
  put_listpack(out, [&fields](ListpackWriter& writer) {
    for (const HashField& field : fields) {
      writer.add(field.field);
      writer.add(field.value);
      writer.add_integer(expiry_or_zero(field));
    }
  });
}

void encode_hash_valkey(Encoder& out, const Value& value) {
  out.length(value.fields.size());
  for (const HashField& field : value.fields) {
    out.string(field.field);
    out.string(field.value);
    out.le(field.expire_at_ms);
  }
}

bool fits_hash_plain(const Value& value, const WriteRules& /*rules*/) { return !value.has_field_ttl(); }

bool fits_hash_packed(const Value& value, const WriteRules& rules) {
  return is_small(value, rules.limits.hash_entries, rules.limits.hash_value, 2) && !value.has_field_ttl();
}

bool fits_hash_ttl(const Value& value, const WriteRules& /*rules*/) { return value.has_field_ttl(); }

bool fits_hash_ttl_packed(const Value& value, const WriteRules& rules) {
  return is_small(value, rules.limits.hash_entries, rules.limits.hash_value, 3) && value.has_field_ttl();
}

}  // namespace persist
