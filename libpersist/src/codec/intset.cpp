// Reading intsets; see the header for the layout.
#include "codec/intset.hpp"

#include "base/endian.hpp"

namespace persist {

namespace {

constexpr size_t kIntsetHeaderBytes = 8;

}  // namespace

IntsetReader::IntsetReader(const Blob& blob) : blob_(blob) {
  const size_t size = blob.bytes.size();
  if (size < kIntsetHeaderBytes) {
    blob.fail(FindingCode::intset_size, 0, size, "intset", "at least 8 bytes", std::to_string(size));
  }
  width_ = load_le<uint32_t>(blob.bytes.data());
  count_ = load_le<uint32_t>(blob.bytes.data() + 4);
  if (width_ != 2 && width_ != 4 && width_ != 8) {
    blob.fail(FindingCode::intset_size, 0, 4, "intset width", "2, 4 or 8", std::to_string(width_));
  }
  const uint64_t held = (size - kIntsetHeaderBytes) / width_;
  if (uint64_t{count_} * width_ + kIntsetHeaderBytes != size) {
    blob.fail(FindingCode::intset_size, 4, 4, "intset count", std::to_string(held), std::to_string(count_));
  }
  if (count_ == 0) blob.fail(FindingCode::intset_empty, 4, 4, "intset count", "at least 1", "0");
}

int64_t IntsetReader::at(uint32_t index) const {
  const char* from = blob_.bytes.data() + kIntsetHeaderBytes + size_t{index} * width_;
  switch (width_) {
    case 2:
      return load_le<int16_t>(from);
    case 4:
      return load_le<int32_t>(from);
    default:
      return load_le<int64_t>(from);
  }
}

bool IntsetReader::next(int64_t& number) {
  if (next_ == count_) return false;
  number = at(next_);
  if (next_ > 0 && number <= at(next_ - 1)) {
    blob_.fail(FindingCode::intset_order, kIntsetHeaderBytes + size_t{next_} * width_, width_,
               "intset integer", "more than " + std::to_string(at(next_ - 1)), std::to_string(number));
  }
  ++next_;
  return true;
}

}  // namespace persist
