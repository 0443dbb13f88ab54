// The second look, at what differs: A's values wait in the spool for B's. Commands come together in the
// buffer of the output as those of a conversion do.
#include <algorithm>

#include "ops/diff_commands.hpp"
#include "ops/diff_outputs.hpp"
#include "ops/gathered_value.hpp"
#include "persist/edit.hpp"

namespace persist {

namespace {

template <typename T>
DiffSide scalar(const std::optional<T>& number) {
  DiffSide side;
  if (!number) return side;
  side.there = true;
  const std::string text = std::to_string(*number);
  side.words.push_back({text, 0, text.size()});
  return side;
}

DiffSide text_side(Bytes text) {
  DiffSide side;
  side.there = true;
  side.words.push_back({std::string(text), 0, text.size()});
  return side;
}

std::optional<int64_t> expiry_of(int64_t expire_at_ms) {
  return expire_at_ms == kNoExpiry ? std::nullopt : std::optional(expire_at_ms);
}

class DetailOutput : public EntryOutput {
 public:
  DetailOutput(DiffState& state, DiffSideState& side, const OutputRules& rules)
      : state_(state), side_(side), rules_(rules) {
    if (!writes()) return;
    creator_rules_ = rules;
    creator_rules_.make = nullptr;
    creator_ = make_command_output(creator_rules_);
    commands_.emplace(made_, rules.target());
  }

  bool put(const RdbEntry& entry, EntryValue& value) override {
    const KeyMatch::Judgement judged =
        state_.keys.judge(key_print(entry.db, entry.key, state_.seed), side_.is_indexed);
    switch (judged.verdict) {
      case KeyMatch::Verdict::only_here:
        return put_only(entry, value, judged.record);
      case KeyMatch::Verdict::changed:
        return side_.is_a ? put_away(entry, value, *judged.record)
                          : put_changed(entry, value, *judged.record);
      default:
        return move_over(value);
    }
  }

  void put_record(const RdbRecord& /*record*/) override {}

  void select(uint64_t db) override {
    if (commands_) commands_->select(db);
  }

  void hand_on() override {
    DiffSummary& summary = state_.summary;
    for (size_t kind = 0; kind < kDiffKinds; ++kind)
      for (size_t type = 0; type < by_type_[kind].size(); ++type)
        summary.by_type[kind][type] += std::exchange(by_type_[kind][type], 0);
    const uint64_t equal = std::exchange(equal_after_all_, 0);
    summary.keys[static_cast<size_t>(DiffKind::changed)] -= equal;
    summary.same += equal;
    summary.only_idle += std::exchange(only_idle_, 0);
    for (const KeyDifference& difference : differences_) {
      if (state_.told.load() >= state_.options.keys_max) break;
      state_.sink.key(difference);
      ++state_.told;
    }
    differences_.clear();
    held_bytes_ = 0;
  }

 private:
  [[nodiscard]] bool writes() const { return state_.options.commands != nullptr; }
  [[nodiscard]] bool tells() const {
    return state_.options.detail != DiffDetail::counts && state_.told.load() < state_.options.keys_max;
  }
  [[nodiscard]] bool compares() const {
    return writes() || state_.values_decide() || state_.options.detail == DiffDetail::values;
  }

  KeyDifference& tell(DiffKind kind, const RdbEntry& entry) {
    KeyDifference& difference = differences_.emplace_back();
    difference.kind = kind;
    difference.db = entry.db;
    difference.key = std::string(entry.key);
    (side_.is_a ? difference.a : difference.b) = DiffSideHead{entry.encoding->type, entry.expire_at_ms};
    return difference;
  }

  void count(DiffKind kind, const RdbEntry& entry) {
    ++by_type_[static_cast<size_t>(kind)][static_cast<size_t>(entry.encoding->type)];
    ++written_;
  }

  // What is damaged has to be found so once more, and reading to go on, or not, where it did when all was
  // digested: so it is looked into as it was then.
  bool move_over(EntryValue& value) const {
    return state_.options.salvage ? value.tell([](const Element& /*told*/) {}) : value.skip();
  }

