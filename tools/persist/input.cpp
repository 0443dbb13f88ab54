// Opening paths, and naming what is in them.
#include "input.hpp"

#include "persist/check.hpp"

namespace persist::tool {

namespace {

struct WrongKind {
  FindingCode code;
  const char* kind;
};
constexpr WrongKind kWrongKinds[] = {
    {FindingCode::input_empty, "empty"},     {FindingCode::input_nul, "nul"},
    {FindingCode::input_aof, "aof"},         {FindingCode::input_manifest, "manifest"},
    {FindingCode::input_html, "html"},       {FindingCode::input_json, "json"},
    {FindingCode::input_archive, "archive"}, {FindingCode::input_envelope, "valkey-envelope"},
    {FindingCode::input_unknown, "unknown"},
};

// A type code, or the opcode of key metadata.
bool may_begin_payload(uint8_t first) {
  constexpr uint8_t kTypeMax = 0x21;
  constexpr uint8_t kKeyMeta = 0xf3;
  return first <= kTypeMax || first == kKeyMeta;
}

// A payload has no magic: it is one if its checksum says so, and nothing else is tried on large files.
std::optional<Window> whole_if_payload(ByteSource& source) {
  constexpr uint64_t kPayloadMax = uint64_t{64} << 20;
  const Window head = source.window(0, 1);
  if (head.bytes.empty() || !may_begin_payload(static_cast<uint8_t>(head.bytes.front()))) return std::nullopt;
  if (source.size().value_or(0) > kPayloadMax) return std::nullopt;
  Window whole = source.window(0, kPayloadMax + 1);
  if (whole.bytes.size() > kPayloadMax || !is_dump_payload(whole.bytes)) return std::nullopt;
  return whole;
}

}  // namespace

Input open_input(const std::string& path) {
  Input input;
  input.source = open_source(path);
  input.payload = whole_if_payload(*input.source);
  return input;
}

void KindWatch::report(const Finding& finding) {
  for (const WrongKind& wrong : kWrongKinds) {
    if (finding.code == wrong.code) kind_ = wrong.kind;
  }
  to_.report(finding);
}

}  // namespace persist::tool
