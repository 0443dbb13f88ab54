// The follower reads what the writer has left in the page cache: checking costs no time of its own where
// there is a second processor.
#include "ops/result_check.hpp"

#include <utility>

#include "io/follow_source.hpp"
#include "persist/check_set.hpp"

namespace persist {

ResultCheck::ResultCheck(SetPart part, const std::string& path, std::vector<std::string> known)
    : part_(std::move(part)), path_(path), known_(std::move(known)), thread_([this] { run(); }) {}

ResultCheck::~ResultCheck() {
  complete();
  if (thread_.joinable()) thread_.join();
}

void ResultCheck::grew(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  written_ += bytes;
  changed_.notify_one();
}

void ResultCheck::complete() {
  const std::lock_guard lock(mutex_);
  complete_ = true;
  changed_.notify_one();
}

bool ResultCheck::wait_for_more() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return written_ != seen_ || complete_; });
  const bool more = written_ != seen_;
  seen_ = written_;
  return more;
}

void ResultCheck::run() {
  try {
    AppendSet alone;
    alone.parts.push_back(part_);
    LogCheckOptions options;
    options.known = known_;
    options.rdb.threads = 1;
    options.open = [this](const SetPart&) {
      return std::make_unique<FollowSource>(path_, [this] { return wait_for_more(); });
    };
    check_set(alone, {}, found_, options);
    // Nobody knows the name it is being written under.
    for (Finding& finding : found_.all) finding.file = part_.name;
  } catch (...) {
    trouble_ = std::current_exception();
  }
}

const std::vector<Finding>& ResultCheck::findings() {
  if (thread_.joinable()) thread_.join();
  if (trouble_) std::rethrow_exception(trouble_);
  return found_.all;
}

}  // namespace persist
