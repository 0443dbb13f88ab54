// Pages stand in a map by number. Within a page the rank of a slot among the taken ones is where its value
// stands.
#include "engine/array_value.hpp"

#include <algorithm>
#include <bit>

#include "base/server_numbers.hpp"

namespace persist {

namespace {

constexpr uint64_t kPageSlots = 64;

uint64_t bit_of(uint64_t index) { return uint64_t{1} << (index % kPageSlots); }

// Where the value of a slot stands, or would stand, among those of its page.
size_t rank_of(uint64_t taken, uint64_t bit) { return static_cast<size_t>(std::popcount(taken & (bit - 1))); }

// The slots from `first` to `last` inclusive.
uint64_t slots(uint64_t first, uint64_t last) {
  return (~uint64_t{0} << first) & (~uint64_t{0} >> (kPageSlots - 1 - last));
}

bool has_room(uint64_t first, size_t count) {
  return count == 0 || (first <= kArrayIndexMax && count - 1 <= kArrayIndexMax - first);
}

}  // namespace

std::optional<uint64_t> parse_array_seek(Bytes text) { return parse_server_unsigned(text); }

std::optional<uint64_t> parse_array_index(Bytes text) {
  const std::optional<uint64_t> index = parse_array_seek(text);
  return index && *index <= kArrayIndexMax ? index : std::nullopt;
}

uint64_t ArrayValue::length() const {
  if (pages_.empty()) return 0;
  const auto& [number, page] = *pages_.rbegin();
  return number * kPageSlots + static_cast<uint64_t>(std::bit_width(page.taken));
}

const std::string* ArrayValue::find(uint64_t index) const {
  const auto at = pages_.find(index / kPageSlots);
  if (at == pages_.end() || (at->second.taken & bit_of(index)) == 0) return nullptr;
  return &at->second.values[rank_of(at->second.taken, bit_of(index))];
}

void ArrayValue::set(uint64_t index, Bytes value) {
  Page& page = pages_[index / kPageSlots];
  const uint64_t bit = bit_of(index);
  const size_t rank = rank_of(page.taken, bit);
  if ((page.taken & bit) != 0) {
    page.values[rank].assign(value);
    return;
  }
  page.values.emplace(page.values.begin() + static_cast<std::ptrdiff_t>(rank), value);
  page.taken |= bit;
  ++size_;
}

bool ArrayValue::set_run(uint64_t first, std::span<const Bytes> values) {
  if (!has_room(first, values.size())) return false;
  for (const Bytes value : values) set(first++, value);
  return true;
}

ArrayValue::Pages::iterator ArrayValue::erase_slots(Pages::iterator at, uint64_t mask) {
  Page& page = at->second;
  const uint64_t gone = page.taken & mask;
  size_ -= static_cast<uint64_t>(std::popcount(gone));
  if (gone == page.taken) return pages_.erase(at);
  // The mask is a run of slots, so what goes stands together.
  const auto from =
      page.values.begin() + static_cast<std::ptrdiff_t>(rank_of(page.taken, mask & (~mask + 1)));
  page.values.erase(from, from + std::popcount(gone));
  page.taken &= ~gone;
  return std::next(at);
}

bool ArrayValue::erase(uint64_t index) { return erase_range(index, index) > 0; }

uint64_t ArrayValue::erase_range(uint64_t from, uint64_t to) {
  if (from > to) std::swap(from, to);
  const uint64_t size_before = size_;
  const uint64_t last_page = to / kPageSlots;
  for (auto at = pages_.lower_bound(from / kPageSlots); at != pages_.end() && at->first <= last_page;) {
    const uint64_t first = at->first == from / kPageSlots ? from % kPageSlots : 0;
    const uint64_t last = at->first == last_page ? to % kPageSlots : kPageSlots - 1;
    at = erase_slots(at, slots(first, last));
  }
  return size_before - size_;
}

bool ArrayValue::insert(std::span<const Bytes> values) {
  const uint64_t first = cursor_ ? *cursor_ + 1 : 0;
  if (!set_run(first, values)) return false;
  if (!values.empty()) cursor_ = first + (values.size() - 1);
  return true;
}

void ArrayValue::seek(uint64_t index) {
  cursor_.reset();
  if (index > 0) cursor_ = index - 1;
}

std::vector<std::string> ArrayValue::take_back_from(uint64_t anchor, uint64_t count_max) {
  std::vector<std::string> taken;
  uint64_t index = anchor;
  while (taken.size() < count_max) {
    const auto at = pages_.find(index / kPageSlots);
    if (at == pages_.end() || (at->second.taken & bit_of(index)) == 0) break;
    Page& page = at->second;
    taken.push_back(std::move(page.values[rank_of(page.taken, bit_of(index))]));
    index = index > 0 ? index - 1 : length() - 1;
  }
  return taken;
}

void ArrayValue::pack_for_ring(uint64_t size) {
  const uint64_t length_before = length();
  const bool shrinks = size < length_before;
  const bool grows = size > length_before && cursor_ && *cursor_ + 1 < length_before;
  if (!shrinks && !grows) return;
  const uint64_t anchor = cursor_ ? *cursor_ % length_before : length_before - 1;
  const std::vector<std::string> kept = take_back_from(anchor, std::min(size, length_before));
  pages_.clear();
  size_ = 0;
  for (size_t i = 0; i < kept.size(); ++i) set(i, kept[kept.size() - 1 - i]);
  cursor_.reset();
  if (!kept.empty()) cursor_ = kept.size() - 1;
}

void ArrayValue::ring(uint64_t size, std::span<const Bytes> values) {
  pack_for_ring(size);
  for (const Bytes value : values) {
    cursor_ = (cursor_ ? *cursor_ + 1 : 0) % size;
    set(*cursor_, value);
  }
}

void ArrayValue::tell(ElementSink out) const {
  out(ArrayInfo{cursor_});
  for (const auto& [number, page] : pages_) {
    const std::string* value = page.values.data();
    for (uint64_t left = page.taken; left != 0; left &= left - 1)
      out(ArrayElement{number * kPageSlots + static_cast<uint64_t>(std::countr_zero(left)), *value++});
  }
}

}  // namespace persist
