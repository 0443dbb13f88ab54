// Lines of words, as servers read them in manifests and configuration files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/letters.hpp"
#include "persist/bytes.hpp"

namespace persist {

// Without the blanks, tabs, CRs and LFs at both ends.
[[nodiscard]] Bytes trimmed(Bytes line);

// Words in "..." may hold \\ \" \n \r \t \a \b \xHH, words in '...' may hold \'; behind a closing quote must
// come a blank or the end. None if the quotes do not balance.
[[nodiscard]] std::optional<std::vector<std::string>> split_words(Bytes line);

// One word so that it can be read back: in double quotes if it must be.
enum class Quoting : uint8_t {
  as_server,  // escapes everything that cannot be printed
  shortest    // escapes only what would not be read back: for lines that would get too long
};
[[nodiscard]] std::string quoted_word(Bytes word, Quoting quoting = Quoting::as_server);

// A word as findings show it: always printable, and not longer than a line.
[[nodiscard]] std::string shown_word(Bytes word);

}  // namespace persist
