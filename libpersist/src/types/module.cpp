// Module values, kept raw. man/persist-rdb.5, MODULE VALUES
//
//   LEN id: nine characters of six bits, ten bits of encoding version
//   annotated values: LEN opcode, payload... : 1, 2 LEN; 3 four bytes; 4 eight bytes; 5 STR; 0 ends
//
// The form before Redis 4.0 has the values without opcodes: only the module knows where they end.
#include "types/module.hpp"

#include "types/encode.hpp"
#include "types/primitives.hpp"
#include "types/types.hpp"

namespace persist {

namespace {

enum Annotation : uint64_t { kEnd = 0, kSigned = 1, kUnsigned = 2, kFloat = 3, kDouble = 4, kString = 5 };

constexpr Bytes kNameAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr unsigned kVersionBits = 10;

[[noreturn]] void fail_pre_release(Cursor& in) {
  const uint64_t at = in.offset();
  const ModuleId id = parse_module_id(in.length("module id"));
  in.fail(FindingCode::module_pre_release, {at, in.offset() - at}, "module value", "the annotated form",
          "the pre-release form of module " + std::string(id.name_bytes()));
}

}  // namespace

ModuleId parse_module_id(uint64_t id) {
  ModuleId parsed{};
  parsed.encver = static_cast<uint32_t>(id & ((1U << kVersionBits) - 1));
  id >>= kVersionBits;
  for (size_t i = kModuleNameBytes; i-- > 0; id >>= 6) parsed.name[i] = kNameAlphabet[id & 63];
  return parsed;
}

uint64_t module_id(Bytes name, uint32_t encver) {
  uint64_t id = 0;
  for (const char letter : name.substr(0, kModuleNameBytes)) {
    const size_t at = kNameAlphabet.find(letter);
    id = (id << 6) | (at == Bytes::npos ? 0 : at);
  }
  return (id << kVersionBits) | encver;
}

void for_each_metadata_class(Bytes classes, FunctionRef<void(const MetadataClass&)> act) {
  // The last two are the other way round than in the ids of modules.
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  constexpr unsigned kBelowName = 8;
  constexpr uint32_t kMayBeIgnored = 1;
  Scratch scratch;
  Cursor in(classes, 0, scratch);
  for (uint64_t left = in.length("classes"); left > 0; --left) {
    const auto spec = in.le<uint32_t>("class");
    MetadataClass found{};
    found.may_be_ignored = (spec & kMayBeIgnored) != 0;
    uint32_t letters = spec >> kBelowName;
    for (size_t i = MetadataClass::kNameBytes; i-- > 0; letters >>= 6)
      found.name[i] = kAlphabet[letters & 63];
    skip_annotated(in);
    act(found);
  }
}

void skip_annotated(Cursor& in) {
  for (;;) {
    const uint64_t at = in.offset();
    const uint64_t opcode = in.length("module value opcode");
    switch (opcode) {
      case kEnd:
        return;
      case kSigned:
      case kUnsigned:
        in.length("module integer");
        break;
      case kFloat:
        in.skip(sizeof(float), "module float");
        break;
      case kDouble:
        in.skip(sizeof(double), "module double");
        break;
      case kString:
        skip_string(in, "module string");
        break;
      default:
        in.fail(FindingCode::module_damaged, {at, in.offset() - at}, "module value opcode", "0 to 5",
                std::to_string(opcode));
    }
  }
}

void decode_module(Cursor& in, ElementSink out) {
  const ModuleId id = parse_module_id(in.length("module id"));
  const uint64_t payload_at = in.offset();
  skip_annotated(in);
  const uint64_t size = in.offset() - payload_at;
  Bytes payload;
  if (in.payloads == Payloads::wanted) {
    in.seek(payload_at);
    payload = in.take(size, "module value");
  }
  out(ModuleValue{id.name_bytes(), id.encver, payload});
}

void skip_module(Cursor& in) {
  in.length("module id");
  skip_annotated(in);
}

void encode_module(Encoder& out, const Value& value) {
  out.length(module_id(value.module.module, value.module.encver));
  out.raw(value.module.payload);
}

void decode_module_pre_release(Cursor& in, ElementSink /*out*/) { fail_pre_release(in); }

void skip_module_pre_release(Cursor& in) { fail_pre_release(in); }

}  // namespace persist