  // What the index knows of it, if anything: in a damaged input it may come once more.
  bool put_only(const RdbEntry& entry, EntryValue& value, KeyRecord* record) {
    const DiffKind kind = side_.is_a ? DiffKind::only_a : DiffKind::only_b;
    const bool makes = writes() && !side_.is_a;
    if (!(makes ? gather(value, entry.encoding->type, b_) : move_over(value))) return false;
    if (record != nullptr && !record->change_state(KeyState::unmatched, KeyState::shadowed)) return true;
    if (makes)
      make_anew(entry, false);
    else if (writes())
      remove(entry);
    count(kind, entry);
    if (tells()) tell(kind, entry);
    return true;
  }

  // Of A: the value, or where only keys are told of, the head. The mark is where the digest was.
  bool put_away(const RdbEntry& entry, EntryValue& value, KeyRecord& record) {
    auto place = static_cast<uint64_t>(entry.expire_at_ms);
    if (compares()) {
      if (!gather(value, entry.encoding->type, a_)) return false;
      spooled_.clear();
      append_spooled(spooled_, {entry.encoding->type, entry.expire_at_ms, entry.idle_s, entry.freq}, a_);
      place = state_.spool.append(spooled_.bytes());
    } else if (!move_over(value)) {
      return false;
    }
    record.set_place(place);
    record.digest_low = kPutAway + static_cast<uint32_t>(entry.encoding->type);
    return true;
  }

  // Throws EditRefused if nothing has been.
  static ValueType type_put_away(const KeyRecord& record) {
    const uint32_t type = record.digest_low - kPutAway;
    if (type > static_cast<uint32_t>(ValueType::module))
      throw EditRefused(EditRefused::Kind::changed,
                        "an input changed while it was read: a key that was there is gone");
    return static_cast<ValueType>(type);
  }

  // Of B.
  bool put_changed(const RdbEntry& entry, EntryValue& value, KeyRecord& record) {
    if (!compares()) {
      if (!move_over(value)) return false;
      if (!record.change_state(KeyState::changed, KeyState::shadowed)) return true;
      count(DiffKind::changed, entry);
      if (!tells()) return true;
      const auto expire_at_ms = static_cast<int64_t>(record.place());
      tell(DiffKind::changed, entry).a = DiffSideHead{type_put_away(record), expire_at_ms};
      return true;
    }
    if (!gather(value, entry.encoding->type, b_)) return false;
    if (!record.change_state(KeyState::changed, KeyState::shadowed)) return true;
    (void)type_put_away(record);
    const SpooledHead head = read_spooled(state_.spool.read(record.place(), spooled_), a_);
    ValueDifferences found = compare(head, entry);
    if (!found.any()) {
      ++equal_after_all_;
      return true;
    }
    count(DiffKind::changed, entry);
    if (is_only_idle(found)) ++only_idle_;
    if (writes()) change(head, entry);
    if (!tells()) return true;
    KeyDifference& difference = tell(DiffKind::changed, entry);
    difference.a = DiffSideHead{head.type, head.expire_at_ms};
    if (state_.options.detail != DiffDetail::values) return true;
    hold(found);
    difference.differences = std::move(found.made);
    difference.more = found.more;
    return true;
  }

  ValueDifferences compare(const SpooledHead& a, const RdbEntry& b) {
    ValueDifferences found;
    const auto differs = [&found](DiffPart part, DiffSide of_a, DiffSide of_b) {
      found.made.push_back({part, {}, {}, std::move(of_a), std::move(of_b)});
    };
    if (a.type != b.encoding->type)
      differs(DiffPart::type, text_side(value_type_name(a.type)),
              text_side(value_type_name(b.encoding->type)));
    if (!state_.ignores(DiffIgnore::ttl) &&
        !expiries_agree(a.expire_at_ms, b.expire_at_ms, state_.options.ttl_tolerance_ms))
      differs(DiffPart::expiry, scalar(expiry_of(a.expire_at_ms)), scalar(expiry_of(b.expire_at_ms)));
    if (!state_.ignores(DiffIgnore::idle)) {
      if (a.idle_s != b.idle_s) differs(DiffPart::idle, scalar(a.idle_s), scalar(b.idle_s));
      if (a.freq != b.freq) differs(DiffPart::freq, scalar(a.freq), scalar(b.freq));
    }
    values_differ_ = false;
    if (a.type == b.encoding->type) {
      ValueDifferences of_values;
      compare_values(a_, b_, rules_now(), of_values);
      values_differ_ = of_values.any();
      std::ranges::move(of_values.made, std::back_inserter(found.made));
      found.more = of_values.more;
    }
    return found;
  }

