// Records out of a source, or out of a piece of one. The public RdbReader is this; the verbs use it directly.
#pragma once

#include <limits>
#include <optional>

#include "io/cursor.hpp"
#include "persist/rdb_reader.hpp"
#include "rdb/opcodes.hpp"
#include "types/encodings.hpp"
#include "types/primitives.hpp"

namespace persist {

// What a file begins with: magic and version.
inline constexpr uint64_t kHeaderBytes = 9;

// The fewest bytes that an entry takes: a type code, an empty key, an empty value.
inline constexpr uint64_t kEntryBytesMin = 3;

// All that reading on from a place needs to know of what came before.
struct RdbState {
  Dialect dialect = Dialect::redis;
  uint32_t version = 0;
  bool has_checksum = true;
  uint64_t db = 0;
  uint64_t offset = 0;  // of the next record
  Checksum checksum;
  std::string eof_mark;                     // announced by `$EOF:`, expected behind the checksum
  std::optional<uint64_t> announced_bytes;  // by `$<length>`
  uint64_t magic_offset = 0;
};

class RecordReader {
 public:
  // The whole of a source, header first.
  RecordReader(ByteSource& source, FindingSink& findings);
  // On from a place in a source.
  RecordReader(ByteSource& source, const RdbState& state, FindingSink& findings);
  // A run of whole records, and nothing else, out of a source; `state` is that at its beginning.
  RecordReader(Bytes piece, const RdbState& state, FindingSink& findings, const ByteSource& source);

  // See RdbReader.
  const RdbRecord* next();
  void visit(ElementSink sink);
  const RdbRecord* next_head();
  bool read_value(ElementSink sink);

  // As visit(), for a string that is stored as it is: in runs. False, with nothing told, for any other value.
  bool visit_in_runs(FunctionRef<void(Bytes)> run);

  // Whether the value before which next_head() stopped is a string that is stored as it is: moving over it by
  // its length then finds all that could be wrong with it. May say no where it does not know.
  [[nodiscard]] bool value_is_plain() const {
    const auto* entry = std::get_if<RdbEntry>(&record_.body);
    return entry != nullptr && entry->encoding->type == ValueType::string &&
           in_.next_is_below(kSpecialString);
  }

  // Of a string before which next_head() stopped: how long it is, as its head says; to be believed once
  // the value was moved over. Absent for a number, and for what cannot be so long, or what the file ends in.
  [[nodiscard]] std::optional<uint64_t> string_size();

  // The string that finish_value() has moved over, if value_is_plain() was true of it: as far as it is at
  // hand. Valid until the next call.
  [[nodiscard]] Bytes plain_string() const;

  // Moves over the value that next_head() stopped before, if nobody has. False if it is damaged beyond
  // passing.
  bool finish_value();

  [[nodiscard]] bool knows_header() const { return knows_header_; }
  [[nodiscard]] bool complete() const { return complete_; }
  // Damage that could not be passed was met.
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] uint64_t valid_up_to() const { return valid_up_to_; }
  // One more record, then nullptr.
  void stop_after_next() { records_left_ = 1; }
  // The state behind the last record; only after finish_value() or at a record without a value.
  [[nodiscard]] RdbState state();
  // Whether values come from a source, window by window, and may be larger than memory should be.
  [[nodiscard]] bool from_source() const { return source_ != nullptr; }
  [[nodiscard]] bool saw_long_length() const { return in_.saw_long_length(); }
  // How many bytes the compressed strings stand for that were met so far.
  [[nodiscard]] uint64_t inflated() const { return in_.inflated(); }
  // Where the walk stands.
  [[nodiscard]] uint64_t offset() const { return in_.offset(); }
  // The bytes of the record, if they are at hand.
  [[nodiscard]] Bytes raw(size_t most) const { return in_.around(record_.extent.offset, most); }
  // The bytes from a place in the record on, as far as they are at hand; at most `most`.
  [[nodiscard]] Bytes raw_from(uint64_t offset, size_t most) const { return in_.around(offset, most); }

  void set_payloads(Payloads payloads) { in_.payloads = payloads; }

 private:
  enum class Value : uint8_t { none, unread, read };
  using ReadOpcode = void (RecordReader::*)();

  [[gnu::always_inline]] inline const RdbRecord* read_record();
  void read_header();
  void read_magic();
  void read_replication_preface();
  [[gnu::always_inline]] inline void read_code();
  [[gnu::always_inline]] inline void read_entry(const Encoding& encoding);
  void read_expire_s();
  void read_expire_ms();
  void read_freq();
  void read_idle();
  void read_key_metadata();
  void read_end();
  void read_select_db();
  void read_resize_db();
  void read_aux();
  void read_module_aux();
  void read_function();
  void read_function_pre_release();
  void read_slot_info();
  void read_slot_import();
  void check_eof_mark();
  void check_trailing();
  void fail_unknown_code(uint8_t code);
  void fail_wrong_file(FindingCode code);
  [[nodiscard]] bool is_all_nul();
  void warn(FindingCode code, Extent where, std::string subject, std::string expected, std::string found);
  void report(Finding finding);
  void recover(const Finding& why);
  void end_record();
  static ReadOpcode reader_of(Opcode opcode);

  ByteSource* source_ = nullptr;
  FindingSink& findings_;
  std::string file_;
  Scratch scratch_;
  RdbState state_;
  Cursor in_;
  const EncodingsByCode* encodings_ = nullptr;  // of the dialect
  RdbRecord record_;
  RdbEntry prefixes_;  // of the entry to come
  bool has_prefixes_ = false;
  bool entry_has_prefixes_ = false;  // the entry in record_, of the last round
  bool has_key_meta_ = false;
  bool header_read_ = false;
  bool knows_header_ = false;
  bool stopped_ = false;
  bool complete_ = false;
  bool damaged_ = false;
  uint64_t records_left_ = std::numeric_limits<uint64_t>::max();
  Value value_ = Value::none;
  uint64_t valid_up_to_ = 0;
};

}  // namespace persist
