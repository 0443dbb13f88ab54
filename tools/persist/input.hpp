// What a path turned out to be.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "persist/finding.hpp"
#include "persist/source.hpp"

namespace persist::tool {

struct Input {
  std::unique_ptr<ByteSource> source;
  std::optional<Window> payload;  // the whole of it, if it is a DUMP payload
};

// Throws std::system_error.
Input open_input(const std::string& path);

// Passes findings on and notes the kind of file they speak of: a file that is no RDB file is known by the
// finding that says so.
class KindWatch : public FindingSink {
 public:
  explicit KindWatch(FindingSink& to) : to_(to) {}
  void report(const Finding& finding) override;

  [[nodiscard]] const std::string& kind() const { return kind_; }
  [[nodiscard]] bool is_rdb() const { return kind_ == "rdb"; }

 private:
  FindingSink& to_;
  std::string kind_ = "rdb";
};

}  // namespace persist::tool
