// Vector sets as commands, which servers themselves do not write.
#pragma once

#include "aof/command_writer.hpp"
#include "engine/vector_set.hpp"

namespace persist {

// One VADD for each element. The elements come out with the same quantised vectors as far as these come of a
// command at all, and as long as they were but for rounding; of those kept as floats about one in ten
// thousand differs in last bits. What quantising took from them is gone. Where vectors were reduced, it is
// the reduced ones that are added.
void write_vector_set_commands(CommandWriter& out, Bytes key, const VectorSet& set);

}  // namespace persist
