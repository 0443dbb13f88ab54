// Handlers in the table of the keys that have files of their own.
#pragma once

#include "engine/commands/call.hpp"

namespace persist {

// expiry.cpp
Effect run_expire(Call& call);
Effect run_pexpire(Call& call);
Effect run_expireat(Call& call);
Effect run_pexpireat(Call& call);
Effect run_persist(Call& call);
Effect run_ttl(Call& call);
Effect run_pttl(Call& call);
Effect run_expiretime(Call& call);
Effect run_pexpiretime(Call& call);

// restore.cpp
Effect run_restore(Call& call);

}  // namespace persist
