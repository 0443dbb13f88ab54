// What the verbs that write datasets share: for which server, how, and what may be lost on the way.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "options.hpp"
#include "persist/convert.hpp"
#include "replaying.hpp"
#include "verb.hpp"

namespace persist::tool {

struct WriteArguments {
  std::string target;
  std::vector<std::string> limits;  // NAME=VALUE
  bool no_compress = false;
  bool no_checksum = false;
  std::vector<std::string> modules;
  std::vector<std::string> allow_loss;

  void add_to(CLI::App& app);
  // Only --target and --allow-loss.
  void add_target_to(CLI::App& app);
  // Throws std::invalid_argument, with all that there is to choose from.
  [[nodiscard]] WriteOptions options() const;
  [[nodiscard]] std::vector<LossFeature> permitted_losses() const;

 private:
  void add_target(CLI::App& app);
  void add_allow_loss(CLI::App& app);
};

// The loss report: a line for each feature, with the count and the first keys. Says what to do about data
// that is not permitted to be lost.
void print_losses(const std::string& verb, const std::string& path, const LossReport& losses,
                  const std::vector<LossFeature>& permitted);
// The same for programs.
nlohmann::ordered_json losses_json(const LossReport& losses, const std::vector<LossFeature>& permitted);

// Whether a result can be called so in a folder.
bool is_file_name(const std::string& name);

// How a conversion is spoken of.
struct ConversionTold {
  std::string verb;
  std::string path;
  std::string output;  // empty: none, or a stream
  std::string to;      // the form
  bool json = false;   // one line of it, on standard output unless that is where the result goes
  bool to_stream = false;
  bool dry_run = false;
  bool salvage = false;
};

// Says what became of it, with the loss report, and returns the exit status.
Exit report_conversion(const ConversionTold& told, const Keyspace& found, const ConvertSummary& summary,
                       const std::vector<LossFeature>& permitted);

}  // namespace persist::tool
