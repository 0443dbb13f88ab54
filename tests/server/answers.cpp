// Reading answers off a connection, and putting them together from what handlers say.
#include "server/answers.hpp"

#include <stdexcept>

#include "text/command_line.hpp"

namespace persist::test {

Answer read_answer(Client& client) {
  const std::string line = client.read_line();
  if (line.empty()) throw std::runtime_error("server test: an empty answer");
  Answer answer{line[0], line.substr(1), {}};
  if (line[0] != '$' && line[0] != '*') return answer;
  const int64_t size = std::stoll(answer.text);
  answer.text.clear();
  if (size < 0) return {};
  if (line[0] == '$') {
    answer.text = client.read_bytes(static_cast<size_t>(size));
    client.read_bytes(2);
  }
  for (int64_t i = 0; line[0] == '*' && i < size; ++i) answer.items.push_back(read_answer(client));
  return answer;
}

std::string text_of(const Answer& answer) {
  if (answer.kind == '*') {
    std::string text = "[";
    for (const Answer& item : answer.items) text += (text.size() > 1 ? ", " : "") + text_of(item);
    return text + "]";
  }
  ByteBuffer text;
  if (answer.kind == '$') append_quoted(text, answer.text);
  return answer.kind == '$' ? std::string(text.bytes()) : answer.kind + answer.text;
}

void AnswerSink::array(size_t elements) {
  if (elements == 0) return put({'*', {}, {}});
  open_.push_back({{'*', {}, {}}, elements});
}

void AnswerSink::put(Answer answer) {
  while (!open_.empty()) {
    open_.back().array.items.push_back(std::move(answer));
    if (--open_.back().missing > 0) return;
    answer = std::move(open_.back().array);
    open_.pop_back();
  }
  whole_.push_back(std::move(answer));
}

Answer AnswerSink::take() const {
  if (!open_.empty()) return {'-', "an array is not filled", {}};
  if (whole_.size() != 1) return {'-', std::to_string(whole_.size()) + " answers", {}};
  return whole_.front();
}

}  // namespace persist::test
