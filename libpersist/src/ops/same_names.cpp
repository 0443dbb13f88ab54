// Hashes first, in bounded memory; names only of those whose hashes are the same.
#include "ops/same_names.hpp"

namespace persist {

bool SameNames::has_suspects(unsigned threads) {
  const std::vector<uint64_t> same = names_.hashes().find(threads);
  suspects_.insert(same.begin(), same.end());
  looks_closer_ = true;
  return !suspects_.empty();
}

void SameNames::count(uint64_t db, Bytes key) {
  const std::lock_guard lock(mutex_);
  ++times_[{db, std::string(key)}];
}

SameNames::Same SameNames::found() const {
  constexpr uint64_t kNamed = 5;
  Same same;
  for (const auto& [name, times] : times_) {
    if (times < 2 || ++same.keys > kNamed) continue;
    if (!same.first.empty()) same.first += ", ";
    same.first.append("\"").append(name.second).append("\" in db ").append(std::to_string(name.first));
  }
  if (same.keys > kNamed) same.first += ", ...";
  return same;
}

}  // namespace persist
