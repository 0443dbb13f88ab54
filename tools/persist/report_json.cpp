// Findings for programs. The shapes: persist-check(1), JSON.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

std::string base64(Bytes bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j)
      bits = (bits << 8) | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0U);
    for (size_t j = 0; j < 4; ++j)
      text += i + j <= bytes.size() ? kAlphabet[(bits >> (18 - 6 * j)) & 63] : '=';
  }
  return text;
}

class JsonLinesReport : public FindingSink {
 public:
  explicit JsonLinesReport(size_t most) : most_(most) {}
  void report(const Finding& finding) override {
    if (seen_++ < most_) std::fputs(json_line(json_of(finding)).c_str(), stderr);
  }

 private:
  size_t most_;
  size_t seen_ = 0;
};

}  // namespace

std::unique_ptr<FindingSink> finding_report(bool json, size_t most) {
  if (json) return std::make_unique<JsonLinesReport>(most);
  return std::make_unique<TextReport>(most);
}

void KeptReport::report(const Finding& finding) {
  if (kept_.size() < most_)
    kept_.push_back(finding);
  else
    ++left_out_;
}

Json json_string(Bytes bytes) {
  try {
    (void)Json(std::string(bytes)).dump();
    return std::string(bytes);
  } catch (const Json::type_error&) {
    return Json{{"$base64", base64(bytes)}};
  }
}

Json json_of(const Finding& finding) {
  Json json;
  json["code"] = finding.kind().id;
  json["severity"] = severity_name(finding.kind().severity);
  json["file"] = json_string(finding.file);
  json["offset"] = finding.extent.offset;
  json["size"] = finding.extent.size;
  if (finding.inflated_offset) json["inflated_offset"] = *finding.inflated_offset;
  json["message"] = printable(finding.message());
  if (!finding.expected.empty()) json["expected"] = printable(finding.expected);
  if (!finding.found.empty()) json["found"] = printable(finding.found);
  if (finding.db) json["db"] = *finding.db;
  if (finding.key) json["key"] = json_string(*finding.key);
  if (!finding.record.empty()) json["record"] = finding.record;
  return json;
}

std::string json_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Exit exit_of(Reach reach, bool sound) {
  if (sound) return kDone;
  return reach == Reach::beyond ? kBroken : kDamaged;
}

}  // namespace persist::tool
