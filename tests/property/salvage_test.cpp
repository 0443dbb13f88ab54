// Small files of every producer, damaged in every place: what the checksum gives away is undone to the byte,
// what lies wholly outside of the damage is kept, and the result is always sound. The bounds are a little
// above what was measured with every place damaged, which is told beside each.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

#include "support/notation.hpp"
#include "support/salvages.hpp"
#include "support/small_files.hpp"
#include "support/verbs.hpp"
#include "support/violations.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// Of the places in files larger than this, only every so many-th is damaged; all of them with
// PERSIST_EVERY_PLACE in the environment, which also tells of each key that is lost or invented.
constexpr size_t kAllPlacesBytes = 700;
constexpr size_t kFileBytesMax = 2300;
constexpr size_t kSteps = 61;    // of the places of a large file
constexpr size_t kBlock = 16;    // zeroed
constexpr size_t kNoRoom = 200;  // files smaller than this may have nothing left that shows what they were

bool every_place() { return std::getenv("PERSIST_EVERY_PLACE") != nullptr; }

// `sparse`: of these again only every so many-th.
size_t step_of(const std::string& file, size_t sparse) {
  if (every_place()) return 1;
  return file.size() <= kAllPlacesBytes ? sparse : ((file.size() / kSteps) | 1) * sparse;
}

bool touches(Extent a, Extent b) { return a.offset < b.end() && b.offset < a.end(); }

struct SoundFile {
  std::string name;
  std::string bytes;
  bool has_checksum = false;
  std::vector<Whole> entries;
};

const std::vector<SoundFile>& sound_files() {
  static const std::vector<SoundFile> files = [] {
    std::vector<SoundFile> all;
    for (const SmallFile& file : small_files(kFileBytesMax)) {
      const CheckSummary checked = check(file.bytes).summary;
      if (!checked.sound()) continue;
      all.push_back({file.name, file.bytes, checked.checksum == ChecksumState::good, entries_of(file.bytes)});
    }
    return all;
  }();
  return files;
}

// A damaged copy of a file, and what of it is not as it was.
using Damaged = std::function<void(const SoundFile& file, const std::string& damaged, Extent damage)>;

void each_zeroed(size_t sparse, const Damaged& told) {
  for (const SoundFile& file : sound_files()) {
    for (size_t at = 0; at + kBlock <= file.bytes.size(); at += step_of(file.bytes, sparse)) {
      std::string damaged = file.bytes;
      damaged.replace(at, kBlock, kBlock, '\0');
      if (damaged != file.bytes) told(file, damaged, {at, kBlock});
    }
  }
}

void each_cut(size_t sparse, const Damaged& told) {
  for (const SoundFile& file : sound_files())
    for (size_t size = 0; size < file.bytes.size(); size += step_of(file.bytes, sparse))
      told(file, file.bytes.substr(0, size), {size, file.bytes.size() - size});
}

std::string where_of(const SoundFile& file, Extent damage) {
  return file.name + " at " + std::to_string(damage.offset);
}

// What damage did.
struct Toll {
  uint64_t places = 0;
  uint64_t refused = 0;
  uint64_t outside = 0;   // keys that lie wholly outside of the damage
  uint64_t lost = 0;      // of these: that are not in the result
  uint64_t moved = 0;     // of these: that are in another database
  uint64_t altered = 0;   // keys that the damage touches, with another value or expiry than they had
  uint64_t invented = 0;  // keys that were not in the file
  uint64_t told = 0;      // of these: that are said to be uncertain, or to stand behind damage
};

// Holds what was salvaged of a damaged file against the sound one.
void hold(const SoundFile& file, const Salvaged& got, Extent damage, Toll& toll, Violations& violations) {
  const std::string where = where_of(file, damage);
  ++toll.places;
  if (got.refused) ++toll.refused;
  violations.expect(!got.refused || file.bytes.size() < kNoRoom, "it was refused", where);
  if (got.refused) return;
  violations.expect(check(got.file).summary.sound(), "the result is not sound", where);
  const std::map<Name, std::string> kept = by_name(got.entries);
  const std::map<Name, std::string> before = by_name(file.entries);
  for (const Whole& entry : file.entries) {
    if (touches(entry.extent, damage)) continue;
    ++toll.outside;
    const auto found = kept.find({entry.db, entry.key});
    if (found != kept.end() && found->second == entry.record) continue;
    ++toll.lost;
    const bool elsewhere = std::ranges::any_of(kept, [&](const auto& other) {
      return other.first.second == entry.key && other.second == entry.record;
    });
    if (elsewhere) ++toll.moved;
    if (every_place())
      MESSAGE(where << ": lost " << entry.key << " of db " << entry.db << " at " << entry.extent.offset
                    << (elsewhere ? " (moved)" : ""));
  }
  for (size_t i = 0; i < got.entries.size(); ++i) {
    const Whole& entry = got.entries[i];
    const auto found = before.find({entry.db, entry.key});
    if (found != before.end() && found->second == entry.record) continue;
    const bool is_known = found != before.end();
    ++(is_known ? toll.altered : toll.invented);
    if (is_known) continue;
    if (got.labels[i] != SalvageLabel::sound) ++toll.told;
    if (every_place())
      MESSAGE(where << ": invented " << shown(entry.key) << ", " << entry.record.size() << " bytes, "
                    << salvage_label_name(got.labels[i]));
  }
}

