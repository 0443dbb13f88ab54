// What a walk over damaged RDB data has decided: what is kept, what goes, and what is to be said of it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "persist/salvage.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

// Records that follow each other, between gaps.
struct SalvageStretch {
  Extent extent;
  uint64_t db = 0;                  // selected at its beginning
  bool is_db_guessed = false;       // that db: the record that selects it is lost
  bool is_db_put = false;           // and another one is put in
  bool is_salvaged = false;         // behind a gap
  bool selects = false;             // begins with a SELECTDB
  bool resizes = false;             // begins with a RESIZEDB: the SELECTDB in front of it is lost
  uint64_t keys_before_select = 0;  // that are keys for sure
  std::optional<uint64_t> first_select;
  uint64_t first_select_at = ~uint64_t{0};  // its offset
  uint64_t keys_behind_select = 0;          // behind the last SELECTDB
  uint64_t last_db = 0;                     // selected at its end
  std::optional<uint64_t> keys_stated;      // of that database, by its RESIZEDB, if that is in this stretch

  // Of the database that is selected at its end.
  uint64_t& keys_seen() { return first_select ? keys_behind_select : keys_before_select; }
};

struct SalvageWalked {
  RdbState header;               // as behind the header, or as it was inferred
  std::optional<RdbHeader> put;  // the header that has to be put in
  std::vector<SalvageStretch> stretches;
  std::vector<SalvageStep> steps;  // the first ones
  uint64_t steps_in_all = 0;
  std::vector<SalvageEdit> edits;
  std::map<uint64_t, SalvageCounts> counts;  // by db
  std::vector<Extent> partial;               // records, ascending
  std::vector<Extent> uncertain;
  uint64_t end = 0;                  // where the RDB data ends in the input
  std::optional<RdbEnd> end_record;  // its EOF opcode, if it is there
  std::optional<Finding> middle;     // the first damage that a cut of the end does not mend
};

// What a hostile file may make us remember of steps.
inline constexpr size_t kSalvageStepsMax = 100000;

// Who has more databases than any server is told of those beyond as one.
[[nodiscard]] SalvageCounts& counts_of(std::map<uint64_t, SalvageCounts>& counts, uint64_t db);

enum class KeyFate : uint8_t { kept, uncertain, partial, dropped };

class SalvageLedger {
 public:
  explicit SalvageLedger(bool drops_uncertain) : drops_uncertain_(drops_uncertain) {}

  [[nodiscard]] SalvageWalked& walked() { return walked_; }
  [[nodiscard]] SalvageStretch& stretch() { return walked_.stretches.back(); }
  [[nodiscard]] KeyFate fate_of_uncertain() const {
    return drops_uncertain_ ? KeyFate::dropped : KeyFate::uncertain;
  }

  void count(uint64_t db, ValueType type, KeyFate fate);
  void take_back(uint64_t db, ValueType type, KeyFate fate);

  void add_step(SalvageStep step);
  // Takes `insert` in its place. `why` may name a key.
  // `told`: up to where another step has told of it.
  void leave_out(Extent extent, SalvageAction action, const Finding& why, std::string insert,
                 uint64_t told = 0);
  // A whole record, which `why` may name the key of.
  void drop_record(Extent extent, const Finding& why);
  void keep_part(Extent extent, const Finding& why, uint64_t elements, std::string record);
  // Only says so: the record is put in for the gap that follows.
  void tell_part(Extent extent, const Finding& why, uint64_t elements);
  // Keeps or drops a record that may not be one.
  void doubt(Extent extent, uint64_t db, Bytes key, FindingCode why, const char* note);
  void note_middle(const Finding& why, uint64_t at);

  // How far it has come; back to there, for what was decided of the record at `offset` and later.
  struct Mark {
    size_t edits = 0;
    size_t steps = 0;
  };
  [[nodiscard]] Mark mark() const { return {walked_.edits.size(), walked_.steps.size()}; }
  void go_back(const Mark& mark, uint64_t offset);

 private:
  void add(uint64_t db, ValueType type, KeyFate fate, uint64_t by);

  bool drops_uncertain_;
  SalvageWalked walked_;
};

}  // namespace persist
