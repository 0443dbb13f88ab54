// Sources: windows over memory, files, pipes and packed files.
#include "persist/source.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <system_error>

#include "io/block_source.hpp"
#include "io/sources.hpp"
#include "support/bytes_builder.hpp"
#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// Reads all of it in steps, always keeping the last `kept` bytes.
std::string read_all(ByteSource& source, uint64_t step, uint64_t kept = 0) {
  std::string all;
  for (;;) {
    const uint64_t from = all.size() - std::min<uint64_t>(all.size(), kept);
    const Window window = source.window(from, all.size() - from + step);
    REQUIRE(window.bytes.substr(0, all.size() - from) == Bytes(all).substr(from));
    if (window.bytes.size() <= all.size() - from) return all;
    all += window.bytes.substr(all.size() - from);
  }
}

int error_of(const std::string& path) {
  try {
    open_source(path);
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

}  // namespace

TEST_CASE("memory: windows reach to the end") {
  const auto source = memory_source("hello", "name");
  CHECK(source->name() == "name");
  CHECK(source->rereadable());
  CHECK(source->size() == 5);
  CHECK(source->window(0, 1).bytes == "hello");
  CHECK(source->window(3, 100).bytes == "lo");
  CHECK(source->window(5, 1).bytes.empty());
  CHECK(source->window(~uint64_t{0}, 1).bytes.empty());
  CHECK(source->damage() == nullptr);
}

TEST_CASE("memory: a view with an offset") {
  const auto source = memory_source_at("hello", 100, "name");
  CHECK(source->size() == 105);
  CHECK(source->window(100, 1).bytes == "hello");
  CHECK(source->window(104, 1).bytes == "o");
}

TEST_CASE("file: windows of any step give the file") {
  const TempFolder folder;
  const std::string bytes = noise(3 * kWindowBytes + 12345);
  const std::string path = folder.file("data", bytes);
  for (const uint64_t step : {uint64_t{1}, uint64_t{kWindowBytes} - 1, uint64_t{kWindowBytes},
                              uint64_t{kWindowBytes} + 1, uint64_t{2'000'000}}) {
    CAPTURE(step);
    const auto source = open_source(path);
    CHECK(source->size() == bytes.size());
    CHECK(read_all(*source, step) == bytes);
    CHECK(source->damage() == nullptr);
  }
}

TEST_CASE("file: what is carried over a window's end is still there") {
  const TempFolder folder;
  const std::string bytes = noise(3 * kWindowBytes + 77);
  const auto source = open_source(folder.file("data", bytes));
  CHECK(read_all(*source, 1000, 700) == bytes);
  const auto again = open_source(folder.path("data"));
  CHECK(read_all(*again, kWindowBytes / 3, kWindowBytes + 5) == bytes);
}

TEST_CASE("file: going back, and beyond the end") {
  const TempFolder folder;
  const std::string bytes = noise(2 * kWindowBytes);
  const auto source = open_source(folder.file("data", bytes));
  CHECK(source->rereadable());
  CHECK(source->window(kWindowBytes + 100, 10).bytes.substr(0, 10) ==
        Bytes(bytes).substr(kWindowBytes + 100, 10));
  CHECK(source->window(5, 10).bytes.substr(0, 10) == Bytes(bytes).substr(5, 10));
  CHECK(source->window(bytes.size(), 1).bytes.empty());
  CHECK(source->window(bytes.size() + 1000, 1).bytes.empty());
  CHECK(source->window(bytes.size() - 3, 1'000'000).bytes == Bytes(bytes).substr(bytes.size() - 3));
  CHECK(source->window(0, ~uint64_t{0}).bytes == bytes);
  CHECK(source->damage() == nullptr);
}

TEST_CASE("file: windows outlive those after them") {
  const TempFolder folder;
  const std::string bytes = noise(20 * kWindowBytes);
  auto source = open_source(folder.file("data", bytes));
  std::vector<std::pair<uint64_t, Window>> windows;
  for (uint64_t at = 0; at < bytes.size(); at += kWindowBytes / 2)
    windows.emplace_back(at, source->window(at, 100));
  source.reset();
  for (const auto& [at, window] : windows)
    CHECK(window.bytes == Bytes(bytes).substr(at, window.bytes.size()));
}

TEST_CASE("file: one that shrinks under us ends early and says so") {
  const TempFolder folder;
  const std::string path = folder.file("data", noise(4 * kWindowBytes));
  const auto source = open_source(path);
  CHECK(source->window(0, 10).bytes.size() >= 10);
  std::filesystem::resize_file(path, kWindowBytes + 100);
  const Window window = source->window(kWindowBytes, 1000);
  CHECK(window.bytes.size() == 100);
  REQUIRE(source->damage() != nullptr);
  CHECK(source->damage()->code == FindingCode::source_shrank);
  CHECK(source->damage()->file == path);
  CHECK(source->damage()->extent.offset == kWindowBytes + 100);
}

TEST_CASE("file: what is appended while we read is not ours") {
  const TempFolder folder;
  const std::string path = folder.file("data", "before");
  const auto source = open_source(path);
  write_file(path, "before and after");
  CHECK(source->window(0, 100).bytes == "before");
}

TEST_CASE("pipe: windows of any step give what was written") {
  const std::string bytes = noise(3 * kWindowBytes + 54321);
  for (const uint64_t step : {uint64_t{1}, uint64_t{100'000}, uint64_t{kWindowBytes} + 1, ~uint64_t{0} / 2}) {
    CAPTURE(step);
    PipedSource pipe(bytes);
    CHECK_FALSE(pipe.source().rereadable());
    CHECK_FALSE(pipe.source().size().has_value());
    CHECK(read_all(pipe.source(), step) == bytes);
  }
  PipedSource pipe(bytes);
  CHECK(read_all(pipe.source(), 5000, 200'000) == bytes);
}

TEST_CASE("pipe: skipping forward, and beyond the end") {
  const std::string bytes = noise(2 * kWindowBytes);
  PipedSource pipe(bytes);
  CHECK(pipe.source().window(kWindowBytes + 500, 10).bytes.substr(0, 10) ==
        Bytes(bytes).substr(kWindowBytes + 500, 10));
  CHECK(pipe.source().window(bytes.size() + 5, 1).bytes.empty());
}

TEST_CASE("pipe: an empty one") {
  PipedSource pipe("");
  CHECK(pipe.source().window(0, 1).bytes.empty());
  CHECK(pipe.source().window(0, 1).bytes.empty());
}

TEST_CASE("open: what cannot be opened") {
  const TempFolder folder;
  CHECK(error_of(folder.path("absent")) == ENOENT);
  CHECK(error_of(folder.path()) == EISDIR);
}

TEST_CASE("open: a device is read as a pipe") {
  const auto source = open_source("/dev/null");
  CHECK_FALSE(source->rereadable());
  CHECK(source->window(0, 1).bytes.empty());
}

TEST_CASE("open: an empty file") {
  const TempFolder folder;
  const auto source = open_source(folder.file("empty", ""));
  CHECK(source->size() == 0);
  CHECK(source->window(0, 1).bytes.empty());
  CHECK(source->damage() == nullptr);
}
