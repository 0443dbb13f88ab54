// A closer look at what is neither a log nor an RDB file.
#include "dataset_input.hpp"

#include "persist/edit.hpp"

namespace persist::tool {

namespace {

bool is_object_in_front(ByteSource& source) {
  constexpr Bytes kBlanksAndMark = " \t\r\n\xef\xbb\xbf";
  constexpr size_t kLookedAt = 64;
  const Window head = source.window(0, 1);
  const Bytes looked_at = head.bytes.substr(0, kLookedAt);
  const size_t first = looked_at.find_first_not_of(kBlanksAndMark);
  return first != Bytes::npos && looked_at[first] == '{';
}

}  // namespace

ConvertInput dataset_input(const std::string& verb, const std::string& path, Keyspace& found,
                           const ReplayArguments& replay, bool quiet) {
  ConvertInput input;
  input.errors = found.errors;
  if (found.log) {
    if (!quiet) announce_set(verb, path, *found.log);
    input.log = &*found.log;
    input.replay = replay.options();
    found.lend_to(input.replay);
    return input;
  }
  if (found.input.payload) {
    throw EditRefused(EditRefused::Kind::unusable,
                      path + ": a DUMP payload, which has no key: `persist dump` shows its value");
  }
  if (is_object_in_front(*found.input.source)) {
    input.json = found.input.source.get();
    return input;
  }
  if (!quiet) announce_rdb(verb, path, found);
  input.rdb = found.input.source.get();
  return input;
}

}  // namespace persist::tool
