// Which handler runs a command. Every family of commands has a file with its handlers and their table.
#pragma once

#include <span>

#include "aof/commands.hpp"
#include "engine/commands/call.hpp"

namespace persist {

// The tables, one for each family.
std::span<const CommandHandler> string_commands();
std::span<const CommandHandler> bit_commands();
std::span<const CommandHandler> hyperloglog_commands();
std::span<const CommandHandler> key_commands();
std::span<const CommandHandler> server_commands();
std::span<const CommandHandler> list_commands();
std::span<const CommandHandler> set_commands();
std::span<const CommandHandler> hash_commands();
std::span<const CommandHandler> hash_expiry_commands();
std::span<const CommandHandler> zset_commands();
std::span<const CommandHandler> zset_range_commands();
std::span<const CommandHandler> zset_store_commands();
std::span<const CommandHandler> geo_commands();
std::span<const CommandHandler> sort_commands();
std::span<const CommandHandler> stream_commands();
std::span<const CommandHandler> stream_group_commands();
std::span<const CommandHandler> array_commands();
std::span<const CommandHandler> vector_set_commands();

// Null for a command that the engine does not run itself: those of transactions and scripts, which are the
// replay's business, and those that have no place in a log.
Handler find_handler(const CommandSpec& spec);

}  // namespace persist
