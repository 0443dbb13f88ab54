// Whole blocks are passed over by a few of the bytes that each beginning has, in a form that compilers turn
// into vectors; only what these may be is looked at byte by byte.
#include "ops/carve_scan.hpp"

#include <algorithm>
#include <array>

#include "aof/resp.hpp"

namespace persist {

namespace {

constexpr uint64_t kScanBytes = uint64_t{512} << 10;
// No beginning is longer: '*', ten digits, CR LF, '$'.
constexpr size_t kBeginningMax = 16;
constexpr size_t kBlockBytes = 64;

bool is_version_digit(char c) { return c >= '0' && c <= '9'; }

// "REDIS" and a version below 100.
bool begins_redis(Bytes at) {
  return at.starts_with("REDIS00") && at.size() >= 9 && is_version_digit(at[7]) && is_version_digit(at[8]);
}

bool begins_valkey(Bytes at) {
  return at.starts_with("VALKEY") && at.size() >= 9 &&
         std::all_of(at.begin() + 6, at.begin() + 9, is_version_digit);
}

bool may_begin_command(Bytes at) {
  uint64_t count = 0;
  const size_t digits = at.starts_with('*') ? parse_digits(at.substr(1), count) : 0;
  return digits > 0 && count > 0 && at.substr(1 + digits).starts_with("\r\n$");
}

bool begins_manifest(Bytes at) { return at.starts_with("file "); }

struct CarvePattern {
  CarvedKind kind;
  char first;
  bool (*begins)(Bytes at);
};
constexpr std::array kCarvePatterns = {
    CarvePattern{CarvedKind::rdb, 'R', begins_redis},
    CarvePattern{CarvedKind::rdb, 'V', begins_valkey},
    CarvePattern{CarvedKind::log, '*', may_begin_command},
    CarvePattern{CarvedKind::manifest, 'f', begins_manifest},
};

// Whether something may begin in the block; reads four bytes behind it.
bool may_begin_in(const char* block) {
  int any = 0;
  for (size_t i = 0; i < kBlockBytes; ++i) {
    const char* at = block + i;
    any |= static_cast<int>(at[0] == 'R') & static_cast<int>(at[2] == 'D');
    any |= static_cast<int>(at[0] == 'V') & static_cast<int>(at[2] == 'L');
    any |= static_cast<int>(at[0] == '*') & static_cast<int>(static_cast<unsigned char>(at[1] - '0') <= 9);
    any |= static_cast<int>(at[0] == 'f') & static_cast<int>(at[2] == 'l') & static_cast<int>(at[4] == ' ');
  }
  return any != 0;
}

}  // namespace

CarveScan::CarveScan(ByteSource& image, const CarveOptions& options) : image_(image), options_(options) {}

void CarveScan::open_window(uint64_t at) {
  window_ = image_.window(at, kScanBytes);
  last_ = window_.bytes.size() < kScanBytes;
  window_.bytes = window_.bytes.substr(0, kScanBytes);
  begin_ = at;
  places_end_ = at + window_.bytes.size() - (last_ ? 0 : kBeginningMax);
  if (options_.progress) options_.progress(at);
}

std::optional<CarvedKind> CarveScan::kind_at(size_t at) const {
  const Bytes bytes = window_.bytes.substr(at, kBeginningMax);
  for (const CarvePattern& pattern : kCarvePatterns) {
    if (bytes.front() != pattern.first || !pattern.begins(bytes)) continue;
    const bool wanted = pattern.kind == CarvedKind::log   ? options_.logs
                        : pattern.kind == CarvedKind::rdb ? options_.rdb
                                                          : options_.manifests;
    if (wanted) return pattern.kind;
  }
  return std::nullopt;
}

std::optional<CarvePlace> CarveScan::next(uint64_t from) {
  if (from < begin_ || from >= places_end_) open_window(from);
  while (true) {
    const auto limit = static_cast<size_t>(places_end_ - begin_);
    const Bytes bytes = window_.bytes;
    for (auto at = static_cast<size_t>(from - begin_); at < limit;) {
      if (at + kBlockBytes + kBeginningMax <= bytes.size() && !may_begin_in(bytes.data() + at)) {
        at += kBlockBytes;
        continue;
      }
      const size_t block_end = std::min(at + kBlockBytes, limit);
      for (; at < block_end; ++at)
        if (const std::optional<CarvedKind> kind = kind_at(at)) return CarvePlace{*kind, begin_ + at};
    }
    if (last_) return std::nullopt;
    from = places_end_;
    open_window(from);
  }
}

}  // namespace persist
