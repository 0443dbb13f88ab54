// The payload of vector sets, in annotated values. man/persist-rdb.5, MODULE VALUES
//
//   UINT dimension   UINT elements   UINT quantisation | links << 8   UINT flags
//   flags & 1:  UINT given dimension   STRING matrix: f32le, row by row
//   elements x ( STRING name   flags & 2: STRING attributes   STRING vector   UINT count   count x UINT )
//
// The numbers of an element: id, level | version << 24; for each layer the number of links, their room, the
// ids, and from version 1 on the bits of the largest distance << 32 | its place; last, the bits of range
// << 32 | those of length.
#include <algorithm>
#include <bit>

#include "engine/vector_graph.hpp"
#include "engine/vector_set.hpp"
#include "io/cursor.hpp"
#include "types/primitives.hpp"

namespace persist {

namespace {

enum Annotation : uint8_t { kEnd = 0, kUnsigned = 2, kString = 5 };
enum Flag : uint8_t { kHasProjection = 1, kHasAttributes = 2 };

constexpr uint64_t kNodeVersion = 1;
constexpr unsigned kNodeVersionShift = 24;
constexpr uint64_t kNodeLevelMax = 16;
constexpr uint64_t kNodeRoomMax = 4 * uint64_t{kGraphLinksMax};
constexpr unsigned kUpperHalf = 32;
constexpr unsigned kLinksShift = 8;
constexpr uint64_t kQuantisationMask = 0xff;
constexpr uint64_t kLinksMask = 0xffff;

uint64_t upper_bits(float value) { return uint64_t{std::bit_cast<uint32_t>(value)} << kUpperHalf; }

}  // namespace

// ----------------------------------------------------------------------------------------------- reading

// Follows the checks of servers, except those of the links: the elements are complete without them.
class VectorPayloadReader {
 public:
  explicit VectorPayloadReader(Bytes payload) : in_(payload, 0, scratch_) {}

  VectorSet read() {
    const uint64_t elements = read_shape();
    for (uint64_t i = 0; i < elements; ++i) {
      const Scratch::Mark mark = scratch_.mark();
      read_element();
      scratch_.rewind(mark);
    }
    expect(kEnd, "end of vector set");
    if (!in_.at_end()) fail("nothing behind the end mark");
    return std::move(set_);
  }

 private:
  [[noreturn]] void fail(const char* expected) {
    in_.fail(FindingCode::module_damaged, {in_.offset(), 0}, "vector set", expected, "something else");
  }
  void require(bool holds, const char* expected) {
    if (!holds) fail(expected);
  }
  void expect(uint64_t annotation, const char* noun) { require(in_.length(noun) == annotation, noun); }
  uint64_t number(const char* noun) {
    expect(kUnsigned, noun);
    return in_.length(noun);
  }
  Bytes text(const char* noun) {
    expect(kString, noun);
    return read_string(in_, noun);
  }

  // The number of elements.
  uint64_t read_shape() {
    const uint64_t dimension = number("dimension");
    require(dimension >= 1 && dimension <= kVectorDimensionMax, "a dimension");
    const uint64_t elements = number("number of elements");
    const uint64_t config = number("quantisation and links");
    require((config & kQuantisationMask) <= static_cast<uint64_t>(Quantisation::bin), "a quantisation");
    const auto links = static_cast<uint32_t>((config >> kLinksShift) & kLinksMask);
    set_.dimension_ = static_cast<uint32_t>(dimension);
    set_.quantisation_ = static_cast<Quantisation>(config & kQuantisationMask);
    set_.graph_links_ = links == 0 ? kGraphLinksDefault : std::min(links, kGraphLinksMax);
    const uint64_t flags = number("flags");
    has_attributes_ = (flags & kHasAttributes) != 0;
    if ((flags & kHasProjection) != 0) read_projection();
    return elements;
  }

  void read_projection() {
    const uint64_t given = number("given dimension");
    require(given >= set_.dimension_ && given <= kVectorDimensionMax, "a given dimension");
    const Scratch::Mark mark = scratch_.mark();
    const Bytes matrix = text("projection matrix");
    require(matrix.size() == given * set_.dimension_ * sizeof(float), "a matrix of these dimensions");
    set_.projection_ = VectorProjection(static_cast<uint32_t>(given), set_.dimension_, matrix);
    scratch_.rewind(mark);
  }

  void read_element() {
    const auto [at, added] = set_.elements_.try_emplace(std::string(text("element")));
    require(added, "elements that differ");
    VectorElement& element = at->second;
    if (has_attributes_) {
      const Bytes attributes = text("attributes");
      if (!attributes.empty()) element.attributes = attributes;
    }
    element.vector = text("vector");
    require(element.vector.size() == quantised_bytes(set_.quantisation_, set_.dimension_),
            "a vector of the set");
    read_numbers(element);
  }

  uint64_t node_number(const char* noun) {
    require(numbers_left_ > 0, "more numbers");
    --numbers_left_;
    return number(noun);
  }

