// Stays at the end of a log: of the last file of a set, and of those that a server begins after it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "io/follow_source.hpp"
#include "persist/append_set.hpp"
#include "persist/log.hpp"

namespace persist {

// Why a file that was followed came to its end.
enum class FollowEnd : uint8_t {
  none,      // the end of a pipe
  stopped,   // from the outside
  new_part,  // the manifest lists one behind it, next_part()
  cut_off,   // it became shorter than what was read of it
  replaced   // there is another file in its place, next_part()
};

// One file being followed.
class LogFollower {
 public:
  // `idle` is called when all there is has been read, before any waiting.
  LogFollower(const AppendSet& set, SetPart part, const LogFollowing& following, std::function<void()> idle);
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;

  [[nodiscard]] FollowSource& source() { return source_; }
  [[nodiscard]] FollowEnd end() const { return end_; }
  // What was being read is not to be judged: its rest was not there yet, or is not any more.
  [[nodiscard]] bool was_interrupted() const {
    return end_ == FollowEnd::stopped || end_ == FollowEnd::cut_off || end_ == FollowEnd::replaced;
  }
  [[nodiscard]] const SetPart& next_part() const { return next_; }

 private:
  bool wait();
  FollowEnd look_around();
  FollowEnd look_at_manifest();
  FollowEnd choose_next(const AppendSet& now);

  const AppendSet& set_;
  SetPart part_;
  const LogFollowing& following_;
  std::function<void()> idle_;
  FollowEnd due_ = FollowEnd::none;  // as soon as nothing more is left to read
  FollowEnd end_ = FollowEnd::none;
  SetPart next_;
  std::optional<std::string> manifest_seen_;
  FollowSource source_;
};

}  // namespace persist
