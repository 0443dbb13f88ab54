// gzip by ISA-L: any number of members, as gzip itself reads them; what follows that is no member is ignored.
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <limits>

#include "io/packed_source.hpp"
#include "io/sources.hpp"

namespace persist {

namespace {

class GzipSource : public PackedSource {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> packed)
      : PackedSource(std::move(packed), Compression::gzip) {
    begin_member();
  }

 protected:
  size_t fill(char* to, size_t room) override {
    size_t done = 0;
    while (done < room && !over_) done += step(to + done, room - done);
    return done;
  }

 private:
  void begin_member() {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
    in_member_ = false;
  }

  // Inflates what it can; sets over_ at the end and at damage.
  size_t step(char* to, size_t room) {
    const Bytes in = input();
    if (in.empty()) {
      if (in_member_)
        set_damage(FindingCode::source_gzip, packed_offset(), "the end of the file inside a gzip member");
      over_ = true;
      return 0;
    }
    if (!in_member_ && first_member_done_ && in.front() != '\x1f') {
      over_ = true;
      return 0;
    }
    in_member_ = true;
    constexpr size_t kMost = std::numeric_limits<uint32_t>::max() / 2;
    const auto offered = static_cast<uint32_t>(std::min(in.size(), kMost));
    const auto asked = static_cast<uint32_t>(std::min(room, kMost));
    state_.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(in.data()));
    state_.avail_in = offered;
    state_.next_out = reinterpret_cast<uint8_t*>(to);
    state_.avail_out = asked;
    const int result = isal_inflate(&state_);
    used(offered - state_.avail_in);
    const size_t made = asked - state_.avail_out;
    if (result < 0) {
      set_damage(FindingCode::source_gzip, packed_offset(), "inflate error " + std::to_string(result));
      over_ = true;
    } else if (state_.block_state == ISAL_BLOCK_FINISH) {
      first_member_done_ = true;
      begin_member();
    }
    return made;
  }

  inflate_state state_{};
  bool in_member_ = false;
  bool first_member_done_ = false;
  bool over_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> gzip_source(std::unique_ptr<ByteSource> packed) {
  return std::make_unique<GzipSource>(std::move(packed));
}

}  // namespace persist
