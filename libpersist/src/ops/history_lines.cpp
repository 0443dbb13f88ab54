// Writing the events of a key down.
#include "ops/history_lines.hpp"

#include "text/command_line.hpp"
#include "text/json_lines.hpp"
#include "text/json_string.hpp"
#include "types/plain_encoding.hpp"

namespace persist {

namespace {

// What a size counts.
Bytes unit_of(ValueType type, uint64_t size) {
  const bool one = size == 1;
  switch (type) {
    case ValueType::list:
      return one ? "item" : "items";
    case ValueType::set:
    case ValueType::zset:
      return one ? "member" : "members";
    case ValueType::hash:
      return one ? "field" : "fields";
    case ValueType::stream:
      return one ? "entry" : "entries";
    case ValueType::array:
      return one ? "element" : "elements";
    default:
      return one ? "byte" : "bytes";
  }
}

std::string milliseconds_text(int64_t time_ms) {
  constexpr int64_t kMillisecondsPerSecond = 1000;
  return utc_text(time_ms / kMillisecondsPerSecond);
}

}  // namespace

KeyLook look_at(const KeyEntry* entry) {
  if (entry == nullptr) return {};
  return {true, entry->born, entry->type(), entry->size(), entry->expire_at_ms};
}

void HistoryLines::put(ByteBuffer& out, const LoggedCommand& command, std::span<const Bytes> args,
                       uint64_t db, KeyEvent event, const KeyEntry* entry) {
  LoggedCommand told = command;
  told.db = db;
  lines_.put_head(out, told);
  out.append(json_ ? Bytes(R"(,"event":")") : Bytes(" "));
  out.append(key_event_name(event));
  if (json_) out.append('"');
  lines_.put_args(out, args);
  put_look(out, look_at(entry));
  if (values_ && entry != nullptr) put_value(out, *entry);
  out.append(json_ ? Bytes("}\n") : Bytes("\n"));
}

void HistoryLines::put_loaded(ByteBuffer& out, uint64_t db, const KeyEntry& entry) const {
  if (json_) {
    out.append(R"({"file":)");
    append_json_string(out, file_);
    out.append(R"(,"db":)");
    out.append_number(db);
    out.append(R"(,"event":"loaded")");
  } else {
    append_argument(out, file_);
    out.append(" RDB db");
    out.append_number(db);
    out.append(" - loaded");
  }
  put_look(out, look_at(&entry));
  if (values_) put_value(out, entry);
  out.append(json_ ? Bytes("}\n") : Bytes("\n"));
}

void HistoryLines::put_look(ByteBuffer& out, const KeyLook& look) const {
  if (!look.exists) {
    out.append(json_ ? Bytes(R"(,"after":null)") : Bytes(" -> gone"));
    return;
  }
  out.append(json_ ? Bytes(R"(,"after":{"type":")") : Bytes(" -> "));
  out.append(value_type_name(look.type));
  out.append(json_ ? Bytes(R"(","size":)") : Bytes(", "));
  out.append_number(look.size);
  if (!json_) {
    out.append(' ');
    out.append(unit_of(look.type, look.size));
  }
  if (look.expire_at_ms != kNoExpiry) {
    out.append(json_ ? Bytes(R"(,"expire_at_ms":)") : Bytes(", expires "));
    out.append(json_ ? std::to_string(look.expire_at_ms) : milliseconds_text(look.expire_at_ms));
  }
  if (json_) out.append('}');
}

// The line of the key in a dump.
void HistoryLines::put_value(ByteBuffer& out, const KeyEntry& entry) const {
  ByteBuffer text;
  EntryLine line(text);
  line.write(plain_encoding(entry.type()), [&](ElementSink out_of) { entry.tell(out_of, true); });
  out.append(json_ ? Bytes(R"(,"value":)") : Bytes(" "));
  out.append(text.bytes().substr(0, text.size() - 1));
}

}  // namespace persist
