// The sources, one factory each. open.cpp picks among them by content.
#pragma once

#include <memory>
#include <string>

#include "persist/source.hpp"

namespace persist {

// `descriptor` is owned by the source from here on.
std::unique_ptr<ByteSource> file_source(int descriptor, uint64_t size, std::string name);
std::unique_ptr<ByteSource> pipe_source(int descriptor, std::string name);

// A view of bytes that begin at `offset` of some file: what lies before reads as absent.
std::unique_ptr<ByteSource> memory_source_at(Bytes bytes, uint64_t offset, std::string name);

// Each inflates what `packed` holds, member after member.
std::unique_ptr<ByteSource> gzip_source(std::unique_ptr<ByteSource> packed);
std::unique_ptr<ByteSource> zstd_source(std::unique_ptr<ByteSource> packed);
std::unique_ptr<ByteSource> lz4_source(std::unique_ptr<ByteSource> packed);

// The same bytes as a source that is rereadable: a copy of `from`, which must not have forgotten its
// beginning, in a nameless file in $TMPDIR or /tmp. Its name, compression and damage are those of `from`.
// Throws std::system_error.
std::unique_ptr<ByteSource> spool(ByteSource& from);

}  // namespace persist
