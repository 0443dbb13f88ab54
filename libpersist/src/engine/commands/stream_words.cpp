// Reading the words of stream commands.
#include "engine/commands/stream_words.hpp"

#include <string>

#include "base/server_numbers.hpp"

namespace persist {

namespace {

constexpr size_t kStreamWordsIdMax = 127;  // bytes

// Servers look at the text up to a NUL byte.
std::optional<StreamIdWord> parse_any_id(Bytes text, bool with_star) {
  if (text.size() > kStreamWordsIdMax) return std::nullopt;
  text = text.substr(0, text.find('\0'));
  const size_t dash = text.find('-');
  const std::optional<uint64_t> ms = parse_server_unsigned(text.substr(0, dash));
  if (!ms) return std::nullopt;
  if (dash == Bytes::npos) return StreamIdWord{{*ms, 0}};
  const Bytes behind = text.substr(dash + 1);
  if (with_star && behind == "*") return StreamIdWord{{*ms, 0}, false};
  const std::optional<uint64_t> seq = parse_server_unsigned(behind);
  if (!seq) return std::nullopt;
  return StreamIdWord{{*ms, *seq}};
}

}  // namespace

std::optional<StreamIdWord> parse_id_word(Bytes text) { return parse_any_id(text, true); }

std::optional<StreamId> parse_stream_id(Bytes text) {
  const std::optional<StreamIdWord> word = parse_any_id(text, false);
  if (!word) return std::nullopt;
  return word->id;
}

std::optional<std::vector<StreamId>> parse_stream_ids(std::span<const Bytes> words) {
  std::vector<StreamId> ids;
  ids.reserve(words.size());
  for (const Bytes word : words) {
    const std::optional<StreamId> id = parse_stream_id(word);
    if (!id) return std::nullopt;
    ids.push_back(*id);
  }
  return ids;
}

Bytes stream_id_text(StreamId id, StreamIdRoom& room) {
  char* at = room.bytes + to_decimal(id.ms, room.bytes).size();
  *at++ = '-';
  at += to_decimal(id.seq, at).size();
  return {room.bytes, static_cast<size_t>(at - room.bytes)};
}

std::optional<References> parse_references(Bytes word) {
  if (is_word(word, "keepref")) return References::keep;
  if (is_word(word, "delref")) return References::drop;
  if (is_word(word, "acked")) return References::acknowledged;
  return std::nullopt;
}

CountedIds parse_counted_ids(const Call& call, std::span<const Bytes> words) {
  CountedIds parsed;
  const auto fail = [&](const char* why) {
    parsed.wrong = why;
    return parsed;
  };
  bool has_ids = false;
  for (size_t i = 0; i < words.size(); ++i) {
    if (const std::optional<References> references = parse_references(words[i])) {
      parsed.references = *references;
      continue;
    }
    if (has_ids || !is_word(words[i], "ids") || i + 1 == words.size()) return fail(kSyntax);
    const std::optional<int64_t> count = integer_argument(call, words[i + 1]);
    if (!count || *count < 1) return fail("ERR Number of IDs must be a positive integer");
    const std::span<const Bytes> behind = words.subspan(i + 2);
    if (static_cast<uint64_t>(*count) > behind.size())
      return fail("ERR The `numids` parameter must match the number of arguments");
    const auto ids = parse_stream_ids(behind.first(static_cast<size_t>(*count)));
    if (!ids) return fail(kBadStreamId);
    parsed.ids = *ids;
    has_ids = true;
    i += 1 + parsed.ids.size();
  }
  return has_ids ? parsed : fail(kSyntax);
}

}  // namespace persist
