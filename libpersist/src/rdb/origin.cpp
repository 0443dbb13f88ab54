// The version in the AUX fields counts, as far as it is one; else that of the header.
#include "rdb/origin.hpp"

#include <algorithm>

#include "base/decimal.hpp"
#include "persist/target.hpp"

namespace persist {

namespace {

// Later than any release.
constexpr unsigned kUnreleased = 25500;

// The first Valkey that was more than Redis under another name, and that its builds between releases follow.
constexpr unsigned kFirstOwnValkey = 800;

// "7.2" or "7.2.6", major * 100 + minor. Builds that are no release call themselves 255.255.255.
std::optional<unsigned> parse_release(Bytes text) {
  constexpr unsigned kPartMax = 99;
  const size_t dot = text.find('.');
  if (dot == Bytes::npos) return std::nullopt;
  const Bytes behind = text.substr(dot + 1);
  const std::optional<unsigned> major = parse_decimal<unsigned>(text.substr(0, dot));
  const std::optional<unsigned> minor = parse_decimal<unsigned>(behind.substr(0, behind.find_first_of(".-")));
  if (!major || !minor || *major > kPartMax || *minor > kPartMax) return std::nullopt;
  return *major * 100 + *minor;
}

// Candidates for a release bear an odd number, or 9, below that of the release.
unsigned release_of(unsigned version) {
  const unsigned minor = version % 100;
  if (minor == 9) return version - minor + 100;
  return version + minor % 2;
}

}  // namespace

void RdbOrigin::take(const RdbHeader& header) {
  server_ = ServerVersion{header.dialect, kUnreleased};
  for (const Target& target : targets()) {
    const uint32_t most = header.dialect == Dialect::redis
                              ? target.redis_version_max
                              : std::max(target.valkey_version_max, target.valkey_version);
    if (target.family != header.dialect || most < header.version) continue;
    server_ = parse_server_version(target.name);
    return;
  }
}

void RdbOrigin::take(const AuxField& aux) {
  const bool is_valkey = aux.name == "valkey-ver";
  if (!server_ || (!is_valkey && aux.name != "redis-ver")) return;
  const std::optional<unsigned> version = parse_release(aux.value);
  if (is_valkey)
    server_ = ServerVersion{Dialect::valkey, version.value_or(std::max(server_->version, kFirstOwnValkey))};
  else if (version)
    server_->version = release_of(*version);
}

RdbHead read_rdb_head(ByteSource& source) {
  constexpr uint64_t kHeadMax = uint64_t{64} << 10;
  const Window window = source.window(0, kHeadMax);
  const std::unique_ptr<ByteSource> beginning = memory_source(window.bytes.substr(0, kHeadMax));
  FindingList ignored;
  RdbReader reader(*beginning, ignored);
  RdbHead head;
  RdbOrigin origin;
  while (const RdbRecord* record = reader.next_head()) {
    if (const auto* header = std::get_if<RdbHeader>(&record->body)) {
      head.found = true;
      head.header = *header;
      origin.take(*header);
    } else if (const auto* aux = std::get_if<AuxField>(&record->body)) {
      origin.take(*aux);
      if (aux->name == "ctime") head.ctime_s = parse_decimal<int64_t>(aux->value);
    } else {
      break;
    }
  }
  head.server = origin.server();
  return head;
}

std::optional<ServerVersion> parse_server_version(Bytes name) {
  for (const Dialect family : {Dialect::redis, Dialect::valkey}) {
    const Bytes family_name = dialect_name(family);
    if (!name.starts_with(family_name) || name.substr(family_name.size(), 1) != "-") continue;
    const std::optional<unsigned> version = parse_release(name.substr(family_name.size() + 1));
    return version ? std::optional(ServerVersion{family, *version}) : std::nullopt;
  }
  return std::nullopt;
}

std::string server_version_name(const ServerVersion& server) {
  return std::string(dialect_name(server.family)) + "-" + std::to_string(server.version / 100) + "." +
         std::to_string(server.version % 100);
}

}  // namespace persist
