// The arena: what it gives stays where it is, apart from everything else, until it is cleared.
#include "base/arena.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace persist;

namespace {

// What is kept of the text number `i`: between 0 and 2000 bytes.
std::string arena_text(size_t i) { return std::string(i * 37 % 2001, static_cast<char>('a' + i % 26)); }

// Keeps many texts, and only then looks at each.
void check_that_texts_stay(Arena& arena, size_t count) {
  std::vector<Bytes> kept;
  for (size_t i = 0; i < count; ++i) kept.push_back(arena.keep(arena_text(i)));
  size_t good = 0;
  for (size_t i = 0; i < count; ++i) good += kept[i] == arena_text(i) ? 1U : 0U;
  CHECK(good == count);
}

template <typename T>
void check_objects(Arena& arena, size_t count) {
  arena.keep("x");  // whatever comes next is not aligned by chance
  const std::span<T> objects = arena.make<T>(count);
  REQUIRE(objects.size() == count);
  CHECK(reinterpret_cast<uintptr_t>(objects.data()) % alignof(T) == 0);
  std::fill(objects.begin(), objects.end(), static_cast<T>(7));
}

}  // namespace

TEST_CASE("arena: copies, not views") {
  Arena arena;
  std::string text = "some text";
  const Bytes kept = arena.keep(text);
  text.assign(text.size(), '-');
  CHECK(kept == "some text");
}

TEST_CASE("arena: nothing takes no room") {
  Arena arena;
  CHECK(arena.keep("").empty());
  CHECK(arena.make<int64_t>(0).empty());
}

TEST_CASE("arena: what is kept stays, over many blocks and calls of clear") {
  Arena arena;
  for (const size_t count : {1U, 100U, 5000U, 10U, 5000U}) {
    CAPTURE(count);
    check_that_texts_stay(arena, count);
    arena.clear();
  }
}

TEST_CASE("arena: objects are aligned, in the first block and in later ones") {
  Arena arena;
  for (int round = 0; round < 3; ++round) {
    for (const size_t count : {1U, 3U, 1000U, 20'000U}) {
      CAPTURE(count);
      check_objects<char>(arena, count);
      check_objects<uint16_t>(arena, count);
      check_objects<int64_t>(arena, count);
      check_objects<long double>(arena, count);
    }
    arena.clear();
  }
}

TEST_CASE("arena: objects and texts do not touch each other") {
  Arena arena;
  std::vector<std::span<uint64_t>> runs;
  std::vector<Bytes> texts;
  for (size_t i = 0; i < 2000; ++i) {
    runs.push_back(arena.make<uint64_t>(1 + i % 90));
    std::fill(runs.back().begin(), runs.back().end(), i);
    texts.push_back(arena.keep(arena_text(i)));
  }
  size_t good = 0;
  for (size_t i = 0; i < 2000; ++i) {
    const auto same = std::count(runs[i].begin(), runs[i].end(), i);
    good += static_cast<size_t>(same) == runs[i].size() && texts[i] == arena_text(i) ? 1U : 0U;
  }
  CHECK(good == 2000);
}

TEST_CASE("arena: huge runs, alone and between small ones") {
  constexpr size_t kHuge = size_t{20} << 20;
  Arena arena;
  for (int round = 0; round < 2; ++round) {
    const Bytes before = arena.keep("before");
    const std::span<char> huge = arena.make<char>(kHuge);
    std::fill(huge.begin(), huge.end(), 'h');
    const Bytes behind = arena.keep("behind");
    check_that_texts_stay(arena, 500);
    CHECK(std::count(huge.begin(), huge.end(), 'h') == static_cast<ptrdiff_t>(kHuge));
    CHECK(before == "before");
    CHECK(behind == "behind");
    arena.clear();
    check_that_texts_stay(arena, 500);
    arena.clear();
  }
}

TEST_CASE("arena: after a clear the same room is given again") {
  Arena arena;
  const char* const first = arena.keep("text").data();
  arena.clear();
  CHECK(arena.keep("text").data() == first);
}
