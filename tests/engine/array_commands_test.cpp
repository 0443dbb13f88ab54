// The commands of arrays, each with what it changes, and the ways in which it fails.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr Profile kArrays{Dialect::redis, 808};

}  // namespace

TEST_CASE("array commands: elements are set and removed") {
  EngineCalls calls(kArrays);
  check_rows(calls, {
                        {"ARSET a 3 x y", "(integer) 2 changed"},
                        {"ARSET a 4 Y z", "(integer) 1 changed"},
                        {"ARMSET a 0 first 100 far", "(integer) 2 changed"},
                        {"ARDEL a 100 55", "(integer) 1 changed"},
                        {"ARDEL a 55", "(integer) 0"},
                        {"ARDELRANGE a 5 4", "(integer) 2 changed"},
                        {"ARDELRANGE a 50 60", "(integer) 0"},
                        {"ARDEL missing 1", "(integer) 0"},
                        {"ARDELRANGE missing 1 2", "(integer) 0"},
                    });
  CHECK(calls.show("a") == "array{0=first 3=x}");
  check_rows(calls, {{"ARDEL a 0 3", "(integer) 2 changed"}});
  CHECK(calls.show("a") == "none");
}

TEST_CASE("array commands: the cursor") {
  EngineCalls calls(kArrays);
  check_rows(calls, {
                        {"ARINSERT a x y", "(integer) 1 changed"},
                        {"ARSEEK a 7", "(integer) 1 changed"},
                        {"ARINSERT a z", "(integer) 7 changed"},
                        {"ARSEEK a 0", "(integer) 1 changed"},
                        {"ARINSERT a X", "(integer) 0 changed"},
                        {"ARSEEK missing 3", "(integer) 0"},
                    });
  CHECK(calls.show("a") == "array{0=X 1=y 7=z next=0}");
}

TEST_CASE("array commands: a ring gives way to what is newer") {
  EngineCalls calls(kArrays);
  check_rows(calls, {{"ARRING r 3 a b", "(integer) 1 changed"}, {"ARRING r 3 c d", "(integer) 0 changed"}});
  CHECK(calls.show("r") == "array{0=d 1=b 2=c next=0}");
  check_rows(calls, {{"ARRING r 5 e", "(integer) 3 changed"}});
  CHECK(calls.show("r") == "array{0=b 1=c 2=d 3=e next=3}");
  check_rows(calls, {{"ARRING r 2 f", "(integer) 0 changed"}});
  CHECK(calls.show("r") == "array{0=f 1=e next=0}");
}

TEST_CASE("array commands: what is refused changes nothing") {
  EngineCalls calls(kArrays);
  check_rows(calls, {{"SET s v", "OK changed"}});
  constexpr const char* kOf[] = {"ARSET %s 0 v",  "ARMSET %s 0 v", "ARDEL %s 0",   "ARDELRANGE %s 0 1",
                                 "ARINSERT %s v", "ARSEEK %s 1",   "ARRING %s 3 v"};
  for (const std::string pattern : kOf) {
    CAPTURE(pattern);
    std::string line = pattern;
    CHECK(calls.run(line.replace(line.find("%s"), 2, "s")) == kWrongType);
  }
  const char* const kBad[] = {"ARSET n -1 v",     "ARSET n 18446744073709551614 v w",
                              "ARMSET n 0 v x w", "ARMSET n 0",
                              "ARDEL n x",        "ARDELRANGE n 0",
                              "ARDELRANGE n 0 x", "ARSEEK n x",
                              "ARRING n 0 v",     "ARRING n x v"};
  for (const char* line : kBad) {
    CAPTURE(line);
    CHECK(calls.run(line).starts_with("ERR"));
    CHECK(calls.effect() == Effect::failed);
    CHECK(calls.show("n") == "none");
  }
}
