// The table of encodings. A new encoding is a row here and its functions in the file of its type.
#include "types/encodings.hpp"

namespace persist {

namespace {

using enum ValueType;

constexpr EncodingRow row(uint8_t code, ValueType type, Bytes name, Bytes label, uint16_t since,
                          DecodeValue decode, SkipValue skip) {
  return {{code, type, name, label, true, true, since}, decode, skip};
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
    row(0, string, "string", "string", 1, decode_string, skip_one_string),
    row(1, list, "list", "list", 1, decode_list, skip_strings),
    row(2, set, "set", "set", 1, decode_set, skip_strings),
    row(3, zset, "zset", "zset", 1, decode_zset_text, skip_zset_text),
    row(4, hash, "hash", "hash", 1, decode_hash, skip_string_pairs),
    row(5, zset, "zset2", "zset2", 8, decode_zset_binary, skip_zset_binary),
    row(6, module, "module", "module", 8, decode_module_pre_release, skip_module_pre_release),
    row(7, module, "module2", "module2", 8, decode_module, skip_module),
    row(9, hash, "zipmap", "hash-zipmap", 2, decode_hash_zipmap, skip_one_string),
    row(10, list, "ziplist", "list-ziplist", 2, decode_list_ziplist, skip_one_string),
    row(11, set, "intset", "set-intset", 2, decode_set_intset, skip_one_string),
    row(12, zset, "ziplist", "zset-ziplist", 2, decode_zset_ziplist, skip_one_string),
    row(13, hash, "ziplist", "hash-ziplist", 4, decode_hash_ziplist, skip_one_string),
    row(14, list, "quicklist", "list-quicklist", 7, decode_list_quicklist, skip_strings),
    row(15, stream, "stream1", "stream1", 9, decode_stream_v1, skip_stream_v1),
    row(16, hash, "listpack", "hash-listpack", 10, decode_hash_listpack, skip_one_string),
    row(17, zset, "listpack", "zset-listpack", 10, decode_zset_listpack, skip_one_string),
    row(18, list, "quicklist2", "list-quicklist2", 10, decode_list_quicklist2, skip_quicklist2),
    row(19, stream, "stream2", "stream2", 10, decode_stream_v2, skip_stream_v2),
    row(20, set, "listpack", "set-listpack", 11, decode_set_listpack, skip_one_string),
    row(21, stream, "stream3", "stream3", 11, decode_stream_v3, skip_stream_v3),
    redis_only(row(22, hash, "ttl-pre", "hash-ttl-pre", 12, decode_hash_ttl_pre, skip_hash_ttl_pre)),
    valkey_only(row(22, hash, "ttl", "hash-ttl-valkey", 80, decode_hash_valkey, skip_hash_valkey)),
    redis_only(row(23, hash, "listpack-ttl-pre", "hash-listpack-ttl-pre", 12, decode_hash_ttl_listpack_pre,
                   skip_one_string)),
    redis_only(row(24, hash, "ttl", "hash-ttl", 12, decode_hash_ttl, skip_hash_ttl)),
    redis_only(row(25, hash, "listpack-ttl", "hash-listpack-ttl", 12, decode_hash_ttl_listpack,
                   skip_hash_ttl_listpack)),
    redis_only(row(26, stream, "stream4", "stream4", 13, decode_stream_v4, skip_stream_v4)),
    redis_only(row(27, stream, "stream5", "stream5", 14, decode_stream_v5, skip_stream_v5)),
    redis_only(row(28, array, "array", "array", 14, decode_array, skip_array)),
};

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

const char* unestablished_type(Dialect dialect, uint8_t code) {
  for (const Unestablished& row : kUnestablished) {
    if (row.dialect == dialect && row.code == code) return row.what;
  }
  return nullptr;
}

}  // namespace persist
