// Checks a file while it is being written: the check follows the writer in a thread of its own, and is done
// soon after it.
#pragma once

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "persist/append_set.hpp"
#include "persist/finding.hpp"
#include "persist/sink.hpp"

namespace persist {

class ResultCheck {
 public:
  // `part` says what the file is to be, `path` where it is being written, `known` which names of commands are
  // to be taken for known.
  ResultCheck(SetPart part, const std::string& path, std::vector<std::string> known);
  // Whoever does not ask for the result does not get it.
  ~ResultCheck();
  ResultCheck(const ResultCheck&) = delete;
  ResultCheck& operator=(const ResultCheck&) = delete;

  // More of the file can be read. Called by the writer.
  void grew(uint64_t bytes);
  // All of it is there.
  void complete();

  // Waits for the end of the check. Throws what the check has thrown.
  const std::vector<Finding>& findings();

 private:
  void run();
  bool wait_for_more();

  SetPart part_;
  std::string path_;
  std::vector<std::string> known_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t written_ = 0;  // bytes, by the writer
  uint64_t seen_ = 0;     // of them, when the reader last asked
  bool complete_ = false;
  FindingList found_;
  std::exception_ptr trouble_;
  std::thread thread_;
};

// Passes on what is written, and tells a check of it.
class CheckedSink : public ByteSink {
 public:
  CheckedSink(std::unique_ptr<ByteSink> to, ResultCheck& check) : to_(std::move(to)), check_(check) {}
  void write(Bytes bytes) override {
    to_->write(bytes);
    check_.grew(bytes.size());
  }
  void finish() override {
    check_.complete();
    to_->finish();
  }

 private:
  std::unique_ptr<ByteSink> to_;
  ResultCheck& check_;
};

}  // namespace persist
