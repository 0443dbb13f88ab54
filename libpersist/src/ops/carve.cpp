// One pass over the image: from place to place where something seems to begin, and behind what was found
// there on. What was found waits until the next find is known, since a torn file ends there at the latest.
#include "persist/carve.hpp"

#include <array>

#include "base/byte_buffer.hpp"
#include "io/capture.hpp"
#include "io/copy.hpp"
#include "ops/carve_find.hpp"
#include "ops/carve_scan.hpp"
#include "ops/checked_file.hpp"
#include "persist/sink.hpp"
#include "text/json_string.hpp"

namespace persist {

namespace {

constexpr Bytes kCarveIndex = "index.jsonl";
constexpr size_t kIndexBytesAtOnce = size_t{64} << 10;
// Bytes made for it may hold a file in every twenty of them.
constexpr size_t kFoundKept = 10000;
constexpr size_t kCarvedFilesMax = 100000;

constexpr std::array<Bytes, 4> kKindNames = {"rdb", "preamble", "log", "manifest"};
constexpr std::array<Bytes, 4> kKindEndings = {".rdb", ".aof", ".aof", ".manifest"};

std::string in_hex(uint64_t number) {
  std::string text;
  do {
    text.insert(text.begin(), "0123456789abcdef"[number % 16]);
    number /= 16;
  } while (number > 0);
  return "0x" + text;
}

std::string with_zeros(uint64_t number, size_t digits) {
  const std::string text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

bool is_carved_file(Bytes name) {
  return name == kCarveIndex || std::ranges::any_of(kKindEndings, [&](Bytes ending) {
           return name.ends_with(ending) && name.find("-0x") != Bytes::npos;
         });
}

// The folder, its files and its index.
class CarvedFolder {
 public:
  CarvedFolder(const std::string& path, bool force)
      : path_(path), folder_(checked(path, force), force ? Existing::replace : Existing::refuse) {
    index_ = folder_.create(std::string(kCarveIndex));
  }

  // Gives it a name, if there is still room for a file.
  void add(Carved& carved, uint64_t number, size_t stream, ByteSource& from) {
    if (number <= kCarvedFilesMax) {
      carved.name = with_zeros(number, 4) + (stream > 0 ? "-s" + with_zeros(stream, 2) : "") + "-" +
                    in_hex(carved.extent.offset) +
                    std::string(kKindEndings[static_cast<size_t>(carved.kind)]);
      const std::unique_ptr<ByteSink> file = folder_.create(carved.name);
      copy_range(from, carved.extent, *file);
      file->finish();
    }
    lines_.append(carved_line(carved));
    if (lines_.size() >= kIndexBytesAtOnce) flush_lines();
  }

  std::string commit() {
    flush_lines();
    index_->finish();
    folder_.commit();
    return path_;
  }

 private:
  static const std::string& checked(const std::string& path, bool force) {
    if (force) require_replaceable(path, is_carved_file);
    return path;
  }
  void flush_lines() {
    index_->write(lines_.bytes());
    lines_.clear();
  }

  std::string path_;
  AtomicFolder folder_;
  std::unique_ptr<ByteSink> index_;
  ByteBuffer lines_;
};

// The bytes of an image, or of one stream of a capture.
struct CarveSubject {
  ByteSource& bytes;
  std::string name;  // of a stream
  size_t number = 0;
  std::vector<uint64_t> holes;
};

class Carving {
 public:
  Carving(const CarveOptions& options, CarveSummary& summary, CarvedFolder* folder)
      : options_(options), summary_(summary), folder_(folder) {}

  void run(const CarveSubject& subject);

 private:
  std::optional<CarveFind> look(const CarveSite& site, const CarvePlace& place);
  std::optional<CarveFind> look_for_log(const CarveSite& site, uint64_t offset);
  bool is_dull(const CarveSite& site, uint64_t offset);
  [[nodiscard]] bool is_own(const CarveFind& find) const;
  uint64_t take(CarveFind find, CarveSite site);
  void settle(uint64_t next);
  void mark_holes(Carved& carved) const;

  const CarveOptions& options_;
  CarveSummary& summary_;
  CarvedFolder* folder_;
  const CarveSubject* subject_ = nullptr;
  uint64_t end_ = 0;
  std::optional<CarveFind> waiting_;
  uint64_t log_expected_at_ = 0;  // behind the end mark of a replication stream; 0: nowhere
  // Commands in a row that were no find, such as those of clients that only read: nor are they from a later
  // one on. They are passed one by one, as something may stand inside of one; from dull_at_ on they still
  // are.
  uint64_t dull_at_ = 0;
  uint64_t dull_end_ = 0;
};

void Carving::run(const CarveSubject& subject) {
  subject_ = &subject;
  end_ = subject.bytes.size().value_or(0);
  log_expected_at_ = dull_at_ = dull_end_ = 0;
  CarveBudget budget(end_);
  CarveScan scan(subject.bytes, options_);
  uint64_t at = 0;
  while (const std::optional<CarvePlace> place = scan.next(at)) {
    const uint64_t floor = waiting_ ? std::min(waiting_->carved.extent.end(), place->offset) : 0;
    const CarveSite site{subject.bytes, end_, floor, budget, options_.progress};
    std::optional<CarveFind> find = look(site, *place);
    at = find ? take(std::move(*find), site) : place->offset + 1;
  }
  settle(end_);
}

std::optional<CarveFind> Carving::look(const CarveSite& site, const CarvePlace& place) {
  if (place.kind == CarvedKind::manifest) return carve_manifest(site, place.offset);
  if (place.kind == CarvedKind::rdb) return carve_rdb(site, place.offset);
  return look_for_log(site, place.offset);
}

std::optional<CarveFind> Carving::look_for_log(const CarveSite& site, uint64_t offset) {
  const bool expected = log_expected_at_ != 0 && offset == log_expected_at_;
  if (!expected && is_dull(site, offset)) return std::nullopt;
  uint64_t walked_to = 0;
  std::optional<CarveFind> find = carve_log(site, offset, expected ? 1 : options_.commands_min, walked_to);
  if (!find && walked_to > offset) {
    dull_at_ = offset;
    dull_end_ = walked_to;
  }
  return find;
}

bool Carving::is_dull(const CarveSite& site, uint64_t offset) {
  while (dull_at_ < offset && dull_at_ < dull_end_) {
    const uint64_t next = pass_in_chain(site, dull_at_);
    if (next == dull_at_) return false;
    dull_at_ = next;
  }
  return dull_at_ == offset && offset < dull_end_;
}

// Of what begins where the find before is in doubt: whether it is a file of its own, that was read into, and
// not a part of a value. It is if it goes on where the other does not, or begins where files do; or, if both
// lead to the same end, only its checksum fits.
bool Carving::is_own(const CarveFind& find) const {
  const Carved& carved = find.carved;
  const uint64_t other_end = waiting_->carved.extent.end();
  if (waiting_->carved.checksum)
    return carved.checksum == ChecksumState::good && carved.extent.end() >= other_end;
  if (carved.extent.end() > other_end) return true;
  return carved.header && carved.whole && carved.extent.offset % kSectorBytes == 0;
}

// Returns where the search goes on.
uint64_t Carving::take(CarveFind find, CarveSite site) {
  const Extent extent = find.carved.extent;
  if (waiting_ && extent.offset < waiting_->carved.extent.end()) {
    if (!is_own(find)) {
      site.budget.spend(extent.size);
      return std::min(extent.end(), waiting_->carved.extent.end());  // it may read on into what stands behind
    }
    // What is left of the other.
    site.end = extent.offset;
    waiting_ = carve_rdb(site, waiting_->carved.extent.offset);
  }
  settle(extent.offset);
  if (!find.eof_mark.empty()) log_expected_at_ = extent.end() + find.eof_mark.size();
  uint64_t next = extent.end();
  if (find.doubtful_from) {
    const uint64_t again = next - *find.doubtful_from;
    if (again <= site.budget.left(next)) next = *find.doubtful_from;
    site.budget.spend(again);
  }
  waiting_ = std::move(find);
  return next;
}

// The find that waits is all that it will be: the next one begins at `next`.
void Carving::settle(uint64_t next) {
  if (!waiting_) return;
  Carved carved = std::move(waiting_->carved);
  const bool torn = waiting_->torn;
  waiting_.reset();
  mark_holes(carved);
  if (torn) carved.extent.size += std::min(options_.tail_bytes, next - std::min(next, carved.extent.end()));
  carved.stream = subject_->name;
  ++summary_.found_in_all;
  if (folder_ != nullptr) folder_->add(carved, summary_.found_in_all, subject_->number, subject_->bytes);
  if (summary_.found.size() < kFoundKept) summary_.found.push_back(std::move(carved));
}

// What reads well over a hole lacks something all the same.
void Carving::mark_holes(Carved& carved) const {
  const bool has_hole = std::ranges::any_of(subject_->holes, [&](uint64_t hole) {
    return hole > carved.extent.offset && hole < carved.extent.end();
  });
  if (!has_hole) return;
  carved.whole = false;
  if (carved.why) return;
  carved.why = carved.commands > 0 ? FindingCode::aof_bad_record : FindingCode::rdb_truncated;
}

// What begins like a capture and holds no stream that can be read is looked through as it is.
void carve_all(ByteSource& image, Carving& carving, CarveSummary& summary) {
  std::vector<CaptureStream> streams;
  if (is_capture(image)) streams = open_capture(image);
  summary.is_capture = !streams.empty();
  if (!summary.is_capture) return carving.run({image, "", 0, {}});
  size_t number = 0;
  for (CaptureStream& stream : streams) {
    carving.run({*stream.bytes, std::move(stream.name), ++number, std::move(stream.holes)});
    summary.packets_missing += stream.holes_in_all;
    stream.bytes.reset();
  }
}

void append_text(ByteBuffer& line, Bytes member, Bytes value) {
  line.append(",\"");
  line.append(member);
  line.append("\":\"");
  line.append(value);
  line.append('"');
}

void append_count(ByteBuffer& line, Bytes member, uint64_t value) {
  line.append(",\"");
  line.append(member);
  line.append("\":");
  line.append_number(value);
}

}  // namespace

Bytes carved_kind_name(CarvedKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::string carved_line(const Carved& carved) {
  ByteBuffer line;
  line.append(R"({"kind":")");
  line.append(carved_kind_name(carved.kind));
  line.append('"');
  if (!carved.name.empty()) append_text(line, "file", carved.name);
  if (!carved.stream.empty()) {
    line.append(",\"stream\":");
    append_json_string(line, carved.stream);
  }
  append_count(line, "offset", carved.extent.offset);
  append_count(line, "size", carved.extent.size);
  line.append(carved.whole ? ",\"whole\":true" : ",\"whole\":false");
  append_count(line, "whole_bytes", carved.whole_bytes);
  if (carved.header) {
    append_text(line, "dialect", dialect_name(carved.header->dialect));
    append_count(line, "version", carved.header->version);
    append_count(line, "keys", carved.keys);
  }
  if (carved.checksum) append_text(line, "checksum", checksum_state_name(*carved.checksum));
  const bool has_commands = carved.kind == CarvedKind::log || carved.kind == CarvedKind::preamble;
  if (has_commands) append_count(line, "commands", carved.commands);
  if (carved.why) append_text(line, "finding", finding_kind(*carved.why).id);
  line.append("}\n");
  return std::string(line.bytes());
}

CarveSummary carve(ByteSource& image, const std::string& folder, const CarveOptions& options) {
  if (!image.rereadable() || !image.size())
    throw EditRefused(EditRefused::Kind::unusable, image.name() + " can be read only once");
  CarveSummary summary;
  std::unique_ptr<CarvedFolder> out;
  if (!options.dry_run) {
    ConvertInput input;
    input.rdb = &image;
    require_apart(input, folder);
    out = std::make_unique<CarvedFolder>(folder, options.force);
  }
  Carving carving(options, summary, out.get());
  carve_all(image, carving, summary);
  summary.bytes_read = *image.size();
  if (out && summary.found_in_all > 0) summary.folder = out->commit();
  return summary;
}

}  // namespace persist
