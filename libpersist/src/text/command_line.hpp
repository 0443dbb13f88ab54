// Commands as people type them: arguments as redis-cli takes them, quoted only where they must be.
#pragma once

#include "base/byte_buffer.hpp"

namespace persist {

// The argument as it is if it has nothing but printable ASCII without blanks, quotes and backslashes, and is
// not empty; else quoted.
void append_argument(ByteBuffer& out, Bytes argument);

// Between double quotes, as redis-cli prints strings: \n \r \t \a \b \" \\, and \xHH for what is not
// printable ASCII. redis-cli, and configuration and ACL files, read it back to the same bytes.
void append_quoted(ByteBuffer& out, Bytes bytes);

}  // namespace persist
