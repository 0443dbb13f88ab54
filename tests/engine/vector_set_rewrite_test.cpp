// Vector sets written as commands: run again, these make the same elements.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "aof/resp.hpp"
#include "base/endian.hpp"
#include "engine/vector_set_commands.hpp"
#include "support/bytes_builder.hpp"

using namespace persist;
using namespace persist::test;

namespace {

std::string rewritten(const VectorSet& set) {
  ByteBuffer bytes;
  CommandWriter out(bytes, *find_target("redis-8.0"));
  write_vector_set_commands(out, "v", set);
  return std::string(bytes.bytes());
}

// What the commands make.
VectorSet run_all(const std::string& commands) {
  VectorSet set;
  ArgumentList args;
  for (const char *at = commands.data(), *end = at + commands.size(); at != end;) {
    args.clear();
    const FramedCommand framed = parse_command(at, end, args);
    REQUIRE(framed.framing == Framing::whole);
    REQUIRE(args.size() > 2);
    CHECK(args.all()[0] == "VADD");
    CHECK(args.all()[1] == "v");
    const std::optional<VectorAddition> addition = parse_vector_addition(args.all().subspan(2));
    REQUIRE(addition.has_value());
    CHECK(set.add(*addition) == VectorOutcome::changed);
    at = framed.end;
  }
  return set;
}

void add_vector(VectorSet& set, std::vector<float> vector, Bytes name, Quantisation quantisation,
                uint32_t links = 16, std::optional<Bytes> attributes = std::nullopt) {
  VectorAddition addition;
  addition.vector = std::move(vector);
  addition.name = name;
  addition.quantisation = quantisation;
  addition.graph_links = links;
  addition.attributes = attributes;
  REQUIRE(set.add(addition) == VectorOutcome::changed);
}

// A number whose bits are all in use, from -1 to 1.
float fraction_at(Bytes dice, size_t index) {
  int32_t number = 0;
  for (size_t i = 0; i < 4; ++i)
    number = static_cast<int32_t>(static_cast<uint32_t>(number) << 8 |
                                  static_cast<uint8_t>(dice[(index * 4 + i) % dice.size()]));
  return static_cast<float>(number) / 2147483648.0F;
}

// What quantised components are multiplied with when somebody asks for the vector.
float size_of(const VectorElement& element) {
  return element.range > 0 ? element.range * element.length : element.length;
}

struct Comparison {
  size_t other_vectors = 0;  // whose quantised bytes differ
  float off_most = 0;        // of sizes, relative
};

Comparison compare(const VectorSet& given, const VectorSet& made) {
  Comparison found;
  REQUIRE(given.elements().size() == made.elements().size());
  for (const auto& [name, element] : given.elements()) {
    const auto at = made.elements().find(name);
    REQUIRE(at != made.elements().end());
    if (at->second.vector != element.vector) ++found.other_vectors;
    found.off_most = std::max(found.off_most, std::fabs(size_of(at->second) / size_of(element) - 1));
    CHECK(at->second.attributes == element.attributes);
  }
  return found;
}

constexpr size_t kElements = 100;

VectorSet random_vectors(size_t dimension, Quantisation quantisation) {
  VectorSet set;
  const std::string dice = noise(kElements * dimension * 4 + 1, static_cast<uint32_t>(dimension));
  for (size_t i = 0; i < kElements; ++i) {
    std::vector<float> vector;
    const float scale = std::pow(10.0F, static_cast<float>(i % 13) - 6);
    for (size_t j = 0; j < dimension; ++j) vector.push_back(scale * fraction_at(dice, i * dimension + j));
    add_vector(set, std::move(vector), std::to_string(i), quantisation);
  }
  return set;
}

}  // namespace

