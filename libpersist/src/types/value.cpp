// Gathering: one overload for each kind of element.
#include "types/value.hpp"

#include <algorithm>

namespace persist {

namespace {

struct Gather {
  Value& value;

  [[nodiscard]] Bytes keep_item(Bytes bytes) const {
    value.longest = std::max(value.longest, bytes.size());
    return value.arena.keep(bytes);
  }

  void operator()(const StringValue& told) const { value.text = value.arena.keep(told.value); }
  void operator()(const ListItem& told) const { value.items.push_back(keep_item(told.value)); }
  void operator()(const SetMember& told) const { value.items.push_back(keep_item(told.member)); }
  void operator()(const SortedSetMember& told) const {
    value.members.push_back({keep_item(told.member), told.score});
  }
  void operator()(const HashField& told) const {
    const Bytes field = keep_item(told.field);
    value.fields.push_back({field, keep_item(told.value), told.expire_at_ms});
  }
  void operator()(const StreamInfo& told) const { value.stream.info = told; }
  void operator()(const StreamEntry& told) const {
    const std::span<StreamField> fields = value.arena.make<StreamField>(told.fields.size());
    std::ranges::transform(told.fields, fields.begin(), [this](const StreamField& field) {
      return StreamField{value.arena.keep(field.field), value.arena.keep(field.value)};
    });
    value.stream.entries.push_back({told.id, fields});
  }
  void operator()(const StreamGroup& told) const {
    GroupValue& group = value.stream.groups.emplace_back();
    group.head = told;
    group.head.name = value.arena.keep(told.name);
  }
  void operator()(const StreamPending& told) const {
    StreamPending pending = told;
    if (told.consumer) pending.consumer = value.arena.keep(*told.consumer);
    value.stream.groups.back().pending.push_back(pending);
  }
  void operator()(const StreamConsumer& told) const {
    StreamConsumer consumer = told;
    consumer.name = value.arena.keep(told.name);
    value.stream.groups.back().consumers.push_back(consumer);
  }
  void operator()(const StreamProducer& told) const {
    value.stream.producers.push_back({value.arena.keep(told.id), {}});
  }
  void operator()(const StreamIid& told) const {
    value.stream.producers.back().iids.push_back({value.arena.keep(told.iid), told.id});
  }
  void operator()(const StreamIdmp& told) const { value.stream.idmp = told; }
  void operator()(const ArrayInfo& told) const { value.insert_index = told.insert_index; }
  void operator()(const ArrayElement& told) const {
    value.elements.push_back({told.index, keep_item(told.value)});
  }
  void operator()(const ModuleValue& told) const {
    value.module = {value.arena.keep(told.module), told.encver, value.arena.keep(told.payload)};
  }
};

}  // namespace

void StreamContent::clear() {
  info = {};
  entries.clear();
  groups.clear();
  producers.clear();
  idmp.reset();
}

void Value::begin(ValueType of_type) {
  type = of_type;
  text = {};
  items.clear();
  members.clear();
  fields.clear();
  stream.clear();
  insert_index.reset();
  elements.clear();
  module = {};
  longest = 0;
  arena.clear();
}

void Value::add(const Element& element) { std::visit(Gather{*this}, element); }

namespace {

void tell_stream(const StreamContent& stream, ElementSink out) {
  out(stream.info);
  for (const StreamEntry& entry : stream.entries) out(entry);
  for (const GroupValue& group : stream.groups) {
    out(group.head);
    for (const StreamPending& pending : group.pending) out(pending);
    for (const StreamConsumer& consumer : group.consumers) out(consumer);
  }
  for (const ProducerValue& producer : stream.producers) {
    out(StreamProducer{producer.id});
    for (const StreamIid& iid : producer.iids) out(iid);
  }
  if (stream.idmp) out(*stream.idmp);
}

}  // namespace

void Value::tell(ElementSink out) const {
  switch (type) {
    case ValueType::string:
      return out(StringValue{text});
    case ValueType::module:
      return out(module);
    case ValueType::stream:
      return tell_stream(stream, out);
    default:
      break;
  }
  if (type == ValueType::array) out(ArrayInfo{insert_index});
  for (const Bytes item : items) {
    if (type == ValueType::list)
      out(ListItem{item});
    else
      out(SetMember{item});
  }
  for (const SortedSetMember& member : members) out(member);
  for (const HashField& field : fields) out(field);
  for (const ArrayElement& element : elements) out(element);
}

size_t Value::count() const {
  switch (type) {
    case ValueType::string:
    case ValueType::module:
      return 1;
    case ValueType::list:
    case ValueType::set:
      return items.size();
    case ValueType::zset:
      return members.size();
    case ValueType::hash:
      return fields.size();
    case ValueType::stream:
      return stream.entries.size();
    case ValueType::array:
      return elements.size();
  }
  return 0;
}

bool Value::is_void() const { return type != ValueType::stream && count() == 0; }

bool Value::has_field_ttl() const {
  return std::ranges::any_of(fields, [](const HashField& field) { return field.expire_at_ms != kNoExpiry; });
}

void Value::sort() {
  if (type == ValueType::set) std::ranges::sort(items);
  std::ranges::sort(members, is_ranked_before);
  std::ranges::sort(fields, {}, &HashField::field);
  std::ranges::sort(elements, {}, &ArrayElement::index);
  std::ranges::sort(stream.groups, {}, [](const GroupValue& group) { return group.head.name; });
  for (GroupValue& group : stream.groups) std::ranges::sort(group.consumers, {}, &StreamConsumer::name);
  std::ranges::sort(stream.producers, {}, &ProducerValue::id);
}

}  // namespace persist
