// What a command tells of the server that logged it: which release it is at least.
#pragma once

#include <span>

#include "aof/commands.hpp"
#include "engine/profile.hpp"

namespace persist {

// The first Redis, major * 100 + minor, that knows the command with these options; 0 if no Redis does.
[[nodiscard]] unsigned implied_version(const CommandSpec& spec, std::span<const Bytes> args);

// Makes the profile that of a later release if the command asks for one.
inline void raise_to(Profile& profile, const CommandSpec& spec, std::span<const Bytes> args) {
  const unsigned implied = implied_version(spec, args);
  if (profile.family == Dialect::redis && implied > profile.version) profile.version = implied;
}

}  // namespace persist
