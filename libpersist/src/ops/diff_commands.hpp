// Commands that turn a value into another of the same key and type. persist-diff(1), COMMANDS
#pragma once

#include "aof/command_writer.hpp"
#include "persist/rdb_reader.hpp"
#include "types/value.hpp"

namespace persist {

// Of two values that differ, and are in the order that compare_values() leaves: whether write_changes() can
// do it in fewer words than it takes to make the key anew. If not, or if the type has no such commands, that
// is what has to be done.
[[nodiscard]] bool changes_in_place(const Value& from, const Value& to);

// Members and fields that come, change and go; at no time is there nothing left of the value, so that its
// expiry stays what it is. Only if changes_in_place() says yes. An expiry that is to come has to be the last
// command of its key: to a server that runs it, a time that is over means DEL. `entry` is of that which is to
// be: its expiry is not looked at.
void write_changes(CommandWriter& out, const RdbEntry& entry, const Value& from, const Value& to);

}  // namespace persist
