// A conversion and where it ends up.
#include "persist/convert.hpp"

#include "ops/conversion.hpp"
#include "ops/convert_placing.hpp"

namespace persist {

namespace {

bool is_rereadable(const ConvertInput& input) {
  const ByteSource* source = input.rdb != nullptr ? input.rdb : input.json;
  return source == nullptr || source->rereadable();
}

}  // namespace

ConvertSummary convert(const ConvertInput& input, const OutputOptions& output, FindingSink& findings,
                       const ConvertOptions& options) {
  Conversion conversion(input, options, findings);
  ConvertPlacing placing(input, conversion, options, output);
  if (conversion.prepare()) placing.run();
  return std::move(conversion.summary());
}

ConvertSummary convert_to_stream(const ConvertInput& input, ByteSink& output, FindingSink& findings,
                                 const ConvertOptions& options) {
  Conversion conversion(input, options, findings);
  if (!conversion.prepare()) return std::move(conversion.summary());
  if (has_append_directory(options, conversion.target())) {
    throw EditRefused(EditRefused::Kind::unusable,
                      "an append directory cannot be written to a stream; a log for a server before 7.0 can");
  }
  const bool is_log = options.to == OutputForm::aof;
  const OutputForm form = form_for(options, conversion.target());
  const bool reads_once = !is_rereadable(input);
  if (reads_once && !conversion.permits_all_losses()) {
    throw EditRefused(
        EditRefused::Kind::unusable,
        "what comes through a pipe cannot be read twice, first to see that nothing is lost and then "
        "to write it to a stream");
  }
  if (!reads_once && !conversion.may_always_commit()) {
    conversion.probe(form, is_log);
    if (!conversion.may_commit()) return std::move(conversion.summary());
    conversion.mute();
  }
  conversion.run(&output, form, is_log);
  output.finish();
  conversion.summary().committed = conversion.may_commit();
  return std::move(conversion.summary());
}

}  // namespace persist
