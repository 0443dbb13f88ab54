// Which server's rules a replay follows: that of the server which would load the log, not of the one that
// wrote it.
#pragma once

#include "persist/encoding.hpp"

namespace persist {

// What Valkey's first release, 7.2, was made from.
inline constexpr unsigned kValkeyOrigin = 702;

struct Profile {
  Dialect family = Dialect::redis;
  unsigned version = 702;  // major * 100 + minor

  // Whether the rules are those of a Redis older than that. Valkey is none: it is as old as what it was made
  // from.
  [[nodiscard]] bool is_before(unsigned redis_version) const {
    return (family == Dialect::redis ? version : kValkeyOrigin) < redis_version;
  }
  [[nodiscard]] bool is_valkey(unsigned since) const { return family == Dialect::valkey && version >= since; }
  // Redis itself, from that version on.
  [[nodiscard]] bool is_redis(unsigned since) const { return family == Dialect::redis && version >= since; }
};

}  // namespace persist
