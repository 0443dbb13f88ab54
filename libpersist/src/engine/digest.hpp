// Digests of keys and of whole datasets: the one that servers answer DEBUG DIGEST with, and a fuller one of
// our own. persist-digest(1)
//
//   HoleBudget holes;
//   DatasetDigest dataset(DigestKind::server);
//   const auto digest = server_digest(digest_rules(Dialect::redis, 702), holes);
//   for (each key) {
//     digest->begin({db, key, type, expire_at_ms});
//     tell the value to [&](const Element& told) { digest->add(told); };
//     dataset.add(db, digest->finish());
//   }
//   to_hex(dataset.total());
//
// Keys may come in any order of keys and dbs; datasets that have no key in common can be merged.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/server_numbers.hpp"
#include "base/sha1.hpp"
#include "engine/vector_set.hpp"
#include "persist/element.hpp"
#include "persist/encoding.hpp"

namespace persist {

// What DEBUG DIGEST depends on besides the data.
struct DigestRules {
  DoubleStyle scores = DoubleStyle::shortest;
  bool field_expiries = false;  // whether it sees that a hash field has one
};

// `version` is that of the server, major * 100 + minor.
[[nodiscard]] DigestRules digest_rules(Dialect family, unsigned version);

// DEBUG DIGEST hashes every hole of an array up to its highest index, and there may be 2^64 of them: servers
// then do not come back. We take so many in all.
class HoleBudget {
 public:
  // False, once and for all, if that is too much.
  [[nodiscard]] bool take(uint64_t holes);

 private:
  std::atomic<uint64_t> left_{uint64_t{1} << 28};
};

struct DigestKey {
  uint64_t db = 0;
  Bytes key;
  ValueType type{};
  int64_t expire_at_ms = kNoExpiry;
};

// The digest of one key after the other. Not thread-safe.
class KeyDigest {
 public:
  virtual ~KeyDigest() = default;

  // A key that was begun need not be finished.
  virtual void begin(const DigestKey& key) = 0;
  // The elements of its value, as decoders tell them. An array's must come by ascending index.
  virtual void add(const Element& told) = 0;
  // Of a string instead of its one element: a run of its bytes.
  virtual void add_run(Bytes run) = 0;
  // Of a vector set that is not in the form of a payload, instead of its one element.
  virtual void add_vector_set(const VectorSet& told) = 0;
  // What the key adds to the dataset.
  virtual Sha1Hash finish() = 0;

  // Why the digest of the key cannot be told, if it cannot; finish() must not be called then.
  [[nodiscard]] virtual std::optional<Bytes> obstacle() const { return std::nullopt; }
};

// `holes` outlives the object, and is shared by all that work on one dataset.
[[nodiscard]] std::unique_ptr<KeyDigest> server_digest(const DigestRules& rules, HoleBudget& holes);
[[nodiscard]] std::unique_ptr<KeyDigest> full_digest();
// The full digest by a faster hash: for comparing two that were made at one time, with one seed. Never shown.
[[nodiscard]] std::unique_ptr<KeyDigest> proof_digest(uint64_t seed = 0);

enum class DigestKind : uint8_t { server, full };

// What the keys of a dataset add up to.
class DatasetDigest {
 public:
  explicit DatasetDigest(DigestKind kind) : kind_(kind) {}

  void add(uint64_t db, const Sha1Hash& of_key);
  // A function library. The server's digest knows nothing of them.
  void add_library(Bytes code);
  // Keys of another digest of the same kind.
  void merge(const DatasetDigest& other);

  [[nodiscard]] Sha1Hash total() const;
  // Each db that has keys, ascending, as if it were the whole dataset.
  [[nodiscard]] std::vector<std::pair<uint64_t, Sha1Hash>> dbs() const;
  // Of the function libraries alone; absent if there are none.
  [[nodiscard]] std::optional<Sha1Hash> libraries() const;

 private:
  void combine(Sha1Hash& into, const Sha1Hash& with) const;

  DigestKind kind_;
  std::map<uint64_t, Sha1Hash> dbs_;
  std::optional<Sha1Hash> libraries_;
};

}  // namespace persist
