// gzip, zstd and LZ4: whole, of several members, torn, damaged, and followed by something else.
#include <doctest/doctest.h>

#include "io/block_source.hpp"
#include "support/bytes_builder.hpp"
#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct Packing {
  Bytes name;
  Compression compression;
  std::string (*pack)(Bytes);
  FindingCode damage;
};

const std::vector<Packing>& packings() {
  static const std::vector<Packing> all = {
      {"gzip", Compression::gzip, gzip_of, FindingCode::source_gzip},
#ifdef PERSIST_WITH_ZSTD
      {"zstd", Compression::zstd, zstd_of, FindingCode::source_zstd},
#endif
#ifdef PERSIST_WITH_LZ4
      {"lz4", Compression::lz4, lz4_of, FindingCode::source_lz4},
#endif
  };
  return all;
}

// Text that packs, so that a packed byte stands for many.
std::string sample_text(size_t size) {
  std::string text;
  for (size_t i = 0; text.size() < size; ++i) text += "line " + std::to_string(i * 7919 % 1000) + "\n";
  text.resize(size);
  return text;
}

std::string inflate(ByteSource& source, uint64_t step = 100'000) {
  std::string all;
  for (;;) {
    const Window window = source.window(all.size(), step);
    if (window.bytes.empty()) return all;
    all += window.bytes;
  }
}

struct Unpacked {
  std::string text;
  std::optional<FindingCode> damage;
  uint64_t damaged_at = 0;
};

Unpacked unpack(const std::string& packed) {
  const TempFolder folder;
  const auto source = open_source(folder.file("packed", packed));
  Unpacked unpacked{inflate(*source), {}, 0};
  if (source->damage() != nullptr) {
    unpacked.damage = source->damage()->code;
    unpacked.damaged_at = source->damage()->extent.offset;
  }
  return unpacked;
}

}  // namespace

TEST_CASE("packed: recognised by its first bytes") {
  for (const Packing& packing : packings())
    CHECK(recognise_compression(packing.pack("x")) == packing.compression);
  CHECK(recognise_compression("REDIS0011") == Compression::none);
  CHECK(recognise_compression("\x1f") == Compression::none);
  CHECK(recognise_compression("") == Compression::none);
}

TEST_CASE("packed: of any size") {
  for (const Packing& packing : packings()) {
    for (const size_t size : {size_t{0}, size_t{1}, kWindowBytes - 1, kWindowBytes, 5 * kWindowBytes + 3}) {
      CAPTURE(packing.name);
      CAPTURE(size);
      const std::string text = sample_text(size);
      const Unpacked unpacked = unpack(packing.pack(text));
      CHECK(unpacked.text == text);
      CHECK_FALSE(unpacked.damage.has_value());
    }
  }
}

TEST_CASE("packed: what does not pack") {
  for (const Packing& packing : packings()) {
    CAPTURE(packing.name);
    const std::string bytes = noise(2 * kWindowBytes);
    CHECK(unpack(packing.pack(bytes)).text == bytes);
  }
}

TEST_CASE("packed: is read once only and has no size") {
  const TempFolder folder;
  for (const Packing& packing : packings()) {
    const auto source = open_source(folder.file("packed", packing.pack("text")));
    CHECK_FALSE(source->rereadable());
    CHECK_FALSE(source->size().has_value());
    CHECK(source->name() == folder.path("packed"));
  }
}

TEST_CASE("packed: several members are one stream") {
  const std::string one = sample_text(300'000);
  for (const Packing& packing : packings()) {
    CAPTURE(packing.name);
    std::string packed;
    std::string whole;
    for (int i = 0; i < 5; ++i) {
      packed += packing.pack(one + std::to_string(i));
      whole += one + std::to_string(i);
    }
    packed += packing.pack("") + packing.pack("end");
    const Unpacked unpacked = unpack(packed);
    CHECK(unpacked.text == whole + "end");
    CHECK_FALSE(unpacked.damage.has_value());
  }
}

TEST_CASE("packed: torn at every byte of a small stream") {
  const std::string text = sample_text(2000);
  for (const Packing& packing : packings()) {
    CAPTURE(packing.name);
    const std::string packed = packing.pack(text);
    for (size_t cut = 4; cut < packed.size(); ++cut) {
      CAPTURE(cut);
      const Unpacked unpacked = unpack(packed.substr(0, cut));
      CHECK(unpacked.damage == packing.damage);
      CHECK(unpacked.damaged_at == cut);
      CHECK(text.starts_with(unpacked.text));
    }
  }
}

TEST_CASE("packed: torn between and inside later members") {
  const std::string one = sample_text(5000);
  for (const Packing& packing : packings()) {
    CAPTURE(packing.name);
    const std::string member = packing.pack(one);
    CHECK_FALSE(unpack(member + member).damage.has_value());
    const Unpacked torn = unpack(member + member.substr(0, member.size() / 2));
    CHECK(torn.damage == packing.damage);
    CHECK(torn.text.starts_with(one));
  }
}

TEST_CASE("packed: bytes changed never go unnoticed, unless they change nothing") {
  const std::string text = sample_text(3000);
  for (const Packing& packing : packings()) {
    CAPTURE(packing.name);
    const std::string packed = packing.pack(text);
    // zstd frames made this way have no checksum: there only the frame itself must hold.
    const bool summed = packing.compression != Compression::zstd;
    for (size_t at = 4; at < packed.size(); at += 3) {
      CAPTURE(at);
      std::string changed = packed;
      changed[at] = static_cast<char>(changed[at] ^ 0x55);
      const Unpacked unpacked = unpack(changed);
      if (summed && at >= 10) CHECK((unpacked.damage == packing.damage || unpacked.text == text));
    }
  }
}

TEST_CASE("gzip: what follows the last member and is none is ignored") {
  const Unpacked unpacked = unpack(gzip_of("text") + "garbage");
  CHECK(unpacked.text == "text");
  CHECK_FALSE(unpacked.damage.has_value());
  CHECK(unpack(gzip_of("text") + std::string(1000, '\0')).text == "text");
}

TEST_CASE("gzip: a magic and nothing else") { CHECK(unpack("\x1f\x8b").damage == FindingCode::source_gzip); }

TEST_CASE("packed: through a pipe of small reads") {
  const std::string text = sample_text(3 * kWindowBytes);
  const TempFolder folder;
  for (const Packing& packing : packings()) {
    const auto source = open_source(folder.file("packed", packing.pack(text)));
    CHECK(inflate(*source, 1) == text);
  }
}
