// The canonical form of a dataset: one, whatever the dataset comes from.
#include <doctest/doctest.h>

#include "support/aof_builder.hpp"
#include "support/conversions.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"

using namespace persist;
using namespace persist::test;

TEST_CASE("canonical form: one for equal data, whatever its order, layout, dialect and hints") {
  const auto canonical = [](const std::string& file, Bytes target) {
    ConvertOptions options = options_for(target);
    options.canonical = true;
    return convert_rdb(file, options).bytes;
  };
  const std::vector<TtlField> ttls = {{"a", "1", 1'800'000'000'000}, {"b", "2", 0}};
  const std::vector<TtlField> reversed = {ttls[1], ttls[0]};
  const std::string a = RdbBuilder(redis, 12)
                            .aux("redis-ver", "7.4.0")
                            .aux("ctime", "1")
                            .function("#!lua name=b\n1")
                            .function("#!lua name=a\n1")
                            .select(3)
                            .resize(1, 0)
                            .string("late", "12")
                            .select(0)
                            .idle(7)
                            .set("set", {"b", "a", "12"})
                            .hash("hash", {{"f", "1"}, {"e", "2"}})
                            .zset("zset", {{"b", 1}, {"a", 1}, {"z", 0.5}})
                            .list("list", {"b", "a"})
                            .expire_ms(5)
                            .string("text", std::string(100, 'x'))
                            .eof();
  const std::string b = RdbBuilder(valkey, 80)
                            .function("#!lua name=a\n1")
                            .function("#!lua name=b\n1")
                            .select(0)
                            .expire_ms(5)
                            .string_lzf("text", std::string(100, 'x'))
                            .freq(3)
                            .list_quicklist2("list", {{1, "b"}, {1, "a"}})
                            .zset_listpack("zset", {{"z", "0.5"}, {"a", "1"}, {"b", "1"}})
                            .hash_listpack("hash", {{"e", "2"}, {"f", "1"}})
                            .set_listpack("set", {"12", "a", "b"})
                            .select(3)
                            .string_int("late", 12)
                            .eof();
  for (const Bytes target : {"redis-7.2", "redis-8.8", "valkey-9.1"}) {
    CAPTURE(target);
    const std::string form = canonical(a, target);
    CHECK(hex(form) == hex(canonical(b, target)));
    CHECK(hex(form) == hex(canonical(form, target)));
  }
  const std::string with_ttls = RdbBuilder(redis, 12).select(0).hash_ttl("h", ttls).eof();
  const std::string of_valkey = RdbBuilder(valkey, 80).select(0).hash_valkey("h", reversed).eof();
  for (const Bytes target : {"redis-7.4", "valkey-9.0"})
    CHECK(hex(canonical(with_ttls, target)) == hex(canonical(of_valkey, target)));
  const std::string different = RdbBuilder(redis, 12).select(0).hash_ttl("h", {{"a", "1", 1}}).eof();
  CHECK(canonical(different, "redis-7.4") != canonical(with_ttls, "redis-7.4"));
}

TEST_CASE("canonical form: hints and layouts are in no form of it, whatever it is made of") {
  const std::string a = RdbBuilder(redis, 11)
                            .select(0)
                            .idle(7)
                            .set("s", {"b", "a"})
                            .freq(9)
                            .hash("h", {{"g", "1"}, {"f", "2"}})
                            .eof();
  const std::string b = RdbBuilder(redis, 11)
                            .select(0)
                            .hash_listpack("h", {{"f", "2"}, {"g", "1"}})
                            .idle(8)
                            .set_listpack("s", {"a", "b"})
                            .eof();
  // The members of the one in disorder, the keys of the other.
  const std::string lines = R"({"db":0,"key":"s","type":"set","idle_s":8,"value":["b","a"]})"
                            "\n"
                            R"({"db":0,"key":"h","type":"hash","value":{"g":"1","f":"2"}})"
                            "\n";
  const std::string log = resp("SELECT 0") + resp("HSET h g 1 f 2") + resp("SADD s b a");
  for (const OutputForm form :
       {OutputForm::rdb, OutputForm::resp, OutputForm::jsonl, OutputForm::csv, OutputForm::dump}) {
    CAPTURE(output_form_name(form));
    for (const bool restore : {false, true}) {
      ConvertOptions options = options_for("redis-7.2", form);
      options.canonical = true;
      options.restore = restore;
      const std::string made = convert_rdb(a, options).bytes;
      CHECK_FALSE(made.empty());
      CHECK(convert_rdb(b, options).bytes == made);
      // Lines come one by one: nobody knows how many, which an RDB file says.
      if (form != OutputForm::rdb) CHECK(convert_json(lines, options).bytes == made);
      CHECK(convert_log(log, options, ServerVersion{redis, 702}).bytes == made);
    }
  }
}

