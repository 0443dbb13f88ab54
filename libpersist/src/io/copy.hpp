// Bytes from a source to a sink as they are.
#pragma once

#include "persist/bytes.hpp"
#include "persist/sink.hpp"
#include "persist/source.hpp"

namespace persist {

// Copies through the windows of the source: memory does not grow with the extent. Throws std::system_error if
// the source ends before the extent does: then it shrank since the extent was found.
void copy_range(ByteSource& from, Extent what, ByteSink& to);

}  // namespace persist
