// A row for each kind of record: its name, its members, and what is made of them.
#include "text/json_record.hpp"

#include <algorithm>
#include <limits>

#include "persist/salvage.hpp"
#include "text/json_value.hpp"
#include "types/module.hpp"

namespace persist {

namespace {

// The first member of all of them is the one that tells them apart.
enum : size_t { kRecordMember, kFirst, kSecond, kThird, kFourth };

struct RecordParts {
  const JsonMembers& members;
  Arena& arena;
  RdbRecord& record;
  JsonKeyMeta& meta;
};

struct RecordForm {
  Bytes name;
  std::span<const JsonMember> names;
  void (*read)(const RecordParts& of);
};

template <typename Enum, size_t count>
Enum take_choice(const JsonElement& element, const char* subject, const std::array<Enum, count>& choices,
                 Bytes (*name_of)(Enum)) {
  Bytes text;
  const bool is_text = element.get_string().get(text) == simdjson::SUCCESS;
  const auto found = std::ranges::find(choices, text, name_of);
  if (is_text && found != choices.end()) return *found;
  std::string expected;
  for (const Enum choice : choices)
    expected += (expected.empty() ? "" : " or ") + quoted_text(name_of(choice));
  refuse_json(FindingCode::json_value, subject, std::move(expected), shown_json(element));
}

void read_header(const RecordParts& of) {
  constexpr std::array kDialects = {Dialect::redis, Dialect::valkey};
  RdbHeader header;
  header.dialect = take_choice(of.members[kFirst], "dialect", kDialects, dialect_name);
  constexpr uint64_t kVersionMax = std::numeric_limits<uint32_t>::max();
  header.version = static_cast<uint32_t>(take_unsigned(of.members[kSecond], "version", kVersionMax));
  of.record.body = header;
}

void read_aux(const RecordParts& of) {
  const Bytes name = take_bytes(of.members[kFirst], "name", of.arena);
  of.record.body = AuxField{name, take_bytes(of.members[kSecond], "value", of.arena)};
}

void read_select_db(const RecordParts& of) { of.record.body = SelectDb{take_db(of.members[kFirst])}; }

void read_resize_db(const RecordParts& of) {
  const uint64_t keys = take_unsigned(of.members[kFirst], "keys");
  of.record.body = ResizeDb{keys, take_unsigned(of.members[kSecond], "volatile_keys")};
}

void read_slot_info(const RecordParts& of) {
  of.record.body =
      SlotInfo{take_unsigned(of.members[kFirst], "slot"), take_unsigned(of.members[kSecond], "keys"),
               take_unsigned(of.members[kThird], "volatile_keys")};
}

void read_slot_import(const RecordParts& of) {
  const JsonArray ranges = take_array(of.members[kSecond], "slots");
  size_t count = 0;
  for ([[maybe_unused]] const JsonElement range : ranges) ++count;
  const std::span<SlotRange> slots = of.arena.make<SlotRange>(count);
  size_t done = 0;
  for (const JsonElement range : ranges) {
    const auto [first, last] = take_pair(range, "range of slots");
    slots[done++] = {take_unsigned(first, "first slot"), take_unsigned(last, "last slot")};
  }
  of.record.body = SlotImport{take_bytes(of.members[kFirst], "job", of.arena), slots};
}

// Only the form of the 7.0 release candidates has more than the code, and then name and engine, too.
void read_function(const RecordParts& of) {
  FunctionLibrary library;
  library.code = take_bytes(of.members[kFirst], "code", of.arena);
  library.pre_release = of.members.has(kSecond) || of.members.has(kThird) || of.members.has(kFourth);
  if (library.pre_release) {
    if (!of.members.has(kSecond) || !of.members.has(kThird)) {
      refuse_json(FindingCode::json_member, "function", R"(members "name" and "engine", or neither)", "one");
    }
    library.name = take_bytes(of.members[kSecond], "name", of.arena);
    library.engine = take_bytes(of.members[kThird], "engine", of.arena);
    if (of.members.has(kFourth))
      library.description = take_bytes(of.members[kFourth], "description", of.arena);
  }
  of.record.body = library;
}

void read_module_aux(const RecordParts& of) {
  ModuleAux aux;
  aux.module = take_module_name(of.members[kFirst], "module");
  aux.encver = take_module_version(of.members[kSecond], "encver");
  aux.when = take_unsigned(of.members[kThird], "when");
  aux.payload = take_module_payload(of.members[kFourth], "payload", of.arena);
  of.record.body = aux;
}

// LEN classes, classes x (u32le, annotated values), as behind opcode 243.
bool is_key_meta(Bytes payload) {
  constexpr uint64_t kClassesMax = 7;
  try {
    Scratch scratch;
    Cursor in(payload, 0, scratch);
    const uint64_t classes = in.length("classes");
    if (classes < 1 || classes > kClassesMax) return false;
    for (uint64_t left = classes; left > 0; --left) {
      in.skip(sizeof(uint32_t), "class");
      skip_annotated(in);
    }
    return in.at_end();
  } catch (const FormatError&) {
    return false;
  }
}

void read_key_meta_line(const RecordParts& of) {
  of.meta.db = take_db(of.members[kFirst]);
  of.meta.key = take_bytes(of.members[kSecond], "key", of.arena);
  of.meta.payload = take_base64(of.members[kThird], "payload", of.arena);
  if (!is_key_meta(of.meta.payload))
    refuse_json(FindingCode::json_value, "payload", "metadata of a key", "other bytes");
}

// What a salvage has said of the key behind it: that key is one like any other to those who read it back.
void read_salvage_line(const RecordParts& of) {
  constexpr std::array kLabels = {SalvageLabel::salvaged, SalvageLabel::partial, SalvageLabel::uncertain};
  (void)take_db(of.members[kFirst]);
  (void)take_bytes(of.members[kSecond], "key", of.arena);
  (void)take_choice(of.members[kThird], "label", kLabels, salvage_label_name);
}

void read_end(const RecordParts& of) {
  constexpr std::array kStates = {ChecksumState::good, ChecksumState::bad, ChecksumState::disabled,
                                  ChecksumState::absent};
  (void)take_unsigned(of.members[kFirst], "keys");
  RdbEnd end;
  end.checksum = take_choice(of.members[kSecond], "checksum", kStates, checksum_state_name);
  of.record.body = end;
}

constexpr JsonMember kHeaderNames[] = {{"record"}, {"dialect"}, {"version"}};
constexpr JsonMember kAuxNames[] = {{"record"}, {"name"}, {"value"}};
constexpr JsonMember kSelectDbNames[] = {{"record"}, {"db"}};
constexpr JsonMember kResizeDbNames[] = {{"record"}, {"keys"}, {"volatile_keys"}};
constexpr JsonMember kSlotInfoNames[] = {{"record"}, {"slot"}, {"keys"}, {"volatile_keys"}};
constexpr JsonMember kSlotImportNames[] = {{"record"}, {"job"}, {"slots"}};
constexpr JsonMember kFunctionNames[] = {
    {"record"}, {"code"}, {"name", false}, {"engine", false}, {"description", false}};
constexpr JsonMember kModuleAuxNames[] = {{"record"}, {"module"}, {"encver"}, {"when"}, {"payload"}};
constexpr JsonMember kKeyMetaNames[] = {{"record"}, {"db"}, {"key"}, {"payload"}};
constexpr JsonMember kSalvageNames[] = {{"record"}, {"db"}, {"key"}, {"label"}};
constexpr JsonMember kEndNames[] = {{"record"}, {"keys"}, {"checksum"}};

constexpr RecordForm kForms[] = {
    {"header", kHeaderNames, read_header},
    {"aux", kAuxNames, read_aux},
    {"select_db", kSelectDbNames, read_select_db},
    {"resize_db", kResizeDbNames, read_resize_db},
    {"slot_info", kSlotInfoNames, read_slot_info},
    {"slot_import", kSlotImportNames, read_slot_import},
    {"function", kFunctionNames, read_function},
    {"module_aux", kModuleAuxNames, read_module_aux},
    {"key_meta", kKeyMetaNames, read_key_meta_line},
    {"salvage", kSalvageNames, read_salvage_line},
    {"end", kEndNames, read_end},
};

}  // namespace

uint64_t take_db(const JsonElement& element) {
  constexpr uint64_t kDbMax = std::numeric_limits<int32_t>::max();
  return take_unsigned(element, "db", kDbMax);
}

JsonRecord read_json_record(const JsonElement& line, RdbRecord& record, JsonKeyMeta& meta, Arena& arena) {
  Bytes name;
  const bool is_text = line.at_key("record").get_string().get(name) == simdjson::SUCCESS;
  const auto form = std::ranges::find(kForms, name, &RecordForm::name);
  if (!is_text || form == std::end(kForms)) {
    const std::string found = is_text ? quoted_text(name) : shown_json(line.at_key("record").value_unsafe());
    refuse_json(FindingCode::json_value, "record", "a record of the schema", found);
  }
  const JsonMembers members(line, "record", form->names);
  form->read({members, arena, record, meta});
  if (form->read == read_key_meta_line) return JsonRecord::key_meta;
  return form->read == read_salvage_line ? JsonRecord::remark : JsonRecord::record;
}

}  // namespace persist
