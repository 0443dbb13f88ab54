// What a server is to read is checked while it is being written.
#include "ops/convert_placing.hpp"

#include "io/borrowed_sink.hpp"
#include "ops/checked_file.hpp"
#include "ops/result_check.hpp"
#include "persist/manifest.hpp"

namespace persist {

namespace {

constexpr unsigned kFoldersSince = 700;
constexpr unsigned kPreambleSince = 400;
constexpr Bytes kNobody = "/dev/null";

// Files that a server reads are checked as they are written.
bool is_checked(OutputForm form) {
  return form == OutputForm::rdb || form == OutputForm::aof || form == OutputForm::resp;
}

// What an append directory consists of, whatever it is called after.
bool is_of_a_log(Bytes name) {
  return name.ends_with(".manifest") || name.ends_with(".rdb") || name.ends_with(".aof");
}

bool is_rereadable(const ConvertInput& input) {
  const ByteSource* source = input.rdb != nullptr ? input.rdb : input.json;
  return source == nullptr || source->rereadable();
}

}  // namespace

OutputForm form_for(const ConvertOptions& options, const Target& target) {
  const bool as_rdb =
      options.to == OutputForm::aof && !options.base_of_commands && target.release >= kPreambleSince;
  return as_rdb ? OutputForm::rdb : options.to;
}

bool write_for_good(const ConvertInput& input, Conversion& conversion, ByteSink& sink, OutputForm form,
                    bool is_base, bool to_nobody) {
  const bool reads_once = !conversion.is_in_memory() && !is_rereadable(input);
  if (!to_nobody && reads_once && !conversion.permits_all_losses()) {
    throw EditRefused(EditRefused::Kind::unusable,
                      "what comes through a pipe cannot be read twice, first to see that nothing is lost and "
                      "then to write what cannot be taken back");
  }
  if (!to_nobody && !reads_once && !conversion.may_always_commit()) {
    conversion.probe(form, is_base);
    if (!conversion.may_commit()) return false;
    conversion.mute();
    conversion.leave_checking();
  }
  if (to_nobody) conversion.leave_checking();
  conversion.run(&sink, form, is_base);
  sink.finish();
  return conversion.may_commit();
}

bool has_append_directory(const ConvertOptions& options, const Target& target) {
  return options.to == OutputForm::aof && target.release >= kFoldersSince;
}

ConvertPlacing::ConvertPlacing(const ConvertInput& input, Conversion& conversion,
                               const ConvertOptions& options, const OutputOptions& output, Prove prove)
    : input_(input), conversion_(conversion), options_(options), output_(output), prove_(std::move(prove)) {
  require_apart(input, output.path);
}

void ConvertPlacing::run() {
  if (output_.dry_run)
    conversion_.run(nullptr, form(), is_log());
  else if (has_append_directory(options_, conversion_.target()))
    place_folder();
  else
    place_file();
}

void ConvertPlacing::place_file() {
  AtomicFile file(output_.path, existing());
  if (!write(file, result_part(output_.path), file.temporary(), is_log())) return;
  file.commit();
  conversion_.summary().committed = true;
}

void ConvertPlacing::place_folder() {
  if (output_.force) require_replaceable(output_.path, is_of_a_log);
  AtomicFolder folder(output_.path, existing());
  const std::string base = options_.log_name + ".1.base." + (form() == OutputForm::rdb ? "rdb" : "aof");
  const std::string incr = options_.log_name + ".1.incr.aof";
  const std::unique_ptr<ByteSink> to = folder.create(base);
  if (!write(*to, result_part(base, PartRole::base), folder.path_of(base), true)) return;
  folder.create(incr)->finish();
  Manifest manifest;
  manifest.lines = {{base, 1, ManifestType::base, {}}, {incr, 1, ManifestType::incr, {}}};
  const std::unique_ptr<ByteSink> lines = folder.create(options_.log_name + ".manifest");
  lines->write(format_manifest(manifest));
  lines->finish();
  folder.commit();
  conversion_.summary().committed = true;
}

// False if what was written must not appear.
bool ConvertPlacing::write(ByteSink& sink, const SetPart& part, const std::string& written, bool is_base) {
  if (written.empty()) return write_straight(sink, is_base);
  if (!prove_ && is_checked(form())) return write_checked(sink, part, written, is_base);
  conversion_.run(&sink, form(), is_base);
  sink.finish();
  if (!conversion_.may_commit()) return false;
  if (!prove_ || prove_(written, form() == OutputForm::rdb)) return true;
  // Nothing could be compared: then it must be sound at least.
  ResultCheck check(part, written, {});
  check.grew(conversion_.summary().bytes_written);
  check.complete();
  refuse_if_unsound(check);
  return true;
}

// A device has no name that it could be read back under, and does not give back what it has: so that must be
// known to be right before, but where it goes to nobody.
bool ConvertPlacing::write_straight(ByteSink& sink, bool is_base) {
  return write_for_good(input_, conversion_, sink, form(), is_base, output_.path == kNobody);
}

bool ConvertPlacing::write_checked(ByteSink& sink, const SetPart& part, const std::string& written,
                                   bool is_base) {
  ResultCheck check(part, written, {});
  CheckedSink checked(std::make_unique<BorrowedSink>(sink), check);
  if (form() == OutputForm::rdb) conversion_.leave_checking();
  conversion_.run(&checked, form(), is_base);
  checked.finish();
  if (!conversion_.may_commit()) return false;
  refuse_if_unsound(check);
  return true;
}

}  // namespace persist
