// The hot loops alone, with Google Benchmark: checksum, decompression, JSON strings, listpacks.
#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "base/crc64.hpp"
#include "codec/listpack.hpp"
#include "codec/lzf.hpp"
#include "text/json_string.hpp"

namespace persist {

namespace {

std::string noise(size_t size) {
  std::mt19937 random(7);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string letters(size_t size) {
  std::mt19937 random(7);
  std::string text(size, '\0');
  for (char& letter : text) letter = static_cast<char>('a' + random() % 26);
  return text;
}

void count_bytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(bytes) * static_cast<int64_t>(state.iterations()));
}

void checksum(benchmark::State& state) {
  const std::string bytes = noise(static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(crc64(0, bytes));
  count_bytes(state, bytes.size());
}
BENCHMARK(checksum)->Arg(16)->Arg(256)->Arg(4096)->Arg(1 << 20);

// --- LZF ------------------------------------------------------------------------------------------------

struct Packed {
  std::string packed;
  std::string inflated;
};

// Runs of new bytes, each followed by a copy from up to `distance` bytes before: as many as the averages say,
// but never so regularly that a processor could learn them.
Packed lzf_stream(size_t size, size_t literals, size_t copied, size_t distance) {
  std::mt19937 random(11);
  const auto around = [&](size_t average, size_t least) {
    return least + random() % (2 * (average - least) + 1);
  };
  Packed stream;
  const std::string fresh = letters(size);
  while (stream.inflated.size() + 2 * (literals + copied) < size) {
    const size_t run = around(literals, 1);
    stream.packed += static_cast<char>(run - 1);
    stream.packed.append(fresh, stream.inflated.size(), run);
    stream.inflated.append(fresh, stream.inflated.size(), run);
    const size_t back = random() % std::min(distance, stream.inflated.size());
    const size_t length = around(copied, 3) - 2;
    stream.packed += static_cast<char>((std::min<size_t>(length, 7) << 5) | (back >> 8));
    if (length >= 7) stream.packed += static_cast<char>(length - 7);
    stream.packed += static_cast<char>(back & 0xff);
    for (size_t i = 0; i < length + 2; ++i)
      stream.inflated += stream.inflated[stream.inflated.size() - back - 1];
  }
  return stream;
}

void lzf_arguments(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"literals", "copied", "distance"});
  bench->Args({4, 5, 60});     // JSON: short runs, short copies
  bench->Args({12, 8, 2000});  // prose
  bench->Args({2, 120, 1});    // padding
  bench->Args({16, 4, 8000});  // hardly compressible
}

Packed lzf_case(const benchmark::State& state) {
  const auto argument = [&](size_t i) { return static_cast<size_t>(state.range(i)); };
  return lzf_stream(50'000, argument(0), argument(1), argument(2));
}

void lzf_inflate(benchmark::State& state) {
  const Packed stream = lzf_case(state);
  std::string out(stream.inflated.size() + kLzfSlack, '\0');
  for (auto _ : state) {
    if (inflate_lzf(stream.packed, out.data(), stream.inflated.size()) != LzfFault::none)
      state.SkipWithError("does not inflate");
    benchmark::DoNotOptimize(out.data());
  }
  if (out.compare(0, stream.inflated.size(), stream.inflated) != 0) state.SkipWithError("inflates wrongly");
  count_bytes(state, stream.inflated.size());
}
BENCHMARK(lzf_inflate)->Apply(lzf_arguments);

void lzf_validate(benchmark::State& state) {
  const Packed stream = lzf_case(state);
  for (auto _ : state) {
    if (validate_lzf(stream.packed, stream.inflated.size()) != LzfFault::none)
      state.SkipWithError("is refused");
  }
  count_bytes(state, stream.inflated.size());
}
BENCHMARK(lzf_validate)->Apply(lzf_arguments);

// --- JSON strings ---------------------------------------------------------------------------------------

void json_string(benchmark::State& state, const std::string& text) {
  ByteBuffer out;
  for (auto _ : state) {
    out.clear();
    append_json_string(out, text);
    benchmark::DoNotOptimize(out.bytes().data());
  }
  count_bytes(state, text.size());
}

std::string repeated(const std::string& piece, size_t size) {
  std::string text;
  while (text.size() + piece.size() <= size) text += piece;
  return text;
}

BENCHMARK_CAPTURE(json_string, letters_16, letters(16));
BENCHMARK_CAPTURE(json_string, letters_32, letters(32));
BENCHMARK_CAPTURE(json_string, letters_4096, letters(4096));
BENCHMARK_CAPTURE(json_string, quotes_4096, repeated("{\"key\":\"value\"}", 4096));
BENCHMARK_CAPTURE(json_string, umlauts_4096,
                  repeated("Stra\xc3\x9f"
                           "e und Gr\xc3\xbc\xc3\x9f"
                           "e, ",
                           4096));
BENCHMARK_CAPTURE(json_string, binary_64, noise(64));
BENCHMARK_CAPTURE(json_string, binary_4096, noise(4096));

// --- Listpacks ------------------------------------------------------------------------------------------

// Entries of `size` letters each, or 16-bit numbers if `size` is 0.
std::string listpack(size_t entries, size_t size) {
  std::string body;
  for (size_t i = 0; i < entries; ++i) {
    if (size == 0) {
      body += "\xf1";
      body += static_cast<char>(i & 0xff);
      body += "\x10\x03";
    } else {
      body += static_cast<char>(0x80 + size);
      body += letters(size);
      body += static_cast<char>(size + 1);
    }
  }
  const size_t total = body.size() + 7;
  std::string pack;
  for (int shift = 0; shift < 32; shift += 8) pack += static_cast<char>(total >> shift);
  pack += static_cast<char>(entries & 0xff);
  pack += static_cast<char>(entries >> 8);
  return pack + body + '\xff';
}

void listpack_walk(benchmark::State& state) {
  const auto entries = static_cast<size_t>(state.range(0));
  const std::string pack = listpack(entries, static_cast<size_t>(state.range(1)));
  for (auto _ : state) {
    ListpackReader reader({pack, 0, false});
    PackedItem item;
    while (reader.next(item)) benchmark::DoNotOptimize(item);
  }
  state.SetItemsProcessed(static_cast<int64_t>(entries) * static_cast<int64_t>(state.iterations()));
  count_bytes(state, pack.size());
}
BENCHMARK(listpack_walk)
    ->ArgNames({"entries", "size"})
    ->Args({8, 10})
    ->Args({128, 0})
    ->Args({128, 10})
    ->Args({128, 60});

}  // namespace

}  // namespace persist

BENCHMARK_MAIN();
