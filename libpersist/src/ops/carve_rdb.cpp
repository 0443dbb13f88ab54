// RDB data in any bytes, read record by record, every value to its inside, and the commands behind it.
//
// Other bytes may read like records, too: NUL bytes are strings with empty keys and no end of them. So a find
// has to tell something: a field or opcode that servers write in front of the first key, or several keys
// made of text; and nothing counts from where one empty key follows another, which no dataset can have.
#include <algorithm>
#include <array>

#include "io/part_source.hpp"
#include "ops/carve_find.hpp"
#include "rdb/opcodes.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

namespace {

// No string of a server is longer by default, and none has to be at hand at once that is.
constexpr uint64_t kHeldAtOnceMax = uint64_t{513} << 20;
constexpr size_t kDoubtfulRecords = 4;

// How much is known of a file to be believed, in quarters of an opcode.
constexpr unsigned kTellingKey = 1;
constexpr unsigned kTellingOpcode = 4;
constexpr unsigned kTellingOfKnown = 4;     // of a version that some server has written
constexpr unsigned kTellingOfUnknown = 12;  // of any other

bool is_known(const RdbHeader& header) {
  if (header.dialect == Dialect::valkey) return header.version == 80;
  return header.version >= 1 && header.version <= 14;
}

bool reads_as_text(Bytes name) {
  return !name.empty() && std::ranges::none_of(name, [](char c) { return (c & 0xe0) == 0 || c == 0x7f; });
}

class FirstRdbError : public FindingSink {
 public:
  void report(const Finding& finding) override {
    if (!code && finding.kind().severity == Severity::error) code = finding.code;
  }
  std::optional<FindingCode> code;
};

class RdbCarver {
 public:
  RdbCarver(const CarveSite& site, uint64_t offset)
      : site_(site),
        begin_(offset),
        part_(site.image, {offset, site.end - offset}, kHeldAtOnceMax),
        reader_(part_, error_) {}

  std::optional<CarveFind> run() {
    if (!may_go_on()) return std::nullopt;
    walk();
    if (!complete()) take_back_empty_key();
    const bool believed = is_believed();
    spend(believed ? size_ : 0);
    if (!believed) return std::nullopt;
    describe();
    if (complete()) take_what_follows();
    return std::move(find_);
  }

 private:
  // Whether a code follows the header. Most that is no file is seen by that.
  bool may_go_on() {
    const Window head = part_.window(0, kHeaderBytes + 1);
    if (head.bytes.size() <= kHeaderBytes) return false;
    const Dialect dialect = head.bytes.front() == 'V' ? Dialect::valkey : Dialect::redis;
    const auto code = static_cast<uint8_t>(head.bytes[kHeaderBytes]);
    return find_opcode(dialect, code) != nullptr || encodings_by_code(dialect)[code] != nullptr;
  }

  void walk() {
    uint64_t told = 0;
    while (true) {
      const uint64_t at = begin_ + size_;
      part_.set_size(std::min(site_.end - begin_, size_ + site_.budget.left(at)));
      const RdbRecord* record = reader_.next();
      if (record == nullptr || !take(*record)) break;
      size_ = record->extent.end();
      inflated_ = reader_.inflated();
      if (site_.progress && size_ - told >= kCarveTellBytes) site_.progress(begin_ + (told = size_));
    }
  }

  // False if it cannot belong to a file that a server has written.
  bool take(const RdbRecord& record) {
    if (const auto* header = std::get_if<RdbHeader>(&record.body)) {
      header_ = *header;
      return true;
    }
    const auto* entry = std::get_if<RdbEntry>(&record.body);
    const bool empty_key = entry != nullptr && entry->key.empty();
    if (empty_key && empty_key_) {
      const bool is_nul = reader_.raw(kEntryBytesMin).find_first_not_of('\0') == Bytes::npos;
      error_.code = error_.code.value_or(is_nul ? FindingCode::rdb_zeroed : FindingCode::rdb_duplicate_key);
      return false;
    }
    empty_key_ = empty_key;
    last_[records_++ % kDoubtfulRecords] = {record.extent.offset, keys_};
    if (entry != nullptr) {
      ++keys_;
      telling_ += reads_as_text(entry->key) ? kTellingKey : 0;
    } else if (const auto* aux = std::get_if<AuxField>(&record.body)) {
      telling_ += reads_as_text(aux->name) ? kTellingOpcode : 0;
    } else if (const auto* end = std::get_if<RdbEnd>(&record.body)) {
      checksum_ = end->checksum;
      telling_ += end->checksum != ChecksumState::bad ? kTellingOpcode : 0;
    } else {
      telling_ += kTellingOpcode;
    }
    return true;
  }

