// The value of a hash: fields with values, each perhaps with an expiry of its own.
//
// A field stands with its value in one block:
//   varint  length of the field * 2, + 1 if it has an expiry
//   varint  length of the value
//   i64     the expiry, if it has one; the host's byte order
//   field, value
#pragma once

#include <optional>

#include "engine/member_table.hpp"
#include "persist/element.hpp"

namespace persist {

class Hash {
 public:
  explicit Hash(Pool& pool) : fields_(pool) {}
  ~Hash();
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  [[nodiscard]] size_t size() const { return fields_.size(); }
  // How many fields have an expiry.
  [[nodiscard]] size_t volatile_fields() const { return volatile_; }

  // The views are valid until the field, or any other, is set or removed.
  [[nodiscard]] std::optional<HashField> find(Bytes field) const {
    const Word* at = fields_.find(fields_.probe(field));
    if (at == nullptr) return std::nullopt;
    return parse(word_block(*at));
  }
  [[nodiscard]] bool contains(Bytes field) const { return fields_.find(fields_.probe(field)) != nullptr; }

  // Sets value and expiry; neither view may show the hash's own bytes. True if the field is new.
  bool set(Bytes field, Bytes value, int64_t expire_at_ms = kNoExpiry);
  // Sets the value only: the expiry stays.
  bool set_keeping_expiry(Bytes field, Bytes value);
  // False if there is no such field.
  bool set_expiry(Bytes field, int64_t expire_at_ms);
  bool remove(Bytes field);

  // act(const HashField&), in no order; the hash must not change meanwhile.
  template <typename Do>
  void for_each(Do&& act) const {
    fields_.for_each([&](Word word) { act(parse(word_block(word))); });
  }

  // Likewise for `count` of the fields, or all if there are no more.
  template <typename Do>
  void for_some(size_t count, Do&& act) const {
    fields_.for_some(count, [&](Word word) { act(parse(word_block(word))); });
  }
  // Some field. The hash must not be empty.
  [[nodiscard]] HashField any() const { return parse(word_block(fields_.any())); }

  void prefetch() const { fields_.prefetch(); }

 private:
  static HashField parse(const char* block) {
    uint64_t field_size = 0;
    uint64_t value_size = 0;
    block = get_varint(get_varint(block, field_size), value_size);
    HashField told{{}, {}, kNoExpiry};
    if ((field_size & 1) != 0) {
      std::memcpy(&told.expire_at_ms, block, sizeof told.expire_at_ms);
      block += sizeof told.expire_at_ms;
    }
    told.field = {block, static_cast<size_t>(field_size >> 1)};
    told.value = {block + (field_size >> 1), static_cast<size_t>(value_size)};
    return told;
  }
  static size_t block_size(Bytes field, Bytes value, int64_t expire_at_ms) {
    const size_t expiry = expire_at_ms == kNoExpiry ? 0 : sizeof expire_at_ms;
    return varint_bytes(field.size() << 1) + varint_bytes(value.size()) + expiry + field.size() +
           value.size();
  }
  struct Row {
    static constexpr bool kImmediates = false;
    static Bytes text(Word word, CellRoom& /*room*/) { return parse(word_block(word)).field; }
  };
  using Fields = MemberTable<Row>;

  static void write(char* block, Bytes field, Bytes value, int64_t expire_at_ms);
  void insert(const Fields::Probe& probe, Bytes value, int64_t expire_at_ms);
  void replace(Word* at, uint64_t hash, Bytes field, Bytes value, int64_t expire_at_ms);
  void free_block(Word word);

  Fields fields_;
  size_t volatile_ = 0;
};

}  // namespace persist
