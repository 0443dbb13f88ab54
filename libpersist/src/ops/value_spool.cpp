// A spooled value is its head, its elements as they are told, each behind its place in the variant, and an
// end mark. Numbers are as they are in memory; a text stands behind its length, of one byte if that will do.
#include "ops/value_spool.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <concepts>
#include <cstring>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "io/placing.hpp"

namespace persist {

namespace {

constexpr uint8_t kSpooledEnd = 0xff;
constexpr uint8_t kLongText = 0xff;  // a length of eight bytes follows

// The disk does not give back what it was given.
[[noreturn]] void fail_spooled() { throw trouble(EIO, temporary_folder() + ": a value in a temporary file"); }

template <typename T>
concept SpooledNumber = std::is_arithmetic_v<T> || std::is_enum_v<T>;

// Puts anything that elements are made of.
class SpoolPutter {
 public:
  explicit SpoolPutter(ByteBuffer& out) : out_(out) {}

  template <typename... T>
  void operator()(const T&... parts) {
    (put(parts), ...);
  }

 private:
  template <SpooledNumber T>
  void put(T number) {
    char* const to = out_.room(sizeof number);
    std::memcpy(to, &number, sizeof number);
    out_.advance(to + sizeof number);
  }
  void put(Bytes text) {
    if (text.size() < kLongText)
      put(static_cast<uint8_t>(text.size()));
    else
      (*this)(kLongText, uint64_t{text.size()});
    out_.append(text);
  }
  void put(const StreamId& id) { (*this)(id.ms, id.seq); }
  template <typename T>
  void put(const std::optional<T>& part) {
    put(part.has_value());
    if (part) put(*part);
  }
  void put(std::span<const StreamField> fields) {
    put(uint64_t{fields.size()});
    for (const StreamField& field : fields) (*this)(field.field, field.value);
  }

  ByteBuffer& out_;
};

// Takes what a SpoolPutter has put. Texts are views of the bytes.
class SpoolTaker {
 public:
  explicit SpoolTaker(Bytes bytes) : left_(bytes) {}

  template <typename... T>
  void operator()(T&... parts) {
    (take(parts), ...);
  }
  [[nodiscard]] bool at_end() const { return left_.empty(); }

