// Both dialects are tried. Most records read alike in them, so that AUX fields decide which is meant.
#include "ops/salvage_header.hpp"

#include <algorithm>

#include "ops/no_findings.hpp"
#include "persist/target.hpp"

namespace persist {

namespace {

// Files are loaded by all servers in use, if nothing in them needs a later version.
constexpr uint32_t kVersionOld = 9;

InferredBeginning begin_as(Dialect dialect, ByteSource& source, uint64_t end, bool followed) {
  InferredBeginning beginning;
  beginning.state.dialect = dialect;
  beginning.state.version = newest_version(dialect);
  beginning.resync = std::make_unique<Resync>(source, beginning.state, end, followed);
  beginning.chain = beginning.resync->find(0, 0);
  return beginning;
}

const Target* target_of(const std::optional<ServerVersion>& server) {
  if (!server) return nullptr;
  const auto found = std::ranges::find_if(targets(), [&](const Target& target) {
    return target.family == server->family && target.release == server->version;
  });
  return found == targets().end() ? nullptr : &*found;
}

// Up to where the records decode that the chain begins with, as far as is looked.
uint64_t reach_of(ByteSource& source, const InferredBeginning& beginning) {
  constexpr uint64_t kLookedAt = uint64_t{64} << 20;
  RdbState state = beginning.state;
  state.offset = beginning.chain->offset;
  NoFindings said_later;
  RecordReader records(source, state, said_later);
  records.set_payloads(Payloads::validated);
  while (const RdbRecord* record = records.next_head()) {
    const uint64_t at = record->extent.offset;
    const bool is_entry = std::holds_alternative<RdbEntry>(record->body);
    if (is_entry && !records.read_value([](const Element&) {})) return at;
    if (at - state.offset > kLookedAt) break;
  }
  return records.offset();
}

// What the AUX fields say that the chain begins with; of neither, if they do not.
std::optional<Dialect> dialect_told(ByteSource& source, const InferredBeginning& beginning) {
  RdbState state = beginning.state;
  state.offset = beginning.chain->offset;
  NoFindings said_later;
  RecordReader records(source, state, said_later);
  RdbOrigin origin;
  origin.take(RdbHeader{state.dialect, state.version});
  bool is_told = false;
  while (const RdbRecord* record = records.next_head()) {
    const auto* aux = std::get_if<AuxField>(&record->body);
    if (aux == nullptr) break;
    origin.take(*aux);
    is_told = is_told || aux->name == "redis-ver" || aux->name == "valkey-ver";
  }
  const Target* target = target_of(origin.server());
  return is_told && target != nullptr ? std::optional(target->header().dialect) : std::nullopt;
}

}  // namespace

uint64_t without_mark(ByteSource& source, const RdbState& header, uint64_t end) {
  const uint64_t size = header.eof_mark.size();
  if (size == 0 || end < header.offset + size) return end;
  const Window window = source.window(end - size, size);
  return window.bytes.substr(0, static_cast<size_t>(size)) == header.eof_mark ? end - size : end;
}

uint32_t newest_version(Dialect dialect) {
  uint32_t newest = 0;
  for (const Target& target : targets())
    if (target.header().dialect == dialect) newest = std::max(newest, target.header().version);
  return newest;
}

InferredBeginning infer_beginning(ByteSource& source, uint64_t end, bool followed) {
  InferredBeginning redis = begin_as(Dialect::redis, source, end, followed);
  InferredBeginning valkey = begin_as(Dialect::valkey, source, end, followed);
  if (!valkey.chain) return redis;
  if (!redis.chain) return valkey;
  if (valkey.chain->offset != redis.chain->offset)
    return valkey.chain->offset < redis.chain->offset ? std::move(valkey) : std::move(redis);
  const std::optional<Dialect> told = dialect_told(source, redis);
  const bool is_valkey = told ? *told == Dialect::valkey : reach_of(source, valkey) > reach_of(source, redis);
  return is_valkey ? std::move(valkey) : std::move(redis);
}

uint32_t infer_version(Dialect dialect, uint32_t since, const std::optional<ServerVersion>& writer) {
  const Target* target = target_of(writer);
  if (target != nullptr && target->header().dialect == dialect && target->header().version >= since)
    return target->header().version;
  return dialect == Dialect::redis ? std::max(since, kVersionOld) : newest_version(dialect);
}

}  // namespace persist
