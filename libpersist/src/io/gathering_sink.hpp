// Many small writes as few large ones, in front of a sink that would go to the system for each.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <utility>

#include "persist/sink.hpp"

namespace persist {

class GatheringSink : public ByteSink {
 public:
  explicit GatheringSink(std::unique_ptr<ByteSink> to) : to_(std::move(to)) {}

  void write(Bytes bytes) override {
    if (observer_) observer_(bytes);
    if (bytes.size() > kRoomBytes - size_) {
      flush();
      if (bytes.size() >= kRoomBytes / 2) return to_->write(bytes);
    }
    if (!room_) room_ = std::make_unique_for_overwrite<char[]>(kRoomBytes);
    std::memcpy(room_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }

  // What was not finished is lost, as it is meant to be when something went wrong.
  void finish() override {
    flush();
    to_->finish();
  }

  // Told, in order, all that is written from here on. Empty: nobody any more.
  void observe(std::function<void(Bytes)> observer) { observer_ = std::move(observer); }

 private:
  void flush() {
    if (size_ > 0) to_->write({room_.get(), std::exchange(size_, 0)});
  }

  static constexpr size_t kRoomBytes = size_t{256} << 10;
  std::unique_ptr<ByteSink> to_;
  std::function<void(Bytes)> observer_;
  std::unique_ptr<char[]> room_;
  size_t size_ = 0;
};

}  // namespace persist
