// The decoders and skippers of all encodings, by type. encodings.cpp puts them into the table.
//
// A decoder begins behind the key, tells the value's elements in the order of the file, and ends behind the
// value; it throws FormatError at the first thing that cannot be so. A skipper does the same by lengths
// alone. Readers add db and key to what is thrown: decoders know neither.
#pragma once

#include "io/cursor.hpp"
#include "persist/element.hpp"

namespace persist {

using DecodeValue = void (*)(Cursor& in, ElementSink out);
using SkipValue = void (*)(Cursor& in);

// string.cpp
void decode_string(Cursor& in, ElementSink out);
// The same in runs, for strings that memory should not hold as a whole. False, with nothing told, if it is
// compressed or an integer: those are told as a whole only.
bool decode_string_in_runs(Cursor& in, FunctionRef<void(Bytes)> run);
void skip_one_string(Cursor& in);  // strings, and every container that is one string

// list.cpp
void decode_list(Cursor& in, ElementSink out);
void decode_list_ziplist(Cursor& in, ElementSink out);
void decode_list_quicklist(Cursor& in, ElementSink out);
void decode_list_quicklist2(Cursor& in, ElementSink out);
void skip_strings(Cursor& in);  // a count and as many strings
void skip_quicklist2(Cursor& in);

// set.cpp
void decode_set(Cursor& in, ElementSink out);
void decode_set_intset(Cursor& in, ElementSink out);
void decode_set_listpack(Cursor& in, ElementSink out);

// zset.cpp
void decode_zset_text(Cursor& in, ElementSink out);
void decode_zset_binary(Cursor& in, ElementSink out);
void decode_zset_ziplist(Cursor& in, ElementSink out);
void decode_zset_listpack(Cursor& in, ElementSink out);
void skip_zset_text(Cursor& in);
void skip_zset_binary(Cursor& in);

// hash.cpp
void decode_hash(Cursor& in, ElementSink out);
void decode_hash_zipmap(Cursor& in, ElementSink out);
void decode_hash_ziplist(Cursor& in, ElementSink out);
void decode_hash_listpack(Cursor& in, ElementSink out);
void decode_hash_ttl_pre(Cursor& in, ElementSink out);
void decode_hash_ttl_listpack_pre(Cursor& in, ElementSink out);
void decode_hash_ttl(Cursor& in, ElementSink out);
void decode_hash_ttl_listpack(Cursor& in, ElementSink out);
void decode_hash_valkey(Cursor& in, ElementSink out);
void skip_string_pairs(Cursor& in);  // a count and as many pairs of strings
void skip_hash_ttl_pre(Cursor& in);
void skip_hash_ttl(Cursor& in);
void skip_hash_ttl_listpack(Cursor& in);
void skip_hash_valkey(Cursor& in);

// stream.cpp, one for each of the five layouts
void decode_stream_v1(Cursor& in, ElementSink out);
void decode_stream_v2(Cursor& in, ElementSink out);
void decode_stream_v3(Cursor& in, ElementSink out);
void decode_stream_v4(Cursor& in, ElementSink out);
void decode_stream_v5(Cursor& in, ElementSink out);
void skip_stream_v1(Cursor& in);
void skip_stream_v2(Cursor& in);
void skip_stream_v3(Cursor& in);
void skip_stream_v4(Cursor& in);
void skip_stream_v5(Cursor& in);

// array.cpp
void decode_array(Cursor& in, ElementSink out);
void skip_array(Cursor& in);

// module.cpp
void decode_module(Cursor& in, ElementSink out);
void skip_module(Cursor& in);
void decode_module_pre_release(Cursor& in, ElementSink out);
void skip_module_pre_release(Cursor& in);

}  // namespace persist
