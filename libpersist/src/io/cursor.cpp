// The slow paths of the cursor: crossing windows, long lengths, failing.
#include "io/cursor.hpp"

#include <algorithm>
#include <limits>

#include "io/block_source.hpp"

namespace persist {

namespace {

// A record that crosses a window is kept whole up to this size; what is longer passes through window by
// window, if the source can be read again.
constexpr uint64_t kRecordKeptBytes = kWindowBytes;

constexpr uint64_t kContextBytes = 8;  // shown on each side of a place

}  // namespace

Cursor::Cursor(Bytes bytes, uint64_t offset, Scratch& scratch, std::optional<uint64_t> behind)
    : at_(bytes.data()),
      end_(bytes.data() + bytes.size()),
      end_offset_(offset + bytes.size()),
      scratch_(&scratch),
      begin_(bytes.data()),
      behind_(behind),
      record_offset_(offset) {}

Cursor::Cursor(ByteSource& source, uint64_t offset, Scratch& scratch, Checksum* checksum)
    : end_offset_(offset),
      scratch_(&scratch),
      source_(&source),
      checksum_(checksum),
      record_offset_(offset) {}

std::optional<uint64_t> Cursor::remaining() const {
  const auto at_hand = static_cast<uint64_t>(end_ - at_);
  if (!source_) return behind_ ? std::optional(at_hand + *behind_) : std::nullopt;
  const std::optional<uint64_t> size = source_->size();
  if (!size || source_->damage()) return std::nullopt;
  return *size - std::min(*size, offset());
}

// Gets a window that holds `size` bytes from here. False if the source ends before; what there is, is then at
// hand.
bool Cursor::pull(uint64_t size) {
  if (!source_) return static_cast<uint64_t>(end_ - at_) >= size;
  const uint64_t here = offset();
  const bool keep_record = !source_->rereadable() || here - record_offset_ <= kRecordKeptBytes;
  const uint64_t from = keep_record ? std::min(record_offset_, here) : here;
  if (checksum_) checksum_->extend({begin_, static_cast<size_t>(end_ - begin_)}, begin_offset());
  Window next = source_->window(from, here - from + size);
  held_.push_back(std::move(window_));
  window_ = std::move(next);
  begin_ = window_.bytes.data();
  at_ = begin_ + std::min<uint64_t>(here - from, window_.bytes.size());
  end_ = begin_ + window_.bytes.size();
  end_offset_ = std::max(from + window_.bytes.size(), here);
  return static_cast<uint64_t>(end_ - at_) >= size;
}

void Cursor::refill(uint64_t size, const char* noun) {
  // A length that the file cannot hold is not worth reading for.
  const std::optional<uint64_t> left = remaining();
  if ((left && *left < size) || !pull(size)) fail_short(size, noun);
}

void Cursor::skip_windows(uint64_t size, const char* noun) {
  const std::optional<uint64_t> left = remaining();
  if (!source_ || (left && *left < size)) fail_short(size, noun);
  // Nobody has looked into the windows that are only passed: they need not be held.
  const size_t looked_into = held_.size() + 1;
  while (size > 0) {
    if (at_ == end_ && !pull(1)) fail_short(size, noun);
    if (held_.size() > looked_into) held_.resize(looked_into);
    const uint64_t step = std::min(size, static_cast<uint64_t>(end_ - at_));
    at_ += step;
    size -= step;
  }
}

Bytes Cursor::take_some(uint64_t most, const char* noun) {
  if (at_ == end_) refill(1, noun);
  const Bytes taken(at_, static_cast<size_t>(std::min(most, static_cast<uint64_t>(end_ - at_))));
  at_ += taken.size();
  return taken;
}

void Cursor::fail_short(uint64_t size, const char* noun) {
  const uint64_t here = offset();
  std::optional<uint64_t> left = remaining();
  if (source_ && !left) {
    pull(size);
    left = static_cast<uint64_t>(end_ - at_);
  }
  const auto bytes = [](uint64_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); };
  const std::string found =
      left.value_or(0) == 0 ? "the end of the file" : bytes(*left) + " before the end of the file";
  fail(FindingCode::rdb_truncated, {here, left.value_or(0)}, noun, bytes(size), found);
}

uint64_t Cursor::long_length(uint8_t first, const char* noun) {
  if (first == 0x80) return be<uint32_t>(noun);
  if (first == 0x81) {
    saw_long_length_ = true;
    return be<uint64_t>(noun);
  }
  constexpr char kDigits[] = "0123456789abcdef";
  const std::string found = std::string("byte 0x") + kDigits[first >> 4] + kDigits[first & 15];
  fail(FindingCode::rdb_bad_length, {offset() - 1, 1}, noun, "a length", found);
}

uint64_t Cursor::count(const char* noun, uint64_t bytes_each) {
  const uint64_t at = offset();
  const uint64_t count = length(noun);
  // Where the end is not known, at least the bytes in all can be counted.
  const uint64_t most = remaining().value_or(std::numeric_limits<uint64_t>::max()) / bytes_each;
  if (count > most) {
    fail(FindingCode::rdb_length_overrun, {at, offset() - at}, noun, "at most " + std::to_string(most),
         std::to_string(count));
  }
  return count;
}

void Cursor::seek(uint64_t offset) {
  if (offset >= begin_offset() && offset <= end_offset_) {
    at_ = begin_ + (offset - begin_offset());
    return;
  }
  held_.push_back(std::move(window_));
  window_ = {};
  begin_ = at_ = end_ = nullptr;
  end_offset_ = offset;
}

Bytes Cursor::ahead(size_t size) {
  if (static_cast<size_t>(end_ - at_) < size) pull(size);
  return {at_, std::min(size, static_cast<size_t>(end_ - at_))};
}

Bytes Cursor::around(uint64_t from, size_t size) const {
  if (begin_ == nullptr || from < begin_offset() || from >= end_offset_) return {};
  return Bytes(begin_, static_cast<size_t>(end_ - begin_)).substr(from - begin_offset(), size);
}

void Cursor::settle_checksum() {
  if (checksum_) checksum_->extend({begin_, static_cast<size_t>(at_ - begin_)}, begin_offset());
}

void Cursor::fail(FindingCode code, Extent where, std::string subject, std::string expected,
                  std::string found) const {
  Finding finding;
  finding.code = code;
  if (source_) finding.file = source_->name();
  finding.extent = where;
  finding.subject = std::move(subject);
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  finding.context_offset = std::max(where.offset - std::min(where.offset, kContextBytes), begin_offset());
  finding.context = around(finding.context_offset, 2 * kContextBytes);
  throw FormatError(std::move(finding));
}

}  // namespace persist
