// Vector sets: commands and payloads of a real server (Redis 8.4.0) against the digests it gave, the edges of
// the arithmetic, and payloads of our own, which have to be such as servers load.
#include "engine/vector_set.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "engine/digest_steps.hpp"
#include "engine/vector_graph.hpp"
#include "support/bytes_builder.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct RealSet {
  const char* payload;                // hexadecimal
  const char* digest;                 // DEBUG DIGEST-VALUE
  std::vector<const char*> commands;  // without the key; | stands between the arguments
};

// NOQUANT
const RealSet kPlain{
    "02060205025000020005084e4f5155414e54340518333bb7bee7359e3eeda425bf26ac01bde8c6093f5ca584be020a020502"
    "800100000002040220020302040201020202813fd630240000000302803fb4bad205084e4f5155414e54330518424824bf13"
    "7c063dc870ce3efb4302bf529468bea4e2acbe020e020402800100000102040220020102030202020502813fba3a3c000000"
    "0202010210020302813f9bcc9b0000000002803fc6d2c505084e4f5155414e54320518a9dcb7be269d273fc748d8be8116c3"
    "3e76973bbd06daae3e020e020302800100000102040220020202010204020502813fc738d10000000102010210020402813f"
    "9bcc9b0000000002803fb178de05084e4f5155414e54310518143eea3e5a4351be2880183fd022d93eaafa003e9e05e43e02"
    "0a020202800100000002040220020102030204020502813fd630240000000302810d37240a3f86da6c05084e4f5155414e54"
    "300518fceacb3e50ae52be5361143f6bf7c53e3e03f8bd8ef70bbf020a020102800100000002040220020202030204020502"
    "813fc738d10000000102813f403a3d3f72426a00",
    "64dc1f1866303a7cf2dd103c8dd09b32278b06ba",
    {"VADD|VALUES|6|0.3769|-0.1947|0.5485|0.3659|-0.1146|-0.5174|NOQUANT0|NOQUANT",
     "VADD|VALUES|6|0.4820|-0.2153|0.6276|0.4468|0.1327|0.4692|NOQUANT1|NOQUANT",
     "VADD|VALUES|6|-0.4979|0.9078|-0.5857|0.5283|-0.0635|0.4735|NOQUANT2|NOQUANT",
     "VADD|VALUES|6|-0.9968|0.0510|0.6263|-0.7904|-0.3528|-0.5245|NOQUANT3|NOQUANT",
     "VADD|VALUES|6|-0.5053|0.4363|-0.9136|-0.0447|0.7599|-0.3658|NOQUANT4|NOQUANT"}};

