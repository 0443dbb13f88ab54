// Chance, and where it is sent.
#include "support/values.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "support/bytes_builder.hpp"
#include "support/notation.hpp"

namespace persist::test {

namespace {

std::vector<std::string> edge_texts() {
  std::vector<std::string> texts = {
      "", "007", "-0", "+5", "1.5", "9223372036854775808", "-9223372036854775809", "0", "12", "13"};
  constexpr unsigned kWidths[] = {3, 6, 7, 8, 12, 13, 15, 16, 23, 24, 31, 32, 48, 63};
  for (const unsigned bits : kWidths) {
    const auto edge = static_cast<int64_t>((uint64_t{1} << bits) - 1);
    for (const int64_t number : {edge, -edge - 1}) texts.push_back(std::to_string(number));
    if (bits == 63) continue;
    for (const int64_t number : {edge + 1, -edge - 2, -edge}) texts.push_back(std::to_string(number));
  }
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  texts.push_back(all);
  constexpr size_t kSizes[] = {1,   20,  21,  62,  63,   64,   65,   124,   126,   127,   128,   250,  252,
                               253, 254, 255, 256, 4091, 4095, 4096, 16377, 16378, 16379, 16383, 16384};
  for (const size_t size : kSizes) {
    texts.push_back(noise(size, static_cast<uint32_t>(size)));
    texts.emplace_back(size, 'r');
  }
  std::ranges::sort(texts);
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts;
}

std::vector<double> edge_scores() {
  using Limits = std::numeric_limits<double>;
  std::vector<double> scores = {0,
                                1,
                                12,
                                0.1,
                                1.5,
                                1e17,
                                1e22,
                                5e-324,
                                1e-300,
                                3.0e300,
                                1.0 / 3,
                                4503599627370495.0,
                                4503599627370496.0,
                                9007199254740993.0,
                                4611686018427387904.0,
                                9223372036854775808.0,
                                1.8446744073709552e19,
                                Limits::max(),
                                Limits::min(),
                                Limits::infinity(),
                                123456789.123456789};
  for (size_t i = scores.size(); i-- > 0;) scores.push_back(-scores[i]);
  return scores;
}

std::string number(size_t i) {
  const uint64_t bits = (i + 1) * 0x9e3779b97f4a7c15ULL;
  return std::to_string(std::bit_cast<int64_t>(bits) >> (i % 4 == 0 ? 0 : 30));
}

}  // namespace

ValueMaker::ValueMaker(uint64_t seed) : random_(seed), texts_(edge_texts()), scores_(edge_scores()) {}

void ValueMaker::make(Value& value, ValueType type, size_t count) {
  value.begin(type);
  // As different as members have to be: edges first, then numbers, then words.
  std::ranges::shuffle(texts_, random_);
  switch (type) {
    case ValueType::string:
      return value.add(StringValue{text(0)});
    case ValueType::list:
      for (size_t i = 0; i < count; ++i) value.add(ListItem{text(random_() % (i + 1))});
      return;
    case ValueType::set:
      for (size_t i = 0; i < count; ++i) value.add(SetMember{only_numbers ? number(i) : text(i)});
      return;
    case ValueType::zset:
      for (size_t i = 0; i < count; ++i) value.add(SortedSetMember{text(i), score()});
      return;
    case ValueType::hash:
      for (size_t i = 0; i < count; ++i) value.add(HashField{text(i), text(random_() % (i + 1)), expiry()});
      return;
    case ValueType::array:
      if (random_() % 2 == 0) value.add(ArrayInfo{random_()});
      for (size_t i = 0; i < count; ++i)
        value.add(ArrayElement{i < 20 ? i * 3 : random_() >> (i % 40), text(i)});
      return;
    case ValueType::module:
      return value.add(ModuleValue{"Az09-_jsN", 1023, unhex("01 07 05 0161 04 0102030405060708 00")});
    case ValueType::stream:
      return;
  }
}

std::string ValueMaker::text(size_t i) const {
  if (i < texts_.size() && texts_[i].size() <= longest) return texts_[i];
  return (i % 2 == 0 ? "1000000" : "word") + std::to_string(i);
}

double ValueMaker::score() {
  if (random_() % 3 != 0) return scores_[random_() % scores_.size()];
  const auto score = std::bit_cast<double>(random_());
  return score == score ? score : 1;
}

int64_t ValueMaker::expiry() {
  constexpr int64_t kExpiries[] = {kNoExpiry, 1, 2, 1700000000000, 1700000000001, (int64_t{1} << 48) - 1};
  return with_ttl ? kExpiries[random_() % std::size(kExpiries)] : kNoExpiry;
}

void StreamMaker::make(Value& value, size_t entries) {
  value.begin(ValueType::stream);
  StreamContent& stream = value.stream;
  StreamId id{throw_dice(1000), 1 + throw_dice(1000)};
  for (size_t i = 0; i < entries; ++i) {
    value.add(StreamEntry{id, fields(value)});
    advance(id);
  }
  stream.info.last_id = id;
  if (layout_ >= 2) {
    stream.info.max_deleted_id = StreamId{throw_dice(10), throw_dice(10)};
    stream.info.entries_added = entries + throw_dice(70000);
  }
  for (size_t i = throw_dice(3); i-- > 0;) add_group(value, "g" + std::to_string(2 - i));
  if (layout_ < 4) return;
  for (size_t i = throw_dice(3); i-- > 0;) add_producer(value, "p" + std::to_string(2 - i));
  stream.idmp = StreamIdmp{1 + throw_dice(86400), 1 + throw_dice(10000), throw_dice(1000), throw_dice(9)};
}

void StreamMaker::advance(StreamId& id) {
  if (throw_dice(3) == 0)
    id = {id.ms + 1 + throw_dice(uint64_t{1} << (throw_dice(40))), throw_dice(3)};
  else
    id.seq += 1 + throw_dice(uint64_t{1} << (throw_dice(40)));
}

std::string StreamMaker::text() {
  const uint64_t kind = throw_dice(10);
  if (kind == 0) return "";
  if (kind < 4) return std::to_string(static_cast<int64_t>(dice_()) >> throw_dice(60));
  return noise(throw_dice(kind == 9 ? 5000 : 30), static_cast<uint32_t>(dice_()));
}

std::span<const StreamField> StreamMaker::fields(Value& value) {
  const bool usual = throw_dice(4) != 0;
  const std::span<StreamField> made = value.arena.make<StreamField>(usual ? 2 : 1 + throw_dice(5));
  for (size_t i = 0; i < made.size(); ++i) {
    made[i].field = usual ? (i == 0 ? Bytes("field") : Bytes("12")) : value.arena.keep(text());
    made[i].value = value.arena.keep(text());
  }
  return made;
}

void StreamMaker::add_group(Value& value, const std::string& name) {
  StreamGroup head{name, {throw_dice(2000), throw_dice(2000)}, layout_ >= 2, std::nullopt};
  if (layout_ < 2) head.last_id = {};
  if (layout_ >= 2 && throw_dice(3) > 0) head.entries_read = throw_dice(1000);
  value.add(head);
  const size_t consumers = throw_dice(4);
  add_pending(value, consumers);
  for (size_t i = 0; i < consumers; ++i) {
    const std::string consumer = "consumer " + std::to_string(i);
    StreamConsumer made{consumer, static_cast<int64_t>(dice_() >> 20), layout_ >= 3, std::nullopt};
    if (layout_ >= 3 && throw_dice(3) > 0) made.active_time_ms = static_cast<int64_t>(dice_() >> 20);
    value.add(made);
  }
}

void StreamMaker::add_pending(Value& value, size_t consumers) {
  uint64_t zone = 0;
  StreamId id{1, 1};
  for (size_t i = throw_dice(pending_max); i-- > 0 && (consumers > 0 || layout_ >= 5);) {
    advance(id);
    StreamPending pending{id, std::nullopt, 0, throw_dice(200), std::nullopt};
    const std::string consumer = "consumer " + std::to_string(consumers == 0 ? 0 : throw_dice(consumers));
    if (layout_ >= 5 && (consumers == 0 || throw_dice(5) == 0)) {
      pending.nack_rank = zone++;
    } else {
      pending.consumer = consumer;
      pending.delivery_time_ms = static_cast<int64_t>(dice_() >> 20);
    }
    value.add(pending);
  }
  shuffle_zone(value.stream.groups.back().pending);
}

void StreamMaker::add_producer(Value& value, const std::string& name) {
  value.add(StreamProducer{name});
  for (size_t i = throw_dice(5); i-- > 0;) {
    const std::string iid = text();
    value.add(StreamIid{iid, {throw_dice(1000), throw_dice(1000)}});
  }
}

void StreamMaker::shuffle_zone(std::vector<StreamPending>& pending) {
  std::vector<StreamPending*> zone;
  for (StreamPending& each : pending)
    if (each.nack_rank) zone.push_back(&each);
  for (size_t i = 1; i < zone.size(); ++i) std::swap(zone[i]->nack_rank, zone[throw_dice(i + 1)]->nack_rank);
}

std::string notation_of(const Value& value) {
  Notation notation;
  notation.begin(value.type);
  value.tell([&](const Element& told) { notation.add(told); });
  return notation.end();
}

}  // namespace persist::test
