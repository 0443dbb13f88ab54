// Counting what goes, and keeping the first few names for the report.
#include "ops/loss.hpp"

#include <algorithm>

#include "aof/command_walk.hpp"

namespace persist {

namespace {
constexpr size_t kKeysTold = 20;
constexpr size_t kKeyBytesTold = 256;
}  // namespace

void Loss::add_key(Bytes key) {
  if (keys_.size() >= kKeysTold) return;
  const Bytes told = key.substr(0, kKeyBytesTold);
  if (std::ranges::find(keys_, told) == keys_.end()) keys_.emplace_back(told);
}

void Loss::add(const CommandSpec* spec, std::span<const Bytes> args) {
  ++commands_;
  if (spec == nullptr || keys_.size() >= kKeysTold) return;
  for_each_key(*spec, args, [&](size_t index) { add_key(args[index]); });
}

void Loss::add(const Loss& more) {
  commands_ += more.commands_;
  for (const std::string& key : more.keys_) add_key(key);
}

void Loss::add_torn(ByteSource& source, uint64_t offset) {
  const WalkedCommand walked = walk_command(source, offset, {});
  if (walked.beginnings.empty()) {
    ++commands_;
    return;
  }
  const std::vector<Bytes> args(walked.beginnings.begin(), walked.beginnings.end());
  add(find_command(args.front()), args);
}

}  // namespace persist
