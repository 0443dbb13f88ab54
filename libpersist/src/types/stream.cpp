// Streams. man/persist-rdb.5, STREAM
//
//   LEN nodes, nodes x (STR key of 16 bytes: u64be ms, u64be seq; STR listpack)
//   LEN length, LEN LEN last ID
//   v2: LEN LEN first ID, LEN LEN largest deleted ID, LEN entries added
//   LEN groups, groups x (STR name, LEN LEN last ID, v2: LEN entries read,
//       LEN n, n x (raw ID, i64le delivery time, LEN delivery count),
//       LEN consumers x (STR name, i64le seen time, v3: i64le active time, LEN n, n x raw ID),
//       v5: LEN n, n x raw ID: the NACK zone)
//   v4: LEN duration, LEN most entries, LEN producers x (STR id, LEN n, n x (STR iid, LEN LEN ID)), LEN
//   added, LEN duplicates
//
// A node's listpack is a master entry (count, deleted, fields n, n names, 0), then for each entry, live or
// deleted:
//   flags, ms and seq relative to the key, [without SAMEFIELDS: n, n x (name, value)] [with: n values],
//   lp_count
//
// What comes first in the telling (length, last ID) stands behind the nodes in the file: the nodes are
// skipped once.
#include <algorithm>

#include "codec/listpack.hpp"
#include "types/element_scope.hpp"
#include "types/primitives.hpp"
#include "types/types.hpp"

namespace persist {

namespace {

constexpr uint64_t kStreamNodeBytesMin = 24;  // a key, a listpack of 7 bytes
constexpr uint64_t kGroupBytesMin = 5;      // an empty name, two lengths of the ID, no pending, no consumers
constexpr uint64_t kPendingBytesMin = 25;   // a raw ID, a time, a count
constexpr uint64_t kConsumerBytesMin = 10;  // an empty name, a time, no IDs
constexpr uint64_t kRawIdBytes = 16;
constexpr uint64_t kProducerBytesMin = 2;
constexpr uint64_t kIidBytesMin = 3;
constexpr uint64_t kUnknownEntriesRead = ~uint64_t{0};
constexpr int64_t kNeverActive = -1;

// No command has more than a million words, so no entry has half as many fields; servers end a node far
// below.
constexpr size_t kCountMax = size_t{1} << 20;

constexpr int64_t kDeleted = 1;
constexpr int64_t kSameFields = 2;

enum class Layout : uint8_t { v1 = 1, v2, v3, v4, v5 };

// ------------------------------------------------------------------------------------------------ nodes

class NodeWalker {
 public:
  NodeWalker(const Blob& blob, StreamId master, Scratch& scratch, ElementSink out)
      : reader_(blob), master_(master), scratch_(scratch), out_(out) {}

  void walk() {
    const uint64_t live = count("stream node: live entries");
    const uint64_t deleted = count("stream node: deleted entries");
    read_names();
    for (uint64_t left = live + deleted; left > 0; --left) {
      const Scratch::Mark mark = scratch_.mark();
      walk_entry();
      scratch_.rewind(mark);
    }
    if (reader_.next(item_))
      fail(FindingCode::stream_count, "stream node", "the end of the listpack", "more entries");
    if (live != live_ || deleted != deleted_) {
      fail(FindingCode::stream_count, "stream node: live and deleted entries",
           std::to_string(live) + " and " + std::to_string(deleted),
           std::to_string(live_) + " and " + std::to_string(deleted_));
    }
  }

 private:
  void next(const char* noun) {
    if (!reader_.next(item_))
      fail(FindingCode::stream_entry, noun, "a listpack entry", "the end of the listpack");
  }

  int64_t integer(const char* noun) {
    next(noun);
    if (!item_.is_number) fail(FindingCode::stream_entry, noun, "an integer", "a string");
    return item_.number;
  }

  // A count of things that take at least one entry, of two bytes, each.
  uint64_t count(const char* noun) {
    const int64_t number = integer(noun);
    const size_t most = std::min(reader_.blob().bytes.size() / 2, kCountMax);
    if (number < 0 || static_cast<uint64_t>(number) > most) {
      fail(FindingCode::stream_entry, noun, "0 to " + std::to_string(most), std::to_string(number));
    }
    return static_cast<uint64_t>(number);
  }

  Bytes text(const char* noun) {
    next(noun);
    if (!item_.is_number) return item_.string;
    return to_decimal(item_.number, scratch_.take(kDecimalMax));
  }

