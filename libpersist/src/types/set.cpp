// Sets. man/persist-rdb.5, SET ENCODINGS
//
//   set        LEN n, n x STR
//   intset     STR intset
//   listpack   STR listpack, one entry a member
#include "codec/intset.hpp"
#include "codec/listpack.hpp"
#include "types/element_scope.hpp"
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

}  // namespace persist
