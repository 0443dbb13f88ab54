// Arrays: the commands' rules, against a map of every element, and at the ends of what an index can be.
#include "engine/array_value.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "support/violations.hpp"

using namespace persist;
using namespace persist::test;
using namespace std::string_literals;

namespace {

struct Model {
  std::map<uint64_t, std::string> elements;
  std::optional<uint64_t> cursor;

  [[nodiscard]] uint64_t length() const { return elements.empty() ? 0 : elements.rbegin()->first + 1; }

  void insert(const std::vector<Bytes>& values) {
    for (const Bytes value : values) {
      cursor = cursor ? *cursor + 1 : 0;
      elements[*cursor] = value;
    }
  }

  void ring(uint64_t size, const std::vector<Bytes>& values) {
    const uint64_t long_before = length();
    if (size < long_before || (size > long_before && cursor && *cursor + 1 < long_before)) {
      std::vector<std::string> kept;
      for (uint64_t at = cursor.value_or(long_before - 1) % long_before;
           kept.size() < std::min(size, long_before) && elements.count(at) > 0;
           at = (at + long_before - 1) % long_before)
        kept.insert(kept.begin(), elements[at]);
      elements.clear();
      cursor.reset();
      const std::vector<Bytes> again(kept.begin(), kept.end());
      insert(again);
    }
    for (const Bytes value : values) {
      cursor = (cursor ? *cursor + 1 : 0) % size;
      elements[*cursor] = value;
    }
  }
};

Model told_by(const ArrayValue& array) {
  Model told;
  array.tell([&](const Element& element) {
    if (const auto* info = std::get_if<ArrayInfo>(&element)) told.cursor = info->insert_index;
    if (const auto* item = std::get_if<ArrayElement>(&element)) {
      CHECK(item->index >= told.length());  // ascending
      told.elements[item->index] = item->value;
    }
  });
  return told;
}

// "0:a 1:b cursor 1"
std::string text_of(const ArrayValue& array) {
  const Model told = told_by(array);
  std::string text;
  for (const auto& [index, value] : told.elements) text += std::to_string(index) + ":" + value + " ";
  return text + "cursor " + (told.cursor ? std::to_string(*told.cursor) : "none");
}

// As strings, one letter each.
std::vector<Bytes> letters(Bytes text) {
  std::vector<Bytes> values;
  for (size_t i = 0; i < text.size(); ++i) values.push_back(text.substr(i, 1));
  return values;
}

}  // namespace

TEST_CASE("indexes have a grammar of their own") {
  const struct {
    std::string text;
    std::optional<uint64_t> index;
  } kRows[] = {{"0", 0},
               {"17", 17},
               {"+7", 7},
               {"007", 7},
               {" 5", 5},
               {"-0", 0},
               {"5\0x"s, 5},
               {"-18446744073709551615", 1},
               {"18446744073709551614", kArrayIndexMax},
               {"-5", {}},
               {"5 ", {}},
               {"0x5", {}},
               {"", {}},
               {" ", {}},
               {"\0"s, {}},
               {"+", {}},
               {"18446744073709551616", {}}};
  for (const auto& row : kRows) {
    CAPTURE(row.text);
    CHECK(parse_array_index(row.text) == row.index);
    CHECK(parse_array_seek(row.text) == row.index);
  }
  CHECK_FALSE(parse_array_index("18446744073709551615"));
  CHECK(parse_array_seek("18446744073709551615") == kArrayIndexMax + 1);
}

TEST_CASE("a ring keeps the newest") {
  ArrayValue ring;
  ring.ring(3, letters("ab"));
  ring.ring(3, letters("cd"));
  CHECK(text_of(ring) == "0:d 1:b 2:c cursor 0");
  ring.ring(5, letters("e"));
  CHECK(text_of(ring) == "0:b 1:c 2:d 3:e cursor 3");
  ring.ring(2, letters("f"));
  CHECK(text_of(ring) == "0:f 1:e cursor 0");
}

TEST_CASE("a ring out of an array with holes") {
  ArrayValue array;
  REQUIRE(array.set_run(3, letters("ab")));
  array.set(100, "x");
  array.set(7, "y");
  REQUIRE(array.insert(letters("ij")));
  // Backwards from the cursor: j, i, and around the corner x, behind which there is a hole.
  array.ring(5, letters("r"));
  CHECK(text_of(array) == "0:x 1:i 2:j 3:r cursor 3");
  array.seek(9);
  REQUIRE(array.insert(letters("j")));
  CHECK(array.erase(3));
  CHECK(text_of(array) == "0:x 1:i 2:j 9:j cursor 9");
  // The cursor stands on a hole: nothing is kept.
  array.seek(5);
  array.ring(4, letters("z"));
  CHECK(text_of(array) == "0:z cursor 0");
}

