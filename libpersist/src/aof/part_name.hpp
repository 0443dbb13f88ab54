// How servers name the parts of a set: STEM.SEQUENCE.base.rdb, STEM.SEQUENCE.base.aof, STEM.SEQUENCE.incr.aof
// and STEM.manifest. Only a convention: the manifest decides what is loaded.
#pragma once

#include <cstdint>
#include <optional>

#include "persist/bytes.hpp"
#include "persist/manifest.hpp"

namespace persist {

inline constexpr Bytes kManifestSuffix = ".manifest";
inline constexpr Bytes kTemporaryPrefix = "temp-";

struct PartName {
  Bytes stem;
  int64_t sequence = 0;
  ManifestType type = ManifestType::base;  // or incr
};

// Borrows from `name`.
[[nodiscard]] std::optional<PartName> parse_part_name(Bytes name);

[[nodiscard]] inline bool is_temporary_name(Bytes name) { return name.starts_with(kTemporaryPrefix); }
[[nodiscard]] inline bool is_manifest_name(Bytes name) {
  return name.ends_with(kManifestSuffix) && name != kManifestSuffix && !is_temporary_name(name);
}

// What its parts are called, too. A manifest may have been renamed: then its whole name.
[[nodiscard]] inline Bytes manifest_stem(Bytes name) {
  if (name.ends_with(kManifestSuffix)) name.remove_suffix(kManifestSuffix.size());
  return name;
}

// Whether it names a file of the folder itself and nothing else.
[[nodiscard]] inline bool is_plain_name(Bytes name) {
  return !name.empty() && name != "." && name != ".." && name.find_first_of("/\\") == Bytes::npos;
}

}  // namespace persist
