// Payloads are annotated values (man/persist-rdb.5, MODULE VALUES), whose strings may be compressed or
// integers.
#include "engine/module_digest.hpp"

#include <bit>

#include "base/endian.hpp"
#include "types/primitives.hpp"

namespace persist {

namespace {

constexpr Bytes kVectorSet = "vectorset";

enum class DigestAnnotation : uint64_t {
  end = 0,
  integer = 1,
  unsigned_integer = 2,
  real32 = 3,
  real64 = 4,
  string = 5
};

// One value after the other. FormatError at what cannot be one.
class AnnotatedReader {
 public:
  explicit AnnotatedReader(Bytes payload) : in_(payload, 0, scratch_) {}

  // What the reader gave since the last call is no longer needed.
  bool next() {
    scratch_.reset();
    kind_ = static_cast<DigestAnnotation>(in_.length("module value opcode"));
    switch (kind_) {
      case DigestAnnotation::end:
        return false;
      case DigestAnnotation::integer:
      case DigestAnnotation::unsigned_integer:
        number_ = in_.length("module integer");
        return true;
      case DigestAnnotation::real32:
        bytes_ = in_.take(sizeof(float), "module float");
        return true;
      case DigestAnnotation::real64:
        bytes_ = in_.take(sizeof(double), "module double");
        return true;
      case DigestAnnotation::string:
        bytes_ = read_string(in_, "module string");
        return true;
    }
    fail("0 to 5");
  }

  // The next value, which must be of that kind.
  uint64_t number() {
    if (!next() || kind_ != DigestAnnotation::unsigned_integer) fail("an unsigned integer");
    return number_;
  }
  Bytes string() {
    if (!next() || kind_ != DigestAnnotation::string) fail("a string");
    return bytes_;
  }

  [[nodiscard]] DigestAnnotation kind() const { return kind_; }
  [[nodiscard]] uint64_t last_number() const { return number_; }
  [[nodiscard]] Bytes last_bytes() const { return bytes_; }

 private:
  [[noreturn]] void fail(const char* expected) {
    in_.fail(FindingCode::module_damaged, {in_.offset(), 0}, "module value", expected,
             std::to_string(static_cast<uint64_t>(kind_)));
  }

