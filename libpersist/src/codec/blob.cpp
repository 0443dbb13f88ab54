// How a place inside a blob becomes a place in the file.
#include "codec/blob.hpp"

#include <algorithm>

namespace persist {

namespace {

constexpr size_t kContextBytes = 8;  // shown on each side of a place

}  // namespace

void Blob::fail(FindingCode code, size_t at, size_t size, std::string subject, std::string expected,
                std::string found) const {
  Finding finding;
  finding.code = code;
  finding.extent = {inflated ? offset : offset + at, inflated ? 0 : size};
  if (inflated) finding.inflated_offset = at;
  finding.subject = std::move(subject);
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  const size_t from = at - std::min(at, kContextBytes);
  finding.context = bytes.substr(std::min(from, bytes.size()), 2 * kContextBytes);
  finding.context_offset = inflated ? from : offset + from;
  throw FormatError(std::move(finding));
}

std::string hex_byte(uint8_t byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

}  // namespace persist
