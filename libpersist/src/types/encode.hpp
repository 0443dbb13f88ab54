// The encoders of all layouts, by type. encodings.cpp puts them into the table.
//
// An encoder writes a value that is not void, and that the target can hold, in one layout, which it ends. It
// takes elements in any order where the type has none, and puts them into that of the layout. fits_...() says
// whether the servers that write the layout would take it for the value, as they are configured.
#pragma once

#include "types/encoder.hpp"
#include "types/value.hpp"

namespace persist {

using EncodeValue = void (*)(Encoder& out, const Value& value);
using FitsValue = bool (*)(const Value& value, const WriteRules& rules);

// string.cpp
void encode_string(Encoder& out, const Value& value);

// list.cpp
void encode_list(Encoder& out, const Value& value);
void encode_list_ziplist(Encoder& out, const Value& value);
void encode_list_quicklist(Encoder& out, const Value& value);
void encode_list_quicklist2(Encoder& out, const Value& value);
bool fits_list_ziplist(const Value& value, const WriteRules& rules);

// set.cpp
void encode_set(Encoder& out, const Value& value);
void encode_set_intset(Encoder& out, const Value& value);
void encode_set_listpack(Encoder& out, const Value& value);
bool fits_set_intset(const Value& value, const WriteRules& rules);
bool fits_set_listpack(const Value& value, const WriteRules& rules);

// zset.cpp
void encode_zset_text(Encoder& out, const Value& value);
void encode_zset_binary(Encoder& out, const Value& value);
void encode_zset_ziplist(Encoder& out, const Value& value);
void encode_zset_listpack(Encoder& out, const Value& value);
bool fits_zset_packed(const Value& value, const WriteRules& rules);

// hash.cpp
void encode_hash(Encoder& out, const Value& value);
void encode_hash_zipmap(Encoder& out, const Value& value);
void encode_hash_ziplist(Encoder& out, const Value& value);
void encode_hash_listpack(Encoder& out, const Value& value);
void encode_hash_ttl(Encoder& out, const Value& value);
void encode_hash_ttl_listpack(Encoder& out, const Value& value);
void encode_hash_valkey(Encoder& out, const Value& value);
bool fits_hash_plain(const Value& value, const WriteRules& rules);       // no field has an expiry
bool fits_hash_packed(const Value& value, const WriteRules& rules);      // likewise, and it is small
bool fits_hash_ttl(const Value& value, const WriteRules& rules);         // some field has one
bool fits_hash_ttl_packed(const Value& value, const WriteRules& rules);  // likewise, and it is small

// stream_encode.cpp, one for each of the five layouts
void encode_stream_v1(Encoder& out, const Value& value);
void encode_stream_v2(Encoder& out, const Value& value);
void encode_stream_v3(Encoder& out, const Value& value);
void encode_stream_v4(Encoder& out, const Value& value);
void encode_stream_v5(Encoder& out, const Value& value);

// array.cpp
void encode_array(Encoder& out, const Value& value);

// module.cpp
void encode_module(Encoder& out, const Value& value);

}  // namespace persist
