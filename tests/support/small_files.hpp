// Small whole files of every kind: the samples, and those that real servers wrote.
#pragma once

#include <string>
#include <vector>

namespace persist::test {

struct SmallFile {
  std::string name;
  std::string bytes;
};

// The samples, and every *.rdb in testdata/rdb of at most `bytes_max` bytes.
[[nodiscard]] std::vector<SmallFile> small_files(size_t bytes_max);

}  // namespace persist::test
