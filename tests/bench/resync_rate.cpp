// How fast the search for records behind damage is, and what it takes for records that are none.
//
// Usage: bench_resync [MIB [SEED [KIND...]]]. Searches so many MiB of each kind of bytes; prints what kinds
// there are if it knows one of these not. The same seed makes the same bytes on every machine.
//
// Streams hold no records of a file: all chains found in them are false. Of some, the most bits that any
// chain has are looked for, too, beside the time that is measured.
// Values are lost ones: a record of a file whose type code was destroyed, and whose value holds what looks
// like records. Found is the record behind it ("next"), one inside of it ("taken"), one farther on ("past")
// or none.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "base/endian.hpp"
#include "rdb/chain_nodes.hpp"
#include "rdb/resync.hpp"
#include "rdb/sniff.hpp"
#include "support/rdb_builder.hpp"

namespace persist::test {

namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kBlock = 16 * kMiB;
constexpr int64_t kSomeMs = 1'700'000'000'123;

using Random = std::mt19937_64;

// Of processor time, which others that run hardly change.
double seconds_since(std::clock_t start) {
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

struct Writer {
  Dialect dialect;
  uint32_t version;
};
constexpr std::array kWriters = {Writer{redis, 2},  Writer{redis, 6},   Writer{redis, 9},  Writer{redis, 11},
                                 Writer{redis, 14}, Writer{valkey, 11}, Writer{valkey, 80}};

RdbState state_of(Writer writer) {
  RdbState state;
  state.dialect = writer.dialect;
  state.version = writer.version;
  state.has_checksum = writer.version >= kChecksumSince;
  return state;
}

// ------------------------------------------------------------------------------------------------ bytes

std::string random_bytes(Random& random, size_t size) {
  std::string bytes(size + sizeof(uint64_t), '\0');
  for (size_t i = 0; i < size; i += sizeof(uint64_t)) store_le(&bytes[i], uint64_t{random()});
  bytes.resize(size);
  return bytes;
}

std::string out_of(Random& random, size_t size, Bytes letters) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = letters[random() % letters.size()];
  return bytes;
}

// What `piece` makes, again and again.
template <typename Piece>
std::string many(size_t size, Piece piece) {
  std::string bytes;
  while (bytes.size() < size) bytes += piece();
  bytes.resize(size);
  return bytes;
}

std::string word(Random& random) {
  constexpr std::array<Bytes, 16> kSyllables = {"ta", "re",  "ni", "lo", "the", "and", "ing", "er",
                                                "un", "sta", "e",  "or", "a",   "con", "ly",  "is"};
  std::string text;
  for (uint64_t i = 1 + random() % 4; i > 0; --i) text += kSyllables[random() % kSyllables.size()];
  return text;
}

std::string prose(Random& random) {
  constexpr std::array<Bytes, 6> kBetween = {" ", " ", " ", ", ", ".\n", "\t"};
  return word(random) + std::string(kBetween[random() % kBetween.size()]);
}

std::string json(Random& random) {
  return fmt::format("{{\"id\":{},\"{}\":\"{}\",\"price\":{}.{:02},\"tags\":[\"{}\",\"{}\"],\"ok\":true}}\n",
                     random() % 1'000'000, word(random), word(random), random() % 1000, random() % 100,
                     word(random), word(random));
}

std::string small_integer(Random& random) {
  std::string bytes(sizeof(uint32_t), '\0');
  store_le(bytes.data(), static_cast<uint32_t>(random() % 1000));
  return bytes;
}

std::string words_pack(Random& random, size_t items) {
  ListpackBuilder pack;
  for (size_t i = 0; i < items; ++i)
    pack.add(random() % 3 == 0 ? std::to_string(random() % 5000) : word(random));
  return pack.bytes();
}

// A plain list that claims nearly a million elements, each time under another key.
std::string endless_list(Random& random) {
  return "\x01\x04" + out_of(random, 4, "0123456789abcdef") + std::string("\x80\x00\x0f\x00\x00", 5);
}

// A ziplist that claims to inflate to a megabyte, and would for long.
std::string endless_lzf(Random& random) {
  std::string bytes = "\x0a\x04" + out_of(random, 4, "0123456789abcdef");
  bytes += std::string("\xc3\x80\x00\x01\x00\x00\x80\x00\x10\x00\x00\x00x", 13);
  for (int i = 0; i < 20; ++i) bytes += std::string("\xe0\xff\x00", 3);
  return bytes;
}

struct Stream {
  const char* name;
  bool counts_bits;
  std::string (*make)(Random& random, size_t size);
};

const std::array kStreams = {
    Stream{"random", true, random_bytes},
    Stream{"zeros", false, [](Random&, size_t size) { return std::string(size, '\0'); }},
    Stream{"erased", false, [](Random&, size_t size) { return std::string(size, '\xff'); }},
    Stream{"text", true,
           [](Random& random, size_t size) { return many(size, [&] { return prose(random); }); }},
    Stream{"json", true,
           [](Random& random, size_t size) { return many(size, [&] { return json(random); }); }},
    Stream{"base64", true,
           [](Random& random, size_t size) {
             return out_of(random, size, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
           }},
    Stream{"integers", true,
           [](Random& random, size_t size) { return many(size, [&] { return small_integer(random); }); }},
    Stream{"codes-3", false,
           [](Random& random, size_t size) { return out_of(random, size, Bytes("\0\1\2", 3)); }},
    Stream{"codes-6", false,
           [](Random& random, size_t size) { return out_of(random, size, Bytes("\0\1\2\3\4\5", 6)); }},
    Stream{"codes-text", false,
           [](Random& random, size_t size) {
             return out_of(random, size, Bytes("\0\0\1\1\2\4\xc0\3\2\1ab", 12));
           }},
    Stream{"opcodes", false,
           [](Random& random, size_t size) {
             return out_of(random, size, Bytes("\xf8\xf9\xfa\xfb\xfe\0\1a", 8));
           }},
    Stream{"one-lzf", false,
           [](Random&, size_t size) {
             return many(size, [] { return std::string("\x00\x01\x61\xc3\x09\x40\x64\x01", 8); });
           }},
    Stream{"one-list", false,
           [](Random&, size_t size) {
             return many(size, [] { return std::string("\x01\x01\x61\x80\x00\x0f\x00\x00", 8); });
           }},
    Stream{"lists", false,
           [](Random& random, size_t size) { return many(size, [&] { return endless_list(random); }); }},
    Stream{"lzf", false,
           [](Random& random, size_t size) { return many(size, [&] { return endless_lzf(random); }); }},
    Stream{"listpacks", true,
           [](Random& random, size_t size) { return many(size, [&] { return words_pack(random, 2000); }); }},
};

// ------------------------------------------------------------------------------------------------ records

std::string some_key(Random& random) {
  switch (random() % 5) {
    case 0:
      return random_bytes(random, 8);
    case 1:
      return std::to_string(random() % 1'000'000);
    case 2:
      return out_of(random, 36, "0123456789abcdef-");
    default:
      return word(random) + ':' + std::to_string(random() % 1'000'000);
  }
}

Strings some_words(Random& random) {
  Strings all;
  for (uint64_t i = 1 + random() % 40; i > 0; --i) all.push_back(word(random) + std::to_string(i));
  return all;
}

Pairs some_pairs(Random& random) {
  Pairs all;
  for (std::string& text : some_words(random)) all.emplace_back(std::move(text), word(random));
  return all;
}

// A record of a kind that servers write from version 11 on.
void put_record(RdbBuilder& builder, Random& random) {
  const std::string key = some_key(random);
  if (random() % 4 == 0) builder.expire_ms(kSomeMs + static_cast<int64_t>(random() % 1'000'000'000));
  switch (random() % 10) {
    case 0:
      return void(builder.string_int(key, static_cast<int64_t>(random() % 30'000)));
    case 1:
      return void(builder.string(key, random_bytes(random, random() % 300)));
    case 2:
      return void(builder.string_lzf(key, json(random) + json(random)));
    case 3:
      return void(builder.hash(key, some_pairs(random)));
    case 4:
      return void(builder.hash_listpack(key, some_pairs(random)));
    case 5:
      return void(builder.list_quicklist2(key, {{2, words_pack(random, 1 + random() % 60)}}));
    case 6:
      return void(builder.set(key, some_words(random)));
    case 7:
      return void(builder.set_intset(key, {1, 2, 3, static_cast<int64_t>(4 + random() % 1000)}));
    case 8:
      return void(builder.zset(key, {{word(random), 1}, {word(random) + "2", 2.5}}));
    default:
      return void(builder.string(key, json(random)));
  }
}

// Whole records of about so many bytes, in front of them the magic and what follows it, if wanted.
RdbBuilder records(Random& random, size_t size, bool with_magic) {
  RdbBuilder builder = with_magic ? RdbBuilder(redis, 11) : RdbBuilder();
  if (with_magic) builder.aux("redis-ver", "7.2.6").aux("ctime", "1700000000").select(0).resize(100, 5);
  do put_record(builder, random);
  while (builder.size() < size);
  return builder;
}

// What DUMP makes: a type code, a value, and its own end.
std::string dump_payload(Random& random) {
  RdbBuilder builder;
  switch (random() % 3) {
    case 0:
      return builder.raw({"\0", 1}).str(json(random)).dump_payload(11);
    case 1:
      return builder.raw("\x10").str(words_pack(random, 20)).dump_payload(11);
    default:
      builder.raw("\x01").len(20);
      for (int i = 0; i < 20; ++i) builder.str(word(random));
      return builder.dump_payload(11);
  }
}

// Any place of the first or of the last half.
std::string from_within(Random& random, const std::string& bytes) {
  return bytes.substr(random() % (bytes.size() / 2));
}
std::string to_within(Random& random, const std::string& bytes) {
  return bytes.substr(0, bytes.size() - 1 - random() % (bytes.size() / 2));
}

struct Value {
  const char* name;
  std::string (*make)(Random& random, size_t size);
};

const std::array kValues = {
    Value{"bytes", random_bytes},
    Value{"file", [](Random& random, size_t size) { return records(random, size, true).eof(); }},
    Value{"file-torn",
          [](Random& random, size_t size) { return to_within(random, records(random, size, true).eof()); }},
    Value{"file-end",
          [](Random& random, size_t size) { return from_within(random, records(random, size, true).eof()); }},
    Value{"fragment",
          [](Random& random, size_t size) {
            return to_within(random, from_within(random, records(random, size, true).eof()));
          }},
    Value{"records", [](Random& random, size_t size) { return records(random, size, false).bytes(); }},
    Value{"dumps",
          [](Random& random, size_t size) { return many(size, [&] { return dump_payload(random); }); }},
};

constexpr std::array<size_t, 3> kValueSizes = {size_t{4} << 10, size_t{64} << 10, kMiB};

// ------------------------------------------------------------------------------------------------ streams

// Where what follows from a place on breaks off, and how many bits it adds up to, counted up to so many.
struct Walked {
  uint64_t end = 0;
  uint64_t bits = 0;
};
Walked walk_from(uint64_t offset, ChainNodes& nodes, uint64_t bits_most) {
  Walked walked{offset, 0};
  ChainNode before;
  while (walked.bits < bits_most && walked.end < nodes.end() && nodes.can_read()) {
    const ChainNode node = nodes.read(walked.end);
    const bool goes_on = node.kind == ChainNode::Kind::entry || node.kind == ChainNode::Kind::opcode;
    if (!goes_on || node.repeats(before)) break;
    walked.end = node.end;
    walked.bits += node.bits;
    before = node;
  }
  return walked;
}

// The most bits that any place leads to.
uint64_t most_bits(const std::string& block, ChainNodes& nodes) {
  const Sniffer sniffer(nodes.state().dialect, nodes.state().version, ChainNodes::end_bytes(nodes.state()),
                        false);
  uint64_t most = 0;
  for (size_t i = 0; i + 1 < block.size(); ++i) {
    if (!sniffer.may_begin(block[i], block[i + 1])) continue;
    if (!sniffer.promising(Bytes(block).substr(i), block.size() - i)) continue;
    most = std::max(most, walk_from(i, nodes, kChainBits).bits);
  }
  return most;
}

void measure(const Stream& stream, size_t bytes, uint64_t seed) {
  Random random(seed);
  double seconds = 0;
  uint64_t searched = 0;
  uint64_t chains = 0;
  uint64_t most = 0;
  for (size_t number = 0; searched < bytes; ++number) {
    std::string block = stream.make(random, std::min(kBlock, bytes - searched));
    // An EOF opcode at the very end would be one.
    block.back() = '\0';
    block[block.size() - std::min<size_t>(block.size(), 9)] = '\0';
    const Writer writer = kWriters[number % kWriters.size()];
    const auto source = memory_source(block);
    Resync resync(*source, state_of(writer), block.size(), false);
    ChainNodes nodes(*source, state_of(writer), block.size(), false);
    nodes.grant(kBlock * kBlock);
    for (uint64_t at = 0; at < block.size();) {
      const auto start = std::clock();
      const auto chain = resync.find(at, at);
      seconds += seconds_since(start);
      at = chain ? walk_from(chain->offset, nodes, ~uint64_t{0}).end : block.size();
      chains += chain ? 1U : 0U;
    }
    searched += block.size();
    if (stream.counts_bits) most = std::max(most, most_bits(block, nodes));
  }
  fmt::print("{:<12} {:>8} {:>9.1f} {:>8}", stream.name, searched / kMiB,
             static_cast<double>(searched) / 1e6 / seconds, chains);
  fmt::print("{}\n", stream.counts_bits ? fmt::format(" {:>8}", most) : "");
  std::fflush(stdout);
}

// ------------------------------------------------------------------------------------------------ values

struct Tally {
  uint64_t bytes = 0;
  double seconds = 0;
  uint64_t next = 0;
  uint64_t unsure = 0;  // of these, with an uncertain head before it
  uint64_t taken = 0;
  uint64_t past = 0;
  uint64_t none = 0;

  [[nodiscard]] uint64_t trials() const { return next + taken + past + none; }
};

void print(const std::string& name, const Tally& tally) {
  const auto share = [&](uint64_t count) {
    return 100 * static_cast<double>(count) / static_cast<double>(std::max<uint64_t>(tally.trials(), 1));
  };
  fmt::print("{:<16} {:>8} {:>8} {:>9.1f} {:>8.2f} {:>8.2f} {:>8.2f} {:>8.2f} {:>8.2f}\n", name,
             tally.bytes / kMiB, tally.trials(), static_cast<double>(tally.bytes) / 1e6 / tally.seconds,
             share(tally.next), share(tally.unsure), share(tally.taken), share(tally.past),
             share(tally.none));
  std::fflush(stdout);
}

// `from`: behind the code that was destroyed; `next`: where the next record begins.
void search(const std::string& file, const RdbState& state, uint64_t end, uint64_t from, uint64_t next,
            Tally& tally) {
  const auto source = memory_source(file);
  Resync resync(*source, state, end, false);
  const auto start = std::clock();
  const auto chain = resync.find(from, from);
  tally.seconds += seconds_since(start);
  tally.bytes += next - from;
  const bool leads_there = chain && chain->offset < next && chain->sure_from >= next;
  if (!chain)
    ++tally.none;
  else if (chain->offset == next || leads_there)
    ++tally.next;
  else
    ++(chain->offset < next ? tally.taken : tally.past);
  if (leads_there) ++tally.unsure;
}

void measure(const Value& value, size_t size, size_t bytes, uint64_t seed) {
  constexpr char kNoCode = '\x63';
  constexpr size_t kOwnBytes = size_t{16} << 10;
  Random random(seed);
  Tally tally;
  while (tally.bytes < bytes) {
    RdbBuilder lost;
    lost.string(some_key(random), value.make(random, size / 2 + random() % size));
    const uint64_t next = lost.size();
    std::string file = lost.bytes() + records(random, kOwnBytes, false).bytes();
    file[0] = kNoCode;
    file += '\xff' + random_bytes(random, sizeof(uint64_t));
    search(file, state_of({redis, 11}), file.size(), 1, next, tally);
  }
  print(fmt::format("{}-{}k", value.name, size >> 10), tally);
}

// Each record of files that servers wrote is lost in turn. The last few are not: what follows them is too
// little.
void measure_servers(const std::string& folder) {
  constexpr size_t kRest = 8;
  Tally tally;
  for (const auto& server : std::filesystem::directory_iterator(folder)) {
    const std::string path = server.path().string() + "/dump.rdb";
    if (!std::filesystem::exists(path)) continue;
    std::ifstream stream(path, std::ios::binary);
    const std::string file{std::istreambuf_iterator<char>(stream), {}};
    const auto source = memory_source(file);
    FindingList findings;
    RecordReader reader(*source, findings);
    std::vector<uint64_t> places;
    RdbState state;
    while (const RdbRecord* record = reader.next()) {
      if (places.empty()) state = reader.state();
      places.push_back(record->extent.offset);
    }
    for (size_t i = 1; i + kRest < places.size(); ++i) {
      std::string damaged = file;
      damaged[places[i]] = '\x63';
      search(damaged, state, reader.offset(), places[i] + 1, places[i + 1], tally);
    }
  }
  print("servers", tally);
}

// ------------------------------------------------------------------------------------------------ the tables

bool wanted(const std::vector<std::string>& kinds, const std::string& name) {
  return kinds.empty() || std::ranges::find(kinds, name) != kinds.end();
}

}  // namespace

int measure_all(size_t bytes, uint64_t seed, const std::vector<std::string>& kinds) {
  std::string known;
  for (const Stream& stream : kStreams) known += std::string(stream.name) + ' ';
  for (const Value& value : kValues) known += std::string(value.name) + ' ';
  known += "servers";
  for (const std::string& kind : kinds) {
    if ((' ' + known + ' ').find(' ' + kind + ' ') != std::string::npos) continue;
    fmt::print(stderr, "no such kind: {}; there are: {}\n", kind, known);
    return 2;
  }
  fmt::print("{:<12} {:>8} {:>9} {:>8} {:>8}\n", "stream", "MiB", "MB/s", "chains", "bits");
  for (const Stream& stream : kStreams)
    if (wanted(kinds, stream.name)) measure(stream, bytes, seed);
  fmt::print("\n{:<16} {:>8} {:>8} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8}\n", "value", "MiB", "trials", "MB/s",
             "next %", "unsure", "taken", "past", "none");
  for (const Value& value : kValues)
    for (const size_t size : kValueSizes)
      if (wanted(kinds, value.name)) measure(value, size, bytes, seed);
  if (wanted(kinds, "servers")) measure_servers(PERSIST_TESTDATA "/rdb");
  return 0;
}

}  // namespace persist::test

int main(int argc, char** argv) {
  constexpr size_t kDefaultMiB = 64;
  const auto number = [&](int i, size_t otherwise) {
    return argc > i ? static_cast<size_t>(std::strtoull(argv[i], nullptr, 10)) : otherwise;
  };
  const std::vector<std::string> kinds(argv + std::min(argc, 3), argv + argc);
  return persist::test::measure_all(std::max<size_t>(number(1, kDefaultMiB), 1) << 20, number(2, 1), kinds);
}