std::string text_of(const Toll& toll) {
  return std::to_string(toll.places) + " places, " + std::to_string(toll.refused) + " refused: of " +
         std::to_string(toll.outside) + " keys " + std::to_string(toll.lost) + " lost (" +
         std::to_string(toll.moved) + " moved), " + std::to_string(toll.altered) + " altered, " +
         std::to_string(toll.invented) + " invented (" + std::to_string(toll.told) + " told)";
}

// The salvage of what was salvaged.
void expect_nothing_to_do(const Salvaged& got, const std::string& where, Violations& violations) {
  const Salvaged again = salvage(got.file, SalvageOptions{});
  violations.expect(!again.refused && again.edits.empty() && again.report.steps_in_all == 0,
                    "there is something left to do", where);
  violations.expect(again.file == got.file, "it is not the same again", where);
}

}  // namespace

TEST_CASE("salvage: every flipped bit of a file with a checksum is found and undone") {
  Violations violations;
  uint64_t flips = 0;
  for (const SoundFile& file : sound_files()) {
    if (!file.has_checksum) continue;
    for (size_t bit = 0; bit < file.bytes.size() * 8; bit += step_of(file.bytes, 11)) {
      std::string damaged = file.bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      const Salvaged got = salvage(damaged, SalvageOptions{});
      ++flips;
      violations.expect(got.file == file.bytes, "it is not as it was",
                        file.name + " bit " + std::to_string(bit));
      violations.expect(got.report.exact, "it is not told to be exact", file.name);
    }
  }
  MESSAGE(flips << " flips");
  CHECK(flips > 5000);
  violations.report();
}

TEST_CASE("salvage: a zeroed block costs nothing that lies wholly outside of it") {
  Violations violations;
  Toll toll;
  each_zeroed(5, [&](const SoundFile& file, const std::string& damaged, Extent damage) {
    const Salvaged got = salvage(damaged);
    hold(file, got, damage, toll, violations);
    if (damage.offset % 7 == 0 && !got.refused) expect_nothing_to_do(got, where_of(file, damage), violations);
  });
  MESSAGE(text_of(toll));
  // 212 of 2.4 million are lost, 4049 moved: where the block hides the SELECTDB of a database or all of what
  // makes a key one.
  CHECK(toll.outside > 15000);
  CHECK((toll.lost - toll.moved) * 1500 <= toll.outside);
  CHECK(toll.moved * 400 <= toll.outside);
  // 410 of 8369: a block inside of a value may leave one that decodes, shorter, and behind it what reads as
  // small keys do. Nothing shows that.
  CHECK((toll.invented - toll.told) * 4 <= toll.invented);
  CHECK(toll.invented <= toll.places);
  CHECK(toll.refused <= 23);
  violations.report();
}

TEST_CASE("salvage: of a file that was cut all whole keys are kept, and no others") {
  Violations violations;
  Toll toll;
  each_cut(3, [&](const SoundFile& file, const std::string& damaged, Extent damage) {
    const Salvaged got = salvage(damaged);
    hold(file, got, damage, toll, violations);
    if (damage.offset % 7 == 0 && !got.refused) expect_nothing_to_do(got, where_of(file, damage), violations);
  });
  MESSAGE(text_of(toll));
  CHECK(toll.places > 3000);
  CHECK(toll.lost == 0);
  CHECK(toll.refused == 0);
  // 2: the strings in an array that is cut, which stand there as records do; they are told.
  CHECK(toll.invented <= 2);
  CHECK(toll.told == toll.invented);
  violations.report();
}

// ------------------------------------------------------------------------------------- values kept in part

namespace {

// The elements of a value, one by one; of streams the entries.
std::multiset<std::string> elements_of(Bytes file, uint64_t db, const std::string& key) {
  std::multiset<std::string> all;
  const std::unique_ptr<ByteSource> source = memory_source(file);
  FindingList found;
  RdbReader reader(*source, found);
  while (const RdbRecord* record = reader.next()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr || entry->db != db || entry->key != key) continue;
    const ValueType type = entry->encoding->type;
    reader.visit([&](const Element& element) {
      const bool is_of_stream = type == ValueType::stream && !std::holds_alternative<StreamEntry>(element);
      if (is_of_stream || std::holds_alternative<ArrayInfo>(element)) return;
      Notation notation;
      notation.begin(type);
      notation.add(element);
      all.insert(notation.end());
    });
  }
  return all;
}

