// Streams: entries, the counters about them, and idempotent production.
//
// Logs tell what became of a command, so much of what clients may leave open has been settled: IDs are given,
// and `*` stands for a duplicate only; thresholds of trimming are exact. What a threshold says is done at
// once, whatever LIMIT says, as servers do when they load. Approximate trimming, `~`, stands in no log that a
// server wrote; it is done exactly, as how far it goes depends on how the server has packed the entries so
// far.
#include "engine/stream.hpp"

#include <array>
#include <limits>

#include "engine/commands/stream_words.hpp"
#include "engine/commands/table.hpp"

namespace persist {

namespace {

constexpr uint64_t kNumberMax = std::numeric_limits<uint64_t>::max();
constexpr StreamId kStreamIdMax{kNumberMax, kNumberMax};
// Of the names and values of an entry together.
constexpr uint64_t kEntryBytesMax = uint64_t{1} << 30U;

constexpr const char* kNotGreater =
    "ERR The ID specified in XADD is equal or smaller than the target stream top item";

// ------------------------------------------------------------------------------------------- XADD and XTRIM

struct Trim {
  enum class By : uint8_t { nothing, size, id };
  By by = By::nothing;
  uint64_t most = 0;
  StreamId below;
  References references = References::keep;

  // Returns how many entries went.
  uint64_t run(Stream& stream) const {
    if (by == By::size) return stream.trim_to_size(most, references);
    return by == By::id ? stream.trim_below(below, references) : 0;
  }
};

struct IdmpWords {
  enum class Kind : uint8_t { none, given, from_fields };
  Kind kind = Kind::none;
  Bytes producer;
  Bytes iid;
};

// The options of both commands, and the ID of XADD. Options are known whatever the version: that a log has
// one tells more of the server that wrote it than anybody else may know.
class AddWords {
 public:
  AddWords(const Call& call, bool is_add) : call_(call), is_add_(is_add) {}

  // What the server would answer if the words are not right, else null.
  const char* parse();

  Trim trim;
  IdmpWords idmp;
  bool make_stream = true;
  std::optional<StreamIdWord> id;  // absent: `*`
  size_t fields_at = 0;            // args[fields_at] is the first field

 private:
  [[nodiscard]] size_t words_behind() const { return call_.args.size() - 1 - at_; }
  const char* parse_option();
  const char* parse_trim(Trim::By by);
  const char* parse_limit();
  bool parse_idmp();
  const char* parse_id();