// Q8, after a VREM and a VSETATTR
const RealSet kQ8{
    "0204020b02500102020503653131050005047f8c4a7a0210020c028001000000020a02200203020b0201020802050202020a"
    "02090204020702813fa292a40000000902813f1169303f10cef30503653130050005047fb9ef000210020b02800100000002"
    "0a022002050208020302020201020a020902070204020c02813fda2bcf0000000802813f5e2a0c3f5f7bd005026539050005"
    "0482814ef70216020a028001000001020a022002070203020902080205020402020201020b020c02813fce2b710000000702"
    "03021002070203020902813f56396e0000000202813f26b2fe3fb738fa050265380500050499df816b021502090280010000"
    "01020a02200202020402010208020302070205020a020b020c02813fc0a08000000006020202100203020a02813fa3dde800"
    "00000002813f243f2b3f9d72f9050265370500050467812d1f02100208028001000000020a02200205020302020201020702"
    "040209020a020b020c02813fcb0b540000000502813f3cb1d93f91e377050265360500050494f37fbe021502070280010000"
    "01020a02200204020302050201020202080209020a020b020c02813fefa2d600000004020202100203020a02813f82a1db00"
    "00000002813f34c2e03f9746be05026534050005047f933cfa02100205028001000000020a02200203020202010204020702"
    "080209020a020b020c02813fcedb5c0000000302813f371a303f92238805026533051e7b2279656172223a20313939392c20"
    "2277686f223a2022706561726c227d0504c27f375302100204028001000000020a0220020102020203020502070208020902"
    "0a020b020c02813fda2bcf0000000802813f3c06893f9524d405026532050005046181634402160203028001000001020a02"
    "200202020102040205020702080209020a020b020c02813fa8e67c000000020203021002070209020a02813fa3dde8000000"
    "0102813f2281643fa22e5a05026531050005042012817002100202028001000000020a022002010203020402050207020802"
    "09020a020b020c02813fefa2d60000000402813f3b6d513f939c0d05026530050005042040a17f0210020102800100000002"
    "0a02200202020302040205020702080209020a020b020c02813fe539150000000402813f3af4ba3f0c378c00",
    "591e1783a1cd646e15f8d4efe703c7353af7626f",
    {"VADD|VALUES|4|0.1|0.2|-0.3|0.4|e0", "VADD|VALUES|4|0.2099|0.1217|-0.8443|0.7471|e1",
     "VADD|VALUES|4|0.6116|-0.8043|0.6299|0.4332|e2", "VADD|VALUES|4|-0.4201|0.8558|0.3710|0.5578|e3",
     "VADD|VALUES|4|0.8166|-0.6984|0.3841|-0.0370|e4", "VADD|VALUES|4|0.5355|0.5539|-0.9541|-0.3326|e5",
     "VADD|VALUES|4|-0.7093|-0.0872|0.8345|-0.4355|e6", "VADD|VALUES|4|0.6789|-0.8401|0.2985|0.2080|e7",
     "VADD|VALUES|4|-0.6370|-0.2026|-0.7892|0.6659|e8", "VADD|VALUES|4|-0.9229|-0.9321|0.5695|-0.0640|e9",
     "VADD|VALUES|4|0.7576|-0.4211|-0.1040|0.0006|e10", "VADD|VALUES|4|0.3213|-0.2945|0.1868|0.3084|e11",
     "VSETATTR|e3|{\"year\": 1999, \"who\": \"pearl\"}", "VREM|e5"}};

// BIN
const RealSet kBin{
    "020602050250020200050442494e3405080900000000000000020a020502800100000002040220020402020203020102813f"
    "aaaaab00000002028167404e303fc869de050442494e3305080400000000000000020a020402800100000002040220020102"
    "030202020502814000000000000002028167404b403f8d9cac050442494e3205083a00000000000000020e02030280010000"
    "0102040220020202010204020502813fd555550000000202010210020102813faaaaab0000000002803fe1ab12050442494e"
    "3105083b00000000000000020a02020280010000000204022002010203020402050281400000000000000202810d37240a3f"
    "b29fc8050442494e3005082400000000000000020e020102800100000102040220020202030204020502813fd55555000000"
    "0002010210020302813faaaaab0000000002803fcdf3cd00",
    "577c40540e2de495689dbd5e8abc5f2895d7b984",
    {"VADD|VALUES|6|-0.7271|-0.1217|0.9359|-0.9998|-0.2539|0.3247|BIN0|BIN",
     "VADD|VALUES|6|0.3609|0.5786|-0.3587|0.7772|0.8442|0.1924|BIN1|BIN",
     "VADD|VALUES|6|-0.7957|0.7918|-0.8576|0.7216|0.3827|0.6675|BIN2|BIN",
     "VADD|VALUES|6|-0.9121|-0.0550|0.4562|-0.3450|-0.2488|-0.0005|BIN3|BIN",
     "VADD|VALUES|6|0.1924|-0.7924|-0.3779|0.6847|-0.5126|-0.9551|BIN4|BIN"}};

// REDUCE 3 of 8 dimensions, with attributes
const RealSet kReduced{
    "020302010250000203020805c321406006f304b53ef304b5e0170300bea023e00f07403f401b4003400b4003200b01b5be05"
    "047265643005077b2261223a317d050cfa53213fd3af9ebe2e3f363f0206020102800100000002000220020002803f5b5018"
    "00",
    "b1bdf9d37d30fd6520ad585db50f9497d8e556cf",
    {"VADD|REDUCE|3|VALUES|8|0.464|0.542|-0.505|-0.261|-0.135|0.755|0.564|0.103|red0|NOQUANT|SETATTR|{\"a\":"
     "1}"}};

