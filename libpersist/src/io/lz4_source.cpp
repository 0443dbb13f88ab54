// LZ4 frames, one after the other.
#ifdef PERSIST_WITH_LZ4

#include <lz4frame.h>

#include <new>

#include "io/packed_source.hpp"
#include "io/sources.hpp"

namespace persist {

namespace {

class Lz4Source : public PackedSource {
 public:
  explicit Lz4Source(std::unique_ptr<ByteSource> packed) : PackedSource(std::move(packed), Compression::lz4) {
    LZ4F_dctx* stream = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&stream, LZ4F_VERSION))) throw std::bad_alloc();
    stream_.reset(stream);
  }

 protected:
  size_t fill(char* to, size_t room) override {
    size_t done = 0;
    while (done < room && !over_) done += step(to + done, room - done);
    return done;
  }

 private:
  size_t step(char* to, size_t room) {
    const Bytes in = input();
    size_t made = room;
    size_t taken = in.size();
    const size_t result = LZ4F_decompress(stream_.get(), to, &made, in.data(), &taken, nullptr);
    if (LZ4F_isError(result)) {
      set_damage(FindingCode::source_lz4, packed_offset(), LZ4F_getErrorName(result));
      over_ = true;
      return 0;
    }
    used(taken);
    if (in.empty() && made == 0) {
      if (!frame_done_)
        set_damage(FindingCode::source_lz4, packed_offset(), "the end of the file inside a frame");
      over_ = true;
    } else {
      frame_done_ = result == 0;
    }
    return made;
  }

  struct Free {
    void operator()(LZ4F_dctx* stream) const { LZ4F_freeDecompressionContext(stream); }
  };
  std::unique_ptr<LZ4F_dctx, Free> stream_;
  bool frame_done_ = false;
  bool over_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> lz4_source(std::unique_ptr<ByteSource> packed) {
  return std::make_unique<Lz4Source>(std::move(packed));
}

}  // namespace persist

#endif
