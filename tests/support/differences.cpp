// Whatever diff() may leave open, such as the order of differences, is put in order here.
#include "support/differences.hpp"

#include <algorithm>

#include "persist/check_set.hpp"
#include "support/notation.hpp"
#include "support/verbs.hpp"

namespace persist::test {

namespace {

constexpr Bytes kMarks = "-+~";

class KeepingSink : public DiffSink {
 public:
  explicit KeepingSink(Diffed& kept) : kept_(kept) {}
  void key(const KeyDifference& difference) override { kept_.keys.push_back(difference); }
  void library(const LibraryDifference& difference) override { kept_.libraries.push_back(difference); }

 private:
  Diffed& kept_;
};

// An input, and what it points to.
class OpenInput {
 public:
  explicit OpenInput(const DatasetBytes& data) : source_(memory_source(data.bytes, "data")) {
    switch (data.form) {
      case DatasetBytes::Form::rdb:
        input.rdb = source_.get();
        return;
      case DatasetBytes::Form::lines:
        input.json = source_.get();
        return;
      case DatasetBytes::Form::log:
        set_ = single_file_set("log");
        set_.parts[0].size = data.bytes.size();
        input.log = &set_;
        input.replay.as = data.as;
        input.replay.now_ms = 0;
        input.replay.open = [&data](const SetPart& part) { return memory_source(data.bytes, part.name); };
    }
  }

  ConvertInput input;

 private:
  std::unique_ptr<ByteSource> source_;
  AppendSet set_;
};

std::string text_of(const DiffWord& word) {
  std::string text = '"' + test::shown(Bytes(word.bytes)) + '"';
  if (word.from == 0 && word.size == word.bytes.size()) return text;
  return text + '[' + std::to_string(word.from) + '/' + std::to_string(word.size) + ']';
}

std::string told(const DiffSide& side) {
  if (!side.there) return side.words.empty() && !side.index ? "-" : "- but words";
  std::string text = "there";
  for (const DiffWord& word : side.words) text += ' ' + text_of(word);
  if (side.index) text += '#' + std::to_string(*side.index);
  return text;
}

std::string told(const std::optional<DiffSideHead>& head) {
  if (!head) return "-";
  std::string text(value_type_name(head->type));
  if (head->expire_at_ms != kNoExpiry) text += '@' + std::to_string(head->expire_at_ms);
  return text;
}

}  // namespace

Diffed diff_datasets(const DatasetBytes& a, const DatasetBytes& b, DiffOptions options, bool wants_commands) {
  Diffed diffed;
  KeepingSink sink(diffed);
  StringSink commands;
  FindingList findings;
  if (wants_commands) options.commands = &commands;
  const OpenInput in_a(a);
  const OpenInput in_b(b);
  try {
    diffed.summary = diff(in_a.input, in_b.input, sink, findings, options);
  } catch (const EditRefused& refused) {
    diffed.refusal = refused.what();
  }
  diffed.findings = std::move(findings.all);
  diffed.commands = std::move(commands.text);
  return diffed;
}

std::string told(const Difference& difference) {
  std::string text(diff_part_row(difference.part).name);
  if (difference.name.size > 0) text += ' ' + text_of(difference.name);
  if (difference.owner.size > 0) text += " of " + text_of(difference.owner);
  return text + ' ' + told(difference.a) + " -> " + told(difference.b);
}

std::string told(const KeyDifference& difference) {
  std::vector<std::string> parts;
  for (const Difference& part : difference.differences) parts.push_back(told(part));
  std::ranges::sort(parts);
  std::string text(1, kMarks[static_cast<size_t>(difference.kind)]);
  text += ' ' + std::to_string(difference.db) + ' ' + shown(Bytes(difference.key)) + ' ' +
          told(difference.a) + ' ' + told(difference.b);
  for (const std::string& part : parts) text += (&part == parts.data() ? ": " : "; ") + part;
  if (difference.more > 0) text += " and " + std::to_string(difference.more) + " more";
  return text;
}

std::string told(const LibraryDifference& difference) {
  return std::string(1, kMarks[static_cast<size_t>(difference.kind)]) +
         (difference.is_function ? " function " : " module ") + shown(Bytes(difference.name));
}

std::vector<std::string> told(const Diffed& diffed) {
  std::vector<std::string> lines;
  for (const KeyDifference& key : diffed.keys) lines.push_back(told(key));
  std::ranges::sort(lines);
  for (const LibraryDifference& library : diffed.libraries) lines.push_back(told(library));
  return lines;
}

std::string counts_of(const DiffSummary& summary) {
  std::string text = "a " + std::to_string(summary.keys[0]) + ", b " + std::to_string(summary.keys[1]) +
                     ", changed " + std::to_string(summary.keys[2]) + ", same " +
                     std::to_string(summary.same) + ", libraries";
  for (const uint64_t count : summary.libraries) text += ' ' + std::to_string(count);
  return text;
}

}  // namespace persist::test
