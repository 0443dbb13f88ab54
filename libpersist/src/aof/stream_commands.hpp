// Streams as commands. man/persist-aof.5, REWRITTEN FORM
#pragma once

#include "aof/command_writer.hpp"

namespace persist {

// The commands that make the stream anew, as the target understands them. What needs an entry that is gone
// (something pending, an iid) is left out, since no server would take it; the caller has counted it.
void write_stream_commands(CommandWriter& out, Bytes key, const StreamContent& stream);

}  // namespace persist
