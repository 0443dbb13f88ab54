// Sorted sets. man/persist-rdb.5, SORTED SET ENCODINGS
//
//   zset       LEN n, n x (STR member, score as text with a one-byte length)
//   zset2      LEN n, n x (STR member, f64le score)
//   ziplist    STR ziplist: member, score, member, score... ascending
//   listpack   STR listpack, likewise
#include <array>
#include <cmath>

#include "base/server_numbers.hpp"
#include "codec/listpack.hpp"
#include "codec/ziplist.hpp"
#include "types/containers.hpp"
#include "types/element_scope.hpp"
#include "types/encode.hpp"
#include "types/packing.hpp"
#include "types/primitives.hpp"
#include "types/types.hpp"

namespace persist {

namespace {

constexpr uint64_t kTextMemberBytesMin = 2;    // an empty member, a score that is one byte
constexpr uint64_t kBinaryMemberBytesMin = 9;  // an empty member, eight bytes

double score_of(const PackedItem& item, const Blob& blob) {
  if (item.is_number) return static_cast<double>(item.number);
  const std::optional<double> score = parse_score(item.string);
  if (!score) {
    blob.fail(FindingCode::zset_score, item.at, 0, "score", "a number",
              "\"" + std::string(item.string) + "\"");
  }
  return *score;
}

template <typename Reader>
void tell_members(Reader reader, ElementSink out) {
  ItemText text;
  for_each_tuple<2>(reader, "sorted set", [&](const std::array<PackedItem, 2>& items) {
    out(SortedSetMember{items[0].as_text(text), score_of(items[1], reader.blob())});
  });
}

template <typename Writer>
void put_members(Writer& writer, std::span<const SortedSetMember> members, const Target& target) {
  const DoubleStyle style = double_style(target.family, target.release);
  const IntegerShortcut shortcut = integer_shortcut(target.family, target.release);
  char room[kDoubleTextMax];
  for (const SortedSetMember& member : members) {
    writer.add(member.member);
    writer.add(score_to_text(member.score, style, shortcut, room));
  }
}

void put_text_score(Encoder& out, double score) {
  constexpr uint8_t kInfinity = 254;
  constexpr uint8_t kMinusInfinity = 255;
  if (std::isinf(score)) return out.u8(score > 0 ? kInfinity : kMinusInfinity);
  char room[kDoubleTextMax];
  const Bytes text = score_to_text(score, DoubleStyle::printf17, IntegerShortcut::narrow, room);
  out.u8(static_cast<uint8_t>(text.size()));
  out.raw(text);
}

}  // namespace

void decode_zset_text(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  for (uint64_t left = in.count("sorted set member count", kTextMemberBytesMin); left > 0; --left) {
    const Bytes member = read_string(in, "sorted set member");
    out(SortedSetMember{member, read_text_double(in, "score")});
    scope.next();
  }
}

void decode_zset_binary(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  for (uint64_t left = in.count("sorted set member count", kBinaryMemberBytesMin); left > 0; --left) {
    const Bytes member = read_string(in, "sorted set member");
    out(SortedSetMember{member, in.le<double>("score")});
    scope.next();
  }
}

void decode_zset_ziplist(Cursor& in, ElementSink out) {
  tell_members(ZiplistReader(read_blob(in, "sorted set ziplist")), out);
}

void decode_zset_listpack(Cursor& in, ElementSink out) {
  tell_members(ListpackReader(read_blob(in, "sorted set listpack")), out);
}

void skip_zset_text(Cursor& in) {
  for (uint64_t left = in.count("sorted set member count", kTextMemberBytesMin); left > 0; --left) {
    skip_string(in, "sorted set member");
    skip_text_double(in, "score");
  }
}

void skip_zset_binary(Cursor& in) {
  for (uint64_t left = in.count("sorted set member count", kBinaryMemberBytesMin); left > 0; --left) {
    skip_string(in, "sorted set member");
    in.skip(sizeof(double), "score");
  }
}

void encode_zset_text(Encoder& out, const Value& value) {
  out.length(value.members.size());
  for (const SortedSetMember& member : value.members) {
    out.string(member.member);
    put_text_score(out, member.score);
  }
}

void encode_zset_binary(Encoder& out, const Value& value) {
  out.length(value.members.size());
  for (const SortedSetMember& member : value.members) {
    out.string(member.member);
    out.le(member.score);
  }
}

void encode_zset_ziplist(Encoder& out, const Value& value) {
  const auto members = in_order(out, value.members, is_ranked_before);
  put_ziplist(out, [&](ZiplistWriter& writer) { put_members(writer, members, *out.rules().target); });
}

void encode_zset_listpack(Encoder& out, const Value& value) {
  const auto members = in_order(out, value.members, is_ranked_before);
  put_listpack(out, [&](ListpackWriter& writer) { put_members(writer, members, *out.rules().target); });
}

bool fits_zset_packed(const Value& value, const WriteRules& rules) {
  return is_small(value, rules.limits.zset_entries, rules.limits.zset_value, 2);
}

}  // namespace persist
