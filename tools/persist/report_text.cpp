// Findings for people.
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kBold = "\x1b[1m";

std::string_view colour_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "\x1b[1;31m";
    case Severity::warning:
      return "\x1b[1;33m";
    case Severity::note:
      return "\x1b[1;36m";
  }
  return kReset;
}

std::string place_of(const Finding& finding) {
  std::string place = fmt::format("{}:{:#x}", printable(finding.file), finding.extent.offset);
  if (finding.inflated_offset) place += fmt::format("+{:#x} inflated", *finding.inflated_offset);
  return place;
}

// (db 0, "user:17", hash-listpack)
std::string whereabouts_of(const Finding& finding) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (finding.db) add(fmt::format("db {}", *finding.db));
  if (finding.key) add(fmt::format("\"{}\"", printable(*finding.key)));
  if (!finding.record.empty()) add(finding.record);
  return text.empty() ? text : " (" + text + ")";
}

// The bytes around the place, and carets under those that are meant.
void print_bytes(const Finding& finding) {
  if (finding.context.empty()) return;
  const uint64_t place = finding.inflated_offset.value_or(finding.extent.offset);
  std::string bytes;
  std::string letters;
  std::string carets;
  const uint64_t end = place + std::max<uint64_t>(finding.extent.size, 1);
  for (size_t i = 0; i < finding.context.size(); ++i) {
    const auto byte = static_cast<uint8_t>(finding.context[i]);
    const uint64_t at = finding.context_offset + i;
    bytes += fmt::format(" {:02x}", byte);
    letters += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '.';
    carets += at >= place && at < end ? " ^^" : "   ";
  }
  carets.erase(carets.find_last_not_of(' ') + 1);
  const std::string margin = fmt::format("    {:08x} ", finding.context_offset);
  fmt::print(stderr, "{}{}  |{}|\n", margin, bytes, letters);
  if (!carets.empty()) fmt::print(stderr, "{}{}\n", std::string(margin.size(), ' '), carets);
}

}  // namespace

std::string finding_line(const Finding& finding, bool colour) {
  const FindingKind& kind = finding.kind();
  const auto paint = [&](std::string_view code) { return colour ? code : std::string_view(); };
  return fmt::format("{}{}:{} {}{}:{} {}{} [{}]", paint(kBold), place_of(finding), paint(kReset),
                     paint(colour_of(kind.severity)), severity_name(kind.severity), paint(kReset),
                     printable(finding.message()), whereabouts_of(finding), kind.id);
}

std::string counted(uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

TextReport::TextReport(size_t most) : most_(most), colour_(use_colour()) {}

TextReport::~TextReport() {
  if (seen_ > most_)
    std::fputs(("... and " + std::to_string(seen_ - most_) + " more findings\n").c_str(), stderr);
}

void TextReport::report(const Finding& finding) {
  if (++seen_ > most_) return;
  const FindingKind& kind = finding.kind();
  fmt::print(stderr, "{}\n", finding_line(finding, colour_));
  print_bytes(finding);
  if (std::ranges::find(advised_, kind.code) != advised_.end()) return;
  advised_.push_back(kind.code);
  fmt::print(stderr, "    {}{}{}\n", finding.subject.empty() ? Bytes() : kind.sentence,
             finding.subject.empty() ? "" : " ", kind.action);
}

}  // namespace persist::tool
