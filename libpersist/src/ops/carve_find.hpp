// What stands at a place where something seems to begin. Each function reads as far as it makes sense, and
// returns nothing if that is not enough to be believed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "persist/carve.hpp"
#include "persist/source.hpp"

namespace persist {

// Files begin at multiples of this on disks.
inline constexpr uint64_t kSectorBytes = 512;
// So often those who wait are told how far it has come.
inline constexpr uint64_t kCarveTellBytes = uint64_t{16} << 20;

// How many bytes may be read that turn out to belong to nothing. What is read from one place and given up
// may be read again from a place inside of it; an image made of such places would take for ever. So in all no
// more than 16 times the image and 1 MiB may be read in vain: 4 times from the beginning on, and 12 for each
// byte that has been passed, so that bytes made to waste time leave something for the files behind them. No
// single look reads farther than what is left, but for one at a large command, whose arguments are passed.
class CarveBudget {
 public:
  explicit CarveBudget(uint64_t image_bytes) : granted_(kAtFirst + kTimesAtOnce * image_bytes) {}

  [[nodiscard]] uint64_t left(uint64_t offset) const {
    const uint64_t earned = granted_ + kTimesOnTheWay * offset;
    return earned - std::min(earned, spent_);
  }
  // A look farther than a little moves the window of a file away from where it was, and costs another one.
  void spend(uint64_t bytes) { spent_ += bytes + (bytes > kNearBytes ? kWindowCosts : 0); }

 private:
  static constexpr uint64_t kAtFirst = uint64_t{1} << 20;
  static constexpr uint64_t kTimesAtOnce = 4;
  static constexpr uint64_t kTimesOnTheWay = 12;
  static constexpr uint64_t kNearBytes = uint64_t{64} << 10;
  static constexpr uint64_t kWindowCosts = uint64_t{512} << 10;
  uint64_t granted_;
  uint64_t spent_ = 0;
};

// Where finds are looked for.
struct CarveSite {
  ByteSource& image;
  uint64_t end = 0;    // of the image
  uint64_t floor = 0;  // what stands before it belongs to the find before
  CarveBudget& budget;
  const std::function<void(uint64_t offset)>& progress;
};

struct CarveFind {
  Carved carved;      // its extent ends with the last whole record or command
  bool torn = false;  // what stands behind may still belong to it
  // Of RDB data that are torn, or whose checksum does not fit: where the beginning of another file may hide.
  // A record that is cut off reads on into what stands behind by its lengths alone, and may seem whole.
  std::optional<uint64_t> doubtful_from;
  std::string eof_mark;  // announced in front of the RDB data, and found behind
};

std::optional<CarveFind> carve_rdb(const CarveSite& site, uint64_t offset);
// `walked_to`: where the commands in a row end, whether or not they are a find.
std::optional<CarveFind> carve_log(const CarveSite& site, uint64_t offset, uint64_t commands_min,
                                   uint64_t& walked_to);
std::optional<CarveFind> carve_manifest(const CarveSite& site, uint64_t offset);

// Commands in a row.
struct CommandChain {
  uint64_t end = 0;                // of the last one, or of the annotations behind it
  uint64_t commands = 0;           // with annotations not counted
  uint64_t telling = 0;            // such as servers put into logs, by name and number of arguments
  bool torn = false;               // it ends in the middle of one
  std::optional<FindingCode> why;  // it is not whole
  uint64_t read = 0;               // how far it was looked at
};
// `telling_min`: with fewer telling commands it was read in vain, so it ends where the budget does.
CommandChain walk_chain(const CarveSite& site, uint64_t from, uint64_t telling_min);
// Where the command or annotation ends that stands at `from`, inside of a chain; `from` if none does.
uint64_t pass_in_chain(const CarveSite& site, uint64_t from);

}  // namespace persist
