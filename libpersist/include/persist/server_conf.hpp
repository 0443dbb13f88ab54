// What a redis.conf or valkey.conf says about persistence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "persist/api.hpp"

namespace persist {

struct ServerConf {
  std::optional<std::string> dir;  // made absolute against the folder of the configuration file
  std::optional<bool> appendonly;
  std::string appendfilename = "appendonly.aof";
  std::string appenddirname = "appendonlydir";
  std::string dbfilename = "dump.rdb";
  uint64_t databases = 16;
  bool aof_load_truncated = true;
  uint64_t aof_load_corrupt_tail_max_size = 0;  // bytes; Redis 8.4 and later
  bool has_save_points = true;                  // FLUSHALL then rewrites the RDB file at once
};

// Directives as the server reads them: later ones win, names in any letter case, values quoted or not,
// `include` followed. Throws std::system_error if a file cannot be read, std::invalid_argument with file and
// line for a value that is none.
PERSIST_API ServerConf read_server_conf(const std::string& path);

}  // namespace persist
