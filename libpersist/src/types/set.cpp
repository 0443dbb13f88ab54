// Sets. man/persist-rdb.5, SET ENCODINGS
//
//   set        LEN n, n x STR
//   intset     STR intset
//   listpack   STR listpack, one entry a member
#include "base/server_numbers.hpp"
#include "codec/intset.hpp"
#include "codec/intset_writer.hpp"
#include "codec/listpack.hpp"
#include "types/element_scope.hpp"
#include "types/encode.hpp"
#include "types/packing.hpp"
#include "types/primitives.hpp"
#include "types/types.hpp"

namespace persist {

void decode_set(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  for (uint64_t left = in.count("set member count"); left > 0; --left) {
    out(SetMember{read_string(in, "set member")});
    scope.next();
  }
}

void decode_set_intset(Cursor& in, ElementSink out) {
  IntsetReader reader(read_blob(in, "intset"));
  ItemText text;
  for (int64_t number = 0; reader.next(number);) out(SetMember{to_decimal(number, text.room)});
}

void decode_set_listpack(Cursor& in, ElementSink out) {
  ListpackReader reader(read_blob(in, "set listpack"));
  PackedItem item;
  ItemText text;
  while (reader.next(item)) out(SetMember{item.as_text(text)});
}

void encode_set(Encoder& out, const Value& value) {
  out.length(value.items.size());
  for (const Bytes member : value.items) out.string(member);
}

void encode_set_intset(Encoder& out, const Value& value) {
  const std::span<int64_t> numbers = out.scratch().array<int64_t>(value.items.size());
  std::ranges::transform(value.items, numbers.begin(),
                         [](Bytes member) { return *parse_server_integer(member); });
  if (!std::ranges::is_sorted(numbers)) std::ranges::sort(numbers);
  ByteBuffer& container = out.container();
  write_intset(container, numbers);
  out.blob(container.bytes());
}

void encode_set_listpack(Encoder& out, const Value& value) {
  put_listpack(out, [&value](ListpackWriter& writer) {
    for (const Bytes member : value.items) writer.add(member);
  });
}

bool fits_set_intset(const Value& value, const WriteRules& rules) {
  constexpr uint64_t kIntegerTextMax = 20;
  return is_small(value, rules.limits.set_ints, kIntegerTextMax, 1) &&
         std::ranges::all_of(value.items,
                             [](Bytes member) { return parse_server_integer(member).has_value(); });
}

bool fits_set_listpack(const Value& value, const WriteRules& rules) {
  return is_small(value, rules.limits.set_entries, rules.limits.set_value, 1);
}

}  // namespace persist
