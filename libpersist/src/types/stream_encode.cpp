// Streams, written. The layouts stand in stream.cpp, which reads them.
//
// Entries are packed into nodes as servers pack them while they come in, so none is marked as deleted. A
// number that stands in front of what it counts is written behind it and then moved; so the buffer must not
// drain while a stream is on its way.
#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "codec/listpack_writer.hpp"
#include "types/encode.hpp"
#include "types/packing.hpp"
#include "types/stream_state.hpp"

namespace persist {

namespace {

enum class StreamForm : uint8_t { v1 = 1, v2, v3, v4, v5 };

constexpr size_t kNodeHeaderBytes = 6;  // of a listpack
constexpr uint64_t kNodeBytesMax = uint64_t{1} << 30;
// More than servers ever put into one: as many as stream.cpp takes.
constexpr uint64_t kNodeEntriesMax = uint64_t{1} << 20;
constexpr int64_t kEntryHasNames = 0;
constexpr int64_t kEntryHasNamesOfNode = 2;
constexpr uint64_t kNodeKeyBytes = 16;
constexpr uint64_t kEntriesReadUnknown = ~uint64_t{0};
constexpr int64_t kConsumerNeverActive = -1;

// What stands from `tail` on comes to stand at `to`. It is a few bytes.
void move_tail(ByteBuffer& bytes, size_t to, size_t tail) {
  std::array<char, 16> moved;
  const size_t size = bytes.size() - tail;
  assert(size <= moved.size());
  char* const end = bytes.room(0);
  char* const place = end - (bytes.size() - to);
  std::memcpy(moved.data(), end - size, size);
  std::memmove(place + size, place, tail - to);
  std::memcpy(place, moved.data(), size);
}

// What the number of entries takes in its node.
uint64_t count_bytes(uint64_t count) {
  if (count < uint64_t{1} << 7) return 2;
  if (count < uint64_t{1} << 12) return 3;
  return count < uint64_t{1} << 15 ? 4 : 5;
}

bool same_names(std::span<const StreamField> a, std::span<const StreamField> b) {
  return std::ranges::equal(a, b, {}, &StreamField::field, &StreamField::field);
}

class StreamEncoder {
 public:
  StreamEncoder(Encoder& out, const StreamContent& stream, StreamForm form)
      : out_(out), stream_(stream), form_(form), backlen_(backlen_of(*out.rules().target)) {
    const PackLimits& limits = out.rules().limits;
    const auto up_to = [](uint64_t limit, uint64_t most) {
      return limit == 0 ? most : std::min(limit, most);
    };
    node_bytes_ = up_to(limits.stream_node_bytes, kNodeBytesMax);
    node_entries_ = up_to(limits.stream_node_entries, kNodeEntriesMax);
  }

  void encode() {
    write_nodes();
    write_info();
    out_.length(stream_.groups.size());
    for (const GroupValue& group : stream_.groups) write_group(group);
    if (form_ >= StreamForm::v4) write_idempotency();
  }

 private:
  void write_nodes() {
    ByteBuffer& bytes = out_.out();
    const size_t begin = bytes.size();
    uint64_t nodes = 0;
    for (std::span<const StreamEntry> left = stream_.entries; !left.empty(); ++nodes)
      left = left.subspan(write_node(left));
    const size_t end = bytes.size();
    out_.length(nodes);
    move_tail(bytes, begin, end);
  }

  // How many of the entries, at least one, are in it.
  size_t write_node(std::span<const StreamEntry> entries) {
    const StreamEntry& master = entries.front();
    ByteBuffer& bytes = out_.container();
    ListpackWriter node(bytes, backlen_);
    node.add_integer(0);  // deleted; the number of live entries comes in front of it
    node.add_integer(static_cast<int64_t>(master.fields.size()));
    for (const StreamField& field : master.fields) node.add(field.field);
    node.add_integer(0);
    size_t count = 0;
    do {
      write_entry(node, master, entries[count]);
      ++count;
    } while (count < entries.size() && takes(node, count, entries[count]));
    const size_t tail = bytes.size();
    node.add_integer(static_cast<int64_t>(count));
    move_tail(bytes, kNodeHeaderBytes, tail);
    node.finish();
    out_.length(kNodeKeyBytes);
    out_.raw_id(master.id);
    out_.blob(bytes.bytes());
    return count;
  }

