// Skimming records: a few nanoseconds a key, which is what lets one thread feed the others.
#include "rdb/pieces.hpp"

#include "io/block_source.hpp"
#include "types/encodings.hpp"
#include "types/primitives.hpp"

namespace persist {

namespace {

// A window with less than this left is renewed first: short pieces cost more than carrying their bytes over.
constexpr size_t kPieceBytesMin = kWindowBytes / 2;

// A record that does not fit into this much is read on its own, window by window.
constexpr size_t kPieceBytesMax = size_t{4} << 20;

// A piece whose compressed strings stand for more than this ends there, and a record with such strings is
// read on its own: what a thread makes of a piece has to be in memory as a whole.
constexpr uint64_t kInflatedBytesMax = uint64_t{4} << 20;

}  // namespace

bool PieceCutter::next(Piece& piece) {
  for (size_t wanted = kPieceBytesMin; wanted <= kPieceBytesMax; wanted *= 2) {
    const Window window = source_.window(state_.offset, wanted);
    const Run run = skim(window.bytes);
    if (run.bytes > 0) {
      piece = {window.bytes.substr(0, run.bytes), window.keep, state_.offset, state_.db};
      state_.offset += run.bytes;
      state_.db = run.db;
      return true;
    }
    if (run.stopped || window.bytes.size() < wanted) return false;
  }
  return false;
}

// As many whole records as there are at the beginning of `bytes`.
PieceCutter::Run PieceCutter::skim(Bytes bytes) {
  Cursor in(bytes, 0, scratch_);
  Run run{0, state_.db, false};
  uint64_t db = state_.db;
  const EncodingsByCode& encodings = encodings_by_code(state_.dialect);
  try {
    while (!in.at_end()) {
      const uint8_t code = in.u8("code");
      if (const Encoding* encoding = encodings[code]) {
        skip_string(in, "key");
        row_of(*encoding).skip(in);
      } else {
        const OpcodeRow* row = find_opcode(state_.dialect, code);
        if (row == nullptr || row->opcode == Opcode::end) {
          run.stopped = true;
          break;
        }
        if (row->opcode == Opcode::select_db)
          db = in.length("db");
        else
          row->skip(in);
        if (row->is_prefix) continue;
      }
      if (in.inflated() > kInflatedBytesMax) {
        run.stopped = true;
        break;
      }
      run.bytes = static_cast<size_t>(in.offset());
      run.db = db;
    }
  } catch (const FormatError& error) {
    // A length that reaches beyond the window looks like truncation or overrun; anything else is damage.
    const FindingCode code = error.finding.code;
    run.stopped = code != FindingCode::rdb_truncated && code != FindingCode::rdb_length_overrun;
  }
  return run;
}

}  // namespace persist
