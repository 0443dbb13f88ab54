// Servers say in AUX fields whether commands are to follow; a base never has any.
#include "ops/rdb_role.hpp"

#include <optional>

#include "ops/log_part.hpp"
#include "ops/no_findings.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

namespace {

constexpr uint32_t kPreamblesSince = 8;

// Absent if the head does not tell.
std::optional<bool> says_followed(ByteSource& source) {
  constexpr uint64_t kHeadMax = uint64_t{64} << 10;
  const Window window = source.window(0, kHeadMax);
  const std::unique_ptr<ByteSource> head = memory_source(window.bytes.substr(0, kHeadMax));
  NoFindings told_elsewhere;
  RecordReader records(*head, told_elsewhere);
  while (const RdbRecord* record = records.next_head()) {
    const auto* header = std::get_if<RdbHeader>(&record->body);
    if (header != nullptr && header->dialect == Dialect::redis && header->version < kPreamblesSince)
      return false;
    const auto* aux = std::get_if<AuxField>(&record->body);
    if (header == nullptr && aux == nullptr) break;
    if (aux != nullptr && (aux->name == "aof-preamble" || aux->name == "aof-base")) return aux->value != "0";
  }
  return std::nullopt;
}

uint64_t wrapper_bytes(ByteSource& source) {
  NoFindings told_elsewhere;
  RecordReader records(source, told_elsewhere);
  return records.next_head() != nullptr ? records.state().magic_offset : 0;
}

bool is_named_rdb(const std::string& name) { return name.ends_with(".rdb"); }

}  // namespace

RdbRole rdb_role(const SetPart& part, ByteSource& source, bool has_magic) {
  RdbRole role;
  const bool is_named = is_named_rdb(part.name);
  const bool is_nothing = source.window(0, 1).bytes.empty();
  // What is neither: a beginning that was destroyed.
  const bool is_unlike_both = part.role != PartRole::incr && !is_nothing && !holds_commands(source);
  role.is_rdb = has_magic || (part.role != PartRole::incr && is_named) || is_unlike_both;
  if (role.is_rdb) role.wrapper = wrapper_bytes(source);
  if (!role.is_rdb || part.role == PartRole::base) return role;
  role.may_be_followed = part.name.ends_with(".aof") || says_followed(source).value_or(!is_named);
  return role;
}

}  // namespace persist
