// The dump of a log: what a server would hold behind it.
#include "ops/entry_head.hpp"
#include "ops/expired_field.hpp"
#include "ops/replay_set.hpp"
#include "persist/dump.hpp"
#include "text/json_lines.hpp"

namespace persist {

namespace {

constexpr unsigned kFirstWithIdmp = 806;
constexpr size_t kDumpedBytes = size_t{1} << 20;

class DatasetDump {
 public:
  DatasetDump(const DumpOptions& options, const ServerVersion& server, ByteSink& output)
      : options_(options),
        knows_idmp_(server.family == Dialect::redis && server.version >= kFirstWithIdmp),
        output_(output),
        line_(out_) {}

  void run(const Dataset& data) {
    for (const auto& [number, db] : data.dbs())
      for (const KeyEntry* entry : db.entries()) dump_entry(number, *entry);
    write();
  }

  [[nodiscard]] uint64_t written() const { return written_; }

 private:
  void dump_entry(uint64_t db, const KeyEntry& held) {
    const RdbEntry entry = head_of(db, held);
    if (options_.filter != nullptr && !options_.filter->accepts(entry)) return;
    if (!tell(entry, held, false)) return;
    if (line_.wants_pairs()) {
      line_.discard();
      tell(entry, held, true);
    }
    line_.end();
    ++written_;
    if (out_.size() >= kDumpedBytes) write();
  }

  // False if it turns out that nothing of the value is to be seen: then there is no line.
  bool tell(const RdbEntry& entry, const KeyEntry& held, bool as_pairs) {
    uint64_t told = 0;
    uint64_t hidden = 0;
    line_.begin(entry, as_pairs);
    held.tell(
        [&](const Element& element) {
          if (!knows_idmp_ && std::holds_alternative<StreamIdmp>(element)) return;
          const bool hides = is_expired_field(element, options_.hide_fields_past_ms);
          ++(hides ? hidden : told);
          if (!hides) line_.add(element);
        },
        true);
    if (told > 0 || hidden == 0) return true;
    line_.discard();
    return false;
  }

  void write() {
    if (!out_.empty()) output_.write(out_.bytes());
    out_.clear();
  }

  const DumpOptions& options_;
  bool knows_idmp_;  // what the server remembers of the producers of streams
  ByteSink& output_;
  ByteBuffer out_;
  EntryLine line_;
  uint64_t written_ = 0;
};

}  // namespace

LogDumpSummary dump_log(const AppendSet& set, ByteSink& output, FindingSink& findings,
                        const DumpOptions& options, const ReplayOptions& replay) {
  LogDumpSummary summary;
  Dataset data;
  summary.replay = replay_set(set, findings, replay, {}, data);
  if (!summary.replay.is_log || summary.replay.refused) return summary;
  DatasetDump dump(options, summary.replay.server, output);
  dump.run(data);
  summary.written = dump.written();
  return summary;
}

}  // namespace persist
