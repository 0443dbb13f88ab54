// By what a dataset is divided, in words.
#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "base/decimal.hpp"
#include "ops/slot_map.hpp"
#include "ops/split_names.hpp"
#include "persist/split.hpp"

namespace persist {

namespace {

constexpr Bytes kSlotsWord = "slots:";
constexpr Bytes kPrefixWord = "prefix";

SplitRule rule_of_ranges(const std::vector<SlotRange>& ranges) {
  SplitRule rule;
  for (const SlotRange& range : ranges) {
    SplitFile& file = rule.files.emplace_back();
    file.slots = {range};
    file.name = split_file_name(file);
  }
  return rule;
}

SplitRule rule_of_prefixes(Bytes separator) {
  if (separator.empty()) throw std::invalid_argument("prefix: expected a separator behind the colon");
  SplitRule rule;
  rule.by = SplitRule::By::prefix;
  rule.separator = separator;
  return rule;
}

SplitRule rule_of_nodes(const std::string& path) {
  SplitRule rule;
  SlotMap owners;
  std::set<std::string> names;
  for (const ClusterNode& node : read_nodes_conf(path)) {
    if (!node.is_master || node.slots.empty()) continue;
    for (const SlotRange& range : node.slots) {
      if (const auto clashes = owners.assign(range, rule.files.size()); !clashes.empty())
        throw std::invalid_argument(path + ": slot " + std::to_string(clashes.front().slots.first) +
                                    " stands there twice");
    }
    SplitFile& file = rule.files.emplace_back();
    file.content = SplitContent::node;
    file.slots = node.slots;
    file.node = node.id;
    file.address = node.host + ":" + node.port;
    file.name = split_file_name(file);
    if (!names.insert(file.name).second)
      throw std::invalid_argument(path + ": two nodes that begin with " + node.id.substr(0, 8) + " at " +
                                  file.address);
  }
  if (rule.files.empty()) throw std::invalid_argument(path + ": no node in it owns slots");
  return rule;
}

}  // namespace

SplitRule parse_split_rule(const std::string& text) {
  if (text == "db") {
    SplitRule rule;
    rule.by = SplitRule::By::db;
    return rule;
  }
  if (text == kPrefixWord) return rule_of_prefixes(SplitRule{}.separator);
  if (text.starts_with(kPrefixWord) && text[kPrefixWord.size()] == ':')
    return rule_of_prefixes(Bytes(text).substr(kPrefixWord.size() + 1));
  if (text.starts_with(kSlotsWord))
    return rule_of_ranges(parse_slot_ranges(Bytes(text).substr(kSlotsWord.size())));
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) {
    const std::optional<unsigned> count = parse_decimal<unsigned>(text);
    if (!count || *count == 0 || *count > kClusterSlots)
      throw std::invalid_argument(text + ": expected 1 to 16384 ranges");
    return rule_of_ranges(equal_slot_ranges(*count));
  }
  std::error_code unknown;
  if (!std::filesystem::exists(text, unknown)) {
    throw std::invalid_argument(text +
                                ": expected slots:A-B,..., a number of ranges, db, prefix, prefix:SEP, or a "
                                "nodes.conf that is there");
  }
  return rule_of_nodes(text);
}

}  // namespace persist
