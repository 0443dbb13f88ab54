// One pass over all keys, in which only hashes of them are kept; a second one if some are equal. One member
// after the other: of logs, one dataset is in memory at a time.
#include "persist/check_cluster.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "base/hash64.hpp"
#include "ops/cluster_members.hpp"
#include "ops/duplicates.hpp"
#include "ops/error_counter.hpp"
#include "ops/pipeline.hpp"
#include "ops/replay_set.hpp"
#include "persist/filter.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

namespace {

// Of one kind. What is more is counted.
constexpr uint64_t kClusterFindingsMax = 10'000;
// So many keys are looked up by name; were two members the same file, all would be.
constexpr size_t kKeysLookedUp = 100'000;
constexpr size_t kHashMemory = size_t{32} << 20;

// A key, and where it stands.
struct MemberKey {
  uint64_t db = 0;
  Bytes key;
  Extent extent;  // in an RDB file
};
using TakeKey = FunctionRef<void(const MemberKey&)>;

// Of a replay, that it ended before the end; nothing else is for this check to say.
class ReplayTroubles : public FindingSink {
 public:
  explicit ReplayTroubles(FindingSink& to) : to_(to) {}
  void report(const Finding& finding) override {
    if (finding.kind().id.starts_with("replay.") && finding.kind().severity == Severity::error)
      to_.report(finding);
  }

 private:
  FindingSink& to_;
};

// Counts errors and warnings.
class ClusterTally : public ErrorCounter<ClusterSummary> {
 public:
  ClusterTally(FindingSink& to, ClusterSummary& summary) : ErrorCounter(to, summary), warnings_(summary) {}
  void report(const Finding& finding) override {
    if (finding.kind().severity == Severity::warning) ++warnings_.warnings;
    ErrorCounter::report(finding);
  }

 private:
  ClusterSummary& warnings_;
};

class ClusterCheck {
 public:
  ClusterCheck(std::span<const ClusterMember> members, FindingSink& findings, const ClusterOptions& options)
      : members_(members), options_(options), findings_(findings, summary_) {
    seen_.fill(SlotMap::kNobody);
  }

  ClusterSummary run() {
    roles_ = cluster_roles(members_, findings_);
    summary_.slots = check_coverage(members_, roles_, findings_);
    summary_.knows_slots = true;
    for (size_t i = 0; i < members_.size(); ++i) {
      const ClusterRole& role = roles_[i];
      const bool knows_slots = role.known || role.copy_of;
      summary_.members.push_back({role.owner, knows_slots, role.owned.count(), 0, false, role.copy_of});
      summary_.knows_slots = summary_.knows_slots && knows_slots;
    }
    for (size_t i = 0; i < members_.size(); ++i)
      if (!roles_[i].copy_of) check_member(i);
    tell_shared();
    find_twice();
    return std::move(summary_);
  }

 private:
  void check_member(size_t index) {
    ClusterMemberSummary& about = summary_.members[index];
    ReplayTroubles troubles(findings_);
    about.complete = read(members_[index], troubles, [&](const MemberKey& key) {
      ++about.keys;
      hashes_.add(hash_of_key(key));
      check_place(index, key);
    });
    summary_.keys += about.keys;
  }

  // All keys of a member. False if some could not be read.
  bool read(const ClusterMember& member, FindingSink& troubles, TakeKey take) const {
    return member.log ? read_log(*member.log, troubles, take) : read_rdb(member.rdb_path, take);
  }

  static bool read_rdb(const std::string& path, TakeKey take) {
    const std::unique_ptr<ByteSource> source = open_source(path);
    FindingList said_elsewhere;
    RecordReader records(*source, said_elsewhere);
    while (const RdbRecord* record = records.next_head()) {
      if (const auto* entry = std::get_if<RdbEntry>(&record->body))
        take({entry->db, entry->key, record->extent});
    }
    return records.complete();
  }

  bool read_log(const AppendSet& log, FindingSink& troubles, TakeKey take) const {
    Dataset data;
    const ReplaySummary replay = replay_set(log, troubles, options_.replay, {}, data);
    for (const auto& numbered : data.dbs())
      numbered.second.for_each([&](const KeyEntry& held) { take({numbered.first, held.key(), {}}); });
    return replay.is_log && replay.complete && !replay.refused;
  }

