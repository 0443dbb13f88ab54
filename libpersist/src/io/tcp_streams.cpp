// Sequence numbers are counted on beyond 2^32 as soon as they come in; all else is positions that only grow.
#include "io/tcp_streams.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <iterator>

#include "io/assembled_block.hpp"

namespace persist {

namespace {

// No window is larger than that: what is older cannot be a segment sent again, so it is far ahead.
constexpr uint64_t kOldMax = uint64_t{1} << 30;
constexpr uint64_t kSequences = uint64_t{1} << 32;

// A segment that waits costs so much besides its bytes.
constexpr size_t kWaitingCost = 128;

using FilePiece = TcpStreams::FilePiece;

class TcpByteSource : public ByteSource {
 public:
  TcpByteSource(std::shared_ptr<const UnnamedFile> file, std::vector<FilePiece> pieces,
                std::shared_ptr<BlockPool> pool, std::string name)
      : file_(std::move(file)), pieces_(std::move(pieces)), name_(std::move(name)), block_(std::move(pool)) {
    size_ = pieces_.back().begin + pieces_.back().extent.size;
  }

  Window window(uint64_t from, uint64_t min) override {
    if (from >= size_) return {};
    return block_.window(from, std::clamp<uint64_t>(min, 1, size_ - from), size_ - from,
                         [&](uint64_t at, char* to, size_t room) { return read(at, to, room); });
  }
  [[nodiscard]] bool rereadable() const override { return true; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return size_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  size_t read(uint64_t at, char* to, size_t room) const {
    auto piece = std::prev(
        std::upper_bound(pieces_.begin(), pieces_.end(), at,
                         [](uint64_t offset, const FilePiece& other) { return offset < other.begin; }));
    for (size_t done = 0; done < room; ++piece) {
      const uint64_t skipped = at + done - piece->begin;
      const size_t count = std::min<uint64_t>(piece->extent.size - skipped, room - done);
      file_->read(to + done, count, piece->extent.offset + skipped);
      done += count;
    }
    return room;
  }

  std::shared_ptr<const UnnamedFile> file_;
  std::vector<FilePiece> pieces_;
  std::string name_;
  uint64_t size_;
  AssembledBlock block_;
};

std::string end_name(const TcpPath::End& end, bool is_ipv6) {
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, end.address.data(), text, sizeof text);
  const std::string port = std::to_string(end.port);
  return is_ipv6 ? '[' + std::string(text) + "]:" + port : std::string(text) + ':' + port;
}

}  // namespace

std::string TcpPath::name() const { return end_name(from, is_ipv6) + " > " + end_name(to, is_ipv6); }

// A part of a stream by its position, the first byte behind the SYN being at 0: bytes, and what is missing
// behind them.
struct TcpStreams::Run {
  uint64_t begin = 0;
  Bytes bytes;
  uint64_t missing = 0;

  [[nodiscard]] uint64_t end() const { return begin + bytes.size() + missing; }
  [[nodiscard]] Run cut(uint64_t from, uint64_t to) const {
    Run part{from, bytes.substr(std::min<uint64_t>(from - begin, bytes.size()), to - from)};
    part.missing = to - from - part.bytes.size();
    return part;
  }
};

struct TcpStreams::Stream {
  struct Waiting {
    std::string bytes;
    uint64_t missing = 0;
    [[nodiscard]] size_t size() const { return bytes.size() + missing; }
  };

  TcpPath path;
  uint64_t order = 0;
  uint32_t first = 0;                   // sequence number of position 0
  uint64_t next = 0;                    // position of the byte that is to come
  std::map<uint64_t, Waiting> waiting;  // by position; apart from each other, and behind `next`
  size_t waiting_cost = 0;
  uint64_t size = 0;              // of its bytes, without the holes
  std::string gathered;           // the last ones of these
  std::vector<FilePiece> pieces;  // all others
  std::vector<uint64_t> holes;
  uint64_t holes_in_all = 0;
  std::optional<uint64_t> last_hole;

