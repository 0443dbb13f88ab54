// Remembering and forgetting idempotency IDs.
#include "engine/stream_idmp.hpp"

namespace persist {

bool Idempotency::Producer::add(Bytes iid, StreamId entry) {
  const auto [at, is_new] = iids.try_emplace(std::string(iid), entry);
  if (is_new) by_age.emplace_back(at);
  return is_new;
}

void Idempotency::Producer::forget_oldest() {
  iids.erase(by_age.front());
  by_age.pop_front();
}

Idempotency::Producer& Idempotency::make_producer(Bytes name) {
  const auto found = producers_.find(name);
  return found != producers_.end() ? found->second : producers_[std::string(name)];
}

bool Idempotency::configure(uint64_t duration_s, uint64_t max_entries) {
  if (duration_s == duration_s_ && max_entries == max_entries_) return false;
  duration_s_ = duration_s;
  max_entries_ = max_entries;
  producers_.clear();
  return true;
}

std::optional<StreamId> Idempotency::find(Bytes producer, Bytes iid) const {
  const auto of = producers_.find(producer);
  if (of == producers_.end()) return std::nullopt;
  const auto found = of->second.iids.find(iid);
  if (found == of->second.iids.end()) return std::nullopt;
  return found->second;
}

bool Idempotency::add(Bytes producer, Bytes iid, StreamId entry) {
  Producer& of = make_producer(producer);
  if (!of.add(iid, entry)) return false;
  ++iids_added_;
  while (of.by_age.size() > max_entries_) of.forget_oldest();
  return true;
}

void Idempotency::forget_before(uint64_t ms) {
  for (auto& [name, producer] : producers_) {
    while (!producer.by_age.empty() && producer.by_age.front()->second.ms < ms) producer.forget_oldest();
  }
  std::erase_if(producers_, [](const auto& producer) { return producer.second.iids.empty(); });
}

// ------------------------------------------------------------------------------------------ telling

bool Idempotency::add(const StreamProducer& producer) {
  told_producer_ = producer.id;
  return producers_.find(producer.id) == producers_.end();
}

void Idempotency::add(const StreamIid& iid) { make_producer(told_producer_).add(iid.iid, iid.id); }

void Idempotency::add(const StreamIdmp& idmp) {
  duration_s_ = idmp.duration_s;
  max_entries_ = idmp.max_entries;
  iids_added_ = idmp.iids_added;
  iids_duplicates_ = idmp.iids_duplicates;
  std::string().swap(told_producer_);
}

void Idempotency::tell(ElementSink out) const {
  for (const auto& [name, producer] : producers_) {
    out(StreamProducer{name});
    for (const auto& iid : producer.by_age) out(StreamIid{iid->first, iid->second});
  }
  out(StreamIdmp{duration_s_, max_entries_, iids_added_, iids_duplicates_});
}

}  // namespace persist
