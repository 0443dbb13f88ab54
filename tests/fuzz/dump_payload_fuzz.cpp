// DUMP payloads: as they come, and with the checksum that would fit them, so that what is inside is reached.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/crc64.hpp"
#include "persist/check.hpp"
#include "persist/rdb_reader.hpp"

namespace {

using namespace persist;

class NullFindings : public FindingSink {
 public:
  void report(const Finding& finding) override {
    if (finding.message().empty()) std::abort();
  }
};

void look(Bytes payload) {
  NullFindings findings;
  check_dump_payload(payload, "payload", findings, CheckOptions{});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  look(bytes);
  constexpr size_t kFooterBytes = 10;
  if (size <= kFooterBytes) return 0;
  std::string payload(bytes.substr(0, size - sizeof(uint64_t)));
  const uint64_t checksum = crc64(0, payload);
  for (int shift = 0; shift < 64; shift += 8) payload.push_back(static_cast<char>(checksum >> shift));
  if (!is_dump_payload(payload) && checksum != 0) std::abort();
  look(payload);
  return 0;
}
