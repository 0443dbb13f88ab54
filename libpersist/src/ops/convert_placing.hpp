// Where a conversion ends up: in a file or in an append directory, under a name of its own until it may
// appear.
#pragma once

#include <functional>
#include <string>

#include "ops/conversion.hpp"
#include "persist/convert.hpp"
#include "persist/sink.hpp"

namespace persist {

class ResultCheck;

// What is written for a form that was asked for: a log begins with RDB data where its server can read that.
[[nodiscard]] OutputForm form_for(const ConvertOptions& options, const Target& target);
// Into what cannot be taken back: after all of it was seen to be right, unless nobody gets it. Returns
// whether it was. Throws EditRefused if that cannot be known.
bool write_for_good(const ConvertInput& input, Conversion& conversion, ByteSink& sink, OutputForm form,
                    bool is_base, bool to_nobody = false);
[[nodiscard]] bool has_append_directory(const ConvertOptions& options, const Target& target);

class ConvertPlacing {
 public:
  // Looks at what was written before it appears, and throws if that is not what it should be. Told the path,
  // and whether the file is RDB data. False if nothing could be said.
  using Prove = std::function<bool(const std::string& written, bool is_rdb)>;

  // All must outlive it. With `prove`, nothing else is checked unless that says nothing. Throws EditRefused
  // if the result would lie where the input is.
  ConvertPlacing(const ConvertInput& input, Conversion& conversion, const ConvertOptions& options,
                 const OutputOptions& output, Prove prove = {});

  // The conversion must have been prepared.
  void run();

 private:
  [[nodiscard]] bool is_log() const { return options_.to == OutputForm::aof; }
  [[nodiscard]] OutputForm form() const { return form_for(options_, conversion_.target()); }
  [[nodiscard]] Existing existing() const { return output_.force ? Existing::replace : Existing::refuse; }
  void place_file();
  void place_folder();
  bool write(ByteSink& sink, const SetPart& part, const std::string& written, bool is_base);
  bool write_straight(ByteSink& sink, bool is_base);
  bool write_checked(ByteSink& sink, const SetPart& part, const std::string& written, bool is_base);

  const ConvertInput& input_;
  Conversion& conversion_;
  const ConvertOptions& options_;
  const OutputOptions& output_;
  Prove prove_;
};

}  // namespace persist
