// A line of nodes.conf: id, ip:port@cport[,hostname[,name=value...]], flags, master, two times, epoch, link,
// then slots: "5", "0-5460", and in brackets what is on its way, "[93-<-ID]" to here, "[77->-ID]" from here.
// Nodes of before 4.0 have no @cport. Another line holds variables of the cluster.
#include "ops/slot_map.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/decimal.hpp"
#include "persist/source.hpp"

namespace persist {

namespace {

constexpr size_t kNodesConfBytesMax = size_t{64} << 20;
constexpr size_t kNodeIdSize = 40;
constexpr size_t kFieldsBeforeSlots = 8;
constexpr size_t kWordShown = 40;

// What stands up to the separator; the text goes on behind it.
Bytes cut_off(Bytes& text, char separator) {
  const size_t at = std::min(text.find(separator), text.size());
  const Bytes word = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return word;
}

std::optional<SlotRange> parse_slot_range(Bytes text) {
  const size_t dash = text.find('-');
  const std::optional<unsigned> first = parse_decimal<unsigned>(text.substr(0, dash));
  const std::optional<unsigned> last =
      dash == Bytes::npos ? first : parse_decimal<unsigned>(text.substr(dash + 1));
  if (!first || !last || *first > *last || *last >= kClusterSlots) return std::nullopt;
  return SlotRange{*first, *last};
}

bool is_node_id(Bytes text) {
  return text.size() == kNodeIdSize && text.find_first_not_of("0123456789abcdefABCDEF") == Bytes::npos;
}

bool has_flag(Bytes flags, Bytes wanted) {
  while (!flags.empty())
    if (cut_off(flags, ',') == wanted) return true;
  return false;
}

class NodesParser {
 public:
  explicit NodesParser(const std::string& name) : name_(name) {}

  std::vector<ClusterNode> parse(Bytes text) {
    while (!text.empty()) {
      ++line_;
      Bytes line = cut_off(text, '\n');
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty() && line != "vars" && !line.starts_with("vars ")) nodes_.push_back(parse_node(line));
    }
    if (nodes_.empty()) throw std::invalid_argument(name_ + ": not a nodes.conf: there is no node in it");
    return std::move(nodes_);
  }

 private:
  ClusterNode parse_node(Bytes line) const {
    const Bytes whole = line;
    std::array<Bytes, kFieldsBeforeSlots> fields;
    for (Bytes& field : fields) {
      field = cut_off(line, ' ');
      if (field.empty()) fail("fields", "at least 8 of them, as in nodes.conf", whole);
    }
    ClusterNode node;
    if (!is_node_id(fields[0])) fail("id", "40 hexadecimal digits", fields[0]);
    node.id = fields[0];
    parse_address(fields[1], node);
    node.is_myself = has_flag(fields[2], "myself");
    node.is_master = has_flag(fields[2], "master");
    if (fields[3] != "-" && !is_node_id(fields[3])) fail("master", "the id of a node or -", fields[3]);
    if (fields[3] != "-") node.master = fields[3];
    while (!line.empty())
      if (const Bytes word = cut_off(line, ' '); !word.empty()) parse_slots(word, node);
    return node;
  }

  // An IPv6 address has colons, too.
  void parse_address(Bytes text, ClusterNode& node) const {
    Bytes names = text;
    const Bytes address = cut_off(names, ',');
    const Bytes to_clients = address.substr(0, address.find('@'));
    const size_t colon = to_clients.rfind(':');
    const Bytes port = colon == Bytes::npos ? Bytes() : to_clients.substr(colon + 1);
    if (!parse_decimal<uint16_t>(port)) fail("address", "ip:port@cport", text);
    node.port = port;
    node.host = to_clients.substr(0, colon);
    const Bytes host_name = cut_off(names, ',');
    if (node.host.empty() && host_name.find('=') == Bytes::npos) node.host = host_name;
  }

