// The binary as aof-check: the lines and exit status of redis-check-aof, which scripts look for. Files are
// opened for reading only; only what was agreed to be cut off is, and kept.
// persist-check(1), AOF-CHECK
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cut_tail.hpp"
#include "log_scan.hpp"
#include "persist/manifest.hpp"
#include "persist/source.hpp"
#include "rdb_lines.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

constexpr size_t kHeadBytes = size_t{64} << 10;
constexpr std::string_view kBase = "BASE ";
constexpr std::string_view kIncr = "INCR ";

struct Request {
  std::string path;
  bool fix = false;
  std::optional<int64_t> up_to_s;
};

// One file of the log. Most lines have its name; some of the original's have the path.
struct Part {
  std::string name;
  std::string path;
  std::string_view kind;  // what stands in front of its name in a set
  bool last = true;
  FileMark mark = {};
  std::unique_ptr<ByteSource> source = {};
};

enum class Outcome : uint8_t { valid, empty, cut, cut_to_time, failed };

template <typename... Values>
void hint(fmt::format_string<Values...> text, Values&&... values) {
  fmt::print(stderr, "aof-check: {}\n", fmt::format(text, std::forward<Values>(values)...));
}

// Throws std::system_error, its code telling the reason. Nobody listed a FIFO or a device, which could make
// us wait for ever.
void open_part(Part& part) {
  const bool listed = !part.kind.empty();
  if (listed || part.path != "-") part.mark = mark_of(part.path);
  if (listed && !part.mark.regular) {
    const int error = std::filesystem::is_directory(part.path) ? EISDIR : EINVAL;
    throw std::system_error(error, std::generic_category(), part.path);
  }
  part.source = open_source(part.path);
}

bool has_rdb_magic(Bytes head) {
  constexpr size_t kHeaderBytesMin = 8;
  return head.size() >= kHeaderBytesMin && (head.starts_with("REDIS") || head.starts_with("VALKEY"));
}

// The first character is what the original goes by. Whatever standard input is, it is asked: `yes |` works.
bool is_agreed() {
  std::fflush(stdout);
  const int answer = std::fgetc(stdin);
  return answer == 'y' || answer == 'Y';
}

// A check of one file, or of the files of one manifest.
class AofCheck {
 public:
  explicit AofCheck(const Request& request) : request_(request) {}

  Outcome check(Part& part) {
    if (part.source->window(0, 1).bytes.empty() && part.source->damage() == nullptr) return Outcome::empty;
    uint64_t log_begin = 0;
    if (has_rdb_magic(part.source->window(0, kHeadBytes).bytes)) {
      const RdbVerdict rdb = print_rdb_check(*part.source, part.name);
      if (!rdb.sound) {
        fmt::print("RDB preamble of AOF file is not sane, aborting.\n");
        return Outcome::failed;
      }
      fmt::print("RDB preamble is OK, proceeding with AOF tail...\n");
      log_begin = rdb.end;
      if (!go_back(part)) return Outcome::failed;
    }
    const ScanResult result = scan_log(*part.source, {log_begin, line_, part.path, request_.up_to_s});
    line_ = result.line;
    if (const Finding* damage = part.source->damage()) {
      hint("{}", printable(damage->file + ": " + damage->message()));
      return Outcome::failed;
    }
    tell_servers_view(part, result);
    if (result.stop == ScanResult::Stop::end) return judge(part, result);
    if (result.stop == ScanResult::Stop::timestamp) return cut_to_time(part, result);
    fmt::print("Invalid timestamp annotation\n");
    return Outcome::failed;
  }

 private:
  // The RDB part was read ahead of its end.
  static bool go_back(Part& part) {
    if (part.source->rereadable()) return true;
    if (part.mark.regular) {
      part.source = open_source(part.path);
      return true;
    }
    hint("{}: what follows the RDB part can only be read from a file", printable(part.name));
    return false;
  }

