// Commands as they were written, for people who compare them.
#pragma once

#include <string>
#include <vector>

#include "persist/bytes.hpp"
#include "persist/target.hpp"

namespace persist::test {

// What was written, framed as the strict reader wants it, every byte of it: command by command, word by word.
std::vector<std::vector<std::string>> commands_in(Bytes log);

// "SET k v | DEL k"
std::string one_line(Bytes log);

// There has to be one of that name.
const Target& target_named(Bytes name);

}  // namespace persist::test