  void parse_slots(Bytes word, ClusterNode& node) const {
    if (!word.starts_with('[')) {
      const std::optional<SlotRange> range = parse_slot_range(word);
      if (!range) fail("slots", "a slot from 0 to 16383, or a range", word);
      return node.slots.push_back(*range);
    }
    const size_t arrow = word.find('-');
    const std::optional<SlotRange> slot =
        parse_slot_range(word.substr(1, arrow == Bytes::npos ? 0 : arrow - 1));
    const Bytes direction = slot ? word.substr(arrow, 3) : Bytes();
    if (!word.ends_with(']') || (direction != "-<-" && direction != "->-"))
      fail("slot on its way", "[SLOT-<-ID] or [SLOT->-ID]", word);
    if (direction == "-<-") node.importing.push_back(*slot);
  }

  [[noreturn]] void fail(Bytes subject, Bytes expected, Bytes found) const {
    std::string what = name_ + ":" + std::to_string(line_) + ": ";
    what.append(subject).append(": expected ").append(expected);
    throw std::invalid_argument(what + ", found \"" + std::string(found.substr(0, kWordShown)) + "\"");
  }

  const std::string& name_;
  size_t line_ = 0;
  std::vector<ClusterNode> nodes_;
};

}  // namespace

std::string slot_range_text(const SlotRange& range) {
  const std::string first = std::to_string(range.first);
  return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

std::vector<SlotRange> parse_slot_ranges(Bytes text) {
  std::vector<SlotRange> ranges;
  SlotMap taken;
  do {
    const Bytes word = cut_off(text, ',');
    const std::optional<SlotRange> range = parse_slot_range(word);
    if (!range) {
      throw std::invalid_argument("\"" + std::string(word.substr(0, kWordShown)) +
                                  "\": expected a slot from 0 to 16383, or a range such as 0-5460");
    }
    if (const auto clashes = taken.assign(*range, ranges.size()); !clashes.empty())
      throw std::invalid_argument("slot " + std::to_string(clashes.front().slots.first) +
                                  " is in two ranges");
    ranges.push_back(*range);
  } while (!text.empty());
  return ranges;
}

std::vector<SlotRange> equal_slot_ranges(unsigned count) {
  std::vector<SlotRange> ranges;
  uint64_t first = 0;
  for (uint64_t i = 1; i <= count; ++i) {
    const uint64_t behind = (2 * i * kClusterSlots + count) / (2 * uint64_t{count});  // rounded
    ranges.push_back({first, behind - 1});
    first = behind;
  }
  return ranges;
}

std::vector<ClusterNode> parse_nodes_conf(Bytes text, const std::string& name) {
  return NodesParser(name).parse(text);
}

std::vector<ClusterNode> read_nodes_conf(const std::string& path) {
  const std::unique_ptr<ByteSource> source = open_source(path);
  const Window whole = source->window(0, kNodesConfBytesMax + 1);
  if (whole.bytes.size() > kNodesConfBytesMax)
    throw std::invalid_argument(path + ": too large for a nodes.conf");
  return parse_nodes_conf(whole.bytes, path);
}

std::vector<SlotMap::Clash> SlotMap::assign(const SlotRange& range, size_t owner) {
  std::vector<Clash> clashes;
  for (uint64_t slot = range.first; slot <= range.last; ++slot) {
    size_t& old = owners_[slot];
    if (old == kNobody) {
      old = owner;
    } else if (!clashes.empty() && clashes.back().owner == old && clashes.back().slots.last + 1 == slot) {
      clashes.back().slots.last = slot;
    } else {
      clashes.push_back({{slot, slot}, old});
    }
  }
  return clashes;
}

std::vector<SlotRange> SlotMap::unowned() const {
  std::vector<SlotRange> ranges;
  for (unsigned slot = 0; slot < kClusterSlots; ++slot) {
    if (owners_[slot] != kNobody) continue;
    if (!ranges.empty() && ranges.back().last + 1 == slot)
      ranges.back().last = slot;
    else
      ranges.push_back({slot, slot});
  }
  return ranges;
}

}  // namespace persist