  void read_numbers(VectorElement& element) {
    numbers_left_ = number("number of numbers");
    node_number("node id");
    const uint64_t head = node_number("node level");
    const uint64_t level = head & 0xff;
    const uint64_t version = (head >> kNodeVersionShift) & 0xff;
    require(version <= kNodeVersion && level <= kNodeLevelMax, "a known version and level");
    for (uint64_t layer = 0; layer <= level; ++layer) {
      const uint64_t links = node_number("number of links");
      const uint64_t room = node_number("room for links");
      require(links <= room && room <= kNodeRoomMax, "links within their room");
      for (uint64_t i = 0; i < links; ++i) node_number("link");
      if (version > 0) node_number("farthest link");
    }
    const uint64_t scale = node_number("range and length");
    element.range = std::bit_cast<float>(static_cast<uint32_t>(scale >> kUpperHalf));
    element.length = std::bit_cast<float>(static_cast<uint32_t>(scale));
    while (numbers_left_ > 0) node_number("number");
  }

  Scratch scratch_;
  Cursor in_;
  VectorSet set_;
  bool has_attributes_ = false;
  uint64_t numbers_left_ = 0;  // of the current element
};

std::optional<VectorSet> VectorSet::from_payload(uint32_t encoding_version, Bytes payload) {
  if (encoding_version != 0) return std::nullopt;
  try {
    VectorSet set = VectorPayloadReader(payload).read();
    set.original_payload_ = payload;
    return set;
  } catch (const FormatError&) {
    return std::nullopt;
  }
}

// ----------------------------------------------------------------------------------------------- writing

namespace {

// Hands out what it has at every element and every row of a matrix.
class VectorPayloadWriter {
 public:
  explicit VectorPayloadWriter(FunctionRef<void(Bytes)> sink) : sink_(sink) {}

  void number(uint64_t value) {
    length(kUnsigned);
    length(value);
  }
  void text(Bytes bytes) {
    begin_text(bytes.size());
    out_ += bytes;
  }
  // The bytes follow, as pieces.
  void begin_text(uint64_t size) {
    length(kString);
    length(size);
  }
  void piece(Bytes bytes) { out_ += bytes; }

  // One node, numbered from 1 on.
  void node(const VectorElement& element, const VectorGraph& graph, uint32_t node) {
    const uint32_t level = graph.level(node);
    uint64_t count = 3;
    for (uint32_t layer = 0; layer <= level; ++layer) count += 3 + graph.links(node, layer).size();
    number(count);
    number(uint64_t{node} + 1);
    number(level | kNodeVersion << kNodeVersionShift);
    for (uint32_t layer = 0; layer <= level; ++layer) links(graph.links(node, layer), graph.room(layer));
    number(upper_bits(element.range) | std::bit_cast<uint32_t>(element.length));
  }

  void end() {
    length(kEnd);
    flush();
  }
  void flush() {
    sink_(out_);
    out_.clear();
  }

 private:
  // Servers sort the links by id when they load them, and keep the place of the farthest: hence this order.
  void links(std::span<const GraphLink> links, uint64_t room) {
    number(links.size());
    number(std::max<uint64_t>(room, links.size()));
    GraphLink farthest{0, 0};
    for (uint32_t i = 0; i < links.size(); ++i) {
      number(uint64_t{links[i].node} + 1);
      if (i == 0 || links[i].distance > farthest.distance) farthest = {i, links[i].distance};
    }
    number(upper_bits(farthest.distance) | farthest.node);
  }

  // LEN. man/persist-rdb.5, LENGTH
  void length(uint64_t value) {
    constexpr uint8_t kWord = 0x80;
    constexpr uint8_t kLong = 0x81;
    if (value < 0x40) {
      out_.push_back(static_cast<char>(value));
    } else if (value < 0x4000) {
      out_.push_back(static_cast<char>(0x40 | (value >> 8)));
      out_.push_back(static_cast<char>(value));
    } else {
      const bool fits = value <= 0xffffffff;
      out_.push_back(static_cast<char>(fits ? kWord : kLong));
      for (unsigned shift = fits ? 32 : 64; shift > 0; shift -= 8)
        out_.push_back(static_cast<char>(value >> (shift - 8)));
    }
  }

  FunctionRef<void(Bytes)> sink_;
  std::string out_;
};

}  // namespace

std::string VectorSet::payload() const {
  std::string bytes;
  write_payload([&](Bytes piece) { bytes += piece; });
  return bytes;
}

void VectorSet::write_payload(FunctionRef<void(Bytes)> sink) const {
  if (!original_payload_.empty()) return sink(original_payload_);
  const VectorGraph graph(elements_, quantisation_, dimension_, graph_links_);
  const bool has_attributes = std::any_of(elements_.begin(), elements_.end(), [](const auto& each) {
    return each.second.attributes.has_value();
  });
  const uint32_t given_dimension = projection_.given_dimension();

  VectorPayloadWriter out(sink);
  out.number(dimension_);
  out.number(elements_.size());
  out.number(static_cast<uint64_t>(quantisation_) | uint64_t{graph_links_} << kLinksShift);
  out.number((given_dimension != 0 ? uint64_t{kHasProjection} : 0) |
             (has_attributes ? uint64_t{kHasAttributes} : 0));
  if (given_dimension != 0) {
    out.number(given_dimension);
    out.begin_text(sizeof(float) * uint64_t{given_dimension} * dimension_);
    std::vector<float> row;
    for (uint32_t i = 0; i < dimension_; ++i) {
      projection_.fill_row(i, row);
      out.piece(float_bytes(row));
      out.flush();
    }
  }
  uint32_t node = 0;
  for (const auto& [name, element] : elements_) {
    out.text(name);
    if (has_attributes) out.text(element.attributes ? Bytes(*element.attributes) : Bytes());
    out.text(element.vector);
    out.node(element, graph, node++);
    out.flush();
  }
  out.end();
}

}  // namespace persist
