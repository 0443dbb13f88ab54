// Consumer groups of streams.
//
// What consumers read stands in a log as XCLAIM of single entries, and XGROUP SETID. A consumer is seen and
// active when the log is loaded, not when it was in truth: that is what servers do.
#include "engine/stream_group.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/commands/stream_words.hpp"
#include "engine/commands/table.hpp"

namespace persist {

namespace {

// As many deliveries of an entry as can be counted.
constexpr uint64_t kDeliveriesMax = std::numeric_limits<int64_t>::max();

constexpr const char* kNoKeyOrGroup = "NOGROUP No such key or consumer group";

// A stream, and a group of it.
struct FoundGroup {
  Found<Stream> stream;
  ConsumerGroup* group = nullptr;
};

FoundGroup find_group(const Call& call, Bytes key, Bytes name) {
  FoundGroup found{call.find_as<Stream>(key)};
  if (found.stream) found.group = found.stream->find_group(name);
  return found;
}

// ------------------------------------------------------------------------------------------- XGROUP

struct GroupWords {
  bool make_stream = false;
  std::optional<uint64_t> entries_read;
};

constexpr const char* kGroupSyntax = "ERR unknown subcommand or wrong number of arguments. Try XGROUP HELP.";

enum class GroupOptions : uint8_t { none, entries_read, all };

// What stands behind the ID of XGROUP CREATE and SETID. Null: all is right.
const char* parse_group_options(const Call& call, GroupOptions allowed, GroupWords& words) {
  const std::span<const Bytes> options = call.args.subspan(5);
  for (size_t i = 0; i < options.size(); ++i) {
    if (allowed == GroupOptions::all && is_word(options[i], "mkstream")) {
      words.make_stream = true;
    } else if (is_word(options[i], "entriesread") && i + 1 < options.size()) {
      const std::optional<int64_t> read = integer_argument(call, options[++i]);
      if (!read) return kNotInteger;
      if (*read < -1) return "ERR value for ENTRIESREAD must be positive or -1";
      words.entries_read.reset();
      if (*read >= 0) words.entries_read = static_cast<uint64_t>(*read);
    } else {
      return kGroupSyntax;
    }
  }
  return nullptr;
}

constexpr const char* kNoStream =
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the "
    "MKSTREAM option to create an empty stream automatically.";
constexpr const char* kNoGroup = "NOGROUP No such consumer group for key name";

Effect create_group(Call& call) {
  GroupWords words;
  if (const char* wrong = parse_group_options(call, GroupOptions::all, words)) return call.fail(wrong);
  Found<Stream> stream = call.find_as<Stream>(call.args[2]);
  if (stream.wrong_type()) return call.wrong_type();
  if (!stream && !words.make_stream) return call.fail(kNoStream);
  std::optional<StreamId> last = stream ? stream->last_id() : StreamId{};
  if (call.args[4] != "$") last = parse_stream_id(call.args[4]);
  if (!last) return call.fail(kBadStreamId);
  if (!stream) stream = call.find_or_make<Stream>(call.args[2]);
  if (stream->make_group(call.args[3], *last, words.entries_read) == nullptr)
    return call.fail("BUSYGROUP Consumer Group name already exists");
  return call.done_ok();
}

// Here an ID may also be the smallest and the greatest there is.
std::optional<StreamId> parse_group_id(const Stream& stream, Bytes text) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  if (text == "$") return stream.last_id();
  if (text == "-") return StreamId{};
  if (text == "+") return StreamId{kMax, kMax};
  return parse_stream_id(text);
}

Effect set_group_id(Call& call) {
  GroupWords words;
  if (const char* wrong = parse_group_options(call, GroupOptions::entries_read, words))
    return call.fail(wrong);
  const FoundGroup found = find_group(call, call.args[2], call.args[3]);
  if (found.stream.wrong_type()) return call.wrong_type();
  if (!found.stream) return call.fail(kNoStream);
  if (found.group == nullptr) return call.fail(kNoGroup);
  const std::optional<StreamId> last = parse_group_id(*found.stream.value, call.args[4]);
  if (!last) return call.fail(kBadStreamId);
  found.group->last_id = *last;
  found.group->entries_read = words.entries_read;
  return call.done_ok();
}

Effect destroy_group(Call& call) {
  const Found<Stream> stream = call.find_as<Stream>(call.args[2]);
  if (stream.wrong_type()) return call.wrong_type();
  if (!stream) return call.fail(kNoStream);
  const bool removed = stream->remove_group(call.args[3]);
  return call.done(removed ? 1 : 0, removed);
}

Effect create_consumer(Call& call) {
  const FoundGroup found = find_group(call, call.args[2], call.args[3]);
  if (found.stream.wrong_type()) return call.wrong_type();
  if (!found.stream) return call.fail(kNoStream);
  if (found.group == nullptr) return call.fail(kNoGroup);
  const bool is_new = found.group->find_consumer(call.args[4]) == nullptr;
  if (is_new) found.group->make_consumer(call.args[4], call.now_ms);
  return call.done(is_new ? 1 : 0, is_new);
}

// Answers how many entries were pending for it.
Effect remove_consumer(Call& call) {
  const FoundGroup found = find_group(call, call.args[2], call.args[3]);
  if (found.stream.wrong_type()) return call.wrong_type();
  if (!found.stream) return call.fail(kNoStream);
  if (found.group == nullptr) return call.fail(kNoGroup);
  const ConsumerGroup::Consumer* consumer = found.group->find_consumer(call.args[4]);
  if (consumer == nullptr) return call.done(0, false);
  const auto pending = static_cast<int64_t>(consumer->pending);
  found.group->remove_consumer(call.args[4]);
  return call.done(pending, true);
}

struct GroupCommand {
  Bytes name;
  size_t words_min;  // with XGROUP itself
  size_t words_max;
  Handler run;
};

constexpr GroupCommand kGroupCommands[] = {
    {"create", 5, 8, create_group},         {"setid", 5, 7, set_group_id},
    {"destroy", 4, 4, destroy_group},       {"createconsumer", 5, 5, create_consumer},
    {"delconsumer", 5, 5, remove_consumer},
};

Effect run_xgroup(Call& call) {
  for (const GroupCommand& command : kGroupCommands) {
    if (!is_word(call.args[1], command.name)) continue;
    if (call.args.size() < command.words_min || call.args.size() > command.words_max) break;
    return command.run(call);
  }
  return call.fail(kGroupSyntax);
}

// ------------------------------------------------------------------------------------------- acknowledging

Effect run_xack(Call& call) {
  const FoundGroup found = find_group(call, call.args[1], call.args[2]);
  if (found.stream.wrong_type()) return call.wrong_type();
  if (found.group == nullptr) return call.done(0, false);
  const std::optional<std::vector<StreamId>> ids = parse_stream_ids(call.args.subspan(3));
  if (!ids) return call.fail(kBadStreamId);
  int64_t acknowledged = 0;
  for (const StreamId id : *ids) acknowledged += found.group->acknowledge(id) ? 1 : 0;
  return call.done(acknowledged, acknowledged > 0);
}

// Acknowledges, then removes what was acknowledged.
Effect run_xackdel(Call& call) {
  const FoundGroup found = find_group(call, call.args[1], call.args[2]);
  if (found.stream.wrong_type()) return call.wrong_type();
  const CountedIds words = parse_counted_ids(call, call.args.subspan(3));
  if (words.wrong != nullptr) return call.fail(words.wrong);
  call.answer_array(words.ids.size());
  bool changed = false;
  for (const StreamId id : words.ids) {
    int64_t became = kIdUnknown;
    if (found.group != nullptr && found.group->acknowledge(id)) {
      changed = true;
      const bool stays = words.references == References::acknowledged && found.stream->is_referenced(id);
      became = stays ? kIdStillReferenced : kIdRemoved;
      if (!stays) found.stream->remove(id);
      if (words.references == References::drop) found.stream->drop_references(id);
    }
    call.answer(became);
  }
  return changed ? Effect::changed : Effect::unchanged;
}

// ------------------------------------------------------------------------------------------- XCLAIM

struct ClaimWords {
  std::vector<StreamId> ids;
  int64_t min_idle_ms = 0;
  int64_t delivery_time_ms = 0;
  std::optional<uint64_t> delivery_count;
  StreamId last_id;
  bool force = false;
  bool just_id = false;

