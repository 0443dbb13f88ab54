// One line of JSON at a time, parsed as a whole before anything of it is taken.
#pragma once

#include <simdjson.h>

#include "base/byte_buffer.hpp"

namespace persist {

using JsonElement = simdjson::dom::element;

class JsonParser {
 public:
  // `behind`: how many bytes may be looked at behind the text; with fewer than the parser wants, or if it
  // must be changed, it is copied. The element and all strings in it are valid until the next call, whatever
  // becomes of the text. Throws FormatError, of which code and found are set.
  JsonElement parse(Bytes text, size_t behind);

 private:
  void make_room(size_t size);
  simdjson::simdjson_result<JsonElement> parse_padded(const char* text, size_t size);
  Bytes widen_integers(Bytes text);

  simdjson::dom::parser parser_;
  simdjson::dom::document document_;
  size_t capacity_ = 0;
  ByteBuffer copy_;
};

}  // namespace persist
