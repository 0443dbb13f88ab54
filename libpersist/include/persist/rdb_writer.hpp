// Writes RDB files for a server of choice. persist-rdb(5)
//
//   persist::AtomicFile file("dump.rdb", persist::Existing::refuse);
//   persist::RdbWriter writer(file, {.target = persist::find_target("redis-6.2")});
//   writer.entry(head, [&](persist::ElementSink sink) { sink(persist::StringValue{"value"}); });
//   writer.finish();
//   file.commit();
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/element.hpp"
#include "persist/encoding.hpp"
#include "persist/function_ref.hpp"
#include "persist/loss.hpp"
#include "persist/rdb_reader.hpp"
#include "persist/sink.hpp"
#include "persist/target.hpp"

namespace persist {

struct WriteOptions {
  const Target* target = nullptr;  // whose files are written
  PackLimits limits;
  bool compress = true;              // strings, as rdbcompression says
  bool checksum = true;              // as rdbchecksum says
  std::vector<std::string> modules;  // whose data the target can read, besides what its release brings along
};

// Tells the elements of a value to a sink, in the order in which decoders do.
using TellElements = FunctionRef<void(ElementSink)>;

// Not thread-safe. Throws std::system_error when writing fails, std::invalid_argument for a value that is
// none (two kinds of elements), std::length_error for what no file of the target can state.
class PERSIST_API RdbWriter {
 public:
  // The sink must outlive the writer. The header and the AUX fields that say who can read the file are
  // written at once.
  RdbWriter(ByteSink& sink, const WriteOptions& options);
  ~RdbWriter();
  RdbWriter(const RdbWriter&) = delete;
  RdbWriter& operator=(const RdbWriter&) = delete;

  // What the target has no room for is left out and counted in losses().
  void aux(Bytes name, Bytes value);
  void function(Bytes code);
  // False if nothing of the value is left that the target could hold. Of the head, db, key, expiry, idle
  // time, frequency and metadata count, and the type of its encoding. Nobody looks for keys that come twice:
  // servers refuse such files.
  bool entry(const RdbEntry& head, TellElements tell);

  // The end of the file. The sink is not finished.
  void finish();

  [[nodiscard]] const LossReport& losses() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What DUMP of the target's server would answer for the value. Empty if the target cannot hold it.
PERSIST_API std::string make_dump_payload(const RdbEntry& head, TellElements tell,
                                          const WriteOptions& options, LossReport& losses);

}  // namespace persist
