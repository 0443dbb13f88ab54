// Lines that may be the last ones wanted stand in one buffer, and are moved together now and then.
#include "ops/line_output.hpp"

#include <limits>
#include <utility>

namespace persist {

namespace {

constexpr size_t kBufferBytes = size_t{256} << 10;
// So many bytes that nobody wants any more are kept before the others are moved together.
constexpr size_t kIdleBytesMax = size_t{1} << 20;

}  // namespace

LineOutput::LineOutput(ByteSink& sink, std::optional<uint64_t> head, std::optional<uint64_t> tail)
    : sink_(sink),
      drain_([this](Bytes bytes) { sink_.write(bytes); }),
      lines_max_(head.value_or(std::numeric_limits<uint64_t>::max())),
      keeps_(tail.has_value()),
      kept_max_(tail.value_or(0)) {
  out_.room(kBufferBytes);
  out_.set_drain(&drain_);
}

void LineOutput::drop_old_lines() {
  ends_.push_back(kept_.size());
  if (ends_.size() > kept_max_) {
    begin_ = ends_.front();
    ends_.pop_front();
  }
  const size_t wanted = kept_.size() - begin_;
  if (begin_ < kIdleBytesMax || begin_ < wanted) return;
  spare_.clear();
  spare_.append(kept_.bytes().substr(begin_));
  std::swap(kept_, spare_);
  for (size_t& end : ends_) end -= begin_;
  begin_ = 0;
}

void LineOutput::flush() {
  if (keeps_) {
    out_.append(kept_.bytes().substr(begin_));
    kept_ = {};
    spare_ = {};
    ends_.clear();
    keeps_ = false;
  }
  if (!out_.empty()) sink_.write(out_.bytes());
  out_.clear();
}

}  // namespace persist