TEST_CASE("canonical form: of all samples, and of it again the same") {
  for (const OutputForm form : {OutputForm::rdb, OutputForm::jsonl, OutputForm::dump, OutputForm::resp}) {
    for (const Sample& sample : samples()) {
      CAPTURE(sample.name);
      CAPTURE(output_form_name(form));
      ConvertOptions options = lossy_options_for(sample.dialect == redis ? "redis-8.8" : "valkey-9.1", form);
      options.canonical = true;
      options.write.modules = {"test__rdb"};
      const Converted once = convert_rdb(sample.file, options);
      REQUIRE(once.summary.committed);
      options.threads = 2;
      CHECK(convert_rdb(sample.file, options).bytes == once.bytes);
      if (form == OutputForm::rdb) CHECK(hex(convert_rdb(once.bytes, options).bytes) == hex(once.bytes));
      if (form == OutputForm::jsonl) CHECK(convert_json(once.bytes, options).bytes == once.bytes);
    }
  }
}

TEST_CASE("canonical form: of lines as of the file that they were made of") {
  const std::string annotated = unhex("02 07 00");
  const std::string file = RdbBuilder(redis, 14)
                               .module_aux(module_id_of("test__rdb", 1), 1, annotated)
                               .function("#!lua name=b\n1")
                               .function("#!lua name=a\n1")
                               .select(3)
                               .resize(1, 0)
                               .slot_info(7, 1, 0)
                               .string("k", "v")
                               .module_aux(module_id_of("test__rdb", 1), 2, annotated)
                               .eof();
  for (const OutputForm form : {OutputForm::rdb, OutputForm::jsonl, OutputForm::dump, OutputForm::resp}) {
    CAPTURE(output_form_name(form));
    for (const Bytes target : {"redis-8.8", "valkey-8.1"}) {
      ConvertOptions lines = lossy_options_for(target, OutputForm::jsonl);
      lines.write.modules = {"test__rdb"};
      lines.meta = true;
      ConvertOptions options = lines;
      options.to = form;
      options.canonical = true;
      options.meta = false;
      const std::string made = convert_rdb(file, options).bytes;
      CHECK_FALSE(made.empty());
      CHECK(hex(convert_json(convert_rdb(file, lines).bytes, options).bytes) == hex(made));
    }
  }
}

TEST_CASE("canonical form: a db of which nothing is left is not in it") {
  FilterOptions selection;
  selection.key_globs = {"other"};
  const Filter filter(selection);
  ConvertOptions options = lossy_options_for("redis-7.2");
  options.canonical = true;
  const std::string nothing = convert_rdb(RdbBuilder(redis, 11).eof(), options).bytes;
  const std::string lost =
      RdbBuilder(redis, 14).select(3).array("a", 1, std::nullopt, unhex("00 00 01 78")).eof();
  CHECK(hex(convert_rdb(lost, options).bytes) == hex(nothing));
  options.filter = &filter;
  CHECK(hex(convert_rdb(RdbBuilder(redis, 11).select(3).string("k", "v").eof(), options).bytes) ==
        hex(nothing));
}

TEST_CASE("canonical form: keys stand in the order of what they come to be called") {
  KeyChangeOptions renaming;
  renaming.renames = {parse_rename("s/^z/a/"), parse_rename("s/^b/y/")};
  renaming.dbs = {{3, 0}};
  const KeyChanges changes(renaming);
  const std::string file =
      RdbBuilder(redis, 11).select(0).string("b", "1").string("m", "2").select(3).string("z", "3").eof();
  const std::string renamed =
      RdbBuilder(redis, 11).select(0).string("a", "3").string("m", "2").string("y", "1").eof();
  ConvertOptions options = options_for("redis-7.2");
  options.canonical = true;
  const std::string expected = hex(convert_rdb(renamed, options).bytes);
  options.changes = &changes;
  CHECK(hex(convert_rdb(file, options).bytes) == expected);
  const std::string lines = convert_rdb(file, options_for("redis-7.2", OutputForm::jsonl)).bytes;
  CHECK(hex(convert_json(lines, options).bytes) == expected);
}
