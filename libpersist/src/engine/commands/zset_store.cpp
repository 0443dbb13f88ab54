// The algebra of sorted sets: unions, intersections and differences, of sets too, whose members have score 1.
// Floating-point sums depend on the order of their terms: it is that of the servers, the smallest input
// first.
#include <algorithm>
#include <array>
#include <vector>

#include "engine/commands/table.hpp"
#include "engine/commands/zset_range.hpp"

namespace persist {

namespace {

enum class Aggregate : uint8_t { sum, min, max, count };

struct Input {
  SortedSet* zset = nullptr;
  Set* set = nullptr;
  double weight = 1;

  [[nodiscard]] size_t size() const {
    if (zset != nullptr) return zset->size();
    return set != nullptr ? set->size() : 0;
  }
  [[nodiscard]] std::optional<double> score(Bytes member) const {
    if (zset != nullptr) return zset->score(member);
    if (set != nullptr && set->contains(member)) return 1;
    return std::nullopt;
  }
  [[nodiscard]] bool is_same_as(const Input& other) const { return zset == other.zset && set == other.set; }

  template <typename Do>
  void for_each(Do&& act) const {
    if (zset != nullptr) zset->for_each(act);
    if (set != nullptr) set->for_each([&](Bytes member) { act(member, 1.0); });
  }
};

struct Algebra {
  std::vector<Input> inputs;  // as given
  Aggregate aggregate = Aggregate::sum;
  bool with_scores = false;
};

void combine(double& score, double with, Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::sum:
    case Aggregate::count:
      score += with;
      if (score != score) score = 0;  // infinity and its negative
      return;
    case Aggregate::min:
      score = std::min(score, with);
      return;
    case Aggregate::max:
      score = std::max(score, with);
      return;
  }
}

double weighed(const Input& input, double score, Aggregate aggregate) {
  if (aggregate == Aggregate::count) return input.weight;
  return input.weight * score;
}

double weighed_number(const Input& input, double score, Aggregate aggregate) {
  const double product = weighed(input, score, aggregate);
  return product == product ? product : 0;  // infinity times zero
}

// --- Words

constexpr struct {
  Bytes command;
  const char* error;
} kNoInputs[] = {
    {"zunionstore", "ERR at least 1 input key is needed for 'zunionstore' command"},
    {"zinterstore", "ERR at least 1 input key is needed for 'zinterstore' command"},
    {"zdiffstore", "ERR at least 1 input key is needed for 'zdiffstore' command"},
    {"zunion", "ERR at least 1 input key is needed for 'zunion' command"},
    {"zinter", "ERR at least 1 input key is needed for 'zinter' command"},
    {"zdiff", "ERR at least 1 input key is needed for 'zdiff' command"},
    {"zintercard", "ERR at least 1 input key is needed for 'zintercard' command"},
};

const char* no_inputs(Bytes command) {
  return std::ranges::find_if(kNoInputs, [&](const auto& row) { return is_word(command, row.command); })
      ->error;
}

// numkeys key... at args[at]. Null: fine, else the error.
const char* read_inputs(Call& call, size_t at, Algebra& algebra, size_t& next) {
  const std::optional<int64_t> count = integer_argument(call, call.args[at]);
  if (!count) return kNotInteger;
  if (*count < 1) return no_inputs(call.args[0]);
  if (static_cast<uint64_t>(*count) > call.args.size() - at - 1) return kSyntax;
  for (const Bytes key : call.args.subspan(at + 1, static_cast<size_t>(*count))) {
    Input input;
    if (KeyEntry* entry = call.find(key)) {
      input.zset = entry->as<SortedSet>(call.pool());
      input.set = entry->as<Set>(call.pool());
      if (input.zset == nullptr && input.set == nullptr) return kWrongType;
    }
    algebra.inputs.push_back(input);
  }
  next = at + 1 + algebra.inputs.size();
  return nullptr;
}

std::optional<Aggregate> parse_aggregate(Bytes word) {
  if (is_word(word, "sum")) return Aggregate::sum;
  if (is_word(word, "min")) return Aggregate::min;
  if (is_word(word, "max")) return Aggregate::max;
  if (is_word(word, "count")) return Aggregate::count;
  return std::nullopt;
}

const char* read_algebra_options(Call& call, size_t at, bool weighs, bool has_scores, Algebra& algebra) {
  for (; at < call.args.size(); ++at) {
    const Bytes word = call.args[at];
    const size_t left = call.args.size() - at - 1;
    if (weighs && is_word(word, "weights") && left >= algebra.inputs.size()) {
      for (Input& input : algebra.inputs) {
        const std::optional<double> weight = parse_server_double(call.args[++at]);
        if (!weight) return "ERR weight value is not a float";
        input.weight = *weight;
      }
    } else if (weighs && is_word(word, "aggregate") && left >= 1) {
      const std::optional<Aggregate> aggregate = parse_aggregate(call.args[++at]);
      if (!aggregate) return kSyntax;
      algebra.aggregate = *aggregate;
    } else if (has_scores && is_word(word, "withscores")) {
      algebra.with_scores = true;
    } else {
      return kSyntax;
    }
  }
  return nullptr;
}

// --- Results

void unite_scores(const Algebra& algebra, SortedSet& result) {
  std::vector<Input> inputs = algebra.inputs;
  std::ranges::stable_sort(inputs, {}, &Input::size);
  for (const Input& input : inputs) {
    input.for_each([&](Bytes member, double held) {
      double score = weighed_number(input, held, algebra.aggregate);
      if (const std::optional<double> before = result.score(member)) {
        double both = *before;
        combine(both, score, algebra.aggregate);
        score = both;
      }
      result.set(member, score);
    });
  }
}

void intersect_scores(const Algebra& algebra, SortedSet& result) {
  std::vector<Input> inputs = algebra.inputs;
  std::ranges::stable_sort(inputs, {}, &Input::size);
  const Input& smallest = inputs.front();
  smallest.for_each([&](Bytes member, double held) {
    double score = weighed_number(smallest, held, algebra.aggregate);
    for (size_t i = 1; i < inputs.size(); ++i) {
      const std::optional<double> other =
          inputs[i].is_same_as(smallest) ? std::optional(held) : inputs[i].score(member);
      if (!other) return;
      combine(score, weighed(inputs[i], *other, algebra.aggregate), algebra.aggregate);
    }
    result.set(member, score);
  });
}

void subtract_scores(const Algebra& algebra, SortedSet& result) {
  algebra.inputs.front().for_each([&](Bytes member, double score) {
    for (size_t i = 1; i < algebra.inputs.size(); ++i)
      if (algebra.inputs[i].score(member)) return;
    result.set(member, score);
  });
}

using Work = void (*)(const Algebra&, SortedSet&);

// --- Commands

template <Work work>
inline constexpr bool kWeighs = work != subtract_scores;

template <Work work>
Effect store_scores(Call& call) {
  Algebra algebra;
  size_t next = 0;
  if (const char* error = read_inputs(call, 2, algebra, next)) return call.fail(error);
  if (const char* error = read_algebra_options(call, next, kWeighs<work>, false, algebra))
    return call.fail(error);
  ZsetResult result(call);
  work(algebra, result.value);
  return result.store(call.args[1]);
}

template <Work work>
Effect answer(Call& call) {
  Algebra algebra;
  size_t next = 0;
  if (const char* error = read_inputs(call, 1, algebra, next)) return call.fail(error);
  if (const char* error = read_algebra_options(call, next, kWeighs<work>, true, algebra))
    return call.fail(error);
  ZsetResult result(call);
  work(algebra, result.value);
  answer_members(call, result.value, {0, result.value.size()}, false, algebra.with_scores);
  return Effect::unchanged;
}

// ZINTERCARD numkeys key... [LIMIT n]
Effect zintercard(Call& call) {
  Algebra algebra;
  size_t next = 0;
  if (const char* error = read_inputs(call, 1, algebra, next)) return call.fail(error);
  uint64_t limit = 0;
  for (; next < call.args.size(); next += 2) {
    if (!is_word(call.args[next], "limit") || next + 1 == call.args.size()) return call.fail(kSyntax);
    const std::optional<int64_t> given = integer_argument(call, call.args[next + 1]);
    if (!given || *given < 0) return call.fail("ERR LIMIT can't be negative");
    limit = static_cast<uint64_t>(*given);
  }
  ZsetResult result(call);
  intersect_scores(algebra, result.value);
  const uint64_t size = result.value.size();
  call.answer(static_cast<int64_t>(limit == 0 ? size : std::min(size, limit)));
  return Effect::unchanged;
}

constexpr std::array kZsetStoreHandlers = {
    CommandHandler{"zunionstore", store_scores<unite_scores>},
    CommandHandler{"zinterstore", store_scores<intersect_scores>},
    CommandHandler{"zdiffstore", store_scores<subtract_scores>},
    CommandHandler{"zunion", answer<unite_scores>},
    CommandHandler{"zinter", answer<intersect_scores>},
    CommandHandler{"zdiff", answer<subtract_scores>},
    CommandHandler{"zintercard", zintercard},
};

}  // namespace

std::span<const CommandHandler> zset_store_commands() { return kZsetStoreHandlers; }

}  // namespace persist
