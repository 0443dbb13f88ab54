// A redis-server of the test's own, on a free loopback port and in a temporary folder, and a client that
// speaks just enough RESP to fill it and to ask it.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace persist::test {

// What a server answers: the text of a string, number or status, or the items of an array.
struct Reply {
  bool null = false;
  std::string text;
  std::vector<Reply> items;

  // The value behind `name` in an array of names and values. Throws std::out_of_range.
  [[nodiscard]] const Reply& field(std::string_view name) const;
};

// One connection. Everything throws std::runtime_error when the server goes away, or does not answer within
// seconds.
class Client {
 public:
  explicit Client(int port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // An error reply is thrown.
  Reply call(const std::vector<std::string>& arguments);
  Reply call(std::initializer_list<std::string_view> arguments);

  void send(std::string_view bytes);
  // Without its CR LF.
  std::string read_line();
  std::string read_bytes(size_t size);
  // Up to and including `mark`.
  std::string read_until(std::string_view mark);

 private:
  void fill();
  Reply read_reply();

  int socket_ = -1;
  std::string buffer_;
  size_t used_ = 0;
};

// Runs as long as the object lives, and not a moment longer: also if the test is killed.
class LiveServer {
 public:
  // `options` as in redis.conf, such as {"--rdbcompression", "no"}. Throws std::runtime_error if there is no
  // redis-server on PATH or if it does not start.
  explicit LiveServer(const std::vector<std::string>& options);
  // On a copy of what is in the folder `data`.
  LiveServer(const std::vector<std::string>& options, const std::filesystem::path& data);
  ~LiveServer();
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::filesystem::path folder() const { return folder_; }
  // As `kill -9` does. The folder stays as long as the object lives.
  void kill() { stop(); }
  // What SAVE writes.
  [[nodiscard]] std::filesystem::path rdb() const { return folder_ / "dump.rdb"; }

 private:
  void make_folder();
  void start_somewhere(const std::vector<std::string>& options);
  [[nodiscard]] bool start(const std::vector<std::string>& options);
  void stop();

  std::filesystem::path folder_;
  int port_ = 0;
  int process_ = -1;
};

}  // namespace persist::test
