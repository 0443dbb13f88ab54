// Writes a log anew as short as it can be: what it comes to, without how it came about. persist-compact(1)
#pragma once

#include "persist/convert.hpp"

namespace persist {

// A conversion of a log, which the input must be, into a log or RDB file for, if none is asked for, the
// server that wrote it. What was written is read back, and a digest of all of it compared with that of the
// dataset before the result appears: if they differ, EditRefused is thrown. Where only hints are lost, the
// digest is that of the server, which does not see them. With a filter, changes, or losses of data, what is
// written differs from what was read: no digests are compared, and ConvertSummary::proven stays false.
PERSIST_API ConvertSummary compact(const ConvertInput& input, const OutputOptions& output,
                                   FindingSink& findings, const ConvertOptions& options);

}  // namespace persist
