// The code of a function library as released servers store it.
#pragma once

#include <string>

#include "persist/rdb_reader.hpp"

namespace persist {

// Release candidates of 7.0 kept name and engine apart from the code, which now begins with a line of them.
[[nodiscard]] std::string function_code(const FunctionLibrary& library);

}  // namespace persist
