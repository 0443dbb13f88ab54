// The lines of a manifest for those who repair it.
#pragma once

#include <vector>

#include "persist/manifest.hpp"

namespace persist {

// What the lines say, sound or not. The sequence is that of the file's name, where it is named as servers
// name parts, and so is a type that is missing or wrong. Lines without a plain file name are left out.
[[nodiscard]] std::vector<ManifestLine> salvage_manifest(Bytes text);

}  // namespace persist
