// A report as one line of JSON: {"persist_stat_partial":1,...} and a newline.
//
// Counts are arrays [keys,elements,bytes,memory]. What is mostly zero is given as pairs of a place and what
// stands there. The tree of prefixes is a flat list, each node behind its parent with its level, so that no
// depth of nesting depends on it. Byte strings are as in JSON Lines: persist-dump(1).
#include "ops/stat_partial.hpp"

#include <functional>

#include "ops/prefix_tree.hpp"
#include "text/json_string.hpp"

namespace persist {

namespace {

class PartialWriter {
 public:
  explicit PartialWriter(ByteBuffer& out) : out_(out) {}

  void report(const StatReport& report);

 private:
  // What follows is the member of an object, or one more thing in an array.
  void member(Bytes name) {
    next();
    out_.append('"');
    out_.append(name);
    out_.append("\":");
    is_first_ = true;
  }
  void next() {
    if (!is_first_) out_.append(',');
    is_first_ = false;
  }
  void open(char bracket) {
    next();
    out_.append(bracket);
    is_first_ = true;
  }
  void close(char bracket) {
    out_.append(bracket);
    is_first_ = false;
  }
  template <std::integral T>
  void number(T number) {
    next();
    out_.append_number(number);
  }
  void truth(bool holds) {
    next();
    out_.append(holds ? Bytes("true") : Bytes("false"));
  }
  void null() {
    next();
    out_.append("null");
  }
  void text(Bytes bytes) {
    next();
    append_json_string(out_, bytes);
  }

  void count(const StatCount& count) {
    open('[');
    for (const uint64_t of : {count.keys, count.elements, count.bytes, count.memory}) number(of);
    close(']');
  }
  // The places of an array at which anything stands.
  template <typename Array>
  void counts(const Array& counts) {
    open('[');
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == StatCount()) continue;
      open('[');
      number(i);
      count(counts[i]);
      close(']');
    }
    close(']');
  }
  void histogram(const Histogram& histogram) {
    open('{');
    member("max");
    number(histogram.max());
    member("buckets");
    open('[');
    for (size_t i = 0; i < Histogram::kBuckets; ++i) {
      if (histogram.buckets()[i] == 0) continue;
      open('[');
      number(i);
      number(histogram.buckets()[i]);
      close(']');
    }
    close(']');
    close('}');
  }

  void estimate(const StatReport& report);
  void input(const StatReport& report);
  void keys(const StatReport& report);
  void types(const StatReport& report);
  void expiry(const StatReport& report);
  void top(const StatReport& report);
  void big_key(const BigKey& key);
  void prefixes(const PrefixNode& node, size_t level);
  void libraries(const StatReport& report);
  void log(const LogStat& log);
  void log_times(const LogStat& log);
  void command(const CommandStat& command);
  void seconds(const std::optional<int64_t>& seconds);

  ByteBuffer& out_;
  bool is_first_ = true;
};

void PartialWriter::report(const StatReport& report) {
  open('{');
  member(kPartialMember);
  number(kPartialVersion);
  estimate(report);
  input(report);
  keys(report);
  expiry(report);
  top(report);
  member("prefixes");
  open('{');
  member("coarsened");
  truth(report.prefixes_coarsened);
  member("nodes");
  open('[');
  prefixes(report.prefixes, 0);
  close(']');
  close('}');
  libraries(report);
  member("log");
  if (report.log)
    log(*report.log);
  else
    null();
  close('}');
  out_.append('\n');
}

void PartialWriter::estimate(const StatReport& report) {
  member("estimate");
  open('{');
  member("target");
  text(report.target);
  member("allocator");
  text(allocator_name(report.allocator));
  member("separators");
  text(report.separators);
  close('}');
}

void PartialWriter::input(const StatReport& report) {
  member("input");
  open('{');
  member("inputs");
  number(report.inputs);
  member("file_bytes");
  number(report.file_bytes);
  member("errors");
  number(report.errors);
  member("complete");
  truth(report.complete);
  member("as_of_ms");
  open('[');
  number(report.as_of_first_ms);
  number(report.as_of_last_ms);
  close(']');
  member("writers");
  open('[');
  for (const auto& [writer, inputs] : report.writers) {
    open('[');
    text(writer);
    number(inputs);
    close(']');
  }
  close(']');
  close('}');
}

void PartialWriter::keys(const StatReport& report) {
  member("keys");
  open('{');
  member("total");
  count(report.total);
  member("dbs");
  open('[');
  for (const auto& [db, stat] : report.dbs) {
    open('[');
    number(db);
    count(stat.count);
    number(stat.volatile_keys);
    close(']');
  }
  close(']');
  member("other_dbs");
  open('[');
  count(report.other_dbs.count);
  number(report.other_dbs.volatile_keys);
  close(']');
  types(report);
  member("bytes");
  histogram(report.bytes);
  member("sizes");
  counts(report.sizes);
  close('}');
}

