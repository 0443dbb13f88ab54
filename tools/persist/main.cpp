// The binary: finds the verb and runs it. What a verb throws ends here.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <system_error>

#include "persist/sink.hpp"
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
    {"digest", "one number that tells whether two datasets are the same", run_digest},
    {"diff", "in what two datasets differ, key by key and field by field", run_diff},
    {"stat", "what fills a dataset: counts, large keys, prefixes, expiries, memory", run_stat},
    {"history", "the life of one key: what touched it, and what it held behind each", run_history},
    {"log", "the commands of an AOF with file, offset, index, db and time", run_log},
    {"repair", "a sound log or RDB file out of a damaged one", run_repair},
    {"carve", "RDB files and logs out of disk images, core dumps, captures of packets", run_carve},
    {"strip", "a log or RDB file without some of its commands and keys", run_strip},
    {"undo-flush", "a log without the FLUSHALL that was a mistake", run_undo_flush},
    {"cut", "a log that ends at a point in time or place", run_cut},
    {"convert", "a dataset in any form and for any server out of one in any other", run_convert},
    {"compact", "a log written anew, as short as it can be", run_compact},
    {"merge", "one RDB file out of several datasets", run_merge},
    {"split", "a dataset divided among RDB files: by slot, node, db or prefix", run_split},
};

// Other names of this binary.
constexpr Verb kNames[] = {
    {"rdb-check", "as redis-check-rdb", run_rdb_check},
    {"aof-check", "as redis-check-aof", run_aof_check},
};

void print_usage(std::FILE* to) {
  fmt::print(to,
             "persist - check, read and repair the persistence files of Redis and Valkey\n\n"
             "usage: persist VERB [OPTION...] PATH...\n\n");
  for (const Verb& verb : kVerbs) fmt::print(to, "  {:<10}  {}\n", verb.name, verb.summary);
  fmt::print(
      to,
      "\n`persist VERB --help` tells more of each, `man persist` of all. PATH is whatever you have: an RDB "
      "file,\n"
      "an append only file, an append directory or its manifest, a data directory, a DUMP payload, any file "
      "of\n"
      "these compressed with gzip, zstd or LZ4, or - for standard input.\n\n"
      "examples:\n"
      "  persist check /var/lib/redis                     is all of it whole, and what would a server do?\n"
      "  persist undo-flush --last copy -o recovered      that FLUSHALL was a mistake\n"
      "  persist repair copy -o repaired                  the server refuses to start\n"
      "  persist repair dump.rdb -o whole.rdb             so it does on this RDB file\n"
      "  persist dump dump.rdb | jq .key                  what is in it?\n"
      "`man persist-recovery` has recipes for emergencies.\n");
}

// What is on standard output only counts once it is there.
int flush_output(int status, const std::string& who) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  if (errno == EPIPE) return status;
  std::fputs((who + ": standard output: " + std::strerror(errno) + "\n").c_str(), stderr);
  return kTrouble;
}

// Runs a verb; what it throws ends here, as one line.
int run_and_report(const Verb& verb, Arguments arguments, const std::string& who) {
  const auto trouble = [&](const std::string& what) {
    std::fputs((who + ": " + printable(what) + "\n").c_str(), stderr);
    return kTrouble;
  };
  try {
    return flush_output(verb.run(arguments), who);
  } catch (const std::system_error& error) {
    // A reader of ours that has seen enough is no trouble.
    if (error.code() == std::errc::broken_pipe) return kDone;
    if (error.code() == std::errc::file_exists)
      return trouble(error.what() + std::string(" (--force replaces it)"));
    return trouble(error.what());
  } catch (const std::bad_alloc&) {
    return trouble("out of memory");
  } catch (const std::exception& error) {
    return trouble(error.what());
  }
}

int run(Arguments arguments) {
  const std::string_view path = arguments[0];
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const auto* other = std::ranges::find(kNames, name, &Verb::name);
  if (other != std::end(kNames)) return run_and_report(*other, arguments, std::string(name));
  if (arguments.size() < 2) {
    print_usage(stderr);
    return kTrouble;
  }
  const std::string_view word = arguments[1];
  const bool asks = word == "--help" || word == "-h" || word == "help";
  if (asks && arguments.size() == 2) {
    print_usage(stdout);
    return flush_output(kDone, "persist");
  }
  if (word == "--version" || word == "-v") {
    fmt::print("persist {}\n", PERSIST_VERSION);
    return flush_output(kDone, "persist");
  }
  if (asks) {
    // `persist help VERB` is `persist VERB --help`.
    std::swap(arguments[1], arguments[2]);
    static char help[] = "--help";
    arguments[2] = help;
    arguments = arguments.first(3);
  }
  const auto* verb = std::ranges::find(kVerbs, std::string_view(arguments[1]), &Verb::name);
  if (verb != std::end(kVerbs)) {
    return run_and_report(*verb, arguments.subspan(1), "persist " + std::string(verb->name));
  }
  fmt::print(stderr, "persist: there is no verb \"{}\"; `persist --help` lists them\n",
             printable(arguments[1]));
  return kTrouble;
}

}  // namespace

}  // namespace persist::tool

namespace {

// Were one of the three closed, the next file opened would take its place: an output would get the messages.
void open_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);
  }
}

// What is half written goes before we do. The second time a signal comes, it ends us as ever.
void end_outputs_on_signals() {
  struct sigaction action {};
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  action.sa_handler = [](int signal) {
    if (persist::interrupt_outputs()) return;
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  end_outputs_on_signals();
  try {
    return persist::tool::run({argv, static_cast<size_t>(argc)});
  } catch (...) {
    // Not even a line about it could be written.
    return persist::tool::kTrouble;
  }
}
