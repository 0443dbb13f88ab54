// Reading the words of stream commands: entry IDs, lists of them, and what removing an entry means to groups.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/commands/arguments.hpp"
#include "engine/stream.hpp"

namespace persist {

inline constexpr const char* kBadStreamId = "ERR Invalid stream ID specified as stream command argument";

// An ID as it stands in a command. Half of one, `5`, is 5-0.
struct StreamIdWord {
  StreamId id;
  bool has_seq = true;  // false: `5-*`, the server chooses what follows the dash; seq is 0
};

// `ms`, `ms-seq` or `ms-*`. Absent: kBadStreamId.
[[nodiscard]] std::optional<StreamIdWord> parse_id_word(Bytes text);

// `ms` or `ms-seq`, nothing else. Absent: kBadStreamId.
[[nodiscard]] std::optional<StreamId> parse_stream_id(Bytes text);

// All of them. Absent: one of them is none.
[[nodiscard]] std::optional<std::vector<StreamId>> parse_stream_ids(std::span<const Bytes> words);

// Room for the text of any ID.
struct StreamIdRoom {
  char bytes[41];
};
[[nodiscard]] Bytes stream_id_text(StreamId id, StreamIdRoom& room);

// KEEPREF DELREF ACKED, of Redis 8.2. Absent: the word is none of them.
[[nodiscard]] std::optional<References> parse_references(Bytes word);

// What XDELEX and XACKDEL have behind their names: [KEEPREF|DELREF|ACKED] IDS n id...
struct CountedIds {
  References references = References::keep;
  std::vector<StreamId> ids;
  const char* wrong = nullptr;  // what the server would answer, if the words are not right
};
[[nodiscard]] CountedIds parse_counted_ids(const Call& call, std::span<const Bytes> words);

// What became of one of those IDs, as servers answer it.
inline constexpr int64_t kIdUnknown = -1;
inline constexpr int64_t kIdRemoved = 1;
inline constexpr int64_t kIdStillReferenced = 2;

}  // namespace persist
