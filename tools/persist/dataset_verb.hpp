// What the verbs that turn datasets into others share: most of their options, and what these come to.
#pragma once

#include <memory>
#include <vector>

#include "changing.hpp"
#include "options.hpp"
#include "persist/edit.hpp"
#include "replaying.hpp"
#include "writing.hpp"

namespace persist::tool {

struct DatasetArguments {
  OutputOptions output;
  bool salvage = false;
  CommonOptions common;
  WriteArguments write;
  FilterArguments filter;
  ChangeArguments changes;
  ReplayArguments replay;

  // What is read of the input, and how: the options that stand last.
  void add_reading_to(CLI::App& app);
};

// The options as the library takes them. It must stay where it is while the library works with them.
class DatasetWork {
 public:
  // Throws std::invalid_argument.
  explicit DatasetWork(const DatasetArguments& arguments);

  // Of ConvertOptions, or options that have members of the same names.
  template <typename Options>
  void fill(Options& options) const {
    options.write = arguments_.write.options();
    options.permitted_losses = permitted_;
    options.salvage = arguments_.salvage;
    options.filter = &filter_;
    if (arguments_.changes.changes_something()) options.changes = &changes_;
    options.threads = arguments_.common.threads;
  }

  [[nodiscard]] const std::vector<LossFeature>& permitted() const { return permitted_; }
  [[nodiscard]] FindingSink& report() const { return *report_; }

 private:
  const DatasetArguments& arguments_;
  std::vector<LossFeature> permitted_;
  Filter filter_;
  KeyChanges changes_;
  std::unique_ptr<FindingSink> report_;
};

}  // namespace persist::tool