  // Null: all is right.
  const char* parse_claim(const Call& call);

 private:
  const char* parse_claim_option(const Call& call, std::span<const Bytes> words, size_t& at);
  void take_time(const Call& call, int64_t given);
};

// A time that cannot be is the present one. So is a time to come, but a log has one only if it is loaded by
// another clock than it was written by: that can be told if it is known when the log is loaded.
void ClaimWords::take_time(const Call& call, int64_t given) {
  delivery_time_ms = given < 0 ? call.now_ms : std::min(given, call.field_clock_ms.value_or(given));
}

const char* ClaimWords::parse_claim_option(const Call& call, std::span<const Bytes> words, size_t& at) {
  if (is_word(words[at], "force")) {
    force = true;
    return nullptr;
  }
  if (is_word(words[at], "justid")) {
    just_id = true;
    return nullptr;
  }
  if (at + 1 == words.size()) return "ERR Unrecognized XCLAIM option";
  const Bytes option = words[at];
  const Bytes value = words[++at];
  if (is_word(option, "lastid")) {
    const std::optional<StreamId> id = parse_stream_id(value);
    if (!id) return kBadStreamId;
    last_id = *id;
    return nullptr;
  }
  const std::optional<int64_t> number = integer_argument(call, value);
  if (is_word(option, "idle")) {
    if (!number) return "ERR Invalid IDLE option argument for XCLAIM";
    take_time(call, call.now_ms - std::max<int64_t>(*number, 0));
  } else if (is_word(option, "time")) {
    if (!number) return "ERR Invalid TIME option argument for XCLAIM";
    take_time(call, *number);
  } else if (is_word(option, "retrycount")) {
    if (!number) return "ERR Invalid RETRYCOUNT option argument for XCLAIM";
    delivery_count.reset();
    if (*number >= 0) delivery_count = static_cast<uint64_t>(*number);
  } else {
    return "ERR Unrecognized XCLAIM option";
  }
  return nullptr;
}

// min-idle id... options. The first word that is no ID is an option.
const char* ClaimWords::parse_claim(const Call& call) {
  const std::optional<int64_t> idle = integer_argument(call, call.args[4]);
  if (!idle) return "ERR Invalid min-idle-time argument for XCLAIM";
  min_idle_ms = *idle;
  delivery_time_ms = call.now_ms;
  const std::span<const Bytes> words = call.args.subspan(5);
  size_t at = 0;
  for (; at < words.size(); ++at) {
    const std::optional<StreamId> id = parse_stream_id(words[at]);
    if (!id) break;
    ids.push_back(*id);
  }
  for (; at < words.size(); ++at) {
    if (const char* wrong = parse_claim_option(call, words, at)) return wrong;
  }
  return nullptr;
}

class Claim {
 public:
  Claim(Call& call, const ClaimWords& words, FoundGroup found)
      : call_(call), words_(words), stream_(*found.stream.value), group_(*found.group) {}

