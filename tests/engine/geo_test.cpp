// Places and searches: what Redis 7.0 answers to the same, at the corners of the map above all.
#include "engine/geo.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "engine/geo_order.hpp"
#include "support/violations.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct Place {
  const char* name;
  GeoPoint point;
  double score;
  const char* geohash;
};
const Place kPlaces[] = {
    {"palermo", {13.361389, 38.115556}, 3479099956230698, "sqc8b49rny0"},
    {"catania", {15.087269, 37.502669}, 3479447370796909, "sqdtr74hyu0"},
    {"agrigento", {13.583333, 37.316667}, 3479030013248308, "sq9sm1716e0"},
    {"rome", {12.496366, 41.902782}, 3480343273965391, "sr2ykk5t6k0"},
    {"date-line-east", {-179.9, 0.1}, 1125901547119442, "8000d60yd10"},
    {"date-line-west", {179.9, -0.1}, 3377698080251053, "rzzzmtz1my0"},
    {"corner", {180, 85.05112878}, 13510798882111488, "bp05b5048p0"},
    {"other-corner", {-180, -85.05112878}, 0, "00bh0hbj200"},
    {"far-north", {20, 84.9}, 3764545967325672, "urn4zped3g0"},
    {"far-north-2", {-160, 84.8}, 1512742198105592, "brn4rj7ecc0"},
    {"origin", {0, 0}, 3377699720527872, "s0000000000"},
    {"origin-twin", {0, 0}, 3377699720527872, "s0000000000"},
    {"origin-triplet", {0, 0}, 3377699720527872, "s0000000000"},
    {"suva", {178.4419, -18.1416}, 3355223389513959, "ruybu93mt80"},
    {"apia", {-171.7667, -13.8333}, 358966618710264, "2jtc73er1v0"},
    {"cape", {18.4233, -33.9188}, 2549928400223044, "k3vp51r2wj0"},
};

// A sorted set.
class Members {
 public:
  void add(const std::string& member, double score) {
    members_.push_back({score, member});
    std::sort(members_.begin(), members_.end());
  }
  void show(double min, double max, GeoVisitor visit) const {
    for (const auto& member : members_)
      if (member.first >= min && member.first < max && !visit(member.second, member.first)) return;
  }
  [[nodiscard]] std::vector<GeoMatch> search(const GeoSearch& search) const {
    return geo_search(search, [this](double min, double max, GeoVisitor visit) { show(min, max, visit); });
  }

 private:
  std::vector<std::pair<double, std::string>> members_;
};

std::string names_of(const std::vector<GeoMatch>& matches) {
  std::string names;
  for (const GeoMatch& match : matches) names += (names.empty() ? "" : " ") + match.member;
  return names;
}

using enum GeoOrder;

constexpr double kMetre = 1;
constexpr double kKilometre = 1000;
constexpr double kFoot = 0.3048;
constexpr double kMile = 1609.34;
constexpr bool kAny = true;
constexpr bool kAll = false;

constexpr GeoArea circle(double longitude, double latitude, double radius, double unit_m) {
  return {{longitude, latitude}, unit_m, false, radius};
}
constexpr GeoArea box(double longitude, double latitude, double width, double height, double unit_m) {
  return {{longitude, latitude}, unit_m, true, 0, width, height};
}

