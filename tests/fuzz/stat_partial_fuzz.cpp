// Partial results of stat: one that is taken is the same after it was written and read again, and adds up
// with itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "persist/stat.hpp"

namespace {

using namespace persist;

class TextSink : public ByteSink {
 public:
  void write(Bytes bytes) override { text += bytes; }
  std::string text;
};

std::string text_of(const StatReport& report) {
  TextSink sink;
  write_partial(report, sink);
  return sink.text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto source = memory_source(Bytes(reinterpret_cast<const char*>(data), size));
  StatReport report;
  try {
    report = read_partial(*source);
  } catch (const std::invalid_argument&) {
    return 0;
  }
  if (!is_partial(*source)) std::abort();
  const std::string text = text_of(report);
  if (text_of(read_partial(*memory_source(text))) != text) std::abort();
  // Once merged, the tree of prefixes goes by its rules: what is written of it can be read again.
  const StatReport same = report;
  merge_stat(report, same);
  (void)read_partial(*memory_source(text_of(report)));
  (void)report.bytes.quantile(0.99);
  return 0;
}
