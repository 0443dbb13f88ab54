// A source with splices gives the bytes that a string with the same splices holds, whichever windows are
// asked for.
#include "io/spliced_source.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/bytes_builder.hpp"
#include "support/drip_source.hpp"
#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr uint64_t kWhole = ~uint64_t{0};

// What the bytes are, and of each byte of the original that stayed where it is now.
struct SplicedModel {
  std::string bytes;
  std::vector<std::pair<uint64_t, uint64_t>> kept;  // origin, place
};

SplicedModel splice_text(Bytes original, const std::vector<Splice>& splices, uint64_t end) {
  SplicedModel model;
  size_t next = 0;
  end = std::min<uint64_t>(end, original.size());
  for (uint64_t at = 0; at <= end; ++at) {
    while (next < splices.size() && splices[next].drop.offset == at) model.bytes += splices[next++].insert;
    const bool dropped = next > 0 && at < splices[next - 1].drop.end();
    if (dropped || at == end) continue;
    model.kept.emplace_back(at, model.bytes.size());
    model.bytes += original[at];
  }
  return model;
}

// Asks in order, and reads on behind what comes.
std::string read_spliced(ByteSource& source, uint64_t min) {
  std::string all;
  for (;;) {
    const Window window = source.window(all.size(), min);
    if (window.bytes.empty()) return all;
    all += window.bytes;
  }
}

std::vector<Splice> random_splices(std::mt19937& random, uint64_t size, uint64_t step_max) {
  std::vector<Splice> splices;
  const auto below = [&](uint64_t bound) {
    return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random);
  };
  for (uint64_t at = below(step_max); at <= size; at += below(step_max)) {
    splices.push_back({{at, below(2) * below(5)}, noise(below(3) * below(4), static_cast<uint32_t>(at))});
    at += splices.back().drop.size + 1;
  }
  return splices;
}

}  // namespace

TEST_CASE("spliced: edges") {
  struct Row {
    std::vector<Splice> splices;
    uint64_t end;
    std::string bytes;
  };
  const std::vector<Row> rows{
      {{}, kWhole, "0123456789"},
      {{}, 4, "0123"},
      {{}, 0, ""},
      {{{{0, 10}, ""}}, kWhole, ""},
      {{{{0, 10}, "x"}}, kWhole, "x"},
      {{{{0, kWhole}, "x"}}, kWhole, "x"},
      {{{{0, 0}, "ab"}}, kWhole, "ab0123456789"},
      {{{{10, 0}, "ab"}}, kWhole, "0123456789ab"},
      {{{{11, 0}, "ab"}}, kWhole, "0123456789"},
      {{{{4, 0}, "ab"}}, 4, "0123ab"},
      {{{{5, 0}, "ab"}}, 4, "0123"},
      {{{{3, 3}, "ab"}}, 4, "012ab"},
      {{{{3, 1}, "x"}}, kWhole, "012x456789"},
      {{{{3, 1}, ""}, {{4, 1}, ""}}, kWhole, "01256789"},
      {{{{3, 0}, "a"}, {{3, 1}, "b"}}, kWhole, "012ab456789"},
      {{{{8, 2}, "abc"}}, kWhole, "01234567abc"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes);
    const auto original = memory_source("0123456789", "name");
    SplicedSource source(*original, row.splices, row.end);
    CHECK(source.rereadable());
    CHECK(source.name() == "name");
    CHECK(source.size() == row.bytes.size());
    CHECK(source.window(0, kWhole).bytes == row.bytes);
    CHECK(source.window(row.bytes.size(), 1).bytes.empty());
    CHECK(source.window(kWhole, kWhole).bytes.empty());
    CHECK(source.origin(row.bytes.size()) == std::min<uint64_t>(row.end, 10));
    CHECK(source.place(10) == row.bytes.size());
    CHECK(source.damage() == nullptr);
    CHECK(source.compression() == Compression::none);
    CHECK(read_spliced(source, 1) == row.bytes);
    for (size_t at = 0; at < row.bytes.size(); ++at)
      CHECK(source.window(at, 1).bytes.substr(0, 1) == Bytes(row.bytes).substr(at, 1));
  }
}

