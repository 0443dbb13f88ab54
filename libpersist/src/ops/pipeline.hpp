// Runs a verb over an RDB file with several threads: one cuts pieces while others work, and what they make is
// handed on in the order of the file.
#pragma once

#include <functional>
#include <memory>

#include "persist/finding.hpp"
#include "persist/source.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

// The work on one piece at a time; each thread has one of its own.
class PieceWorker {
 public:
  virtual ~PieceWorker() = default;

  // Reads all the records it is given; `findings` takes what it finds besides the reader. If
  // records.from_source(), it is this worker's turn already, and what it makes may go out at once: that is
  // how records too large for memory pass.
  virtual void work(RecordReader& records, FindingSink& findings) = 0;

  // Hands on what work() made. Called in the order of the file, by one thread at a time.
  virtual void emit() = 0;
};

using MakeWorker = std::function<std::unique_ptr<PieceWorker>()>;

// Called now and then, by one thread at a time: the offset that has been dealt with.
using Progress = std::function<void(uint64_t offset)>;

struct PipelineOptions {
  unsigned threads = 0;  // 0: as many as are useful here
  Payloads payloads = Payloads::wanted;
  Progress progress;
};

struct PipelineResult {
  bool complete = false;  // an EOF opcode was read
  uint64_t valid_up_to = 0;
  RdbState header;  // as it was behind the header: what is needed to read the file once more
};

// The header is given to the first worker, too. Findings come in the order of the file.
PipelineResult run_pipeline(ByteSource& source, FindingSink& findings, const PipelineOptions& options,
                            const MakeWorker& make_worker);

[[nodiscard]] unsigned useful_threads(unsigned asked);

}  // namespace persist
