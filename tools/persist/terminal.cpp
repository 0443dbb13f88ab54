// Terminal manners: nothing that was not asked for when standard error is a file or a pipe.
#include "terminal.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace persist::tool {

namespace {

// The length of the UTF-8 sequence at the beginning, or 0 if there is none.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xc2 && first < 0xe0 ? 2
                        : first >= 0xe0 && first < 0xf0 ? 3
                        : first >= 0xf0 && first < 0xf5 ? 4
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (length == 3 && ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0))) return 0;
  if (length == 4 && ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90))) return 0;
  return length;
}

// C0 and C1 control characters, among them the escape that begins terminal sequences.
bool is_control(std::string_view sequence) {
  const auto first = static_cast<uint8_t>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return sequence.size() == 2 && first == 0xc2 && static_cast<uint8_t>(sequence[1]) < 0xa0;
}

int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const size_t length = sequence_length(bytes);
    const std::string_view sequence = bytes.substr(0, length == 0 ? 1 : length);
    if (length > 0 && !is_control(sequence))
      text += sequence;
    else
      for (const char c : sequence) text += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
    bytes.remove_prefix(sequence.size());
  }
  return text;
}

bool use_colour() { return use_colour_on(STDERR_FILENO); }

bool use_colour_on(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(descriptor) != 0 && (no_colour == nullptr || *no_colour == '\0');
}

std::string human_size(uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (size >= 1024 && unit + 1 < kUnits.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::string time_in_words(int64_t time_s) {
  std::array<char, 64> text{};
  const std::time_t time = time_s;
  std::tm parts{};
  // Files may hold times that no calendar reaches.
  if (::gmtime_r(&time, &parts) == nullptr) return fmt::format("{} s since 1970", time_s);
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

ProgressLine::ProgressLine(When when, std::optional<uint64_t> total)
    : wanted_(when == When::always || (when == When::automatic && ::isatty(STDERR_FILENO) != 0)),
      total_(total),
      began_ms_(now_ms()),
      last_ms_(began_ms_) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

std::function<void(uint64_t)> ProgressLine::callback() {
  if (!wanted_) return {};
  return [this](uint64_t done) { show(done); };
}

void ProgressLine::show(uint64_t done) {
  constexpr int64_t kEveryMs = 200;
  const int64_t now = now_ms();
  if (now - last_ms_ < kEveryMs) return;
  last_ms_ = now;
  shown_ = true;
  const double seconds = static_cast<double>(now - began_ms_) / 1000;
  const double rate = static_cast<double>(done) / seconds;
  std::string line = fmt::format("\r{}", human_size(done));
  if (total_ && *total_ > 0) {
    line += fmt::format(" of {} ({:.0f} %)", human_size(*total_),
                        100.0 * static_cast<double>(done) / static_cast<double>(*total_));
  }
  line += fmt::format(", {}/s", human_size(static_cast<uint64_t>(rate)));
  if (total_ && *total_ >= done && rate > 0) {
    line += fmt::format(", {:.0f} s left", static_cast<double>(*total_ - done) / rate);
  }
  std::fputs((line + "\x1b[K").c_str(), stderr);
}

}  // namespace persist::tool
