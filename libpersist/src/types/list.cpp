// Lists, head to tail. man/persist-rdb.5, LIST ENCODINGS
//
//   list         LEN n, n x STR
//   ziplist      STR ziplist, one entry an element
//   quicklist    LEN n, n x STR ziplist
//   quicklist2   LEN n, n x (LEN container, STR): container 1 is one element, 2 a listpack of elements
#include "codec/listpack.hpp"
#include "codec/ziplist.hpp"
#include "types/element_scope.hpp"
#include "types/primitives.hpp"
#include "types/types.hpp"

namespace persist {

namespace {

constexpr uint64_t kPlainNode = 1;
constexpr uint64_t kPackedNode = 2;
constexpr uint64_t kNodeBytesMin = 2;

template <typename Reader>
void tell_items(Reader reader, ElementSink out) {
  PackedItem item;
  ItemText text;
  while (reader.next(item)) out(ListItem{item.as_text(text)});
}

uint64_t read_container(Cursor& in) {
  const uint64_t at = in.offset();
  const uint64_t container = in.length("quicklist container");
  if (container != kPlainNode && container != kPackedNode) {
    in.fail(FindingCode::quicklist_container, {at, in.offset() - at}, "quicklist container", "1 or 2",
            std::to_string(container));
  }
  return container;
}

}  // namespace

void decode_list(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  for (uint64_t left = in.count("list item count"); left > 0; --left) {
    out(ListItem{read_payload(in, "list item")});
    scope.next();
  }
}

void decode_list_ziplist(Cursor& in, ElementSink out) {
  tell_items(ZiplistReader(read_blob(in, "ziplist")), out);
}

void decode_list_quicklist(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  for (uint64_t left = in.count("quicklist node count"); left > 0; --left) {
    tell_items(ZiplistReader(read_blob(in, "quicklist node")), out);
    scope.next();
  }
}

void decode_list_quicklist2(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  for (uint64_t left = in.count("quicklist node count", kNodeBytesMin); left > 0; --left) {
    if (read_container(in) == kPlainNode)
      out(ListItem{read_payload(in, "plain quicklist node")});
    else
      tell_items(ListpackReader(read_blob(in, "quicklist node")), out);
    scope.next();
  }
}

void skip_strings(Cursor& in) {
  for (uint64_t left = in.count("element count"); left > 0; --left) skip_string(in, "element");
}

void skip_quicklist2(Cursor& in) {
  for (uint64_t left = in.count("quicklist node count", kNodeBytesMin); left > 0; --left) {
    in.length("quicklist container");
    skip_string(in, "quicklist node");
  }
}

}  // namespace persist
