// SHA-1, against the vectors of its standard.
#include "base/sha1.hpp"

#include <doctest/doctest.h>

using namespace persist;

namespace {

const std::string kMillion(1'000'000, 'a');

struct Vector {
  Bytes text;
  const char* hash;
} const kVectors[] = {
    {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {kMillion, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
};

}  // namespace

TEST_CASE("sha1: at once") {
  for (const Vector& vector : kVectors) CHECK(to_hex(sha1(vector.text)) == vector.hash);
}

TEST_CASE("sha1: in runs, again and again") {
  Sha1 running;
  for (const Vector& vector : kVectors) {
    running.update("something else");
    running.restart();
    running.update(vector.text.substr(0, vector.text.size() / 3));
    running.update("");
    running.update(vector.text.substr(vector.text.size() / 3));
    CHECK(to_hex(running.finish()) == vector.hash);
  }
}
