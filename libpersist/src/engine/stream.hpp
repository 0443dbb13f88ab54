// The value of a stream: entries, the counters about them, consumer groups, idempotency. It knows nothing of
// commands, of keys or of the clock; whoever changes it has checked what commands have to check.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/stream_entries.hpp"
#include "engine/stream_group.hpp"
#include "engine/stream_idmp.hpp"
#include "persist/element.hpp"

namespace persist {

// The versions of the encoding, each of which has more to tell. man/persist-rdb.5, STREAM
enum class StreamLayout : uint8_t {
  v1 = 1,
  v2,  // counters
  v3,  // consumers' active times
  v4,  // idempotency
  v5   // the NACK zone
};

// What removing an entry means to the groups that know it.
enum class References : uint8_t {
  keep,          // it stays pending where it is
  drop,          // it is no longer pending anywhere
  acknowledged,  // an entry that is_referenced() is not removed
};

class Stream {
 public:
  using Groups = std::map<std::string, ConsumerGroup, std::less<>>;

  // --- Entries
  [[nodiscard]] uint64_t size() const { return entries_.size(); }
  [[nodiscard]] const StreamEntries& entries() const { return entries_; }
  [[nodiscard]] bool contains(StreamId id) const { return entries_.contains(id); }

  // The greatest ID that was ever used, be its entry still there or not. Never below the last entry's.
  [[nodiscard]] StreamId last_id() const { return last_id_; }
  // `id` must not be below entries().last_id().
  void set_last_id(StreamId id);
  // `id` must be greater than last_id().
  void append(StreamId id, std::span<const StreamField> fields);

  // Changes max_deleted_id if there is such an entry. False: nothing was removed.
  bool remove(StreamId id, References references = References::keep);
  // Remove entries from the smallest ID on: until at most `most` are left; all below `id`. They return how
  // many, and do not change max_deleted_id.
  uint64_t trim_to_size(uint64_t most, References references = References::keep);
  uint64_t trim_below(StreamId id, References references = References::keep);

  uint64_t entries_added = 0;
  StreamId max_deleted_id;

  // --- Groups
  [[nodiscard]] const Groups& groups() const { return groups_; }
  [[nodiscard]] ConsumerGroup* find_group(Bytes name);
  // Null: there is one of that name.
  ConsumerGroup* make_group(Bytes name, StreamId last_id, std::optional<uint64_t> entries_read);
  // False: there is none.
  bool remove_group(Bytes name);

  // Whether a group has yet to deal with the entry of that ID: it is pending there, or not delivered yet.
  [[nodiscard]] bool is_referenced(StreamId id) const;
  // Acknowledges it in all groups. Returns whether it was pending in one.
  bool drop_references(StreamId id);

  // --- Idempotency
  [[nodiscard]] const Idempotency& idempotency() const;
  [[nodiscard]] Idempotency& idempotency();

  // Takes what a stream is told as, in that order, into an empty one. Counters that the encoding does not
  // have are made up as servers do when they load it. False: such a stream cannot be, as entries do not
  // ascend or something of one name comes twice; that element was passed over.
  bool add(const StreamInfo& info);
  bool add(const StreamEntry& entry);
  bool add(const StreamGroup& group);
  bool add(const StreamPending& pending);
  bool add(const StreamConsumer& consumer);
  bool add(const StreamProducer& producer);
  bool add(const StreamIid& iid);
  bool add(const StreamIdmp& idmp);

  // Tells everything that the layout has.
  void tell(ElementSink out, StreamLayout layout = StreamLayout::v5) const;

 private:
  // The NACK zone is told out of its order, by rank. Only layouts tell it that have idempotency at the end.
  struct Ranked {
    uint64_t rank;
    StreamId id;
  };

  uint64_t trim_one_by_one(uint64_t most, StreamId below, References references);
  [[nodiscard]] std::optional<uint64_t> estimated_entries_read(StreamId id) const;
  void close_told_group();

  StreamEntries entries_;
  StreamId last_id_;
  Groups groups_;
  std::unique_ptr<Idempotency> idempotency_;  // null: as it comes into being
  ConsumerGroup* told_group_ = nullptr;       // the one whose inside is being told
  std::vector<Ranked> told_zone_;
};

}  // namespace persist
