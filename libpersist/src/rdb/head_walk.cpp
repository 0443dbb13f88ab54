// What may stand where, part by part. Servers write the shortest lengths, no empty collections, and stamps of
// this age: what reads otherwise may be a record, but hardly one to begin with.
#include "rdb/head_walk.hpp"

#include "codec/lzf.hpp"
#include "rdb/evidence.hpp"
#include "types/primitives.hpp"

namespace persist {

namespace {

constexpr unsigned kZipmapBits = 20;
constexpr unsigned kModuleIdBits = 12;
constexpr unsigned kStampBits = 20;
constexpr unsigned kNodeKeyBits = 8;
constexpr uint64_t kExpiryMsMax = uint64_t{1} << 48;
constexpr uint64_t kDbsMax = 16384;
constexpr uint64_t kSlotsMax = 16384;
constexpr uint64_t kAuxNameMax = 64;
constexpr uint64_t kClassesMost = 7;
constexpr uint64_t kZiplistMin = 11;
constexpr uint64_t kListpackMin = 7;
constexpr uint64_t kIntsetHead = 8;
constexpr uint64_t kStreamKeyBytes = 16;
constexpr unsigned char kPackedMark = 0xff;
constexpr Bytes kEmptyString("\0", 1);
constexpr size_t kTextGlance = 64;

}  // namespace

// ------------------------------------------------------------------------------------------------ numbers

template <typename T>
T HeadWalk::number() {
  if (size_ - std::min(size_, at_) < sizeof(T)) {
    blind_ = true;
    return {};
  }
  const T value = load_le<T>(data_ + at_);
  at_ += sizeof(T);
  return value;
}

// Writers use the shortest form. Readers take any: a record may have another, a chain begins with none that
// has.
bool HeadWalk::length_after(uint8_t first, uint64_t& value) {
  constexpr uint64_t kLongFrom = 16384;
  value = first & 0x3f;
  if (first < 0x40) return true;
  if (first < 0x80) {
    value = value << 8 | u8();
    return sound_ || blind_ || value >= 0x40;
  }
  if (first == 0x80) {
    value = byteswap(number<uint32_t>());
    return sound_ || blind_ || value >= kLongFrom;
  }
  if (first != 0x81) return false;
  value = byteswap(number<uint64_t>());
  return sound_ || blind_ || value > UINT32_MAX;
}

bool HeadWalk::stamp(bool in_ms) {
  if (!in_ms) {
    const auto at_s = number<int32_t>();
    bits_ += is_plausible_s(at_s) ? 1U : 0U;
    return blind_ || is_plausible_s(at_s);
  }
  const auto at_ms = number<int64_t>();
  if (blind_) return true;
  if (is_plausible_ms(at_ms)) bits_ += kStampBits;
  return at_ms >= 0 && static_cast<uint64_t>(at_ms) < kExpiryMsMax;
}

bool HeadWalk::field_expiry(char letter) {
  const auto at_ms = number<int64_t>();
  if (blind_) return true;
  const bool none = letter == 'E' ? at_ms == 0 : at_ms == kNoExpiry;
  if (is_plausible_ms(at_ms)) bits_ += kStampBits;
  return none || (at_ms >= 0 && static_cast<uint64_t>(at_ms) < kExpiryMsMax);
}

// What consists of lengths, in ranges that are known.
bool HeadWalk::lengths(char letter) {
  uint64_t first = 0;
  uint64_t second = 0;
  uint64_t third = 0;
  if (!length(first)) return false;
  switch (letter) {
    case 'c':
      return first < kDbsMax;
    case 'r':
      return length(second) && (blind_ || second <= first);
    case 'S':
      return first < kSlotsMax && length(second) && length(third) && (blind_ || third <= second);
    case 'x':
      return length(second) && length(third) && (blind_ || (second == 2 && third >= 1 && third <= 2));
    default:  // 'G': what follows is not looked at, unless it is nothing
      if (first > left()) return false;
      if (first > 0) blind_ = true;
      return true;
  }
}

// ------------------------------------------------------------------------------------------------ strings

// The bytes of a string whose length began at `head`.
bool HeadWalk::plain(uint64_t bytes, uint64_t head) {
  if (bytes > left_ - at_) return blind_;
  if (texts_ == kTextsAtOnce) weigh_texts();
  unweighed_[texts_++] = {head, at_, bytes, counting_};
  at_ += bytes;
  return true;
}

void HeadWalk::weigh_texts() {
  for (unsigned i = 0; i < texts_; ++i) {
    if (!sound_ && text_ >= kTextBitsMax) break;
    const Text& text = unweighed_[i];
    const bool is_cut = std::ranges::all_of(seen(text.head, text.begin), is_letter);
    const Bytes glance = seen(text.begin, text.begin + std::min<uint64_t>(text.bytes, kTextGlance));
    // Records, too, read as one string after the other: as elements these say less.
    text_ += text_bits(glance, is_cut ? kCutTextBits : kTextBitsMax) / (text.is_element ? 2 : 1);
  }
  texts_ = 0;
}

// Sizes of a compressed string that agree, and a stream that begins with bytes of its own: what these are.
bool HeadWalk::packed(uint64_t& size, Bytes& literals) {
  constexpr uint8_t kLiteralMax = 0x20;
  uint64_t bytes = 0;
  if (!length(bytes) || !length(size)) return false;
  if (blind_) return true;
  if (bytes < 2 || bytes > left_ - at_ || size > lzf_size_max(bytes)) return false;
  const uint64_t begin = at_;
  const uint8_t first = u8();
  if (blind_) return true;
  if (first >= kLiteralMax || first + uint64_t{2} > bytes) return false;
  literals = seen(at_, at_ + first + 1);
  at_ = begin + bytes;
  return true;
}

bool HeadWalk::string() {
  constexpr uint8_t kNumbers[] = {1, 2, 4};
  constexpr uint8_t kLzfForm = kSpecialString + 3;
  const uint64_t head = at_;
  const uint8_t first = u8();
  if (first < kSpecialString) {
    uint64_t bytes = 0;
    return length_after(first, bytes) && plain(bytes, head);
  }
  if (first < kLzfForm) {
    text_ += kNumberBits;
    return skip(kNumbers[first - kSpecialString]);
  }
  uint64_t size = 0;
  Bytes literals;
  if (first != kLzfForm || !packed(size, literals)) return false;
  bits_ += kPackedBits;
  return true;
}

bool HeadWalk::score_text() {
  constexpr uint8_t kNotANumber = 253;
  constexpr Bytes kCharacters = "0123456789+-.einfatyINFATY";
  const uint8_t size = u8();
  if (size >= kNotANumber) return size > kNotANumber;
  const uint64_t begin = at_;
  if (!skip(size)) return false;
  return blind_ || (size > 0 && seen(begin).find_first_not_of(kCharacters) == Bytes::npos);
}

bool HeadWalk::aux_name() {
  const uint64_t begin = at_;
  uint64_t bytes = 0;
  const uint8_t first = u8();
  if (first >= kSpecialString) {
    at_ = begin;
    return sound_ && string();
  }
  if (!length_after(first, bytes) || bytes < 1 || bytes > kAuxNameMax) return false;
  const uint64_t name_at = at_;
  if (!skip(bytes)) return false;
  const Bytes name = seen(name_at);
  const unsigned name_bits = aux_name_bits(name);
  bits_ += name_bits;
  return name_bits > 0;
}

bool HeadWalk::library() {
  constexpr uint8_t kLzfForm = kSpecialString + 3;
  const uint8_t first = u8();
  uint64_t bytes = 0;
  Bytes head;
  if (first == kLzfForm) {
    if (!packed(bytes, head)) return false;
  } else {
    if (!length_after(first, bytes)) return false;
    const uint64_t begin = at_;
    if (!skip(bytes)) return false;
    head = seen(begin);
  }
  bits_ += function_bits(head);
  return blind_ || head.starts_with("#!");
}

bool HeadWalk::early_library() {
  uint64_t has_description = 0;
  if (!string() || !string() || !length(has_description)) return false;
  return has_description <= 1 && (has_description == 0 || string()) && string();
}

// ------------------------------------------------------------------------------------------------ containers

// Whether the first bytes of a container agree with its size.
bool HeadWalk::blob_head(char letter, Bytes head, uint64_t size) {
  const bool is_intset = letter == 'i';
  if (letter == 'm') return size >= 2;
  const uint64_t least = letter == 'z' ? kZiplistMin : letter == 'p' ? kListpackMin : kIntsetHead;
  if (size < least) return false;
  if (head.size() < sizeof(uint32_t)) return true;
  const auto first = load_le<uint32_t>(head.data());
  if (!is_intset) return first == size;
  if (first != 2 && first != 4 && first != 8) return false;
  if (head.size() < kIntsetHead) return (size - kIntsetHead) % first == 0;
  return kIntsetHead + uint64_t{first} * load_le<uint32_t>(head.data() + sizeof first) == size;
}

bool HeadWalk::blob(char letter) {
  constexpr uint8_t kLzfForm = kSpecialString + 3;
  const uint8_t first = u8();
  uint64_t size = 0;
  Bytes head;
  const bool is_packed = first == kLzfForm;
  if (is_packed) {
    if (!packed(size, head)) return false;
    bits_ += kPackedBits;
  } else {
    if (!length_after(first, size)) return false;
    const uint64_t begin = at_;
    if (!skip(size)) return blind_;
    head = seen(begin);
    const bool ends = letter == 'i' || head.size() < size || head.empty() ||
                      static_cast<unsigned char>(head.back()) == kPackedMark;
    if (!ends) return false;
  }
  if (blind_) return true;
  if (!blob_head(letter, head, size)) return false;
  if (sound_ || head.size() >= sizeof(uint32_t)) bits_ += letter == 'm' ? kZipmapBits : kContainerBits;
  return true;
}

// Sixteen bytes, which servers never compress; if somebody did, nothing is said about what follows.
bool HeadWalk::node_key() {
  if (u8() == kStreamKeyBytes && !blind_) {
    bits_ += kNodeKeyBits;
    return skip(kStreamKeyBytes);
  }
  if (sound_) blind_ = true;
  return blind_;
}

bool HeadWalk::container() {
  uint64_t kind = 0;
  if (!length(kind)) return false;
  if (blind_) return true;
  return kind == 1 ? string() : kind == 2 && blob('p');
}

// ------------------------------------------------------------------------------------------------ the rest

bool HeadWalk::array() {
  constexpr uint64_t kTags = 4;
  uint64_t count = 0;
  uint64_t flag = 0;
  uint64_t index = 0;
  if (!length(count) || !length(flag)) return false;
  if (blind_) return true;
  if (count == 0 || count > left() / 3 || flag > 1) return false;
  if (flag == 1 && !length(index)) return false;
  for (uint64_t i = 0; i < count && !blind_; ++i) {
    if (i == elements_) blind_ = true;
    uint64_t tag = 0;
    if (!length(index) || !length(tag) || tag >= kTags) return false;
    if (tag == 1 || tag == 2 ? !skip(sizeof(int64_t)) : !string()) return false;
    ++heads_;
  }
  return true;
}

bool HeadWalk::annotated() {
  enum Kind : uint64_t { end, number_signed, number_unsigned, float4, float8, text };
  uint64_t value = 0;
  for (uint64_t i = 0; i < elements_ && !blind_; ++i) {
    uint64_t kind = 0;
    if (!length(kind)) return false;
    if (kind == end) return true;
    const bool good = kind <= number_unsigned ? length(value)
                      : kind == float4        ? skip(sizeof(float))
                      : kind == float8        ? skip(sizeof(double))
                                              : kind == text && string();
    if (!good) return false;
    heads_ += 4;
  }
  blind_ = true;
  return true;
}

bool HeadWalk::metadata() {
  uint64_t classes = 0;
  if (!length(classes) || classes < 1 || classes > kClassesMost) return blind_;
  for (; classes > 0 && !blind_; --classes)
    if (!skip(sizeof(uint32_t)) || !annotated()) return false;
  return true;
}

// A count that the rest can hold, and as many elements as one cares to look at. One that is the same as the
// one before says nothing.
bool HeadWalk::counted(const char* layout, bool may_be_none) {
  uint64_t count = 0;
  if (!length(count)) return false;
  if (blind_) return true;
  if (count == 0) return may_be_none;
  if (count > left()) return false;
  count_ = count;
  counting_ = true;
  Bytes before;
  for (uint64_t i = 0; i < count; ++i) {
    if (i == elements_) blind_ = true;
    if (blind_) return true;
    const uint64_t begin = at_;
    for (const char* letter = layout; *letter != ')'; ++letter)
      if (!item(*letter)) return false;
    const Bytes element = seen(begin);
    if (element != before && element != kEmptyString) heads_ += *layout == 'l' ? kCodeBits + 1 : 1;
    before = element;
  }
  return true;
}

bool HeadWalk::item(char letter) {
  uint64_t ignored = 0;
  ++parts_;
  switch (letter) {
    case 's':
      return string();
    case 'd':
      return score_text();
    case 'D':
      return skip(sizeof(double));
    case 'e':
    case 'E':
      return field_expiry(letter);
    case 'z':
    case 'p':
    case 'i':
    case 'm':
      return blob(letter);
    case 'n':
      return container();
    case 'k':
      return node_key();
    case 'A':
      return array();
    case 'l':
      return length(ignored);
    case '1':
      return skip(1);
    case 'T':
    case 't':
      return stamp(letter == 'T');
    case 'M':
      bits_ += kModuleIdBits;
      return u8() == 0x81 ? skip(sizeof(uint64_t)) : blind_;
    case 'a':
      return annotated();
    case 'u':
      return aux_name();
    case 'f':
      return library();
    case 'y':
      return early_library();
    case 'K':
      return metadata();
    default:
      return lengths(letter);
  }
}

bool HeadWalk::follows(const char* layout) {
  for (; *layout != '\0'; ++layout) {
    if (blind_) return true;
    if (*layout != '*' && *layout != '?') {
      if (!item(*layout)) return false;
      continue;
    }
    if (!counted(layout + 2, *layout == '?')) return false;
    while (*layout != ')') ++layout;
  }
  return true;
}

}  // namespace persist
