// Bytes handed out as sparingly as a source may: each window holds what was asked for and not a byte more, in
// memory of its own that is gone as soon as nobody keeps it. Reading beyond a window, or from one that was
// given back, is then an error that sanitizers see.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "persist/source.hpp"

namespace persist::test {

class DripSource : public ByteSource {
 public:
  // As a file if `is_file`: one may go back, and the size is known. Else as a pipe.
  DripSource(Bytes bytes, bool is_file) : bytes_(bytes), is_file_(is_file) {}

  Window window(uint64_t from, uint64_t min) override {
    if (from >= bytes_.size()) return {};
    const Bytes wanted = bytes_.substr(from, std::max<uint64_t>(min, 1));
    const std::shared_ptr<char[]> copy(new char[wanted.size()]);
    std::copy(wanted.begin(), wanted.end(), copy.get());
    return {Bytes(copy.get(), wanted.size()), copy};
  }
  [[nodiscard]] bool rereadable() const override { return is_file_; }
  [[nodiscard]] std::optional<uint64_t> size() const override {
    return is_file_ ? std::optional<uint64_t>(bytes_.size()) : std::nullopt;
  }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  Bytes bytes_;
  bool is_file_;
  std::string name_ = "<drip>";
};

}  // namespace persist::test
