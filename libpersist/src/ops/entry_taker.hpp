// One thread's way from entries as they are read to what is written: selected, changed, copied or made anew.
#pragma once

#include <string>

#include "ops/duplicate_keys.hpp"
#include "ops/entry_output.hpp"
#include "ops/same_names.hpp"
#include "persist/filter.hpp"
#include "persist/key_changes.hpp"

namespace persist {

struct EntryPlan {
  const Filter* filter = nullptr;       // null: everything
  const KeyChanges* changes = nullptr;  // null: none
  // Sees what keys are to be called, where two could come to be one; null: they could not.
  SameNames* names = nullptr;
  // Takes what keys were called, where nobody else would find the same one twice; null: somebody would.
  DuplicateKeys* originals = nullptr;
};

class EntryTaker {
 public:
  // All must outlive it.
  EntryTaker(const EntryPlan& plan, EntryOutput& output)
      : plan_(plan),
        output_(output),
        takes_all_(plan.filter == nullptr || plan.filter->accepts_all()),
        changes_fields_(plan.changes != nullptr && plan.changes->changes_fields()),
        originals_(plan.originals != nullptr ? &plan.originals->hashes().appender() : nullptr) {
    if (plan.names != nullptr) names_.emplace(*plan.names);
  }

  // False if the value is damaged: then it has left no trace.
  bool take(const RdbEntry& entry, EntryValue& value);

 private:
  bool put_seen(const RdbEntry& entry, EntryValue& value, bool as_it_was);
  bool put(const RdbEntry& entry, EntryValue& value, bool as_it_was);
  bool put_changed_hash(const RdbEntry& entry, EntryValue& value);

  const EntryPlan& plan_;
  EntryOutput& output_;
  bool takes_all_;
  bool changes_fields_;
  DuplicateHashes::Appender* originals_;
  std::optional<SameNames::Watch> names_;
  RdbEntry changed_;  // the entry as it is to be
  std::string room_;  // for a key that is not what it was
};

}  // namespace persist
