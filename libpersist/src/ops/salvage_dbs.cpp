// Servers write databases in ascending order, each with a SELECTDB and, from RDB 7 on, a RESIZEDB that states
// how many keys it has. So a lost SELECTDB shows: a RESIZEDB comes without one, or more keys come than the
// database has. Its number lies between those before and behind the gap.
#include "ops/salvage_dbs.hpp"

namespace persist {

namespace {

constexpr uint8_t kLength14 = 0x40;
// Damage may read like so many keys that are none.
constexpr uint64_t kFalseKeys = 2;

class DbInference {
 public:
  DbInference(ByteSource& source, const SalvageWalked& walked) : source_(source), walked_(walked) {}

  std::map<uint64_t, uint64_t> infer() {
    const std::vector<SalvageStretch>& all = walked_.stretches;
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i].is_salvaged && !all[i].selects) enter(i);
      if (all[i].first_select) {
        known_ = true;
        db_ = all[i].last_db;
        stated_ = all[i].keys_stated;
        keys_ = all[i].keys_behind_select;
      } else if (!all[i].is_salvaged) {
        keys_ += all[i].keys_before_select;
      }
    }
    return std::move(inferred_);
  }

 private:
  void enter(size_t index) {
    const SalvageStretch& stretch = walked_.stretches[index];
    const bool too_many = is_stated() && keys_ + stretch.keys_before_select > *stated_ + kFalseKeys;
    if (stretch.resizes || too_many) {
      const std::optional<uint64_t> next = next_select(index);
      const uint64_t guess = stretch.resizes ? stated_in_front(stretch).value_or(following()) : following();
      if (!next || guess < *next) db_ = guess;
      known_ = true;
      keys_ = 0;
      stated_ = stretch.resizes && !stretch.first_select ? stretch.keys_stated : std::nullopt;
    }
    keys_ += stretch.keys_before_select;
    // With a few too many nobody knows: that database, but in doubt.
    const bool in_doubt = is_stated() && keys_ > *stated_;
    if (stretch.db != db_ || in_doubt) inferred_[stretch.extent.offset] = db_;
  }

  // No server writes an empty database: a 0 is part of the damage.
  [[nodiscard]] bool is_stated() const { return stated_.value_or(0) > 0; }

  [[nodiscard]] uint64_t following() const { return known_ ? db_ + 1 : db_; }

  // The number of the database may have outlived its opcode.
  std::optional<uint64_t> stated_in_front(const SalvageStretch& stretch) {
    if (stretch.extent.offset == 0) return std::nullopt;
    const Window window = source_.window(stretch.extent.offset - 1, 1);
    const auto number = static_cast<uint8_t>(window.bytes.empty() ? '\xff' : window.bytes.front());
    if (number >= kLength14 || (known_ && number <= db_)) return std::nullopt;
    return number;
  }

  [[nodiscard]] std::optional<uint64_t> next_select(size_t index) const {
    for (size_t i = index; i < walked_.stretches.size(); ++i)
      if (walked_.stretches[i].first_select) return walked_.stretches[i].first_select;
    return std::nullopt;
  }

  ByteSource& source_;
  const SalvageWalked& walked_;
  bool known_ = false;  // a database was selected
  uint64_t db_ = 0;
  std::optional<uint64_t> stated_;  // keys of it
  uint64_t keys_ = 0;               // of these, so many were met
  std::map<uint64_t, uint64_t> inferred_;
};

}  // namespace

std::map<uint64_t, uint64_t> infer_dbs(ByteSource& source, const SalvageWalked& walked) {
  return DbInference(source, walked).infer();
}

}  // namespace persist
