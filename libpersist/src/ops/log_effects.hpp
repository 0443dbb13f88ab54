// The list of a log with what came of each command.
#pragma once

#include "persist/log.hpp"

namespace persist {

LogSummary list_effects(const AppendSet& set, ByteSink& output, FindingSink& findings,
                        const LogOptions& options);

}  // namespace persist
