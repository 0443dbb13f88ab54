// Values of an RDB part that no command has touched stay in the layout in which they came.
#include "ops/replayed_log.hpp"

#include <algorithm>
#include <iterator>

#include "ops/stored_value.hpp"

namespace persist {

ReplayedLog replay_log(const AppendSet& set, FindingSink& findings, const ReplayOptions& options) {
  constexpr unsigned kFirstWithIdmp = 806;
  ReplayedLog log;
  log.data = std::make_unique<Dataset>();
  size_t rdb_parts = 0;
  ReplayWatch watch;
  watch.rdb_loaded = [&](const SetPart&, const LoadedRdb& loaded) {
    ++rdb_parts;
    RdbHead head;
    head.header = loaded.header;
    head.server = loaded.server;
    log.provenance = provenance_of(head);
    log.rest.losses.add(loaded.losses);
    std::ranges::copy(loaded.module_aux, std::back_inserter(log.rest.module_aux));
    std::ranges::copy(loaded.scripts, std::back_inserter(log.rest.scripts));
  };
  log.summary = replay_set(set, findings, options, watch, *log.data);
  if (rdb_parts > 1) log.provenance.reset();
  const ServerVersion& server = log.summary.server;
  log.knows_idmp = server.family == Dialect::redis && server.version >= kFirstWithIdmp;
  return log;
}

}  // namespace persist
