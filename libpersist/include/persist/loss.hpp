// What a conversion cannot carry over, because the target has no room for it. persist-convert(1), LOSS
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/bytes.hpp"

namespace persist {

enum class LossFeature : uint8_t {
#define PERSIST_LOSS(name, id, kind, sentence) name,
#include "persist/losses.def"
#undef PERSIST_LOSS
};
inline constexpr size_t kLossFeatures =
    std::initializer_list<int>{
#define PERSIST_LOSS(name, id, kind, sentence) 0,
#include "persist/losses.def"
#undef PERSIST_LOSS
    }
        .size();

enum class LossKind : uint8_t {
  data,  // what users have stored: permitted only if asked for
  hint   // what servers keep for themselves: reported
};

struct LossRow {
  LossFeature feature;
  Bytes id;  // "field-ttl"
  LossKind kind;
  Bytes sentence;  // "expiries of hash fields"
};
PERSIST_API std::span<const LossRow> loss_rows();
PERSIST_API const LossRow& loss_row(LossFeature feature);
// By id; null if there is none of that name.
PERSIST_API const LossRow* find_loss(Bytes id);

// What was lost of one feature.
struct LossCount {
  uint64_t count = 0;  // of fields, groups, keys...: what the sentence speaks of
  uint64_t keys = 0;   // in how many keys
  struct Where {
    uint64_t db = 0;
    std::string key;
  };
  std::vector<Where> first;  // the first few of them
};

class PERSIST_API LossReport {
 public:
  // `count` things of a key were lost.
  void add(LossFeature feature, uint64_t db, Bytes key, uint64_t count = 1);
  // What belongs to no key.
  void add(LossFeature feature, uint64_t count = 1);
  // Those of what comes behind.
  void add(const LossReport& later);
  void clear();

  [[nodiscard]] const LossCount& of(LossFeature feature) const {
    return counts_[static_cast<size_t>(feature)];
  }
  [[nodiscard]] bool empty() const;
  // Whether data was lost that is not among what is permitted.
  [[nodiscard]] bool loses_more_than(std::span<const LossFeature> permitted) const;

 private:
  std::array<LossCount, kLossFeatures> counts_;
  bool empty_ = true;
};

}  // namespace persist
