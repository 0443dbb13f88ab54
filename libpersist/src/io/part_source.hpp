// A stretch of another source as a source of its own: what lies in front of it and behind it is not there.
#pragma once

#include <cstdint>
#include <limits>

#include "persist/source.hpp"

namespace persist {

class PartSource : public ByteSource {
 public:
  // `from` must be rereadable and outlive this. `window_max`: whoever asks for more than that in one window
  // is told that the source ends, and gets what there is up to it: for bytes of which nobody knows yet
  // whether they are what they seem to be, so that a length among them does not take memory as large as a
  // disk.
  PartSource(ByteSource& from, Extent part, uint64_t window_max = std::numeric_limits<uint64_t>::max());

  Window window(uint64_t offset, uint64_t min) override;
  [[nodiscard]] bool rereadable() const override { return true; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return part_.size; }
  [[nodiscard]] const Finding* damage() const override { return from_.damage(); }
  [[nodiscard]] const std::string& name() const override { return from_.name(); }

  // It ends there from now on. Windows that were handed out keep what they show.
  void set_size(uint64_t size) { part_.size = size; }

 private:
  ByteSource& from_;
  Extent part_;
  uint64_t window_max_;
};

}  // namespace persist
