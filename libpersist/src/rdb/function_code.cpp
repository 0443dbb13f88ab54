// The shebang line.
#include "rdb/function_code.hpp"

#include "base/letters.hpp"

namespace persist {

std::string function_code(const FunctionLibrary& library) {
  std::string code;
  if (library.pre_release) {
    code = "#!" + in_lower_case(library.engine) + " name=";
    code.append(library.name).append("\n");
  }
  return code.append(library.code);
}

}  // namespace persist