  void read_names() {
    names_ = scratch_.array<Bytes>(count("stream node: field count"));
    for (Bytes& name : names_) name = text("stream node: field name");
    if (integer("stream node: end of the master entry") != 0) {
      fail(FindingCode::stream_entry, "stream node: end of the master entry", "0",
           std::to_string(item_.number));
    }
  }

  void walk_entry() {
    const int64_t flags = integer("stream entry: flags");
    if ((flags & ~(kDeleted | kSameFields)) != 0) {
      fail(FindingCode::stream_entry, "stream entry: flags", "0 to 3", std::to_string(flags));
    }
    StreamId id = master_;
    id.ms += static_cast<uint64_t>(integer("stream entry: ms"));
    id.seq += static_cast<uint64_t>(integer("stream entry: seq"));
    const std::span<const StreamField> fields = (flags & kSameFields) != 0 ? same_fields() : own_fields();
    const uint64_t stated = (flags & kSameFields) != 0 ? fields.size() + 3 : 2 * fields.size() + 4;
    const int64_t lp_count = integer("stream entry: lp_count");
    if (lp_count < 0 || static_cast<uint64_t>(lp_count) != stated) {
      fail(FindingCode::stream_entry, "stream entry: lp_count", std::to_string(stated),
           std::to_string(lp_count));
    }
    if ((flags & kDeleted) != 0) {
      ++deleted_;
    } else {
      ++live_;
      out_(StreamEntry{id, fields});
    }
  }

  std::span<const StreamField> same_fields() {
    const std::span<StreamField> fields = scratch_.array<StreamField>(names_.size());
    for (size_t i = 0; i < fields.size(); ++i) fields[i] = {names_[i], text("stream entry: value")};
    return fields;
  }

  std::span<const StreamField> own_fields() {
    const std::span<StreamField> fields = scratch_.array<StreamField>(count("stream entry: field count"));
    for (StreamField& field : fields) {
      field.field = text("stream entry: field");
      field.value = text("stream entry: value");
    }
    return fields;
  }

  [[noreturn]] void fail(FindingCode code, const char* noun, std::string expected, std::string found) const {
    reader_.blob().fail(code, item_.at, 0, noun, std::move(expected), std::move(found));
  }

  ListpackReader reader_;
  StreamId master_;
  Scratch& scratch_;
  ElementSink out_;
  PackedItem item_;
  std::span<Bytes> names_;
  uint64_t live_ = 0;
  uint64_t deleted_ = 0;
};

StreamId read_node_key(Cursor& in) {
  const Blob key = read_blob(in, "stream node key");
  if (key.bytes.size() != kRawIdBytes) {
    key.fail(FindingCode::stream_node, 0, key.bytes.size(), "stream node key", "16 bytes",
             std::to_string(key.bytes.size()));
  }
  return {load_be<uint64_t>(key.bytes.data()), load_be<uint64_t>(key.bytes.data() + 8)};
}

void tell_nodes(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  for (uint64_t left = in.count("stream node count", kStreamNodeBytesMin); left > 0; --left) {
    const StreamId master = read_node_key(in);
    const Blob blob = read_blob(in, "stream node");
    NodeWalker(blob, master, in.scratch(), out).walk();
    scope.next();
  }
}

void skip_nodes(Cursor& in) {
  for (uint64_t left = in.count("stream node count", kStreamNodeBytesMin); left > 0; --left) {
    skip_string(in, "stream node key");
    skip_string(in, "stream node");
  }
}

StreamInfo read_info(Cursor& in, Layout layout) {
  StreamInfo info;
  info.length = in.length("stream length");
  info.last_id = read_length_id(in, "stream last ID");
  if (layout >= Layout::v2) {
    info.first_id = read_length_id(in, "stream first ID");
    info.max_deleted_id = read_length_id(in, "stream largest deleted ID");
    info.entries_added = in.length("stream entries added");
  }
  return info;
}

// ------------------------------------------------------------------------------------------------ groups

// Pending entries stand in the group without their owner; the owner's list of IDs comes later.
struct Pending {
  static constexpr uint64_t kNone = ~uint64_t{0};
  StreamId id;
  int64_t delivery_time_ms = 0;
  uint64_t delivery_count = 0;
  uint64_t owner = kNone;
  uint64_t nack_rank = kNone;
};

class GroupReader {
 public:
  GroupReader(Cursor& in, Layout layout)
      : in_(in), layout_(layout), pending_(in.scratch()), consumers_(in.scratch()) {}

