// A dataset on its way out: what is no key, then the keys, by several threads.
#pragma once

#include "engine/dataset.hpp"
#include "engine/digest.hpp"
#include "engine/load_rdb.hpp"
#include "ops/entry_taker.hpp"
#include "ops/output_stream.hpp"

namespace persist {

struct DatasetFlow {
  const EntryPlan* plan = nullptr;
  const OutputRules* rules = nullptr;
  bool sorted = false;          // keys by their bytes, instead of in the order in which they were created
  bool sorted_members = false;  // and fields: else in an order that may differ from run to run
  bool knows_idmp = true;       // whether the server would remember anything of the producers of streams
  unsigned threads = 1;
  const LoadedRdb* rest = nullptr;  // what was read besides, if anything was
  DatasetDigest* digest = nullptr;  // takes all keys and libraries, if somebody wants to know it
};

void write_dataset(const Dataset& data, const DatasetFlow& flow, OutputStream& out);

}  // namespace persist
