// Which of two keys is the larger one, by each measure: an order without ties, so that the largest of many
// are the same whatever order they come in.
#pragma once

#include <optional>

#include "persist/stat.hpp"

namespace persist {

[[nodiscard]] uint64_t measure_of(const BigKey& key, BigBy by);

// Largest first; of equal ones the lower db, then the lesser name, then whatever else tells them apart.
[[nodiscard]] bool is_larger(const BigKey& a, const BigKey& b, BigBy by);

// Keeps the one with the larger element.
void take_larger(std::optional<BigKey>& largest, const BigKey& key);

}  // namespace persist
