// A consumer group of a stream: how far it has got, its consumers, and its pending entries, of which there
// may be millions. Times are milliseconds since the Unix epoch, and the caller's business.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "persist/element.hpp"

namespace persist {

class ConsumerGroup {
 public:
  struct Consumer;
  class Pending;
  using Consumers = std::map<std::string, Consumer, std::less<>>;
  using PendingEntries = std::map<StreamId, Pending>;

  // One entry of the PEL. Its owner is linked to it, so that a consumer goes with what it holds and nothing
  // else is looked at; entries that nobody owns are linked likewise, in the order in which they were handed
  // back.
  class Pending {
   public:
    int64_t delivery_time_ms = 0;
    uint64_t delivery_count = 0;

   private:
    friend class ConsumerGroup;
    Consumer* holder_ = nullptr;  // zone_ if it was handed back; null only for what a damaged file tells
    PendingEntries::value_type* previous_ = nullptr;
    PendingEntries::value_type* next_ = nullptr;
  };

  struct Consumer {
    Bytes name;  // for as long as the consumer is there
    int64_t seen_time_ms = 0;
    std::optional<int64_t> active_time_ms;  // absent: never active
    uint64_t pending = 0;                   // entries that it owns

   private:
    friend class ConsumerGroup;
    PendingEntries::value_type* first_ = nullptr;
    PendingEntries::value_type* last_ = nullptr;
  };

  ConsumerGroup(StreamId last, std::optional<uint64_t> read) : last_id(last), entries_read(read) {}
  ConsumerGroup(const ConsumerGroup&) = delete;
  ConsumerGroup& operator=(const ConsumerGroup&) = delete;

  StreamId last_id;                      // the last entry that was delivered
  std::optional<uint64_t> entries_read;  // absent: unknown

  // --- Consumers
  [[nodiscard]] const Consumers& consumers() const { return consumers_; }
  [[nodiscard]] Consumer* find_consumer(Bytes name);
  // Comes into being, seen at that time and never active, if it is not there.
  Consumer& make_consumer(Bytes name, int64_t now_ms);
  // With all that it owns. False: there is none of that name.
  bool remove_consumer(Bytes name);

  // --- Pending entries, by ID
  [[nodiscard]] const PendingEntries& pending() const { return pending_; }
  [[nodiscard]] Pending* find_pending(StreamId id);
  // Null if nobody owns it.
  [[nodiscard]] const Consumer* owner_of(const Pending& pending) const {
    return pending.holder_ == &zone_ ? nullptr : pending.holder_;
  }
  // Whether it is in the NACK zone.
  [[nodiscard]] bool is_nacked(const Pending& pending) const { return pending.holder_ == &zone_; }
  [[nodiscard]] uint64_t nacked() const { return zone_.pending; }

  // Makes `owner`, one of this group's, the owner. The entry becomes pending if it is not; then its time and
  // count are 0 until the caller says otherwise.
  Pending& give(StreamId id, Consumer& owner);
  // Puts it at the end of the NACK zone, with delivery time 0; one that is there already keeps its place. It
  // becomes pending if it is not.
  Pending& nack(StreamId id);
  // What a file tells of an entry: pending, owned by nobody and not in the zone.
  Pending& add_unowned(StreamId id) { return make_pending(id)->second; }
  // False: it is not pending.
  bool acknowledge(StreamId id);

  // Tells the pending entries and the consumers.
  void tell_inside(ElementSink out, bool with_active_time, bool with_nack_ranks) const;

 private:
  using Node = PendingEntries::value_type;

  // As most that become pending are: it need not be looked for.
  [[nodiscard]] bool is_behind_all(StreamId id) const {
    return pending_.empty() || pending_.rbegin()->first < id;
  }
  Node* make_pending(StreamId id);
  static void link(Node& node, Consumer& holder);
  static void unlink(Node& node);
  void tell_pending(ElementSink out, bool with_nack_ranks) const;

  Consumers consumers_;
  PendingEntries pending_;
  Consumer zone_;
};

}  // namespace persist
