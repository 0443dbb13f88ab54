// Words, and how they are shortened.
#include "ops/difference_maker.hpp"

#include <algorithm>

#include "base/byte_buffer.hpp"
#include "text/json_string.hpp"

namespace persist {

namespace {

uint64_t common_beginning(Bytes a, Bytes b) {
  const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<uint64_t>(differ.first - a.begin());
}

void add_word(DiffSide& side, const DifferenceMaker::Words& words, size_t i, uint64_t most, uint64_t same) {
  if (words && i < words->size()) side.words.push_back(word_of((*words)[i], most, same));
}

}  // namespace

DiffWord word_of(Bytes bytes, uint64_t most, uint64_t same) {
  constexpr uint64_t kPartInFront = 4;  // of what is shown, that much is in front of the difference
  uint64_t from = 0;
  if (bytes.size() > most) {
    from = same - std::min(same, most / kPartInFront);
    from = std::min(from, bytes.size() - most);
  }
  return {std::string(bytes.substr(from, most)), from, bytes.size()};
}

bool DifferenceMaker::takes() {
  if (out_.made.size() < rules_.differences_max) return true;
  ++out_.more;
  return false;
}

Difference& DifferenceMaker::make(const About& about, const Words& a, const Words& b) {
  const uint64_t most = rules_.word_bytes_max;
  Difference& made = out_.made.emplace_back();
  made.part = about.part;
  made.name = word_of(about.name, most);
  made.owner = word_of(about.owner, most);
  made.a.there = a.has_value();
  made.b.there = b.has_value();
  const size_t in_a = a ? a->size() : 0;
  const size_t in_b = b ? b->size() : 0;
  for (size_t i = 0; i < std::max(in_a, in_b); ++i) {
    const bool both_differ = i < in_a && i < in_b && (*a)[i] != (*b)[i];
    const uint64_t same = both_differ ? common_beginning((*a)[i], (*b)[i]) : 0;
    add_word(made.a, a, i, most, same);
    add_word(made.b, b, i, most, same);
  }
  return made;
}

void DifferenceMaker::make_missing(const About& about, bool in_a) {
  Words there;
  there.emplace();
  in_a ? make(about, there, {}) : make(about, {}, there);
}

Bytes DifferenceMaker::text(double score) {
  ByteBuffer made;
  append_json_double(made, score);
  Bytes shown = made.bytes();
  if (shown.front() == '"') shown = shown.substr(1, shown.size() - 2);  // what is no number in JSON
  return texts_.keep(shown);
}

Bytes DifferenceMaker::text(StreamId id) {
  char room[2 * kDecimalMax + 1];
  char* to = room + to_decimal(id.ms, room).size();
  *to++ = '-';
  to += to_decimal(id.seq, to).size();
  return texts_.keep({room, static_cast<size_t>(to - room)});
}

}  // namespace persist
