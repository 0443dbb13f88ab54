// The binary as rdb-check: arguments and exit status of redis-check-rdb, which scripts look for.
// persist-check(1), RDB-CHECK
#include <fmt/core.h>

#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#include "persist/source.hpp"
#include "rdb_lines.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

int run_rdb_check(Arguments arguments) {
  const std::string_view first = arguments.size() == 2 ? arguments[1] : "";
  if (arguments.size() != 2) {
    fmt::print(stderr, "Usage: {} <rdb-file-name>\n", arguments[0]);
    return kDamaged;
  }
  if (first == "-v" || first == "--version") {
    fmt::print("rdb-check (persist {})\n", PERSIST_VERSION);
    return kDone;
  }
  std::unique_ptr<ByteSource> source;
  try {
    source = open_source(std::string(first));
    return print_rdb_check(*source, first).sound ? kDone : kDamaged;
  } catch (const std::system_error& error) {
    if (!source) fmt::print("[offset 0] Checking RDB file {}\n", printable(first));
    fmt::print(stderr, "rdb-check: {}\n", printable(error.what()));
    return kDamaged;
  }
}

}  // namespace persist::tool
