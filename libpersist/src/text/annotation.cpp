// One line a record, then its bytes, sixteen a line.
#include "text/annotation.hpp"

#include <algorithm>

#include "text/json_string.hpp"

namespace persist {

namespace {

constexpr char kDigits[] = "0123456789abcdef";
constexpr size_t kBytesInLine = 16;

void append_offset(ByteBuffer& out, uint64_t offset) {
  constexpr int kDigitsMin = 8;
  out.append("0x");
  int digits = kDigitsMin;
  while (digits < 16 && (offset >> (4 * digits)) != 0) ++digits;
  while (digits-- > 0) out.append(kDigits[(offset >> (4 * digits)) & 15]);
}

void append_bytes(ByteBuffer& out, const RdbRecord& record, Bytes bytes) {
  for (size_t at = 0; at < bytes.size(); at += kBytesInLine) {
    const Bytes line = bytes.substr(at, kBytesInLine);
    out.append("    ");
    append_offset(out, record.extent.offset + at);
    out.append(' ');
    for (const char c : line) {
      const auto byte = static_cast<uint8_t>(c);
      out.append(' ');
      out.append(kDigits[byte >> 4]);
      out.append(kDigits[byte & 15]);
    }
    for (size_t i = line.size(); i < kBytesInLine; ++i) out.append("   ");
    out.append("  |");
    for (const char c : line) out.append(c >= ' ' && c <= '~' ? c : '.');
    out.append("|\n");
  }
  if (bytes.size() < record.extent.size && !bytes.empty()) {
    out.append("    ... ");
    out.append_number(record.extent.size - bytes.size());
    out.append(" more bytes\n");
  }
}

struct Describe {
  ByteBuffer& out;
  std::optional<uint64_t> elements;

  template <std::integral T>
  void named(Bytes name, T value) const {
    out.append(' ');
    out.append(name);
    out.append(' ');
    out.append_number(value);
  }
  void text(Bytes bytes) const {
    constexpr size_t kShown = 200;
    size_t shown = std::min(bytes.size(), kShown);
    // Not in the middle of a UTF-8 sequence: that would make all of it look binary.
    while (shown > 0 && shown < bytes.size() && (bytes[shown] & '\xc0') == '\x80') --shown;
    out.append(' ');
    append_json_string(out, bytes.substr(0, shown));
    if (shown < bytes.size()) out.append("...");
  }

  void operator()(const RdbHeader& header) const {
    out.append("header ");
    out.append(dialect_name(header.dialect));
    named("version", header.version);
  }
  void operator()(const AuxField& aux) const {
    out.append("aux");
    text(aux.name);
    out.append(" =");
    text(aux.value);
  }
  void operator()(const SelectDb& select) const {
    out.append("selectdb ");
    out.append_number(select.db);
  }
  void operator()(const ResizeDb& resize) const {
    out.append("resizedb");
    named("keys", resize.keys);
    named("volatile", resize.volatile_keys);
  }
  void operator()(const SlotInfo& info) const {
    out.append("slot-info");
    named("slot", info.slot);
    named("keys", info.keys);
    named("volatile", info.volatile_keys);
  }
  void operator()(const SlotImport& import) const {
    out.append("slot-import");
    text(import.job);
    for (const SlotRange& range : import.slots) {
      named("slots", range.first);
      named("to", range.last);
    }
  }
  void operator()(const FunctionLibrary& library) const {
    out.append(library.pre_release ? "function-pre-release" : "function");
    if (library.pre_release) text(library.name);
    text(library.code);
  }
  void operator()(const ModuleAux& aux) const {
    out.append("module-aux ");
    out.append(aux.module);
    named("encver", aux.encver);
    named("when", aux.when);
  }
  void operator()(const RdbEntry& entry) const {
    out.append(entry.encoding->label);
    named("db", entry.db);
    out.append(" key");
    text(entry.key);
    if (entry.expire_at_ms != kNoExpiry) named("expire_at_ms", entry.expire_at_ms);
    if (entry.idle_s) named("idle_s", *entry.idle_s);
    if (entry.freq) named("freq", unsigned{*entry.freq});
    if (!entry.key_meta.empty()) named("key_meta", entry.key_meta.size());
    if (elements) named("elements", *elements);
  }
  void operator()(const RdbEnd& end) const {
    out.append("eof checksum ");
    out.append(checksum_state_name(end.checksum));
  }
};

}  // namespace

void append_annotation(ByteBuffer& out, const RdbRecord& record, Bytes bytes,
                       std::optional<uint64_t> elements) {
  append_offset(out, record.extent.offset);
  out.append(" size ");
  out.append_number(record.extent.size);
  out.append(elements ? Bytes(" ") : Bytes(" damaged "));
  std::visit(Describe{out, elements}, record.body);
  out.append('\n');
  append_bytes(out, record, bytes.substr(0, std::min<uint64_t>(bytes.size(), record.extent.size)));
}

}  // namespace persist
