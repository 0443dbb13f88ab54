// Looking for the ends of lines in windows that grow until they hold a whole one.
#include "text/line_source.hpp"

#include <algorithm>
#include <cstring>

namespace persist {

namespace {

constexpr size_t kStepBytes = size_t{64} << 10;
constexpr Bytes kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

// Gets a window that begins with the current line and has more than what is at hand of it.
bool LineSource::read_on(size_t at_hand) {
  Window more = source_.window(offset_, at_hand + std::max(at_hand, kStepBytes));
  const bool grown = more.bytes.size() > at_hand;
  window_ = std::move(more);
  at_ = 0;
  return grown;
}

void LineSource::skip_mark() {
  if (!read_on(0) || !window_.bytes.starts_with(kByteOrderMark)) return;
  at_ = kByteOrderMark.size();
  offset_ = at_;
}

bool LineSource::next(TextLine& line) {
  if (number_ == 0) skip_mark();
  ++number_;
  size_t searched = 0;
  for (;;) {
    const Bytes rest = window_.bytes.substr(at_);
    const size_t end = rest.find('\n', searched);
    line.ended = end != Bytes::npos;
    if (line.ended || !read_on(rest.size())) {
      const Bytes left = window_.bytes.substr(at_);
      const size_t size = line.ended ? end + 1 : left.size();
      line.text = left.substr(0, line.ended ? end : size);
      if (line.text.ends_with('\r')) line.text.remove_suffix(1);
      line.extent = {offset_, size};
      line.number = number_;
      line.behind = left.size() - line.text.size();
      at_ += size;
      offset_ += size;
      return size > 0;
    }
    searched = rest.size();
  }
}

}  // namespace persist
