// redis.conf and valkey.conf, one directive a line: a name and its words. Only what concerns persistence is
// looked at; a broken line about anything else is the server's business.
#include "persist/server_conf.hpp"

#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "aof/part_name.hpp"
#include "aof/words.hpp"
#include "base/decimal.hpp"

namespace persist {

namespace {

namespace fs = std::filesystem;

constexpr int kIncludeDepthMax = 16;
// Two files that include each other twice would otherwise be read 2^16 times.
constexpr int kFilesMax = 1000;

using Words = std::vector<std::string>;  // the name of the directive is the first

std::invalid_argument bad_value(const Words& words, const std::string& expected) {
  std::string found = words.size() < 2 ? "none" : "";
  for (size_t i = 1; i < words.size(); ++i) found += (i > 1 ? " " : "") + shown_word(words[i]);
  return std::invalid_argument(words.front() + ": expected " + expected + ", found " + found);
}

const std::string& only_word(const Words& words, const char* expected) {
  if (words.size() != 2) throw bad_value(words, expected);
  return words[1];
}

bool yes_or_no(const Words& words) {
  const std::string& value = only_word(words, "yes or no");
  if (equals_ignoring_case(value, "yes")) return true;
  if (equals_ignoring_case(value, "no")) return false;
  throw bad_value(words, "yes or no");
}

uint64_t number(const Words& words, uint64_t min) {
  const std::string expected = min == 0 ? "a number" : "a number of at least " + std::to_string(min);
  const auto value = parse_decimal<uint64_t>(only_word(words, expected.c_str()));
  if (!value || *value < min) throw bad_value(words, expected);
  return *value;
}

std::string plain_name(const Words& words) {
  constexpr const char* kExpected = "a name without a folder";
  const std::string& value = only_word(words, kExpected);
  if (!is_plain_name(value)) throw bad_value(words, kExpected);
  return value;
}

// `save ""` takes away all save points, those before it, too.
bool save_points(const Words& words) {
  constexpr const char* kExpected = "\"\", or pairs of seconds and changes";
  if (words.size() == 2 && words[1].empty()) return false;
  const bool numbers = std::all_of(words.begin() + 1, words.end(), [](const std::string& word) {
    return parse_decimal<uint32_t>(word).has_value();
  });
  if (words.size() < 3 || words.size() % 2 == 0 || !numbers) throw bad_value(words, kExpected);
  return true;
}

struct Directive {
  Bytes name;
  void (*set)(ServerConf&, const Words&);
};
constexpr Directive kDirectives[] = {
    {"dir", [](ServerConf& conf, const Words& words) { conf.dir = only_word(words, "a folder"); }},
    {"appendonly", [](ServerConf& conf, const Words& words) { conf.appendonly = yes_or_no(words); }},
    {"appendfilename", [](ServerConf& conf, const Words& words) { conf.appendfilename = plain_name(words); }},
    {"appenddirname", [](ServerConf& conf, const Words& words) { conf.appenddirname = plain_name(words); }},
    {"dbfilename", [](ServerConf& conf, const Words& words) { conf.dbfilename = plain_name(words); }},
    {"databases", [](ServerConf& conf, const Words& words) { conf.databases = number(words, 1); }},
    {"aof-load-truncated",
     [](ServerConf& conf, const Words& words) { conf.aof_load_truncated = yes_or_no(words); }},
    {"aof-load-corrupt-tail-max-size",
     [](ServerConf& conf, const Words& words) { conf.aof_load_corrupt_tail_max_size = number(words, 0); }},
    {"save", [](ServerConf& conf, const Words& words) { conf.has_save_points = save_points(words); }},
};
constexpr Bytes kInclude = "include";

const Directive* find_directive(Bytes name) {
  const auto* directive = std::ranges::find_if(
      kDirectives, [&](const Directive& candidate) { return equals_ignoring_case(candidate.name, name); });
  return directive == std::end(kDirectives) ? nullptr : directive;
}

std::string read_text(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw std::system_error(EISDIR, std::generic_category(), path);
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(), path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The files that a pattern names, in order. A name without wildcards stands for itself, there or not.
std::vector<std::string> matching_files(const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return {pattern};
  glob_t found{};
  const std::unique_ptr<glob_t, void (*)(glob_t*)> guard(&found, ::globfree);
  if (::glob(pattern.c_str(), 0, nullptr, &found) != 0) return {};
  return {found.gl_pathv, found.gl_pathv + found.gl_pathc};
}

class ConfReader {
 public:
  explicit ConfReader(const std::string& path) : folder_(fs::absolute(path).parent_path()) {}

  ServerConf read(const std::string& path) {
    read_file(path, 0);
    if (conf_.dir) conf_.dir = (folder_ / *conf_.dir).lexically_normal().string();
    return std::move(conf_);
  }

 private:
  void read_file(const std::string& path, int depth) {
    if (++files_ > kFilesMax) throw std::invalid_argument("more than 1000 files are included");
    const std::string text = read_text(path);
    size_t number = 0;
    for (Bytes rest = text; !rest.empty();) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const Bytes line = trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      ++number;
      if (line.empty() || line.starts_with('#')) continue;
      try {
        read_line(line, depth);
      } catch (const std::invalid_argument& refusal) {
        if (complete_) throw;  // an included file has said where
        complete_ = true;
        throw std::invalid_argument(path + ":" + std::to_string(number) + ": " + refusal.what());
      }
    }
  }

  void read_line(Bytes line, int depth) {
    const auto words = split_words(line);
    if (!words) {
      const Bytes name = line.substr(0, line.find_first_of(" \t"));
      if (find_directive(name) == nullptr && !equals_ignoring_case(name, kInclude)) return;
      throw std::invalid_argument(std::string(name) + ": the quotes do not balance");
    }
    if (words->empty()) return;
    if (equals_ignoring_case(words->front(), kInclude)) {
      include(*words, depth + 1);
    } else if (const Directive* directive = find_directive(words->front())) {
      directive->set(conf_, *words);
    }
  }

  // Servers take what is relative from where they were started; the folder of the file is the best guess.
  void include(const Words& words, int depth) {
    const std::string& pattern = only_word(words, "a file");
    if (depth > kIncludeDepthMax) throw std::invalid_argument("files include each other more than 16 deep");
    for (const std::string& path : matching_files((folder_ / pattern).string())) read_file(path, depth);
  }

  fs::path folder_;  // of the first file
  ServerConf conf_;
  int files_ = 0;
  bool complete_ = false;  // the refusal on its way names its file and line
};

}  // namespace

ServerConf read_server_conf(const std::string& path) { return ConfReader(path).read(path); }

}  // namespace persist