struct PartialToll {
  uint64_t keys = 0;
  uint64_t elements = 0;
  uint64_t foreign = 0;  // of these: not of the value as it was
};

void hold_partial(const SoundFile& file, const std::string& damaged, Extent damage, PartialToll& toll,
                  Violations& violations) {
  const std::string where = where_of(file, damage);
  SalvageOptions options;
  options.salvage = options.keep_damaged = true;
  const Salvaged got = salvage(damaged, options);
  const Salvaged without = salvage(damaged);
  violations.expect(got.refused == without.refused, "it is refused for that", where);
  if (got.refused) return;
  violations.expect(check(got.file).summary.sound(), "the result is not sound", where);
  violations.expect(applied(damaged, got) == got.file, "the edits do not make it", where);
  const auto labelled = std::ranges::count(got.labels, SalvageLabel::partial);
  violations.expect(static_cast<uint64_t>(labelled) == got.report.keys_partial, "counted otherwise", where);
  for (size_t i = 0; i < got.entries.size(); ++i) {
    if (got.labels[i] != SalvageLabel::partial) continue;
    const Whole& entry = got.entries[i];
    ++toll.keys;
    const std::multiset<std::string> now = elements_of(got.file, entry.db, entry.key);
    const std::multiset<std::string> before = elements_of(file.bytes, entry.db, entry.key);
    violations.expect(!now.empty(), "an empty value was kept", where);
    toll.elements += now.size();
    for (const std::string& element : now)
      if (!before.contains(element)) ++toll.foreign;
  }
}

}  // namespace

TEST_CASE("salvage: --keep-damaged: of a value that was cut its beginning is kept") {
  Violations violations;
  PartialToll toll;
  each_cut(7, [&](const SoundFile& file, const std::string& damaged, Extent damage) {
    hold_partial(file, damaged, damage, toll, violations);
  });
  MESSAGE(toll.keys << " values kept in part, " << toll.elements << " elements, " << toll.foreign
                    << " not of the value");
  CHECK(toll.keys > 50);
  CHECK(toll.foreign == 0);
  violations.report();
}

TEST_CASE("salvage: --keep-damaged: of a value with a zeroed block what decodes is kept") {
  Violations violations;
  PartialToll toll;
  each_zeroed(7, [&](const SoundFile& file, const std::string& damaged, Extent damage) {
    hold_partial(file, damaged, damage, toll, violations);
  });
  MESSAGE(toll.keys << " values kept in part, " << toll.elements << " elements, " << toll.foreign
                    << " not of the value");
  CHECK(toll.keys > 50);
  // Zeros are elements, too: empty ones, small numbers, text with NULs in it.
  CHECK(toll.foreign * 3 <= toll.elements);
  violations.report();
}

TEST_CASE("salvage: --drop-uncertain leaves no key in doubt") {
  Violations violations;
  uint64_t dropped = 0;
  const auto hold_certain = [&](const SoundFile& file, const std::string& damaged, Extent damage) {
    const std::string where = where_of(file, damage);
    SalvageOptions options;
    options.salvage = options.drop_uncertain = true;
    const Salvaged got = salvage(damaged, options);
    const Salvaged all = salvage(damaged);
    violations.expect(got.refused == all.refused, "it is refused for that", where);
    if (got.refused) return;
    violations.expect(check(got.file).summary.sound(), "the result is not sound", where);
    violations.expect(std::ranges::count(got.labels, SalvageLabel::uncertain) == 0, "a key in doubt", where);
    violations.expect(got.report.keys_uncertain == 0, "it counts keys in doubt", where);
    violations.expect(got.entries.size() == got.report.keys_kept || got.edits.empty(), "counted otherwise",
                      where);
    // A key in doubt may hide an earlier one that is not.
    const std::map<Name, std::string> with = by_name(all.entries);
    for (const Whole& entry : got.entries)
      violations.expect(with.contains({entry.db, entry.key}), "a key that is not there otherwise", where);
    dropped += with.size() - std::min(with.size(), got.entries.size());
  };
  each_zeroed(17, hold_certain);
  each_cut(17, hold_certain);
  MESSAGE(dropped << " dropped");
  CHECK(dropped > 50);
  violations.report();
}

// ------------------------------------------------------------------------------------------------- headers