  // Where a segment stands; before 0 if it is older than the stream.
  [[nodiscard]] int64_t position(uint32_t sequence) const {
    const auto expected = static_cast<uint32_t>(first + next);
    const uint64_t ahead = static_cast<uint32_t>(sequence - expected);
    const auto at = static_cast<int64_t>(next + ahead);
    return ahead >= kSequences - kOldMax ? at - static_cast<int64_t>(kSequences) : at;
  }
};

TcpStreams::TcpStreams(const TcpLimits& limits) : limits_(limits) {}
TcpStreams::~TcpStreams() = default;

void TcpStreams::add(const TcpSegment& segment) {
  ++segments_;
  const uint32_t sequence = segment.sequence + (segment.is_syn ? 1 : 0);
  if (segment.is_syn) open(segment, sequence);
  if (segment.bytes.empty() && segment.missing == 0) return;
  Stream* const stream = stream_of(segment.path, sequence);
  if (stream == nullptr) return;

  const int64_t position = stream->position(sequence);
  const auto size = static_cast<int64_t>(segment.bytes.size() + segment.missing);
  const auto next = static_cast<int64_t>(stream->next);
  if (position + size <= next) return;
  const auto old = static_cast<uint64_t>(std::max<int64_t>(next - position, 0));
  Run run{static_cast<uint64_t>(std::max(position, next)),
          segment.bytes.substr(std::min<uint64_t>(old, segment.bytes.size()))};
  run.missing = static_cast<uint64_t>(size) - old - run.bytes.size();

  const bool waits = !stream->waiting.empty() && stream->waiting.begin()->first < run.end();
  if (run.begin == stream->next && !waits) {
    take(*stream, run);
  } else {
    hold(*stream, run);
  }
  release(*stream);
  keep_limits(*stream);
}

// A SYN that was sent again, or that comes behind the first bytes, opens nothing.
void TcpStreams::open(const TcpSegment& segment, uint32_t first) {
  if (const auto known = current_.find(segment.path); known != current_.end()) {
    if (known->second->first == first) return;
    give_up_all(*known->second);
    current_.erase(known);
  }
  if (opened_.size() >= limits_.streams) opened_.clear();
  opened_.insert_or_assign(segment.path, Opening{segments_, first});
}

// Null if there are too many.
TcpStreams::Stream* TcpStreams::stream_of(const TcpPath& path, uint32_t sequence) {
  if (const auto known = current_.find(path); known != current_.end()) return known->second;
  if (streams_.size() >= limits_.streams) return nullptr;
  auto stream = std::make_unique<Stream>();
  stream->path = path;
  stream->order = segments_;
  stream->first = sequence;
  if (const auto opened = opened_.find(path); opened != opened_.end()) {
    stream->order = opened->second.order;
    stream->first = opened->second.first;
    opened_.erase(opened);
    // A stray SYN: the bytes are right.
    if (stream->position(sequence) < 0) stream->first = sequence;
  }
  streams_.push_back(std::move(stream));
  current_.emplace(path, streams_.back().get());
  return streams_.back().get();
}

void TcpStreams::take(Stream& stream, const Run& run) {
  gather(stream, run.bytes);
  if (run.missing > 0) note_hole(stream);
  stream.next = run.end();
}

// Keeps the parts that are not there yet: of bytes that come twice, the first ones count.
void TcpStreams::hold(Stream& stream, const Run& run) {
  auto behind = stream.waiting.upper_bound(run.begin);
  uint64_t at = run.begin;
  if (behind != stream.waiting.begin()) {
    const auto before = std::prev(behind);
    at = std::max(at, before->first + before->second.size());
  }
  while (at < run.end()) {
    const uint64_t gap_end = behind == stream.waiting.end() ? run.end() : std::min(run.end(), behind->first);
    if (gap_end > at) {
      const Run part = run.cut(at, gap_end);
      stream.waiting.emplace_hint(behind, at, Stream::Waiting{std::string(part.bytes), part.missing});
      stream.waiting_cost += part.bytes.size() + kWaitingCost;
      waiting_in_all_ += part.bytes.size() + kWaitingCost;
    }
    if (behind == stream.waiting.end()) break;
    at = behind->first + behind->second.size();
    ++behind;
  }
}

// Takes those that wait no longer.
void TcpStreams::release(Stream& stream) {
  while (!stream.waiting.empty() && stream.waiting.begin()->first == stream.next) {
    const auto first = stream.waiting.begin();
    const Stream::Waiting& part = first->second;
    take(stream, {first->first, part.bytes, part.missing});
    stream.waiting_cost -= part.bytes.size() + kWaitingCost;
    waiting_in_all_ -= part.bytes.size() + kWaitingCost;
    stream.waiting.erase(first);
  }
}

// What comes before the first segment that waits is not going to come.
void TcpStreams::give_up_first(Stream& stream) {
  note_hole(stream);
  stream.next = stream.waiting.begin()->first;
  release(stream);
}

void TcpStreams::give_up_all(Stream& stream) {
  while (!stream.waiting.empty()) give_up_first(stream);
}

void TcpStreams::keep_limits(Stream& stream) {
  while (stream.waiting.size() > limits_.waiting_segments || stream.waiting_cost > limits_.waiting_bytes)
    give_up_first(stream);
  if (waiting_in_all_ > limits_.waiting_bytes_in_all) {
    for (const auto& other : streams_) give_up_all(*other);
  }
}

// Two holes with nothing between them are one.
void TcpStreams::note_hole(Stream& stream) const {
  if (stream.last_hole == stream.size) return;
  stream.last_hole = stream.size;
  ++stream.holes_in_all;
  if (stream.holes.size() < limits_.holes_told) stream.holes.push_back(stream.size);
}

void TcpStreams::gather(Stream& stream, Bytes bytes) {
  stream.gathered += bytes;
  stream.size += bytes.size();
  gathered_in_all_ += bytes.size();
  if (stream.gathered.size() >= limits_.gathered_bytes) write(stream);
  if (gathered_in_all_ <= limits_.gathered_bytes_in_all) return;
  for (const auto& other : streams_) write(*other);
}

void TcpStreams::write(Stream& stream) {
  const uint64_t size = stream.gathered.size();
  if (size == 0) return;
  const uint64_t at = file_->append(stream.gathered);
  if (!stream.pieces.empty() && stream.pieces.back().extent.end() == at) {
    stream.pieces.back().extent.size += size;
  } else {
    stream.pieces.push_back({stream.size - size, {at, size}});
  }
  gathered_in_all_ -= size;
  std::string().swap(stream.gathered);
}

std::vector<CaptureStream> TcpStreams::finish() {
  for (const auto& stream : streams_) {
    give_up_all(*stream);
    write(*stream);
  }
  std::sort(streams_.begin(), streams_.end(),
            [](const auto& a, const auto& b) { return a->order < b->order; });
  const auto pool = std::make_shared<BlockPool>();
  std::vector<CaptureStream> finished;
  for (const auto& stream : streams_) {
    if (stream->size == 0) continue;
    CaptureStream& out = finished.emplace_back();
    out.name = stream->path.name();
    out.bytes = std::make_unique<TcpByteSource>(file_, std::move(stream->pieces), pool, out.name);
    out.holes = std::move(stream->holes);
    out.holes_in_all = stream->holes_in_all;
  }
  streams_.clear();
  return finished;
}

}  // namespace persist
