// All that a server would hold: databases with their keys, and the function libraries.
#pragma once

#include <map>
#include <string>

#include "engine/database.hpp"

namespace persist {

class Dataset {
 public:
  Dataset() = default;
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  [[nodiscard]] Pool& pool() { return pool_; }

  // Comes into being when first asked for, and then stays where it is.
  [[nodiscard]] Database& db(uint64_t number) {
    // Nearly all commands work on the database of the one before.
    if (last_ == nullptr || number != last_number_) {
      last_ = &dbs_.try_emplace(number, pool_, births_).first->second;
      last_number_ = number;
    }
    return *last_;
  }
  // By number; some may have no keys.
  [[nodiscard]] const std::map<uint64_t, Database>& dbs() const { return dbs_; }
  [[nodiscard]] std::map<uint64_t, Database>& dbs() { return dbs_; }

  [[nodiscard]] uint64_t keys() const;
  void clear_keys();

  // Function libraries: the code of each by name.
  std::map<std::string, std::string, std::less<>> functions;

 private:
  Pool pool_;  // before what lives in it
  uint64_t births_ = 0;
  std::map<uint64_t, Database> dbs_;
  Database* last_ = nullptr;  // that was asked for
  uint64_t last_number_ = 0;
};

}  // namespace persist