 private:
  Bytes bytes(uint64_t size) {
    if (size > left_.size()) fail_spooled();
    const Bytes taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  template <SpooledNumber T>
  void take(T& number) {
    std::memcpy(&number, bytes(sizeof number).data(), sizeof number);
  }
  void take(bool& flag) {
    uint8_t byte = 0;
    take(byte);
    flag = byte != 0;
  }
  void take(Bytes& text) {
    uint8_t shorter = 0;
    take(shorter);
    uint64_t size = shorter;
    if (shorter == kLongText) take(size);
    text = bytes(size);
  }
  void take(StreamId& id) { (*this)(id.ms, id.seq); }
  template <typename T>
  void take(std::optional<T>& part) {
    bool is_there = false;
    take(is_there);
    part.reset();
    if (is_there) take(part.emplace());
  }
  void take(std::span<const StreamField>& fields) {
    uint64_t count = 0;
    take(count);
    if (count > left_.size() / 2) fail_spooled();  // two lengths each
    fields_.resize(count);
    for (StreamField& field : fields_) (*this)(field.field, field.value);
    fields = fields_;
  }

  Bytes left_;
  std::vector<StreamField> fields_;  // of the last entry
};

// The parts of each kind of element, for putting and for taking: the one has them const.
template <typename T, typename Kind>
concept ElementLike = std::same_as<std::remove_const_t<T>, Kind>;

template <typename Way, ElementLike<StringValue> T>
void go_through(Way& way, T& told) {
  way(told.value);
}
template <typename Way, ElementLike<ListItem> T>
void go_through(Way& way, T& told) {
  way(told.value);
}
template <typename Way, ElementLike<SetMember> T>
void go_through(Way& way, T& told) {
  way(told.member);
}
template <typename Way, ElementLike<SortedSetMember> T>
void go_through(Way& way, T& told) {
  way(told.member, told.score);
}
template <typename Way, ElementLike<HashField> T>
void go_through(Way& way, T& told) {
  way(told.field, told.value, told.expire_at_ms);
}
template <typename Way, ElementLike<StreamInfo> T>
void go_through(Way& way, T& told) {
  way(told.length, told.last_id, told.first_id, told.max_deleted_id, told.entries_added);
}
template <typename Way, ElementLike<StreamEntry> T>
void go_through(Way& way, T& told) {
  way(told.id, told.fields);
}
template <typename Way, ElementLike<StreamGroup> T>
void go_through(Way& way, T& told) {
  way(told.name, told.last_id, told.has_entries_read, told.entries_read);
}
template <typename Way, ElementLike<StreamPending> T>
void go_through(Way& way, T& told) {
  way(told.id, told.consumer, told.delivery_time_ms, told.delivery_count, told.nack_rank);
}
template <typename Way, ElementLike<StreamConsumer> T>
void go_through(Way& way, T& told) {
  way(told.name, told.seen_time_ms, told.has_active_time, told.active_time_ms);
}
template <typename Way, ElementLike<StreamProducer> T>
void go_through(Way& way, T& told) {
  way(told.id);
}
template <typename Way, ElementLike<StreamIid> T>
void go_through(Way& way, T& told) {
  way(told.iid, told.id);
}
template <typename Way, ElementLike<StreamIdmp> T>
void go_through(Way& way, T& told) {
  way(told.duration_s, told.max_entries, told.iids_added, told.iids_duplicates);
}
template <typename Way, ElementLike<ArrayInfo> T>
void go_through(Way& way, T& told) {
  way(told.insert_index);
}
template <typename Way, ElementLike<ArrayElement> T>
void go_through(Way& way, T& told) {
  way(told.index, told.value);
}
template <typename Way, ElementLike<ModuleValue> T>
void go_through(Way& way, T& told) {
  way(told.module, told.encver, told.payload);
}
template <typename Way, ElementLike<SpooledHead> T>
void go_through(Way& way, T& head) {
  way(head.type, head.expire_at_ms, head.idle_s, head.freq);
}

template <typename Kind>
void take_element(SpoolTaker& from, Value& value) {
  Kind told{};
  go_through(from, told);
  value.add(told);
}

template <size_t... kind>
constexpr auto element_takers(std::index_sequence<kind...> /*kinds*/) {
  return std::array{&take_element<std::variant_alternative_t<kind, Element>>...};
}
// By the place in the variant.
constexpr auto kElementTakers = element_takers(std::make_index_sequence<std::variant_size_v<Element>>());

}  // namespace

void append_spooled(ByteBuffer& out, const SpooledHead& head, const Value& value) {
  SpoolPutter to(out);
  go_through(to, head);
  value.tell([&to](const Element& element) {
    to(static_cast<uint8_t>(element.index()));
    std::visit([&to](const auto& told) { go_through(to, told); }, element);
  });
  to(kSpooledEnd);
}

SpooledHead read_spooled(Bytes bytes, Value& value) {
  SpoolTaker from(bytes);
  SpooledHead head;
  go_through(from, head);
  value.begin(head.type);
  for (uint8_t kind = 0; from(kind), kind != kSpooledEnd;) {
    if (kind >= kElementTakers.size()) fail_spooled();
    kElementTakers[kind](from, value);
  }
  if (!from.at_end()) fail_spooled();
  return head;
}

namespace {

constexpr size_t kSpoolWrittenAtOnce = size_t{1} << 20;
constexpr size_t kSpoolReadAtFirst = size_t{4} << 10;  // the length, and most values with it
using SpoolLength = uint64_t;

SpoolLength length_at(const char* from) {
  SpoolLength length = 0;
  std::memcpy(&length, from, sizeof length);
  return length;
}

}  // namespace

// What is long goes to the file at once, without being copied.
uint64_t ValueSpool::append(Bytes bytes) {
  const std::lock_guard lock(mutex_);
  const uint64_t place = file_.appended() + unwritten_.size();
  const SpoolLength length = bytes.size();
  unwritten_.append(Bytes(reinterpret_cast<const char*>(&length), sizeof length));
  if (bytes.size() >= kSpoolWrittenAtOnce) {
    write_out();
    file_.append(bytes);
    return place;
  }
  unwritten_.append(bytes);
  if (unwritten_.size() >= kSpoolWrittenAtOnce) write_out();
  return place;
}

void ValueSpool::write_out() {
  file_.append(unwritten_.bytes());
  unwritten_.clear();
}

Bytes ValueSpool::read(uint64_t place, ByteBuffer& room) const {
  room.clear();
  uint64_t written = 0;
  {
    const std::lock_guard lock(mutex_);
    written = file_.appended();
    if (place >= written) {
      const char* const at = unwritten_.bytes().data() + (place - written);
      room.append(Bytes(at + sizeof(SpoolLength), length_at(at)));
      return room.bytes();
    }
  }
  read_written(place, written - place, room);
  return room.bytes().substr(sizeof(SpoolLength));
}

// The length and as much behind it as one reading gives; then the rest.
void ValueSpool::read_written(uint64_t place, uint64_t up_to, ByteBuffer& room) const {
  if (up_to < sizeof(SpoolLength)) fail_spooled();
  const size_t first = std::min<uint64_t>(kSpoolReadAtFirst, up_to);
  read_on(place, first, room);
  const SpoolLength length = length_at(room.bytes().data());
  if (length > up_to - sizeof(SpoolLength)) fail_spooled();
  const size_t whole = sizeof(SpoolLength) + length;
  if (whole > first) read_on(place + first, whole - first, room);
  room.truncate(whole);
}

void ValueSpool::read_on(uint64_t place, size_t size, ByteBuffer& room) const {
  char* const to = room.room(size);
  file_.read(to, size, place);
  room.advance(to + size);
}

uint64_t ValueSpool::size() const {
  const std::lock_guard lock(mutex_);
  return file_.appended() + unwritten_.size();
}

void ValueSpool::clear() {
  const std::lock_guard lock(mutex_);
  file_.close();
  unwritten_.clear();
}

}  // namespace persist