struct Search {
  GeoArea area;
  GeoOrder order;
  uint64_t count_max;
  bool any;
  const char* names;
  double first_distance;  // in units
};
const Search kSearches[] = {
    {circle(15, 37, 0, kMetre), nearest_first, 5, kAll, "", 0},
    {circle(15, 37, 20000, kKilometre), as_found, 2, kAny, "origin origin-triplet", 0x1.12b76131b410ap+12},
    {box(15, 37, 400, 400, kKilometre), farthest_first, 0, kAll, "palermo agrigento catania",
     0x1.7ce2862a3dc9dp+7},
    {box(15, 37, 10000, 40000, kKilometre), as_found, 5, kAny,
     "origin origin-triplet origin-twin agrigento palermo", 0x1.12b76131b410ap+12},
    {circle(15, 37, 1000000, kFoot), as_found, 0, kAll, "agrigento palermo catania", 0x1.a1dea51870532p+18},
    {circle(0, 0, 200, kKilometre), as_found, 5, kAny, "origin origin-triplet origin-twin",
     0x1.59fcacc682a26p-12},
    {circle(0, 0, 0, kMetre), nearest_first, 5, kAll, "", 0},
    {circle(0, 0, 20000, kKilometre), nearest_first, 1, kAny, "origin", 0x1.59fcacc682a26p-12},
    {box(0, 0, 400, 400, kKilometre), as_found, 1, kAny, "origin", 0x1.59fcacc682a26p-12},
    {circle(0, 0, 3000, kMile), nearest_first, 0, kAll,
     "origin origin-triplet origin-twin cape agrigento catania palermo rome", 0x1.adf94a718ad19p-13},
    {box(0, 0, 10000, 40000, kKilometre), as_found, 2, kAny, "origin origin-triplet", 0x1.59fcacc682a26p-12},
    {circle(180, 0, 200, kKilometre), as_found, 0, kAll, "date-line-west", 0x1.f75b7dfcf78fdp+3},
    {circle(180, 0, 1, kMetre), nearest_first, 0, kAll, "", 0},
    {circle(180, 0, 20000, kKilometre), as_found, 1, kAny, "agrigento", 0x1.e8ccf127589d2p+13},
    {box(180, 0, 400, 400, kKilometre), as_found, 2, kAll, "date-line-west", 0x1.f75b7dfcf78fdp+3},
    {circle(180, 0, 3000, kMile), as_found, 0, kAll, "suva date-line-west", 0x1.3a91fa3a588c6p+10},
    {box(180, 0, 10000, 40000, kKilometre), nearest_first, 2, kAny, "suva far-north", 0x1.fa401d2975972p+10},
    {circle(-179.95, 0, 200, kKilometre), as_found, 2, kAll, "date-line-east date-line-west",
     0x1.8df0a3b8c18fap+3},
    {box(-179.95, 0, 400, 400, kKilometre), farthest_first, 0, kAll, "date-line-west date-line-east",
     0x1.40d3eda221b06p+4},
    {circle(-179.95, 0, 3000, kMile), as_found, 0, kAll, "date-line-east apia suva date-line-west",
     0x1.ee89c2fac2e4cp+2},
    {box(-179.95, 0, 10000, 40000, kKilometre), as_found, 5, kAny,
     "date-line-east far-north-2 other-corner apia far-north", 0x1.8df0a3b8c18fap+3},
    {circle(-179.95, 0, 1000000, kFoot), as_found, 0, kAll, "date-line-east date-line-west",
     0x1.3ebe96c019974p+15},
    {circle(20, 85, 200, kKilometre), farthest_first, 0, kAll, "far-north", 0x1.63ecbcb6d3d71p+3},
    {circle(20, 85, 3000, kMile), as_found, 0, kAll, "rome far-north far-north-2", 0x1.74b9767c1c059p+11},
    {circle(20, 85, 1000000, kFoot), nearest_first, 5, kAny, "far-north", 0x1.1d1742264b9b8p+15},
    {circle(-160, -85, 200, kKilometre), as_found, 0, kAll, "other-corner", 0x1.800151552de4dp+7},
    {box(-160, -85, 400, 400, kKilometre), as_found, 0, kAll, "other-corner", 0x1.800151552de4dp+7},
    {circle(-160, -85, 3000, kMile), farthest_first, 5, kAll, "other-corner", 0x1.dd387d139abd4p+6},
    {box(-160, -85, 10000, 40000, kKilometre), as_found, 0, kAll,
     "other-corner apia date-line-east far-north-2 suva date-line-west far-north", 0x1.800151552de4dp+7},
    {circle(-160, -85, 1000000, kFoot), nearest_first, 2, kAny, "other-corner", 0x1.339536838c322p+19},
    {circle(178, -17, 20000, kKilometre), as_found, 0, kAll,
     "cape suva date-line-west origin origin-triplet origin-twin agrigento palermo catania rome far-north "
     "other-corner apia date-line-east far-north-2",
     0x1.b42cd77858475p+13},
    {box(178, -17, 400, 400, kKilometre), nearest_first, 1, kAll, "suva", 0x1.0eb0f20852f85p+7},
    {circle(178, -17, 3000, kMile), farthest_first, 0, kAll, "date-line-east date-line-west apia suva",
     0x1.299cdf5375c0ap+10},
    {box(13, 38, 400, 400, kKilometre), nearest_first, 5, kAny, "palermo agrigento catania",
     0x1.1147dd4120a50p+5},
};

