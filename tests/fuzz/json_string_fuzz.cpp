// JSON strings: any bytes give valid JSON, from which the same bytes come back.
#include "text/json_string.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using namespace persist;

std::string from_base64(const std::string& text) {
  constexpr Bytes kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = (bits << 6) | static_cast<uint32_t>(kAlphabet.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count));
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  ByteBuffer out;
  append_json_string(out, bytes);
  const nlohmann::json parsed = nlohmann::json::parse(out.bytes());
  const bool is_text = parsed.is_string();
  if (is_text != is_json_text(bytes)) std::abort();
  const std::string back =
      is_text ? parsed.get<std::string>() : from_base64(parsed.at("$base64").get<std::string>());
  if (back != bytes) std::abort();
  return 0;
}
