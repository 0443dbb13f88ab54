// Encodings that say no more than the type, for values that come out of no RDB file: how they will be laid
// out is up to whoever writes them.
#pragma once

#include "persist/encoding.hpp"

namespace persist {

// Without a name. Lives as long as the program.
const Encoding& plain_encoding(ValueType type);

}  // namespace persist