void PartialWriter::types(const StatReport& report) {
  member("types");
  open('[');
  for (size_t i = 0; i < report.types.size(); ++i) {
    open('{');
    member("type");
    text(value_type_name(static_cast<ValueType>(i)));
    member("count");
    count(report.types[i].count);
    member("elements");
    histogram(report.types[i].elements);
    member("largest");
    if (report.types[i].largest)
      big_key(*report.types[i].largest);
    else
      null();
    close('}');
  }
  close(']');
  member("encodings");
  open('[');
  for (const auto& [label, encoding] : report.encodings) {
    open('[');
    text(label);
    text(value_type_name(encoding.type));
    count(encoding.count);
    close(']');
  }
  close(']');
}

void PartialWriter::expiry(const StatReport& report) {
  member("expiry");
  open('{');
  member("persistent");
  count(report.persistent);
  member("expired");
  count(report.expired);
  member("ttl");
  counts(report.ttl);
  member("volatile_fields");
  number(report.volatile_fields);
  member("expired_fields");
  number(report.expired_fields);
  close('}');
  member("use");
  open('{');
  member("idle");
  counts(report.idle);
  member("freq");
  counts(report.freq);
  close('}');
}

void PartialWriter::top(const StatReport& report) {
  member("top");
  open('[');
  for (size_t i = 0; i < kBigBys; ++i) {
    open('{');
    member("by");
    text(kBigByNames[i]);
    member("most");
    number(report.top[i].most());
    member("keys");
    open('[');
    for (const BigKey& key : report.top[i].sorted()) big_key(key);
    close(']');
    close('}');
  }
  close(']');
}

void PartialWriter::big_key(const BigKey& key) {
  open('{');
  member("db");
  number(key.db);
  member("key");
  text(key.key);
  member("key_bytes");
  number(key.key_bytes);
  member("type");
  text(value_type_name(key.type));
  member("encoding");
  text(key.encoding);
  member("bytes");
  number(key.bytes);
  member("elements");
  number(key.elements);
  member("memory");
  number(key.memory);
  member("largest_element");
  number(key.largest_element);
  member("expire_at_ms");
  number(key.expire_at_ms);
  close('}');
}

void PartialWriter::prefixes(const PrefixNode& node, size_t level) {
  open('[');
  number(level);
  if (node.is_any)
    null();
  else
    text(node.token);
  count(node.count);
  number(node.persistent_keys);
  close(']');
  if (level == PrefixTree::kChildrenMax.size()) return;
  for (const PrefixNode& below : node.children) prefixes(below, level + 1);
}

void PartialWriter::libraries(const StatReport& report) {
  member("functions");
  open('[');
  for (const auto& [engine, library] : report.functions) {
    open('[');
    text(engine);
    text(library);
    close(']');
  }
  close(']');
  member("modules");
  open('[');
  for (const auto& [name, module] : report.modules) {
    open('[');
    text(name);
    count(module.count);
    number(module.records);
    close(']');
  }
  close(']');
}

void PartialWriter::command(const CommandStat& command) {
  open('[');
  for (const uint64_t of : {command.commands, command.bytes, command.largest}) number(of);
  close(']');
}

void PartialWriter::log(const LogStat& log) {
  open('{');
  member("names");
  open('[');
  for (const auto& [name, stat] : log.by_name) {
    open('[');
    text(name);
    command(stat);
    close(']');
  }
  close(']');
  member("other_names");
  command(log.other_names);
  member("dbs");
  open('[');
  for (const auto& [db, stat] : log.by_db) {
    open('[');
    number(db);
    command(stat);
    close(']');
  }
  close(']');
  member("other_dbs");
  command(log.other_dbs);
  member("total");
  command(log.total);
  member("bytes");
  histogram(log.bytes);
  member("transactions");
  number(log.transactions);
  member("flushes");
  number(log.flushes);
  log_times(log);
  member("rdb_bytes");
  number(log.rdb_bytes);
  member("command_bytes");
  number(log.command_bytes);
  member("live_bytes");
  if (log.live_bytes)
    number(*log.live_bytes);
  else
    null();
  close('}');
}

void PartialWriter::seconds(const std::optional<int64_t>& seconds) {
  if (seconds)
    number(*seconds);
  else
    null();
}

void PartialWriter::log_times(const LogStat& log) {
  member("times");
  open('{');
  member("first_s");
  seconds(log.first_time_s);
  member("last_s");
  seconds(log.last_time_s);
  member("commands");
  number(log.timed_commands);
  member("shift");
  number(log.times.shift);
  member("first");
  number(log.times.first);
  member("buckets");
  open('[');
  for (const uint64_t commands : log.times.commands) number(commands);
  close(']');
  close('}');
}

}  // namespace

void write_partial(const StatReport& report, ByteSink& output) {
  ByteBuffer out;
  const std::function<void(Bytes)> drain = [&output](Bytes bytes) { output.write(bytes); };
  out.set_drain(&drain);
  PartialWriter(out).report(report);
  output.write(out.bytes());
}

}  // namespace persist
