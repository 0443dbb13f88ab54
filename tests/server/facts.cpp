// Both sides brought to one form.
#include "server/facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace persist::test {

namespace {

std::string text_of(double score) { return fmt::format("{:.17g}", score); }
std::string text_of(StreamId id) { return fmt::format("{}-{}", id.ms, id.seq); }

[[noreturn]] void stranger() { throw std::logic_error("no server before 7.2 writes such an element"); }

Words flat(std::vector<std::pair<std::string, std::string>> pairs) {
  std::ranges::sort(pairs);
  Words words;
  for (auto& [first, second] : pairs) {
    words.push_back(std::move(first));
    words.push_back(std::move(second));
  }
  return words;
}

Words texts(const Reply& reply) {
  Words words;
  for (const Reply& item : reply.items) words.push_back(item.text);
  return words;
}

std::vector<std::pair<std::string, std::string>> pairs_of(const Reply& reply) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (size_t i = 0; i + 1 < reply.items.size(); i += 2)
    pairs.emplace_back(reply.items[i].text, reply.items[i + 1].text);
  return pairs;
}

Words ask_zset(Client& client, const std::string& key) {
  Words words;
  for (const auto& [member, score] : pairs_of(client.call({"ZRANGE", key, "0", "-1", "WITHSCORES"}))) {
    words.push_back(text_of(std::strtod(score.c_str(), nullptr)));
    words.push_back(member);
  }
  return words;
}

void add_group(Words& words, const Reply& group) {
  const Reply& entries_read = group.field("entries-read");
  words.insert(words.end(), {"group", group.field("name").text, group.field("last-delivered-id").text,
                             entries_read.null ? "unknown" : entries_read.text});
  for (const Reply& pending : group.field("pending").items) {
    words.emplace_back("pending");
    for (const Reply& part : pending.items) words.push_back(part.text);
  }
  for (const Reply& consumer : group.field("consumers").items) {
    words.insert(words.end(), {"consumer", consumer.field("name").text, consumer.field("seen-time").text});
  }
}

Words ask_stream(Client& client, const std::string& key) {
  const Reply info = client.call({"XINFO", "STREAM", key, "FULL", "COUNT", "0"});
  Words words = {"stream",
                 info.field("length").text,
                 info.field("last-generated-id").text,
                 info.field("recorded-first-entry-id").text,
                 info.field("max-deleted-entry-id").text,
                 info.field("entries-added").text};
  for (const Reply& entry : client.call({"XRANGE", key, "-", "+"}).items) {
    words.push_back(entry.items.at(0).text);
    const Words fields = texts(entry.items.at(1));
    words.insert(words.end(), fields.begin(), fields.end());
  }
  for (const Reply& group : info.field("groups").items) add_group(words, group);
  return words;
}

}  // namespace

void FactSink::add(const Element& element) {
  std::visit([this](const auto& one) { put(one); }, element);
}

void FactSink::put(const SortedSetMember& member) { scored_.emplace_back(member.score, member.member); }

void FactSink::put(const StreamInfo& info) {
  plain_ = {"stream",
            std::to_string(info.length),
            text_of(info.last_id),
            text_of(info.first_id.value()),
            text_of(info.max_deleted_id.value()),
            std::to_string(info.entries_added.value())};
}

void FactSink::put(const StreamEntry& entry) {
  plain_.push_back(text_of(entry.id));
  for (const StreamField& field : entry.fields) {
    plain_.emplace_back(field.field);
    plain_.emplace_back(field.value);
  }
}

void FactSink::put(const StreamGroup& group) {
  plain_.insert(plain_.end(), {"group", std::string(group.name), text_of(group.last_id),
                               group.entries_read ? std::to_string(*group.entries_read) : "unknown"});
}

void FactSink::put(const StreamPending& pending) {
  plain_.insert(plain_.end(),
                {"pending", text_of(pending.id), std::string(pending.consumer.value()),
                 std::to_string(pending.delivery_time_ms), std::to_string(pending.delivery_count)});
}

void FactSink::put(const StreamConsumer& consumer) {
  plain_.insert(plain_.end(),
                {"consumer", std::string(consumer.name), std::to_string(consumer.seen_time_ms)});
}

void FactSink::put(const StreamProducer&) { stranger(); }
void FactSink::put(const StreamIid&) { stranger(); }
// The engine tells its defaults too.
void FactSink::put(const StreamIdmp&) {}
void FactSink::put(const ArrayInfo&) { stranger(); }
void FactSink::put(const ArrayElement&) { stranger(); }
void FactSink::put(const ModuleValue&) { stranger(); }

Words FactSink::take(ValueType type) {
  Words words = std::move(plain_);
  plain_.clear();
  if (type == ValueType::set) std::ranges::sort(words);
  if (type == ValueType::hash) words = flat(std::move(pairs_));
  if (type == ValueType::zset) {
    std::ranges::sort(scored_);
    for (auto& [score, member] : scored_) {
      words.push_back(text_of(score));
      words.push_back(std::move(member));
    }
  }
  pairs_.clear();
  scored_.clear();
  return words;
}

Facts ask(Client& client, const std::string& key) {
  Facts facts;
  facts.type = client.call({"TYPE", key}).text;
  facts.expire_at_ms = std::stoll(client.call({"PEXPIRETIME", key}).text);
  if (facts.type == "string") {
    facts.value = {client.call({"GET", key}).text};
  } else if (facts.type == "list") {
    facts.value = texts(client.call({"LRANGE", key, "0", "-1"}));
  } else if (facts.type == "set") {
    facts.value = texts(client.call({"SMEMBERS", key}));
    std::ranges::sort(facts.value);
  } else if (facts.type == "zset") {
    facts.value = ask_zset(client, key);
  } else if (facts.type == "hash") {
    facts.value = flat(pairs_of(client.call({"HGETALL", key})));
  } else if (facts.type == "stream") {
    facts.value = ask_stream(client, key);
  } else {
    throw std::runtime_error("the server has a type " + facts.type);
  }
  return facts;
}

Keyspace ask_all(Client& client, uint64_t dbs) {
  Keyspace keys;
  for (uint64_t db = 0; db < dbs; ++db) {
    client.call({"SELECT", std::to_string(db)});
    for (const std::string& key : texts(client.call({"KEYS", "*"}))) keys[{db, key}] = ask(client, key);
  }
  return keys;
}

}  // namespace persist::test
