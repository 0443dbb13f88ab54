// The handlers that count with strings; their rows stand in the table of the strings.
#pragma once

#include "engine/commands/call.hpp"

namespace persist {

Effect run_incr(Call& call);
Effect run_decr(Call& call);
Effect run_incrby(Call& call);
Effect run_decrby(Call& call);
Effect run_incrbyfloat(Call& call);
Effect run_increx(Call& call);

}  // namespace persist
