// What the values of modules are to digests. Only vector sets are understood.
#pragma once

#include <optional>

#include "engine/digest_steps.hpp"
#include "engine/vector_set.hpp"
#include "persist/element.hpp"

namespace persist {

// What DEBUG DIGEST sees of the value; absent for modules that we do not know: it is as if they showed
// nothing.
[[nodiscard]] std::optional<Sha1Hash> module_digest(const ModuleValue& value);

// All of the value that is no accident of how it is kept. persist-digest(1), THE FULL DIGEST
void add_module_fields(const ModuleValue& value, FieldHash& to);

// The same of a vector set that is not in the form of a payload.
void add_module_fields(const VectorSet& value, FieldHash& to);

}  // namespace persist