  static void tell_servers_view(const Part& part, const ScanResult& result) {
    if (result.hollow) {
      hint("{}: servers refuse the record without arguments at 0x{:x}", printable(part.path), *result.hollow);
    }
    if (result.torn_annotation) {
      hint("{}: the annotation at 0x{:x} is torn; what a server appends to it cannot be read again",
           printable(part.path), *result.torn_annotation);
    }
  }

  Outcome judge(const Part& part, const ScanResult& result) {
    const std::string name = printable(part.name);
    if (result.format_error) fmt::print("AOF {} format error\n", name);
    if (!result.detail.empty()) fmt::print("0x{:16x}: {}\n", result.place, result.detail);
    if (result.valid() && request_.up_to_s) {
      fmt::print("Truncate nothing in AOF {} to timestamp {}\n", name, *request_.up_to_s);
      return Outcome::valid;
    }
    fmt::print("AOF analyzed: filename={}, size={}, ok_up_to={}, ok_up_to_line={}, diff={}\n", name,
               result.size, result.ok_up_to, result.line, result.size - result.ok_up_to);
    if (result.valid()) return Outcome::valid;
    if (!request_.fix) {
      fmt::print("AOF {} is not valid. Use the --fix option to try fixing it.\n", name);
      return Outcome::failed;
    }
    return fix(part, result);
  }

  static Outcome fix(const Part& part, const ScanResult& result) {
    const std::string name = printable(part.name);
    if (!part.last) {
      fmt::print("Failed to truncate AOF {} because it is not the last file\n", name);
      hint("`persist repair` repairs any file of a set, into a new one");
      return Outcome::failed;
    }
    if (!can_cut(part)) return Outcome::failed;
    fmt::print("This will shrink the AOF {} from {} bytes, with {} bytes, to {} bytes\n", name, result.size,
               result.size - result.ok_up_to, result.ok_up_to);
    fmt::print("Continue? [y/N]: ");
    if (!is_agreed()) {
      fmt::print("Aborting...\n");
      return Outcome::failed;
    }
    return cut(part, result.ok_up_to) ? Outcome::cut : Outcome::failed;
  }

  Outcome cut_to_time(const Part& part, const ScanResult& result) const {
    const std::string path = printable(part.path);
    if (result.place == 0) {
      fmt::print("AOF {} has nothing before timestamp {}, aborting...\n", path, *request_.up_to_s);
      return Outcome::failed;
    }
    if (!part.last) {
      fmt::print("Failed to truncate AOF {} to timestamp {} to offset {} because it is not the last file.\n",
                 path, *request_.up_to_s, result.place);
      fmt::print(
          "If you insist, please delete all files after this file according to the manifest file and delete "
          "the corresponding records in manifest file manually. Then re-run redis-check-aof.\n");
      hint("`persist cut` cuts any file of a set, into a new one");
      return Outcome::failed;
    }
    return can_cut(part) && cut(part, result.place) ? Outcome::cut_to_time : Outcome::failed;
  }

  static bool refuse(const Part& part, const std::string& reason) {
    fmt::print("Failed to truncate AOF {}\n", printable(part.name));
    hint("{}", printable(reason));
    return false;
  }

  // Only regular files that hold the log as it is.
  static bool can_cut(const Part& part) {
    if (!part.mark.regular) return refuse(part, part.path + " cannot be cut: it is no regular file");
    if (part.source->compression() != Compression::none)
      return refuse(part, part.path + " cannot be cut: it is compressed");
    return true;
  }

  static bool cut(const Part& part, uint64_t size) {
    try {
      hint("what was cut off is in {}", printable(cut_tail(part.path, part.mark, size)));
      return true;
    } catch (const std::system_error& error) {
      return refuse(part, error.what());
    }
  }

  const Request& request_;
  uint64_t line_ = 1;  // goes on from file to file
};