// Sixty members at five places, COUNT without ANY.
struct Choice {
  GeoRules rules;
  GeoOrder order;
  uint64_t count_max;
  const char* names;
};
const Choice kChoices[] = {
    {GeoRules::redis_700, nearest_first, 3, "10 20 25"},
    {GeoRules::redis_700, farthest_first, 3, "7 57 52"},
    {GeoRules::redis_700, nearest_first, 13, "10 20 25 30 35 0 40 45 5 50 55 15 8"},
    {GeoRules::redis_700, farthest_first, 13, "7 57 52 47 42 37 32 27 22 2 17 12 24"},
    {GeoRules::redis_700, nearest_first, 27,
     "10 20 25 30 35 0 40 45 5 50 55 15 8 13 18 23 28 3 33 38 43 48 53 58 36 1 11"},
    {GeoRules::redis_700, farthest_first, 27,
     "7 57 52 47 42 37 32 27 22 2 17 12 24 9 59 54 49 44 14 4 39 34 29 19 36 1 11"},
    {GeoRules::redis_602, nearest_first, 3, "10 20 25"},
    {GeoRules::redis_602, farthest_first, 3, "7 57 52"},
    {GeoRules::redis_602, nearest_first, 13, "10 20 25 30 35 0 40 45 5 50 55 15 8"},
    {GeoRules::redis_602, farthest_first, 13, "7 57 52 47 42 37 32 27 22 2 17 12 24"},
    {GeoRules::redis_602, nearest_first, 27,
     "10 20 25 30 35 0 40 45 5 50 55 15 8 13 18 23 28 3 33 38 43 48 53 58 36 1 11"},
    {GeoRules::redis_602, farthest_first, 27,
     "7 57 52 47 42 37 32 27 22 2 17 12 24 9 59 54 49 44 14 4 39 34 29 19 36 1 11"},
    {GeoRules::redis_400, nearest_first, 3, "0 10 15"},
    {GeoRules::redis_400, farthest_first, 3, "12 17 2"},
    {GeoRules::redis_400, nearest_first, 13, "0 10 15 20 25 30 35 40 45 5 50 55 13"},
    {GeoRules::redis_400, farthest_first, 13, "12 17 2 22 27 32 37 42 47 52 57 7 14"},
    {GeoRules::redis_400, nearest_first, 27,
     "0 10 15 20 25 30 35 40 45 5 50 55 13 18 23 28 3 33 38 43 48 53 58 8 1 11 16"},
    {GeoRules::redis_400, farthest_first, 27,
     "12 17 2 22 27 32 37 42 47 52 57 7 14 19 24 29 34 39 4 44 49 54 59 9 1 11 16"},
};

}  // namespace

TEST_CASE("places have the scores and texts that servers give them") {
  for (const Place& place : kPlaces) {
    CAPTURE(place.name);
    CHECK(is_geo_point(place.point));
    CHECK(geo_score(place.point) == place.score);
    CHECK(geohash_text(place.score) == place.geohash);
    const GeoPoint back = geo_point(place.score);
    CHECK(is_geo_point(back));
    CHECK(std::fabs(back.longitude - place.point.longitude) < 1e-5);
    CHECK(std::fabs(back.latitude - place.point.latitude) < 1e-5);
  }
  CHECK_FALSE(is_geo_point({180.0001, 0}));
  CHECK_FALSE(is_geo_point({0, -85.0512}));
  CHECK_FALSE(is_geo_point({NAN, 0}));
  CHECK_FALSE(is_geo_point({0, NAN}));
}

