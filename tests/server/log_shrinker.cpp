// Delta debugging: parts are left out, at first half of the list at once, and in the end single commands.
#include "server/log_shrinker.hpp"

#include <algorithm>
#include <cstddef>

namespace persist::test {

LogCommands shrink(LogCommands commands, const std::function<bool(const LogCommands&)>& fails,
                   size_t trials_max) {
  for (size_t part = commands.size() / 2; part > 0;) {
    bool shrunk = false;
    // From the end: what comes last depends on what is before it.
    for (size_t end = commands.size(); end > 0 && trials_max > 0;) {
      const size_t from = end > part ? end - part : 0;
      LogCommands rest(commands.begin(), commands.begin() + static_cast<std::ptrdiff_t>(from));
      rest.insert(rest.end(), commands.begin() + static_cast<std::ptrdiff_t>(end), commands.end());
      --trials_max;
      if (fails(rest)) {
        commands = std::move(rest);
        shrunk = true;
      }
      end = from;
    }
    if (trials_max == 0) break;
    part = part == 1 ? (shrunk ? 1 : 0) : std::min(part / 2, commands.size());
  }
  return commands;
}

}  // namespace persist::test
