// Builds logs record by record, sound ones and others, and append directories of them:
//
//   AofBuilder().command("SELECT 0").time(1700000000).command("SET a \"two words\"").raw("*3\r\n").bytes()
//   SetBuilder().base(file).incr(log).write(folder, "appendonlydir")
//
// man/persist-aof.5
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "persist/bytes.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"

namespace persist::test {

// The words of a line. Blanks separate; a word in double quotes may hold blanks, \" \\ \r \n \t and \xNN.
[[nodiscard]] std::vector<std::string> split_words(Bytes line);

// A command as servers write it.
[[nodiscard]] std::string resp(const std::vector<std::string>& args);
[[nodiscard]] std::string resp(Bytes line);

// What is whole of a log: the end of a record, and how far a cut there may go back.
struct Boundary {
  uint64_t offset = 0;
  bool in_multi = false;    // it lies inside of a transaction
  bool annotation = false;  // the record that ends there is no command
};

class AofBuilder {
 public:
  AofBuilder& command(Bytes line);
  AofBuilder& args(const std::vector<std::string>& args);
  AofBuilder& annotation(Bytes text);  // without '#' and line end
  AofBuilder& time(int64_t seconds);
  AofBuilder& multi() { return command("MULTI"); }
  AofBuilder& exec() { return command("EXEC"); }
  // A whole RDB file in front of the commands.
  AofBuilder& rdb(const RdbBuilder& file);
  AofBuilder& raw(Bytes bytes) { return bytes_ += bytes, *this; }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] size_t size() const { return bytes_.size(); }
  // The end of the RDB part, or 0, and of each record that was not added raw; ascending.
  [[nodiscard]] const std::vector<Boundary>& boundaries() const { return boundaries_; }

 private:
  std::string bytes_;
  std::vector<Boundary> boundaries_ = {{}};
  bool in_multi_ = false;
};

// The files of an append directory, and a manifest that lists them.
class SetBuilder {
 public:
  explicit SetBuilder(std::string name = "appendonly.aof") : name_(std::move(name)) {}

  // An RDB file or a log: the suffix follows from the content.
  SetBuilder& base(const std::string& bytes);
  SetBuilder& incr(const std::string& bytes);
  SetBuilder& history(const std::string& bytes);
  // A file that the manifest does not list.
  SetBuilder& unlisted(const std::string& name, const std::string& bytes);
  // A line for a file that is not there.
  SetBuilder& line(const std::string& text);
  // Instead of what follows from the files.
  SetBuilder& manifest(const std::string& text);
  SetBuilder& no_manifest() { return has_manifest_ = false, *this; }

  // Makes the folder anew and returns its path.
  [[nodiscard]] std::string write(const TempFolder& place, const std::string& folder = "appendonlydir") const;
  [[nodiscard]] const std::string& manifest_text() const { return manifest_; }

 private:
  SetBuilder& add(char type, uint64_t sequence, Bytes suffix, const std::string& bytes);

  std::string name_;
  std::vector<std::pair<std::string, std::string>> files_;
  std::string manifest_;
  bool has_manifest_ = true;
  uint64_t bases_ = 0;
  uint64_t incrs_ = 0;
};

// Of each file in a folder, the bytes by name.
using FolderContent = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] FolderContent content_of_folder(const std::string& path);

}  // namespace persist::test
