// Takes from an entry what a target has no room for, and counts it.
#pragma once

#include <string>
#include <vector>

#include "persist/loss.hpp"
#include "persist/rdb_reader.hpp"
#include "persist/target.hpp"
#include "types/value.hpp"

namespace persist {

// What carries a value to the target: not all of them have room for the same.
enum class Carrier : uint8_t { rdb, payload, commands };

struct FitRules {
  const Target* target = nullptr;
  Carrier carrier = Carrier::rdb;
  std::vector<std::string> modules;  // whose data the target can read, besides what its release brings along
};

// One release takes a score in a command that is not zero but nearly so for one out of range.
[[nodiscard]] bool refuses_tiny_scores(const FitRules& rules);

class Fitter {
 public:
  // Both must outlive it.
  Fitter(const FitRules& rules, LossReport& losses) : rules_(rules), losses_(losses) {}

  // What stands around the value: expiry, idle time, frequency, metadata.
  void fit_head(RdbEntry& entry);
  // The entry with its head fitted: itself if there is nothing to fit, as in nearly all; else a copy, valid
  // until the next call.
  [[nodiscard]] const RdbEntry& fit(const RdbEntry& entry) {
    if (!may_change_head(entry)) return entry;
    fitted_ = entry;
    fit_head(fitted_);
    return fitted_;
  }
  // False if fit_head() would do nothing.
  [[nodiscard]] bool may_change_head(const RdbEntry& entry) const {
    return entry.idle_s || entry.freq || !entry.key_meta.empty() || entry.expiry_in_seconds ||
           (entry.expire_at_ms != kNoExpiry && target().release < kMillisecondsSince);
  }

  // False if nothing is left that the target could hold.
  [[nodiscard]] bool fit_value(const RdbEntry& entry, Value& value);

  // Whether the target reads what that module writes.
  [[nodiscard]] bool knows_module(Bytes module) const;

 private:
  static constexpr unsigned kMillisecondsSince = 206;  // expiries

  [[nodiscard]] const Target& target() const { return *rules_.target; }
  [[nodiscard]] bool is_redis_since(unsigned release) const {
    return target().family == Dialect::redis && target().release >= release;
  }
  // Whether the target reads values of that code in the files that it writes itself.
  [[nodiscard]] bool reads(uint8_t code) const {
    return accepts_type(target(), target().header().dialect, code);
  }
  void lose(const RdbEntry& entry, LossFeature feature, uint64_t count = 1);

  void fit_expiry(RdbEntry& entry);
  [[nodiscard]] bool keeps_metadata(Bytes classes) const;
  bool fit_hash(const RdbEntry& entry, Value& value);
  bool fit_sorted_set(const RdbEntry& entry, Value& value);
  bool fit_stream(const RdbEntry& entry, Value& value);
  // How many of the stream's own counters go.
  uint64_t fit_counters(const RdbEntry& entry, StreamContent& stream);
  void fit_pending(const RdbEntry& entry, StreamContent& stream);
  void fit_consumers(const RdbEntry& entry, const StreamContent& stream);
  void fit_consumer_times(const RdbEntry& entry, const StreamContent& stream);
  uint64_t fit_idempotency(const RdbEntry& entry, StreamContent& stream);
  bool fit_module(const RdbEntry& entry, const Value& value);

  const FitRules& rules_;
  LossReport& losses_;
  RdbEntry fitted_;
};

}  // namespace persist