  // One that stands last in front of damage is more likely made of NUL bytes, or of these and what follows.
  void take_back_empty_key() {
    if (!empty_key_) return;
    const Boundary& before = last_[--records_ % kDoubtfulRecords];
    size_ = before.size;
    keys_ = before.keys;
  }

  [[nodiscard]] bool complete() const { return checksum_.has_value(); }

  [[nodiscard]] bool is_believed() const {
    if (!header_) return false;
    if (checksum_ == ChecksumState::good) return true;
    return telling_ >= (is_known(*header_) ? kTellingOfKnown : kTellingOfUnknown);
  }

  // All that was read behind `useful`; compressed strings count for what they stand for.
  void spend(uint64_t useful) {
    constexpr uint64_t kInflatedTimesMax = 256;
    const uint64_t in_vain = reader_.offset() - std::min(reader_.offset(), useful);
    const uint64_t inflated = std::min(reader_.inflated() - inflated_, in_vain * kInflatedTimesMax);
    site_.budget.spend(in_vain);
    site_.budget.spend(inflated);
  }

  void describe() {
    Carved& carved = find_.carved;
    carved.kind = CarvedKind::rdb;
    carved.extent = {begin_, size_};
    carved.whole_bytes = size_;
    carved.header = header_;
    carved.checksum = checksum_;
    carved.keys = keys_;
    carved.why = error_.code;
    if (!complete() && !carved.why) carved.why = FindingCode::rdb_truncated;
    carved.whole = !carved.why;
    find_.torn = !complete();
    if (checksum_ == ChecksumState::bad) find_.doubtful_from = begin_ + 1;
    if (!complete() && records_ > 0) find_.doubtful_from = begin_ + first_doubtful();
  }

  // Where the last few records begin.
  [[nodiscard]] uint64_t first_doubtful() const {
    const uint64_t back = std::min<uint64_t>(records_, kDoubtfulRecords - 1);
    return last_[(records_ - back) % kDoubtfulRecords].size;
  }

  void take_what_follows() {
    find_.eof_mark = announced_mark();
    if (!find_.eof_mark.empty()) return;
    const CommandChain chain = walk_chain(site_, begin_ + size_, 0);
    site_.budget.spend(chain.read - std::min(chain.read, chain.end));
    if (chain.end == begin_ + size_ && !chain.torn) return;
    Carved& carved = find_.carved;
    carved.kind = CarvedKind::preamble;
    carved.commands = chain.commands;
    carved.extent.size = carved.whole_bytes = chain.end - begin_;
    if (!carved.why) carved.why = chain.torn && chain.commands == 0 ? FindingCode::aof_torn_first : chain.why;
    carved.whole = !carved.why;
    find_.torn = chain.torn;
  }

  // Of a replication stream: `$EOF:` in front of the magic, and the same 40 bytes behind the checksum.
  std::string announced_mark() {
    constexpr Bytes kPreface = "$EOF:";
    constexpr uint64_t kMarkBytes = 40;
    constexpr uint64_t kPrefaceBytes = kPreface.size() + kMarkBytes + 2;
    if (begin_ < kPrefaceBytes) return {};
    const Window behind = site_.image.window(begin_ + size_, kMarkBytes);
    std::string mark(behind.bytes.substr(0, kMarkBytes));
    if (mark.size() < kMarkBytes || mark.find_first_not_of("0123456789abcdef") != Bytes::npos) return {};
    const Window preface = site_.image.window(begin_ - kPrefaceBytes, kPrefaceBytes);
    const Bytes line = preface.bytes.substr(0, kPrefaceBytes);
    const bool announced = line.starts_with(kPreface) && line.substr(kPreface.size(), kMarkBytes) == mark;
    return announced ? mark : std::string();
  }

  const CarveSite& site_;
  uint64_t begin_;
  PartSource part_;
  FirstRdbError error_;
  RecordReader reader_;
  uint64_t size_ = 0;  // up to behind the last whole record
  uint64_t inflated_ = 0;
  std::optional<RdbHeader> header_;
  std::optional<ChecksumState> checksum_;
  uint64_t keys_ = 0;
  unsigned telling_ = 0;
  bool empty_key_ = false;  // of the last record
  struct Boundary {
    uint64_t size = 0;  // of what stands in front of a record
    uint64_t keys = 0;
  };
  std::array<Boundary, kDoubtfulRecords> last_;
  uint64_t records_ = 0;
  CarveFind find_;
};

}  // namespace

std::optional<CarveFind> carve_rdb(const CarveSite& site, uint64_t offset) {
  return RdbCarver(site, offset).run();
}

}  // namespace persist
