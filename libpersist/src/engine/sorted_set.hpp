// The value of a sorted set: members found by name, and, once somebody asks for it, in order. Most logs only
// add and remove: they never pay for the order.
#pragma once

#include <memory>
#include <optional>

#include "engine/member_table.hpp"
#include "engine/score_order.hpp"

namespace persist {

class SortedSet {
 public:
  explicit SortedSet(Pool& pool) : members_(pool) {}
  ~SortedSet();
  SortedSet(const SortedSet&) = delete;
  SortedSet& operator=(const SortedSet&) = delete;

  [[nodiscard]] size_t size() const { return members_.size(); }
  [[nodiscard]] std::optional<double> score(Bytes member) const {
    const Word* at = members_.find(members_.probe(member));
    if (at == nullptr) return std::nullopt;
    return score_of(word_block(*at));
  }

  enum class Set : uint8_t { added, changed, same };
  // Puts the member there with that score, whatever it had. -0 and 0 are the same.
  Set set(Bytes member, double score);
  bool remove(Bytes member);

  // act(Bytes member, double score), in no order; the sorted set must not change meanwhile.
  template <typename Do>
  void for_each(Do&& act) const {
    members_.for_each([&](Word word) { act(member_of(word_block(word)), score_of(word_block(word))); });
  }

  // Up to so many members servers keep a sorted set packed.
  static constexpr size_t kPackedMembersMax = 128;
  static constexpr size_t kPackedMemberBytesMax = 64;
  // Whether a server would still keep it packed, with this member too: it never goes back to that.
  [[nodiscard]] bool is_packed_with(Bytes member) const {
    return !large_ && size() < kPackedMembersMax && member.size() <= kPackedMemberBytesMax;
  }

  [[nodiscard]] bool is_packed() const { return !large_; }
  // For a copy with the same members: one that was large once stays so.
  void take_form_of(const SortedSet& other) { large_ = other.large_; }
  // From now on it is not, whatever it holds.
  void unpack() { large_ = true; }
  void drop_signs_of_zeros();

  // All members by score, then by bytes. Made when first asked for and then kept up to date.
  [[nodiscard]] const ScoreOrder& order();
  [[nodiscard]] bool has_order() const { return order_ != nullptr; }

  // Removes the members at ranks [from, from + count) of the order.
  void remove_ranks(size_t from, size_t count);

  void prefetch() const { members_.prefetch(); }

 private:
  // A block: the score in the host's byte order, then a varint length and the member.
  static double score_of(const char* block) {
    double score;
    std::memcpy(&score, block, sizeof score);
    return score;
  }
  static Bytes member_of(const char* block) { return block_text(block + sizeof(double)); }
  void free_block(char* block);

  struct Row {
    static constexpr bool kImmediates = false;
    static Bytes text(Word word, CellRoom& /*room*/) { return member_of(word_block(word)); }
  };

  MemberTable<Row> members_;
  std::unique_ptr<ScoreOrder> order_;
  bool large_ = false;
};

}  // namespace persist
