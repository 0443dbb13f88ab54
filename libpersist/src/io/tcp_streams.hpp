// The segments of TCP connections as byte streams, one for each direction: in the order of their sequence
// numbers, each byte once. Segments that come early wait, in bounded memory; what never comes leaves a hole.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/capture.hpp"
#include "io/unnamed_file.hpp"
#include "persist/bytes.hpp"

namespace persist {

// Who sends to whom. An IPv4 address stands in the first four bytes, with zeros behind it.
struct TcpPath {
  struct End {
    std::array<uint8_t, 16> address{};
    uint16_t port = 0;
    auto operator<=>(const End&) const = default;  // NOLINT(modernize-use-nullptr): a false alarm
  };
  End from;
  End to;
  bool is_ipv6 = false;
  auto operator<=>(const TcpPath&) const = default;  // NOLINT(modernize-use-nullptr): a false alarm

  [[nodiscard]] std::string name() const;  // "10.0.0.1:6379 > [::1]:51234"
};

struct TcpSegment {
  TcpPath path;
  uint32_t sequence = 0;  // of the first byte; of a SYN: of the SYN itself, and the bytes follow it
  bool is_syn = false;
  Bytes bytes;
  uint32_t missing = 0;  // so many more bytes belong to it, behind those, that were not captured
};

struct TcpLimits {
  size_t streams = 65536;  // what is sent on others is passed over
  // What may wait: of one stream, and of all together.
  size_t waiting_segments = 4096;
  size_t waiting_bytes = size_t{4} << 20;
  size_t waiting_bytes_in_all = size_t{64} << 20;
  // Bytes in order are gathered before they are written to the file, lest each packet becomes an extent.
  size_t gathered_bytes = size_t{64} << 10;
  size_t gathered_bytes_in_all = size_t{32} << 20;
  size_t holes_told = 1024;  // of one stream
};

// All of it throws std::system_error when the file cannot be written.
class TcpStreams {
 public:
  TcpStreams() : TcpStreams(TcpLimits()) {}
  explicit TcpStreams(const TcpLimits& limits);
  ~TcpStreams();
  TcpStreams(const TcpStreams&) = delete;
  TcpStreams& operator=(const TcpStreams&) = delete;

  void add(const TcpSegment& segment);
  // The streams that have bytes, in the order of their first segments. Nothing may be added any more.
  [[nodiscard]] std::vector<CaptureStream> finish();

  // A run of a stream's bytes in the file of all.
  struct FilePiece {
    uint64_t begin = 0;  // in the stream
    Extent extent;       // in the file
  };

 private:
  struct Stream;
  struct Run;
  struct Opening {
    uint64_t order = 0;
    uint32_t first = 0;  // sequence number of the byte behind the SYN
  };

  void open(const TcpSegment& segment, uint32_t first);
  Stream* stream_of(const TcpPath& path, uint32_t sequence);
  void take(Stream& stream, const Run& run);
  void hold(Stream& stream, const Run& run);
  void release(Stream& stream);
  void give_up_first(Stream& stream);
  void give_up_all(Stream& stream);
  void keep_limits(Stream& stream);
  void note_hole(Stream& stream) const;
  void gather(Stream& stream, Bytes bytes);
  void write(Stream& stream);

  TcpLimits limits_;
  std::shared_ptr<UnnamedFile> file_ = std::make_shared<UnnamedFile>();
  std::vector<std::unique_ptr<Stream>> streams_;
  std::map<TcpPath, Stream*> current_;  // the last stream of each path
  std::map<TcpPath, Opening> opened_;   // SYNs that no bytes have followed yet
  uint64_t segments_ = 0;
  size_t waiting_in_all_ = 0;
  size_t gathered_in_all_ = 0;
};

}  // namespace persist
