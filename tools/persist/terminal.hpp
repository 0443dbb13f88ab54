// What is known of the terminal, and how text gets there safely.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace persist::tool {

// With everything that is not plain UTF-8 text as \xNN: names and keys out of files must not drive a
// terminal.
std::string printable(std::string_view bytes);

enum class When { automatic, always, never };

// Whether to colour what goes to standard error, or to another descriptor.
bool use_colour();
bool use_colour_on(int descriptor);

// "1.4 GiB", "312 B"
std::string human_size(uint64_t bytes);

// "2026-11-20T18:00:00Z", out of seconds since the epoch.
std::string time_in_words(int64_t time_s);

// A line on standard error that tells how far a job has come: bytes, rate and time left. Nothing unless
// `when` or the terminal ask for it. Wiped when the object goes.
class ProgressLine {
 public:
  ProgressLine(When when, std::optional<uint64_t> total);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // To be called with each step; empty if no progress is wanted.
  [[nodiscard]] std::function<void(uint64_t)> callback();

 private:
  void show(uint64_t done);

  bool shown_ = false;
  bool wanted_ = false;
  std::optional<uint64_t> total_;
  int64_t began_ms_ = 0;
  int64_t last_ms_ = 0;
};

}  // namespace persist::tool
