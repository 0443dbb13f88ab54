// Words of the first line, up to the one that begins with `name=`.
#include "engine/function_library.hpp"

#include <algorithm>

namespace persist {

Bytes function_library_name(Bytes code) {
  constexpr Bytes kMark = "name=";
  if (!code.starts_with("#!")) return {};
  Bytes line = code.substr(0, code.find('\n'));
  for (size_t at = line.find(' '); at != Bytes::npos; at = line.find(' ')) {
    line.remove_prefix(at + 1);
    const Bytes word = line.substr(0, line.find(' '));
    if (word.starts_with(kMark)) return word.substr(kMark.size());
  }
  return {};
}

}  // namespace persist