  void read() {
    group_.name = read_string(in_, "group name");
    group_.last_id = read_length_id(in_, "group last ID");
    if (layout_ >= Layout::v2) {
      const uint64_t entries_read = in_.length("group entries read");
      group_.has_entries_read = true;
      if (entries_read != kUnknownEntriesRead) group_.entries_read = entries_read;
    }
    read_pending();
    for (uint64_t left = in_.count("consumer count", kConsumerBytesMin); left > 0; --left) read_consumer();
    if (layout_ >= Layout::v5) read_nack_zone();
  }

  void tell(ElementSink out) const {
    out(group_);
    for (const Pending& pending : pending_.items()) {
      StreamPending told{pending.id, std::nullopt, pending.delivery_time_ms, pending.delivery_count,
                         std::nullopt};
      if (pending.owner != Pending::kNone) told.consumer = consumers_.items()[pending.owner].name;
      if (pending.nack_rank != Pending::kNone) told.nack_rank = pending.nack_rank;
      out(told);
    }
    for (const StreamConsumer& consumer : consumers_.items()) out(consumer);
  }

 private:
  void read_pending() {
    bool ascending = true;
    const uint64_t at = in_.offset();
    for (uint64_t left = in_.count("pending entry count", kPendingBytesMin); left > 0; --left) {
      Pending pending{};
      pending.id = read_raw_id(in_, "pending ID");
      pending.delivery_time_ms = in_.le<int64_t>("delivery time");
      pending.delivery_count = in_.length("delivery count");
      ascending = ascending && (pending_.items().empty() || pending_.items().back().id < pending.id);
      pending_.push(pending);
    }
    if (ascending) return;
    std::ranges::sort(pending_.items(), {}, &Pending::id);
    const auto twice = std::ranges::adjacent_find(pending_.items(), {}, &Pending::id);
    if (twice != pending_.items().end()) fail(at, "pending entry", "an ID once", twice->id, "twice");
  }

  void read_consumer() {
    StreamConsumer consumer;
    consumer.name = read_string(in_, "consumer name");
    consumer.seen_time_ms = in_.le<int64_t>("consumer seen time");
    if (layout_ >= Layout::v3) {
      const auto active = in_.le<int64_t>("consumer active time");
      consumer.has_active_time = true;
      if (active != kNeverActive) consumer.active_time_ms = active;
    }
    const uint64_t rank = consumers_.items().size();
    consumers_.push(consumer);
    for (uint64_t left = in_.count("consumer's pending entry count", kRawIdBytes); left > 0; --left) {
      Pending& pending = take_unowned("consumer's pending ID");
      pending.owner = rank;
    }
  }

  void read_nack_zone() {
    const uint64_t count = in_.count("NACK zone count", kRawIdBytes);
    for (uint64_t rank = 0; rank < count; ++rank) take_unowned("NACK zone ID").nack_rank = rank;
  }

  // Reads an ID that must be pending in the group and not yet spoken for.
  Pending& take_unowned(const char* noun) {
    const uint64_t at = in_.offset();
    const StreamId id = read_raw_id(in_, noun);
    const auto found = std::ranges::lower_bound(pending_.items(), id, {}, &Pending::id);
    if (found == pending_.items().end() || found->id != id) {
      fail(at, noun, "a pending entry of the group", id, "which is not pending");
    }
    if (found->owner != Pending::kNone || found->nack_rank != Pending::kNone) {
      fail(at, noun, "an entry that nobody owns", id, "which has an owner");
    }
    return *found;
  }

  [[noreturn]] void fail(uint64_t at, const char* noun, const char* expected, StreamId id,
                         const char* found) const {
    in_.fail(FindingCode::stream_pending, {at, in_.offset() - at}, noun, expected,
             std::to_string(id.ms) + "-" + std::to_string(id.seq) + ", " + found);
  }

