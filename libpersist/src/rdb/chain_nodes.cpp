// Most records lie within the bytes at hand and are read out of these; one that reaches beyond is read once
// more, window by window.
#include "rdb/chain_nodes.hpp"

#include <algorithm>

#include "base/hash64.hpp"
#include "codec/lzf.hpp"
#include "rdb/evidence.hpp"

namespace persist {

namespace {

constexpr uint64_t kAtHandBytes = uint64_t{64} << 10;
constexpr uint64_t kWorkAtFirst = uint64_t{4} << 20;
constexpr uint64_t kRecordWork = 256;
constexpr uint64_t kFailureWork = 2048;
constexpr unsigned kEndBits = 40;
constexpr unsigned kFollowedEndBits = 12;

constexpr auto kUntold = [](const Element& /*element*/) {};

// Remembers no more than whether the bytes came to an end.
class LastFinding : public FindingSink {
 public:
  void report(const Finding& finding) override { ran_out_ = finding.code == FindingCode::rdb_truncated; }
  [[nodiscard]] bool ran_out() const { return ran_out_; }

 private:
  bool ran_out_ = false;
};

// Where a string ends that is stored as it is, by its head; its bytes are not looked for.
std::optional<uint64_t> plain_end(RecordReader& reader, uint64_t value_offset) {
  if (!reader.value_is_plain()) return std::nullopt;
  const std::optional<uint64_t> size = reader.string_size();
  const Bytes head = reader.raw_from(value_offset, 1);
  if (!size || head.empty()) return std::nullopt;
  const auto first = static_cast<uint8_t>(head.front());
  const uint64_t head_bytes = first < 0x40 ? 1 : first < 0x80 ? 2 : first == 0x80 ? 5 : 9;
  return *size > UINT64_MAX - value_offset - head_bytes ? UINT64_MAX : value_offset + head_bytes + *size;
}

}  // namespace

// ------------------------------------------------------------------------------------------------ source

Window ClippedSource::window(uint64_t from, uint64_t min) {
  if (from >= end_) return {};
  const Bytes here = kept(from);
  if (here.size() >= std::min(min, end_ - from) && !here.empty()) return {here, kept_.keep};
  Window window = source_.window(from, std::min(min, end_ - from));
  // What lives in memory as long as its source costs nothing to get.
  if (window.keep) fetched_ += std::min<uint64_t>(window.bytes.size(), std::max(min, kAtHandBytes));
  window.bytes = window.bytes.substr(0, std::min<uint64_t>(window.bytes.size(), end_ - from));
  return window;
}

Bytes ClippedSource::keep(uint64_t from, uint64_t min) {
  const Bytes here = kept(from);
  if (here.size() >= std::min(min, end_ - std::min(end_, from))) return here;
  kept_ = window(from, min);
  kept_from_ = from;
  return kept_.bytes;
}

Bytes ClippedSource::kept(uint64_t from) const {
  if (from < kept_from_ || from - kept_from_ >= kept_.bytes.size()) return {};
  return kept_.bytes.substr(from - kept_from_);
}

// ------------------------------------------------------------------------------------------------ nodes

ChainNodes::ChainNodes(ByteSource& source, const RdbState& state, uint64_t end, bool followed)
    : source_(source, end),
      state_(state),
      end_(end),
      followed_(followed),
      seed_(random_seed()),
      granted_(kWorkAtFirst + kWorkOfFile * end) {
  state_.eof_mark.clear();
  state_.announced_bytes.reset();
}

ChainNode ChainNodes::made_of(const RdbRecord& record, Bytes at_hand) const {
  ChainNode node;
  node.offset = record.extent.offset;
  node.end = record.extent.offset + record.extent.size;
  node.kind = ChainNode::Kind::opcode;
  if (const auto* entry = std::get_if<RdbEntry>(&record.body)) {
    node.kind = ChainNode::Kind::entry;
    node.key = hash64(entry->key, seed_);
    node.has_expiry = entry->expire_at_ms != kNoExpiry;
    node.in_seconds = entry->expiry_in_seconds;
    node.has_idle = entry->idle_s.has_value();
    node.has_freq = entry->freq.has_value();
  } else if (std::holds_alternative<RdbEnd>(record.body)) {
    node.kind = ChainNode::Kind::end;
  }
  const Evidence evidence = weigh_record(record, at_hand);
  node.bits = evidence.bits;
  node.weight = evidence.weight;
  return node;
}

ChainNode ChainNodes::decode(RecordReader& reader, Bytes at_hand) {
  reader.set_payloads(Payloads::validated);
  reader.stop_after_next();
  const uint64_t begin = reader.offset();
  ChainNode node;
  if (const RdbRecord* record = reader.next_head()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    const auto end = entry != nullptr ? plain_end(reader, entry->value_offset) : std::nullopt;
    if (end) {
      RdbRecord whole = *record;
      whole.extent.size = *end - whole.extent.offset;
      if (*end <= end_) node = made_of(whole, at_hand);
    } else if (entry == nullptr || reader.read_value(kUntold)) {
      node = made_of(*record, at_hand);
    }
  }
  const uint64_t walked = reader.offset() - std::min(begin, reader.offset());
  spent_ += kRecordWork + walked + std::min(reader.inflated(), lzf_size_max(walked));
  if (!node.good()) spent_ += kFailureWork;
  return node;
}

// Memory that was erased: bits that are set, as many as an EOF opcode and its checksum take, whether or not
// the file has one. `node`: an EOF opcode.
bool ChainNodes::is_erased(const ChainNode& node) {
  constexpr uint64_t kErasedBytes = 1 + sizeof(uint64_t);
  const uint64_t from = std::min(node.offset, end_ - std::min(end_, kErasedBytes));
  const Window window = source_.window(from, kErasedBytes);
  const Bytes bytes = window.bytes.substr(0, kErasedBytes);
  return bytes.size() == kErasedBytes && bytes.find_first_not_of('\xff') == Bytes::npos;
}

// An EOF opcode where the data does not end is the end of another file.
void ChainNodes::judge_end(ChainNode& node) {
  const Window window = source_.window(node.end, 1);
  const Bytes behind = window.bytes.substr(0, 1);
  if (is_erased(node)) {
    node.kind = ChainNode::Kind::none;
  } else if (node.end == end_) {
    node.bits = kEndBits;
  } else if (followed_ && (behind == "*" || behind == "#")) {
    node.bits = kFollowedEndBits;
  } else {
    node.kind = ChainNode::Kind::stray_end;
  }
  node.weight = node.bits;
}

ChainNode ChainNodes::read(uint64_t offset, const RdbState& of) {
  RdbState state = of;
  state.offset = offset;
  state.checksum = {0, offset};
  Window held;
  Bytes at_hand = source_.kept(offset);
  const uint64_t fetched_before = source_.fetched();
  if (at_hand.size() < std::min(kAtHandBytes, end_ - std::min(end_, offset))) {
    held = source_.window(offset, kAtHandBytes);
    at_hand = held.bytes;
  }
  LastFinding found;
  RecordReader piece(at_hand, state, found, source_);
  ChainNode node = decode(piece, at_hand);
  if (!node.good() && found.ran_out() && offset + at_hand.size() < end_) {
    RecordReader windows(source_, state, found);
    node = decode(windows, at_hand);
  }
  if (node.kind == ChainNode::Kind::end) judge_end(node);
  spent_ += source_.fetched() - fetched_before;
  return node;
}

}  // namespace persist
