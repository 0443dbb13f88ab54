// Reads JSON Lines, schema 1: what json_lines.hpp writes, and what people write by the same rules. Also lines
// with a DUMP payload in the place of the value. persist-dump(1), JSON LINES
//
// Members may stand in any order, but each is known, is there once, and is what the schema says, and every
// value is one that servers load: so that what was mistyped is said and not lost.
#pragma once

#include <memory>

#include "persist/rdb_reader.hpp"
#include "types/value.hpp"

namespace persist {

class JsonLinesReader {
 public:
  // Both must outlive the reader.
  JsonLinesReader(ByteSource& source, FindingSink& findings);
  ~JsonLinesReader();
  JsonLinesReader(const JsonLinesReader&) = delete;
  JsonLinesReader& operator=(const JsonLinesReader&) = delete;

  // The next line as a record; nullptr at the end, or at the first line that is not right, which has been
  // reported. Its extent is that of the line. A line of key metadata comes as part of its entry. All Bytes
  // are valid until the next call. Throws std::system_error when the source cannot be read.
  const RdbRecord* next();

  // Of the entry that next() returned. Valid until the next call; may be changed.
  [[nodiscard]] Value& value();

  // The end of the source was reached, and nothing was wrong.
  [[nodiscard]] bool complete() const;

 private:
  class Lines;
  std::unique_ptr<Lines> lines_;
};

}  // namespace persist