TEST_CASE("salvage: headers that are destroyed") {
  Violations violations;
  Toll of_servers;
  Toll built;
  uint64_t exact = 0;
  for (const SoundFile& file : sound_files()) {
    const Bytes behind = Bytes(file.bytes).substr(9);
    // What is destroyed is known only of files that begin with the name and a five-digit version of a server.
    const bool is_known =
        behind.starts_with("\xfa\x09redis-ver\x05") || behind.starts_with("\xfa\x0avalkey-ver\x05");
    for (const size_t size : {size_t{9}, size_t{16}, size_t{24}}) {
      for (const char with : {'\0', 'x'}) {
        std::string damaged = file.bytes;
        damaged.replace(0, size, size, with);
        const Salvaged got = salvage(damaged);
        hold(file, got, {0, size}, file.name.ends_with(".rdb") ? of_servers : built, violations);
        const std::string where = where_of(file, {size, 0});
        if (got.refused) continue;
        if (file.has_checksum && is_known && size < 20) {
          violations.expect(got.report.exact && got.file == file.bytes, "it is not as it was", where);
          ++exact;
          continue;
        }
        if (got.report.exact) violations.expect(got.file == file.bytes, "told to be exact", where);
        violations.expect(got.report.header.has_value(), "no header is told", where);
        const bool is_valkey = file.bytes.starts_with("VALKEY") && file.bytes.size() >= kNoRoom;
        if (is_valkey && got.report.header)
          violations.expect(got.report.header->dialect == Dialect::valkey, "another dialect", where);
        expect_nothing_to_do(got, where, violations);
      }
    }
  }
  MESSAGE(text_of(of_servers) << ", " << exact << " exact; built: " << text_of(built));
  CHECK(exact > 100);
  CHECK(of_servers.outside > 5000);
  CHECK(of_servers.refused + of_servers.lost + of_servers.invented == 0);
  // Of 24 bytes that were most of what showed what the file is: compressed streams; what is in packed values.
  CHECK(built.lost <= 10);
  CHECK(built.invented <= 8);
  CHECK(built.told == built.invented);
  CHECK(built.refused <= 28);
  violations.report();
}

// ------------------------------------------------------------------------------------------- the checksum

namespace {

std::string flipped(std::string bytes, const std::vector<size_t>& bits) {
  for (const size_t bit : bits) bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  return bytes;
}

// A run of so many bits, the first and the last of them flipped, of the others every third.
std::vector<size_t> run_of(size_t first, size_t length) {
  std::vector<size_t> bits = {first};
  for (size_t i = 3; i + 1 < length; i += 3) bits.push_back(first + i);
  bits.push_back(first + length - 1);
  return bits;
}

}  // namespace

TEST_CASE("salvage: runs of flipped bits, and two bits far apart") {
  Violations violations;
  uint64_t runs = 0;
  uint64_t long_runs = 0;
  for (const SoundFile& file : sound_files()) {
    if (!file.has_checksum) continue;
    const size_t bits = file.bytes.size() * 8;
    for (size_t first = bits % 97; first + 30 <= bits; first += bits / 7) {
      const std::string where = file.name + " bit " + std::to_string(first);
      const Salvaged got = salvage(flipped(file.bytes, run_of(first, 16)), SalvageOptions{});
      violations.expect(got.file == file.bytes && got.report.exact, "sixteen bits", where);
      ++runs;
      const std::string broken = flipped(file.bytes, run_of(first, 30));
      const Checked checked = check(broken);
      const bool is_bounded = !checked.findings.empty() &&
                              checked.findings.front().code != FindingCode::rdb_checksum &&
                              checked.findings.front().kind().severity == Severity::error;
      if (!is_bounded) continue;
      const Salvaged mended = salvage(broken, SalvageOptions{});
      violations.expect(mended.file == file.bytes && mended.report.exact, "thirty bits by an error", where);
      ++long_runs;
    }
  }
  MESSAGE(runs << " runs of 16 bits, " << long_runs << " of 30 near an error");
  CHECK(runs > 500);
  CHECK(long_runs > 300);
  violations.report();
}

TEST_CASE("salvage: two flipped bits far apart take --deep") {
  Violations violations;
  SalvageOptions deep;
  deep.deep = true;
  uint64_t tried = 0;
  for (const SoundFile& file : sound_files()) {
    if (!file.has_checksum || file.bytes.size() < 1000 || ++tried % 6 != 0) continue;
    const size_t bits = file.bytes.size() * 8;
    const std::string damaged = flipped(file.bytes, {bits / 9, bits - bits / 5});
    const Salvaged without = salvage(damaged);
    violations.expect(!without.refused && !without.report.exact, "found without", file.name);
    const Salvaged got = salvage(damaged, deep);
    violations.expect(got.file == file.bytes && got.report.exact, "not found", file.name);
    violations.expect(got.report.false_match > 0 && got.report.false_match < 1e-3, "another chance",
                      file.name);
  }
  CHECK(tried > 12);
  violations.report();
}
