// How a search goes: from its size follows how fine a grid has cells just large enough that the cell of the
// centre and its eight neighbours cover it. Each cell is one range of scores. Members that they show are then
// measured. Which cells there are, and in which order, decides what COUNT n ANY finds, and where old servers
// overlooked a member, so both are those of servers.
#include "engine/geo.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/letters.hpp"
#include "engine/geo_order.hpp"

namespace persist {

namespace {

// Metres.
constexpr double kEarthRadius = 6372797.560856;
constexpr double kMercatorMax = 20037726.37;
constexpr double kRadian = std::numbers::pi / 180;  // per degree

constexpr uint32_t kStepMax = 26;  // bits per axis
constexpr uint32_t kScoreBits = 2 * kStepMax;
constexpr GeoPoint kLimit = {180, 85.05112878};

double radians(double degrees) { return degrees * kRadian; }
double degrees(double radians) { return radians / kRadian; }

// --- Cells ------------------------------------------------------------------------------------------------

// One of 2^step by 2^step cells. Column 2^step exists too: it holds longitude 180 and nothing else.
struct Cell {
  uint32_t step = 0;
  uint32_t column = 0;  // eastwards
  uint32_t row = 0;     // northwards
};

struct Bounds {
  double west = 0;
  double south = 0;
  double east = 0;
  double north = 0;
};

Cell cell_of(GeoPoint point, uint32_t step, GeoPoint limit) {
  const auto cells = static_cast<double>(uint64_t{1} << step);
  const auto place = [&](double at, double most) {
    return static_cast<uint32_t>((at + most) / (most + most) * cells);
  };
  return {step, place(point.longitude, limit.longitude), place(point.latitude, limit.latitude)};
}

Bounds bounds_of(Cell cell) {
  const auto cells = static_cast<double>(uint64_t{1} << cell.step);
  const auto edge = [&](uint32_t place, double most) { return -most + (place / cells) * (most + most); };
  return {edge(cell.column, kLimit.longitude), edge(cell.row, kLimit.latitude),
          edge(cell.column + 1, kLimit.longitude), edge(cell.row + 1, kLimit.latitude)};
}

// Bit i to bit 2i.
uint64_t spread(uint32_t bits) {
  constexpr std::array<uint64_t, 5> kMasks = {0x0000ffff0000ffff, 0x00ff00ff00ff00ff, 0x0f0f0f0f0f0f0f0f,
                                              0x3333333333333333, 0x5555555555555555};
  uint64_t wide = bits;
  for (size_t i = 0; i < kMasks.size(); ++i) wide = (wide | (wide << (16 >> i))) & kMasks[i];
  return wide;
}

// Bit 2i to bit i.
uint32_t gather(uint64_t wide) {
  constexpr std::array<uint64_t, 5> kMasks = {0x3333333333333333, 0x0f0f0f0f0f0f0f0f, 0x00ff00ff00ff00ff,
                                              0x0000ffff0000ffff, 0x00000000ffffffff};
  wide &= 0x5555555555555555;
  for (size_t i = 0; i < kMasks.size(); ++i) wide = (wide | (wide >> (1U << i))) & kMasks[i];
  return static_cast<uint32_t>(wide);
}

uint64_t cell_bits_of(Cell cell) { return spread(cell.row) | (spread(cell.column) << 1); }

// The bits that a score becomes on the processors that servers mostly run on, x86-64, also where the language
// leaves it open: negative ones wrap, and what no integer reaches has only the highest bit, or none.
uint64_t score_bits(double score) {
  constexpr double kHalf = 9223372036854775808.0;
  constexpr uint64_t kHighest = uint64_t{1} << 63;
  if (score < kHalf) return score < -kHalf ? kHighest : static_cast<uint64_t>(static_cast<int64_t>(score));
  return score < 2 * kHalf ? static_cast<uint64_t>(score) : 0;
}

Cell cell_of_score(double score) {
  const uint64_t bits = score_bits(score);
  return {kStepMax, gather(bits >> 1), gather(bits)};
}

// Around the world in both directions, over the poles as if they touched.
Cell neighbour(Cell cell, int eastwards, int northwards) {
  const uint32_t mask = (uint32_t{1} << cell.step) - 1;
  if (eastwards != 0) cell.column = (cell.column + static_cast<uint32_t>(eastwards)) & mask;
  if (northwards != 0) cell.row = (cell.row + static_cast<uint32_t>(northwards)) & mask;
  return cell;
}

// --- Measuring --------------------------------------------------------------------------------------------

double meridian_distance_m(double from_latitude, double to_latitude) {
  return kEarthRadius * std::fabs(radians(to_latitude) - radians(from_latitude));
}

// An area in metres, and the rules to measure with.
struct Measure {
  GeoPoint center;
  bool is_box;
  double radius_m;  // of a box: from the centre to a corner
  double half_width_m;
  double half_height_m;
  GeoRules rules;
};

Measure measure_of(const GeoArea& area, GeoRules rules) {
  if (!area.is_box) {
    const double radius_m = area.radius * area.unit_m;
    return {area.center, false, radius_m, radius_m, radius_m, rules};
  }
  const double corner =
      std::sqrt((area.width / 2) * (area.width / 2) + (area.height / 2) * (area.height / 2));
  return {
      area.center, true, corner * area.unit_m, area.width * area.unit_m / 2, area.height * area.unit_m / 2,
      rules};
}

// The distance from the centre, if the point lies inside.
std::optional<double> distance_inside_m(const Measure& measure, GeoPoint point) {
  const GeoPoint center = measure.center;
  if (measure.is_box) {
    const GeoPoint beside = {center.longitude, point.latitude};
    const GeoPoint above = {point.longitude, center.latitude};
    const double up_m = measure.rules < GeoRules::redis_700
                            ? geo_distance_m(point, above, measure.rules)
                            : meridian_distance_m(point.latitude, center.latitude);
    if (up_m > measure.half_height_m) return std::nullopt;
    if (geo_distance_m(point, beside, measure.rules) > measure.half_width_m) return std::nullopt;
  }
  const double distance_m = geo_distance_m(center, point, measure.rules);
  if (!measure.is_box && distance_m > measure.radius_m) return std::nullopt;
  return distance_m;
}

// --- Covering ---------------------------------------------------------------------------------------------

// Degrees; may reach beyond the limits. The side nearer to a pole is how wide it must be; servers before 6.2
// took the middle.
Bounds bounds_of(const Measure& measure) {
  const GeoPoint center = measure.center;
  const double up = degrees(measure.half_height_m / kEarthRadius);
  double widest_latitude = center.latitude;
  if (measure.rules >= GeoRules::redis_602) widest_latitude += center.latitude < 0 ? -up : up;
  const double aside = degrees(measure.half_width_m / kEarthRadius / std::cos(radians(widest_latitude)));
  return {center.longitude - aside, center.latitude - up, center.longitude + aside, center.latitude + up};
}

uint32_t step_for(double radius_m, double latitude) {
  if (!(radius_m > 0)) return kStepMax;
  int step = -1;
  for (; radius_m < kMercatorMax; radius_m *= 2) ++step;
  // Cells narrow towards the poles.
  if (std::fabs(latitude) > 66) --step;
  if (std::fabs(latitude) > 80) --step;
  return static_cast<uint32_t>(std::clamp(step, 1, static_cast<int>(kStepMax)));
}

// The outer edges of the neighbours in the four directions.
Bounds reach_of(Cell cell) {
  return {bounds_of(neighbour(cell, -1, 0)).west, bounds_of(neighbour(cell, 0, -1)).south,
          bounds_of(neighbour(cell, 1, 0)).east, bounds_of(neighbour(cell, 0, 1)).north};
}

// Whether the neighbours reach as far as the area. Servers before 6.2 measured how far away their edges are,
// on whichever side of the centre that is.
bool covers(const Bounds& reach, const Bounds& area, const Measure& measure) {
  if (measure.rules >= GeoRules::redis_602) {
    return reach.north >= area.north && reach.south <= area.south && reach.east >= area.east &&
           reach.west <= area.west;
  }
  const auto [longitude, latitude] = measure.center;
  const std::array<GeoPoint, 4> edges = {
      {{longitude, reach.north}, {longitude, reach.south}, {reach.east, latitude}, {reach.west, latitude}}};
  return std::ranges::none_of(edges, [&measure](GeoPoint edge) {
    return geo_distance_m(measure.center, edge, measure.rules) < measure.radius_m;
  });
}

struct Direction {
  int eastwards;
  int northwards;
};
constexpr std::array<Direction, 9> kVisits = {
    {{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}}};

// Whether the area ends within the middle cell on the side of that neighbour.
bool is_useless(Direction to, const Bounds& middle, const Bounds& area) {
  return (to.northwards < 0 && middle.south < area.south) ||
         (to.northwards > 0 && middle.north > area.north) || (to.eastwards < 0 && middle.west < area.west) ||
         (to.eastwards > 0 && middle.east > area.east);
}

// The cells in the order in which they are searched. In the coarsest grid neighbours on both sides are the
// same cell; they stand next to each other then.
std::vector<Cell> cover(const Measure& measure) {
  const Bounds area = bounds_of(measure);
  uint32_t step = step_for(measure.radius_m, measure.center.latitude);
  Cell middle = cell_of(measure.center, step, kLimit);
  if (step > 1 && !covers(reach_of(middle), area, measure)) middle = cell_of(measure.center, --step, kLimit);
  const Bounds bounds = bounds_of(middle);
  std::vector<Cell> cells;
  const bool leaves_out = step >= 2 || measure.rules < GeoRules::redis_400;
  for (const Direction to : kVisits) {
    if (leaves_out && is_useless(to, bounds, area)) continue;
    const Cell cell = neighbour(middle, to.eastwards, to.northwards);
    // The cell in the middle does not count as the one before.
    if (cells.size() > 1 && cell_bits_of(cells.back()) == cell_bits_of(cell)) continue;
    cells.push_back(cell);
  }
  return cells;
}

void sort_and_cut(std::vector<GeoMatch>& matches, GeoOrder order, uint64_t count_max, GeoRules rules) {
  const bool cuts = count_max > 0 && count_max < matches.size();
  if (order != GeoOrder::as_found) {
    if (cuts && rules >= GeoRules::redis_602)
      sort_first_matches(matches, order, count_max);
    else
      sort_matches(matches, order);
  }
  if (cuts) matches.erase(matches.begin() + static_cast<std::ptrdiff_t>(count_max), matches.end());
}

}  // namespace

bool is_geo_point(GeoPoint point) {
  return std::fabs(point.longitude) <= kLimit.longitude && std::fabs(point.latitude) <= kLimit.latitude;
}

double geo_score(GeoPoint point) {
  return static_cast<double>(cell_bits_of(cell_of(point, kStepMax, kLimit)));
}

GeoPoint geo_point(double score) {
  const Bounds bounds = bounds_of(cell_of_score(score));
  const auto middle = [](double a, double b, double most) { return std::clamp((a + b) / 2, -most, most); };
  return {middle(bounds.west, bounds.east, kLimit.longitude),
          middle(bounds.south, bounds.north, kLimit.latitude)};
}

std::string geohash_text(double score) {
  constexpr Bytes kDigits = "0123456789bcdefghjkmnpqrstuvwxyz";
  constexpr size_t kFullDigits = 10;
  constexpr GeoPoint kWholeGlobe = {180, 90};
  // What the world calls a geohash counts latitudes up to the poles.
  const uint64_t bits = cell_bits_of(cell_of(geo_point(score), kStepMax, kWholeGlobe));
  std::string text;
  for (size_t i = 1; i <= kFullDigits; ++i) text += kDigits[(bits >> (kScoreBits - 5 * i)) & 31];
  // Two bits are left; servers never told them.
  return text += kDigits[0];
}

double geo_distance_m(GeoPoint from, GeoPoint to, GeoRules rules) {
  const double v = std::sin((radians(to.longitude) - radians(from.longitude)) / 2);
  if (rules >= GeoRules::redis_700 && v == 0) return meridian_distance_m(from.latitude, to.latitude);
  const double from_latitude = radians(from.latitude);
  const double to_latitude = radians(to.latitude);
  const double u = std::sin((to_latitude - from_latitude) / 2);
  return 2 * kEarthRadius *
         std::asin(std::sqrt(u * u + std::cos(from_latitude) * std::cos(to_latitude) * v * v));
}

std::optional<double> parse_geo_unit(Bytes text) {
  struct Unit {
    Bytes name;
    double metres;
  };
  constexpr std::array<Unit, 4> kUnits = {{{"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}}};
  for (const Unit& unit : kUnits)
    if (equals_ignoring_case(text, unit.name)) return unit.metres;
  return std::nullopt;
}

std::vector<GeoMatch> geo_search(const GeoSearch& search, GeoMembers members) {
  const Measure measure = measure_of(search.area, search.rules);
  const uint64_t enough = search.any ? search.count_max : 0;
  std::vector<GeoMatch> matches;
  const auto wants_more = [&] { return enough == 0 || matches.size() < enough; };
  for (const Cell cell : cover(measure)) {
    if (!wants_more()) break;
    const uint64_t bits = cell_bits_of(cell);
    const uint32_t shift = kScoreBits - 2 * cell.step;
    members(static_cast<double>(bits << shift), static_cast<double>((bits + 1) << shift),
            [&](Bytes member, double score) {
              if (const auto distance_m = distance_inside_m(measure, geo_point(score)))
                matches.push_back({std::string(member), score, *distance_m});
              return wants_more();
            });
  }
  const bool nearest = search.order == GeoOrder::as_found && search.count_max > 0 && !search.any;
  sort_and_cut(matches, nearest ? GeoOrder::nearest_first : search.order, search.count_max, search.rules);
  for (GeoMatch& match : matches) match.distance /= search.area.unit_m;
  return matches;
}

}  // namespace persist
