// Strings: one STR.
#include "types/primitives.hpp"
#include "types/types.hpp"

namespace persist {

void decode_string(Cursor& in, ElementSink out) { out(StringValue{read_payload(in, "string value")}); }

void skip_one_string(Cursor& in) { skip_string(in, "value"); }

}  // namespace persist
