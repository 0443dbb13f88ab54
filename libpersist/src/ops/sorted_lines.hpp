// JSON Lines in the order of their keys, whatever order they are in.
#pragma once

#include <string>
#include <vector>

#include "persist/finding.hpp"
#include "persist/key_changes.hpp"
#include "persist/source.hpp"
#include "text/json_reader.hpp"

namespace persist {

class SortedLines {
 public:
  // The source must be rereadable and outlive the object.
  explicit SortedLines(ByteSource& source) : source_(source) {}

  // Reads all lines once, to know their keys: about a hundred bytes of memory for each. What is no entry is
  // told as it comes. `changes` says what keys will be called; null: what they are. False if a line is not
  // right, which has been reported.
  bool index(FindingSink& findings, const KeyChanges* changes,
             FunctionRef<void(const RdbRecord&)> tell_other);

  // Tells each entry as it stands in its line, in the order of what it will be called.
  void for_each(FunctionRef<void(const RdbEntry&, Value&)> tell);

 private:
  struct Line {
    uint64_t db = 0;
    std::string key;
    std::string key_meta;
    Extent extent;
  };

  ByteSource& source_;
  std::vector<Line> lines_;
};

}  // namespace persist
