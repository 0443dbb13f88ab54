// A file or pipe that is still being written to: its end is where a follower has to wait.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "persist/source.hpp"

namespace persist {

class FollowSource : public ByteSource {
 public:
  // Called when all bytes have been read: waits for more and returns true, or false if this is the end.
  using Wait = std::function<bool()>;

  // "-" is standard input. Nothing is inflated. Throws std::system_error.
  FollowSource(const std::string& path, Wait wait);
  ~FollowSource() override;
  FollowSource(const FollowSource&) = delete;
  FollowSource& operator=(const FollowSource&) = delete;

  // Waits until there are `min` bytes, and returns those that are there then.
  Window window(uint64_t from, uint64_t min) override;
  [[nodiscard]] bool rereadable() const override { return is_file_; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return std::nullopt; }
  [[nodiscard]] const std::string& name() const override { return name_; }

  // What has become of the file under the path since it was opened.
  enum class Change : uint8_t { none, shorter, replaced, gone };
  [[nodiscard]] Change change() const;

 private:
  struct Room;

  void move_to(uint64_t from);
  void make_room(uint64_t from);
  size_t read_some(char* to, size_t room);
  [[nodiscard]] uint64_t end() const { return start_ + filled_; }

  std::string path_;
  std::string name_;
  Wait wait_;
  int descriptor_;
  bool is_file_ = false;
  bool ended_ = false;
  std::shared_ptr<Room> room_;
  uint64_t start_ = 0;  // offset in the file of the room's first byte
  size_t filled_ = 0;
};

}  // namespace persist
