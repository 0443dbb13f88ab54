// The table of encodings. A new encoding is a row here and its functions in the file of its type.
#include "types/encodings.hpp"

#include "persist/target.hpp"

namespace persist {

namespace {

using enum ValueType;

constexpr EncodingRow row(uint8_t code, ValueType type, Bytes name, Bytes label, uint16_t since,
                          DecodeValue decode, SkipValue skip, EncodeValue encode, FitsValue fits = nullptr) {
  return {{code, type, name, label, true, true, since}, decode, skip, encode, fits};
}

constexpr EncodingRow redis_only(EncodingRow encoding) {
  encoding.in_valkey = false;
  return encoding;
}

constexpr EncodingRow valkey_only(EncodingRow encoding) {
  encoding.in_redis = false;
  return encoding;
}

constexpr std::array kRows = {
    row(0, string, "string", "string", 1, decode_string, skip_one_string, encode_string),
    row(1, list, "list", "list", 1, decode_list, skip_strings, encode_list),
    row(2, set, "set", "set", 1, decode_set, skip_strings, encode_set),
    row(3, zset, "zset", "zset", 1, decode_zset_text, skip_zset_text, encode_zset_text),
    row(4, hash, "hash", "hash", 1, decode_hash, skip_string_pairs, encode_hash, fits_hash_plain),
    row(5, zset, "zset2", "zset2", 8, decode_zset_binary, skip_zset_binary, encode_zset_binary),
    row(6, module, "module", "module", 8, decode_module_pre_release, skip_module_pre_release, nullptr),
    row(7, module, "module2", "module2", 8, decode_module, skip_module, encode_module),
    row(9, hash, "zipmap", "hash-zipmap", 2, decode_hash_zipmap, skip_one_string, encode_hash_zipmap,
        fits_hash_packed),
    row(10, list, "ziplist", "list-ziplist", 2, decode_list_ziplist, skip_one_string, encode_list_ziplist,
        fits_list_ziplist),
    row(11, set, "intset", "set-intset", 2, decode_set_intset, skip_one_string, encode_set_intset,
        fits_set_intset),
    row(12, zset, "ziplist", "zset-ziplist", 2, decode_zset_ziplist, skip_one_string, encode_zset_ziplist,
        fits_zset_packed),
    row(13, hash, "ziplist", "hash-ziplist", 4, decode_hash_ziplist, skip_one_string, encode_hash_ziplist,
        fits_hash_packed),
    row(14, list, "quicklist", "list-quicklist", 7, decode_list_quicklist, skip_strings,
        encode_list_quicklist),
    row(15, stream, "stream1", "stream1", 9, decode_stream_v1, skip_stream_v1, encode_stream_v1),
    row(16, hash, "listpack", "hash-listpack", 10, decode_hash_listpack, skip_one_string,
        encode_hash_listpack, fits_hash_packed),
    row(17, zset, "listpack", "zset-listpack", 10, decode_zset_listpack, skip_one_string,
        encode_zset_listpack, fits_zset_packed),
    row(18, list, "quicklist2", "list-quicklist2", 10, decode_list_quicklist2, skip_quicklist2,
        encode_list_quicklist2),
    row(19, stream, "stream2", "stream2", 10, decode_stream_v2, skip_stream_v2, encode_stream_v2),
    row(20, set, "listpack", "set-listpack", 11, decode_set_listpack, skip_one_string, encode_set_listpack,
        fits_set_listpack),
    row(21, stream, "stream3", "stream3", 11, decode_stream_v3, skip_stream_v3, encode_stream_v3),
    redis_only(row(22, hash, "ttl-pre", "hash-ttl-pre", 12, decode_hash_ttl_pre, skip_hash_ttl_pre, nullptr)),
    valkey_only(row(22, hash, "ttl", "hash-ttl-valkey", 80, decode_hash_valkey, skip_hash_valkey,
                    encode_hash_valkey, fits_hash_ttl)),
    redis_only(row(23, hash, "listpack-ttl-pre", "hash-listpack-ttl-pre", 12, decode_hash_ttl_listpack_pre,
                   skip_one_string, nullptr)),
    redis_only(
        row(24, hash, "ttl", "hash-ttl", 12, decode_hash_ttl, skip_hash_ttl, encode_hash_ttl, fits_hash_ttl)),
    redis_only(row(25, hash, "listpack-ttl", "hash-listpack-ttl", 12, decode_hash_ttl_listpack,
                   skip_hash_ttl_listpack, encode_hash_ttl_listpack, fits_hash_ttl_packed)),
    redis_only(row(26, stream, "stream4", "stream4", 13, decode_stream_v4, skip_stream_v4, encode_stream_v4)),
    redis_only(row(27, stream, "stream5", "stream5", 14, decode_stream_v5, skip_stream_v5, encode_stream_v5)),
    redis_only(row(28, array, "array", "array", 14, decode_array, skip_array, encode_array)),
};

// The layouts of a type, the one that a server would rather write first: the newest that it knows, and a
// packed one before the plain one. What belongs to one family only comes up under its magic only.
constexpr uint8_t kPreferred[][9] = {
    {0},                         // string
    {18, 14, 10, 1},             // list
    {11, 20, 2},                 // set
    {17, 12, 5, 3},              // zset
    {16, 13, 9, 25, 24, 22, 4},  // hash
    {27, 26, 21, 19, 15},        // stream
    {28},                        // array
    {7},                         // module
};
// Ends each list, and is no type code.
constexpr uint8_t kNoMore = 0;

struct Unestablished {
  Dialect dialect;
  uint8_t code;
  const char* what;
};
constexpr Unestablished kUnestablished[] = {
    {Dialect::redis, 29, "a templated hash of Redis 8.10"},
    {Dialect::redis, 30, "a templated hash of Redis 8.10"},
    {Dialect::redis, 31, "a templated hash of Redis 8.10"},
    {Dialect::redis, 32, "a templated hash of Redis 8.10"},
    {Dialect::redis, 33, "a GCRA limiter"},
    {Dialect::valkey, 23, "a path hash of a Valkey after 9.1"},
};

constexpr std::array<Bytes, 8> kTypeNames = {"string", "list",   "set",   "zset",
                                             "hash",   "stream", "array", "module"};
constexpr std::array<Bytes, 2> kDialectNames = {"redis", "valkey"};

constexpr EncodingsByCode rows_of(Dialect dialect) {
  EncodingsByCode rows{};
  for (const EncodingRow& row : kRows) {
    if (dialect == Dialect::redis ? row.in_redis : row.in_valkey) rows[row.code] = &row;
  }
  return rows;
}
constexpr std::array<EncodingsByCode, 2> kByCode = {rows_of(Dialect::redis), rows_of(Dialect::valkey)};

constexpr auto kPointers = [] {
  std::array<const Encoding*, kRows.size()> pointers{};
  for (size_t i = 0; i < kRows.size(); ++i) pointers[i] = &kRows[i];
  return pointers;
}();

}  // namespace

Bytes dialect_name(Dialect dialect) { return kDialectNames[static_cast<size_t>(dialect)]; }

Bytes value_type_name(ValueType type) { return kTypeNames[static_cast<size_t>(type)]; }

std::span<const Encoding* const> encodings() { return kPointers; }

const Encoding* find_encoding(Dialect dialect, uint8_t code) {
  return kByCode[static_cast<size_t>(dialect)][code];
}

const EncodingsByCode& encodings_by_code(Dialect dialect) { return kByCode[static_cast<size_t>(dialect)]; }

const EncodingRow* choose_encoding(const Value& value, const WriteRules& rules) {
  const Dialect dialect = rules.target->header().dialect;
  for (size_t i = 0; const uint8_t code : kPreferred[static_cast<size_t>(value.type)]) {
    if (i++ > 0 && code == kNoMore) break;
    const Encoding* encoding = find_encoding(dialect, code);
    if (encoding == nullptr || !accepts_type(*rules.target, dialect, code)) continue;
    const EncodingRow& row = row_of(*encoding);
    if (row.encode != nullptr && (row.fits == nullptr || row.fits(value, rules))) return &row;
  }
  return nullptr;
}

const char* unestablished_type(Dialect dialect, uint8_t code) {
  for (const Unestablished& row : kUnestablished) {
    if (row.dialect == dialect && row.code == code) return row.what;
  }
  return nullptr;
}

}  // namespace persist
