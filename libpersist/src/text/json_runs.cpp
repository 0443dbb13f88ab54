// What is cut by the end of a run, a sequence of UTF-8 or a group of base64, waits for the next.
#include "text/json_runs.hpp"

#include <algorithm>

#include "text/json_string.hpp"

namespace persist {

namespace {

constexpr size_t kSequenceMax = 4;

bool continues(char c) { return (c & '\xc0') == '\x80'; }

// How many bytes at the end of `run` may begin a sequence that the next run ends.
size_t cut_sequence(Bytes run) {
  for (size_t back = 1; back <= std::min(run.size(), kSequenceMax - 1); ++back) {
    const auto c = static_cast<uint8_t>(run[run.size() - back]);
    if (continues(static_cast<char>(c))) continue;
    const size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

}  // namespace

void Utf8Runs::add(Bytes run) {
  if (!valid_) return;
  if (kept_ > 0) {
    size_t more = 0;
    while (more < run.size() && kept_ + more < kSequenceMax && continues(run[more])) ++more;
    std::copy_n(run.data(), more, start_.begin() + static_cast<ptrdiff_t>(kept_));
    kept_ += more;
    run.remove_prefix(more);
    if (run.empty() && cut_sequence({start_.data(), kept_}) == kept_) return;  // still not at its end
    valid_ = is_json_text({start_.data(), kept_});
    kept_ = 0;
  }
  const size_t cut = cut_sequence(run);
  valid_ = valid_ && is_json_text(run.substr(0, run.size() - cut));
  std::copy_n(run.data() + (run.size() - cut), cut, start_.begin());
  kept_ = cut;
}

JsonRuns::JsonRuns(ByteBuffer& out, bool as_text) : out_(out), as_text_(as_text) {
  if (as_text_)
    out_.append('"');
  else
    out_.append(R"({"$base64":")");
}

void JsonRuns::add(Bytes run) {
  if (as_text_) return put_json_text(out_, run);
  while (kept_ > 0 && kept_ < group_.size() && !run.empty()) {
    group_[kept_++] = run.front();
    run.remove_prefix(1);
  }
  if (kept_ == group_.size()) {
    put_json_base64(out_, {group_.data(), group_.size()});
    kept_ = 0;
  }
  const size_t whole = run.size() / group_.size() * group_.size();
  put_json_base64(out_, run.substr(0, whole));
  for (const char c : run.substr(whole)) group_[kept_++] = c;
}

void JsonRuns::end() {
  if (as_text_) return out_.append('"');
  put_json_base64(out_, {group_.data(), kept_});
  out_.append(R"("})");
}

}  // namespace persist
