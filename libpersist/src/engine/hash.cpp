// Fields are written into blocks, in place where the new content has the shape of the old.
#include "engine/hash.hpp"

namespace persist {

Hash::~Hash() {
  fields_.for_each([this](Word word) { free_block(word); });
}

void Hash::write(char* block, Bytes field, Bytes value, int64_t expire_at_ms) {
  const bool expires = expire_at_ms != kNoExpiry;
  block = put_varint(block, (uint64_t{field.size()} << 1) | (expires ? 1U : 0U));
  block = put_varint(block, value.size());
  if (expires) {
    std::memcpy(block, &expire_at_ms, sizeof expire_at_ms);
    block += sizeof expire_at_ms;
  }
  if (!field.empty()) std::memmove(block, field.data(), field.size());  // perhaps onto itself
  if (!value.empty()) std::memmove(block + field.size(), value.data(), value.size());
}

void Hash::free_block(Word word) {
  const HashField held = parse(word_block(word));
  fields_.pool().give(word_block(word), block_size(held.field, held.value, held.expire_at_ms));
}

// Puts a block of new content in the place of one. Field and value may be the old block's own.
void Hash::replace(Word* at, uint64_t hash, Bytes field, Bytes value, int64_t expire_at_ms) {
  char* old = word_block(*at);
  const HashField held = parse(old);
  const size_t old_size = block_size(held.field, held.value, held.expire_at_ms);
  const size_t size = block_size(field, value, expire_at_ms);
  volatile_ += expire_at_ms != kNoExpiry ? 1U : 0U;
  volatile_ -= held.expire_at_ms != kNoExpiry ? 1U : 0U;
  const bool same_shape = size == old_size && held.value.size() == value.size() &&
                          (held.expire_at_ms == kNoExpiry) == (expire_at_ms == kNoExpiry);
  if (same_shape) {
    write(old, held.field, value, expire_at_ms);
    return;
  }
  char* block = fields_.pool().take(size);
  write(block, field, value, expire_at_ms);
  fields_.pool().give(old, old_size);
  *at = block_word(block, hash);
}

bool Hash::set(Bytes field, Bytes value, int64_t expire_at_ms) {
  const auto probe = fields_.probe(field);
  if (Word* at = fields_.find(probe)) {
    replace(at, probe.hash, field, value, expire_at_ms);
    return false;
  }
  insert(probe, value, expire_at_ms);
  return true;
}

void Hash::insert(const Fields::Probe& probe, Bytes value, int64_t expire_at_ms) {
  char* block = fields_.pool().take(block_size(probe.text, value, expire_at_ms));
  write(block, probe.text, value, expire_at_ms);
  fields_.insert(block_word(block, probe.hash), probe.hash);
  volatile_ += expire_at_ms != kNoExpiry ? 1U : 0U;
}

bool Hash::set_keeping_expiry(Bytes field, Bytes value) {
  const auto probe = fields_.probe(field);
  if (Word* at = fields_.find(probe)) {
    replace(at, probe.hash, field, value, parse(word_block(*at)).expire_at_ms);
    return false;
  }
  insert(probe, value, kNoExpiry);
  return true;
}

bool Hash::set_expiry(Bytes field, int64_t expire_at_ms) {
  const auto probe = fields_.probe(field);
  Word* at = fields_.find(probe);
  if (at == nullptr) return false;
  replace(at, probe.hash, field, parse(word_block(*at)).value, expire_at_ms);
  return true;
}

bool Hash::remove(Bytes field) {
  Word* at = fields_.find(fields_.probe(field));
  if (at == nullptr) return false;
  const Word word = *at;
  volatile_ -= parse(word_block(word)).expire_at_ms != kNoExpiry ? 1U : 0U;
  fields_.erase(at);
  free_block(word);
  return true;
}

}  // namespace persist
