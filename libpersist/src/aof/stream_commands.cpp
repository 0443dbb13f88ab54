// The order matters: XADD makes the key, XSETID wants all entries there, XCLAIM its group, XIDMPRECORD the
// settings, since a change of these forgets all iids.
//
// Numbers are signed in commands, and XSETID refuses what cannot be; what a damaged file says beyond that is
// brought within it, so that the rest of the command is not lost.
#include "aof/stream_commands.hpp"

#include <algorithm>
#include <limits>

#include "types/stream_state.hpp"

namespace persist {

namespace {

// Layouts that have what commands have, too.
enum : uint8_t { kCounterLayout = 19, kIdempotencyLayout = 26, kNackLayout = 27 };

constexpr unsigned kConsumersSince = 602;  // XGROUP CREATECONSUMER
constexpr unsigned kEmptyByFirstId = 600;  // before, servers made empty streams by their last ID
constexpr StreamId kSmallestId{0, 1};

uint64_t within_signed(uint64_t number) {
  return std::min<uint64_t>(number, std::numeric_limits<int64_t>::max());
}

class StreamCommands {
 public:
  StreamCommands(CommandWriter& out, Bytes key, const StreamContent& stream)
      : out_(out),
        key_(key),
        stream_(stream),
        has_counters_(knows(kCounterLayout)),
        has_nack_(knows(kNackLayout)),
        has_idempotency_(knows(kIdempotencyLayout)) {}

  void write() {
    for (const StreamEntry& entry : stream_.entries) write_entry(entry);
    if (stream_.entries.empty()) write_empty();
    write_counters();
    for (const GroupValue& group : stream_.groups) write_group(group);
    if (has_idempotency_) write_idempotency();
  }

 private:
  [[nodiscard]] bool knows(uint8_t layout) const {
    return accepts_type(out_.target(), out_.target().family, layout);
  }

  void write_entry(const StreamEntry& entry) {
    out_.begin(3 + 2 * entry.fields.size());
    out_.arg("XADD");
    out_.arg(key_);
    out_.arg_id(entry.id);
    for (const StreamField& field : entry.fields) {
      out_.arg(field.field);
      out_.arg(field.value);
    }
  }

  // An entry that goes as it comes.
  void write_empty() {
    const bool by_first_id = out_.target().release >= kEmptyByFirstId;
    out_.begin(7);
    out_.arg("XADD");
    out_.arg(key_);
    out_.arg("MAXLEN");
    out_.arg("0");
    out_.arg_id(by_first_id ? kSmallestId : std::max(stream_.info.last_id, kSmallestId));
    out_.arg("x");
    out_.arg("y");
  }

  void write_counters() {
    StreamId last_id = stream_.info.last_id;
    if (!stream_.entries.empty()) last_id = std::max(last_id, stream_.entries.back().id);
    out_.begin(has_counters_ ? 7 : 3);
    out_.arg("XSETID");
    out_.arg(key_);
    out_.arg_id(last_id);
    if (!has_counters_) return;
    out_.arg("ENTRIESADDED");
    out_.arg_number(within_signed(std::max(stream_entries_added(stream_), stream_.entries.size())));
    out_.arg("MAXDELETEDID");
    out_.arg_id(std::min(stream_.info.max_deleted_id.value_or(StreamId{}), last_id));
  }

  void write_group(const GroupValue& group) {
    out_.begin(has_counters_ ? 7 : 5);
    out_.arg("XGROUP");
    out_.arg("CREATE");
    out_.arg(key_);
    out_.arg(group.head.name);
    out_.arg_id(group.head.last_id);
    if (has_counters_) {
      out_.arg("ENTRIESREAD");
      if (const std::optional<uint64_t> read = group_entries_read(stream_, group.head))
        out_.arg_number(within_signed(*read));
      else
        out_.arg("-1");
    }
    pending_.sort_out(group);
    for (size_t i = 0; i < pending_.consumers().size(); ++i) write_consumer(group, i);
    if (has_nack_) write_nack_zone(group);
  }

  // It comes into being with what it owns.
  void write_consumer(const GroupValue& group, size_t consumer) {
    const Bytes name = pending_.consumers()[consumer].name;
    bool owns = false;
    for (const size_t i : pending_.owned_by(consumer)) {
      const StreamPending& pending = group.pending[i];
      if (!stream_has_entry(stream_, pending.id)) continue;
      write_claim(group.head.name, name, pending);
      owns = true;
    }
    if (!owns && out_.target().release >= kConsumersSince)
      out_.command({"XGROUP", "CREATECONSUMER", key_, group.head.name, name});
  }

  void write_claim(Bytes group, Bytes consumer, const StreamPending& pending) {
    out_.begin(12);
    out_.arg("XCLAIM");
    out_.arg(key_);
    out_.arg(group);
    out_.arg(consumer);
    out_.arg("0");
    out_.arg_id(pending.id);
    out_.arg("TIME");
    out_.arg_number(pending.delivery_time_ms);
    out_.arg("RETRYCOUNT");
    out_.arg_number(within_signed(pending.delivery_count));
    out_.arg("JUSTID");
    out_.arg("FORCE");
  }

  // In the order of the zone: neighbours of one count share a command.
  void write_nack_zone(const GroupValue& group) {
    std::vector<StreamId> ids;
    uint64_t count = 0;
    for (const size_t i : pending_.unowned()) {
      const StreamPending& pending = group.pending[i];
      if (!stream_has_entry(stream_, pending.id)) continue;
      if (!ids.empty() && (pending.delivery_count != count || ids.size() == kCommandItemsMax)) {
        write_nack(group.head.name, ids, count);
        ids.clear();
      }
      count = pending.delivery_count;
      ids.push_back(pending.id);
    }
    if (!ids.empty()) write_nack(group.head.name, ids, count);
  }

  void write_nack(Bytes group, std::span<const StreamId> ids, uint64_t count) {
    out_.begin(9 + ids.size());
    out_.arg("XNACK");
    out_.arg(key_);
    out_.arg(group);
    out_.arg("FAIL");
    out_.arg("IDS");
    out_.arg_number(ids.size());
    for (const StreamId id : ids) out_.arg_id(id);
    out_.arg("RETRYCOUNT");
    out_.arg_number(within_signed(count));
    out_.arg("FORCE");
  }

  void write_idempotency() {
    const StreamIdmp idmp = stream_.idmp.value_or(kIdmpAsNew);
    if (!has_settings_as_new(idmp)) {
      out_.begin(6);
      out_.arg("XCFGSET");
      out_.arg(key_);
      out_.arg("IDMP-DURATION");
      out_.arg_number(idmp.duration_s);
      out_.arg("IDMP-MAXSIZE");
      out_.arg_number(idmp.max_entries);
    }
    for (const ProducerValue& producer : stream_.producers) {
      for (const StreamIid& iid : producer.iids) {
        if (!stream_has_entry(stream_, iid.id)) continue;
        out_.begin(5);
        out_.arg("XIDMPRECORD");
        out_.arg(key_);
        out_.arg(producer.id);
        out_.arg(iid.iid);
        out_.arg_id(iid.id);
      }
    }
  }

  CommandWriter& out_;
  Bytes key_;
  const StreamContent& stream_;
  bool has_counters_;
  bool has_nack_;
  bool has_idempotency_;
  PendingByConsumer pending_;
};

}  // namespace

void write_stream_commands(CommandWriter& out, Bytes key, const StreamContent& stream) {
  StreamCommands(out, key, stream).write();
}

}  // namespace persist