const RealSet* const kRealSets[] = {&kPlain, &kQ8, &kBin, &kReduced};

std::vector<Bytes> split(Bytes line, char mark) {
  std::vector<Bytes> parts;
  for (size_t at = 0; at <= line.size();) {
    const size_t end = std::min(line.find(mark, at), line.size());
    parts.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

VectorOutcome add(VectorSet& set, std::span<const Bytes> args) {
  const std::optional<VectorAddition> addition = parse_vector_addition(args);
  return addition ? set.add(*addition) : VectorOutcome::error;
}

// A VADD: its arguments behind the key.
VectorOutcome add(VectorSet& set, Bytes line) { return add(set, split(line, ' ')); }

VectorOutcome add(VectorSet& set, const std::vector<float>& vector, Bytes name, Bytes quantisation) {
  const std::string blob = float_bytes(vector);
  const Bytes args[] = {"FP32", blob, name, quantisation};
  return add(set, args);
}

VectorOutcome run(VectorSet& set, Bytes line) {
  const std::vector<Bytes> words = split(line, '|');
  const std::span<const Bytes> args = std::span(words).subspan(1);
  if (words[0] == "VREM") return set.remove(args[0]);
  if (words[0] == "VSETATTR") return set.set_attributes(args[0], args[1]);
  return words[0] == "VADD" ? add(set, args) : VectorOutcome::error;
}

// What DEBUG DIGEST-VALUE answers for a key that holds the set.
std::string key_digest(const VectorSet& set) {
  Sha1Hash digest{};
  mix(digest, Bytes("\0\0\0\5", 4));
  xor_into(digest, sha1(as_bytes(vector_set_digest(set))));
  return to_hex(digest);
}

VectorSet decoded(Bytes payload) {
  std::optional<VectorSet> set = VectorSet::from_payload(0, payload);
  REQUIRE(set.has_value());
  return std::move(*set);
}

bool is_refused(Bytes payload) { return !VectorSet::from_payload(0, payload).has_value(); }

const VectorElement& element(const VectorSet& set, Bytes name) {
  const auto at = set.elements().find(name);
  REQUIRE(at != set.elements().end());
  return at->second;
}

// The quantised bytes of one vector, in hexadecimal.
std::string quantised(const std::vector<float>& vector, Bytes quantisation) {
  VectorSet set;
  CHECK(add(set, vector, "e", quantisation) == VectorOutcome::changed);
  return hex(element(set, "e").vector);
}

VectorSet random_set(size_t count, size_t dimension, Bytes quantisation, Bytes links) {
  VectorSet set;
  const std::string dice = noise(count * dimension);
  for (size_t i = 0; i < count; ++i) {
    std::vector<float> vector;
    for (size_t j = 0; j < dimension; ++j)
      vector.push_back(static_cast<float>(static_cast<int8_t>(dice[i * dimension + j])));
    const std::string blob = float_bytes(vector);
    const std::string name = "element " + std::to_string(i);
    const Bytes args[] = {"FP32", blob, name, quantisation, "M", links};
    CHECK(add(set, args) == VectorOutcome::changed);
  }
  return set;
}

std::string number(uint64_t value) { return length(2) + length(value); }
std::string text(Bytes bytes) { return length(5) + plain_string(bytes); }

// A node of level 0 without links.
std::string lone_node(uint64_t id) {
  return number(6) + number(id) + number(1 << 24) + number(0) + number(32) + number(0) + number(0x3f800000);
}

// Q8, three dimensions, two elements.
std::string two_elements(Bytes other_name = "f", Bytes other_vector = "xyz") {
  return number(3) + number(2) + number(0x1001) + number(0) + text("e") + text("abc") + lone_node(1) +
         text(other_name) + text(other_vector) + lone_node(2) + length(0);
}

}  // namespace

TEST_CASE("payloads of a server have its digest, and stay as they are") {
  for (const RealSet* real : kRealSets) {
    const std::string payload = unhex(real->payload);
    const VectorSet set = decoded(payload);
    CHECK(key_digest(set) == real->digest);
    CHECK(hex(set.payload()) == hex(payload));
  }
}

TEST_CASE("commands of a server's log lead to its digest") {
  for (const RealSet* real : kRealSets) {
    VectorSet set;
    for (const char* command : real->commands) {
      CAPTURE(command);
      CHECK(run(set, command) == VectorOutcome::changed);
    }
    CHECK(key_digest(set) == real->digest);
  }
}

TEST_CASE("a changed set makes a payload of its own, with all that is in it") {
  for (const RealSet* real : kRealSets) {
    const std::string payload = unhex(real->payload);
    VectorSet set = decoded(payload);
    const std::string name = set.elements().begin()->first;
    const std::string attributes = set.elements().begin()->second.attributes.value_or("");
    CHECK(set.remove("nobody") == VectorOutcome::unchanged);
    CHECK(set.set_attributes("nobody", "{}") == VectorOutcome::unchanged);
    CHECK(set.payload() == payload);
    CHECK(set.set_attributes(name, "{\"n\":1}") == VectorOutcome::changed);
    CHECK(key_digest(set) != real->digest);
    CHECK(set.set_attributes(name, attributes) == VectorOutcome::changed);
    const VectorSet again = decoded(set.payload());
    CHECK(key_digest(again) == real->digest);
    CHECK(again.graph_links() == set.graph_links());
    CHECK(again.projection().given_dimension() == set.projection().given_dimension());
    for (const auto& [each, held] : set.elements()) {
      CHECK(element(again, each).length == held.length);
      CHECK(element(again, each).range == held.range);
    }
  }
}

TEST_CASE("arguments of VADD") {
  const char* const taken[] = {"VALUES 1 1 e",
                               "values 2 0x1p3 +inf e",
                               "fp32 abcd e",
                               "VALUES 1 1 e CAS Q8",
                               "VALUES 1 1 e EF 1",
                               "VALUES 1 1 e EF 1000000",
                               "VALUES 1 1 e M 4",
                               "VALUES 1 1 e M 4096",
                               "VALUES 1 1 CAS",
                               "VALUES 1 1 e SETATTR M",
                               "REDUCE 1 VALUES 1 1 e",
                               "VALUES 1 1 e BIN NOQUANT",
                               "reduce 1 FP32 abcdefgh e",
                               "REDUCE 4294967297 VALUES 1 1 e"};  // servers keep 32 bits of it
  for (const char* args : taken) {
    CAPTURE(args);
    CHECK(parse_vector_addition(split(args, ' ')).has_value());
  }
  const char* const refused[] = {"",
                                 "VALUES 1",
                                 "VALUES 1 1",
                                 "VALUES 0 e",
                                 "VALUES 65537 1 e",
                                 "VALUES 2 1 e",
                                 "VALUES 1 nan e",
                                 "VALUES 1 1e400 e",
                                 "VALUES 01 1 e",
                                 "VALUES 1  e",
                                 "FP32 abc e",
                                 "FP32  e",
                                 "FP32 abcd",
                                 "FP64 abcdefgh e",
                                 "REDUCE 0 VALUES 1 1 e",
                                 "REDUCE 2 VALUES 1 1 e",
                                 "REDUCE 1 VALUES",
                                 "REDUCE x VALUES 1 1 e",
                                 "VALUES 1 1 e EF 0",
                                 "VALUES 1 1 e EF 1000001",
                                 "VALUES 1 1 e M 3",
                                 "VALUES 1 1 e M 4097",
                                 "VALUES 1 1 e M",
                                 "VALUES 1 1 e SETATTR",
                                 "VALUES 1 1 e Q16"};
  for (const char* args : refused) {
    CAPTURE(args);
    CHECK(!parse_vector_addition(split(args, ' ')).has_value());
  }
}

TEST_CASE("the first element makes the shape, and others must fit it") {
  VectorSet set;
  CHECK(add(set, "REDUCE 2 VALUES 3 1 2 3 e BIN M 5") == VectorOutcome::changed);
  CHECK(set.dimension() == 2);
  CHECK(set.quantisation() == Quantisation::bin);
  const char* const unfit[] = {"REDUCE 2 VALUES 3 1 2 3 f BIN",     "REDUCE 2 VALUES 3 1 2 3 f Q8 M 5",
                               "REDUCE 3 VALUES 3 1 2 3 f BIN M 5", "REDUCE 2 VALUES 4 1 2 3 4 f BIN M 5",
                               "VALUES 3 1 2 3 f BIN M 5",          "VALUES 2 1 2 f BIN M 5"};
  for (const char* args : unfit) {
    CAPTURE(args);
    CHECK(add(set, args) == VectorOutcome::error);
  }
  CHECK(add(set, "REDUCE 2 VALUES 3 1 2 3 f BIN M 5") == VectorOutcome::changed);
  CHECK(set.elements().size() == 2);

  VectorSet plain;
  CHECK(add(plain, "VALUES 2 1 2 e") == VectorOutcome::changed);
  CHECK(add(plain, "REDUCE 2 VALUES 2 1 2 f") == VectorOutcome::error);
  CHECK(plain.remove("e") == VectorOutcome::changed);
  CHECK(plain.empty());
}

TEST_CASE("an element that is there gets the new vector; attributes stay unless some are given") {
  VectorSet set;
  CHECK(add(set, "VALUES 2 1 0 e SETATTR old") == VectorOutcome::changed);
  CHECK(add(set, "VALUES 2 0 1 e") == VectorOutcome::changed);
  CHECK(hex(element(set, "e").vector) == "007f");
  CHECK(element(set, "e").attributes == "old");
  CHECK(add(set, "VALUES 2 0 1 e SETATTR new") == VectorOutcome::changed);
  CHECK(element(set, "e").attributes == "new");
  CHECK(add(set, "VALUES 2 0 1 e SETATTR ") == VectorOutcome::changed);
  CHECK(!element(set, "e").attributes.has_value());
  CHECK(set.set_attributes("e", "again") == VectorOutcome::changed);
  CHECK(set.set_attributes("e", "") == VectorOutcome::changed);
  CHECK(!element(set, "e").attributes.has_value());
}

// A new element keeps empty attributes, and the digest counts them (Redis 8.8.0 answers these two). Payloads
// cannot tell them from none.
TEST_CASE("empty attributes of a new element last until the set is loaded") {
  VectorSet set;
  for (const char* args : {"VALUES 3 1 2 3 a", "VALUES 3 1 2 4 b CAS", "VALUES 3 1 2 5 c SETATTR "})
    CHECK(add(set, args) == VectorOutcome::changed);
  CHECK(key_digest(set) == "45e510911e9ee8f72125161cabfeab65fbf4ce84");
  CHECK(key_digest(decoded(set.payload())) == "18e19438a3ac2637f506ad48863d24d8df2eb1a0");
}

TEST_CASE("floats: scaled to length one, if they have a length") {
  CHECK(quantised({3, 4}, "NOQUANT") == hex(float_bytes(std::vector<float>{3.0F / 5, 4.0F / 5})));
  CHECK(quantised({0, -0.0F}, "NOQUANT") == "0000000000000080");
  CHECK(quantised({1e-30F, 0}, "NOQUANT") == hex(float_bytes(std::vector<float>{1e-30F, 0})));
  CHECK(quantised({1e30F, -1e30F}, "NOQUANT") == "0000000000000080");
  // Four squares are added up before they meet the sum: one by one, these would be lost.
  VectorSet set;
  CHECK(add(set, "VALUES 8 4096 0 0 0 1 1 1 1 e") == VectorOutcome::changed);
  CHECK(element(set, "e").length == 4096.00048828125F);
}

TEST_CASE("Q8: steps of a 127th of the largest component, halves away from zero") {
  CHECK(quantised({254, 1, -1, 0}, "Q8") == "7f01ff00");
  CHECK(quantised({-2, 2, 1, 0}, "Q8") == "817f4000");
  CHECK(quantised({0, 0}, "Q8") == "0000");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(quantised({nan, 1}, "Q8") == "0000");
  CHECK(quantised({infinity, 1}, "Q8") == "0000");
  CHECK(quantised({1e-40F, 0}, "Q8") == "0000");  // the scale is infinite
  VectorSet set;
  CHECK(add(set, "VALUES 2 3 -4 e") == VectorOutcome::changed);
  CHECK(element(set, "e").length == 5.0F);
  CHECK(element(set, "e").range == 4.0F / 5);
}

TEST_CASE("BIN: a bit for each component above zero, in whole words") {
  std::vector<float> vector(65, -1);
  vector[0] = vector[9] = vector[63] = vector[64] = 1;
  CHECK(quantised(vector, "BIN") == "01020000000000800100000000000000");
  CHECK(quantised({0, std::numeric_limits<float>::quiet_NaN(), 1}, "BIN") == "0000000000000000");
  CHECK(quantised({0, -1, 1}, "BIN") == "0400000000000000");
}

TEST_CASE("REDUCE: the matrix of the servers, or that of the payload") {
  const auto row_of = [](uint32_t given_dimension, uint32_t index) {
    std::vector<float> row;
    VectorProjection(given_dimension).fill_row(index, row);
    return row;
  };
  const float scale = static_cast<float>(1 / std::sqrt(3.0));
  CHECK(row_of(3, 0) == std::vector<float>{scale, scale, scale});
  CHECK(row_of(3, 1) == std::vector<float>{scale, -scale, scale});
  CHECK(row_of(3, 2) == std::vector<float>{scale, scale, -scale});
  CHECK(row_of(4, 3) == std::vector<float>{0.5F, -0.5F, -0.5F, 0.5F});
  CHECK(row_of(1, 0) == std::vector<float>{1});

  const std::string matrix = float_bytes(std::vector<float>{1, 0, 0, 0, 0, 1});
  const VectorProjection other(3, 2, matrix);
  CHECK(other.project(std::vector<float>{5, 6, 7}, 2) == std::vector<float>{5, 7});
  VectorSet set =
      decoded(number(2) + number(0) + number(0x1000) + number(1) + number(3) + text(matrix) + length(0));
  CHECK(add(set, "REDUCE 2 VALUES 3 3 9 4 e NOQUANT") == VectorOutcome::changed);
  CHECK(hex(element(set, "e").vector) == hex(float_bytes(std::vector<float>{3.0F / 5, 4.0F / 5})));
  CHECK(set.payload().find(matrix) != std::string::npos);
}

// What servers check of links when they load them, and that a search can get everywhere.
TEST_CASE("graphs are sound") {
  struct Shape {
    const char* quantisation;
    const char* links;
  };
  for (const Shape& shape : {Shape{"NOQUANT", "16"}, Shape{"Q8", "4"}, Shape{"BIN", "5"}}) {
    CAPTURE(shape.quantisation);
    const VectorSet set = random_set(400, 9, shape.quantisation, shape.links);
    const VectorGraph graph(set.elements(), set.quantisation(), set.dimension(), set.graph_links());
    std::set<uint32_t> reached{0};
    std::vector<uint32_t> open{0};
    uint32_t top = 0;
    for (uint32_t node = 0; node < 400; ++node) {
      top = std::max(top, graph.level(node));
      for (uint32_t layer = 0; layer <= graph.level(node); ++layer) {
        const std::span<const GraphLink> links = graph.links(node, layer);
        CHECK(links.size() <= graph.room(layer));
        for (size_t i = 0; i < links.size(); ++i) {
          const bool ascends = i == 0 || links[i - 1].node < links[i].node;
          const bool is_sound = links[i].node != node && ascends && graph.level(links[i].node) >= layer;
          CHECK(is_sound);
          const std::span<const GraphLink> back = graph.links(links[i].node, layer);
          CHECK(std::count_if(back.begin(), back.end(),
                              [&](const GraphLink& link) { return link.node == node; }) == 1);
        }
      }
    }
    CHECK(top > 0);
    while (!open.empty()) {
      const uint32_t node = open.back();
      open.pop_back();
      for (const GraphLink& link : graph.links(node, 0))
        if (reached.insert(link.node).second) open.push_back(link.node);
    }
    CHECK(reached.size() == 400);
    CHECK(key_digest(decoded(set.payload())) == key_digest(set));
  }
}

TEST_CASE("vectors that are all the same, or no numbers, make a graph too") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::vector<float>& vector : {std::vector<float>{1, 2}, std::vector<float>{nan, 1}}) {
    VectorSet set;
    for (int i = 0; i < 100; ++i)
      CHECK(add(set, vector, std::to_string(i), "NOQUANT") == VectorOutcome::changed);
    CHECK(key_digest(decoded(set.payload())) == key_digest(set));
  }
}