TEST_CASE("scores that no place has give some place") {
  for (const double score :
       {-1.0, -1e300, 1e300, 0.5, 4503599627370496.0, 1e17, double{INFINITY}, -double{INFINITY}}) {
    CAPTURE(score);
    CHECK(is_geo_point(geo_point(score)));
    CHECK(geohash_text(score).size() == 11);
  }
}

TEST_CASE("units") {
  CHECK(parse_geo_unit("m") == 1.0);
  CHECK(parse_geo_unit("KM") == 1000.0);
  CHECK(parse_geo_unit("ft") == 0.3048);
  CHECK(parse_geo_unit("Mi") == 1609.34);
  CHECK_FALSE(parse_geo_unit("yd"));
}

TEST_CASE("distances along a meridian changed") {
  const GeoPoint south = {10, -80};
  const GeoPoint tropic = {10, -11};
  CHECK(geo_distance_m(tropic, south, GeoRules::redis_700) == 0x1.d46bdaccccd0ep+22);
  CHECK(geo_distance_m(tropic, south, GeoRules::redis_602) == 0x1.d46bdaccccd1p+22);
  const GeoPoint north = geo_point(geo_score({13.361389, 38.115556}));
  const GeoPoint east = geo_point(geo_score({15.087269, 37.502669}));
  CHECK(geo_distance_m(north, east, GeoRules::redis_700) == doctest::Approx(166274.1516));
  CHECK(geo_distance_m(north, east, GeoRules::redis_400) == geo_distance_m(north, east, GeoRules::redis_700));
}

TEST_CASE("searches find what servers find, in their order") {
  Members members;
  for (const Place& place : kPlaces) members.add(place.name, place.score);
  for (const Search& row : kSearches) {
    CAPTURE(&row - kSearches);
    const auto matches = members.search({row.area, row.order, row.count_max, row.any});
    CHECK(names_of(matches) == row.names);
    if (!matches.empty()) CHECK(matches.front().distance == row.first_distance);
  }
}

TEST_CASE("which of equally near members COUNT lets through depends on the version") {
  Members members;
  for (int i = 0; i < 60; ++i)
    members.add(std::to_string(i), geo_score({static_cast<double>(i * 7 % 5 + 1), 0}));
  for (const Choice& row : kChoices) {
    CAPTURE(&row - kChoices);
    const auto matches =
        members.search({circle(0, 0, 1000, kKilometre), row.order, row.count_max, kAll, row.rules});
    CHECK(names_of(matches) == row.names);
  }
}

TEST_CASE("a partial sort sorts what it is asked for") {
  std::mt19937 random(5);
  Violations violations;
  for (int round = 0; round < 300; ++round) {
    std::vector<GeoMatch> matches;
    const auto kinds = 1 + random() % 50;
    for (size_t count = random() % 200; count > 0; --count)
      matches.push_back({std::to_string(count), 0, static_cast<double>(random() % kinds)});
    const size_t first = matches.empty() ? 0 : random() % matches.size();
    for (const GeoOrder order : {GeoOrder::nearest_first, GeoOrder::farthest_first}) {
      std::vector<GeoMatch> sorted = matches;
      sort_matches(sorted, order);
      std::vector<GeoMatch> partly = matches;
      sort_first_matches(partly, order, first);
      const std::string where = std::to_string(first) + " of " + std::to_string(matches.size());
      for (size_t i = 0; i < first; ++i)
        violations.expect(partly[i].distance == sorted[i].distance, "in order", where);
      const auto by_name = [](const GeoMatch& a, const GeoMatch& b) { return a.member < b.member; };
      std::sort(sorted.begin(), sorted.end(), by_name);
      std::sort(partly.begin(), partly.end(), by_name);
      violations.expect(names_of(partly) == names_of(sorted), "the same matches", where);
    }
  }
  violations.report();
}

TEST_CASE("a search asks for no more than it needs") {
  size_t shown = 0;
  GeoSearch search;
  search.area.radius = 30000;
  search.area.unit_m = 1000;
  search.count_max = 2;
  search.any = true;
  const auto matches = geo_search(search, [&](double min, double, GeoVisitor visit) {
    for (++shown; visit("m", min);) ++shown;
  });
  CHECK(matches.size() == 2);
  CHECK(shown == 2);
}
