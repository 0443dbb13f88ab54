// A file that is checked as it is being written, and appears only if it is sound.
#pragma once

#include <functional>
#include <string>

#include "ops/result_check.hpp"
#include "persist/convert.hpp"
#include "persist/edit.hpp"
#include "persist/sink.hpp"

namespace persist {

// `make` writes all of it and says whether it may appear; returns whether it did. What goes to a device is
// not checked. Throws EditRefused if what was made is not sound, std::system_error.
bool place_checked_file(const std::string& path, Existing existing,
                        const std::function<bool(ByteSink&)>& make);

// Throws EditRefused if a check has found an error.
void refuse_if_unsound(ResultCheck& check);

// Inputs are never written to: throws EditRefused if that is one of them, or of their files.
void require_apart(const ConvertInput& input, const std::string& path);

}  // namespace persist
