// What of one list has to go, and what of another to come into it, until they are the same.
#pragma once

#include <span>
#include <vector>

#include "persist/bytes.hpp"

namespace persist {

struct ListChanges {
  std::vector<bool> gone;  // of each item of A
  std::vector<bool> come;  // of each item of B
};

// What neither goes nor comes is the same in the same order on both sides, and as much of it as can be found
// in time that grows with the lists: as much as there is at all if they are short or differ little.
[[nodiscard]] ListChanges find_list_changes(std::span<const Bytes> a, std::span<const Bytes> b);

}  // namespace persist
