// RESTORE: a value as DUMP told it. It is checked and then kept as it stands, like one out of a file.
#include "engine/commands/arguments.hpp"
#include "engine/commands/key_handlers.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

namespace {

constexpr size_t kRestoreFooterBytes = 10;

struct RestoreOptions {
  bool replaces = false;
  bool is_absolute = false;
  std::optional<int64_t> idle_s;
  std::optional<int64_t> freq;
};

// One of the options that have a number. Null: all is well.
const char* read_number(const Call& call, Bytes text, int64_t most, const char* out_of_range,
                        std::optional<int64_t>& number) {
  number = integer_argument(call, text);
  if (!number) return kNotInteger;
  return *number < 0 || *number > most ? out_of_range : nullptr;
}

const char* read_options(const Call& call, RestoreOptions& options) {
  constexpr int64_t kFreqMax = 255;
  const std::span<const Bytes> words = call.args.subspan(4);
  for (size_t at = 0; at < words.size(); ++at) {
    const bool has_value = at + 1 < words.size();
    const char* why = kSyntax;
    if (is_word(words[at], "replace")) {
      options.replaces = true;
      continue;
    }
    if (is_word(words[at], "absttl")) {
      options.is_absolute = true;
      continue;
    }
    if (is_word(words[at], "idletime") && has_value && !options.freq) {
      why = read_number(call, words[++at], std::numeric_limits<int64_t>::max(),
                        "ERR Invalid IDLETIME value, must be >= 0", options.idle_s);
    } else if (is_word(words[at], "freq") && has_value && !options.idle_s) {
      why = read_number(call, words[++at], kFreqMax, "ERR Invalid FREQ value, must be >= 0 and <= 255",
                        options.freq);
    }
    if (why != nullptr) return why;
  }
  return nullptr;
}

// Where the value stands in a payload that is well-formed: behind the metadata, if any, and the type code.
Bytes value_bytes(Bytes payload, const DumpPayload& about) {
  const size_t metadata = about.key_meta.empty() ? 0 : 1 + about.key_meta.size();
  payload.remove_suffix(kRestoreFooterBytes);
  return payload.substr(metadata + 1);
}

// A value without elements is one that no server keeps; of these types, one is.
bool may_be_empty(ValueType type) {
  return type == ValueType::stream || type == ValueType::string || type == ValueType::module;
}

// What a payload holds. Absent: the call has failed.
std::optional<DumpPayload> check_payload(Call& call, Bytes payload) {
  try {
    bool has_items = false;
    const DumpPayload about =
        read_dump_payload(payload, [&](const Element& told) { has_items = has_items || is_item(told); });
    if (has_items || may_be_empty(about.encoding->type)) return about;
    call.fail("ERR Bad data format");
  } catch (const FormatError& error) {
    const bool is_frame =
        error.finding.code == FindingCode::dump_checksum || payload.size() <= kRestoreFooterBytes;
    call.fail(is_frame ? "ERR DUMP payload version or checksum are wrong" : "ERR Bad data format");
  }
  return std::nullopt;
}

void put_value(Call& call, KeyEntry& entry, Bytes payload, const DumpPayload& about) {
  if (about.encoding->type != ValueType::string) {
    entry.set_packed(call.pool(), *about.encoding, value_bytes(payload, about));
    if (!call.profile.is_before(700)) entry.pack_zeros(call.pool());
    return;
  }
  read_dump_payload(
      payload, [&](const Element& told) { entry.set_text(call.pool(), std::get<StringValue>(told).value); });
}

}  // namespace

Effect run_restore(Call& call) {
  const Bytes key = call.args[1];
  const Bytes payload = call.args[3];
  RestoreOptions options;
  if (const char* why = read_options(call, options)) return call.fail(why);
  if (!options.replaces && call.find(key) != nullptr)
    return call.fail("BUSYKEY Target key name already exists.");
  const std::optional<int64_t> ttl = integer_argument(call, call.args[2]);
  if (!ttl) return call.fail(kNotInteger);
  if (*ttl < 0) return call.fail("ERR Invalid TTL value, must be >= 0");
  const std::optional<DumpPayload> about = check_payload(call, payload);
  if (!about) return Effect::failed;

  KeyEntry& entry = call.db().find_or_create(key);
  put_value(call, entry, payload, *about);
  const auto expire_at_ms = expiry_of(*ttl, {false, !options.is_absolute}, call.now_ms);
  entry.expire_at_ms = *ttl == 0 ? kNoExpiry : expire_at_ms.value_or(std::numeric_limits<int64_t>::max());
  constexpr int64_t kIdleMax = KeyEntry::kNoIdle - 1;
  entry.idle_s =
      options.idle_s ? static_cast<uint32_t>(std::min(*options.idle_s, kIdleMax)) : KeyEntry::kNoIdle;
  entry.has_freq = options.freq.has_value();
  entry.freq = static_cast<uint8_t>(options.freq.value_or(0));
  return call.done_ok();
}

}  // namespace persist
