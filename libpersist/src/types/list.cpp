// Lists, head to tail. man/persist-rdb.5, LIST ENCODINGS
//
//   list         LEN n, n x STR
//   ziplist      STR ziplist, one entry an element
//   quicklist    LEN n, n x STR ziplist
//   quicklist2   LEN n, n x (LEN container, STR): container 1 is one element, 2 a listpack of elements
#include "codec/listpack.hpp"
#include "codec/ziplist.hpp"
#include "types/element_scope.hpp"
#include "types/encode.hpp"
#include "types/packing.hpp"
#include "types/primitives.hpp"
#include "types/types.hpp"

namespace persist {

namespace {

constexpr uint64_t kPlainNode = 1;
constexpr uint64_t kPackedNode = 2;
constexpr uint64_t kNodeBytesMin = 2;

// What an entry may take besides its bytes: encoding, and the size of itself or of the one before.
constexpr size_t kListpackItemRoom = 8;
constexpr size_t kZiplistItemRoom = 10;

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

// When a node of a quicklist is full. One that is only counted has a size limit nevertheless.
struct NodeLimits {
  uint64_t bytes = uint64_t{8} << 10;
  uint64_t entries = ~uint64_t{0};

  explicit NodeLimits(int64_t configured) {
    constexpr int64_t kLargest = -5;
    constexpr uint64_t kSmallestBytes = uint64_t{4} << 10;
    if (configured < 0)
      bytes = kSmallestBytes << static_cast<unsigned>(-1 - std::max(configured, kLargest));
    else
      entries = static_cast<uint64_t>(std::max<int64_t>(configured, 1));
  }
};

// A node that has been made: an element as it is, or a container.
struct MadeNode {
  size_t end = 0;  // of the container, among those of all nodes
  const Bytes* plain = nullptr;
};

enum class LargeItems : uint8_t {
  plain,  // are a node as they are
  packed  // have a container to themselves
};

// Makes the containers of all nodes, one behind the other, in room that nobody else uses meanwhile: only then
// is it known how many there are. `form` is what a Writer is told.
template <typename Writer, size_t item_room, typename Form>
std::span<const MadeNode> make_nodes(Encoder& out, ByteBuffer& containers, const Value& value,
                                     LargeItems large_items, Form form) {
  const NodeLimits limits(out.rules().limits.list_node);
  ScratchList<MadeNode> nodes(out.scratch());
  std::optional<Writer> writer;
  const auto close = [&] {
    if (!writer) return;
    writer->finish();
    writer.reset();
    nodes.push({containers.size(), nullptr});
  };
  for (const Bytes& item : value.items) {
    const bool plain = large_items == LargeItems::plain && item.size() > limits.bytes;
    const bool full = writer && (writer->count() >= limits.entries ||
                                 writer->size() + item.size() + item_room > limits.bytes);
    if (plain || full) close();
    if (plain) {
      nodes.push({containers.size(), &item});
      continue;
    }
    if (!writer) writer.emplace(containers, form);
    writer->add(item);
  }
  close();
  return nodes.items();
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

void encode_list(Encoder& out, const Value& value) {
  out.length(value.items.size());
  for (const Bytes item : value.items) out.string(item);
}

void encode_list_ziplist(Encoder& out, const Value& value) {
  put_ziplist(out, [&value](ZiplistWriter& writer) {
    for (const Bytes item : value.items) writer.add(item);
  });
}

void encode_list_quicklist(Encoder& out, const Value& value) {
  ByteBuffer& containers = out.container();
  const auto nodes = make_nodes<ZiplistWriter, kZiplistItemRoom>(out, containers, value, LargeItems::packed,
                                                                 ziplist_integers_of(*out.rules().target));
  out.length(nodes.size());
  size_t begin = 0;
  for (const MadeNode& node : nodes) {
    out.blob(containers.bytes().substr(begin, node.end - begin));
    begin = node.end;
  }
}

void encode_list_quicklist2(Encoder& out, const Value& value) {
  ByteBuffer& containers = out.container();
  const auto nodes = make_nodes<ListpackWriter, kListpackItemRoom>(out, containers, value, LargeItems::plain,
                                                                   backlen_of(*out.rules().target));
  out.length(nodes.size());
  size_t begin = 0;
  for (const MadeNode& node : nodes) {
    out.length(node.plain != nullptr ? kPlainNode : kPackedNode);
    out.blob(node.plain != nullptr ? *node.plain : containers.bytes().substr(begin, node.end - begin));
    begin = node.end;
  }
}

bool fits_list_ziplist(const Value& value, const WriteRules& rules) {
  return is_small(value, rules.limits.list_entries, rules.limits.list_value, 1);
}

}  // namespace persist
