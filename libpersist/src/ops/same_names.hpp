// Finds out whether entries would come to be written under one name: two in the input, or made so by changes.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ops/duplicate_keys.hpp"

namespace persist {

class SameNames {
 public:
  // One for each thread.
  class Watch {
   public:
    explicit Watch(SameNames& owner) : owner_(owner), hashes_(owner.names_.hashes().appender()) {}
    void see(uint64_t db, Bytes key) {
      const uint64_t hash = owner_.names_.hash(db, key);
      if (!owner_.looks_closer_) return hashes_.add(hash);
      if (owner_.suspects_.contains(hash)) owner_.count(db, key);
    }

   private:
    SameNames& owner_;
    DuplicateHashes::Appender& hashes_;
  };

  // Once all names were seen: whether some may be the same. Then they are to be seen a second time.
  [[nodiscard]] bool has_suspects(unsigned threads);
  // Behind that: those that are, with how often, the first few of them.
  struct Same {
    uint64_t keys = 0;
    std::string first;  // "\"a\" in db 0, ..."
  };
  [[nodiscard]] Same found() const;

 private:
  void count(uint64_t db, Bytes key);

  DuplicateKeys names_;
  bool looks_closer_ = false;
  std::unordered_set<uint64_t> suspects_;
  std::mutex mutex_;
  std::map<std::pair<uint64_t, std::string>, uint64_t> times_;
};

}  // namespace persist
