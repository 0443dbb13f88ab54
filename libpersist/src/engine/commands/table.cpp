// The families are listed here, so that nothing depends on the order in which files are initialised.
#include "engine/commands/table.hpp"

#include <vector>

namespace persist {

namespace {

using Family = std::span<const CommandHandler> (*)();

constexpr Family kFamilies[] = {
    string_commands,       bit_commands,        hyperloglog_commands, key_commands,         server_commands,
    list_commands,         set_commands,        hash_commands,        hash_expiry_commands, zset_commands,
    zset_range_commands,   zset_store_commands, geo_commands,         sort_commands,        stream_commands,
    stream_group_commands, array_commands,      vector_set_commands,
};

// By the row of the command.
std::vector<Handler> all_handlers() {
  std::vector<Handler> handlers(command_specs().size(), nullptr);
  for (const Family family : kFamilies) {
    for (const CommandHandler& row : family()) {
      if (const CommandSpec* spec = find_command(row.name))
        handlers[static_cast<size_t>(spec - command_specs().data())] = row.run;
    }
  }
  return handlers;
}

}  // namespace

Handler find_handler(const CommandSpec& spec) {
  static const std::vector<Handler> kAllHandlers = all_handlers();
  return kAllHandlers[static_cast<size_t>(&spec - command_specs().data())];
}

}  // namespace persist
