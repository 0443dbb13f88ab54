// Window by window.
#include "io/copy.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

namespace persist {

namespace {

[[noreturn]] void fail_short(const ByteSource& from, Extent what, uint64_t at) {
  throw std::system_error(EIO, std::generic_category(),
                          from.name() + " ends at " + std::to_string(at) + " while the bytes from " +
                              std::to_string(what.offset) + " to " + std::to_string(what.end()) +
                              " are copied");
}

}  // namespace

void copy_range(ByteSource& from, Extent what, ByteSink& to) {
  uint64_t at = what.offset;
  for (uint64_t left = what.size; left > 0;) {
    const Window window = from.window(at, 1);
    const Bytes part = window.bytes.substr(0, static_cast<size_t>(std::min<uint64_t>(left, SIZE_MAX)));
    if (part.empty()) fail_short(from, what, at);
    to.write(part);
    at += part.size();
    left -= part.size();
  }
}

}  // namespace persist