  Cursor& in_;
  Layout layout_;
  StreamGroup group_;
  ScratchList<Pending> pending_;
  ScratchList<StreamConsumer> consumers_;
};

void tell_groups(Cursor& in, Layout layout, ElementSink out) {
  ElementScope scope(in);
  for (uint64_t left = in.count("stream group count", kGroupBytesMin); left > 0; --left) {
    GroupReader group(in, layout);
    group.read();
    group.tell(out);
    scope.next();
  }
}

void skip_raw_ids(Cursor& in, const char* noun) { in.skip(in.count(noun, kRawIdBytes) * kRawIdBytes, noun); }

void skip_groups(Cursor& in, Layout layout) {
  for (uint64_t left = in.count("stream group count", kGroupBytesMin); left > 0; --left) {
    skip_string(in, "group name");
    read_length_id(in, "group last ID");
    if (layout >= Layout::v2) in.length("group entries read");
    for (uint64_t pending = in.count("pending entry count", kPendingBytesMin); pending > 0; --pending) {
      in.skip(kRawIdBytes + sizeof(int64_t), "pending entry");
      in.length("delivery count");
    }
    for (uint64_t consumers = in.count("consumer count", kConsumerBytesMin); consumers > 0; --consumers) {
      skip_string(in, "consumer name");
      in.skip(layout >= Layout::v3 ? 2 * sizeof(int64_t) : sizeof(int64_t), "consumer times");
      skip_raw_ids(in, "consumer's pending entry count");
    }
    if (layout >= Layout::v5) skip_raw_ids(in, "NACK zone count");
  }
}

// ------------------------------------------------------------------------------------------------
// idempotency

uint64_t read_in_range(Cursor& in, const char* noun, uint64_t most) {
  const uint64_t at = in.offset();
  const uint64_t number = in.length(noun);
  if (number < 1 || number > most) {
    in.fail(FindingCode::stream_idmp, {at, in.offset() - at}, noun, "1 to " + std::to_string(most),
            std::to_string(number));
  }
  return number;
}

void tell_idempotency(Cursor& in, ElementSink out) {
  constexpr uint64_t kDurationMax = 86400;
  constexpr uint64_t kEntriesMax = 10000;
  StreamIdmp idmp;
  idmp.duration_s = read_in_range(in, "idempotency duration", kDurationMax);
  idmp.max_entries = read_in_range(in, "idempotency entries", kEntriesMax);
  ElementScope scope(in);
  for (uint64_t left = in.count("producer count", kProducerBytesMin); left > 0; --left) {
    out(StreamProducer{read_string(in, "producer id")});
    scope.next();
    for (uint64_t iids = in.count("iid count", kIidBytesMin); iids > 0; --iids) {
      const Bytes iid = read_string(in, "iid");
      out(StreamIid{iid, read_length_id(in, "iid's entry ID")});
      scope.next();
    }
  }
  idmp.iids_added = in.length("iids added");
  idmp.iids_duplicates = in.length("iid duplicates");
  out(idmp);
}

void skip_idempotency(Cursor& in) {
  in.length("idempotency duration");
  in.length("idempotency entries");
  for (uint64_t left = in.count("producer count", kProducerBytesMin); left > 0; --left) {
    skip_string(in, "producer id");
    for (uint64_t iids = in.count("iid count", kIidBytesMin); iids > 0; --iids) {
      skip_string(in, "iid");
      read_length_id(in, "iid's entry ID");
    }
  }
  in.length("iids added");
  in.length("iid duplicates");
}

// ------------------------------------------------------------------------------------------------ the whole

void decode_stream(Cursor& in, Layout layout, ElementSink out) {
  const uint64_t nodes_at = in.offset();
  skip_nodes(in);
  out(read_info(in, layout));
  const uint64_t groups_at = in.offset();
  in.seek(nodes_at);
  tell_nodes(in, out);
  in.seek(groups_at);
  tell_groups(in, layout, out);
  if (layout >= Layout::v4) tell_idempotency(in, out);
}

void skip_stream(Cursor& in, Layout layout) {
  skip_nodes(in);
  read_info(in, layout);
  skip_groups(in, layout);
  if (layout >= Layout::v4) skip_idempotency(in);
}

}  // namespace

void decode_stream_v1(Cursor& in, ElementSink out) { decode_stream(in, Layout::v1, out); }
void decode_stream_v2(Cursor& in, ElementSink out) { decode_stream(in, Layout::v2, out); }
void decode_stream_v3(Cursor& in, ElementSink out) { decode_stream(in, Layout::v3, out); }
void decode_stream_v4(Cursor& in, ElementSink out) { decode_stream(in, Layout::v4, out); }
void decode_stream_v5(Cursor& in, ElementSink out) { decode_stream(in, Layout::v5, out); }
void skip_stream_v1(Cursor& in) { skip_stream(in, Layout::v1); }
void skip_stream_v2(Cursor& in) { skip_stream(in, Layout::v2); }
void skip_stream_v3(Cursor& in) { skip_stream(in, Layout::v3); }
void skip_stream_v4(Cursor& in) { skip_stream(in, Layout::v4); }
void skip_stream_v5(Cursor& in) { skip_stream(in, Layout::v5); }

}  // namespace persist
