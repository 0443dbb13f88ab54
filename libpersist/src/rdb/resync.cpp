// The search goes stretch by stretch. What passes the sniffer and decodes is a node; so is what a node leads
// to. Nodes lead to nodes, so that all chains of a stretch are weighed in one pass from its last node to its
// first; what lies behind the stretch is followed only until it says enough.
//
// Two things cannot be told by their bytes. Fields without a TTL, in what is left of a hash that has TTLs,
// read as entries do: such are found. An entry of an empty key reads as a string behind zeros does: none
// begins a chain.
#include "rdb/resync.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <vector>

#include "rdb/chain_nodes.hpp"
#include "rdb/evidence.hpp"
#include "rdb/sniff.hpp"

namespace persist {

namespace {

constexpr uint64_t kStretchMin = uint64_t{4} << 10;
constexpr uint64_t kStretchMax = uint64_t{1} << 20;
constexpr uint64_t kStretchGrowth = 4;
constexpr uint64_t kSightBytes = uint64_t{64} << 10;  // behind a stretch, for the sniffer
constexpr uint64_t kTailBits = 128;
constexpr uint64_t kLookAhead = uint64_t{4} << 20;   // for the end of another file
constexpr uint64_t kSmallReach = uint64_t{4} << 10;  // of a chain out of its stretch
constexpr unsigned kSureBits = 16;                   // besides those that searching so many bytes takes
constexpr int64_t kBreakWeight = 64;
constexpr uint64_t kUseWeight =
    16;  // against entries that differ in their opcodes of use: more than these are
constexpr uint32_t kLastWithSeconds = 2;
constexpr uint64_t kWeightMax = uint64_t{1} << 60;
constexpr size_t kKnownMax = size_t{1} << 18;

using Kind = ChainNode::Kind;

std::optional<RdbState> state_of_magic(Bytes bytes) {
  const auto digit = [&](size_t i) { return bytes[i] >= '0' && bytes[i] <= '9'; };
  const bool is_valkey = bytes.starts_with("VALKEY0");
  if (bytes.size() < kHeaderBytes || (!is_valkey && !bytes.starts_with("REDIS00")) || !digit(7) || !digit(8))
    return std::nullopt;
  RdbState state;
  state.dialect = is_valkey ? Dialect::valkey : Dialect::redis;
  state.version = static_cast<uint32_t>(bytes[7] - '0') * 10 + static_cast<uint32_t>(bytes[8] - '0');
  state.has_checksum = state.version >= kChecksumSince;
  return state;
}

}  // namespace

struct Resync::Search {
  Search(ByteSource& source, const RdbState& state, uint64_t end, bool followed)
      : nodes_(source, state, end, followed),
        ahead_(source, state, end, followed),
        sniffer_(state.dialect, state.version, ChainNodes::end_bytes(state), followed) {}

  std::optional<RecordChain> find(uint64_t from, uint64_t beyond);

 private:
  std::optional<RecordChain> find_any(uint64_t from, uint64_t beyond);
  std::optional<uint64_t> end_of_other(uint64_t offset);

  // What follows from some place on, up to where it breaks off or was followed.
  struct Outcome {
    uint64_t weight = 0;
    uint64_t counted = 0;  // bits of records that go beyond what is under suspicion
    int64_t value = 0;     // the weight, and what can be had behind where it breaks off
    uint64_t last = 0;     // offset of the last record
    uint64_t stop = 0;     // its end
    bool breaks_off = true;
    bool ends = false;
    bool stray = false;  // with the end of another file
  };

  void put_before(Outcome& behind, const ChainNode& node) const;
  void scan(uint64_t from, uint64_t to);
  void add_node(uint64_t offset);
  void want(uint64_t offset) {
    if (offset < stretch_end_) wanted_[offset - stretch_begin_] = 1;
  }
  [[nodiscard]] bool is_embedded_file(uint64_t offset, Bytes bytes);
  void weigh();
  [[nodiscard]] ChainNode within_stretch(ChainNode node) const;
  const ChainNode* behind(const ChainNode& node);
  Outcome outcome_behind(const ChainNode& node);
  Outcome follow(uint64_t offset);
  const ChainNode* node_at(uint64_t offset);
  [[nodiscard]] std::optional<size_t> best() const;
  [[nodiscard]] bool counts(size_t index) const;
  RecordChain chain_from(size_t index);
  [[nodiscard]] uint64_t first_end_behind(size_t index) const;
  bool lost_expiry(const ChainNode& first);
  bool has_odd_expiry(const ChainNode& first);