TEST_CASE("spliced: any splices, any windows, and places there and back") {
  std::mt19937 random(7);
  const auto below = [&](uint64_t bound) {
    return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random);
  };
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    const std::string original = noise(below(3000), static_cast<uint32_t>(round));
    const uint64_t end = below(2) == 0 ? kWhole : below(original.size() + 1);
    const std::vector<Splice> splices = random_splices(random, original.size(), 1 + below(500));
    const SplicedModel model = splice_text(original, splices, end);
    DripSource drip(original, true);
    SplicedSource source(drip, splices, end);
    REQUIRE(source.size() == model.bytes.size());
    REQUIRE(read_spliced(source, 1 + below(100)) == model.bytes);
    for (int i = 0; i < 100; ++i) {
      const uint64_t at = below(model.bytes.size() + 2);
      const uint64_t min = below(1000);
      const Window window = source.window(at, min);
      const Bytes wanted = at < model.bytes.size() ? Bytes(model.bytes).substr(at) : Bytes();
      REQUIRE(window.bytes.size() >= std::min<uint64_t>(wanted.size(), std::max<uint64_t>(min, 1)));
      REQUIRE(window.bytes == wanted.substr(0, window.bytes.size()));
    }
    for (const auto& [origin, place] : model.kept) {
      REQUIRE(source.place(origin) == place);
      REQUIRE(source.origin(place) == origin);
    }
  }
}

TEST_CASE("spliced: where what was left out would be, and where what was put in stands") {
  const auto original = memory_source("0123456789");
  SplicedSource source(*original, {{{2, 3}, ""}, {{6, 2}, "abc"}}, kWhole);
  REQUIRE(source.window(0, kWhole).bytes == "015abc89");
  for (const uint64_t dropped : std::vector<uint64_t>{2, 3, 4, 5}) CHECK(source.place(dropped) == 2);
  CHECK(source.place(6) == 3);
  CHECK(source.place(7) == 4);
  CHECK(source.place(8) == 6);
  for (const uint64_t inserted : std::vector<uint64_t>{3, 4, 5}) CHECK(source.origin(inserted) == 6);
  CHECK(source.origin(6) == 8);
}

TEST_CASE("spliced: a large piece is not copied, and around a splice no more than a block is") {
  const std::string bytes = noise(4 * kWindowBytes);
  const uint64_t middle = 2 * kWindowBytes;
  const auto original = memory_source(bytes);
  SplicedSource source(*original, {{{middle, 1}, "x"}}, kWhole);

  const Window before = source.window(100, 50);
  CHECK(before.bytes.data() == bytes.data() + 100);
  CHECK(before.bytes.size() == middle - 100);
  const Window behind = source.window(middle + 1, 1);
  CHECK(behind.bytes.data() == bytes.data() + middle + 1);
  CHECK(behind.bytes.size() == bytes.size() - middle - 1);

  const Window across = source.window(middle - 10, 1);
  CHECK(across.bytes.size() == kWindowBytes);
  CHECK(across.bytes.substr(0, 12) == bytes.substr(middle - 10, 10) + "x" + bytes[middle + 1]);
  CHECK(across.keep != nullptr);
  // From inside of it, no other is made; a view in it outlives the next.
  const Window inside = source.window(middle, 5);
  CHECK(inside.bytes.data() == across.bytes.data() + 10);
  const Window larger = source.window(middle, kWindowBytes + 1);
  CHECK(larger.bytes.size() >= kWindowBytes + 1);
  CHECK(larger.bytes.substr(0, inside.bytes.size()) == inside.bytes);
  CHECK(source.window(0, kWhole).bytes.size() == bytes.size());
}

TEST_CASE("spliced: asking for a byte more each time copies a few times only") {
  const std::string bytes = noise(4 * kWindowBytes);
  const auto original = memory_source(bytes);
  SplicedSource source(*original, {{{1, 1}, "x"}}, kWhole);
  std::vector<const void*> blocks;
  for (uint64_t min = 1; min < bytes.size(); min += 100) {
    const Window window = source.window(0, min);
    REQUIRE(window.bytes.size() >= min);
    if (blocks.empty() || blocks.back() != window.bytes.data()) blocks.push_back(window.bytes.data());
  }
  CHECK(blocks.size() <= 4);
}

TEST_CASE("spliced: many splices") {
  const std::string bytes = noise(2'000'000);
  std::vector<Splice> splices;
  for (uint64_t at = 0; at < bytes.size(); at += 20) splices.push_back({{at, 1}, "x"});
  std::string wanted = bytes;
  for (uint64_t at = 0; at < bytes.size(); at += 20) wanted[at] = 'x';
  const TempFolder folder;
  const auto file = open_source(folder.file("data", bytes));
  SplicedSource source(*file, splices, kWhole);
  CHECK(read_spliced(source, 100) == wanted);
}

TEST_CASE("spliced: a source that shrinks ends early, and its damage is told") {
  const TempFolder folder;
  const auto file = open_source(folder.file("data", noise(4 * kWindowBytes)));
  SplicedSource source(*file, {{{3 * kWindowBytes, 1}, "x"}}, kWhole);
  std::filesystem::resize_file(folder.path("data"), kWindowBytes + 100);
  CHECK(read_spliced(source, 1).size() == kWindowBytes + 100);
  CHECK(source.window(3 * kWindowBytes - 10, 100).bytes.empty());
  REQUIRE(source.damage() != nullptr);
  CHECK(source.damage()->code == FindingCode::source_shrank);
}
