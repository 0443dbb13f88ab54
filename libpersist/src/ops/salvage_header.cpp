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

// What the AUX fields say that the chain begins with.
bool is_of_valkey(ByteSource& source, const InferredBeginning& beginning) {
  RdbState state = beginning.state;
  state.offset = beginning.chain->offset;
  NoFindings said_later;
  RecordReader records(source, state, said_later);
  RdbOrigin origin;
  origin.take(RdbHeader{state.dialect, state.version});
  while (const RdbRecord* record = records.next_head()) {
    const auto* aux = std::get_if<AuxField>(&record->body);
    if (aux == nullptr) break;
    origin.take(*aux);
  }
  const Target* target = target_of(origin.server());
  return target != nullptr && target->header().dialect == Dialect::valkey;
}

}  // namespace

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
  return is_of_valkey(source, redis) ? std::move(valkey) : std::move(redis);
}

uint32_t infer_version(Dialect dialect, uint32_t since, const RdbOrigin& origin) {
  const Target* target = target_of(origin.server());
  if (target != nullptr && target->header().dialect == dialect && target->header().version >= since)
    return target->header().version;
  return dialect == Dialect::redis ? std::max(since, kVersionOld) : newest_version(dialect);
}

}  // namespace persist
