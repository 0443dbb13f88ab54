// In what two streams differ.
#pragma once

#include "ops/difference_maker.hpp"

namespace persist {

// Puts both in order first, as compare_values() says.
void compare_streams(StreamContent& a, StreamContent& b, DifferenceMaker& out);

}  // namespace persist
