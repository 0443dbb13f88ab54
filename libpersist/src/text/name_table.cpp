// Open addressing, at most half full; a few names are looked for one after the other. The seed is unknown to
// whoever wrote the names.
#include "text/name_table.hpp"

#include <algorithm>
#include <bit>

namespace persist {

void NameTable::begin(size_t count) {
  constexpr size_t kFew = 12;
  names_.clear();
  names_.reserve(count);
  places_.clear();
  if (count > kFew) places_.resize(std::bit_ceil(2 * count));
}

// Where the name is, or the free place where it would be.
size_t NameTable::place_of(Bytes name, uint32_t hash) const {
  const size_t mask = places_.size() - 1;
  size_t at = hash & mask;
  while (places_[at].number != 0 && (places_[at].hash != hash || names_[places_[at].number - 1] != name)) {
    at = (at + 1) & mask;
  }
  return at;
}

bool NameTable::add(Bytes name) {
  if (places_.empty()) {
    if (std::ranges::find(names_, name) != names_.end()) return false;
    names_.push_back(name);
    return true;
  }
  const uint32_t hash = hash_of(name);
  Place& place = places_[place_of(name, hash)];
  if (place.number != 0) return false;
  names_.push_back(name);
  place = {static_cast<uint32_t>(names_.size()), hash};
  return true;
}

std::optional<size_t> NameTable::find(Bytes name) const {
  if (places_.empty()) {
    const auto found = std::ranges::find(names_, name);
    if (found == names_.end()) return std::nullopt;
    return static_cast<size_t>(found - names_.begin());
  }
  const Place& place = places_[place_of(name, hash_of(name))];
  if (place.number == 0) return std::nullopt;
  return place.number - 1;
}

}  // namespace persist
