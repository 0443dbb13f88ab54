// All types but streams. Nothing is copied that stands in the parsed line.
#include "text/json_value.hpp"

#include <algorithm>
#include <limits>

#include "persist/rdb_reader.hpp"
#include "types/module.hpp"

namespace persist {

namespace {

Bytes take_item(const JsonElement& element, const char* subject, Value& value) {
  const Bytes bytes = take_bytes(element, subject, value.arena);
  value.longest = std::max(value.longest, bytes.size());
  return bytes;
}

void read_json_string(const JsonElement& element, Value& value) {
  value.text = take_bytes(element, "value", value.arena);
}

void read_json_list(const JsonElement& element, Value& value) {
  for (const JsonElement item : take_array(element, "value"))
    value.items.push_back(take_item(item, "item", value));
}

void read_json_set(const JsonElement& element, Value& value) {
  for (const JsonElement member : take_array(element, "value"))
    value.items.push_back(take_item(member, "member", value));
}

void read_json_zset(const JsonElement& element, Value& value) {
  for (const JsonElement pair : take_array(element, "value")) {
    const auto [member, score] = take_pair(pair, "member and score");
    value.members.push_back({take_item(member, "member", value), take_score(score, "score")});
  }
}

// An object with this one member is no hash of one field: {"$pairs":[[field,thing],...]}. A field that is
// called so has a string as its value, never an array.
bool take_pairs(const JsonElement& element, JsonArray& pairs) {
  JsonElement inner;
  return take_only_member(element, "$pairs", inner) && inner.get_array().get(pairs) == simdjson::SUCCESS;
}

// Calls act(field, thing) for each, in both forms.
template <typename Act>
void for_each_field(const JsonElement& element, const char* subject, Arena& arena, Act act) {
  JsonArray pairs;
  if (take_pairs(element, pairs)) {
    for (const JsonElement pair : pairs) {
      const auto [field, thing] = take_pair(pair, subject);
      act(take_bytes(field, "field", arena), thing);
    }
    return;
  }
  JsonObject object;
  if (element.get_object().get(object) != simdjson::SUCCESS)
    refuse_json(FindingCode::json_value, subject, R"(an object or {"$pairs":[...]})", shown_json(element));
  for (const simdjson::dom::key_value_pair member : object) act(member.key, member.value);
}

void read_json_hash(const JsonElement& element, Value& value) {
  for_each_field(element, "field and value", value.arena, [&value](Bytes field, const JsonElement& thing) {
    value.longest = std::max(value.longest, field.size());
    value.fields.push_back({field, take_item(thing, "value of a field", value), kNoExpiry});
  });
}

void read_json_array(const JsonElement& element, Value& value) {
  enum : size_t { kElements, kInsertIndex };
  static constexpr JsonMember kNames[] = {{"elements"}, {"insert_index"}};
  const JsonMembers members(element, "value", kNames);
  constexpr uint64_t kIndexMax = std::numeric_limits<uint64_t>::max() - 1;
  for (const JsonElement pair : take_array(members[kElements], "elements")) {
    const auto [index, item] = take_pair(pair, "index and element");
    const uint64_t place = take_unsigned(index, "index", kIndexMax);
    value.elements.push_back({place, take_item(item, "element", value)});
  }
  if (!members.is_null(kInsertIndex))
    value.insert_index = take_unsigned(members[kInsertIndex], "insert_index");
}

void read_json_module(const JsonElement& element, Value& value) {
  enum : size_t { kModule, kVersion, kPayload };
  static constexpr JsonMember kNames[] = {{"module"}, {"encver"}, {"payload"}};
  const JsonMembers members(element, "value", kNames);
  value.module.module = take_module_name(members[kModule], "module");
  value.module.encver = take_module_version(members[kVersion], "encver");
  value.module.payload = take_module_payload(members[kPayload], "payload", value.arena);
}

[[noreturn]] void refuse_dump(std::string found) {
  refuse_json(FindingCode::json_value, "dump", "a sound DUMP payload", std::move(found));
}

}  // namespace

void read_json_value(const JsonElement& element, Value& value) {
  using Read = void (*)(const JsonElement&, Value&);
  static constexpr Read kByType[] = {read_json_string, read_json_list,   read_json_set,   read_json_zset,
                                     read_json_hash,   read_json_stream, read_json_array, read_json_module};
  kByType[static_cast<size_t>(value.type)](element, value);
}

void read_json_field_expiries(const JsonElement& element, Value& value, NameTable& names) {
  names.begin(value.fields.size());
  for (const HashField& field : value.fields) (void)names.add(field.field);
  constexpr uint64_t kExpiryMax = std::numeric_limits<int64_t>::max();
  for_each_field(element, "field and expiry", value.arena, [&](Bytes name, const JsonElement& thing) {
    const std::optional<size_t> place = names.find(name);
    if (!place) {
      refuse_json(FindingCode::json_value, "field_expire_at_ms", "fields of the value", quoted_text(name));
    }
    HashField& field = value.fields[*place];
    if (field.expire_at_ms != kNoExpiry) {
      refuse_json(FindingCode::json_duplicate, "field_expire_at_ms", "each field once",
                  quoted_text(name) + " twice");
    }
    field.expire_at_ms = static_cast<int64_t>(take_unsigned(thing, "expiry of a field", kExpiryMax));
  });
}

Bytes read_json_dump(const JsonElement& element, Value& value) {
  const Bytes payload = take_base64(element, "dump", value.arena);
  DumpPayload told;
  try {
    told = read_dump_payload(payload, [&value](const Element& part) { value.add(part); });
  } catch (const FormatError& error) {
    refuse_dump(std::string(error.finding.kind().id) + ": " + error.what());
  }
  if (told.checksum != ChecksumState::good) refuse_dump("one without a checksum");
  if (told.encoding->type != value.type)
    refuse_dump("one of type " + std::string(value_type_name(told.encoding->type)));
  return told.key_meta;
}

Bytes take_module_payload(const JsonElement& element, const char* subject, Arena& arena) {
  const Bytes payload = take_base64(element, subject, arena);
  std::string found = "bytes behind the end mark";
  try {
    Scratch scratch;
    Cursor in(payload, 0, scratch);
    skip_annotated(in);
    if (in.at_end()) return payload;
  } catch (const FormatError& error) {
    found = error.what();
  }
  refuse_json(FindingCode::json_value, subject, "annotated values up to their end mark", std::move(found));
}

Bytes take_module_name(const JsonElement& element, const char* subject) {
  constexpr Bytes kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  Bytes name;
  if (element.get_string().get(name) != simdjson::SUCCESS || name.size() != kModuleNameBytes ||
      name.find_first_not_of(kLetters) != Bytes::npos) {
    refuse_json(FindingCode::json_value, subject, "nine letters, digits, - or _", shown_json(element));
  }
  return name;
}

uint32_t take_module_version(const JsonElement& element, const char* subject) {
  constexpr uint64_t kVersionMax = 1023;
  return static_cast<uint32_t>(take_unsigned(element, subject, kVersionMax));
}

}  // namespace persist
