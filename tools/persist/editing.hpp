// What the verbs that write a set anew share: their options, how they open the input, what they say in the
// end.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "options.hpp"
#include "persist/append_set.hpp"
#include "persist/edit.hpp"
#include "report.hpp"

namespace persist::tool {

struct EditArguments {
  std::string path;
  OutputOptions output;
  bool json = false;
  size_t findings_max = 100;
  std::vector<std::string> known;
  bool takes_any = false;  // also a file that does not begin as any of these: it may be damaged

  void add_to(CLI::App& app);
  // False, with a message, if what was given does not fit together.
  [[nodiscard]] bool check(const std::string& verb) const;
};

// The set that a path holds, and what opening it has reported. Says on standard error what a folder was taken
// for. Throws std::system_error, EditRefused if it holds no log or RDB data.
struct EditInput {
  AppendSet set;
  std::vector<Finding> found;
};
EditInput open_for_edit(const EditArguments& arguments, const std::string& verb, FindingSink& report);

// Runs the work and turns a refusal into a message and an exit status.
int run_edit(const EditArguments& arguments, const std::string& verb, const std::function<int()>& work);

// "out: written: 3566 bytes kept, 77 left out in out.lost"
void print_edit(const EditArguments& arguments, const std::string& verb, const EditSummary& summary);
void add_members(nlohmann::ordered_json& json, const EditSummary& summary);

// FILE:OFFSET or OFFSET, in decimal or with 0x. Throws std::invalid_argument.
struct Place {
  std::string file;
  uint64_t offset = 0;
};
Place parse_place(const std::string& option, const std::string& text);

// "1 MiB", "500k", "12": bytes. Throws std::invalid_argument.
uint64_t parse_size(const std::string& option, const std::string& text);

}  // namespace persist::tool
