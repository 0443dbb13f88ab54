// Members and their order, if there is one, change together: the order shows the bytes that the members own.
#include "engine/sorted_set.hpp"

namespace persist {

SortedSet::~SortedSet() {
  members_.for_each([this](Word word) { free_block(word_block(word)); });
}

void SortedSet::free_block(char* block) {
  const Bytes member = member_of(block);
  members_.pool().give(block, static_cast<size_t>(member.data() + member.size() - block));
}

SortedSet::Set SortedSet::set(Bytes member, double score) {
  const auto probe = members_.probe(member);
  if (Word* at = members_.find(probe)) {
    char* block = word_block(*at);
    const double held = score_of(block);
    if (held == score) return Set::same;
    if (order_) order_->erase({held, member_of(block)});
    std::memcpy(block, &score, sizeof score);
    if (order_) order_->insert({score, member_of(block)});
    return Set::changed;
  }
  large_ = !is_packed_with(member);
  char* block = members_.pool().take(sizeof score + varint_bytes(member.size()) + member.size());
  std::memcpy(block, &score, sizeof score);
  copy_bytes(put_varint(block + sizeof score, member.size()), member);
  members_.insert(block_word(block, probe.hash), probe.hash);
  if (order_) order_->insert({score, member_of(block)});
  return Set::added;
}

void SortedSet::drop_signs_of_zeros() {
  members_.for_each([](Word word) {
    const double score = score_of(word_block(word)) + 0.0;  // -0 + 0 is 0
    std::memcpy(word_block(word), &score, sizeof score);
  });
}

bool SortedSet::remove(Bytes member) {
  Word* at = members_.find(members_.probe(member));
  if (at == nullptr) return false;
  char* block = word_block(*at);
  if (order_) order_->erase({score_of(block), member_of(block)});
  members_.erase(at);
  free_block(block);
  return true;
}

const ScoreOrder& SortedSet::order() {
  if (!order_) {
    std::vector<ScoredMember> members;
    members.reserve(size());
    for_each([&](Bytes member, double score) { members.push_back({score, member}); });
    order_ = std::make_unique<ScoreOrder>(std::move(members));
  }
  return *order_;
}

void SortedSet::remove_ranks(size_t from, size_t count) {
  std::vector<Bytes> members;
  members.reserve(count);
  order().for_each(from, count, [&](const ScoredMember& member) { members.push_back(member.member); });
  for (const Bytes member : members) remove(member);
}

}  // namespace persist
