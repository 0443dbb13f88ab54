// A file that is checked as it is being written, and appears only if it is sound.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "ops/result_check.hpp"
#include "persist/convert.hpp"
#include "persist/edit.hpp"
#include "persist/sink.hpp"

namespace persist {

// What a result is to those who check it, under the name by which findings speak of it.
[[nodiscard]] SetPart result_part(const std::string& name, PartRole role = PartRole::single);

// `make` writes all of it and says whether it may appear; returns whether it did. What goes to a device is
// not checked. Throws EditRefused if what was made is not sound, std::system_error.
bool place_checked_file(const std::string& path, Existing existing,
                        const std::function<bool(ByteSink&)>& make);

// Throws EditRefused if a check has found an error.
void refuse_if_unsound(ResultCheck& check);
void refuse_if_unsound(std::span<const Finding> findings);

// Inputs are never written to: throws EditRefused if that is one of them or of their files, or a folder that
// they lie in.
void require_apart(const ConvertInput& input, const std::string& path);

// --force replaces a folder as a whole: throws EditRefused if it holds what is not of the kind to be
// replaced.
void require_replaceable(const std::string& folder, bool (*is_ours)(Bytes name));

}  // namespace persist
