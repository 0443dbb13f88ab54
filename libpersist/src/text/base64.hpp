// Base64 back to bytes. RFC 4648, section 4: the alphabet with + and /, padded.
#pragma once

#include <optional>

#include "persist/bytes.hpp"

namespace persist {

// Room for the bytes of a text of that size.
[[nodiscard]] inline size_t base64_room(size_t size) { return size / 4 * 3; }

// Writes the bytes to `room` and returns their number. Nothing is lenient: every text that is taken is the
// one that its bytes give.
[[nodiscard]] std::optional<size_t> decode_base64(Bytes text, char* room);

}  // namespace persist
