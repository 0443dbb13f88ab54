// The value of a set: members in no order.
#pragma once

#include "engine/member_table.hpp"

namespace persist {

class Set {
 public:
  explicit Set(Pool& pool) : members_(pool) {}
  ~Set() {
    members_.for_each([this](Word word) { free_word(members_.pool(), word); });
  }
  Set(const Set&) = delete;
  Set& operator=(const Set&) = delete;

  [[nodiscard]] size_t size() const { return members_.size(); }
  [[nodiscard]] bool contains(Bytes member) const { return members_.find(members_.probe(member)) != nullptr; }

  // False if it was there.
  bool add(Bytes member) {
    const auto probe = members_.probe(member);
    if (members_.find(probe) != nullptr) return false;
    const Word word = probe.immediate != 0 ? probe.immediate : make_word(members_.pool(), member, probe.hash);
    members_.insert(word, probe.hash);
    return true;
  }

  // False if it was not there.
  bool remove(Bytes member) {
    Word* at = members_.find(members_.probe(member));
    if (at == nullptr) return false;
    const Word word = *at;
    members_.erase(at);
    free_word(members_.pool(), word);
    return true;
  }

  // act(Bytes member), in no order; the set must not change meanwhile.
  template <typename Do>
  void for_each(Do&& act) const {
    CellRoom room;
    members_.for_each([&](Word word) { act(word_text(word, room)); });
  }

  // Likewise for `count` of the members, or all if there are no more.
  template <typename Do>
  void for_some(size_t count, Do&& act) const {
    CellRoom room;
    members_.for_some(count, [&](Word word) { act(word_text(word, room)); });
  }

  // Some member, valid as one of a list is. The set must not be empty.
  [[nodiscard]] Bytes any(CellRoom& room) const { return word_text(members_.any(), room); }

  // Both must be of one pool.
  void swap(Set& other) { members_.swap(other.members_); }
  void prefetch() const { members_.prefetch(); }

 private:
  struct Row {
    static constexpr bool kImmediates = true;
    static Bytes text(Word word, CellRoom& room) { return word_text(word, room); }
  };
  MemberTable<Row> members_;
};

}  // namespace persist