TEST_CASE("every argument stands where the server looks for it") {
  VectorSet set;
  add_vector(set, {3, 4}, "a", Quantisation::none, 5);
  add_vector(set, {0, 0}, "b", Quantisation::none, 5, "{\"x\":1}");
  const std::string three(float_bytes(std::vector<float>{3, 4}));
  const std::string nothing(8, '\0');
  CHECK(rewritten(set) == "*8\r\n$4\r\nVADD\r\n$1\r\nv\r\n$4\r\nFP32\r\n$8\r\n" + three +
                              "\r\n$1\r\na\r\n$7\r\nNOQUANT\r\n$1\r\nM\r\n$1\r\n5\r\n"
                              "*10\r\n$4\r\nVADD\r\n$1\r\nv\r\n$4\r\nFP32\r\n$8\r\n" +
                              nothing +
                              "\r\n$1\r\nb\r\n$7\r\nNOQUANT\r\n$7\r\nSETATTR\r\n$7\r\n{\"x\":1}\r\n"
                              "$1\r\nM\r\n$1\r\n5\r\n");
  CHECK(rewritten(VectorSet()).empty());
}

TEST_CASE("quantised vectors come out as they were") {
  for (const size_t dimension :
       {size_t{1}, size_t{2}, size_t{3}, size_t{4}, size_t{7}, size_t{33}, size_t{128}, size_t{769}}) {
    for (const Quantisation quantisation : {Quantisation::none, Quantisation::q8, Quantisation::bin}) {
      CAPTURE(dimension);
      CAPTURE(static_cast<int>(quantisation));
      const VectorSet given = random_vectors(dimension, quantisation);
      const VectorSet made = run_all(rewritten(given));
      CHECK(made.quantisation() == quantisation);
      CHECK(made.dimension() == dimension);
      const Comparison found = compare(given, made);
      CHECK(found.other_vectors == 0);
      if (quantisation == Quantisation::none) CHECK(found.off_most == 0);
      CHECK(found.off_most < 1e-5F);
    }
  }
}

// Scaling to length one and back by plain multiplication would miss some of them.
TEST_CASE("of floats that are not quantised every bit comes back") {
  VectorSet given = random_vectors(7, Quantisation::none);
  size_t missed = 0;
  for (const auto& [name, element] : given.elements()) {
    std::vector<float> product;
    for (size_t i = 0; i < 7; ++i) product.push_back(load_le<float>(&element.vector[4 * i]) * element.length);
    VectorSet set;
    add_vector(set, product, name, Quantisation::none);
    if (set.elements().begin()->second.vector != element.vector) ++missed;
  }
  CHECK(missed > 0);
  CHECK(vector_set_digest(run_all(rewritten(given))) == vector_set_digest(given));
}

TEST_CASE("vectors without a length, and such as are no numbers") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> odd[] = {{0, 0},           {-0.0F, 0},        {1e-30F, -1e-30F}, {1e-40F, 0},
                                    {1e-22F, 3e-22F}, {1.2e19F, -1e19F}, {1e30F, -1e30F},   {infinity, 1},
                                    {nan, 1},         {-1, 0},           {1e-45F, -1e-45F}};
  for (const Quantisation quantisation : {Quantisation::none, Quantisation::q8, Quantisation::bin}) {
    VectorSet given;
    for (size_t i = 0; i < std::size(odd); ++i) add_vector(given, odd[i], std::to_string(i), quantisation);
    const VectorSet made = run_all(rewritten(given));
    for (const auto& each : made.elements()) {
      CAPTURE(each.first);
      CAPTURE(static_cast<int>(quantisation));
      // Which nan it is, is up to the compiler.
      const bool is_nan = each.first == "7" || each.first == "8";
      if (!is_nan) CHECK(hex(each.second.vector) == hex(given.elements().find(each.first)->second.vector));
    }
  }
}

TEST_CASE("attributes, empty ones too, and what was reduced") {
  VectorSet given;
  VectorAddition addition;
  addition.vector = {1, 2, 3, 5};
  addition.reduced_dimension = 3;
  addition.graph_links = 64;
  for (const Bytes attributes : {Bytes("{}"), Bytes()}) {
    const std::string name = "n" + std::to_string(attributes.size());
    addition.name = name;
    addition.attributes = attributes;
    REQUIRE(given.add(addition) == VectorOutcome::changed);
  }
  const VectorSet made = run_all(rewritten(given));
  CHECK(made.projection().given_dimension() == 0);
  CHECK(made.dimension() == 3);
  CHECK(made.graph_links() == 64);
  CHECK(compare(given, made).other_vectors == 0);
  CHECK(vector_set_digest(made) == vector_set_digest(given));
}
