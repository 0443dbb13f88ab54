// Makes a list of commands that shows a difference as short as it goes.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace persist::test {

using LogCommands = std::vector<std::vector<std::string>>;

// What is left of the commands when no part of them can be left out without `fails` saying no. `fails` must
// say yes to the whole list, and is asked at most `trials_max` times: then what has been reached is told.
[[nodiscard]] LogCommands shrink(LogCommands commands, const std::function<bool(const LogCommands&)>& fails,
                                 size_t trials_max);

}  // namespace persist::test
