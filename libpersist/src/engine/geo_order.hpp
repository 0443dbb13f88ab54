// The order of what a search found. Members at the same place are equally far away, and then it is a matter
// of how servers sort which of them COUNT lets through.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/geo.hpp"

namespace persist {

// Sorts nearest or farthest first; what is equally far keeps its order.
void sort_matches(std::vector<GeoMatch>& matches, GeoOrder order);

// Makes the first `count` matches what they would be after sorting, and in order. What is equally far stands
// where the partial sort of servers leaves it.
void sort_first_matches(std::vector<GeoMatch>& matches, GeoOrder order, size_t count);

}  // namespace persist
