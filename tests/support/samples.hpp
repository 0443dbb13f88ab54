// One small file for each encoding and each opcode: what tests do to all encodings, they do to these.
#pragma once

#include <string>
#include <vector>

#include "persist/encoding.hpp"

namespace persist::test {

struct Sample {
  std::string name;
  std::string file;
  Dialect dialect{};
  int code = -1;  // the type code that it is about, or -1
};

// Every encoding plain and, where it has strings to compress, compressed; then the opcodes.
[[nodiscard]] const std::vector<Sample>& samples();

// A file with all types, several databases and every kind of record that its dialect has.
[[nodiscard]] std::string mixed_file(Dialect dialect);

// `keys` keys of all plain types and listpacks, about 150 bytes each; every `spoil`-th value is damaged
// inside (0: none).
[[nodiscard]] std::string long_file(size_t keys, size_t spoil = 0);

}  // namespace persist::test