  const Call& call_;
  const bool is_add_;
  size_t at_ = 2;
  bool has_limit_ = false;
};

// MAXLEN [=|~] n, MINID [=|~] id
const char* AddWords::parse_trim(Trim::By by) {
  if (trim.by != Trim::By::nothing)
    return "ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
  ++at_;
  const Bytes word = call_.args[at_];
  if (words_behind() >= 1 && (word == "=" || word == "~")) ++at_;
  trim.by = by;
  if (by == Trim::By::id) {
    const std::optional<StreamId> below = parse_stream_id(call_.args[at_]);
    if (!below) return kBadStreamId;
    trim.below = *below;
    return nullptr;
  }
  const std::optional<int64_t> most = integer_argument(call_, call_.args[at_]);
  if (!most) return kNotInteger;
  if (*most < 0) return "ERR The MAXLEN argument must be >= 0.";
  trim.most = static_cast<uint64_t>(*most);
  return nullptr;
}

const char* AddWords::parse_limit() {
  const std::optional<int64_t> limit = integer_argument(call_, call_.args[++at_]);
  if (!limit) return kNotInteger;
  if (*limit < 0) return "ERR The LIMIT argument must be >= 0.";
  has_limit_ = *limit > 0;
  return nullptr;
}

// IDMP producer iid, IDMPAUTO producer
bool AddWords::parse_idmp() {
  const Bytes word = call_.args[at_];
  if (is_word(word, "idmp") && words_behind() >= 2) {
    idmp = {IdmpWords::Kind::given, call_.args[at_ + 1], call_.args[at_ + 2]};
    at_ += 2;
    return true;
  }
  if (is_word(word, "idmpauto") && words_behind() >= 1) {
    idmp = {IdmpWords::Kind::from_fields, call_.args[at_ + 1], {}};
    ++at_;
    return true;
  }
  return false;
}

const char* AddWords::parse_id() {
  if (call_.args[at_] != "*") {
    id = parse_id_word(call_.args[at_]);
    if (!id) return kBadStreamId;
  }
  fields_at = at_ + 1;
  return nullptr;
}

// The word at at_, which is then the last one of the option. What is none is XADD's ID.
const char* AddWords::parse_option() {
  const Bytes word = call_.args[at_];
  if (words_behind() >= 1) {
    if (is_word(word, "maxlen")) return parse_trim(Trim::By::size);
    if (is_word(word, "minid")) return parse_trim(Trim::By::id);
    if (is_word(word, "limit")) return parse_limit();
  }
  if (const std::optional<References> references = parse_references(word)) {
    trim.references = *references;
    return nullptr;
  }
  if (!is_add_) return kSyntax;
  if (is_word(word, "nomkstream")) {
    make_stream = false;
    return nullptr;
  }
  return parse_idmp() ? nullptr : parse_id();
}

const char* AddWords::parse() {
  for (; at_ < call_.args.size() && fields_at == 0; ++at_) {
    // The usual case: all words but those of an option begin otherwise.
    const char first = call_.args[at_].empty() ? '\0' : call_.args[at_][0];
    const bool is_id = is_add_ && ((first >= '0' && first <= '9') || call_.args[at_] == "*");
    if (const char* wrong = is_id ? parse_id() : parse_option()) return wrong;
  }
  if (trim.by != Trim::By::nothing) return nullptr;
  if (has_limit_) return "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy";
  return is_add_ ? nullptr : "ERR syntax error, XTRIM must be called with a trimming strategy";
}

// Fields of a command, of which there are usually few.
class Fields {
 public:
  explicit Fields(std::span<const Bytes> words) : count_(words.size() / 2) {
    if (count_ > few_.size()) many_.resize(count_);
    StreamField* out = count_ > few_.size() ? many_.data() : few_.data();
    for (size_t i = 0; i < count_; ++i) {
      out[i] = {words[i * 2], words[i * 2 + 1]};
      bytes_ += out[i].field.size() + out[i].value.size();
    }
  }
  [[nodiscard]] std::span<const StreamField> all() const {
    return {count_ > few_.size() ? many_.data() : few_.data(), count_};
  }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  std::array<StreamField, 16> few_;
  std::vector<StreamField> many_;
  size_t count_;
  uint64_t bytes_ = 0;
};

// The ID that a new entry gets behind `last`. Absent: there is none, or the given one is not greater.
std::optional<StreamId> next_id(const AddWords& words, StreamId last, int64_t now_ms) {
  StreamId id = last;
  if (words.id && words.id->has_seq) {
    id = words.id->id;
  } else {
    const uint64_t ms = words.id ? words.id->id.ms : static_cast<uint64_t>(now_ms);
    if (ms > last.ms) {
      id = {ms, 0};
    } else if (words.id && ms < last.ms) {
      return std::nullopt;
    } else if (id.seq < kNumberMax) {
      ++id.seq;
    } else if (!words.id) {
      id = {last.ms + 1, 0};
    }
  }
  if (id <= last) return std::nullopt;
  return id;
}

// Whether the entry is there already, from when it was sent for the first time. Servers make an iid of the
// fields, by a hash, if they are not given one. Here it is not remembered: a log says that such an entry is a
// duplicate by giving it no ID.
bool is_duplicate(const AddWords& words, Stream& stream, StreamId& known) {
  if (words.idmp.kind == IdmpWords::Kind::from_fields) return !words.id;
  if (words.idmp.kind == IdmpWords::Kind::none) return false;
  const std::optional<StreamId> found = stream.idempotency().find(words.idmp.producer, words.idmp.iid);
  if (!found) return false;
  known = *found;
  return true;
}

Effect answer_id(const Call& call, StreamId id) {
  StreamIdRoom room;
  if (call.has_listener()) call.answer_text(stream_id_text(id, room));
  return Effect::changed;
}

Effect add_entry(Call& call, const AddWords& words, const Fields& fields) {
  Found<Stream> stream = call.find_as<Stream>(call.args[1]);
  if (stream.wrong_type()) return call.wrong_type();
  if (!stream && !words.make_stream) {
    call.answer_nil();
    return Effect::unchanged;
  }
  StreamId last;
  if (stream) {
    last = stream->last_id();
    StreamId known = last;
    if (is_duplicate(words, *stream.value, known)) {
      stream->idempotency().count_duplicate();
      return answer_id(call, known);
    }
  }
  if (last == kStreamIdMax)
    return call.fail("ERR The stream has exhausted the last possible ID, unable to add more items");
  const std::optional<StreamId> id = next_id(words, last, call.now_ms);
  if (!id) return call.fail(kNotGreater);
  if (fields.bytes() > kEntryBytesMax) return call.fail("ERR Elements are too large to be stored");
  if (!stream) stream = call.find_or_make<Stream>(call.args[1]);
  stream->append(*id, fields.all());
  if (words.idmp.kind == IdmpWords::Kind::given)
    stream->idempotency().add(words.idmp.producer, words.idmp.iid, *id);
  words.trim.run(*stream.value);
  return answer_id(call, *id);
}

Effect run_xadd(Call& call) {
  AddWords words(call, true);
  if (const char* wrong = words.parse()) return call.fail(wrong);
  const std::span<const Bytes> pairs =
      words.fields_at == 0 ? std::span<const Bytes>() : call.args.subspan(words.fields_at);
  if (pairs.empty() || pairs.size() % 2 != 0) return call.fail(kWrongArity);
  if (words.id && words.id->has_seq && words.id->id == StreamId{})
    return call.fail("ERR The ID specified in XADD must be greater than 0-0");
  return add_entry(call, words, Fields(pairs));
}

Effect run_xtrim(Call& call) {
  AddWords words(call, false);
  if (const char* wrong = words.parse()) return call.fail(wrong);
  const Found<Stream> stream = call.find_as<Stream>(call.args[1]);
  if (stream.wrong_type()) return call.wrong_type();
  const uint64_t trimmed = stream ? words.trim.run(*stream.value) : 0;
  return call.done(static_cast<int64_t>(trimmed), trimmed > 0);
}

// ------------------------------------------------------------------------------------------- removing

Effect run_xdel(Call& call) {
  const Found<Stream> stream = call.find_as<Stream>(call.args[1]);
  if (stream.wrong_type()) return call.wrong_type();
  if (!stream) return call.done(0, false);
  const std::optional<std::vector<StreamId>> ids = parse_stream_ids(call.args.subspan(2));
  if (!ids) return call.fail(kBadStreamId);
  int64_t removed = 0;
  for (const StreamId id : *ids) removed += stream->remove(id) ? 1 : 0;
  return call.done(removed, removed > 0);
}

Effect run_xdelex(Call& call) {
  const Found<Stream> stream = call.find_as<Stream>(call.args[1]);
  if (stream.wrong_type()) return call.wrong_type();
  const CountedIds words = parse_counted_ids(call, call.args.subspan(2));
  if (words.wrong != nullptr) return call.fail(words.wrong);
  call.answer_array(words.ids.size());
  bool changed = false;
  for (const StreamId id : words.ids) {
    int64_t became = kIdUnknown;
    if (stream && stream->contains(id))
      became = stream->remove(id, words.references) ? kIdRemoved : kIdStillReferenced;
    else if (stream && words.references == References::drop)
      changed |= stream->drop_references(id);
    changed |= became == kIdRemoved;
    call.answer(became);
  }
  return changed ? Effect::changed : Effect::unchanged;
}

// ------------------------------------------------------------------------------------------- XSETID

struct Counters {
  StreamId last_id;
  std::optional<uint64_t> entries_added;
  StreamId max_deleted_id;

