// Records as people look at them: place, size, what it is, and its bytes. persist-dump(1), ANNOTATED
#pragma once

#include "base/byte_buffer.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

// `bytes` are the first of the record, as far as they are to be shown; `elements` counts those of an entry,
// and is absent if its value is damaged.
void append_annotation(ByteBuffer& out, const RdbRecord& record, Bytes bytes,
                       std::optional<uint64_t> elements);

}  // namespace persist
