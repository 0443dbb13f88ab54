// The log's own framing and the one-line notation of commands.
#include "support/command_texts.hpp"

#include <doctest/doctest.h>

#include "aof/resp.hpp"
#include "base/byte_buffer.hpp"
#include "text/command_line.hpp"

namespace persist::test {

std::vector<std::vector<std::string>> commands_in(Bytes log) {
  std::vector<std::vector<std::string>> commands;
  ArgumentList args;
  const char* at = log.data();
  const char* const end = log.data() + log.size();
  while (at != end) {
    args.clear();
    const FramedCommand framed = parse_command(at, end, args);
    REQUIRE(framed.framing == Framing::whole);
    at = framed.end;
    commands.emplace_back(args.all().begin(), args.all().end());
  }
  return commands;
}

std::string one_line(Bytes log) {
  ByteBuffer out;
  for (const std::vector<std::string>& command : commands_in(log)) {
    if (!out.empty()) out.append(" |");
    for (const std::string& word : command) {
      if (!out.empty()) out.append(' ');
      append_argument(out, word);
    }
  }
  return std::string(out.bytes());
}

const Target& target_named(Bytes name) {
  const Target* const target = find_target(name);
  REQUIRE(target != nullptr);
  return *target;
}

}  // namespace persist::test
