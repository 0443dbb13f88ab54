// The lines of `dump --meta` that are no keys: each has a member "record" that says what it is.
#pragma once

#include <optional>

#include "persist/rdb_reader.hpp"
#include "text/json_member.hpp"

namespace persist {

// What modules keep of the key whose line follows.
struct JsonKeyMeta {
  uint64_t db = 0;
  Bytes key;
  Bytes payload;
};

// What such a line is: a record; or it says something of the line behind it, metadata of its key or a mere
// remark.
enum class JsonRecord : uint8_t { record, key_meta, remark };

// Reads such a line into `record` or `meta`. What it says of bytes points into the parsed line or the arena.
[[nodiscard]] JsonRecord read_json_record(const JsonElement& line, RdbRecord& record, JsonKeyMeta& meta,
                                          Arena& arena);

// The number of a database, of which no server has more than fit into 31 bits.
[[nodiscard]] uint64_t take_db(const JsonElement& element);

}  // namespace persist