TEST_CASE("damaged payloads are refused") {
  CHECK(!is_refused(two_elements()));
  CHECK(!VectorSet::from_payload(1, two_elements()).has_value());
  CHECK(is_refused(two_elements() + '\0'));
  CHECK(is_refused(two_elements("e")));
  CHECK(is_refused(two_elements("f", "wxyz")));
  const auto shape = [](uint64_t dimension, uint64_t config) {
    return number(dimension) + number(0) + number(config) + number(0) + length(0);
  };
  CHECK(!is_refused(shape(65536, 0)));
  CHECK(is_refused(shape(0, 0)));
  CHECK(is_refused(shape(65537, 0)));
  CHECK(is_refused(shape(3, 3)));
  CHECK(is_refused(number(3) + number(~uint64_t{0}) + number(0) + number(0) + length(0)));
  const auto projection = [](uint64_t given, size_t matrix_bytes) {
    return number(2) + number(0) + number(0) + number(1) + number(given) +
           text(std::string(matrix_bytes, 'm')) + length(0);
  };
  CHECK(!is_refused(projection(3, 24)));
  CHECK(is_refused(projection(3, 23)));
  CHECK(is_refused(projection(1, 8)));
  CHECK(is_refused(projection(uint64_t{1} << 62, 0)));
}

