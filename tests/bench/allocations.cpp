// Counts what check and dump allocate: a number a file, not a number a key.
//
// Usage: bench_allocations [KEYS]. Reads files of KEYS and of four times as many keys out of memory, one
// thread, and prints the allocations of each. Exit status 1 if the larger file costs noticeably more than the
// smaller: unlike times, these numbers are the same on every machine.
#include <fmt/core.h>

#include <atomic>
#include <cstdlib>
#include <iterator>
#include <random>
#include <string>

#include "base/crc64.hpp"
#include "base/endian.hpp"
#include "persist/check.hpp"
#include "persist/dump.hpp"
#include "persist/source.hpp"

namespace {

std::atomic<uint64_t> allocations{0};

}  // namespace

// Everything that takes memory ends in one of these, operator new as well.
extern "C" {

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}

}  // extern "C"

namespace persist {

namespace {

// A string of less than 64 bytes with its length in front.
std::string short_string(const std::string& text) { return static_cast<char>(text.size()) + text; }

// Five encodings in turn: strings, compressed strings, listpacks, quicklists, plain hashes.
std::string value_of(size_t number) {
  static const std::string kListpack("\x12\0\0\0\x02\0\x82vw\x03\x85value\x06\xff", 18);
  const std::string text = std::to_string(number);
  switch (number % 5) {
    case 0:
      return short_string("value " + text);
    case 1:  // "x", then 40 times what stands one byte before
      return std::string("\xc3\x05\x29\x00x\xe0\x1f\x00", 8);
    case 2:
      return short_string(kListpack);
    case 3:
      return std::string("\x02\x02", 2) + short_string(kListpack) + "\x01" + short_string("plain " + text);
    default:
      return "\x02" + short_string("a") + short_string(text) + short_string("b") + short_string("");
  }
}

std::string make_file(size_t keys) {
  constexpr char kCodes[] = {0, 0, 16, 18, 4};
  std::string file = "REDIS0011";
  file += std::string("\xfe\x00", 2);
  for (size_t number = 0; number < keys; ++number) {
    file += kCodes[number % std::size(kCodes)];
    file += short_string("key:" + std::to_string(number * 7919));
    file += value_of(number);
  }
  file += '\xff';
  const uint64_t checksum = crc64(0, file);
  for (int shift = 0; shift < 64; shift += 8) file += static_cast<char>(checksum >> shift);
  return file;
}

class Nowhere : public ByteSink {
 public:
  void write(Bytes bytes) override { bytes_ += bytes.size(); }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  uint64_t bytes_ = 0;
};

struct Cost {
  uint64_t check = 0;
  uint64_t dump = 0;
};

[[noreturn]] void give_up(const std::string& what) {
  fmt::print(stderr, "bench_allocations: {}\n", what);
  std::exit(2);
}

Cost cost_of(size_t keys) {
  const std::string file = make_file(keys);
  FindingList findings;
  Cost cost;
  uint64_t before = allocations;
  CheckOptions check_options;
  check_options.threads = 1;
  const CheckSummary checked = check_rdb(*memory_source(file), findings, check_options);
  cost.check = allocations - before;

  Nowhere nowhere;
  before = allocations;
  DumpOptions dump_options;
  dump_options.threads = 1;
  const DumpSummary dumped = dump_rdb(*memory_source(file), nowhere, findings, dump_options);
  cost.dump = allocations - before;

  for (const Finding& finding : findings.all) give_up(finding.message());
  if (checked.keys != keys || dumped.written != keys || nowhere.bytes() < file.size())
    give_up("keys are missing");
  fmt::print("{:>9} keys: check {:>6} allocations ({:.4f} a key), dump {:>6} ({:.4f} a key)\n", keys,
             cost.check, static_cast<double>(cost.check) / static_cast<double>(keys), cost.dump,
             static_cast<double>(cost.dump) / static_cast<double>(keys));
  return cost;
}

}  // namespace

}  // namespace persist

int main(int argc, char** argv) {
  constexpr uint64_t kMoreMax =
      512;  // tables that double, in each partition of the search for duplicate keys
  const size_t keys = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 50'000;
  if (keys == 0) persist::give_up("usage: bench_allocations [KEYS]");
  persist::cost_of(keys);  // what is allocated once a process
  const persist::Cost few = persist::cost_of(keys);
  const persist::Cost many = persist::cost_of(4 * keys);
  if (many.check <= few.check + kMoreMax && many.dump <= few.dump + kMoreMax) return 0;
  fmt::print(stderr, "bench_allocations: four times the keys took more than {} allocations more\n", kMoreMax);
  return 1;
}