  Effect run();

 private:
  void run_one(StreamId id);
  void find_consumer();
  [[nodiscard]] bool is_too_young(const ConsumerGroup::Pending& pending) const;
  void answer_claimed();

  Call& call_;
  const ClaimWords& words_;
  Stream& stream_;
  ConsumerGroup& group_;
  ConsumerGroup::Consumer* consumer_ = nullptr;
  std::vector<StreamId> claimed_;  // if somebody listens
  bool changed_ = false;
};

void Claim::find_consumer() {
  if (consumer_ != nullptr) return;
  consumer_ = group_.find_consumer(call_.args[3]);
  if (consumer_ == nullptr) {
    consumer_ = &group_.make_consumer(call_.args[3], call_.now_ms);
    changed_ = true;
  }
  consumer_->seen_time_ms = call_.now_ms;
}

bool Claim::is_too_young(const ConsumerGroup::Pending& pending) const {
  return words_.min_idle_ms > 0 && group_.owner_of(pending) != nullptr &&
         pending.delivery_time_ms > call_.now_ms - words_.min_idle_ms;
}

// Since 7.0 an entry that was removed from the stream is no longer pending for anybody, once somebody claims
// it; before it stayed pending like any other.
void Claim::run_one(StreamId id) {
  const bool is_there = stream_.contains(id);
  if (!is_there && !call_.profile.is_before(700)) {
    changed_ |= group_.acknowledge(id);
    return;
  }
  ConsumerGroup::Pending* pending = group_.find_pending(id);
  const bool is_new = pending == nullptr;
  if (is_new ? !words_.force || !is_there : is_too_young(*pending)) return;
  find_consumer();
  pending = &group_.give(id, *consumer_);
  if (is_new) pending->delivery_count = 1;
  pending->delivery_time_ms = words_.delivery_time_ms;
  if (words_.delivery_count)
    pending->delivery_count = *words_.delivery_count;
  else if (!words_.just_id && pending->delivery_count < kDeliveriesMax)
    ++pending->delivery_count;
  consumer_->active_time_ms = call_.now_ms;
  if (call_.has_listener()) claimed_.push_back(id);
  changed_ = true;
}

void Claim::answer_claimed() {
  call_.answer_array(claimed_.size());
  for (const StreamId id : claimed_) {
    StreamIdRoom room;
    const Bytes text = stream_id_text(id, room);
    if (words_.just_id) {
      call_.answer_text(text);
    } else if (!stream_.contains(id)) {
      call_.answer_nil();
    } else {
      call_.answer_array(2);
      call_.answer_text(text);
      stream_.entries().for_each(id, id, [&](const StreamEntry& entry) {
        call_.answer_array(entry.fields.size() * 2);
        for (const StreamField& field : entry.fields) {
          call_.answer_text(field.field);
          call_.answer_text(field.value);
        }
        return false;
      });
    }
  }
}

Effect Claim::run() {
  if (words_.last_id > group_.last_id) {
    group_.last_id = words_.last_id;
    changed_ = true;
  }
  // Before 7.2 there has to be something to claim.
  if (!call_.profile.is_before(702)) find_consumer();
  for (const StreamId id : words_.ids) run_one(id);
  if (call_.has_listener()) answer_claimed();
  return changed_ ? Effect::changed : Effect::unchanged;
}

Effect run_xclaim(Call& call) {
  const FoundGroup found = find_group(call, call.args[1], call.args[2]);
  if (found.stream.wrong_type()) return call.wrong_type();
  if (found.group == nullptr) return call.fail(kNoKeyOrGroup);
  ClaimWords words;
  if (const char* wrong = words.parse_claim(call)) return call.fail(wrong);
  return Claim(call, words, found).run();
}

// ------------------------------------------------------------------------------------------- XNACK

struct NackWords {
  enum class Mode : uint8_t { silent, fail, fatal };
  Mode mode = Mode::silent;
  std::vector<StreamId> ids;
  std::optional<uint64_t> delivery_count;
  bool force = false;