  ChainNodes nodes_;
  ChainNodes ahead_;  // for end_of_other(), which is not to use up what the search may spend
  Sniffer sniffer_;
  uint64_t from_ = 0;
  uint64_t beyond_ = 0;
  uint64_t stretch_begin_ = 0;
  uint64_t stretch_end_ = 0;
  uint64_t skip_to_ = 0;          // behind a file inside of this one
  bool saw_stray_ = false;        // a chain that would count, but for the end it leads to
  bool takes_stray_ = false;      // such chains count
  std::vector<uint8_t> wanted_;   // places of the stretch that a node leads to
  std::vector<ChainNode> found_;  // in the stretch, by offset
  std::vector<Outcome> outcomes_;
  std::unordered_map<uint64_t, ChainNode> known_;  // behind the stretch
  std::unordered_map<uint64_t, Outcome> tails_;
  ChainNode unknown_;
};

// ------------------------------------------------------------------------------------------------ nodes

void Resync::Search::scan(uint64_t from, uint64_t to) {
  const Bytes bytes = nodes_.source().keep(from, to - from + kSightBytes);
  const uint64_t here = std::min<uint64_t>(to - from, bytes.size());
  uint64_t granted = 0;
  for (uint64_t i = 0; i < here; ++i) {
    const bool is_wanted = wanted_[from + i - stretch_begin_] != 0;
    const char byte = bytes[i];
    if (!is_wanted && !sniffer_.may_begin(byte, i + 1 < bytes.size() ? bytes[i + 1] : '\0')) {
      if ((byte == 'R' || byte == 'V') && is_embedded_file(from + i, bytes.substr(i)))
        i = std::min(here, skip_to_ - from) - 1;
      continue;
    }
    nodes_.grant(i - granted);
    granted = i;
    if (!nodes_.can_read()) continue;
    if (is_wanted || sniffer_.promising(bytes.substr(i), nodes_.end() - from - i)) add_node(from + i);
  }
  nodes_.grant(here - granted);
}

void Resync::Search::add_node(uint64_t offset) {
  const ChainNode node = nodes_.read(offset);
  if (!node.good()) return;
  found_.push_back(node);
  if (node.kind == Kind::entry || node.kind == Kind::opcode) want(node.end);
}

// A magic, with records behind it: up to where they go, they are those of a file that was a value. If it
// breaks off, its last record may be whole only by the help of what follows the value.
bool Resync::Search::is_embedded_file(uint64_t offset, Bytes bytes) {
  const std::optional<RdbState> state = state_of_magic(bytes);
  if (!state) return false;
  uint64_t bits = 0;
  uint64_t last = offset;
  ChainNode node;
  for (uint64_t at = offset + kHeaderBytes; nodes_.can_read(); at = node.end) {
    node = nodes_.read(at, *state);
    if (node.kind == Kind::end) return false;  // it is the file itself
    if (!node.good() || node.kind == Kind::stray_end) break;
    bits += node.bits;
    last = at;
  }
  if (bits < kChainBits) return false;
  skip_to_ = node.kind == Kind::stray_end ? node.end : last + 1;
  return true;
}

const ChainNode* Resync::Search::node_at(uint64_t offset) {
  const auto found = known_.find(offset);
  if (found != known_.end()) return &found->second;
  if (offset >= nodes_.end() || !nodes_.can_read()) return nullptr;
  unknown_ = nodes_.read(offset);
  if (known_.size() >= kKnownMax) return &unknown_;
  return &known_.emplace(offset, unknown_).first->second;
}

// ------------------------------------------------------------------------------------------------ chains

void Resync::Search::put_before(Outcome& behind, const ChainNode& node) const {
  behind.weight += node.weight;
  if (node.end > beyond_) behind.counted += node.bits;
  behind.last = std::max(behind.last, node.offset);
  behind.stop = std::max(behind.stop, node.end);
}

// Behind the stretch: until it is enough.
Resync::Search::Outcome Resync::Search::follow(uint64_t offset) {
  const auto known = tails_.find(offset);
  if (known != tails_.end()) return known->second;
  Outcome outcome;
  ChainNode before;
  for (uint64_t at = offset;;) {
    const ChainNode* node = node_at(at);
    if (node == nullptr || !node->good() || node->repeats(before)) break;
    put_before(outcome, *node);
    outcome.stray = node->kind == Kind::stray_end;
    outcome.ends = node->kind == Kind::end;
    outcome.weight = std::min(outcome.weight, kTailBits);
    outcome.breaks_off = !outcome.ends && (outcome.counted < kTailBits || node->offset < beyond_);
    if (outcome.stray || !outcome.breaks_off) break;
    before = *node;
    at = node->end;
  }
  tails_.emplace(offset, outcome);
  return outcome;
}

// What a node leads to; null if that is no record, or the search knows of none.
const ChainNode* Resync::Search::behind(const ChainNode& node) {
  if (node.end >= stretch_end_) {
    const ChainNode* next = node_at(node.end);
    return next != nullptr && next->good() ? next : nullptr;
  }
  const auto next = std::ranges::lower_bound(found_, node.end, {}, &ChainNode::offset);
  return next != found_.end() && next->offset == node.end ? &*next : nullptr;
}

Resync::Search::Outcome Resync::Search::outcome_behind(const ChainNode& node) {
  Outcome none;
  none.stray = node.kind == Kind::stray_end;
  none.ends = node.kind == Kind::end;
  none.breaks_off = !none.ends;
  if (none.stray || none.ends) return none;
  const ChainNode* next = behind(node);
  if (next == nullptr || next->repeats(node)) return none;
  Outcome outcome =
      node.end >= stretch_end_ ? follow(node.end) : outcomes_[static_cast<size_t>(next - found_.data())];
  if (next->differs_in_use(node)) outcome.weight -= std::min(outcome.weight, kUseWeight);
  return outcome;
}

// Of a record that leads out of the stretch, only a part competes with those inside.
ChainNode Resync::Search::within_stretch(ChainNode node) const {
  if (node.end > stretch_end_) {
    const auto part =
        static_cast<double>(stretch_end_ - node.offset) / static_cast<double>(node.end - node.offset);
    node.weight = static_cast<uint64_t>(static_cast<double>(node.weight) * part);
  }
  return node;
}

// Where a chain breaks off, the search will go on: so what it is worth includes the best that is left then,
// less what a break is held against it. That makes chains that exclude each other comparable, and those that
// do not, no rivals.
void Resync::Search::weigh() {
  outcomes_.assign(found_.size(), {});
  std::vector<int64_t> best_behind(found_.size() + 1, 0);
  for (size_t i = found_.size(); i-- > 0;) {
    const ChainNode& node = found_[i];
    Outcome& outcome = outcomes_[i];
    outcome = outcome_behind(node);
    put_before(outcome, within_stretch(node));
    if (outcome.stray && outcome.counted >= kChainBits) saw_stray_ = true;
    outcome.value = static_cast<int64_t>(std::min(outcome.weight, kWeightMax));
    if (outcome.breaks_off) {
      const auto next = std::ranges::lower_bound(found_, outcome.stop, {}, &ChainNode::offset);
      outcome.value += best_behind[static_cast<size_t>(next - found_.begin())] - kBreakWeight;
    }
    best_behind[i] = std::max(best_behind[i + 1], counts(i) ? outcome.value : int64_t{0});
  }
}

bool Resync::Search::counts(size_t index) const {
  const Outcome& outcome = outcomes_[index];
  const unsigned needed = outcome.ends ? kEndingChainBits : kChainBits;
  if (outcome.stray && !takes_stray_) return false;
  return outcome.counted >= needed && outcome.last >= beyond_ && found_[index].bits > 0;
}

std::optional<size_t> Resync::Search::best() const {
  std::optional<size_t> best;
  for (size_t i = 0; i < found_.size(); ++i)
    if (counts(i) && (!best || outcomes_[i].value > outcomes_[*best].value)) best = i;
  return best;
}

// ------------------------------------------------------------------------------------------------ the answer

// Whether the bytes in front of an entry are what is left of its expiry, whose opcode was hit.
bool Resync::Search::lost_expiry(const ChainNode& first) {
  if (first.kind != Kind::entry || first.has_expiry || first.offset < sizeof(int64_t)) return false;
  const uint64_t at = first.offset - sizeof(int64_t);
  const Window window = nodes_.source().window(at, sizeof(int64_t));
  const Bytes before = window.bytes.substr(0, sizeof(int64_t));
  if (before.size() < sizeof(int64_t)) return false;
  if (is_plausible_ms(load_le<int64_t>(before.data()))) return true;
  const Bytes seconds = before.substr(sizeof(int32_t));
  return nodes_.state().version <= kLastWithSeconds && is_plausible_s(load_le<int32_t>(seconds.data())) &&
         text_bits(seconds, kCodeBits) == 0;
}

// Five bytes in front of a true entry are too easily an expiry of which servers no longer write.
bool Resync::Search::has_odd_expiry(const ChainNode& first) {
  return first.in_seconds && nodes_.state().version > kLastWithSeconds;
}

RecordChain Resync::Search::chain_from(size_t index) {
  const ChainNode& first = found_[index];
  const Outcome& outcome = outcomes_[index];
  RecordChain chain{first.offset, first.offset, 0, outcome.ends};
  chain.bits = static_cast<unsigned>(std::min<uint64_t>(outcome.counted, UINT32_MAX));
  const auto sure = static_cast<uint64_t>(std::bit_width(first.offset - from_ + 16)) + kSureBits;
  ChainNode node = first;
  for (uint64_t bits = node.bits; bits < sure && node.offset < outcome.last; bits += node.bits) {
    const ChainNode* next = behind(node);
    if (next == nullptr) break;
    chain.sure_from = node.end;
    node = *next;
  }
  if (lost_expiry(first) || has_odd_expiry(first)) chain.sure_from = std::max(chain.sure_from, first.end);
  return chain;
}

// Where the first record of a chain ends that ends behind the stretch, or the last one of the chain.
uint64_t Resync::Search::first_end_behind(size_t index) const {
  for (auto node = found_.begin() + static_cast<ptrdiff_t>(index);;) {
    const auto next = std::ranges::lower_bound(node, found_.end(), node->end, {}, &ChainNode::offset);
    if (next == found_.end() || next->offset != node->end) return node->end;
    node = next;
  }
}

std::optional<RecordChain> Resync::Search::find_any(uint64_t from, uint64_t beyond) {
  from_ = from;
  beyond_ = beyond;
  skip_to_ = 0;
  known_.clear();
  tails_.clear();
  uint64_t size = kStretchMin;
  for (uint64_t begin = from; begin < nodes_.end(); begin = std::max(stretch_end_, skip_to_)) {
    found_.clear();
    tails_.clear();
    if (known_.size() >= kKnownMax) known_.clear();
    stretch_begin_ = begin;
    stretch_end_ = std::min(begin + size, nodes_.end());
    wanted_.assign(stretch_end_ - stretch_begin_, 0);
    scan(stretch_begin_, stretch_end_);
    weigh();
    if (const std::optional<size_t> index = best()) {
      const RecordChain chain = chain_from(*index);
      const uint64_t scanned = stretch_end_;
      const uint64_t reached = std::max(chain.sure_from, first_end_behind(*index));
      if (reached <= scanned + kSmallReach) return chain;
      // It leads over bytes nobody has looked at: what there is in these is compared with it, too.
      stretch_end_ = std::min(reached, scanned + kStretchMax);
      wanted_.resize(stretch_end_ - stretch_begin_, 0);
      for (const ChainNode& node : found_)
        if (node.end >= scanned && node.kind != Kind::stray_end) want(node.end);
      if (skip_to_ < stretch_end_) scan(std::max(scanned, skip_to_), stretch_end_);
      weigh();
      return chain_from(best().value_or(*index));
    }
    size = std::min(size * kStretchGrowth, kStretchMax);
  }
  return std::nullopt;
}

// Where the EOF opcode of another file ends that the records at `offset` lead to, if they do before long. One
// with a magic behind it is the end of this file, and a second one was appended to it.
std::optional<uint64_t> Resync::Search::end_of_other(uint64_t offset) {
  ChainNode node;
  for (uint64_t at = offset; at - offset < kLookAhead && ahead_.can_read(); at = node.end) {
    if (ahead_.source().kept(at).size() < kSightBytes) ahead_.source().keep(at, kStretchMax);
    node = ahead_.read(at);
    if (node.kind == Kind::stray_end) {
      const Window behind = ahead_.source().window(node.end, kHeaderBytes);
      return state_of_magic(behind.bytes) ? std::nullopt : std::optional(node.end);
    }
    if (!node.good() || node.kind == Kind::end) break;
  }
  return std::nullopt;
}

// Records that lead to an EOF opcode behind which there are others are those of a file that was a value. If
// there are none behind it, it is the end, whatever else follows.
std::optional<RecordChain> Resync::Search::find(uint64_t from, uint64_t beyond) {
  saw_stray_ = false;
  std::optional<RecordChain> chain = find_any(from, beyond);
  while (chain) {
    const std::optional<uint64_t> end = end_of_other(chain->offset);
    if (!end) break;
    const std::optional<RecordChain> behind = find_any(*end, beyond);
    if (!behind) break;
    chain = behind;
  }
  // Nothing leads to the end of the data: bytes that are none may follow it.
  if (!chain && saw_stray_) {
    takes_stray_ = true;
    chain = find_any(from, beyond);
    takes_stray_ = false;
  }
  return chain;
}

// ------------------------------------------------------------------------------------------------ Resync

Resync::Resync(ByteSource& source, const RdbState& state, uint64_t end, bool followed)
    : search_(std::make_unique<Search>(source, state, end, followed)) {}

Resync::~Resync() = default;

std::optional<RecordChain> Resync::find(uint64_t from, uint64_t beyond) {
  return search_->find(from, beyond);
}

}  // namespace persist
