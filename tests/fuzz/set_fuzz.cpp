// One file, checked and repaired: the check does not crash, and what a repair writes is sound, no longer than
// its input but for what was put in, and needs no other repair.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "persist/check_set.hpp"
#include "persist/repair.hpp"

namespace {

namespace fs = std::filesystem;
using namespace persist;

void require(bool holds) {
  if (!holds) std::abort();
}

// In memory if the system has such a folder; gone when the process ends.
class Place {
 public:
  Place()
      : path_((fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) / name()) {
    fs::create_directory(path_);
  }
  ~Place() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path(const char* file) const { return (path_ / file).string(); }

 private:
  static std::string name() { return "persist-set-fuzz-" + std::to_string(::getpid()); }
  fs::path path_;
};

bool is_sound(const std::string& path) {
  FindingList found;
  LogCheckOptions options;
  options.rdb.threads = 1;
  check_set(single_file_set(path), {}, found, options);
  return std::ranges::none_of(found.all, [](const Finding& finding) {
    if (finding.message().empty() && finding.kind().sentence.empty()) std::abort();
    return finding.kind().severity == Severity::error;
  });
}

// False if it was refused; then nothing may be there.
bool repair(const std::string& from, const std::string& to, bool salvage, RepairSummary& summary) {
  fs::remove(to);
  fs::remove_all(to + ".lost");
  RepairOptions options;
  options.salvage = salvage;
  OutputOptions output;
  output.path = to;
  try {
    summary = repair_set(single_file_set(from), options, output);
    return true;
  } catch (const EditRefused&) {
    require(!fs::exists(to) && !fs::exists(to + ".lost"));
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Place place;
  const std::string input = place.path("in.aof");
  const std::string output = place.path("out.aof");
  std::ofstream(input, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  const bool sound = is_sound(input);
  // Of what is compressed, the sizes are others.
  if (recognise_compression({reinterpret_cast<const char*>(data), size}) != Compression::none) return 0;
  for (const bool salvage : {false, true}) {
    RepairSummary summary;
    if (!repair(input, output, salvage, summary)) continue;
    require(summary.edit.bytes_kept + summary.edit.bytes_dropped == size);
    require(fs::file_size(output) == summary.edit.bytes_kept + summary.edit.bytes_inserted);
    require(is_sound(output));
    require(!sound || summary.edit.bytes_dropped == 0);
    RepairSummary again;
    require(repair(output, place.path("again.aof"), false, again) && again.steps.empty());
  }
  return 0;
}
