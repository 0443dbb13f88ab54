// As wide as the integer that needs the most; intset.hpp has the layout.
#include "codec/intset_writer.hpp"

#include "base/endian.hpp"

namespace persist {

namespace {

template <typename T>
bool all_fit(std::span<const int64_t> ascending) {
  return static_cast<T>(ascending.front()) == ascending.front() &&
         static_cast<T>(ascending.back()) == ascending.back();
}

template <typename T>
void write_integers(ByteBuffer& out, std::span<const int64_t> ascending) {
  constexpr size_t kNewIntsetBytes = 8;
  char* to = out.room(kNewIntsetBytes + ascending.size() * sizeof(T));
  store_le(to, static_cast<uint32_t>(sizeof(T)));
  store_le(to + 4, static_cast<uint32_t>(ascending.size()));
  to += kNewIntsetBytes;
  for (const int64_t number : ascending) {
    store_le(to, static_cast<T>(number));
    to += sizeof(T);
  }
  out.advance(to);
}

}  // namespace

void write_intset(ByteBuffer& out, std::span<const int64_t> ascending) {
  if (all_fit<int16_t>(ascending)) return write_integers<int16_t>(out, ascending);
  if (all_fit<int32_t>(ascending)) return write_integers<int32_t>(out, ascending);
  write_integers<int64_t>(out, ascending);
}

}  // namespace persist
