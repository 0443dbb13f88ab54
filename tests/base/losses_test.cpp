// Losses: the table, and how reports of them are counted up.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "persist/loss.hpp"

using namespace persist;

namespace {

std::string first_of(const LossReport& report, LossFeature feature) {
  std::string text;
  for (const LossCount::Where& where : report.of(feature).first)
    text += std::to_string(where.db) + ":" + where.key + " ";
  return text;
}

}  // namespace

TEST_CASE("losses: rows stand in the order of the features, and ids find them") {
  REQUIRE(loss_rows().size() == kLossFeatures);
  std::set<Bytes> ids;
  for (size_t i = 0; i < kLossFeatures; ++i) {
    const LossRow& row = loss_rows()[i];
    CAPTURE(row.id);
    CHECK(row.feature == static_cast<LossFeature>(i));
    CHECK(&loss_row(row.feature) == &row);
    CHECK(find_loss(row.id) == &row);
    CHECK_FALSE(row.sentence.empty());
    ids.insert(row.id);
  }
  CHECK(ids.size() == kLossFeatures);
  for (const Bytes id : {"", "field_ttl", "all", "Idle"}) CHECK(find_loss(id) == nullptr);
}

TEST_CASE("losses: counts, keys, and the first few of these") {
  LossReport report;
  CHECK(report.empty());
  report.add(LossFeature::functions);
  report.add(LossFeature::functions, 2);
  CHECK_FALSE(report.empty());
  CHECK(report.of(LossFeature::functions).count == 3);
  CHECK(report.of(LossFeature::functions).keys == 0);
  CHECK(report.of(LossFeature::functions).first.empty());

  for (uint64_t i = 0; i < 7; ++i) report.add(LossFeature::field_ttl, i % 2, "k" + std::to_string(i), i + 1);
  CHECK(report.of(LossFeature::field_ttl).count == 28);
  CHECK(report.of(LossFeature::field_ttl).keys == 7);
  CHECK(first_of(report, LossFeature::field_ttl) == "0:k0 1:k1 0:k2 1:k3 0:k4 ");
  CHECK(report.of(LossFeature::streams).count == 0);

  report.clear();
  CHECK(report.empty());
  CHECK(report.of(LossFeature::field_ttl).count == 0);
  CHECK(report.of(LossFeature::field_ttl).first.empty());
}

TEST_CASE("losses: what comes behind is added behind") {
  const auto report_of = [](std::initializer_list<const char*> keys) {
    LossReport report;
    for (const char* key : keys) report.add(LossFeature::idle, 0, key);
    return report;
  };
  struct Row {
    LossReport first;
    LossReport second;
    std::string named;
    uint64_t keys;
  };
  const Row rows[] = {
      {report_of({}), report_of({}), "", 0},
      {report_of({}), report_of({"a"}), "0:a ", 1},
      {report_of({"a"}), report_of({}), "0:a ", 1},
      {report_of({"a", "b", "c"}), report_of({"d", "e", "f", "g"}), "0:a 0:b 0:c 0:d 0:e ", 7},
      {report_of({"a", "b", "c", "d", "e", "f"}), report_of({"g"}), "0:a 0:b 0:c 0:d 0:e ", 7},
      {report_of({}), report_of({"a", "b", "c", "d", "e", "f"}), "0:a 0:b 0:c 0:d 0:e ", 6},
  };
  for (const Row& row : rows) {
    LossReport sum;
    sum.add(row.first);
    sum.add(row.second);
    CHECK(first_of(sum, LossFeature::idle) == row.named);
    CHECK(sum.of(LossFeature::idle).keys == row.keys);
    CHECK(sum.of(LossFeature::idle).count == row.keys);
    CHECK(sum.empty() == (row.keys == 0));
  }
}

TEST_CASE("losses: hints may go, data only if it was permitted") {
  for (const LossRow& row : loss_rows()) {
    CAPTURE(row.id);
    LossReport report;
    report.add(row.feature, 0, "k");
    CHECK(report.loses_more_than({}) == (row.kind == LossKind::data));
    CHECK_FALSE(report.loses_more_than(std::vector{row.feature}));
    for (const LossRow& other : loss_rows())
      if (other.feature != row.feature)
        CHECK(report.loses_more_than(std::vector{other.feature}) == (row.kind == LossKind::data));
  }
  LossReport two;
  two.add(LossFeature::streams, 0, "s");
  two.add(LossFeature::functions);
  CHECK(two.loses_more_than(std::vector{LossFeature::streams}));
  CHECK_FALSE(two.loses_more_than(std::vector{LossFeature::functions, LossFeature::streams}));
  CHECK_FALSE(LossReport{}.loses_more_than({}));
}