  // Words are held until it is their turn to be told. Long ones of many keys would be too much.
  [[nodiscard]] CompareRules rules_now() const {
    constexpr uint64_t kHeldMax = uint64_t{16} << 20;
    constexpr uint64_t kWordBytesThen = 1024;
    CompareRules rules = state_.compare;
    const bool whole = rules.word_bytes_max == ~uint64_t{0};
    if (!whole && held_bytes_ > kHeldMax)
      rules.word_bytes_max = std::min(rules.word_bytes_max, kWordBytesThen);
    return rules;
  }

  void hold(const ValueDifferences& found) {
    for (const Difference& one : found.made)
      for (const DiffSide* side : {&one.a, &one.b})
        for (const DiffWord& word : side->words) held_bytes_ += word.bytes.size();
  }

  [[nodiscard]] static bool is_only_idle(const ValueDifferences& found) {
    return found.more == 0 && std::ranges::all_of(found.made, [](const Difference& one) {
             return one.part == DiffPart::idle || one.part == DiffPart::freq;
           });
  }

  // --- Commands

  void remove(const RdbEntry& entry) {
    enter(entry.db);
    commands_->del(entry.key);
  }

  // What stands in b_.
  void make_anew(const RdbEntry& entry, bool replaces) {
    creator_->clear();
    GatheredValue value(b_);
    creator_->put(entry, value);
    losses_.add(creator_->losses());
    if (creator_->written() == 0) {
      // What holds nothing, servers leave out; and rather nothing than what it was, where it cannot be said.
      if (replaces) remove(entry);
      return;
    }
    enter(entry.db);
    if (replaces) commands_->del(entry.key);
    made_.append(creator_->made().bytes());
  }

  // A key with an expiry may be gone by now: it is made anew, or it would come back in part or not at all.
  void change(const SpooledHead& from, const RdbEntry& entry) {
    if (!values_differ_ && from.type == entry.encoding->type && from.expire_at_ms == entry.expire_at_ms)
      return;
    const bool keeps = from.type == entry.encoding->type && from.expire_at_ms == kNoExpiry;
    if (!keeps || (values_differ_ && (loses_field_expiries() || !changes_in_place(a_, b_))))
      return make_anew(entry, true);
    enter(entry.db);
    if (values_differ_) write_changes(*commands_, entry, a_, b_);
    commands_->expiry(entry);
  }

  // Who makes keys anew says so.
  [[nodiscard]] bool loses_field_expiries() const {
    const int64_t latest = latest_field_expiry(rules_.target());
    return std::ranges::any_of(b_.fields,
                               [latest](const HashField& field) { return field.expire_at_ms > latest; });
  }

  static constexpr uint32_t kPutAway = 0x5b00f11e;

  DiffState& state_;
  DiffSideState& side_;
  const OutputRules& rules_;
  OutputRules creator_rules_;
  std::unique_ptr<EntryOutput> creator_;  // of keys from nothing
  std::optional<CommandWriter> commands_;
  Value a_;
  Value b_;
  ByteBuffer spooled_;
  bool values_differ_ = false;
  // Until hand_on():
  std::vector<KeyDifference> differences_;
  uint64_t held_bytes_ = 0;  // of the words in them
  std::array<std::array<uint64_t, 8>, kDiffKinds> by_type_{};
  uint64_t equal_after_all_ = 0;
  uint64_t only_idle_ = 0;
};

}  // namespace

std::unique_ptr<EntryOutput> make_detail_output(DiffState& state, DiffSideState& side,
                                                const OutputRules& rules) {
  return std::make_unique<DetailOutput>(state, side, rules);
}

}  // namespace persist
