// The rules of the loaders, release by release: the first thing in the order of the files that stops one
// decides.
#include "ops/startup.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace persist {

namespace {

// Releases as major * 100 + minor, from which something holds.
constexpr unsigned kLoadsTruncated = 208;
constexpr unsigned kQueuesMulti = 400;
constexpr unsigned kRdbPart = 400;
constexpr unsigned kAppendDirs = 700;
constexpr unsigned kAnnotations = 700;
constexpr unsigned kChecksArity = 801;  // of Valkey
constexpr uint64_t kNowhere = ~uint64_t{0};

constexpr std::array<Bytes, 6> kNames = {"loads",   "cuts",         "cuts to 0 bytes",
                                         "refuses", "starts empty", "may crash"};

unsigned release_of(const Target& target) {
  const Bytes number = target.name.substr(target.name.find('-') + 1);
  const size_t dot = number.find('.');
  unsigned major = 0;
  unsigned minor = 0;
  std::from_chars(number.data(), number.data() + dot, major);
  std::from_chars(number.data() + dot + 1, number.data() + number.size(), minor);
  return major * 100 + minor;
}

bool is_in(FindingCode code, std::initializer_list<FindingCode> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

// One server, one set.
class Loader {
 public:
  Loader(const Target& target, const SetFacts& facts, const LogCheckOptions& options)
      : facts_(facts), options_(options), release_(release_of(target)) {
    verdict_.target = &target;
  }

  StartupVerdict start() {
    if (reads_manifest()) {
      for (const PartFacts& part : facts_.parts) {
        if (!load(part)) break;
      }
    }
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] const Target& target() const { return *verdict_.target; }
  [[nodiscard]] bool is_redis() const { return target().family == Dialect::redis; }
  [[nodiscard]] bool before(unsigned release) const { return is_redis() && release_ < release; }

  bool decide(Startup startup, const std::string& file, uint64_t offset, std::string why) {
    verdict_.startup = startup;
    verdict_.file = file;
    verdict_.offset = offset;
    verdict_.why = std::move(why);
    return false;
  }

  bool reads_manifest() {
    const AppendSet& set = facts_.set;
    if (set.manifest_path.empty()) return true;
    if (before(kAppendDirs))
      return decide(Startup::starts_empty, set.manifest_path, 0, "it does not know append directories");
    for (const Finding& finding : facts_.found_with_set) {
      if (is_in(finding.code, {FindingCode::manifest_missing, FindingCode::manifest_comments}))
        return decide(Startup::starts_empty, finding.file, 0, std::string(finding.kind().sentence));
      const bool about_manifest = finding.kind().id.starts_with("manifest.") &&
                                  finding.kind().severity == Severity::error &&
                                  finding.code != FindingCode::manifest_link;
      if (about_manifest)
        return decide(Startup::refuses, finding.file, finding.extent.offset, finding.message());
    }
    return true;
  }

  bool load(const PartFacts& part) { return load_rdb(part) && load_log(part); }

  bool load_rdb(const PartFacts& part) {
    if (!part.has_rdb) return true;
    if (before(kRdbPart)) return decide(Startup::refuses, part.file, 0, "it knows no RDB data in a log");
    const bool accepted = part.dialect == Dialect::redis ? part.rdb_version <= target().redis_version_max
                                                         : part.rdb_version <= target().valkey_version;
    if (!accepted) {
      return decide(Startup::refuses, part.file, 0,
                    "it does not read " + std::string(dialect_name(part.dialect)) + " RDB version " +
                        std::to_string(part.rdb_version));
    }
    if (!part.rdb_sound) return decide(Startup::refuses, part.file, 0, "its RDB part is damaged");
    return true;
  }

  // What stops the loader first, by its place in the file.
  bool load_log(const PartFacts& part) {
    const auto [unknown_at, unknown] = first_unknown(part);
    const uint64_t annotation_at =
        before(kAnnotations) ? part.annotation.value_or(kNowhere) : part.long_annotation.value_or(kNowhere);
    const bool checks_arity = !is_redis() && release_ >= kChecksArity;
    const uint64_t arity_at = part.arity ? part.arity->offset : kNowhere;
    const uint64_t damage_at = part.damage ? part.damage->offset : kNowhere;
    const uint64_t first =
        std::min({unknown_at, annotation_at, checks_arity ? arity_at : kNowhere, damage_at});
    if (!checks_arity && arity_at < first) {
      decide(Startup::may_crash, part.file, arity_at, "it does not count the words of " + part.arity->name);
      return false;
    }
    if (first == kNowhere) return true;
    if (first == damage_at) return meet_damage(part);
    if (first == unknown_at) return decide(Startup::refuses, part.file, first, "it does not know " + unknown);
    if (first == annotation_at)
      return decide(Startup::refuses, part.file, first, "it does not take this annotation");
    return decide(Startup::refuses, part.file, first, "wrong number of words of " + part.arity->name);
  }

  [[nodiscard]] std::pair<uint64_t, std::string> first_unknown(const PartFacts& part) const {
    uint64_t at = kNowhere;
    std::string name;
    if (part.unknown) {
      at = part.unknown->offset;
      name = part.unknown->name;
    }
    const auto specs = command_specs();
    for (size_t i = 0; i < specs.size(); ++i) {
      const uint64_t use = part.first_use[i];
      if (use == 0 || use - 1 >= at || known_in(specs[i], target().family, release_)) continue;
      at = use - 1;
      name = specs[i].name;
    }
    return {at, name};
  }

  bool meet_damage(const PartFacts& part) {
    switch (part.damage->code) {
      case FindingCode::aof_truncated:
      case FindingCode::aof_torn_first:
      case FindingCode::aof_torn_multi:
        return meet_torn(part);
      case FindingCode::aof_open_multi:
        if (before(kLoadsTruncated)) return refuse(part, "unexpected end of file");
        if (before(kQueuesMulti))
          return decide(Startup::loads, part.file, part.damage->offset, "it runs the torn transaction");
        return meet_torn(part);
      case FindingCode::aof_torn_annotation:
        if (before(kAnnotations)) return refuse(part, "it does not take annotations");
        verdict_.why = "but glues the next write to the torn annotation";
        return true;
      default:
        return refuse(part, "bad file format");
    }
  }

  bool meet_torn(const PartFacts& part) {
    if (before(kLoadsTruncated) || !options_.aof_load_truncated)
      return refuse(part, "unexpected end of file");
    const bool last = &part == &facts_.parts.back();
    if (!last) {
      return decide(Startup::refuses, part.file, part.server_cut,
                    "it is not the last file, but it cuts it before it says so");
    }
    const bool empties = part.server_cut == 0 && part.has_rdb;
    return decide(empties ? Startup::empties : Startup::cuts, part.file, part.server_cut,
                  empties ? "what is in memory is then nowhere on disk" : "with aof-load-truncated yes");
  }

  bool refuse(const PartFacts& part, std::string why) {
    return decide(Startup::refuses, part.file, part.damage->offset, std::move(why));
  }

  const SetFacts& facts_;
  const LogCheckOptions& options_;
  unsigned release_;
  StartupVerdict verdict_;
};

}  // namespace

Bytes startup_name(Startup startup) { return kNames[static_cast<size_t>(startup)]; }

std::vector<StartupVerdict> startup_verdicts(const SetFacts& facts, const LogCheckOptions& options) {
  std::vector<StartupVerdict> verdicts;
  for (const Target& target : targets()) verdicts.push_back(Loader(target, facts, options).start());
  return verdicts;
}

}  // namespace persist
