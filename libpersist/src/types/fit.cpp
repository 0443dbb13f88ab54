// Everything a release added to values, and what becomes of it where it is not known. man/persist-rdb.5,
// ACCEPTANCE
#include "types/fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "types/module.hpp"
#include "types/stream_state.hpp"

namespace persist {

namespace {

// Type codes that say whether a target knows a thing.
enum : uint8_t {
  kModuleValues = 7,
  kStreams = 15,
  kStreamCounters = 19,
  kActiveTimes = 21,
  kValkeyFieldTtl = 22,
  kFieldTtl = 24,
  kIdempotency = 26,
  kNackZone = 27,
  kArrays = 28
};
enum : uint8_t { kIdle = 0xf8, kFreq = 0xf9, kKeyMeta = 0xf3 };

constexpr unsigned kCreateConsumerSince = 602;
constexpr unsigned kRefusesTinyScores = 206;
constexpr Bytes kVectorSets = "vectorset";
constexpr int64_t kRedisFieldExpiryMax = (int64_t{1} << 48) - 1;
constexpr int64_t kRedisCommandExpiryMax = (int64_t{1} << 46) - 1;  // what HPEXPIREAT takes
constexpr int64_t kSecondsMax = std::numeric_limits<int32_t>::max();

}  // namespace

void Fitter::lose(const RdbEntry& entry, LossFeature feature, uint64_t count) {
  if (count > 0) losses_.add(feature, entry.db, entry.key, count);
}

bool Fitter::knows_module(Bytes module) const {
  return (target().has_vector_sets && module == kVectorSets) ||
         std::ranges::find(rules_.modules, module) != rules_.modules.end();
}

// --- The head
// -----------------------------------------------------------------------------------------------

void Fitter::fit_head(RdbEntry& entry) {
  fit_expiry(entry);
  const Dialect dialect = target().header().dialect;
  const bool by_commands = rules_.carrier == Carrier::commands;
  if (entry.idle_s && (by_commands || !accepts_opcode(target(), dialect, kIdle))) {
    lose(entry, LossFeature::idle);
    entry.idle_s.reset();
  }
  if (entry.freq && (by_commands || !accepts_opcode(target(), dialect, kFreq))) {
    lose(entry, LossFeature::freq);
    entry.freq.reset();
  }
  if (!entry.key_meta.empty() &&
      (by_commands || dialect != Dialect::redis || !accepts_opcode(target(), dialect, kKeyMeta) ||
       !keeps_metadata(entry.key_meta))) {
    lose(entry, LossFeature::key_metadata);
    entry.key_meta = {};
  }
}

void Fitter::fit_expiry(RdbEntry& entry) {
  constexpr int64_t kMillisecondsPerSecond = 1000;
  entry.expiry_in_seconds = entry.expire_at_ms != kNoExpiry && target().release < kMillisecondsSince;
  if (!entry.expiry_in_seconds) return;
  // Rounded up: nothing is to expire early.
  int64_t seconds = entry.expire_at_ms / kMillisecondsPerSecond;
  if (entry.expire_at_ms % kMillisecondsPerSecond > 0) {
    ++seconds;
    lose(entry, LossFeature::expiry_precision);
  }
  if (seconds > kSecondsMax) {
    seconds = kSecondsMax;
    lose(entry, LossFeature::expiry_2038);
  }
  entry.expire_at_ms = std::max<int64_t>(seconds, 0) * kMillisecondsPerSecond;
}

bool Fitter::keeps_metadata(Bytes classes) const {
  bool keeps = true;
  for_each_metadata_class(classes, [&](const MetadataClass& found) {
    keeps = keeps && (found.may_be_ignored || knows_module(found.name_bytes()));
  });
  return keeps;
}

// --- The value
// ----------------------------------------------------------------------------------------------

bool Fitter::fit_value(const RdbEntry& entry, Value& value) {
  if (value.is_void()) {
    lose(entry, LossFeature::empty_keys);
    return false;
  }
  switch (value.type) {
    case ValueType::hash:
      return fit_hash(entry, value);
    case ValueType::zset:
      return fit_sorted_set(entry, value);
    case ValueType::stream:
      return fit_stream(entry, value);
    case ValueType::module:
      return fit_module(entry, value);
    case ValueType::array:
      if (reads(kArrays)) return true;
      lose(entry, LossFeature::arrays);
      return false;
    default:
      return true;
  }
}

bool Fitter::fit_hash(const RdbEntry& entry, Value& value) {
  const bool is_valkey = target().header().dialect == Dialect::valkey;
  const bool by_commands = rules_.carrier == Carrier::commands;
  const bool holds = reads(is_valkey ? kValkeyFieldTtl : kFieldTtl);
  uint64_t lost = 0;
  for (HashField& field : value.fields) {
    if (field.expire_at_ms == kNoExpiry) continue;
    if (!is_valkey && by_commands && holds && field.expire_at_ms > kRedisCommandExpiryMax) {
      field.expire_at_ms = kRedisCommandExpiryMax;
      ++lost;
    } else if (!holds || (!is_valkey && field.expire_at_ms > kRedisFieldExpiryMax)) {
      field.expire_at_ms = kNoExpiry;
      ++lost;
    } else if (!is_valkey) {
      // To Redis, 0 is "none"; to Valkey, a time long past.
      field.expire_at_ms = std::max<int64_t>(field.expire_at_ms, 1);
    }
  }
  lose(entry, LossFeature::field_ttl, lost);
  return true;
}

bool refuses_tiny_scores(const FitRules& rules) {
  return rules.carrier == Carrier::commands && rules.target->release == kRefusesTinyScores;
}

bool Fitter::fit_sorted_set(const RdbEntry& entry, Value& value) {
  if (!refuses_tiny_scores(rules_)) return true;
  lose(entry, LossFeature::tiny_scores, std::erase_if(value.members, [](const SortedSetMember& member) {
         return std::fpclassify(member.score) == FP_SUBNORMAL;
       }));
  return !value.members.empty();
}

bool Fitter::fit_module(const RdbEntry& entry, const Value& value) {
  const bool is_vectors = value.module.module == kVectorSets;
  const bool by_commands = rules_.carrier == Carrier::commands;
  // A command stream takes vector sets as VADD; what else there is of modules has no commands.
  if (reads(kModuleValues) && knows_module(value.module.module) && (!by_commands || is_vectors)) return true;
  lose(entry, is_vectors ? LossFeature::vector_sets : LossFeature::modules);
  return false;
}

// --- Streams
// ------------------------------------------------------------------------------------------------

bool Fitter::fit_stream(const RdbEntry& entry, Value& value) {
  if (!reads(kStreams)) {
    lose(entry, LossFeature::streams);
    return false;
  }
  uint64_t counters = fit_counters(entry, value.stream);
  fit_pending(entry, value.stream);
  fit_consumers(entry, value.stream);
  fit_consumer_times(entry, value.stream);
  counters += fit_idempotency(entry, value.stream);
  lose(entry, LossFeature::stream_counters, counters);
  return true;
}

uint64_t Fitter::fit_counters(const RdbEntry& entry, StreamContent& stream) {
  if (reads(kStreamCounters)) return 0;
  StreamInfo& info = stream.info;
  const bool says_something = (info.entries_added && *info.entries_added != stream.entries.size()) ||
                              (info.max_deleted_id && *info.max_deleted_id != StreamId{});
  info.entries_added.reset();
  info.max_deleted_id.reset();
  uint64_t groups = 0;
  for (GroupValue& group : stream.groups) {
    if (group.head.entries_read) ++groups;
    group.head.entries_read.reset();
    group.head.has_entries_read = false;
  }
  lose(entry, LossFeature::entries_read, groups);
  return says_something ? 1 : 0;
}

void Fitter::fit_pending(const RdbEntry& entry, StreamContent& stream) {
  const bool by_commands = rules_.carrier == Carrier::commands;
  const bool holds_unowned = reads(kNackZone);
  uint64_t unowned = 0;
  uint64_t gone = 0;
  for (GroupValue& group : stream.groups) {
    std::erase_if(group.pending, [&](const StreamPending& pending) {
      if (!pending.consumer && !holds_unowned) {
        ++unowned;
        return true;
      }
      if (!by_commands || stream_has_entry(stream, pending.id)) return false;
      ++gone;
      return true;
    });
  }
  lose(entry, LossFeature::nack, unowned);
  lose(entry, LossFeature::pending, gone);
}

// Before 6.2 no command makes a consumer that has nothing pending.
void Fitter::fit_consumers(const RdbEntry& entry, const StreamContent& stream) {
  if (rules_.carrier != Carrier::commands || target().release >= kCreateConsumerSince) return;
  uint64_t lost = 0;
  for (const GroupValue& group : stream.groups) {
    lost += static_cast<uint64_t>(std::ranges::count_if(group.consumers, [&](const StreamConsumer& consumer) {
      return std::ranges::find(group.pending, consumer.name, &StreamPending::consumer) == group.pending.end();
    }));
  }
  lose(entry, LossFeature::consumers, lost);
}

void Fitter::fit_consumer_times(const RdbEntry& entry, const StreamContent& stream) {
  const bool by_commands = rules_.carrier == Carrier::commands;
  if (!by_commands && reads(kActiveTimes)) return;
  uint64_t lost = 0;
  for (const GroupValue& group : stream.groups)
    for (const StreamConsumer& consumer : group.consumers)
      // Older layouts mean that a consumer was active when it was last seen.
      if (by_commands || (consumer.has_active_time && consumer.active_time_ms != consumer.seen_time_ms))
        ++lost;
  lose(entry, LossFeature::consumer_times, lost);
}

uint64_t Fitter::fit_idempotency(const RdbEntry& entry, StreamContent& stream) {
  const bool by_commands = rules_.carrier == Carrier::commands;
  const StreamIdmp idmp = stream.idmp.value_or(kIdmpAsNew);
  const bool is_set = !has_settings_as_new(idmp);
  const bool holds = reads(kIdempotency);
  uint64_t lost = !holds && is_set ? 1 : 0;
  for (ProducerValue& producer : stream.producers) {
    lost += std::erase_if(producer.iids, [&](const StreamIid& iid) {
      return !holds || (by_commands && !stream_has_entry(stream, iid.id));
    });
  }
  lose(entry, LossFeature::idmp, lost);
  const bool has_counts = idmp.iids_added > 0 || idmp.iids_duplicates > 0;
  if (!holds) {
    stream.producers.clear();
    stream.idmp.reset();
  }
  return has_counts && (!holds || by_commands) ? 1 : 0;
}

}  // namespace persist
