// Names that tell what is in a file, and the line of the index that tells it exactly.
#include "ops/split_names.hpp"

#include "base/byte_buffer.hpp"
#include "base/sha1.hpp"
#include "ops/slot_map.hpp"
#include "text/json_string.hpp"

namespace persist {

namespace {

constexpr Bytes kFileEnding = ".rdb";
constexpr size_t kSafeNameMax = 200;
constexpr size_t kHashDigits = 16;
constexpr size_t kIdShown = 8;

constexpr Bytes kContentNames[] = {"slots", "node", "db", "prefix", "no-prefix", "unassigned"};

bool stands_for_itself(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

std::string short_hash(Bytes text) {
  Sha1 sha1;
  sha1.update(text);
  return to_hex(sha1.finish()).substr(0, kHashDigits);
}

std::string node_part(const SplitFile& file) {
  std::string part = "-" + file.node.substr(0, kIdShown);
  const size_t colon = file.address.rfind(':');
  if (colon == std::string::npos) return part;
  if (colon > 0) part += "-" + safe_file_name(Bytes(file.address).substr(0, colon));
  return part + "-" + safe_file_name(Bytes(file.address).substr(colon + 1));
}

void append_slots(ByteBuffer& line, const std::vector<SlotRange>& slots) {
  line.append(",\"slots\":[");
  for (size_t i = 0; i < slots.size(); ++i) {
    line.append(i == 0 ? Bytes("[") : Bytes(",["));
    line.append_number(slots[i].first);
    line.append(',');
    line.append_number(slots[i].last);
    line.append(']');
  }
  line.append(']');
}

}  // namespace

Bytes split_content_name(SplitContent content) { return kContentNames[static_cast<size_t>(content)]; }

std::string safe_file_name(Bytes text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string name;
  for (const char c : text) {
    if (stands_for_itself(c)) {
      name += c;
    } else {
      const auto byte = static_cast<uint8_t>(c);
      name += '%';
      name += kDigits[byte >> 4];
      name += kDigits[byte & 0xf];
    }
    if (name.size() > kSafeNameMax)
      return name.substr(0, kSafeNameMax - kHashDigits) + "~" + short_hash(text);
  }
  return name;
}

std::string split_file_name(const SplitFile& file) {
  std::string name(split_content_name(file.content));
  switch (file.content) {
    case SplitContent::slots:
      name += "-" + slot_range_text(file.slots.front());
      break;
    case SplitContent::node:
      name += node_part(file);
      break;
    case SplitContent::db:
      name += "-" + std::to_string(file.db);
      break;
    case SplitContent::prefix:
      name += "-" + safe_file_name(file.prefix);
      break;
    case SplitContent::no_prefix:
    case SplitContent::unassigned:
      break;
  }
  return name + std::string(kFileEnding);
}

std::string split_index_line(const SplitFile& file) {
  ByteBuffer line;
  line.append(R"({"file":)");
  append_json_string(line, file.name);
  line.append(R"(,"holds":")");
  line.append(split_content_name(file.content));
  line.append('"');
  if (file.content == SplitContent::node) {
    line.append(",\"node\":");
    append_json_string(line, file.node);
    line.append(",\"address\":");
    append_json_string(line, file.address);
  }
  if (!file.slots.empty()) append_slots(line, file.slots);
  if (file.content == SplitContent::db) {
    line.append(",\"db\":");
    line.append_number(file.db);
  }
  if (file.content == SplitContent::prefix) {
    line.append(",\"prefix\":");
    append_json_string(line, file.prefix);
  }
  line.append(",\"keys\":");
  line.append_number(file.keys);
  line.append(",\"bytes\":");
  line.append_number(file.bytes);
  line.append("}\n");
  return std::string(line.bytes());
}

}  // namespace persist
