// One run of one command: what handlers get, and how they answer. A handler changes the dataset exactly as a
// server would that loads the command from its log, and says whether anything changed. It answers as the
// server would answer a script; when a log is replayed, nobody listens.
#pragma once

#include <optional>
#include <span>

#include "engine/dataset.hpp"
#include "engine/profile.hpp"
#include "persist/bytes.hpp"

namespace persist {

enum class Effect : uint8_t {
  changed,    // the server would count a change: this is what puts a command into its log
  unchanged,  // it did nothing, but rightly so
  failed      // the server would answer with an error; nothing has changed
};

// The texts of errors, as servers word them; a handler may have others of its own.
inline constexpr const char* kWrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr const char* kSyntax = "ERR syntax error";
inline constexpr const char* kNotInteger = "ERR value is not an integer or out of range";
inline constexpr const char* kNotFloat = "ERR value is not a valid float";
inline constexpr const char* kNoSuchKey = "ERR no such key";
inline constexpr const char* kIndexRange = "ERR index out of range";
inline constexpr const char* kWrongArity = "ERR wrong number of arguments";
inline constexpr const char* kDbRange = "ERR DB index is out of range";
inline constexpr const char* kOverflow = "ERR increment or decrement would overflow";

// Takes the answer of a command piece by piece, in the order of the protocol: an array is announced by its
// number of elements, each of which is then answered itself.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual void integer(int64_t number) = 0;
  virtual void bulk(Bytes text) = 0;
  virtual void nil() = 0;
  virtual void status(Bytes text) = 0;
  virtual void error(Bytes text) = 0;
  virtual void array(size_t elements) = 0;
};

// What a lookup of a value of one type found.
template <typename T>
struct Found {
  KeyEntry* entry = nullptr;  // null: there is no such key
  T* value = nullptr;         // null: there is no such key, or it is of another type
  [[nodiscard]] bool wrong_type() const { return entry != nullptr && value == nullptr; }
  explicit operator bool() const { return value != nullptr; }
  T* operator->() const { return value; }
};

class Call {
 public:
  // `reply` may be null.
  Call(Dataset& on, uint64_t db_number, const Profile& rules, int64_t clock_ms, ReplySink* reply)
      : data(on),
        profile(rules),
        now_ms(clock_ms),
        db_number_(db_number),
        db_(&on.db(db_number)),
        reply_(reply) {}

  std::span<const Bytes> args;  // the name first
  Dataset& data;
  const Profile& profile;
  const int64_t now_ms;  // what relative times are counted from; nothing else may depend on it
  // Redis 7.4 and later load with their own clock: fields whose time has passed are invisible then. Absent:
  // all are seen.
  std::optional<int64_t> field_clock_ms;

  [[nodiscard]] Pool& pool() const { return data.pool(); }
  [[nodiscard]] Database& db() const { return *db_; }
  [[nodiscard]] uint64_t db_number() const { return db_number_; }

  // --- Keys. No key expires while a log is loaded: one whose time has passed is there like any other.
  [[nodiscard]] KeyEntry* find(Bytes key) const { return db_->find(key, hash_of(key)); }

  template <typename T>
  [[nodiscard]] Found<T> find_as(Bytes key) const {
    Found<T> found;
    found.entry = find(key);
    if (found.entry != nullptr) found.value = found.entry->template as<T>(pool());
    return found;
  }
  // With an empty value if there was no such key: something is to be put into it at once.
  template <typename T>
  [[nodiscard]] Found<T> find_or_make(Bytes key) const {
    Found<T> found;
    const uint64_t hash = hash_of(key);
    found.entry = db_->find(key, hash);
    if (found.entry != nullptr) {
      found.value = found.entry->template as<T>(pool());
    } else {
      found.entry = &db_->create(key, hash);
      found.value = &found.entry->template make_value<T>(pool());
    }
    return found;
  }
  // A key with that value, and without expiry, in the place of whatever there is under the name: for SET and
  // for what is stored. The entry may still hold the old value, which setting a new one destroys.
  KeyEntry& overwrite(Bytes key) const {
    const uint64_t hash = hash_of(key);
    KeyEntry* entry = db_->find(key, hash);
    if (entry == nullptr) return db_->create(key, hash);
    entry->expire_at_ms = kNoExpiry;
    return *entry;
  }
  bool erase(Bytes key) const {
    KeyEntry* entry = find(key);
    if (entry == nullptr) return false;
    db_->erase(*entry);
    return true;
  }
  // Containers vanish with their last element.
  template <typename T>
  void drop_if_empty(const Found<T>& found) const {
    if (found.value->size() == 0) db_->erase(*found.entry);
  }

  // The hash of a key that was made ahead; see hash_of().
  void hint(Bytes key, uint64_t hash) {
    hinted_ = key.data();
    hinted_hash_ = hash;
  }

  // --- Answers
  [[nodiscard]] bool has_listener() const { return reply_ != nullptr; }
  void answer(int64_t number) const {
    if (reply_ != nullptr) reply_->integer(number);
  }
  void answer_count(size_t count) const { answer(static_cast<int64_t>(count)); }
  void answer_text(Bytes text) const {
    if (reply_ != nullptr) reply_->bulk(text);
  }
  void answer_nil() const {
    if (reply_ != nullptr) reply_->nil();
  }
  void answer_status(Bytes text) const {
    if (reply_ != nullptr) reply_->status(text);
  }
  void answer_ok() const { answer_status("OK"); }
  void answer_array(size_t elements) const {
    if (reply_ != nullptr) reply_->array(elements);
  }

  // The short ways out of a handler.
  Effect fail(const char* why) {
    error_ = why;
    if (reply_ != nullptr) reply_->error(why);
    return Effect::failed;
  }
  Effect wrong_type() { return fail(kWrongType); }
  Effect done(int64_t number, bool changed) const {
    answer(number);
    return changed ? Effect::changed : Effect::unchanged;
  }
  Effect done_ok() const {
    answer_ok();
    return Effect::changed;
  }

  // Of a call that failed.
  [[nodiscard]] const char* error() const { return error_; }

 private:
  [[nodiscard]] uint64_t hash_of(Bytes key) const {
    return key.data() == hinted_ ? hinted_hash_ : db_->hash_of(key);
  }

  uint64_t db_number_;
  Database* db_;
  ReplySink* reply_;
  const char* error_ = nullptr;
  const char* hinted_ = nullptr;
  uint64_t hinted_hash_ = 0;
};

using Handler = Effect (*)(Call&);

// One row of a family's table.
struct CommandHandler {
  Bytes name;  // in lower case, as in the table of commands
  Handler run;
};

}  // namespace persist
