// Byte strings as JSON: text where they are UTF-8, else {"$base64":"..."}. Any bytes give valid JSON and come
// back.
#pragma once

#include "base/byte_buffer.hpp"

namespace persist {

void append_json_string(ByteBuffer& out, Bytes bytes);

// As text if the bytes are UTF-8. If not, nothing is appended and false returned.
[[nodiscard]] bool append_json_text(ByteBuffer& out, Bytes bytes);

// Whether append_json_text() would take them.
[[nodiscard]] bool is_json_text(Bytes bytes);

// {"$base64":"..."} whatever the bytes.
void append_json_base64(ByteBuffer& out, Bytes bytes);

// The insides of the two: text that is known to be UTF-8, escaped; bytes as base64, which only the last run
// may end in the middle of a group of three.
void put_json_text(ByteBuffer& out, Bytes text);
void put_json_base64(ByteBuffer& out, Bytes bytes);

// The shortest number that reads back equal; infinities and NaN as strings.
void append_json_double(ByteBuffer& out, double value);

}  // namespace persist