  // Whether a server would put the entry into the node that has `count` of them.
  [[nodiscard]] bool takes(const ListpackWriter& node, uint64_t count, const StreamEntry& entry) const {
    if (count >= node_entries_) return false;
    uint64_t bytes = node.size() + count_bytes(count);
    for (const StreamField& field : entry.fields) bytes += field.field.size() + field.value.size();
    return bytes < node_bytes_;
  }

  static void write_entry(ListpackWriter& node, const StreamEntry& master, const StreamEntry& entry) {
    const bool is_alike = same_names(master.fields, entry.fields);
    const auto fields = static_cast<int64_t>(entry.fields.size());
    node.add_integer(is_alike ? kEntryHasNamesOfNode : kEntryHasNames);
    node.add_integer(static_cast<int64_t>(entry.id.ms - master.id.ms));
    node.add_integer(static_cast<int64_t>(entry.id.seq - master.id.seq));
    if (is_alike) {
      for (const StreamField& field : entry.fields) node.add(field.value);
      return node.add_integer(fields + 3);
    }
    node.add_integer(fields);
    for (const StreamField& field : entry.fields) {
      node.add(field.field);
      node.add(field.value);
    }
    node.add_integer(2 * fields + 4);
  }

  void write_info() {
    out_.length(stream_.entries.size());
    out_.length_id(stream_.info.last_id);
    if (form_ < StreamForm::v2) return;
    out_.length_id(stream_.entries.empty() ? StreamId{} : stream_.entries.front().id);
    out_.length_id(stream_.info.max_deleted_id.value_or(StreamId{}));
    out_.length(stream_entries_added(stream_));
  }

  // Before v5 there is no place for what nobody owns: the caller has taken it out.
  void write_group(const GroupValue& group) {
    pending_.sort_out(group);
    assert(form_ >= StreamForm::v5 || pending_.unowned().empty());
    out_.string(group.head.name);
    out_.length_id(group.head.last_id);
    if (form_ >= StreamForm::v2)
      out_.length(group_entries_read(stream_, group.head).value_or(kEntriesReadUnknown));
    out_.length(group.pending.size());
    for (const StreamPending& pending : group.pending) {
      out_.raw_id(pending.id);
      out_.le(pending.consumer ? pending.delivery_time_ms : int64_t{0});
      out_.length(pending.delivery_count);
    }
    const std::span<const StreamConsumer> consumers = pending_.consumers();
    out_.length(consumers.size());
    for (size_t i = 0; i < consumers.size(); ++i) {
      out_.string(consumers[i].name);
      out_.le(consumers[i].seen_time_ms);
      if (form_ >= StreamForm::v3) out_.le(consumer_active_time(consumers[i]).value_or(kConsumerNeverActive));
      write_ids(group, pending_.owned_by(i));
    }
    if (form_ >= StreamForm::v5) write_ids(group, pending_.unowned());
  }

  void write_ids(const GroupValue& group, std::span<const size_t> pending) {
    out_.length(pending.size());
    for (const size_t i : pending) out_.raw_id(group.pending[i].id);
  }

  void write_idempotency() {
    const StreamIdmp idmp = stream_.idmp.value_or(kIdmpAsNew);
    out_.length(idmp.duration_s);
    out_.length(idmp.max_entries);
    out_.length(stream_.producers.size());
    for (const ProducerValue& producer : stream_.producers) {
      out_.string(producer.id);
      out_.length(producer.iids.size());
      for (const StreamIid& iid : producer.iids) {
        out_.string(iid.iid);
        out_.length_id(iid.id);
      }
    }
    out_.length(idmp.iids_added);
    out_.length(idmp.iids_duplicates);
  }

  Encoder& out_;
  const StreamContent& stream_;
  StreamForm form_;
  Backlen backlen_;
  uint64_t node_bytes_ = 0;
  uint64_t node_entries_ = 0;
  PendingByConsumer pending_;
};

}  // namespace

void encode_stream_v1(Encoder& out, const Value& value) {
  StreamEncoder(out, value.stream, StreamForm::v1).encode();
}
void encode_stream_v2(Encoder& out, const Value& value) {
  StreamEncoder(out, value.stream, StreamForm::v2).encode();
}
void encode_stream_v3(Encoder& out, const Value& value) {
  StreamEncoder(out, value.stream, StreamForm::v3).encode();
}
void encode_stream_v4(Encoder& out, const Value& value) {
  StreamEncoder(out, value.stream, StreamForm::v4).encode();
}
void encode_stream_v5(Encoder& out, const Value& value) {
  StreamEncoder(out, value.stream, StreamForm::v5).encode();
}

}  // namespace persist
