// A conversion whose result proves itself: what was written is read back and digested.
#include "persist/compact.hpp"

#include "ops/conversion.hpp"
#include "ops/convert_placing.hpp"
#include "ops/digest_dataset.hpp"
#include "persist/check_set.hpp"

namespace persist {

namespace {

// Which digest can tell that nothing has changed. The full one sees what a target has no room for; the
// server's does not see the hints that servers keep for themselves.
enum class ProofBy : uint8_t { full, server, nothing };

// Then what is written is not to be what was read.
bool makes_another(const ConvertOptions& options) {
  return (options.filter != nullptr && !options.filter->accepts_all()) || options.changes != nullptr;
}

ProofBy proof_for(const ConvertSummary& summary, const ConvertOptions& options) {
  if (makes_another(options)) return ProofBy::nothing;
  ProofBy by = ProofBy::full;
  for (const LossRow& row : loss_rows()) {
    if (summary.losses.of(row.feature).count == 0) continue;
    if (row.kind == LossKind::data) return ProofBy::nothing;
    by = ProofBy::server;
  }
  return by;
}

class Proof {
 public:
  Proof(Conversion& conversion, const ConvertOptions& options) : conversion_(conversion), options_(options) {}

  bool operator()(const std::string& written, bool is_rdb) const {
    const ProofBy by = proof_for(conversion_.summary(), options_);
    if (by == ProofBy::nothing) return false;
    DigestOptions how;
    how.full = by == ProofBy::full;
    how.fast = true;
    how.server = &conversion_.target();
    how.threads = options_.threads;
    const DigestSummary read = of_dataset(how);
    const DigestSummary back = is_rdb ? of_rdb(written, how) : of_commands(written, how);
    if (!read.obstacle.empty()) return false;
    if (read.digest != back.digest || back.errors > 0) {
      throw EditRefused(EditRefused::Kind::beyond,
                        "what was written is not what was read: expected the digest " + read.digest +
                            ", found " + (back.digest.empty() ? "none" : back.digest) +
                            "; nothing was put into place");
    }
    conversion_.summary().proven = true;
    return true;
  }

 private:
  [[nodiscard]] DigestSummary of_dataset(const DigestOptions& how) const {
    DigestSummary read;
    if (how.full)
      read.digest = to_hex(conversion_.digest().total());
    else
      digest_dataset(*conversion_.dataset(), how, server(), read);
    return read;
  }

  [[nodiscard]] ServerVersion server() const {
    return {conversion_.target().family, conversion_.target().release};
  }

  static DigestSummary of_rdb(const std::string& path, const DigestOptions& how) {
    FindingList found;
    return digest_rdb(*open_source(path), found, how);
  }

  DigestSummary of_commands(const std::string& path, const DigestOptions& how) const {
    FindingList found;
    ReplayOptions replay;
    replay.as = server();
    return digest_log(single_file_set(path), found, how, replay).digest;
  }

  Conversion& conversion_;
  const ConvertOptions& options_;
};

}  // namespace

ConvertSummary compact(const ConvertInput& input, const OutputOptions& output, FindingSink& findings,
                       const ConvertOptions& options) {
  Conversion conversion(input, options, findings);
  if (!makes_another(options)) conversion.ask_for_digest();
  ConvertPlacing placing(input, conversion, options, output, Proof(conversion, options));
  if (conversion.prepare()) placing.run();
  return std::move(conversion.summary());
}

}  // namespace persist
