// Single records read at places where one may begin, for the search of chains: each costs work, of which
// there is only so much.
#pragma once

#include <cstdint>

#include "persist/source.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

struct ChainNode {
  enum class Kind : uint8_t { none, opcode, entry, end, stray_end };
  uint64_t offset = 0;
  uint64_t end = 0;  // where the next one begins
  uint64_t key = 0;  // of an entry: a hash
  uint64_t weight = 0;
  uint32_t bits = 0;  // of evidence
  Kind kind = Kind::none;
  bool has_expiry = false;
  bool in_seconds = false;  // the expiry
  bool has_idle = false;
  bool has_freq = false;

  [[nodiscard]] bool good() const { return kind != Kind::none; }
  // What no writer does: the same key twice in a row.
  [[nodiscard]] bool repeats(const ChainNode& before) const {
    return kind == Kind::entry && before.kind == Kind::entry && key == before.key;
  }
  // Nor this: of two entries in a row, only one with what tells when it was last used, or how often.
  [[nodiscard]] bool differs_in_use(const ChainNode& other) const {
    return kind == Kind::entry && other.kind == Kind::entry &&
           (has_idle != other.has_idle || has_freq != other.has_freq);
  }
};

// A source up to a place, with a piece of it kept at hand.
class ClippedSource : public ByteSource {
 public:
  ClippedSource(ByteSource& source, uint64_t end) : source_(source), end_(end) {}

  Window window(uint64_t from, uint64_t min) override;
  [[nodiscard]] bool rereadable() const override { return true; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return end_; }
  [[nodiscard]] const std::string& name() const override { return source_.name(); }

  // The bytes from a place on, at least `min` of them unless the end comes before. They stay until the next
  // call.
  Bytes keep(uint64_t from, uint64_t min);
  // Those of them that begin at `from`.
  [[nodiscard]] Bytes kept(uint64_t from) const;
  // Bytes that had to be fetched.
  [[nodiscard]] uint64_t fetched() const { return fetched_; }

 private:
  ByteSource& source_;
  uint64_t end_;
  Window kept_;
  uint64_t kept_from_ = 0;
  uint64_t fetched_ = 0;
};

class ChainNodes {
 public:
  ChainNodes(ByteSource& source, const RdbState& state, uint64_t end, bool followed);

  // Work is counted in bytes walked over or inflated; a record costs some by itself, and one that fails more.
  // All reading together is kept below kWorkPerByte times the bytes searched plus kWorkOfFile times those of
  // the file, and one record that is longer than what was left.
  static constexpr uint64_t kWorkPerByte = 32;
  static constexpr uint64_t kWorkOfFile = 8;
  void grant(uint64_t bytes_searched) { granted_ += kWorkPerByte * bytes_searched; }
  [[nodiscard]] bool can_read() const { return spent_ < granted_; }

  // The record at `offset`; none if there is no whole one that decodes.
  ChainNode read(uint64_t offset) { return read(offset, state_); }
  // The same for a file inside of this one.
  ChainNode read(uint64_t offset, const RdbState& of);

  [[nodiscard]] ClippedSource& source() { return source_; }
  [[nodiscard]] const RdbState& state() const { return state_; }
  [[nodiscard]] uint64_t end() const { return end_; }
  // How many bytes the EOF opcode takes, with the checksum.
  [[nodiscard]] static uint64_t end_bytes(const RdbState& of) {
    return of.has_checksum ? 1 + sizeof(uint64_t) : 1;
  }

 private:
  ChainNode decode(RecordReader& reader, Bytes at_hand);
  void judge_end(ChainNode& node);
  [[nodiscard]] bool is_erased(const ChainNode& node);
  ChainNode made_of(const RdbRecord& record, Bytes at_hand) const;

  ClippedSource source_;
  RdbState state_;
  uint64_t end_;
  bool followed_;
  uint64_t seed_;
  uint64_t granted_;
  uint64_t spent_ = 0;
};

}  // namespace persist
