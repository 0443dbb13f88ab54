// Commands tell by their name; a few more by options that came later. Options of no consequence are not here.
#include "engine/implied_version.hpp"

#include <algorithm>

#include "base/letters.hpp"

namespace persist {

namespace {

// Options that came later than their command: where they can stand, counted from the name.
struct LaterOption {
  Bytes command;
  size_t first;
  size_t last;
  Bytes word;
  unsigned since;
};

constexpr size_t kAnywhere = 64;

constexpr LaterOption kLaterOptions[] = {
    {"expire", 3, 3, "nx", 700},
    {"flushall", 1, 1, "async", 400},
    {"flushall", 1, 1, "sync", 602},
    {"flushdb", 1, 1, "async", 400},
    {"flushdb", 1, 1, "sync", 602},
    {"pexpireat", 3, 3, "gt", 700},
    {"pexpireat", 3, 3, "lt", 700},
    {"pexpireat", 3, 3, "nx", 700},
    {"pexpireat", 3, 3, "xx", 700},
    {"restore", 4, kAnywhere, "absttl", 500},
    {"restore", 4, kAnywhere, "freq", 500},
    {"restore", 4, kAnywhere, "idletime", 500},
    {"restore", 4, 4, "replace", 300},
    {"set", 3, kAnywhere, "exat", 602},
    {"set", 3, kAnywhere, "get", 602},
    {"set", 3, kAnywhere, "ifdeq", 804},
    {"set", 3, kAnywhere, "ifdne", 804},
    {"set", 3, kAnywhere, "ifeq", 804},
    {"set", 3, kAnywhere, "ifne", 804},
    {"set", 3, kAnywhere, "keepttl", 600},
    {"set", 3, kAnywhere, "pxat", 602},
    {"xadd", 2, 2, "acked", 802},
    {"xadd", 2, 2, "delref", 802},
    {"xadd", 2, 2, "idmp", 806},
    {"xadd", 2, 2, "idmpauto", 806},
    {"xadd", 2, 2, "keepref", 802},
    {"xadd", 2, 2, "minid", 602},
    {"xadd", 2, 2, "nomkstream", 602},
    {"xtrim", 2, 2, "minid", 602},
    {"xtrim", 5, 5, "limit", 602},
    {"zadd", 2, 3, "gt", 602},
    {"zadd", 2, 3, "lt", 602},
};

// Where an option of these can stand, a field of an entry can stand too, unless the word behind the key says
// that options follow.
bool has_limit(const CommandSpec& spec, std::span<const Bytes> args) {
  return spec.name == "xadd" && args.size() > 5 && equals_ignoring_case(args[5], "limit") &&
         (equals_ignoring_case(args[2], "maxlen") || equals_ignoring_case(args[2], "minid"));
}

}  // namespace

unsigned implied_version(const CommandSpec& spec, std::span<const Bytes> args) {
  unsigned version = spec.since_redis;
  if (args.size() <= 3 && !spec.has(kCommandFlushes)) return version;
  const auto* row = std::ranges::lower_bound(kLaterOptions, spec.name, {}, &LaterOption::command);
  for (; row != std::end(kLaterOptions) && row->command == spec.name; ++row) {
    const LaterOption& option = *row;
    for (size_t at = option.first; at <= option.last && at < args.size(); ++at)
      if (equals_ignoring_case(args[at], option.word)) version = std::max(version, option.since);
  }
  if (has_limit(spec, args)) version = std::max(version, 602U);
  return version;
}

}  // namespace persist
