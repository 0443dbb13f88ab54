// Commands that a result will not have: how many, and the keys they are about.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "aof/commands.hpp"
#include "persist/source.hpp"

namespace persist {

class Loss {
 public:
  void add(const CommandSpec* spec, std::span<const Bytes> args);
  void add(const Loss& more);
  // A command that the end of the file tore, or damage: as far as it can be read.
  void add_torn(ByteSource& source, uint64_t offset);
  void clear() { *this = {}; }

  [[nodiscard]] uint64_t commands() const { return commands_; }
  [[nodiscard]] const std::vector<std::string>& keys() const { return keys_; }  // the first ones

 private:
  void add_key(Bytes key);

  uint64_t commands_ = 0;
  std::vector<std::string> keys_;
};

}  // namespace persist
