// What the model of memory says of each key, against what a real redis-server answers of it; and of all of
// them, against what the server's memory grows by when it loads them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/memory_model.hpp"
#include "persist/source.hpp"
#include "server/live_server.hpp"

namespace persist::test {

namespace {

// Fills one class: its keys begin with the name and a colon. k(i, n) is such a key, of n bytes if it can be;
// v(n, i) a value of n bytes that does not repeat itself.
struct MemoryClass {
  const char* name;
  const char* script;
};

constexpr const char* kMemoryPrelude = R"lua(
local class = ARGV[1]
local function k(i, n)
  local key = class .. ':' .. i
  if n and n > #key then key = key .. string.rep('k', n - #key) end
  return key
end
local function v(n, i)
  local seed, parts = (i or 0) * 2654435761 + n, {}
  for j = 1, math.ceil(n / 8) do
    seed = (seed * 1103515245 + 12345) % 2147483648
    parts[j] = string.format('%08x', seed)
  end
  return string.sub('x' .. table.concat(parts), 1, n)
end
)lua";

constexpr MemoryClass kMemoryClasses[] = {
    {"string-int", R"(for i = 1, 8000 do redis.call('SET', k(i), i * 7) end
                      redis.call('SET', k('low'), '-9223372036854775808'))"},
    {"string-embedded", "for i = 1, 20000 do redis.call('SET', k(i), v(i % 45, i)) end"},
    {"string-raw", "for i = 1, 16000 do redis.call('SET', k(i), v(45 + i % 500, i)) end"},
    {"string-repeated", "for i = 1, 500 do redis.call('SET', k(i), string.rep('r', i)) end"},
    {"string-large", R"(for i = 0, 40 do redis.call('SET', k(i), v(math.floor(1000 * 1.19 ^ i), i)) end)"},
    {"long-key", "for i = 1, 2000 do redis.call('SET', k(i, i % 300), v(i % 60, i)) end"},
    {"volatile", "for i = 1, 6000 do redis.call('SET', k(i, i % 60), v(i % 60, i), 'EX', 100000) end"},
    {"list-node", R"(for i = 1, 1500 do
                       for j = 1, 1 + i % 40 do redis.call('RPUSH', k(i), v(1 + (i + j) % 70, j)) end
                     end)"},
    {"list-nodes", R"(for i = 1, 12 do
                        for j = 1, 300 * i do
                          redis.call('RPUSH', k(i), i % 2 == 0 and j * i or v(i * 9, j))
                        end
                      end)"},
    {"list-large-items",
     "for i = 1, 12 do for j = 1, 6 do redis.call('RPUSH', k(i), v(i * 1500, j)) end end"},
    {"set-integers", R"(for i = 1, 512 do
                          for j = 1, i, 1 + i / 50 do
                            redis.call('SADD', k(i), string.format('%.0f', j * 10 ^ (i % 4 * 4)))
                          end
                        end)"},
    {"set-mixed", R"(for i = 5, 340, 5 do
                       for j = 1, i do redis.call('SADD', k(i), string.format('%.0f', 10 ^ 17 + j * 16)) end
                       for j = 1, i / 2 do redis.call('SADD', k(i), v(60, j)) end
                     end)"},
    {"set-table", R"(for _, n in ipairs{1, 3, 9, 40, 128, 129, 400, 513, 3000, 4096, 4097, 50000} do
                       for j = 1, n do redis.call('SADD', k(n), v(4 + j % 45, j)) end
                     end
                     for j = 1, 1000 do redis.call('SADD', k('integers'), j) end)"},
    {"hash-packed", R"(for i = 1, 2000 do
                         for j = 1, 1 + i % 20 do
                           redis.call('HSET', k(i), 'f' .. j, j % 3 == 0 and j * i or v(i % 65, j))
                         end
                       end)"},
    {"hash-table", R"(for _, n in ipairs{1, 5, 16, 17, 100, 600, 513, 5000, 20000} do
                        for j = 1, n do redis.call('HSET', k(n), 'field' .. j, v(66 + j % 200, j)) end
                      end)"},
    {"hash-one-large", R"(for i = 2, 400 do
                            for j = 1, i do
                              redis.call('HSET', k(i), 'f' .. j, v(j == 1 and 65 + i or 40, j))
                            end
                          end)"},
    {"zset-packed", R"(for i = 1, 1000 do
                         for j = 1, 1 + i % 30 do
                           redis.call('ZADD', k(i), j % 2 == 0 and j * i or j / 7, v(i % 60, j))
                         end
                       end)"},
    {"zset-skiplist", R"(for _, n in ipairs{129, 200, 500, 2000, 20000} do
                           for j = 1, n do redis.call('ZADD', k(n), j / 3, v(4 + j % 40, j)) end
                         end)"},
    {"stream", R"(for _, n in ipairs{1, 2, 50, 100, 101, 1000, 5000, 50000} do
                    for j = 1, n do
                      redis.call('XADD', k(n), (1700000000000 + j * 37) .. '-' .. j % 3,
                                 'f', v(j % 50, j), j % 10 == 0 and 'other' or 'g', j)
                    end
                  end)"},
    {"stream-groups", R"(for i = 1, 40 do
                           for j = 1, 20 * i do
                             redis.call('XADD', k(i), (1700000000000 + j * 997) .. '-0', 'f', v(20, j))
                           end
                           for g = 1, 1 + i % 3 do
                             local group = 'group' .. g
                             redis.call('XGROUP', 'CREATE', k(i), group, '0')
                             for c = 1, g do
                               redis.call('XREADGROUP', 'GROUP', group, 'consumer' .. c, 'COUNT', 3 * i,
                                          'STREAMS', k(i), '>')
                             end
                           end
                         end)"},
};

struct KeyMemory {
  Footprint estimate;
  uint64_t answer = 0;
};
using MemoryByKey = std::map<std::string, KeyMemory>;

struct MemoryOfFile {
  MemoryByKey keys;
  uint64_t allocated = 0;  // keys and tables
};

MemoryOfFile estimate_file(const std::string& path) {
  const auto source = open_source(path);
  FindingList findings;
  RdbReader reader(*source, findings);
  MemoryModel model(*find_target("redis-7.0"), Allocator::jemalloc_system);
  MemoryOfFile found;
  uint64_t volatile_keys = 0;
  while (const RdbRecord* record = reader.next()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr) continue;
    model.begin(*entry);
    reader.visit([&model](const Element& told) { model.add(told); });
    const Footprint footprint = model.end();
    found.keys[std::string(entry->key)].estimate = footprint;
    found.allocated += footprint.allocated;
    if (entry->expire_at_ms != kNoExpiry) ++volatile_keys;
  }
  found.allocated += model.tables(found.keys.size(), volatile_keys);
  return found;
}

