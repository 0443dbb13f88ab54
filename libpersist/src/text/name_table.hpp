// Names that must be unique within one value, with their order: whether one was there before, and which it
// was.
#pragma once

#include <optional>
#include <vector>

#include "base/hash64.hpp"

namespace persist {

class NameTable {
 public:
  NameTable() : seed_(random_seed()) {}

  // Forgets all names and makes room for `count` of them, fewer than 2^31, which are there already. Names are
  // views, valid for as long as they are used here.
  void begin(size_t count);
  // False if the name is there already.
  [[nodiscard]] bool add(Bytes name);
  // Which one it was, from 0.
  [[nodiscard]] std::optional<size_t> find(Bytes name) const;

 private:
  struct Place {
    uint32_t number = 0;  // of the name, from 1; 0: free
    uint32_t hash = 0;
  };

  [[nodiscard]] size_t place_of(Bytes name, uint32_t hash) const;
  [[nodiscard]] uint32_t hash_of(Bytes name) const {
    return static_cast<uint32_t>(hash64(name, seed_) >> 32);
  }

  uint64_t seed_;
  std::vector<Bytes> names_;
  std::vector<Place> places_;  // by hash; empty while there are few names
};

}  // namespace persist
