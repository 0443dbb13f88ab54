// The value encodings of RDB: a type code means something only together with the dialect it is read in.
#pragma once

#include <cstdint>
#include <span>

#include "persist/api.hpp"
#include "persist/bytes.hpp"

namespace persist {

// The two families of files; they give different meanings to codes from 22 on.
enum class Dialect : uint8_t { redis, valkey };
PERSIST_API Bytes dialect_name(Dialect dialect);

enum class ValueType : uint8_t { string, list, set, zset, hash, stream, array, module };
PERSIST_API Bytes value_type_name(ValueType type);

struct Encoding {
  uint8_t code = 0;
  ValueType type{};
  Bytes name;   // the layout within its type: "listpack", "quicklist2"
  Bytes label;  // type and layout: "hash-listpack"
  bool in_redis = true;
  bool in_valkey = true;
  uint16_t since = 1;  // the first RDB version whose writers use it
};

// All of them, by code. The rows live as long as the program.
PERSIST_API std::span<const Encoding* const> encodings();

// Null if the dialect gives the code no meaning that we know.
PERSIST_API const Encoding* find_encoding(Dialect dialect, uint8_t code);

}  // namespace persist
