// Nettle does the work: it takes the processor's own instructions where there are any.
#include "base/sha1.hpp"

#include <nettle/sha1.h>

#include <new>

namespace persist {

namespace {

static_assert(sizeof(sha1_ctx) <= sizeof(Sha1) && alignof(sha1_ctx) <= alignof(Sha1));

void add(sha1_ctx& state, Bytes bytes) {
  sha1_update(&state, bytes.size(), reinterpret_cast<const uint8_t*>(bytes.data()));
}

Sha1Hash end(sha1_ctx& state) {
  Sha1Hash hash;
  sha1_digest(&state, hash.size(), hash.data());
  return hash;
}

sha1_ctx& state_in(std::byte* room) { return *std::launder(reinterpret_cast<sha1_ctx*>(room)); }

}  // namespace

Sha1Hash sha1(Bytes bytes) {
  sha1_ctx state;
  sha1_init(&state);
  add(state, bytes);
  return end(state);
}

std::string to_hex(const Sha1Hash& hash) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : hash) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

void Sha1::restart() { sha1_init(new (state_.data()) sha1_ctx); }
void Sha1::update(Bytes bytes) { add(state_in(state_.data()), bytes); }
Sha1Hash Sha1::finish() { return end(state_in(state_.data())); }

}  // namespace persist
