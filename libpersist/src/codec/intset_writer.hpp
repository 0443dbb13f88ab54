// Writes intsets. man/persist-rdb.5, INTSET
#pragma once

#include <span>

#include "base/byte_buffer.hpp"

namespace persist {

// At least one integer, each more than the one before, and fewer than 2^32 of them.
void write_intset(ByteBuffer& out, std::span<const int64_t> ascending);

}  // namespace persist
