// How the files that we write begin.
#pragma once

#include "rdb/record_encoder.hpp"

namespace persist {

// The name of an AUX field that holds a cached script.
inline constexpr Bytes kScriptAux = "lua";

struct FileHead {
  bool is_base = false;        // of a log
  bool says_who_reads = true;  // the release and word size that it was written for
};

// The header, and the AUX fields that stand behind it.
void write_file_head(RecordEncoder& records, const FileHead& head);

[[nodiscard]] bool knows_aux(const Target& target);
[[nodiscard]] bool knows_functions(const Target& target);

}  // namespace persist
