// zstd frames, one after the other.
#ifdef PERSIST_WITH_ZSTD

#include <zstd.h>

#include "io/packed_source.hpp"
#include "io/sources.hpp"

namespace persist {

namespace {

// A frame may ask for a window of any size; beyond this it is refused (zstd's own tool draws the same line).
constexpr int kWindowLogMax = 27;

class ZstdSource : public PackedSource {
 public:
  explicit ZstdSource(std::unique_ptr<ByteSource> packed)
      : PackedSource(std::move(packed), Compression::zstd), stream_(ZSTD_createDCtx()) {
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  }

 protected:
  size_t fill(char* to, size_t room) override {
    ZSTD_outBuffer out{to, room, 0};
    while (out.pos < room && !over_) step(out);
    return out.pos;
  }

 private:
  void step(ZSTD_outBuffer& out) {
    const Bytes bytes = input();
    const size_t made_before = out.pos;
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    const size_t result = ZSTD_decompressStream(stream_.get(), &out, &in);
    used(in.pos);
    if (ZSTD_isError(result)) {
      set_damage(FindingCode::source_zstd, packed_offset(), ZSTD_getErrorName(result));
      over_ = true;
    } else if (bytes.empty() && out.pos == made_before) {
      if (!frame_done_)
        set_damage(FindingCode::source_zstd, packed_offset(), "the end of the file inside a frame");
      over_ = true;
    } else {
      frame_done_ = result == 0;
    }
  }

  struct Free {
    void operator()(ZSTD_DCtx* stream) const { ZSTD_freeDCtx(stream); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> stream_;
  bool frame_done_ = false;
  bool over_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> zstd_source(std::unique_ptr<ByteSource> packed) {
  return std::make_unique<ZstdSource>(std::move(packed));
}

}  // namespace persist

#endif
