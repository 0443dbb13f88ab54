// Where in any bytes something might begin that a server has written: by its first few bytes alone.
#pragma once

#include <cstdint>
#include <optional>

#include "persist/carve.hpp"
#include "persist/source.hpp"

namespace persist {

struct CarvePlace {
  CarvedKind kind{};  // rdb also stands for preamble
  uint64_t offset = 0;
};

class CarveScan {
 public:
  // All must outlive it.
  CarveScan(ByteSource& image, const CarveOptions& options);

  // The first place at `from` or later.
  std::optional<CarvePlace> next(uint64_t from);

 private:
  void open_window(uint64_t at);
  [[nodiscard]] std::optional<CarvedKind> kind_at(size_t at) const;

  ByteSource& image_;
  const CarveOptions& options_;
  Window window_;
  uint64_t begin_ = 0;       // of the window
  uint64_t places_end_ = 0;  // places in front of it can be judged by this window
  bool last_ = false;        // nothing follows the window
};

}  // namespace persist
