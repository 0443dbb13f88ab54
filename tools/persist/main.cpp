// The binary: finds the verb and runs it. What a verb throws ends here.
#include <fmt/core.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

struct Verb {
  std::string_view name;
  std::string_view summary;
  int (*run)(Arguments);
};

constexpr Verb kVerbs[] = {
    {"check", "is this file whole and sound, and will that server load it?", run_check},
    {"dump", "the key space as JSON Lines, or every record with its bytes", run_dump},
};

// Other names of this binary.
constexpr Verb kNames[] = {
    {"rdb-check", "as redis-check-rdb", run_rdb_check},
    {"aof-check", "as redis-check-aof", run_aof_check},
};

void print_usage(std::FILE* to) {
  fmt::print(to,
             "persist - check, dump and mend the persistence files of Redis and Valkey\n\n"
             "usage: persist VERB [OPTION...] PATH...\n\n");
  for (const Verb& verb : kVerbs) fmt::print(to, "  {:<8} {}\n", verb.name, verb.summary);
  fmt::print(
      to,
      "\n`persist VERB --help` tells more of each, `man persist` of all. PATH is whatever you have: an RDB\n"
      "file, one that is compressed with gzip, zstd or LZ4, a DUMP payload, or - for standard input.\n\n"
      "examples:\n"
      "  persist check dump.rdb                    is the backup whole?\n"
      "  persist check --for redis-7.2 dump.rdb    will that server load it?\n"
      "  persist dump dump.rdb | jq .key           what is in it?\n");
}

int run(Arguments arguments) {
  const std::string_view path = arguments[0];
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const auto* other = std::ranges::find(kNames, name, &Verb::name);
  if (other != std::end(kNames)) return other->run(arguments);
  if (arguments.size() < 2) {
    print_usage(stderr);
    return kTrouble;
  }
  const std::string_view word = arguments[1];
  if (word == "--help" || word == "-h" || word == "help") {
    print_usage(stdout);
    return kDone;
  }
  if (word == "--version" || word == "-v") {
    fmt::print("persist {}\n", PERSIST_VERSION);
    return kDone;
  }
  const auto* verb = std::ranges::find(kVerbs, word, &Verb::name);
  if (verb != std::end(kVerbs)) return verb->run(arguments.subspan(1));
  fmt::print(stderr, "persist: there is no verb \"{}\"; `persist --help` lists them\n", printable(word));
  return kTrouble;
}

int run_and_report(Arguments arguments) noexcept {
  try {
    return run(arguments);
  } catch (const std::system_error& error) {
    // A reader of ours that has seen enough is no trouble.
    if (error.code() == std::errc::broken_pipe) return kDone;
    std::fputs(("persist: " + printable(error.what()) + "\n").c_str(), stderr);
  } catch (const std::bad_alloc&) {
    std::fputs("persist: out of memory\n", stderr);
  } catch (const std::exception& error) {
    std::fputs(("persist: " + printable(error.what()) + "\n").c_str(), stderr);
  }
  return kTrouble;
}

}  // namespace

}  // namespace persist::tool

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  return persist::tool::run_and_report({argv, static_cast<size_t>(argc)});
}
