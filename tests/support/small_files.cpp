// Gathering small files.
#include "support/small_files.hpp"

#include <algorithm>
#include <filesystem>

#include "support/files.hpp"
#include "support/samples.hpp"

namespace persist::test {

namespace fs = std::filesystem;

std::vector<SmallFile> small_files(size_t bytes_max) {
  std::vector<SmallFile> files;
  for (const Sample& sample : samples()) files.push_back({sample.name, sample.file});
  const size_t built = files.size();
  const fs::path folder = fs::path(PERSIST_TESTDATA) / "rdb";
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".rdb" || entry.file_size() > bytes_max)
      continue;
    files.push_back({fs::relative(entry.path(), folder).string(), read_file(entry.path().string())});
  }
  std::ranges::sort(files.begin() + static_cast<ptrdiff_t>(built), files.end(), {}, &SmallFile::name);
  return files;
}

}  // namespace persist::test
