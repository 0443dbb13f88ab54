// Starting, stopping and talking to a redis-server.
#include "server/live_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace persist::test {

namespace {

constexpr int kPatienceMs = 20'000;
constexpr int kNoProgram = 127;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("server test: " + what); }

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound =
      probe >= 0 && ::bind(probe, generic, size) == 0 && ::getsockname(probe, generic, &size) == 0;
  if (probe >= 0) ::close(probe);
  if (!bound) fail("no free port on the loopback");
  return ntohs(address.sin_port);
}

int connect_to(int port) {
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0) fail("no socket");
  const sockaddr_in address = loopback(port);
  if (::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return connection;
  ::close(connection);
  return -1;
}

// In the child: only what is allowed between fork and exec.
[[noreturn]] void become(char* const* arguments, const char* log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int output = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execvp(arguments[0], arguments);
  ::_exit(kNoProgram);
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

const Reply& Reply::field(std::string_view name) const {
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].text == name) return items[i + 1];
  }
  throw std::out_of_range("the server's answer has no " + std::string(name));
}

// --- Client ---------------------------------------------------------------------------------------------

Client::Client(int port) : socket_(connect_to(port)) {
  if (socket_ < 0) fail("cannot connect");
}

Client::~Client() { ::close(socket_); }

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail("the server hung up");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

void Client::fill() {
  pollfd waiting{socket_, POLLIN, 0};
  if (::poll(&waiting, 1, kPatienceMs) <= 0) fail("the server does not answer");
  std::array<char, 65536> piece;
  const ssize_t got = ::recv(socket_, piece.data(), piece.size(), 0);
  if (got <= 0) fail("the server hung up");
  if (used_ == buffer_.size()) {
    buffer_.clear();
    used_ = 0;
  }
  buffer_.append(piece.data(), static_cast<size_t>(got));
}

std::string Client::read_bytes(size_t size) {
  while (buffer_.size() - used_ < size) fill();
  std::string bytes = buffer_.substr(used_, size);
  used_ += size;
  return bytes;
}

std::string Client::read_until(std::string_view mark) {
  size_t searched = 0;
  while (true) {
    const size_t at = buffer_.find(mark, used_ + searched);
    if (at != std::string::npos) return read_bytes(at + mark.size() - used_);
    const size_t have = buffer_.size() - used_;
    searched = have < mark.size() ? 0 : have - mark.size();
    fill();
  }
}

std::string Client::read_line() {
  std::string line = read_until("\r\n");
  line.resize(line.size() - 2);
  return line;
}

Reply Client::read_reply() {
  const std::string line = read_line();
  if (line.empty()) fail("an empty reply");
  Reply reply;
  reply.text = line.substr(1);
  switch (line[0]) {
    case '+':
    case ':':
      return reply;
    case '-':
      fail("the server says " + reply.text);
    case '$':
    case '*':
      break;
    default:
      fail("not a reply: " + line);
  }
  const int64_t size = std::stoll(reply.text);
  reply.text.clear();
  reply.null = size < 0;
  if (line[0] == '$' && size >= 0) {
    reply.text = read_bytes(static_cast<size_t>(size));
    read_bytes(2);
  }
  for (int64_t i = 0; line[0] == '*' && i < size; ++i) reply.items.push_back(read_reply());
  return reply;
}

Reply Client::call(const std::vector<std::string>& arguments) {
  std::string request = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& argument : arguments) {
    request += "$" + std::to_string(argument.size()) + "\r\n";
    request += argument;
    request += "\r\n";
  }
  send(request);
  return read_reply();
}

Reply Client::call(std::initializer_list<std::string_view> arguments) {
  return call(std::vector<std::string>(arguments.begin(), arguments.end()));
}

// --- Server ---------------------------------------------------------------------------------------------

LiveServer::LiveServer(const std::vector<std::string>& options) {
  make_folder();
  start_somewhere(options);
}

LiveServer::LiveServer(const std::vector<std::string>& options, const std::filesystem::path& data) {
  make_folder();
  std::filesystem::copy(data, folder_, std::filesystem::copy_options::recursive);
  start_somewhere(options);
}

void LiveServer::make_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "persist-server-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) fail("no temporary folder");
  folder_ = pattern;
}

void LiveServer::start_somewhere(const std::vector<std::string>& options) {
  constexpr int kAttempts = 3;  // somebody else may take the port first
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (start(options)) return;
  }
  const std::string log = content_of(folder_ / "log");
  stop();
  std::filesystem::remove_all(folder_);
  fail("redis-server did not start: is it installed? It said:\n" + log);
}

LiveServer::~LiveServer() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool LiveServer::start(const std::vector<std::string>& options) {
  port_ = free_port();
  std::vector<std::string> words = {"redis-server",
                                    "--port",
                                    std::to_string(port_),
                                    "--bind",
                                    "127.0.0.1",
                                    "--dir",
                                    folder_,
                                    "--save",
                                    "",
                                    "--appendonly",
                                    "no",
                                    "--enable-debug-command",
                                    "yes",
                                    "--databases",
                                    "16",
                                    "--repl-diskless-sync-delay",
                                    "0"};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log = folder_ / "log";
  process_ = ::fork();
  if (process_ < 0) fail("cannot fork");
  if (process_ == 0) become(arguments.data(), log.c_str());
  using Clock = std::chrono::steady_clock;
  for (const auto end = Clock::now() + std::chrono::milliseconds(kPatienceMs); Clock::now() < end;) {
    if (::waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = -1;
      return false;
    }
    const int probe = connect_to(port_);
    if (probe >= 0) {
      ::close(probe);
      return Client(port_).call({"CONFIG", "GET", "dir"}).field("dir").text == folder_;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  stop();
  return false;
}

void LiveServer::stop() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

}  // namespace persist::test
