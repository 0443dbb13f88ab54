// Files without a name: nothing shows of them, what was written is read, and trouble is told.
#include "io/unnamed_file.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>

#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// Where temporary files go, as long as it lives.
class UnnamedFolder {
 public:
  explicit UnnamedFolder(const std::string& path) {
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    ::setenv("TMPDIR", path.c_str(), 1);
  }
  ~UnnamedFolder() {
    if (before_)
      ::setenv("TMPDIR", before_->c_str(), 1);
    else
      ::unsetenv("TMPDIR");
  }
  UnnamedFolder(const UnnamedFolder&) = delete;
  UnnamedFolder& operator=(const UnnamedFolder&) = delete;

 private:
  std::optional<std::string> before_;
};

std::string read_text(const UnnamedFile& file, size_t size, uint64_t at) {
  std::string text(size, '\0');
  file.read(text.data(), size, at);
  return text;
}

}  // namespace

TEST_CASE("unnamed file: what is appended stands one behind the other, and no name shows") {
  const TempFolder folder;
  const UnnamedFolder set(folder.path());
  UnnamedFile file;
  CHECK_FALSE(file.is_open());
  CHECK(file.append("abc") == 0);
  CHECK(file.append("") == 3);
  CHECK(file.append("defg") == 3);
  CHECK(file.appended() == 7);
  CHECK(file.is_open());
  CHECK(folder.names().empty());
  CHECK(read_text(file, 7, 0) == "abcdefg");
  CHECK(read_text(file, 2, 4) == "ef");
  CHECK(file.write_at("XY", 2, 2) == 0);
  CHECK(read_text(file, 7, 0) == "abXYefg");
}

TEST_CASE("unnamed file: closed, it forgets; then it is as new") {
  const TempFolder folder;
  const UnnamedFolder set(folder.path());
  UnnamedFile file;
  file.append("abc");
  file.close();
  CHECK_FALSE(file.is_open());
  CHECK(file.appended() == 0);
  CHECK(file.append("de") == 0);
  char beyond = 0;
  CHECK(file.read_at(&beyond, 1, 2) == EIO);
  CHECK(read_text(file, 2, 0) == "de");
}

TEST_CASE("unnamed file: the end of it is an error") {
  UnnamedFile file;
  file.append("abc");
  char four[4];
  CHECK(file.read_at(four, 4, 0) == EIO);
  CHECK(file.read_at(four, 0, 3) == 0);
  CHECK(error_of([&] { file.read(four, 4, 0); }, temporary_folder()) == EIO);
}

TEST_CASE("unnamed file: a folder that is not there, and a disk that is full") {
  const TempFolder folder;
  {
    const UnnamedFolder set(folder.path("absent"));
    UnnamedFile file;
    CHECK(file.open() == ENOENT);
    CHECK_FALSE(file.is_open());
    CHECK(error_of([&] { file.append("a"); }, folder.path("absent")) == ENOENT);
  }
  const UnnamedFolder set(folder.path());
  const FileSizeLimit limit(10);
  UnnamedFile file;
  CHECK(file.append("12345678") == 0);
  // Two bytes go in before that: less than was asked for.
  CHECK(error_of([&] { file.append("90123"); }, folder.path()) == EFBIG);
  CHECK(file.appended() == 8);
  CHECK(file.append("90") == 8);
  CHECK(read_text(file, 10, 0) == "1234567890");
}
