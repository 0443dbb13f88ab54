// Options that make entries different on their way: databases, names, expiries.
#pragma once

#include <string>
#include <vector>

#include "options.hpp"
#include "persist/key_changes.hpp"

namespace persist::tool {

// "+30d", "-90s", "12h", "1500ms", seconds: milliseconds. Throws std::invalid_argument.
int64_t parse_duration(const std::string& option, const std::string& text);

struct ChangeArguments {
  std::vector<std::string> db_map;
  std::vector<std::string> renames;
  std::string expired;
  std::string ttl;
  std::string as_of;

  void add_to(CLI::App& app);
  // Only --db-map and --rename.
  void add_names_to(CLI::App& app);
  [[nodiscard]] bool changes_something() const;
  // All of these throw std::invalid_argument.
  [[nodiscard]] KeyChangeOptions options() const;
  // What --expired drop asks of the selection.
  [[nodiscard]] FilterOptions with_expired(FilterOptions selection) const;

 private:
  [[nodiscard]] int64_t now_ms() const;
  [[nodiscard]] bool drops_expired() const {
    return expired == "drop" || (expired.empty() && !as_of.empty());
  }
};

}  // namespace persist::tool
