// Passes on to a sink that others own.
#pragma once

#include "persist/sink.hpp"

namespace persist {

class BorrowedSink : public ByteSink {
 public:
  explicit BorrowedSink(ByteSink& to) : to_(to) {}
  void write(Bytes bytes) override { to_.write(bytes); }
  void finish() override { to_.finish(); }

 private:
  ByteSink& to_;
};

}  // namespace persist
