// What concerns all databases at once.
#include "engine/dataset.hpp"

namespace persist {

uint64_t Dataset::keys() const {
  uint64_t keys = 0;
  for (const auto& [number, db] : dbs_) keys += db.size();
  return keys;
}

void Dataset::clear_keys() {
  for (auto& [number, db] : dbs_) db.clear();
}

}  // namespace persist
