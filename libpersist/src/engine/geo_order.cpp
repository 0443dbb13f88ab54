// What is at the same distance keeps, or loses, its order exactly as it does on a server.
#include "engine/geo_order.hpp"

#include <algorithm>

#include "engine/partial_sort.hpp"

namespace persist {

namespace {

struct Nearer {
  double sign;
  bool operator()(const GeoMatch& a, const GeoMatch& b) const {
    return sign * a.distance < sign * b.distance;
  }
};

Nearer nearer(GeoOrder order) { return {order == GeoOrder::farthest_first ? -1.0 : 1.0}; }

}  // namespace

void sort_matches(std::vector<GeoMatch>& matches, GeoOrder order) {
  std::stable_sort(matches.begin(), matches.end(), nearer(order));
}

void sort_first_matches(std::vector<GeoMatch>& matches, GeoOrder order, size_t count) {
  if (count > 0) PartialSort<GeoMatch, Nearer>(matches, nearer(order)).sort(0, count);
}

}  // namespace persist