// The last line about a file.
bool print_outcome(Outcome outcome, const Request& request, const Part& part) {
  const std::string name = printable(part.name);
  switch (outcome) {
    case Outcome::valid:
      fmt::print("{}AOF {} is valid\n", part.kind, name);
      return true;
    case Outcome::empty:
      fmt::print("{}AOF {} is empty\n", part.kind, name);
      return true;
    case Outcome::cut:
      fmt::print("Successfully truncated AOF {}\n", name);
      return true;
    case Outcome::cut_to_time:
      fmt::print("Successfully truncated AOF {} to timestamp {}\n", name, *request.up_to_s);
      return true;
    case Outcome::failed:
      break;
  }
  return false;
}

// --- Manifests --------------------------------------------------------------------------------------------

// A line that no server would read is still no record: those begin otherwise.
bool is_manifest(Bytes head) {
  if (looks_like_manifest(head)) return true;
  while (head.starts_with('#')) head.remove_prefix(std::min(head.find('\n'), head.size() - 1) + 1);
  return head.starts_with("file");
}

struct ManifestMessage {
  FindingCode code;
  const char* text;
  bool has_line;  // whether the original says which
};
constexpr std::array kManifestMessages = {
    ManifestMessage{FindingCode::manifest_empty, "Found an empty AOF manifest", false},
    ManifestMessage{FindingCode::manifest_long_line, "The AOF manifest file contains too long line", false},
    ManifestMessage{FindingCode::manifest_format, "Invalid AOF manifest file format", true},
    ManifestMessage{FindingCode::manifest_path, "File can't be a path, just a filename", true},
    ManifestMessage{FindingCode::manifest_two_bases, "Found duplicate base file information", true},
    ManifestMessage{FindingCode::manifest_sequence, "Found a non-monotonic sequence number", true},
    ManifestMessage{FindingCode::manifest_type, "Unknown AOF file type", true},
};

// Without the date and process number that the original, which writes its log here, puts in front.
void print_manifest_error(const Finding& finding, Bytes text) {
  const auto* message = std::ranges::find(kManifestMessages, finding.code, &ManifestMessage::code);
  const bool known = message != kManifestMessages.end();
  fmt::print("*** FATAL AOF MANIFEST FILE ERROR ***\n");
  if (known && message->has_line) {
    constexpr const char* kBlanks = " \t\r\n";
    const Bytes before = text.substr(0, finding.extent.offset);
    Bytes line = text.substr(finding.extent.offset, finding.extent.size);
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    line = line.substr(0, line.find_last_not_of(kBlanks) + 1);
    fmt::print("Reading the manifest file, at line {}\n>>> '{}'\n", std::ranges::count(before, '\n') + 1,
               printable(line));
  }
  fmt::print("{}\n", known ? message->text : printable(finding.message()));
}

bool read_manifest(ByteSource& source, const std::string& path, Manifest& manifest) {
  // Thousands of times what a server would ever write.
  constexpr size_t kManifestMax = size_t{16} << 20;
  const Window whole = source.window(0, kManifestMax + 1);
  if (whole.bytes.size() > kManifestMax) {
    hint("{}: too large for a manifest", printable(path));
    return false;
  }
  FindingList findings;
  if (parse_manifest(whole.bytes, path, findings, manifest)) return true;
  print_manifest_error(findings.all.front(), whole.bytes);
  return false;
}

// Those that servers load, the base first.
std::vector<Part> parts_of(const Manifest& manifest, const std::string& path) {
  const size_t slash = path.find_last_of('/');
  std::string folder = slash == std::string::npos ? "./" : path.substr(0, slash + 1);
  while (folder.ends_with("//")) folder.pop_back();
  std::vector<Part> parts;
  for (const ManifestType type : {ManifestType::base, ManifestType::incr}) {
    const std::string_view kind = type == ManifestType::base ? kBase : kIncr;
    for (const ManifestLine& line : manifest.lines) {
      if (line.type == type) parts.push_back({line.file, folder + line.file, kind, false});
    }
  }
  if (!parts.empty()) parts.back().last = true;
  return parts;
}

