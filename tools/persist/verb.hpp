// What a verb is to main.cpp: a row in its table.
#pragma once

#include <span>

namespace persist::tool {

// The exit status of every verb; persist(1), EXIT STATUS.
enum Exit : int {
  kDone = 0,
  kDamaged = 1,  // repair would lose only a tail
  kTrouble = 2,  // the job could not be done
  kBroken = 3,   // damage beyond a tail
  kRefused = 4,  // more would be lost than permitted
};

// argv[0] is the verb itself.
using Arguments = std::span<char*>;

int run_check(Arguments words);
int run_dump(Arguments words);
int run_digest(Arguments words);
int run_diff(Arguments words);
int run_stat(Arguments words);
int run_history(Arguments words);
int run_log(Arguments words);
int run_repair(Arguments words);
int run_carve(Arguments words);
int run_strip(Arguments words);
int run_undo_flush(Arguments words);
int run_cut(Arguments words);
int run_convert(Arguments words);
int run_compact(Arguments words);
int run_merge(Arguments words);
int run_split(Arguments words);

// The names of the original tools.
int run_rdb_check(Arguments arguments);
int run_aof_check(Arguments arguments);

}  // namespace persist::tool
