// The order of hash tables differs from run to run: what people or files get to see is sorted.
#include "engine/tell.hpp"

#include <algorithm>
#include <vector>

#include "engine/value_builder.hpp"
#include "io/cursor.hpp"
#include "types/encodings.hpp"

namespace persist {

void tell_list(const List& list, ElementSink out) {
  list.for_each([&](Bytes item) { out(ListItem{item}); });
}

void tell_set(const Set& set, ElementSink out, bool sorted) {
  if (!sorted) return set.for_each([&](Bytes member) { out(SetMember{member}); });
  // Short members and integers have no bytes that stay: they are put aside first.
  std::vector<std::string> aside;
  aside.reserve(set.size());
  set.for_each([&](Bytes member) { aside.emplace_back(member); });
  std::ranges::sort(aside);
  for (const std::string& member : aside) out(SetMember{member});
}

void tell_hash(const Hash& hash, ElementSink out, bool sorted) {
  if (!sorted) return hash.for_each([&](const HashField& field) { out(field); });
  std::vector<HashField> fields;
  fields.reserve(hash.size());
  hash.for_each([&](const HashField& field) { fields.push_back(field); });
  std::ranges::sort(fields, {}, &HashField::field);
  for (const HashField& field : fields) out(field);
}

void tell_sorted_set(const SortedSet& zset, ElementSink out, bool sorted) {
  if (!sorted) {
    return zset.for_each([&](Bytes member, double score) { out(SortedSetMember{member, score}); });
  }
  std::vector<ScoredMember> members;
  members.reserve(zset.size());
  zset.for_each([&](Bytes member, double score) { members.push_back({score, member}); });
  std::ranges::sort(members, stands_before);
  for (const ScoredMember& member : members) out(SortedSetMember{member.member, member.score});
}

void tell_vector_set(const VectorSet& vectors, ElementSink out) {
  const std::string payload = vectors.payload();
  out(ModuleValue{kVectorSetModule, 0, payload});
}

void tell_packed(const PackedValue& packed, ElementSink out) {
  Scratch scratch;
  Cursor in(packed.bytes(), 0, scratch);
  row_of(*packed.encoding).decode(in, out);
}

}  // namespace persist
