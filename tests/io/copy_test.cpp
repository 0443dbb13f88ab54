// Copying out of sources, and making them rereadable.
#include "io/copy.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "io/sources.hpp"
#include "support/bytes_builder.hpp"
#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

class StringSink : public ByteSink {
 public:
  void write(Bytes bytes) override {
    largest = std::max(largest, bytes.size());
    text += bytes;
  }
  std::string text;
  size_t largest = 0;
};

std::string all_of(ByteSource& source) { return std::string(source.window(0, uint64_t{1} << 30).bytes); }

}  // namespace

TEST_CASE("copy_range: exactly the extent, from any place") {
  const TempFolder folder;
  const std::string bytes = noise(2'000'000);
  const auto source = open_source(folder.file("in", bytes));
  for (const Extent what : {Extent{0, 2'000'000}, {1'999'999, 1}, {500'000, 1'000'000}, {7, 0}, {0, 1}}) {
    StringSink sink;
    copy_range(*source, what, sink);
    CHECK(sink.text == bytes.substr(what.offset, what.size));
    CHECK(sink.largest < 1'100'000);
  }
}

TEST_CASE("copy_range: a pipe, onwards only") {
  PipedSource piped(noise(1'000'000));
  StringSink sink;
  copy_range(piped.source(), {10, 100}, sink);
  copy_range(piped.source(), {500'000, 500'000}, sink);
  const std::string bytes = noise(1'000'000);
  CHECK(sink.text == bytes.substr(10, 100) + bytes.substr(500'000));
}

TEST_CASE("copy_range: a source that ends early") {
  const TempFolder folder;
  const std::string path = folder.file("in", noise(2'000'000));
  const auto source = open_source(path);
  REQUIRE(::truncate(path.c_str(), 1'000'000) == 0);
  StringSink sink;
  CHECK(error_of([&] { copy_range(*source, {0, 2'000'000}, sink); }, path) == EIO);
  CHECK(sink.text.size() == 1'000'000);
  const auto small = memory_source("abc", "small");
  CHECK(error_of([&] { copy_range(*small, {0, ~uint64_t{0}}, sink); }, "small") == EIO);
  CHECK(error_of([&] { copy_range(*small, {9, 1}, sink); }, "small") == EIO);
}

TEST_CASE("spool: a pipe becomes rereadable") {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{3'000'000}}) {
    const std::string bytes = noise(size);
    PipedSource piped(bytes);
    REQUIRE(piped.source().window(0, 4).bytes.size() >= std::min<size_t>(size, 4));
    const auto copy = spool(piped.source());
    CHECK(copy->rereadable());
    CHECK(copy->size() == size);
    CHECK(copy->name() == piped.source().name());
    CHECK(copy->compression() == Compression::none);
    CHECK(copy->damage() == nullptr);
    for (int times = 0; times < 2; ++times) CHECK(all_of(*copy) == bytes);
    CHECK(copy->damage() == nullptr);
  }
}

TEST_CASE("spool: what was torn stays torn") {
  const std::string packed = gzip_of(noise(1'000'000));
  const auto source = gzip_source(memory_source(Bytes(packed).substr(0, packed.size() / 2), "x.gz"));
  const auto copy = spool(*source);
  CHECK(copy->compression() == Compression::gzip);
  CHECK(copy->damage() == nullptr);
  const std::string bytes = all_of(*copy);
  CHECK(bytes == noise(1'000'000).substr(0, bytes.size()));
  REQUIRE(copy->damage() != nullptr);
  CHECK(copy->damage()->code == FindingCode::source_gzip);
}

TEST_CASE("spool: where temporary files go") {
  const TempFolder folder;
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  const auto set = [](const std::string& to) {
    to.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", to.c_str(), 1);
  };
  const auto source = memory_source("abc");
  set(folder.path());
  const auto copy = spool(*source);
  CHECK(folder.names().empty());
  CHECK(all_of(*copy) == "abc");
  {
    const FileSizeLimit limit(2);
    CHECK(error_of([&] { (void)spool(*source); }, folder.path()) == EFBIG);
  }
  set(folder.path("absent"));
  CHECK(error_of([&] { (void)spool(*source); }, folder.path("absent")) == ENOENT);
  set(kept);
}
