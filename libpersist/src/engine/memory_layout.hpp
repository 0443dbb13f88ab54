// How a server lays its values out in memory, by family and release: what the model of memory asks of it.
// Sizes are bytes on machines with 64-bit pointers.
#pragma once

#include <cstdint>

#include "persist/target.hpp"

namespace persist {

// Where the name of a key is.
enum class KeyPlace : uint8_t {
  beside,     // a string of its own, and an entry of the database's table
  in_entry,   // in that entry
  in_object,  // in the object of the value, to which the table points
};

// Containers of small values, in the order of time.
enum class PackedForm : uint8_t { zipmap, ziplist, listpack };

enum class HashForm : uint8_t {
  strings,  // field and value are strings, an entry points to both
  marked,   // likewise, and in front of a field may stand its expiry
  joined    // one piece for both if it is small
};

struct MemoryLayout {
  // Strings.
  bool short_headers = true;       // in front of a string: 1, 3, 5 or 9 bytes; else always 8
  uint64_t embedded_max = 44;      // the longest that is one piece with its object; 0: none
  bool has_shared_numbers = true;  // numbers below 10000 exist once
  KeyPlace key_place = KeyPlace::beside;
  uint64_t joined_max = 0;        // in_object: the longest key and value together that are one piece
  uint64_t joined_long_key = 0;   // the same if the key has 32 bytes or more
  uint64_t embedded_object = 16;  // in_object: of the object in front of key and value

  // Tables.
  bool wide_buckets = false;  // 64 bytes for up to seven elements; else pointers to chains of entries
  bool lone_members = false;  // members of sets need an entry only where they share a bucket
  bool lone_keys = false;     // keys likewise
  uint64_t table = 56;        // of a table, without its buckets
  bool members_are_objects = false;
  HashForm hash_form = HashForm::strings;
  bool node_has_member = false;  // a node of a sorted set contains its member
  bool has_field_ttl = false;

  // Containers.
  PackedForm packed = PackedForm::listpack;
  PackedForm packed_hash = PackedForm::listpack;
  bool packs_lists = true;
  bool packs_zsets = true;
  bool packs_sets = false;  // of other members than integers
  bool packs_integers = true;
  bool packs_field_ttl = false;
  bool quicklists = true;
  bool bare_short_lists = false;  // one node without the list around it
  bool plain_nodes = true;        // items too large for a node are one, without a container
  uint64_t quicklist_node = 40;
  bool narrow_backlen = false;

  // Streams.
  uint64_t stream = 80;
  uint64_t group = 40;
  uint64_t consumer = 32;

  // What MEMORY USAGE counts.
  bool reports = true;                 // it exists; else what is allocated counts as reported
  bool reports_asked_strings = false;  // what was asked for strings, not what it takes
  bool reports_asked_blobs = false;    // likewise for small strings and containers
  bool reports_skiplist = true;        // of sorted sets: all but members, entries and buckets
  bool reports_stream = true;
  bool reports_exact_radix = false;
  bool reports_asked_object = false;  // in_object
};

[[nodiscard]] MemoryLayout memory_layout(const Target& server);

}  // namespace persist