  const char* parse(const Call& call);
};

const char* Counters::parse(const Call& call) {
  const std::optional<StreamId> id = parse_stream_id(call.args[2]);
  if (!id) return kBadStreamId;
  last_id = *id;
  const std::span<const Bytes> options = call.args.subspan(3);
  for (size_t i = 0; i < options.size(); i += 2) {
    if (i + 1 == options.size()) return kSyntax;
    if (is_word(options[i], "entriesadded")) {
      const std::optional<int64_t> added = integer_argument(call, options[i + 1]);
      if (!added) return kNotInteger;
      if (*added < 0) return "ERR entries_added must be positive";
      entries_added = static_cast<uint64_t>(*added);
    } else if (is_word(options[i], "maxdeletedid")) {
      const std::optional<StreamId> deleted = parse_stream_id(options[i + 1]);
      if (!deleted) return kBadStreamId;
      if (last_id < *deleted)
        return "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id";
      max_deleted_id = *deleted;
    } else {
      return kSyntax;
    }
  }
  return nullptr;
}

Effect run_xsetid(Call& call) {
  Counters counters;
  if (const char* wrong = counters.parse(call)) return call.fail(wrong);
  const Found<Stream> stream = call.find_as<Stream>(call.args[1]);
  if (stream.wrong_type()) return call.wrong_type();
  if (!stream) return call.fail(kNoSuchKey);
  if (!call.profile.is_before(702) && counters.last_id < stream->max_deleted_id)
    return call.fail("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
  if (stream->size() > 0) {
    if (counters.last_id < stream->entries().last_id())
      return call.fail("ERR The ID specified in XSETID is smaller than the target stream top item");
    if (counters.entries_added.value_or(kNumberMax) < stream->size()) {
      return call.fail("ERR The entries_added specified in XSETID is smaller than the target stream length");
    }
  }
  stream->set_last_id(counters.last_id);
  if (counters.entries_added) stream->entries_added = *counters.entries_added;
  if (counters.max_deleted_id != StreamId{}) stream->max_deleted_id = counters.max_deleted_id;
  return call.done_ok();
}

// ------------------------------------------------------------------------------------------- idempotency

struct Setting {
  Bytes name;
  int64_t most;
  const char* out_of_range;
};
constexpr Setting kDuration{"idmp-duration", 86400, "ERR IDMP-DURATION must be between 1 and 86400"};
constexpr Setting kMaxSize{"idmp-maxsize", 10000, "ERR IDMP-MAXSIZE must be between 1 and 10000"};

// XCFGSET key [IDMP-DURATION seconds] [IDMP-MAXSIZE n]
Effect run_xcfgset(Call& call) {
  const std::span<const Bytes> options = call.args.subspan(2);
  if (options.empty() || options.size() % 2 != 0) return call.fail(kSyntax);
  std::optional<uint64_t> duration_s;
  std::optional<uint64_t> max_entries;
  for (size_t i = 0; i < options.size(); i += 2) {
    const bool is_duration = is_word(options[i], kDuration.name);
    if (!is_duration && !is_word(options[i], kMaxSize.name)) return call.fail(kSyntax);
    const Setting& setting = is_duration ? kDuration : kMaxSize;
    const std::optional<int64_t> number = integer_argument(call, options[i + 1]);
    if (!number) return call.fail(kNotInteger);
    if (*number < 1 || *number > setting.most) return call.fail(setting.out_of_range);
    (is_duration ? duration_s : max_entries) = static_cast<uint64_t>(*number);
  }
  const Found<Stream> stream = call.find_as<Stream>(call.args[1]);
  if (stream.wrong_type()) return call.wrong_type();
  if (!stream) return call.fail(kNoSuchKey);
  Idempotency& idempotency = stream->idempotency();
  const bool changed = idempotency.configure(duration_s.value_or(idempotency.duration_s()),
                                             max_entries.value_or(idempotency.max_entries()));
  call.answer_ok();
  return changed ? Effect::changed : Effect::unchanged;
}

// XIDMPRECORD key producer iid id: an iid that is remembered, in a log that was rewritten.
Effect run_xidmprecord(Call& call) {
  const std::optional<StreamId> id = parse_stream_id(call.args[4]);
  if (!id) return call.fail(kBadStreamId);
  const Found<Stream> stream = call.find_as<Stream>(call.args[1]);
  if (stream.wrong_type()) return call.wrong_type();
  if (!stream) return call.fail(kNoSuchKey);
  if (!stream->contains(*id)) return call.fail("ERR The specified stream ID was deleted or doesn't exist");
  Idempotency& idempotency = stream->idempotency();
  const std::optional<StreamId> known = idempotency.find(call.args[2], call.args[3]);
  if (known && *known != *id) return call.fail("ERR The specified IDMP pair maps to a different stream ID");
  const bool is_new = idempotency.add(call.args[2], call.args[3], *id);
  call.answer_ok();
  return is_new ? Effect::changed : Effect::unchanged;
}

// ------------------------------------------------------------------------------------------- reading

Effect run_xlen(Call& call) {
  const Found<Stream> stream = call.find_as<Stream>(call.args[1]);
  if (stream.wrong_type()) return call.wrong_type();
  return call.done(stream ? static_cast<int64_t>(stream->size()) : 0, false);
}

constexpr CommandHandler kStreamHandlers[] = {
    {"xadd", run_xadd}, {"xcfgset", run_xcfgset},         {"xdel", run_xdel},     {"xdelex", run_xdelex},
    {"xlen", run_xlen}, {"xidmprecord", run_xidmprecord}, {"xsetid", run_xsetid}, {"xtrim", run_xtrim},
};

}  // namespace

std::span<const CommandHandler> stream_commands() { return kStreamHandlers; }

}  // namespace persist
