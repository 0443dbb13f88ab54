// Keys of a dataset as readers of RDB files tell them. Their encoding says no more than the type: for values
// that come out of a log it is the loading server's choice.
#pragma once

#include "engine/key_entry.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

// The key is a view into the entry.
RdbEntry head_of(uint64_t db, const KeyEntry& held);

}  // namespace persist
