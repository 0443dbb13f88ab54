// Answers to commands as trees, from a server and from the engine, to be compared.
#pragma once

#include <string>
#include <vector>

#include "engine/commands/call.hpp"
#include "server/live_server.hpp"

namespace persist::test {

struct Answer {
  char kind = '_';  // as in the protocol: : $ + - *; _ is nil
  std::string text;
  std::vector<Answer> items;

  bool operator==(const Answer&) const = default;
};

// The next answer on a connection. Errors are answers like any other.
[[nodiscard]] Answer read_answer(Client& client);

// In one line.
[[nodiscard]] std::string text_of(const Answer& answer);

// Puts together what a handler answers, piece by piece.
class AnswerSink : public ReplySink {
 public:
  void integer(int64_t number) override { put({':', std::to_string(number), {}}); }
  void bulk(Bytes text) override { put({'$', std::string(text), {}}); }
  void nil() override { put({}); }
  void status(Bytes text) override { put({'+', std::string(text), {}}); }
  void error(Bytes text) override { put({'-', std::string(text), {}}); }
  void array(size_t elements) override;

  // Only one whole answer is right: anything else comes as an error that no server has.
  [[nodiscard]] Answer take() const;

 private:
  struct Open {
    Answer array;
    size_t missing;
  };
  void put(Answer answer);

  std::vector<Answer> whole_;
  std::vector<Open> open_;
};

}  // namespace persist::test
