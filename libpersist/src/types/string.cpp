// Strings: one STR.
#include "types/encode.hpp"
#include "types/primitives.hpp"
#include "types/types.hpp"

namespace persist {

void decode_string(Cursor& in, ElementSink out) { out(StringValue{read_payload(in, "string value")}); }

bool decode_string_in_runs(Cursor& in, FunctionRef<void(Bytes)> run) {
  const uint8_t first = in.u8("string value");
  if (first >= kSpecialString) return false;
  for (uint64_t left = in.length_after(first, "string value"); left > 0;) {
    const Bytes some = in.take_some(left, "string value");
    run(some);
    left -= some.size();
    in.release();
  }
  return true;
}

void skip_one_string(Cursor& in) { skip_string(in, "value"); }

void encode_string(Encoder& out, const Value& value) { out.string(value.text); }

}  // namespace persist
