// Where values are encoded to, and by whose rules. One for each thread.
#pragma once

#include "base/byte_buffer.hpp"
#include "base/endian.hpp"
#include "codec/lzf_packer.hpp"
#include "io/scratch.hpp"
#include "persist/element.hpp"
#include "persist/target.hpp"

namespace persist {

struct WriteRules {
  const Target* target = nullptr;
  PackLimits limits;
  bool compress = true;  // strings, as rdbcompression says
};

class Encoder {
 public:
  // `out` must outlive the encoder, `rules.target` too.
  Encoder(ByteBuffer& out, const WriteRules& rules) : out_(out), rules_(rules) {}

  [[nodiscard]] const WriteRules& rules() const { return rules_; }
  [[nodiscard]] ByteBuffer& out() { return out_; }

  void u8(uint8_t byte) { out_.append(static_cast<char>(byte)); }
  template <typename T>
  void le(T number) {
    char* to = out_.room(sizeof number);
    store_le(to, number);
    out_.advance(to + sizeof number);
  }
  template <typename T>
  void be(T number) {
    char* to = out_.room(sizeof number);
    store_be(to, number);
    out_.advance(to + sizeof number);
  }
  void raw(Bytes bytes) { out_.append(bytes); }

  // LEN, in the shortest form. Throws std::length_error if the target does not know numbers that large.
  void length(uint64_t number) {
    if (number < 0x40) [[likely]]
      return u8(static_cast<uint8_t>(number));
    long_length(number);
  }

  // STR: as an integer if it is the text of one, else compressed if that pays and is wanted, else as it is.
  void string(Bytes bytes);
  // The same for a container, which is never the text of a number.
  void blob(Bytes bytes);

  // A stream ID as two lengths, and as sixteen bytes.
  void length_id(StreamId id);
  void raw_id(StreamId id);

  // Room to build a container in, empty. There is one: what was in it before is gone.
  [[nodiscard]] ByteBuffer& container() {
    container_.clear();
    return container_;
  }
  // Room for what has to be put in order or noted down, likewise.
  [[nodiscard]] Scratch& scratch() {
    scratch_.reset();
    return scratch_;
  }
  // Gives memory back that only an unusually large value needed.
  void shrink();

 private:
  void long_length(uint64_t number);
  bool string_as_integer(Bytes bytes);

  ByteBuffer& out_;
  WriteRules rules_;
  LzfPacker packer_;
  ByteBuffer container_;
  ByteBuffer packed_;
  Scratch scratch_;
};

}  // namespace persist
