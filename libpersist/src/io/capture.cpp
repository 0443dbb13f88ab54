// libpcap knows the files, packet.cpp the packets, tcp_streams.cpp puts them together.
#include "io/capture.hpp"

#ifdef PERSIST_WITH_PCAP

#include <pcap/pcap.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <optional>

#include "base/endian.hpp"
#include "io/packet.hpp"
#include "io/placing.hpp"
#include "io/tcp_streams.hpp"

namespace persist {

namespace {

// Of pcap in either byte order: of microseconds, of nanoseconds, with longer packet headers.
constexpr uint32_t kPcapMagics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};
// Of pcapng: the type of the first block reads the same both ways; behind its length comes the byte order.
constexpr uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr size_t kByteOrderAt = 8;

struct LinkType {
  int number;
  Link link;
};
constexpr LinkType kLinkTypes[] = {
    {DLT_EN10MB, Link::ethernet},
    {DLT_RAW, Link::raw_ip},
    {DLT_IPV4, Link::raw_ip},
    {DLT_IPV6, Link::raw_ip},
    {DLT_LINUX_SLL, Link::linux_cooked},
    {DLT_LINUX_SLL2, Link::linux_cooked_v2},
    {DLT_NULL, Link::bsd_loopback},
    {DLT_LOOP, Link::bsd_loopback},
};

// A source as the C library reads files. What the source throws must not pass through C: it waits here.
struct ImageFile {
  ByteSource& image;
  uint64_t at = 0;
  std::exception_ptr trouble;

  ssize_t read(char* to, size_t room) noexcept {
    try {
      const Window window = image.window(at, 1);
      const size_t count = std::min(window.bytes.size(), room);
      std::copy_n(window.bytes.data(), count, to);
      at += count;
      return static_cast<ssize_t>(count);
    } catch (...) {
      trouble = std::current_exception();
      return -1;
    }
  }
};

extern "C" ssize_t read_image(void* file, char* to, size_t room) {
  return static_cast<ImageFile*>(file)->read(to, room);
}

struct PcapCloser {
  void operator()(pcap_t* capture) const { ::pcap_close(capture); }
};
using Pcap = std::unique_ptr<pcap_t, PcapCloser>;

// Null if libpcap makes nothing of it.
Pcap open_pcap(ImageFile& file) {
  cookie_io_functions_t functions{};
  functions.read = read_image;
  std::FILE* const stream = ::fopencookie(&file, "r", functions);
  if (stream == nullptr) throw trouble(errno, file.image.name());
  char error[PCAP_ERRBUF_SIZE];
  Pcap capture(::pcap_fopen_offline(stream, error));
  if (!capture) std::fclose(stream);  // else it goes with the capture
  return capture;
}

std::optional<Link> link_of(int number) {
  const auto* const type = std::find_if(std::begin(kLinkTypes), std::end(kLinkTypes),
                                        [&](const LinkType& other) { return other.number == number; });
  return type == std::end(kLinkTypes) ? std::nullopt : std::optional(type->link);
}

void add_packets(pcap_t* capture, Link link, TcpStreams& streams) {
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  while (::pcap_next_ex(capture, &header, &bytes) == 1) {
    const Bytes captured(reinterpret_cast<const char*>(bytes), header->caplen);
    if (const auto segment = tcp_segment(link, captured, header->len)) streams.add(*segment);
  }
}

}  // namespace

bool is_capture(ByteSource& image) {
  const Window head = image.window(0, kByteOrderAt + sizeof kByteOrderMagic);
  if (head.bytes.size() < kByteOrderAt + sizeof kByteOrderMagic) return false;
  const auto is_either_way = [&](size_t at, uint32_t magic) {
    const auto found = load_le<uint32_t>(head.bytes.data() + at);
    return found == magic || byteswap(found) == magic;
  };
  if (is_either_way(0, kSectionHeader)) return is_either_way(kByteOrderAt, kByteOrderMagic);
  return std::any_of(std::begin(kPcapMagics), std::end(kPcapMagics),
                     [&](uint32_t magic) { return is_either_way(0, magic); });
}

std::vector<CaptureStream> open_capture(ByteSource& image) {
  ImageFile file{image, 0, nullptr};
  TcpStreams streams;
  {
    const Pcap capture = open_pcap(file);
    const std::optional<Link> link = capture ? link_of(::pcap_datalink(capture.get())) : std::nullopt;
    if (link) add_packets(capture.get(), *link, streams);
  }
  if (file.trouble) std::rethrow_exception(file.trouble);
  return streams.finish();
}

}  // namespace persist

#else

namespace persist {

bool is_capture(ByteSource& /*image*/) { return false; }

std::vector<CaptureStream> open_capture(ByteSource& /*image*/) { return {}; }

}  // namespace persist

#endif
