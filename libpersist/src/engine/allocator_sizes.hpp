// How many bytes an allocator takes for how many that are asked for: what servers count in used_memory.
#pragma once

#include <array>
#include <cstdint>

#include "persist/stat.hpp"

namespace persist {

class AllocatorSizes {
 public:
  explicit AllocatorSizes(Allocator allocator);

  [[nodiscard]] uint64_t operator()(uint64_t bytes) const {
    return bytes <= kTableMax ? table_[(bytes + kStep - 1) / kStep] : round_up(bytes);
  }

 private:
  // Every allocator's sizes lie on multiples of this.
  static constexpr uint64_t kStep = 8;
  static constexpr uint64_t kTableMax = 1024;

  [[nodiscard]] uint64_t round_up(uint64_t bytes) const;

  Allocator allocator_;
  std::array<uint16_t, kTableMax / kStep + 1> table_{};
};

}  // namespace persist
