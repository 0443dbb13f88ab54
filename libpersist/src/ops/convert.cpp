// A conversion and where it ends up.
#include "persist/convert.hpp"

#include "ops/conversion.hpp"
#include "ops/convert_placing.hpp"

namespace persist {

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
  conversion.summary().committed = write_for_good(
      input, conversion, output, form_for(options, conversion.target()), options.to == OutputForm::aof);
  return std::move(conversion.summary());
}

}  // namespace persist
