// Places on the Earth as scores of sorted sets, and the search among them.
//
// A score is a cell of 26 bits per axis, the bits interleaved. Angles are degrees, distances metres unless
// said otherwise. Arithmetic is that of servers, operation by operation: the results go into sorted sets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "persist/bytes.hpp"
#include "persist/function_ref.hpp"

namespace persist {

struct GeoPoint {
  double longitude = 0;
  double latitude = 0;
};

// Longitudes of +-180, latitudes of +-85.05112878.
[[nodiscard]] bool is_geo_point(GeoPoint point);

// The point must be one.
[[nodiscard]] double geo_score(GeoPoint point);
// The middle of the cell. Scores that no point has are fine; they give some point.
[[nodiscard]] GeoPoint geo_point(double score);
// The eleven characters of GEOHASH.
[[nodiscard]] std::string geohash_text(double score);

// What changed between servers, down to the last bit of a distance and to which of several members at the
// same place counts as nearer. Each holds from that version on.
enum class GeoRules {
  redis_302,
  redis_400,  // no cell of the coarsest grid is left out
  redis_602,  // boxes; only what COUNT asks for is sorted, which keeps no order among equals; a better cover
  redis_700   // 7.0.6, to be exact: distances along a meridian are the difference of the latitudes
};

[[nodiscard]] double geo_distance_m(GeoPoint from, GeoPoint to, GeoRules rules);

// Metres per unit: m, km, ft, mi, in any case of letters.
[[nodiscard]] std::optional<double> parse_geo_unit(Bytes text);

enum class GeoOrder { as_found, nearest_first, farthest_first };

// A circle of `radius`, or, if `is_box`, a box of `width` and `height`, around `center`, which must be a
// point. Sizes are in units and not negative.
struct GeoArea {
  GeoPoint center;
  double unit_m = 1;
  bool is_box = false;
  double radius = 0;
  double width = 0;
  double height = 0;
};

struct GeoSearch {
  GeoArea area;
  GeoOrder order = GeoOrder::as_found;
  uint64_t count_max = 0;  // 0: all
  bool any = false;        // with count_max: the first ones found will do
  GeoRules rules = GeoRules::redis_700;
};

struct GeoMatch {
  std::string member;
  double score = 0;
  double distance = 0;  // in units
};

// Gets one member after the other; false: that was enough.
using GeoVisitor = FunctionRef<bool(Bytes member, double score)>;
// Shows the members with min <= score < max in the order of the sorted set.
using GeoMembers = FunctionRef<void(double min, double max, GeoVisitor visit)>;

// What GEOSEARCH, GEOSEARCHSTORE and GEORADIUS find, in their order. A count without ANY or an order means
// the nearest ones first.
[[nodiscard]] std::vector<GeoMatch> geo_search(const GeoSearch& search, GeoMembers members);

}  // namespace persist
