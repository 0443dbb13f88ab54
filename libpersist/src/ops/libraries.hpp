// The function libraries of a file: each must name itself, and no two alike.
#pragma once

#include <set>
#include <string>

#include "persist/finding.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

class Libraries {
 public:
  void check(Extent where, const FunctionLibrary& library, const std::string& file, FindingSink& findings);

 private:
  std::set<std::string, std::less<>> names_;
};

// Whether it may be the text of one: control bytes are none.
[[nodiscard]] bool is_library_text(Bytes code);

// The name in a shebang line such as "#!lua name=mylib"; empty if there is none.
[[nodiscard]] Bytes library_name(Bytes code);

}  // namespace persist
