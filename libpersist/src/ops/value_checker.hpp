// Checks what a value means, element by element, whatever its encoding: order, duplicates, NaN, IDs. What its
// bytes must look like is the decoders' business.
#pragma once

#include <functional>
#include <string>

#include "ops/member_set.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

// A flaw of a value: what a finding says of it, but for where the value is.
struct Flaw {
  FindingCode code{};
  std::string subject;
  std::string expected;
  std::string found;

  [[nodiscard]] Finding at(const std::string& file, Extent extent, const Encoding& encoding) const;
};

class ValueChecker {
 public:
  explicit ValueChecker(uint64_t seed) : members_(seed), groups_(seed), consumers_(seed) {}

  void begin(const Encoding& encoding);
  void add(const Element& element);
  // Says what was found since begin(). `visit` tells the value once more: only asked for if a member seems to
  // stand twice.
  void end(FunctionRef<void(ElementSink)> visit);

  [[nodiscard]] const std::vector<Flaw>& flaws() const { return flaws_; }
  // Of a module value.
  [[nodiscard]] Bytes module() const { return module_; }
  [[nodiscard]] uint64_t field_expiries() const { return field_expiries_; }

 private:
  void check(const StringValue& value);
  void check(const ListItem& item);
  void check(const SetMember& member);
  void check(const SortedSetMember& member);
  void check(const HashField& field);
  void check(const StreamInfo& info);
  void check(const StreamEntry& entry);
  void check(const StreamGroup& group);
  void check(const StreamPending& pending);
  void check(const StreamConsumer& consumer);
  void check(const StreamProducer& producer);
  void check(const StreamIid& iid);
  void check(const StreamIdmp& idmp);
  void check(const ArrayInfo& info);
  void check(const ArrayElement& element);
  void check(const ModuleValue& value);

  void check_order(const SortedSetMember& member);
  void end_stream();
  void end_consumers();
  void confirm_duplicate(uint64_t suspect, FunctionRef<void(ElementSink)> visit);
  void flaw(FindingCode code, std::string subject, std::string expected, std::string found);

  // One of each kind a value: a broken value has thousands.
  static constexpr size_t kFlawsMax = 8;

  MemberSet members_;
  MemberSet groups_;
  MemberSet consumers_;
  std::vector<Flaw> flaws_;
  ValueType type_{};
  bool must_be_sorted_ = false;
  bool may_repeat_ = true;  // members of an intset are known to ascend
  uint64_t count_ = 0;
  uint64_t field_expiries_ = 0;
  double score_ = 0;
  std::string member_;
  StreamInfo stream_;
  StreamId id_;
  bool in_group_ = false;
  std::string module_;
};

}  // namespace persist
