// What changed when. Valkey began as Redis 7.2.
#include "engine/memory_layout.hpp"

namespace persist {

namespace {

void apply_before_4(MemoryLayout& layout, unsigned release) {
  layout.reports = false;
  layout.members_are_objects = true;
  if (release >= 302) return;
  layout.short_headers = false;
  layout.embedded_max = release >= 300 ? 39 : 0;
  layout.quicklists = false;
  layout.has_shared_numbers = release >= 202;
  layout.packs_zsets = release >= 204;
  layout.packs_lists = release >= 202;
  layout.packs_integers = release >= 202;
  if (release < 206) layout.packed_hash = PackedForm::zipmap;
}

void apply_before_7(MemoryLayout& layout, unsigned release) {
  layout.table = 96;
  layout.packed = PackedForm::ziplist;
  layout.packed_hash = PackedForm::ziplist;
  layout.quicklist_node = 32;
  layout.stream = 40;
  layout.group = 32;
  layout.reports_asked_blobs = true;
  layout.reports_stream = release >= 602;
  layout.reports_asked_strings = release < 600;
  layout.reports_skiplist = release >= 600;
  if (release < 400) apply_before_4(layout, release);
}

void apply_redis_8(MemoryLayout& layout, unsigned release) {
  if (release < 802) return;
  layout.key_place = KeyPlace::in_object;
  layout.lone_keys = true;
  layout.joined_max = layout.joined_long_key = 41;
  layout.reports_asked_object = release >= 804;
}

void apply_valkey(MemoryLayout& layout, unsigned release) {
  layout.reports_exact_radix = release >= 800;
  if (release == 800) layout.key_place = KeyPlace::in_entry;
  if (release <= 800) return;
  layout.key_place = KeyPlace::in_object;
  layout.joined_max = layout.joined_long_key = release >= 900 ? 39 : 41;
  layout.wide_buckets = true;
  layout.table = release >= 900 ? 80 : 72;
  layout.hash_form = HashForm::joined;
  layout.node_has_member = true;
  layout.has_field_ttl = release >= 900;
  if (release < 901) return;
  layout.embedded_object = 8;
  layout.joined_max = 113;
  layout.joined_long_key = 111;
}

}  // namespace

MemoryLayout memory_layout(const Target& server) {
  MemoryLayout layout;
  const unsigned release = server.release;
  const bool is_valkey = server.family == Dialect::valkey;
  const bool since_7_2 = is_valkey || release >= 702;
  layout.narrow_backlen = server.narrow_backlen;
  layout.packs_sets = layout.lone_members = layout.bare_short_lists = since_7_2;
  if (!since_7_2) layout.consumer = 24;
  layout.plain_nodes = release >= (is_valkey ? 800U : 704U);
  if (!is_valkey && release < 700) apply_before_7(layout, release);
  if (!is_valkey && release >= 704) {
    layout.hash_form = HashForm::marked;
    layout.has_field_ttl = layout.packs_field_ttl = true;
  }
  if (is_valkey)
    apply_valkey(layout, release);
  else
    apply_redis_8(layout, release);
  return layout;
}

}  // namespace persist
