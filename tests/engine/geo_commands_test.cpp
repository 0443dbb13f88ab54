// Commands of places. What a search finds is the matter of geo_test.cpp.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr const char* kSyntaxError = "ERR syntax error";
constexpr const char* kNoFloat = "ERR value is not a valid float";
constexpr const char* kNoPoint = "ERR invalid longitude,latitude pair";
constexpr const char* kNoUnit = "ERR unsupported unit provided. please use M, KM, FT, MI";

void fill(EngineCalls& calls) {
  check_rows(calls, {{"GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
                      "(integer) 2 changed", "g", "zset{Palermo:3479099956230698 Catania:3479447370796909}"},
                     {"SET s v", "OK changed"}});
}

}  // namespace

TEST_CASE("places are added") {
  EngineCalls calls;
  fill(calls);
  check_rows(calls, {{"GEOADD g 13.361389 38.115556 Palermo", "(integer) 0"},
                     {"GEOADD g NX 0 0 Palermo 0 0 x", "(integer) 1 changed"},
                     {"GEOADD g XX CH 1 1 x 2 2 y", "(integer) 1 changed"},
                     {"GEOADD none XX 1 1 x", "(integer) 0", "none", "none"},
                     {"GEOADD g NX XX 1 1 x", kSyntaxError},
                     {"GEOADD g 1 1 x 2 2", kSyntaxError},
                     {"GEOADD g x 1 a", kNoFloat},
                     {"GEOADD g 181 1 a", kNoPoint},
                     {"GEOADD g 1 85.06 a", kNoPoint},
                     {"GEOADD none 1 1 a 1 86 b", kNoPoint, "none", "none"},
                     {"GEOADD s 1 1 a", kWrongType},
                     {"ZSCORE g y", "(nil)"}});
}

TEST_CASE("places are asked for") {
  EngineCalls calls;
  fill(calls);
  check_rows(calls, {{"GEOPOS g Palermo x", "[[13.36138933897018433, 38.11555639549629859], (nil)]"},
                     {"GEOPOS none x", "[(nil)]"},
                     {"GEOHASH g Palermo x Catania", "[sqc8b49rny0, (nil), sqdtr74hyu0]"},
                     {"GEODIST g Palermo Catania", "\"166274.1516\""},
                     {"GEODIST g Palermo Catania km", "\"166.2742\""},
                     {"GEODIST g Palermo x", "(nil)"},
                     {"GEODIST g Palermo Catania ly", kNoUnit},
                     {"GEODIST g Palermo Catania m m", kSyntaxError},
                     {"GEOPOS s a", kWrongType},
                     {"GEOHASH s a", kWrongType},
                     {"GEODIST s a b", kWrongType}});
}

TEST_CASE("what is near is told or stored") {
  EngineCalls calls;
  fill(calls);
  check_rows(
      calls,
      {{"GEORADIUS g 15 37 200 km ASC WITHDIST", "[[Catania, 56.4413], [Palermo, 190.4424]]"},
       {"GEORADIUS g 15 37 200 km DESC COUNT 1", "[Palermo]"},
       {"GEORADIUS g 15 37 100 km WITHHASH WITHCOORD",
        "[[Catania, (integer) 3479447370796909, [15.08726745843887329, 37.50266842333162032]]]"},
       {"GEORADIUS_RO g 15 37 100 km", "[Catania]"},
       {"GEORADIUSBYMEMBER g Palermo 1 km", "[Palermo]"},
       {"GEORADIUSBYMEMBER_RO g Palermo 200 km ASC", "[Palermo, Catania]"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC", "[Catania, Palermo]"},
       {"GEOSEARCH g FROMMEMBER Catania BYRADIUS 1 km", "[Catania]"},
       {"GEOSEARCH g FROMMEMBER Catania BYRADIUS 1000 km ANY COUNT 1", "[Palermo]"},
       {"GEOSEARCH none FROMMEMBER Catania BYRADIUS 1 km", "[]"},
       {"GEORADIUS g 15 37 100 km STORE to", "(integer) 1 changed", "to", "zset{Catania:3479447370796909}"},
       {"GEORADIUSBYMEMBER g Palermo 1 km STOREDIST to", "(integer) 1 changed", "to", "zset{Palermo:0}"},
       {"GEORADIUS g 100 37 100 km STORE to", "(integer) 0 changed", "to", "none"},
       {"GEOSEARCHSTORE to g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1", "(integer) 1 changed", "to",
        "zset{Catania:3479447370796909}"},
       {"GEOSEARCHSTORE g g FROMMEMBER Palermo BYRADIUS 1 m STOREDIST", "(integer) 1 changed", "g",
        "zset{Palermo:0}"},
       {"GEOSEARCHSTORE g none FROMMEMBER Palermo BYRADIUS 1 m", "(integer) 0 changed", "g", "none"}});
}

TEST_CASE("nothing is searched for when anything is wrong") {
  EngineCalls calls;
  fill(calls);
  check_rows(
      calls,
      {{"GEORADIUS s 15 37 200 km", kWrongType},
       {"GEOSEARCH s FROMLONLAT 1 1 BYRADIUS 1 m", kWrongType},
       {"GEORADIUS g x 37 200 km", kNoFloat},
       {"GEORADIUS g 181 37 200 km", kNoPoint},
       {"GEORADIUS g 15 37 x km", "ERR need numeric radius"},
       {"GEORADIUS g 15 37 -1 km", "ERR radius cannot be negative"},
       {"GEORADIUS g 15 37 1 ly", kNoUnit},
       {"GEORADIUS g 15 37 1 km COUNT 0", "ERR COUNT must be > 0"},
       {"GEORADIUS g 15 37 1 km COUNT x", "ERR value is not an integer or out of range"},
       {"GEORADIUS g 15 37 1 km ANY", "ERR the ANY argument requires COUNT argument"},
       {"GEORADIUS g 15 37 1 km UP", kSyntaxError},
       {"GEORADIUS_RO g 15 37 1 km STORE to", kSyntaxError},
       {"GEORADIUS g 15 37 1 km WITHDIST STORE to",
        "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"},
       {"GEORADIUSBYMEMBER g x 1 km", "ERR could not decode requested zset member"},
       {"GEORADIUSBYMEMBER none x nonsense ly", "[]"},
       {"GEORADIUSBYMEMBER none x 1 km UP", kSyntaxError},
       {"GEOSEARCH g BYRADIUS 1 m ASC ASC", "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified"},
       {"GEOSEARCH g FROMLONLAT 1 1 ASC ASC ASC", "ERR exactly one of BYRADIUS and BYBOX can be specified"},
       {"GEOSEARCH g FROMLONLAT 1 1 FROMMEMBER Palermo BYRADIUS 1 m", kSyntaxError},
       {"GEOSEARCH g FROMLONLAT 1 1 BYBOX x 1 m", "ERR need numeric width"},
       {"GEOSEARCH g FROMLONLAT 1 1 BYBOX 1 x m", "ERR need numeric height"},
       {"GEOSEARCH g FROMLONLAT 1 1 BYBOX 1 -1 m", "ERR height or width cannot be negative"}});
}
