// Small files of every producer, damaged in every place: what the checksum gives away is undone to the byte,
// what lies wholly outside of the damage is kept, and the result is always sound.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "persist/edit.hpp"
#include "persist/salvage.hpp"
#include "support/small_files.hpp"
#include "support/verbs.hpp"
#include "support/violations.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// Of the places in files larger than this, only every so many-th is damaged; all of them with
// PERSIST_EVERY_PLACE in the environment.
constexpr size_t kAllPlacesBytes = 700;
constexpr size_t kFileBytesMax = 2300;
constexpr size_t kSteps = 61;  // of the places of a large file

size_t step_of(const std::string& file, size_t odd) {
  if (std::getenv("PERSIST_EVERY_PLACE") != nullptr || file.size() <= kAllPlacesBytes) return 1;
  return (file.size() / kSteps) | odd;
}

// A whole entry, as it stands in a file.
struct Whole {
  Extent extent;
  uint64_t db = 0;
  std::string key;
  std::string record;
};

std::vector<Whole> entries_of(const std::string& file) {
  std::vector<Whole> all;
  const std::unique_ptr<ByteSource> source = memory_source(file);
  FindingList found;
  RdbReader reader(*source, found);
  while (const RdbRecord* record = reader.next()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr) continue;
    const Extent extent = record->extent;
    all.push_back({extent, entry->db, std::string(entry->key), file.substr(extent.offset, extent.size)});
  }
  return all;
}

struct Salvaged {
  bool refused = false;
  std::string file;
  RdbSalvage report;
  std::vector<SalvageLabel> labels;  // of its entries
};

Salvaged salvage(const std::string& damaged, bool all_of_it) {
  const std::unique_ptr<ByteSource> source = memory_source(damaged);
  SalvageOptions options;
  options.salvage = all_of_it;
  Salvaged salvaged;
  try {
    SalvagedRdb rdb(*source, options);
    const Window window = rdb.source().window(0, ~uint64_t{0});
    salvaged.file = std::string(window.bytes);
    salvaged.report = rdb.report();
    for (const Whole& entry : entries_of(salvaged.file))
      salvaged.labels.push_back(rdb.label(entry.extent.offset));
  } catch (const EditRefused&) {
    salvaged.refused = true;
  }
  return salvaged;
}

using Name = std::pair<uint64_t, std::string>;

std::map<Name, std::string> by_name(const std::vector<Whole>& entries) {
  std::map<Name, std::string> all;
  for (const Whole& entry : entries) all[{entry.db, entry.key}] = entry.record;
  return all;
}

bool touches(Extent a, Extent b) { return a.offset < b.end() && b.offset < a.end(); }

// What a damage did.
struct Toll {
  uint64_t places = 0;
  uint64_t lost = 0;      // keys that lie wholly outside of the damage, and are not in the result
  uint64_t moved = 0;     // of these: that are in another database
  uint64_t altered = 0;   // keys that the damage touches, with another value or expiry than they had
  uint64_t invented = 0;  // keys that were not in the file
  uint64_t told = 0;      // of these: that are said to be uncertain, or to stand behind damage
};

// Holds the salvage of a damaged file against the sound one.
void hold(const std::string& name, const std::vector<Whole>& sound, const std::string& damaged, Extent damage,
          Toll& toll, Violations& violations) {
  const std::string where = name + " at " + std::to_string(damage.offset);
  const Salvaged got = salvage(damaged, true);
  ++toll.places;
  violations.expect(!got.refused, "it was refused", where);
  if (got.refused) return;
  violations.expect(check(got.file).summary.sound(), "the result is not sound", where);
  const std::vector<Whole> entries = entries_of(got.file);
  const std::map<Name, std::string> kept = by_name(entries);
  const std::map<Name, std::string> before = by_name(sound);
  for (const Whole& entry : sound) {
    if (touches(entry.extent, damage)) continue;
    const auto found = kept.find({entry.db, entry.key});
    if (found != kept.end() && found->second == entry.record) continue;
    ++toll.lost;
    const bool elsewhere = std::ranges::any_of(kept, [&](const auto& other) {
      return other.first.second == entry.key && other.second == entry.record;
    });
    if (elsewhere) ++toll.moved;
    if (std::getenv("PERSIST_EVERY_PLACE") != nullptr)
      MESSAGE(where << ": lost " << entry.key << " of db " << entry.db << " at " << entry.extent.offset
                    << (elsewhere ? " (moved)" : ""));
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto found = before.find({entries[i].db, entries[i].key});
    if (found != before.end() && found->second == entries[i].record) continue;
    const bool is_known = found != before.end();
    ++(is_known ? toll.altered : toll.invented);
    if (is_known) continue;
    if (got.labels[i] != SalvageLabel::sound) ++toll.told;
    if (std::getenv("PERSIST_EVERY_PLACE") != nullptr)
      MESSAGE(where << ": invented \"" << entries[i].key << "\" " << entries[i].record.size() << " bytes, "
                    << salvage_label_name(got.labels[i]));
  }
}

bool has_checksum(const std::string& file) {
  const Checked checked = check(file);
  return checked.summary.sound() && checked.summary.checksum == ChecksumState::good;
}

}  // namespace

TEST_CASE("every flipped bit of a file with a checksum is found and undone") {
  Violations violations;
  uint64_t flips = 0;
  for (const SmallFile& file : small_files(kFileBytesMax)) {
    if (!has_checksum(file.bytes)) continue;
    for (size_t bit = 0; bit < file.bytes.size() * 8; bit += step_of(file.bytes, 1) * 3) {
      std::string damaged = file.bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      const Salvaged got = salvage(damaged, false);
      ++flips;
      violations.expect(got.file == file.bytes, "it is not as it was",
                        file.name + " bit " + std::to_string(bit));
      violations.expect(got.report.exact, "it is not told to be exact", file.name);
    }
  }
  MESSAGE(flips << " flips");
  violations.report();
}

TEST_CASE("a zeroed block costs nothing that lies wholly outside of it") {
  constexpr size_t kBlock = 16;
  Violations violations;
  Toll toll;
  for (const SmallFile& file : small_files(kFileBytesMax)) {
    const std::vector<Whole> sound = entries_of(file.bytes);
    if (!check(file.bytes).summary.sound()) continue;
    for (size_t at = 0; at + kBlock <= file.bytes.size(); at += step_of(file.bytes, 1)) {
      std::string damaged = file.bytes;
      damaged.replace(at, kBlock, kBlock, '\0');
      if (damaged == file.bytes) continue;
      hold(file.name, sound, damaged, {at, kBlock}, toll, violations);
    }
  }
  MESSAGE(toll.places << " blocks: " << toll.lost << " lost (" << toll.moved << " moved), " << toll.altered
                      << " altered, " << toll.invented << " invented (" << toll.told << " told)");
  violations.report();
}

TEST_CASE("of a file that was cut all whole keys are kept, and no others") {
  Violations violations;
  Toll toll;
  for (const SmallFile& file : small_files(kFileBytesMax)) {
    const std::vector<Whole> sound = entries_of(file.bytes);
    if (!check(file.bytes).summary.sound()) continue;
    for (size_t size = 0; size < file.bytes.size(); size += step_of(file.bytes, 1))
      hold(file.name, sound, file.bytes.substr(0, size), {size, file.bytes.size() - size}, toll, violations);
  }
  MESSAGE(toll.places << " cuts: " << toll.lost << " lost, " << toll.invented << " invented");
  CHECK(toll.lost == 0);
  CHECK(toll.invented == 0);
  violations.report();
}
