// The parts of a line that are the same for many are made once.
#include "ops/log_lines.hpp"

#include <charconv>
#include <chrono>

#include "text/command_line.hpp"
#include "text/json_string.hpp"

namespace persist {

namespace {

// Room for the parts of a line that are numbers and the names around them.
constexpr size_t kNumbersMax = 256;

char* put(char* to, Bytes text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

template <std::integral T>
char* put_number(char* to, T number, int base = 10) {
  return std::to_chars(to, to + kDecimalMax, number, base).ptr;
}

void put_two_digits(std::string& text, char before, int64_t number) {
  text += before;
  text += static_cast<char>('0' + number / 10);
  text += static_cast<char>('0' + number % 10);
}

std::string text_of(const ByteBuffer& buffer) { return std::string(buffer.bytes()); }

}  // namespace

std::string utc_text(int64_t time_s) {
  // The Gregorian calendar repeats itself: the years that the calendar of the library cannot hold are folded.
  constexpr int64_t kDaySeconds = 86'400;
  constexpr int64_t kCycleDays = 146'097;
  constexpr int64_t kCycleYears = 400;
  const int64_t days = time_s / kDaySeconds;
  const int64_t seconds = time_s % kDaySeconds;
  const std::chrono::sys_days day{std::chrono::days{days % kCycleDays}};
  const std::chrono::year_month_day date{day};
  std::string text = std::to_string(int{date.year()} + days / kCycleDays * kCycleYears);
  put_two_digits(text, '-', unsigned{date.month()});
  put_two_digits(text, '-', unsigned{date.day()});
  put_two_digits(text, 'T', seconds / 3600);
  put_two_digits(text, ':', seconds / 60 % 60);
  put_two_digits(text, ':', seconds % 60);
  return text + 'Z';
}

void LogLines::set_file(Bytes name) {
  ByteBuffer place;
  if (json_) {
    place.append(R"({"file":)");
    append_json_string(place, name);
    place.append(R"(,"offset":)");
  } else {
    append_argument(place, name);
    place.append(":0x");
  }
  place_ = text_of(place);
}

void LogLines::put_place(ByteBuffer& out, uint64_t offset) {
  char* to = put(out.room(place_.size() + kDecimalMax), place_);
  out.advance(put_number(to, offset, json_ ? 10 : 16));
}

void LogLines::put_extent(ByteBuffer& out, Extent extent) {
  put_place(out, extent.offset);
  out.append(R"(,"size":)");
  out.append_number(extent.size);
}

void LogLines::set_time(std::optional<int64_t> time_s) {
  if (time_s == time_s_) [[likely]]
    return;
  time_s_ = time_s;
  time_ = !time_s_ ? "-" : json_ ? std::to_string(*time_s_) : utc_text(*time_s_);
}

ListedCommand listed(const LogWalk& walk, bool multi) {
  const LogReader& record = walk.record();
  ListedCommand listed;
  listed.command = {record.args(), walk.spec(), record.extent(), walk.index(), walk.db(), walk.time_s()};
  listed.multi = multi;
  listed.shows_all = record.shows_all();
  listed.argument_count = record.argument_count();
  return listed;
}

void LogLines::put_head(ByteBuffer& out, const LoggedCommand& command) {
  set_time(command.time_s);
  char* to = put(out.room(place_.size() + kNumbersMax), place_);
  if (json_) {
    to = put(put_number(to, command.extent.offset), R"(,"size":)");
    to = put(put_number(to, command.extent.size), R"(,"index":)");
    to = put(put_number(to, command.index), R"(,"db":)");
    to = put(put_number(to, command.db), R"(,"time_s":)");
    to = put(to, time_s_ ? Bytes(time_) : Bytes("null"));
  } else {
    to = put(put_number(to, command.extent.offset, 16), " #");
    to = put(put_number(to, command.index), " db");
    to = put(put_number(to, command.db), " ");
    to = put(to, time_);
  }
  out.advance(to);
}

void LogLines::put_args(ByteBuffer& out, std::span<const Bytes> args) const {
  if (!json_) {
    for (const Bytes arg : args) {
      out.append(' ');
      append_argument(out, arg);
    }
    return;
  }
  out.append(R"(,"args":[)");
  for (const Bytes& arg : args) {
    if (&arg != args.data()) out.append(',');
    append_json_string(out, arg);
  }
  out.append(']');
}

void LogLines::put_command(ByteBuffer& out, const ListedCommand& listed) {
  put_head(out, listed.command);
  if (json_) return put_command_json(out, listed);
  if (!listed.effect.empty()) {
    out.append(' ');
    out.append(listed.effect);
  }
  put_args(out, listed.command.args);
  if (!listed.shows_all) [[unlikely]]
    put_shortened(out, listed);
  if (listed.error != nullptr) {
    out.append(" (");
    out.append(Bytes(listed.error));
    out.append(')');
  }
  out.append('\n');
}

// Behind the head.
void LogLines::put_command_json(ByteBuffer& out, const ListedCommand& listed) {
  out.append(listed.multi ? Bytes(R"(,"multi":true)") : Bytes(R"(,"multi":false)"));
  put_args(out, listed.command.args);
  if (!listed.shows_all) [[unlikely]]
    put_shortened(out, listed);
  if (!listed.effect.empty()) {
    out.append(R"(,"effect":")");
    out.append(listed.effect);
    out.append('"');
  }
  if (listed.error != nullptr) {
    out.append(R"(,"error":)");
    append_json_string(out, listed.error);
  }
  out.append("}\n");
}

// Of a very large command only the beginnings of its first arguments are shown.
void LogLines::put_shortened(ByteBuffer& out, const ListedCommand& listed) {
  out.append(json_ ? Bytes(R"(,"shortened":true,"arguments":)") : Bytes(" ... ("));
  out.append_number(listed.argument_count);
  if (json_) return;
  out.append(" arguments, ");
  out.append_number(listed.command.extent.size);
  out.append(" bytes)");
}

void LogLines::put_annotation(ByteBuffer& out, const LogWalk& walk) {
  set_time(walk.time_s());
  const Bytes text = walk.record().annotation();
  if (json_) {
    put_extent(out, walk.record().extent());
    out.append(R"(,"annotation":)");
    append_json_string(out, text);
    out.append("}\n");
    return;
  }
  put_place(out, walk.record().extent().offset);
  out.append(" - - ");
  out.append(Bytes(time_));
  out.append(' ');
  append_argument(out, "#" + std::string(text));
  out.append('\n');
}

void LogLines::put_rdb(ByteBuffer& out, const RdbPart& part) {
  if (json_) {
    put_extent(out, {0, part.size});
    out.append(R"(,"rdb":{"dialect":")");
    out.append(dialect_name(part.header.dialect));
    out.append(R"(","version":)");
    out.append_number(part.header.version);
    out.append(R"(,"keys":)");
    out.append_number(part.keys);
    out.append(part.complete ? Bytes("}}\n")
                             : Bytes(R"(,"damaged":true}})"
                                     "\n"));
    return;
  }
  put_place(out, 0);
  out.append(" RDB ");
  out.append(dialect_name(part.header.dialect));
  out.append(" version ");
  out.append_number(part.header.version);
  out.append(", ");
  out.append_number(part.keys);
  out.append(part.keys == 1 ? Bytes(" key") : Bytes(" keys"));
  out.append(part.complete ? Bytes("\n") : Bytes(", damaged\n"));
}

void LogLines::put_key(ByteBuffer& out, const RdbRecord& record, const RdbEntry& entry) {
  const Bytes type = value_type_name(entry.encoding->type);
  put_place(out, record.extent.offset);
  if (json_) {
    out.append(R"(,"db":)");
    out.append_number(entry.db);
    out.append(R"(,"type":")");
    out.append(type);
    out.append(R"(","key":)");
    append_json_string(out, entry.key);
    out.append("}\n");
    return;
  }
  out.append(" RDB db");
  out.append_number(entry.db);
  out.append(' ');
  out.append(type);
  out.append(' ');
  append_argument(out, entry.key);
  out.append('\n');
}

}  // namespace persist
