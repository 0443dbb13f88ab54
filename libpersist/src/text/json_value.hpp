// The value of a line, by its type. What it says of bytes points into the parsed line or the value's arena.
#pragma once

#include "text/json_member.hpp"
#include "text/name_table.hpp"
#include "types/value.hpp"

namespace persist {

// Adds the member "value" to a value that was begun with its type.
void read_json_value(const JsonElement& element, Value& value);
void read_json_stream(const JsonElement& element, Value& value);

// Gives fields of a hash the expiries of the member "field_expire_at_ms".
void read_json_field_expiries(const JsonElement& element, Value& value, NameTable& names);

// What a DUMP payload tells; returns its key metadata, kept in the value's arena.
Bytes read_json_dump(const JsonElement& element, Value& value);

// The payload of a module: annotated values up to their end mark and nothing behind.
Bytes take_module_payload(const JsonElement& element, const char* subject, Arena& arena);
// A name of nine characters that an id can hold, and the version of its encoding.
Bytes take_module_name(const JsonElement& element, const char* subject);
uint32_t take_module_version(const JsonElement& element, const char* subject);

// Refuses what no server would load: nothing in it, a name twice, a score that is no number, IDs out of
// order...
void require_sound(const Value& value, NameTable& names);

}  // namespace persist
