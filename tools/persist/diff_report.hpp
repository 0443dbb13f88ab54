// The differences between two datasets, for people and for programs, on standard output.
#pragma once

#include <memory>
#include <string>

#include "persist/diff.hpp"

namespace persist::tool {

// Lines like those of diff(1): what only A has, what only B has, what has changed and in what.
std::unique_ptr<DiffSink> diff_text(bool colour);

// An object a line.
std::unique_ptr<DiffSink> diff_json();

}  // namespace persist::tool
