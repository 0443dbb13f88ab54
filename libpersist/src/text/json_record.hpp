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

// Reads such a line into `record`, or into `meta` if it is metadata of a key: then it returns false. What it
// says of bytes points into the parsed line or the arena.
[[nodiscard]] bool read_json_record(const JsonElement& line, RdbRecord& record, JsonKeyMeta& meta,
                                    Arena& arena);

// The number of a database, of which no server has more than fit into 31 bits.
[[nodiscard]] uint64_t take_db(const JsonElement& element);

}  // namespace persist
