// Values told as elements, as decoders tell them: the way out of the engine.
#pragma once

#include "engine/key_entry.hpp"

namespace persist {

void tell_list(const List& list, ElementSink out);
// In the order of the bytes if `sorted`: a set's own order is that of hashes, which differs from run to run.
void tell_set(const Set& set, ElementSink out, bool sorted);
void tell_hash(const Hash& hash, ElementSink out, bool sorted);
void tell_sorted_set(const SortedSet& zset, ElementSink out, bool sorted);
void tell_vector_set(const VectorSet& vectors, ElementSink out);

void tell_packed(const PackedValue& packed, ElementSink out);

}  // namespace persist