TEST_CASE("the numbers of a node are read within their count") {
  const auto with_node = [](const std::vector<uint64_t>& numbers) {
    std::string payload =
        number(1) + number(1) + number(1) + number(0) + text("e") + text("v") + number(numbers.size());
    for (const uint64_t each : numbers) payload += number(each);
    return payload + length(0);
  };
  const uint64_t scale = uint64_t{0x40000000} << 32 | 0x40400000;  // 2 and 3
  const VectorSet set = decoded(with_node({1, 0, 0, 32, scale}));  // version 0 has no farthest link
  CHECK(element(set, "e").range == 2.0F);
  CHECK(element(set, "e").length == 3.0F);
  CHECK(!is_refused(with_node({1, 1 << 24, 0, 32, 0, scale})));
  CHECK(!is_refused(with_node({1, 1 << 24, 0, 32, 0, scale, 7, 7})));
  CHECK(is_refused(with_node({1, 1 << 24, 0, 32, 0})));
  CHECK(is_refused(with_node({1, 2 << 24, 0, 32, 0, scale})));
  CHECK(is_refused(with_node({1, 17, 0, 32, scale})));
  CHECK(is_refused(with_node({1, 0, 33, 32, scale})));
  CHECK(is_refused(with_node({1, 0, 0, 16385, scale})));
  CHECK(is_refused(with_node({1, 0, 2, 32, 5, scale})));
  CHECK(is_refused(with_node({1})));
  CHECK(is_refused(with_node({})));
}

TEST_CASE("no part of a payload is one, and no changed byte does harm") {
  for (const RealSet* real : kRealSets) {
    const std::string payload = unhex(real->payload);
    for (size_t size = 0; size < payload.size(); ++size) CHECK(is_refused(Bytes(payload).substr(0, size)));
    for (size_t at = 0; at < payload.size(); ++at) {
      std::string changed = payload;
      changed[at] = static_cast<char>(changed[at] ^ 0x81);
      const std::optional<VectorSet> set = VectorSet::from_payload(0, changed);
      if (set) CHECK(set->payload() == changed);
    }
  }
}
