// Putting logs and append directories together.
#include "support/aof_builder.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "support/bytes_builder.hpp"

namespace persist::test {

namespace fs = std::filesystem;

namespace {

// What stands behind a backslash; `rest` loses it.
char take_escaped(Bytes& rest) {
  if (rest.empty()) throw std::invalid_argument("a backslash at the end of a line");
  const char sign = rest.front();
  rest.remove_prefix(1);
  switch (sign) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'x': {
      const char byte = unhex(rest.substr(0, 2)).front();
      rest.remove_prefix(2);
      return byte;
    }
    default:
      return sign;
  }
}

std::string take_word(Bytes& rest) {
  std::string word;
  const bool quoted = rest.front() == '"';
  if (quoted) rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != (quoted ? '"' : ' ')) {
    const char sign = rest.front();
    rest.remove_prefix(1);
    word += quoted && sign == '\\' ? take_escaped(rest) : sign;
  }
  if (quoted && rest.empty()) throw std::invalid_argument("a quote is not closed");
  if (quoted) rest.remove_prefix(1);
  return word;
}

bool is_name(const std::string& word, Bytes upper) {
  return std::ranges::equal(word, upper, {}, [](char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; });
}

}  // namespace

std::vector<std::string> split_words(Bytes line) {
  std::vector<std::string> words;
  while (true) {
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (line.empty()) return words;
    words.push_back(take_word(line));
  }
}

std::string resp(const std::vector<std::string>& args) {
  std::string bytes = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args) {
    bytes += "$" + std::to_string(arg.size()) + "\r\n";
    bytes += arg;
    bytes += "\r\n";
  }
  return bytes;
}

std::string resp(Bytes line) { return resp(split_words(line)); }

// ---------------------------------------------------------------------------------------------------- a log

AofBuilder& AofBuilder::command(Bytes line) { return args(split_words(line)); }

AofBuilder& AofBuilder::args(const std::vector<std::string>& args) {
  bytes_ += resp(args);
  if (is_name(args.front(), "MULTI")) in_multi_ = true;
  if (is_name(args.front(), "EXEC")) in_multi_ = false;
  boundaries_.push_back({bytes_.size(), in_multi_, false});
  return *this;
}

AofBuilder& AofBuilder::annotation(Bytes text) {
  bytes_ += '#';
  bytes_ += text;
  bytes_ += "\r\n";
  boundaries_.push_back({bytes_.size(), in_multi_, true});
  return *this;
}

AofBuilder& AofBuilder::time(int64_t seconds) { return annotation("TS:" + std::to_string(seconds)); }

AofBuilder& AofBuilder::rdb(const RdbBuilder& file) {
  bytes_ += file.eof();
  boundaries_ = {{bytes_.size(), false, false}};
  return *this;
}

// ---------------------------------------------------------------------------------------------------- a set

SetBuilder& SetBuilder::add(char type, uint64_t sequence, Bytes suffix, const std::string& bytes) {
  const std::string name = name_ + "." + std::to_string(sequence) + std::string(suffix);
  files_.emplace_back(name, bytes);
  return line("file " + name + " seq " + std::to_string(sequence) + " type " + type);
}

SetBuilder& SetBuilder::base(const std::string& bytes) {
  const bool rdb = bytes.starts_with("REDIS") || bytes.starts_with("VALKEY");
  return add('b', ++bases_, rdb ? ".base.rdb" : ".base.aof", bytes);
}

SetBuilder& SetBuilder::incr(const std::string& bytes) { return add('i', ++incrs_, ".incr.aof", bytes); }

SetBuilder& SetBuilder::history(const std::string& bytes) { return add('h', ++incrs_, ".incr.aof", bytes); }

SetBuilder& SetBuilder::unlisted(const std::string& name, const std::string& bytes) {
  files_.emplace_back(name, bytes);
  return *this;
}

SetBuilder& SetBuilder::line(const std::string& text) {
  manifest_ += text + "\n";
  return *this;
}

SetBuilder& SetBuilder::manifest(const std::string& text) {
  manifest_ = text;
  return *this;
}

std::string SetBuilder::write(const TempFolder& place, const std::string& folder) const {
  const std::string path = place.path(folder);
  fs::remove_all(path);
  fs::create_directories(path);
  for (const auto& [name, bytes] : files_) write_file(path + "/" + name, bytes);
  if (has_manifest_) write_file(path + "/" + name_ + ".manifest", manifest_);
  return path;
}

FolderContent content_of_folder(const std::string& path) {
  FolderContent content;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file())
      content.emplace_back(fs::relative(entry.path(), path).string(), read_file(entry.path().string()));
  }
  std::ranges::sort(content);
  return content;
}

}  // namespace persist::test
