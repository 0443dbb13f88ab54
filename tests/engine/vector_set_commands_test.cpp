// The commands of vector sets, each with what it changes, and the ways in which it fails.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

namespace {

const VectorSet* vectors(EngineCalls& calls, Bytes key) {
  KeyEntry* entry = calls.data.db(0).find(key);
  return entry != nullptr ? entry->as<VectorSet>(calls.data.pool()) : nullptr;
}

}  // namespace

TEST_CASE("vector set commands: elements come, change and go") {
  EngineCalls calls({Dialect::redis, 800});
  check_rows(calls, {
                        {"VADD v VALUES 3 1 2 3 a NOQUANT", "(integer) 1 changed"},
                        {"VADD v VALUES 3 0 1 0 b NOQUANT SETATTR {}", "(integer) 1 changed"},
                        {"VSETATTR v a {\\\"x\\\":1}", "(integer) 1 changed"},
                        {"VSETATTR v missing {}", "(integer) 0"},
                        {"VREM v missing", "(integer) 0"},
                        {"VREM v b", "(integer) 1 changed"},
                        {"VREM missing a", "(integer) 0"},
                        {"VSETATTR missing a {}", "(integer) 0"},
                    });
  const VectorSet* held = vectors(calls, "v");
  REQUIRE(held != nullptr);
  CHECK(held->dimension() == 3);
  CHECK(held->quantisation() == Quantisation::none);
  REQUIRE(held->elements().size() == 1);
  CHECK(held->elements().begin()->first == "a");
  CHECK(held->elements().begin()->second.attributes.has_value());
  check_rows(calls, {{"VREM v a", "(integer) 1 changed"}});
  CHECK(vectors(calls, "v") == nullptr);
  CHECK(calls.show("v") == "none");
}

TEST_CASE("vector set commands: what is refused changes nothing") {
  EngineCalls calls({Dialect::redis, 800});
  check_rows(calls, {{"SET s v", "OK changed"}, {"VADD v VALUES 2 1 0 a", "(integer) 1 changed"}});
  CHECK(calls.run("VADD s VALUES 2 1 0 a") == kWrongType);
  CHECK(calls.run("VREM s a") == kWrongType);
  CHECK(calls.run("VSETATTR s a x") == kWrongType);
  for (const char* line : {"VADD v VALUES 3 1 0 0 b", "VADD v VALUES 2 1 0 b BIN", "VADD n VALUES 2 1 x b",
                           "VADD n VALUES 5 1 0 b", "VADD n FP32 abc b"}) {
    CAPTURE(line);
    CHECK(calls.run(line).starts_with("ERR"));
    CHECK(calls.effect() == Effect::failed);
  }
  CHECK(calls.show("n") == "none");
  REQUIRE(vectors(calls, "v") != nullptr);
  CHECK(vectors(calls, "v")->elements().size() == 1);
}
