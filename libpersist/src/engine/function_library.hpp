// The code of a function library names itself in its first line: `#!lua name=mylib`.
#pragma once

#include "persist/bytes.hpp"

namespace persist {

// Empty if the code does not begin with such a line.
[[nodiscard]] Bytes function_library_name(Bytes code);

}  // namespace persist
