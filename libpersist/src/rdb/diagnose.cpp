// Telling files apart by how they begin.
#include "rdb/diagnose.hpp"

#include <algorithm>

#include "base/letters.hpp"

namespace persist {

namespace {

struct Beginning {
  Bytes bytes;
  FindingCode code;
};

// Compared without regard to case.
constexpr Beginning kBeginnings[] = {
    {"#ts:", FindingCode::input_aof},
    {"file ", FindingCode::input_manifest},
    {"<", FindingCode::input_html},
    {"{", FindingCode::input_json},
    {"[", FindingCode::input_json},
    {Bytes("pk\x03\x04", 4), FindingCode::input_archive},
    {Bytes("\xfd"
           "7zXZ",
           5),
     FindingCode::input_archive},
    {"bzh", FindingCode::input_archive},
    {Bytes("7z\xbc\xaf", 4), FindingCode::input_archive},
    {"rar!", FindingCode::input_archive},
    {"vkcs", FindingCode::input_envelope},
    {"vcs", FindingCode::input_envelope},
};

constexpr size_t kTarMarkAt = 257;

bool begins_with(Bytes head, Bytes beginning) {
  return head.size() >= beginning.size() && equals_ignoring_case(head.substr(0, beginning.size()), beginning);
}

bool is_command(Bytes head) { return head.size() >= 2 && head[0] == '*' && head[1] >= '0' && head[1] <= '9'; }

Bytes without_blanks(Bytes head) {
  constexpr Bytes kByteOrderMark = "\xef\xbb\xbf";
  if (head.starts_with(kByteOrderMark)) head.remove_prefix(kByteOrderMark.size());
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  return head;
}

}  // namespace

std::optional<FindingCode> diagnose_head(Bytes head) {
  if (head.empty()) return FindingCode::input_empty;
  for (const Bytes magic : {Bytes("REDIS"), Bytes("VALKEY")}) {
    if (head.starts_with(magic) || magic.starts_with(head)) return std::nullopt;
  }
  if (head.find_first_not_of('\0') == Bytes::npos) return FindingCode::input_nul;
  if (is_command(head)) return FindingCode::input_aof;
  if (head.size() > kTarMarkAt && head.substr(kTarMarkAt).starts_with("ustar"))
    return FindingCode::input_archive;
  const Bytes text = without_blanks(head);
  for (const Beginning& beginning : kBeginnings) {
    if (begins_with(text, beginning.bytes)) return beginning.code;
  }
  return FindingCode::input_unknown;
}

}  // namespace persist