void ask_usage(Client& client, MemoryByKey& keys) {
  std::string requests;
  for (const auto& [key, memory] : keys) {
    requests += "*5\r\n$6\r\nMEMORY\r\n$5\r\nUSAGE\r\n$" + std::to_string(key.size()) + "\r\n" + key +
                "\r\n$7\r\nSAMPLES\r\n$1\r\n0\r\n";
    constexpr size_t kBatch = 1 << 14;
    if (requests.size() < kBatch && key != keys.rbegin()->first) continue;
    client.send(requests);
    requests.clear();
  }
  for (auto& [key, memory] : keys) memory.answer = std::stoull(client.read_line().substr(1));
}

uint64_t used_memory(Client& client) {
  const std::string text = client.call({"INFO", "memory"}).text;
  constexpr std::string_view kName = "\nused_memory:";
  return std::stoull(text.substr(text.find(kName) + kName.size()));
}

struct ClassErrors {
  std::vector<double> percents;
  std::string worst_key;
  double worst = -1;
};

std::map<std::string, ClassErrors> errors_by_class(const MemoryByKey& keys) {
  std::map<std::string, ClassErrors> classes;
  for (const auto& [key, memory] : keys) {
    const double truth = static_cast<double>(memory.answer);
    const double percent = 100 * std::abs(static_cast<double>(memory.estimate.reported) - truth) / truth;
    ClassErrors& errors = classes[key.substr(0, key.find(':'))];
    errors.percents.push_back(percent);
    if (percent <= errors.worst) continue;
    errors.worst = percent;
    errors.worst_key = key.substr(0, 40) + ": " + std::to_string(memory.estimate.reported) + " for " +
                       std::to_string(memory.answer);
  }
  for (auto& [name, errors] : classes) std::sort(errors.percents.begin(), errors.percents.end());
  return classes;
}

void fill_all_classes(Client& client) {
  for (const MemoryClass& filled : kMemoryClasses)
    client.call({"EVAL", kMemoryPrelude + std::string(filled.script), "0", filled.name});
}

}  // namespace

TEST_CASE("a server says of each key what the model of memory says") {
  constexpr double kMedianMax = 3;
  constexpr double kWorstMax = 10;
  constexpr double kUsedMax = 3;
  const LiveServer writing({});
  {
    Client client(writing.port());
    fill_all_classes(client);
    client.call({"SAVE"});
  }
  const LiveServer server({});
  Client client(server.port());
  used_memory(client);
  const uint64_t before = used_memory(client);
  std::filesystem::copy_file(writing.rdb(), server.rdb());
  client.call({"DEBUG", "RELOAD", "NOSAVE"});
  const uint64_t grown = used_memory(client) - before;

  MemoryOfFile found = estimate_file(server.rdb());
  REQUIRE(found.keys.size() >= 50'000);
  ask_usage(client, found.keys);
  const auto classes = errors_by_class(found.keys);
  REQUIRE(classes.size() == std::size(kMemoryClasses));
  for (const auto& of_class : classes) {
    const ClassErrors& errors = of_class.second;
    const double median = errors.percents[errors.percents.size() / 2];
    INFO(of_class.first << ": median " << median << " %, worst " << errors.worst << " % of "
                        << errors.worst_key);
    CHECK(median < kMedianMax);
    CHECK(errors.worst < kWorstMax);
  }
  // The rest, 10 to 25 KB whatever is loaded, is what the server keeps for the connection.
  const double off = static_cast<double>(found.allocated) / static_cast<double>(grown) * 100 - 100;
  INFO("used_memory grew by " << grown << ", the model says " << found.allocated);
  CHECK(std::abs(off) < kUsedMax);
}

}  // namespace persist::test
