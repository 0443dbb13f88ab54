// Names of parts, taken apart from their ends.
#include "aof/part_name.hpp"

#include "base/decimal.hpp"

namespace persist {

namespace {

struct Suffix {
  Bytes text;
  ManifestType type;
};
constexpr Suffix kSuffixes[] = {
    {".base.rdb", ManifestType::base},
    {".base.aof", ManifestType::base},
    {".incr.aof", ManifestType::incr},
};

}  // namespace

std::optional<PartName> parse_part_name(Bytes name) {
  if (is_temporary_name(name)) return std::nullopt;
  for (const Suffix& suffix : kSuffixes) {
    if (!name.ends_with(suffix.text)) continue;
    name.remove_suffix(suffix.text.size());
    const size_t dot = name.rfind('.');
    if (dot == Bytes::npos || dot == 0) return std::nullopt;
    const std::optional<int64_t> sequence = parse_decimal<int64_t>(name.substr(dot + 1));
    if (!sequence || *sequence <= 0) return std::nullopt;
    return PartName{name.substr(0, dot), *sequence, suffix.type};
  }
  return std::nullopt;
}

}  // namespace persist
