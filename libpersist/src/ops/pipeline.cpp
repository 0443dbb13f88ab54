// Every thread does the same: take the lock, cut the next piece and a ticket; work on the piece without the
// lock; wait for the ticket's turn; hand on. What cannot be cut (a huge record, damage, the end) is read
// straight from the source by the thread that met it, with the lock held and in its turn.
#include "ops/pipeline.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "rdb/pieces.hpp"

namespace persist {

namespace {

// More threads than this only wait for the one that cuts.
constexpr unsigned kThreadsMax = 4;

// Below this a second thread costs more than it brings.
constexpr uint64_t kBytesWorthThreads = uint64_t{8} << 20;

class Pipeline {
 public:
  Pipeline(ByteSource& source, FindingSink& findings, const PipelineOptions& options, const RdbState& state,
           uint64_t valid_up_to)
      : source_(source),
        findings_(findings),
        options_(options),
        cutter_(source, state),
        checksum_(state.checksum) {
    result_.header = state;
    result_.valid_up_to = valid_up_to;
    damaged_ = valid_up_to == 0;  // even the header was not in order
  }

  void run(PieceWorker& worker) {
    try {
      while (step(worker)) {
      }
    } catch (...) {
      const std::lock_guard lock(turn_mutex_);
      if (!trouble_) trouble_ = std::current_exception();
      over_ = true;
      turn_changed_.notify_all();
    }
  }

  PipelineResult finish() {
    if (trouble_) std::rethrow_exception(trouble_);
    return result_;
  }

 private:
  bool step(PieceWorker& worker) {
    std::unique_lock lock(cut_mutex_);
    if (done_) return false;
    const uint64_t ticket = next_ticket_++;
    Piece piece;
    const RdbState before = cutter_.state();
    if (!cutter_.next(piece)) return read_straight(worker, ticket);
    lock.unlock();

    FindingList found;
    RecordReader records(piece.bytes, before, found, source_);
    records.set_payloads(options_.payloads);
    worker.work(records, found);
    if (!await(ticket)) return false;
    checksum_.extend(piece.bytes, piece.offset);
    advance(records, found);
    worker.emit();
    if (options_.progress) options_.progress(records.offset());
    // Damage that lengths alone did not show: what comes behind it is not to be told.
    pass_turn(records.stopped());
    return !records.stopped();
  }

  // One record, or all that is left to say. Holds the lock: nobody else may use the source meanwhile.
  bool read_straight(PieceWorker& worker, uint64_t ticket) {
    done_ = true;
    if (!await(ticket)) return false;
    RdbState state = cutter_.state();
    state.checksum = checksum_;
    FindingList found;
    RecordReader records(source_, state, found);
    records.set_payloads(options_.payloads);
    records.stop_after_next();
    worker.work(records, found);
    const bool more = records.finish_value() && !records.complete();
    advance(records, found);
    worker.emit();
    result_.complete = records.complete();
    const RdbState after = records.state();
    cutter_.resume(after);
    checksum_ = after.checksum;
    done_ = !more;
    pass_turn(false);
    return more;
  }

  void advance(const RecordReader& records, const FindingList& found) {
    if (!damaged_) result_.valid_up_to = records.valid_up_to();
    for (const Finding& finding : found.all) {
      if (finding.kind().severity == Severity::error) {
        damaged_ = true;
        result_.valid_up_to = std::min(result_.valid_up_to, finding.extent.offset);
      }
      findings_.report(finding);
    }
  }

  bool await(uint64_t ticket) {
    std::unique_lock lock(turn_mutex_);
    turn_changed_.wait(lock, [&] { return over_ || turn_ == ticket; });
    return !over_;
  }

  void pass_turn(bool over) {
    {
      const std::lock_guard lock(turn_mutex_);
      ++turn_;
      over_ = over_ || over;
    }
    turn_changed_.notify_all();
  }

  ByteSource& source_;
  FindingSink& findings_;
  const PipelineOptions& options_;

  std::mutex cut_mutex_;  // guards the source, and:
  PieceCutter cutter_;
  uint64_t next_ticket_ = 0;
  bool done_ = false;

  std::mutex turn_mutex_;  // guards:
  std::condition_variable turn_changed_;
  uint64_t turn_ = 0;
  bool over_ = false;  // nobody gets a turn any more
  std::exception_ptr trouble_;

  // Only touched by the thread whose turn it is:
  Checksum checksum_;
  PipelineResult result_;
  bool damaged_ = false;
};

// A thread of its own that says so if it cannot be had: then there is one fewer.
std::vector<std::thread> start_threads(Pipeline& pipeline,
                                       std::span<const std::unique_ptr<PieceWorker>> workers) {
  std::vector<std::thread> threads;
  for (const std::unique_ptr<PieceWorker>& worker : workers) {
    try {
      threads.emplace_back([&pipeline, &worker] { pipeline.run(*worker); });
    } catch (const std::system_error&) {
      break;
    }
  }
  return threads;
}

}  // namespace

unsigned useful_threads(unsigned asked) {
  constexpr unsigned kAskedMax = 64;
  if (asked > 0) return std::min(asked, kAskedMax);
  return std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsMax);
}

PipelineResult run_pipeline(ByteSource& source, FindingSink& findings, const PipelineOptions& options,
                            const MakeWorker& make_worker) {
  RecordReader header(source, findings);
  header.stop_after_next();
  const std::unique_ptr<PieceWorker> first = make_worker();
  first->work(header, findings);
  first->emit();
  if (!header.knows_header()) return {};

  const bool small = source.size() && *source.size() < kBytesWorthThreads;
  const unsigned threads = small && options.threads == 0 ? 1 : useful_threads(options.threads);
  std::vector<std::unique_ptr<PieceWorker>> others;
  for (unsigned i = 1; i < threads; ++i) others.push_back(make_worker());

  Pipeline pipeline(source, findings, options, header.state(), header.valid_up_to());
  std::vector<std::thread> running = start_threads(pipeline, others);
  pipeline.run(*first);
  for (std::thread& thread : running) thread.join();
  return pipeline.finish();
}

}  // namespace persist
