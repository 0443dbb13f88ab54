// One overload for each element.
#include "engine/value_builder.hpp"

#include "base/endian.hpp"
#include "engine/tell.hpp"

namespace persist {

namespace {

// What RDB has in front of a module value: nine characters of six bits, the encoding version in ten more, as
// a length of 64 bits. man/persist-rdb.5, MODULE VALUES
constexpr Bytes kModuleLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint8_t kModuleCode = 7;
constexpr char kLength64 = '\x81';

std::string module_bytes(const ModuleValue& module) {
  uint64_t id = 0;
  for (const char letter : module.module) id = (id << 6) | kModuleLetters.find(letter);
  id = (id << 10) | module.encver;
  std::string bytes(1, kLength64);
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(id >> shift);
  bytes += module.payload;
  return bytes;
}

}  // namespace

bool ValueBuilder::can_build(const PackedValue& packed) {
  if (packed.encoding->type != ValueType::module) return true;
  bool is_vector_set = false;
  tell_packed(packed, [&](const Element& told) {
    const auto& module = std::get<ModuleValue>(told);
    is_vector_set = module.module == kVectorSetModule &&
                    VectorSet::from_payload(module.encver, module.payload).has_value();
  });
  return is_vector_set;
}

void ValueBuilder::put(const ModuleValue& module) {
  if (module.module == kVectorSetModule) {
    if (std::optional<VectorSet> vectors = VectorSet::from_payload(module.encver, module.payload)) {
      entry_.make_value<VectorSet>(pool_) = std::move(*vectors);
      return;
    }
  }
  entry_.set_packed(pool_, *find_encoding(Dialect::redis, kModuleCode), module_bytes(module));
}

template <typename StreamElement>
void ValueBuilder::put(const StreamElement& element) {
  value<Stream>().add(element);
}

void ValueBuilder::add(const Element& element) {
  std::visit([this](const auto& told) { put(told); }, element);
}

}  // namespace persist
