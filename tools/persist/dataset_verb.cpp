// Options that are wrong are said before any input is opened.
#include "dataset_verb.hpp"

#include "report.hpp"

namespace persist::tool {

void DatasetArguments::add_reading_to(CLI::App& app) {
  filter.add_selection_to(app);
  changes.add_to(app);
  replay.add_to(app, true);
  common.add_to(app);
}

DatasetWork::DatasetWork(const DatasetArguments& arguments)
    : arguments_(arguments),
      permitted_(arguments.write.permitted_losses()),
      filter_(arguments.changes.with_expired(arguments.filter.options())),
      changes_(arguments.changes.options()),
      report_(finding_report(arguments.common.json, arguments.common.findings_max)) {}

}  // namespace persist::tool
