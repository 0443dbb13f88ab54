// The value of an entry on its way through a verb, wherever it comes from.
#pragma once

#include "persist/element.hpp"

namespace persist {

class EntryValue {
 public:
  virtual ~EntryValue() = default;

  // Tells the value. False if it turned out to be damaged half-way: then what was told is void, and nothing
  // more can be asked. Else it may be called again.
  virtual bool tell(ElementSink sink) = 0;

  // The value, and the whole record with its prefixes, as they stand in a file: in the layout that the entry
  // names. What is not at hand is empty: it can be told.
  struct Raw {
    bool whole = true;  // false: it is damaged, and nothing more can be asked
    Bytes value;
    Bytes record;
    bool has_inflated = false;  // something in it is compressed
    bool is_void = false;       // there is no element in it
  };
  virtual Raw raw() = 0;

  // Moves over it. False if it is damaged.
  virtual bool skip() = 0;

 protected:
  EntryValue() = default;
  EntryValue(const EntryValue&) = default;
  EntryValue& operator=(const EntryValue&) = default;
};

}  // namespace persist
