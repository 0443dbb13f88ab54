// How each type becomes commands. Most logs are short strings, so the way of these is short: room for a whole
// command is asked for once, heads of short arguments come from a table, short arguments are copied in place.
#include "aof/command_writer.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "aof/stream_commands.hpp"
#include "base/server_numbers.hpp"

namespace persist {

namespace {

constexpr size_t kLineEndBytes = 2;
constexpr size_t kFrameHeadMax = 1 + kDecimalMax + kLineEndBytes;
// What stands around an argument, and what a store of a whole table row may write beyond it.
constexpr size_t kFrameMax = kFrameHeadMax + kLineEndBytes + 8;

// "$40\r\n" with its length in the last byte: a head is one store.
using ShortHead = std::array<char, 8>;
constexpr size_t kShortHeads = 256;

constexpr std::array<ShortHead, kShortHeads> make_short_heads() {
  std::array<ShortHead, kShortHeads> heads{};
  for (size_t number = 0; number < kShortHeads; ++number) {
    ShortHead& head = heads[number];
    size_t size = 0;
    head[size++] = '$';
    for (size_t unit = 100; unit > 0; unit /= 10) {
      if (number >= unit || unit == 1) head[size++] = static_cast<char>('0' + number / unit % 10);
    }
    head[size++] = '\r';
    head[size++] = '\n';
    head.back() = static_cast<char>(size);
  }
  return heads;
}
constexpr std::array<ShortHead, kShortHeads> kHeads = make_short_heads();

char* put_frame_head(char* to, char kind, uint64_t number) {
  if (number < kShortHeads) [[likely]] {
    const ShortHead& head = kHeads[number];
    std::memcpy(to, head.data(), head.size());
    *to = kind;
    return to + head.back();
  }
  *to++ = kind;
  to += to_decimal(number, to).size();
  std::memcpy(to, "\r\n", kLineEndBytes);
  return to + kLineEndBytes;
}

// The first and the last `width` bytes, which overlap unless there are twice as many.
template <size_t width>
void copy_both_ends(char* to, const char* from, size_t size) {
  std::array<char, width> first;
  std::array<char, width> last;
  std::memcpy(first.data(), from, width);
  std::memcpy(last.data(), from + size - width, width);
  std::memcpy(to, first.data(), width);
  std::memcpy(to + size - width, last.data(), width);
}

char* put_raw(char* to, Bytes bytes) {
  constexpr size_t kWide = 16;
  constexpr size_t kInPlaceMax = 16 * kWide;  // beyond this a call of memcpy() is worth its while
  const char* const from = bytes.data();
  const size_t size = bytes.size();
  if (size > kInPlaceMax) {
    std::memcpy(to, from, size);
  } else if (size >= kWide) {
    for (size_t at = 0; at < size - kWide; at += kWide) std::memcpy(to + at, from + at, kWide);
    std::memcpy(to + size - kWide, from + size - kWide, kWide);
  } else if (size >= 8) {
    copy_both_ends<8>(to, from, size);
  } else if (size >= 4) {
    copy_both_ends<4>(to, from, size);
  } else if (size > 0) {
    to[0] = from[0];
    to[size / 2] = from[size / 2];
    to[size - 1] = from[size - 1];
  }
  return to + size;
}

char* put_framed(char* to, Bytes argument) {
  to = put_raw(put_frame_head(to, '$', argument.size()), argument);
  std::memcpy(to, "\r\n", kLineEndBytes);
  return to + kLineEndBytes;
}

// A literal without its NUL: its size is known, so the copy is a store or two.
template <size_t n>
char* put_literal(char* to, const char (&text)[n]) {
  std::memcpy(to, text, n);
  return to + n - 1;
}

// ----------------------------------------------------------------------------------- What targets understand

constexpr unsigned kManyItemsSince = 204;     // RPUSH, SADD, ZADD of more than one; HMSET always could
constexpr unsigned kMillisecondsSince = 206;  // PEXPIREAT
constexpr unsigned kReplaceSince = 300;       // of RESTORE
constexpr unsigned kAbsoluteSince = 500;      // RESTORE with ABSTTL, IDLETIME, FREQ
constexpr unsigned kShortestScoresSince = 702;
constexpr unsigned kFieldExpirySince = 704;
constexpr unsigned kValkeyFieldExpirySince = 900;

bool is_redis(const Target& target) { return target.family == Dialect::redis; }

DoubleStyle score_style(const Target& target) {
  return is_redis(target) && target.release < kShortestScoresSince ? DoubleStyle::printf17
                                                                   : DoubleStyle::shortest;
}

size_t items_max(const Target& target) { return target.release < kManyItemsSince ? 1 : kCommandItemsMax; }

// --------------------------------------------------------------------------------- Items, many to a command

// Of each kind of item: how many arguments it is, how large they are at most, and how they are written.
struct PlainItems {
  static constexpr size_t kArgs = 1;
  static size_t size(Bytes item) { return item.size(); }
  static void put(CommandWriter& out, Bytes item) { out.arg(item); }
};

struct ScoredItems {
  static constexpr size_t kArgs = 2;
  DoubleStyle style;
  static size_t size(const SortedSetMember& item) { return kDoubleTextMax + item.member.size(); }
  void put(CommandWriter& out, const SortedSetMember& item) const {
    char room[kDoubleTextMax];
    out.arg(double_to_text(item.score, style, room));
    out.arg(item.member);
  }
};

struct PairItems {
  static constexpr size_t kArgs = 2;
  static size_t size(const HashField& item) { return item.field.size() + item.value.size(); }
  static void put(CommandWriter& out, const HashField& item) {
    out.arg(item.field);
    out.arg(item.value);
  }
};

struct IndexedItems {
  static constexpr size_t kArgs = 2;
  static size_t size(const ArrayElement& item) { return kDecimalMax + item.value.size(); }
  static void put(CommandWriter& out, const ArrayElement& item) {
    out.arg_number(item.index);
    out.arg(item.value);
  }
};

// How many of the items, at least one, come into a command that has `bytes` of arguments already.
template <typename Items, typename Item>
size_t count_fitting(std::span<const Item> items, size_t most, size_t bytes) {
  size_t count = 0;
  while (count < std::min(most, items.size())) {
    bytes += Items::size(items[count]);
    if (count > 0 && bytes > kCommandBytesMax) break;
    ++count;
  }
  return count;
}

template <typename Items, typename Item>
void write_batches(CommandWriter& out, Bytes name, Bytes key, const std::vector<Item>& all, size_t most,
                   const Items& form = {}) {
  std::span<const Item> left = all;
  while (!left.empty()) {
    const size_t count = count_fitting<Items>(left, most, name.size() + key.size());
    out.begin(2 + count * Items::kArgs);
    out.arg(name);
    out.arg(key);
    for (const Item& item : left.first(count)) form.put(out, item);
    left = left.subspan(count);
  }
}

// ------------------------------------------------------------------------------------------------- The types

void write_list(CommandWriter& out, Bytes key, const Value& value) {
  write_batches<PlainItems>(out, "RPUSH", key, value.items, items_max(out.target()));
}

void write_set(CommandWriter& out, Bytes key, const Value& value) {
  write_batches<PlainItems>(out, "SADD", key, value.items, items_max(out.target()));
}

void write_zset(CommandWriter& out, Bytes key, const Value& value) {
  write_batches<ScoredItems>(out, "ZADD", key, value.members, items_max(out.target()),
                             {score_style(out.target())});
}

// Redis: each field in a command of its own, its expiry right behind it.
void write_expiring_fields(CommandWriter& out, Bytes key, const std::vector<HashField>& fields) {
  const int64_t latest = latest_field_expiry(out.target());
  for (const HashField& field : fields) {
    out.command({"HMSET", key, field.field, field.value});
    if (field.expire_at_ms == kNoExpiry) continue;
    char room[kDecimalMax];
    const Bytes expiry = to_decimal(std::min(field.expire_at_ms, latest), room);
    out.command({"HPEXPIREAT", key, expiry, "FIELDS", "1", field.field});
  }
}

// Valkey: first the fields that have an expiry, each with it, then the others.
void write_expiring_fields_first(CommandWriter& out, Bytes key, const std::vector<HashField>& fields) {
  std::vector<HashField> others;
  for (const HashField& field : fields) {
    if (field.expire_at_ms == kNoExpiry) {
      others.push_back(field);
      continue;
    }
    char room[kDecimalMax];
    const Bytes expiry = to_decimal(field.expire_at_ms, room);
    out.command({"HSETEX", key, "PXAT", expiry, "FIELDS", "1", field.field, field.value});
  }
  write_batches<PairItems>(out, "HMSET", key, others, kCommandItemsMax);
}

void write_hash(CommandWriter& out, Bytes key, const Value& value) {
  const Target& target = out.target();
  const bool can_expire = latest_field_expiry(target) != kNoExpiry;
  if (!can_expire || !value.has_field_ttl())
    write_batches<PairItems>(out, "HMSET", key, value.fields, kCommandItemsMax);
  else if (is_redis(target))
    write_expiring_fields(out, key, value.fields);
  else
    write_expiring_fields_first(out, key, value.fields);
}

void write_stream(CommandWriter& out, Bytes key, const Value& value) {
  write_stream_commands(out, key, value.stream);
}

void write_array(CommandWriter& out, Bytes key, const Value& value) {
  write_batches<IndexedItems>(out, "ARMSET", key, value.elements, kCommandItemsMax / 2);
  if (!value.insert_index) return;
  // The command names the index that comes next.
  char room[kDecimalMax];
  out.command({"ARSEEK", key, to_decimal(*value.insert_index + 1, room)});
}

using WriteValue = void (*)(CommandWriter& out, Bytes key, const Value& value);

// In the order of ValueType. Strings go their own way, modules cannot be written.
constexpr WriteValue kWriters[] = {nullptr,    write_list,   write_set,   write_zset,
                                   write_hash, write_stream, write_array, nullptr};

}  // namespace

void CommandWriter::command(std::initializer_list<Bytes> args) {
  size_t size = kFrameMax;
  for (const Bytes arg : args) size += kFrameMax + arg.size();
  char* to = put_frame_head(out_.room(size), '*', args.size());
  for (const Bytes arg : args) to = put_framed(to, arg);
  out_.advance(to);
}

void CommandWriter::begin(size_t args) { out_.advance(put_frame_head(out_.room(kFrameMax), '*', args)); }

void CommandWriter::arg(Bytes bytes) { out_.advance(put_framed(out_.room(kFrameMax + bytes.size()), bytes)); }

void CommandWriter::arg_id(StreamId id) {
  char room[kDecimalMax + 1 + kDecimalMax];
  char* to = room + to_decimal(id.ms, room).size();
  *to++ = '-';
  to += to_decimal(id.seq, to).size();
  arg({room, static_cast<size_t>(to - room)});
}

void CommandWriter::select(uint64_t db) {
  char room[kDecimalMax];
  command({"SELECT", to_decimal(db, room)});
}

int64_t latest_field_expiry(const Target& target) {
  // What HPEXPIREAT takes there. Files have room for more, which a server would then refuse and so make
  // endless.
  constexpr int64_t kRedisMax = (int64_t{1} << 46) - 1;
  if (is_redis(target)) return target.release >= kFieldExpirySince ? kRedisMax : kNoExpiry;
  return target.release >= kValkeyFieldExpirySince ? std::numeric_limits<int64_t>::max() : kNoExpiry;
}

void CommandWriter::function(Bytes code, bool replace) {
  if (replace)
    command({"FUNCTION", "LOAD", "REPLACE", code});
  else
    command({"FUNCTION", "LOAD", code});
}

void CommandWriter::del(Bytes key) { command({"DEL", key}); }

void CommandWriter::entry(const RdbEntry& entry, const Value& value) {
  if (value.type == ValueType::string) return string_entry(entry, value.text);
  kWriters[static_cast<size_t>(value.type)](*this, entry.key, value);
  expiry(entry);
}

void CommandWriter::string_entry(const RdbEntry& entry, Bytes text) {
  constexpr char kSet[] = "*3\r\n$3\r\nSET\r\n";
  char* to = put_literal(out_.room(sizeof kSet + 2 * kFrameMax + entry.key.size() + text.size()), kSet);
  out_.advance(put_framed(put_framed(to, entry.key), text));
  expiry(entry);
}

void CommandWriter::expiry(const RdbEntry& entry) {
  if (entry.expire_at_ms == kNoExpiry) return;
  char room[kDecimalMax];
  if (target_.release >= kMillisecondsSince)
    return command({"PEXPIREAT", entry.key, to_decimal(entry.expire_at_ms, room)});
  const int64_t seconds = entry.expire_at_ms / 1000 + (entry.expire_at_ms % 1000 > 0 ? 1 : 0);
  command({"EXPIREAT", entry.key, to_decimal(seconds, room)});
}

void CommandWriter::restore(const RdbEntry& entry, Bytes payload, bool replace) {
  const bool has_replace = target_.release >= kReplaceSince;
  const bool has_absolute = target_.release >= kAbsoluteSince;
  // To RESTORE, 0 is none, and less is an error; PEXPIREAT takes any time.
  const bool expires = has_absolute && entry.expire_at_ms > 0;
  // Likewise an error, for which the value would be lost.
  const bool has_idle = has_absolute && entry.idle_s && std::in_range<int64_t>(*entry.idle_s);
  const bool has_freq = has_absolute && !has_idle && entry.freq;
  const bool replaces = has_replace && replace;
  if (replace && !has_replace) del(entry.key);

  begin(4U + (replaces ? 1 : 0) + (expires ? 1 : 0) + (has_idle ? 2 : 0) + (has_freq ? 2 : 0));
  arg("RESTORE");
  arg(entry.key);
  arg_number(expires ? entry.expire_at_ms : 0);
  arg(payload);
  if (replaces) arg("REPLACE");
  if (expires) arg("ABSTTL");
  if (has_idle) arg("IDLETIME"), arg_number(*entry.idle_s);
  if (has_freq) arg("FREQ"), arg_number(unsigned{*entry.freq});
  if (!expires) expiry(entry);
}

}  // namespace persist