  Scratch scratch_;
  Cursor in_;
  DigestAnnotation kind_{};
  uint64_t number_ = 0;
  Bytes bytes_;
};

struct VectorSetShape {
  uint64_t dimension = 0;
  uint64_t elements = 0;
  uint64_t quantisation = 0;
  uint64_t given_dimension = 0;  // 0: there is no projection
};

struct VectorItem {
  std::string name;
  std::string attributes;  // none if empty
  std::string vector;
  uint64_t scale = 0;  // range and length of the vector
};

// Links, levels and numbers of the nodes are passed over: servers draw them by lot.
void walk_vector_set(Bytes payload, FunctionRef<void(const VectorSetShape&, Bytes matrix)> on_shape,
                     FunctionRef<void(const VectorItem&)> on_item) {
  constexpr uint64_t kHasProjection = 1;
  constexpr uint64_t kHasAttributes = 2;
  AnnotatedReader in(payload);
  VectorSetShape shape;
  shape.dimension = in.number();
  shape.elements = in.number();
  shape.quantisation = in.number() & 0xff;
  const uint64_t flags = in.number();
  if ((flags & kHasProjection) != 0) shape.given_dimension = in.number();
  on_shape(shape, (flags & kHasProjection) != 0 ? in.string() : Bytes());
  VectorItem item;
  for (uint64_t left = shape.elements; left > 0; --left) {
    item.name = in.string();
    if ((flags & kHasAttributes) != 0) item.attributes = in.string();
    item.vector = in.string();
    for (uint64_t node = in.number(); node > 0; --node) item.scale = in.number();
    on_item(item);
  }
}

Sha1Hash digest_of_vector_set(Bytes payload) {
  Sha1Hash digest{};
  walk_vector_set(
      payload,
      [&](const VectorSetShape& shape, Bytes /*matrix*/) {
        Sha1Hash sequence{};
        mix_decimal(sequence, shape.elements);
        mix_decimal(sequence, shape.dimension);
        xor_into(digest, sha1(as_bytes(sequence)));
      },
      [&](const VectorItem& item) {
        Sha1Hash sequence{};
        mix(sequence, item.vector);
        mix(sequence, item.name);
        if (!item.attributes.empty()) mix(sequence, item.attributes);
        xor_into(digest, sha1(as_bytes(sequence)));
      });
  return digest;
}

Sha1Hash fields_of_vector_set(Bytes payload) {
  Sha1Hash items{};
  FieldHash fields;
  walk_vector_set(
      payload,
      [&](const VectorSetShape& shape, Bytes matrix) {
        fields.number(shape.dimension).number(shape.quantisation).number(shape.given_dimension).bytes(matrix);
      },
      [&](const VectorItem& item) {
        FieldHash one;
        one.bytes(item.name).bytes(item.attributes).bytes(item.vector).number(item.scale);
        add_into(items, one.finish());
      });
  return fields.hash(items).finish();
}

Sha1Hash fields_of_annotated(Bytes payload) {
  AnnotatedReader in(payload);
  FieldHash fields;
  while (in.next()) {
    fields.number(static_cast<uint64_t>(in.kind()));
    if (in.kind() == DigestAnnotation::integer || in.kind() == DigestAnnotation::unsigned_integer)
      fields.number(in.last_number());
    else
      fields.bytes(in.last_bytes());
  }
  return fields.finish();
}

// Nothing if it is damaged: the reader of the file looks at lengths alone.
std::optional<Sha1Hash> unless_damaged(Sha1Hash (*hash)(Bytes), Bytes payload) {
  try {
    return hash(payload);
  } catch (const FormatError&) {
    return std::nullopt;
  }
}

bool is_vector_set(const ModuleValue& value) { return value.module == kVectorSet && value.encver == 0; }

}  // namespace

std::optional<Sha1Hash> module_digest(const ModuleValue& value) {
  if (!is_vector_set(value)) return std::nullopt;
  return unless_damaged(digest_of_vector_set, value.payload);
}

void add_module_fields(const ModuleValue& value, FieldHash& to) {
  to.bytes(value.module).number(uint64_t{value.encver});
  std::optional<Sha1Hash> hash;
  if (is_vector_set(value)) hash = unless_damaged(fields_of_vector_set, value.payload);
  if (!hash) hash = unless_damaged(fields_of_annotated, value.payload);
  to.hash(hash ? *hash : sha1(value.payload));
}

void add_module_fields(const VectorSet& value, FieldHash& to) {
  constexpr uint64_t kEncodingVersion = 0;
  constexpr unsigned kUpperHalf = 32;
  const uint64_t given = value.projection().given_dimension();
  FieldHash fields;
  fields.number(uint64_t{value.dimension()})
      .number(static_cast<uint64_t>(value.quantisation()))
      .number(given);
  // The matrix is a string; row by row, since it may dwarf the elements.
  fields.number(sizeof(float) * given * (given == 0 ? 0 : value.dimension()));
  std::vector<float> row;
  for (uint32_t i = 0; given != 0 && i < value.dimension(); ++i) {
    value.projection().fill_row(i, row);
    fields.raw(float_bytes(row));
  }
  Sha1Hash items{};
  for (const auto& [name, element] : value.elements()) {
    const uint64_t range = std::bit_cast<uint32_t>(element.range);
    const uint64_t scale = range << kUpperHalf | std::bit_cast<uint32_t>(element.length);
    FieldHash one;
    one.bytes(name).bytes(element.attributes.value_or(std::string())).bytes(element.vector).number(scale);
    add_into(items, one.finish());
  }
  to.bytes(kVectorSet).number(kEncodingVersion).hash(fields.hash(items).finish());
}

}  // namespace persist
