// Damaged RDB data as the verbs that read datasets take it with --salvage: as what can be brought back of it.
#pragma once

#include <memory>
#include <string>

#include "persist/salvage.hpp"
#include "replaying.hpp"

namespace persist::tool {

// What a verb reads instead of a damaged input.
class SalvagedInput : public ByteSource {
 public:
  // `damaged` must be rereadable. Throws EditRefused if there is nothing to be had.
  explicit SalvagedInput(std::unique_ptr<ByteSource> damaged);

  Window window(uint64_t from, uint64_t min) override { return salvaged_.source().window(from, min); }
  [[nodiscard]] bool rereadable() const override { return true; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return size_; }
  [[nodiscard]] const std::string& name() const override { return damaged_->name(); }

  [[nodiscard]] const SalvagedRdb& salvaged() const { return salvaged_; }
  [[nodiscard]] bool is_damaged() const { return !salvaged_.edits().empty(); }

 private:
  std::unique_ptr<ByteSource> damaged_;
  SalvagedRdb salvaged_;
  std::optional<uint64_t> size_;
};

// If the path holds RDB data that is damaged: lets `found` hold what can be brought back of it, says so on
// standard error unless `quiet`, and counts the damage as errors. Null if it is something else, or sound.
// Valid as long as `found` is.
const SalvagedInput* salvage_rdb(const std::string& verb, const std::string& path, Keyspace& found,
                                 bool quiet);

// How much was wrong, as an exit status.
Exit exit_of(const RdbSalvage& report);

}  // namespace persist::tool