void print_base_format(bool rdb) {
  fmt::print("Start to check BASE AOF ({} format).\n", rdb ? "RDB" : "RESP");
}

bool open_base(Part& part) {
  try {
    open_part(part);
  } catch (const std::system_error& error) {
    const bool folder = error.code() == std::errc::is_a_directory;
    if (folder) print_base_format(false);
    fmt::print("Cannot open file {}: {}{}\n", printable(part.path), error.code().message(),
               folder ? ", aborting..." : "");
    return false;
  }
  print_base_format(has_rdb_magic(part.source->window(0, kHeadBytes).bytes));
  return true;
}

bool open_incr(Part& part) {
  try {
    open_part(part);
    return true;
  } catch (const std::system_error& error) {
    fmt::print("Cannot open file {}: {}, aborting...\n", printable(part.path), error.code().message());
    return false;
  }
}

bool check_manifest(ByteSource& source, const Request& request) {
  fmt::print("Start checking Multi Part AOF\n");
  Manifest manifest;
  if (!read_manifest(source, request.path, manifest)) return false;
  AofCheck check(request);
  bool incr_told = false;
  for (Part& part : parts_of(manifest, request.path)) {
    const bool is_base = part.kind == kBase;
    if (!is_base && !incr_told) fmt::print("Start to check INCR files.\n");
    incr_told = !is_base;
    if (!(is_base ? open_base(part) : open_incr(part))) return false;
    if (!print_outcome(check.check(part), request, part)) return false;
    part.source.reset();
  }
  fmt::print("All AOF files and manifest are valid\n");
  return true;
}

// --- The command line -------------------------------------------------------------------------------------

bool check_path(const Request& request) {
  Part part{request.path, request.path, "", true};
  try {
    open_part(part);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::is_a_directory) {
      fmt::print("Cannot read file: {}\n", printable(request.path));
      hint("name the manifest in it");
    } else {
      fmt::print("Cannot open file {}: {}\n", printable(request.path), error.code().message());
    }
    return false;
  }
  if (is_manifest(part.source->window(0, kHeadBytes).bytes)) return check_manifest(*part.source, request);
  fmt::print("Start checking Old-Style AOF\n");
  return print_outcome(AofCheck(request).check(part), request, part);
}

// As the original reads it: blanks in front are passed over, nothing at all is 0, and 0 asks for nothing.
bool parse_timestamp(const char* text, std::optional<int64_t>& up_to_s) {
  char* end = nullptr;
  errno = 0;
  const int64_t seconds = std::strtoll(text, &end, 10);
  if (errno != 0 || *end != '\0') return false;
  if (seconds != 0) up_to_s = seconds;
  return true;
}

}  // namespace

int run_aof_check(Arguments arguments) {
  Request request;
  const size_t count = arguments.size();
  const std::string_view first = count > 1 ? arguments[1] : "";
  if (count == 2 && (first == "-v" || first == "--version")) {
    fmt::print("aof-check (persist {})\n", PERSIST_VERSION);
    return kDone;
  }
  if (count == 3 && first == "--fix") {
    request.fix = true;
  } else if (count == 4 && first == "--truncate-to-timestamp") {
    if (!parse_timestamp(arguments[2], request.up_to_s)) {
      fmt::print("Invalid timestamp, aborting...\n");
      return kDamaged;
    }
  } else if (count != 2) {
    fmt::print("Usage: {} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n",
               arguments[0]);
    return kDamaged;
  }
  request.path = arguments.back();
  try {
    return check_path(request) ? kDone : kDamaged;
  } catch (const std::system_error& error) {
    hint("{}", printable(error.what()));
    return kDamaged;
  }
}

}  // namespace persist::tool