  // Null: all is right.
  const char* parse_claim(const Call& call);
  [[nodiscard]] uint64_t count_for(const ConsumerGroup::Pending* pending) const;
};

// SILENT|FAIL|FATAL IDS n id... [RETRYCOUNT c] [FORCE]
const char* NackWords::parse_claim(const Call& call) {
  const Bytes word = call.args[3];
  if (is_word(word, "fail"))
    mode = Mode::fail;
  else if (is_word(word, "fatal"))
    mode = Mode::fatal;
  else if (!is_word(word, "silent"))
    return kSyntax;
  const std::optional<std::span<const Bytes>> words = counted_words(call, 5);
  if (!is_word(call.args[4], "ids") || !words) return kSyntax;
  std::optional<std::vector<StreamId>> parsed = parse_stream_ids(*words);
  if (!parsed) return kBadStreamId;
  ids = std::move(*parsed);
  const std::span<const Bytes> options = call.args.subspan(6 + words->size());
  for (size_t i = 0; i < options.size(); ++i) {
    if (is_word(options[i], "force")) {
      force = true;
    } else if (is_word(options[i], "retrycount") && i + 1 < options.size()) {
      const std::optional<int64_t> count = integer_argument(call, options[++i]);
      if (!count || *count < 0) return kNotInteger;
      delivery_count = static_cast<uint64_t>(*count);
    } else {
      return kSyntax;
    }
  }
  return nullptr;
}

// Null: it is not pending yet.
uint64_t NackWords::count_for(const ConsumerGroup::Pending* pending) const {
  if (delivery_count) return *delivery_count;
  if (mode == Mode::fatal) return kDeliveriesMax;
  if (pending == nullptr || pending->delivery_count == 0) return 0;
  return pending->delivery_count - (mode == Mode::silent ? 1U : 0U);
}

// Hands entries back: they stay pending, and nobody owns them.
Effect run_xnack(Call& call) {
  const FoundGroup found = find_group(call, call.args[1], call.args[2]);
  if (found.stream.wrong_type()) return call.wrong_type();
  if (found.group == nullptr) return call.fail(kNoKeyOrGroup);
  NackWords words;
  if (const char* wrong = words.parse_claim(call)) return call.fail(wrong);
  int64_t handed_back = 0;
  for (const StreamId id : words.ids) {
    const ConsumerGroup::Pending* pending = found.group->find_pending(id);
    if (pending == nullptr && !(words.force && found.stream->contains(id))) continue;
    const uint64_t count = words.count_for(pending);
    found.group->nack(id).delivery_count = count;
    ++handed_back;
  }
  return call.done(handed_back, handed_back > 0);
}

constexpr CommandHandler kStreamGroupHandlers[] = {
    {"xack", run_xack},     {"xackdel", run_xackdel}, {"xclaim", run_xclaim},
    {"xgroup", run_xgroup}, {"xnack", run_xnack},
};

}  // namespace

std::span<const CommandHandler> stream_group_commands() { return kStreamGroupHandlers; }

}  // namespace persist