  void check_place(size_t index, const MemberKey& key) {
    if (key.db != 0) {
      if (++summary_.keys_beyond <= kClusterFindingsMax)
        report(FindingCode::cluster_db, index, key, "db 0", "db " + std::to_string(key.db));
      return;
    }
    const unsigned slot = key_slot(key.key);
    const ClusterRole& role = roles_[index];
    if (!role.known) return note_slot(index, slot);
    if (role.owned[slot] || role.importing[slot]) return;
    if (++summary_.keys_foreign <= kClusterFindingsMax)
      report(FindingCode::cluster_foreign_slot, index, key, "a slot that " + members_[index].name + " owns",
             "slot " + std::to_string(slot));
  }

  // Of members of whom nobody knows what they own.
  void note_slot(size_t index, unsigned slot) {
    size_t& first = seen_[slot];
    if (first == SlotMap::kNobody) {
      first = index;
    } else if (first != index) {
      ++shared_[{first, index}];
    }
  }

  void tell_shared() {
    for (const auto& [pair, keys] : shared_) {
      Finding finding;
      finding.code = FindingCode::cluster_slot_shared;
      finding.file = members_[pair.second].name;
      finding.subject = "slots";
      finding.found = std::to_string(keys) + (keys == 1 ? " key" : " keys") + " in slots of which " +
                      members_[pair.first].name + " has keys, too";
      findings_.report(finding);
    }
  }

  // Equal hashes are a suspicion; the keys themselves decide, as far as there are not too many.
  void find_twice() {
    std::vector<uint64_t> suspects = duplicates_.find(useful_threads(options_.threads));
    if (!duplicates_.complete()) {
      Finding finding;
      finding.code = FindingCode::cluster_unknown;
      finding.file = "cluster";
      findings_.report(finding);
    }
    const size_t unnamed = suspects.size() - std::min(suspects.size(), kKeysLookedUp);
    suspects.resize(suspects.size() - unnamed);
    if (!suspects.empty()) look_up(suspects);
    if (unnamed == 0) return;
    summary_.keys_twice += unnamed;
    Finding finding;
    finding.code = FindingCode::cluster_key_twice;
    finding.file = "cluster";
    finding.subject = "keys";
    finding.found = std::to_string(unnamed) + " more";
    findings_.report(finding);
  }

  void look_up(const std::vector<uint64_t>& suspects) {
    std::map<std::pair<uint64_t, std::string>, size_t> first_in;
    FindingList said_before;
    for (size_t i = 0; i < members_.size(); ++i) {
      if (roles_[i].copy_of) continue;
      (void)read(members_[i], said_before, [&](const MemberKey& key) {
        if (!std::ranges::binary_search(suspects, hash_of_key(key))) return;
        const auto found = first_in.try_emplace({key.db, std::string(key.key)}, i);
        const size_t first = found.first->second;
        if (found.second || first == i) return;
        if (++summary_.keys_twice <= kClusterFindingsMax)
          report(FindingCode::cluster_key_twice, i, key, "each key in one node",
                 "also in " + members_[first].name);
      });
    }
  }

  void report(FindingCode code, size_t index, const MemberKey& key, const std::string& expected,
              const std::string& found) {
    Finding finding;
    finding.code = code;
    finding.file = members_[index].log ? members_[index].name : members_[index].rdb_path;
    finding.extent = key.extent;
    finding.subject = "key";
    finding.expected = expected;
    finding.found = found;
    finding.db = key.db;
    finding.key = std::string(key.key);
    findings_.report(finding);
  }

  [[nodiscard]] uint64_t hash_of_key(const MemberKey& key) const { return hash64(key.key, seed_ + key.db); }

  std::span<const ClusterMember> members_;
  const ClusterOptions& options_;
  ClusterSummary summary_;
  ClusterTally findings_;
  std::vector<ClusterRole> roles_;
  const uint64_t seed_ = random_seed();
  DuplicateHashes duplicates_{kHashMemory};
  DuplicateHashes::Appender& hashes_ = duplicates_.appender();
  std::array<size_t, kClusterSlots> seen_{};              // by slot: the first member that has keys of it
  std::map<std::pair<size_t, size_t>, uint64_t> shared_;  // keys of the second in slots that the first has
};

}  // namespace

ClusterSummary check_cluster(std::span<const ClusterMember> members, FindingSink& findings,
                             const ClusterOptions& options) {
  return ClusterCheck(members, findings, options).run();
}

}  // namespace persist