TEST_CASE("nothing is written beyond the last index") {
  ArrayValue array;
  CHECK(array.set_run(kArrayIndexMax, letters("a")));
  CHECK_FALSE(array.set_run(kArrayIndexMax, letters("bc")));
  CHECK_FALSE(array.set_run(kArrayIndexMax + 1, letters("b")));
  CHECK(array.length() == kArrayIndexMax + 1);
  array.seek(kArrayIndexMax + 1);
  CHECK_FALSE(array.insert(letters("b")));
  CHECK(text_of(array) == "18446744073709551614:a cursor 18446744073709551614");
  array.seek(kArrayIndexMax);
  CHECK(array.insert(letters("b")));
  CHECK(array.cursor() == kArrayIndexMax);
  // Sizes are only numbers.
  array.ring(kArrayIndexMax + 1, letters("c"));
  CHECK(text_of(array) == "0:c 18446744073709551614:b cursor 0");
  array.ring(2, letters("d"));
  CHECK(text_of(array) == "0:d 1:c cursor 0");
  array.seek(0);
  CHECK_FALSE(array.cursor());
  CHECK(array.erase_range(kArrayIndexMax, 0) == 2);
  CHECK(array.empty());
  CHECK(array.length() == 0);
}

TEST_CASE("an array does what a map of its elements would") {
  std::mt19937_64 random(4);
  Violations violations;
  for (int round = 0; round < 60; ++round) {
    ArrayValue array;
    Model model;
    const uint64_t span = uint64_t{1} << (1 + random() % 12);
    const uint64_t base = round % 3 == 0 ? kArrayIndexMax - span - 4 : 0;
    for (int step = 0; step < 120; ++step) {
      const std::string text = std::to_string(step);
      const std::vector<Bytes> values(1 + random() % 3, text);
      const uint64_t at = base + random() % span;
      const uint64_t other = base + random() % span;
      switch (random() % 8) {
        case 0:
        case 1:
          violations.expect(array.set_run(at, values), "has room", text);
          for (uint64_t i = 0; i < values.size(); ++i) model.elements[at + i] = text;
          break;
        case 2:
          violations.expect(array.erase(at) == (model.elements.erase(at) > 0), "erases", text);
          break;
        case 3: {
          const auto from = model.elements.lower_bound(std::min(at, other));
          const auto to = model.elements.upper_bound(std::max(at, other));
          const auto count = static_cast<uint64_t>(std::distance(from, to));
          model.elements.erase(from, to);
          violations.expect(array.erase_range(at, other) == count, "erases a range", text);
          break;
        }
        case 4:
          if (random() % 2 == 0) {
            array.seek(at);
            model.cursor.reset();
            if (at > 0) model.cursor = at - 1;
          }
          break;
        case 5:
          if (random() % 4 == 0 && base == 0) {
            array.ring(1 + at, values);
            model.ring(1 + at, values);
          }
          break;
        default:
          if (model.cursor.value_or(0) > kArrayIndexMax - 4) break;
          violations.expect(array.insert(values), "inserts", text);
          model.insert(values);
          break;
      }
      const auto found = model.elements.find(other);
      const std::string* value = array.find(other);
      violations.expect((value != nullptr) == (found != model.elements.end()), "finds", text);
      violations.expect(value == nullptr || found == model.elements.end() || *value == found->second, "gets",
                        text);
      violations.expect(array.size() == model.elements.size(), "size", text);
      violations.expect(array.length() == model.length(), "length", text);
    }
    const Model told = told_by(array);
    violations.expect(told.elements == model.elements, "elements", std::to_string(round));
    violations.expect(told.cursor == model.cursor, "cursor", std::to_string(round));
    ArrayValue again;
    array.tell([&again](const Element& element) {
      if (const auto* info = std::get_if<ArrayInfo>(&element)) again.add(*info);
      if (const auto* item = std::get_if<ArrayElement>(&element)) again.add(*item);
    });
    violations.expect(text_of(again) == text_of(array), "told again", std::to_string(round));
  }
  violations.report();
}
