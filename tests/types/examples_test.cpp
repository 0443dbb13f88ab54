// The worked examples of man/persist-rdb.5, EXAMPLES: bytes that real servers wrote or loaded, and what they
// mean.
#include <doctest/doctest.h>

#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct Example {
  Bytes name;
  Dialect dialect;
  unsigned version;
  Bytes record;
  Bytes value;  // in notation, one key a line
};

constexpr Example kPlain[] = {
    {"lru", redis, 9, "fc00d8c32cbb030000 f800 00 016b 0176", "@4102444800000 idle=0 k = string \"v\"\n"},
    {"lfu", redis, 9, "fc00d8c32cbb030000 f906 00 016b 0176", "@4102444800000 freq=6 k = string \"v\"\n"},
    {"slotinfo", redis, 12, "f4520501 01 fc00d8c32cbb030000 00 0461626332 0179",
     "@4102444800000 abc2 = string \"y\"\n"},
    {"int8", redis, 6, "00 04733a6938 c0fb", "s\\x3ai8 = string \"-5\"\n"},
    {"int16", redis, 6, "00 016b c1e803", "k = string \"1000\"\n"},
    {"int32", redis, 6, "00 05733a693332 c2a0860100", "s\\x3ai32 = string \"100000\"\n"},
    {"digits", redis, 6, "00 016b 0b3130303030303030303030", "k = string \"10000000000\"\n"},
    {"zeros", redis, 6, "00 016b 03303037", "k = string \"007\"\n"},
    {"lzf", redis, 6, "00 05733a6c7a66 c309406401 6161e05700016161",
     "s\\x3alzf = string "
     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaa\"\n"},
    {"list", redis, 1, "01 016c 02 0161 c002", "l = list[a 2]\n"},
    {"set", redis, 6, "02 027373 03 c003 0162 0161", "ss = set{3 b a}\n"},
    {"zset-text", redis, 1, "03 017a 02 0161 13302e3130303030303030303030303030303031 0162 03322e35",
     "z = zset{a:0.1 b:2.5}\n"},
    {"zset-inf", redis, 6, "03 027a62 02 0170fe 016dff", "zb = zset{p:inf m:-inf}\n"},
    {"zset2", redis, 8, "05 027a62 02 0170 000000000000f07f 0161 000000000000f83f",
     "zb = zset{p:inf a:1.5}\n"},
};

constexpr Example kBlobs[] = {
    {"zipmap", redis, 2, "09 0168 0d 02 01 66 01 00 76 01 6e 02 00 3132 ff", "h = hash{f=v n=12}\n"},
    {"ziplist24", redis, 2, "0a 016c 1a 1a000000 15000000 0400 00 0161 03 c00200 04 c0fdff 04 c02c01 ff",
     "l = list[a 2 -3 300]\n"},
    {"ziplist26", redis, 6, "0a 016c 17 17000000 12000000 0400 00 0161 03 f3 02 fefd 03 c02c01 ff",
     "l = list[a 2 -3 300]\n"},
    {"intset16", redis, 6, "0b 027369 0e 02000000 03000000 fdff 0100 0200", "si = set{-3 1 2}\n"},
    {"intset64", redis, 6, "0b 03736938 18 08000000 02000000 0100000000000000 0000000000010000",
     "si8 = set{1 1099511627776}\n"},
    {"zset-zl", redis, 6,
     "0c 017a 1e 1e000000 18000000 0600 00 0163 03 fefd 03 0161 03 f2 02 0162 03 03322e35 ff",
     "z = zset{c:-3 a:1 b:2.5}\n"},
    {"hash-zl", redis, 6, "0d 0168 16 16000000 13000000 0400 00 0166 03 0176 03 016e 03 fd ff",
     "h = hash{f=v n=12}\n"},
    {"quicklist", redis, 7, "0e 016c 01 17 17000000 12000000 0400 00 0161 03 f3 02 fefd 03 c02c01 ff",
     "l = list[a 2 -3 300]\n"},
    {"hash-lp", redis, 10, "10 0168 12 12000000 0400 816602 817602 816e02 0c01 ff", "h = hash{f=v n=12}\n"},
    {"zset-lp", redis, 10, "11 017a 1a 1a000000 0600 816302 dffd02 816102 0101 816202 83322e3504 ff",
     "z = zset{c:-3 a:1 b:2.5}\n"},
    {"ql2", redis, 10, "12 016c 01 02 12 12000000 0400 816102 0201 dffd02 c12c02 ff",
     "l = list[a 2 -3 300]\n"},
    {"ql2-plain", redis, 10, "12 016b 02 02 0c 0c000000 0200 816102 0101 ff 01 05706c61696e",
     "k = list[a 1 plain]\n"},
    {"set-lp", redis, 11, "14 027373 0f 0f000000 0300 816102 816202 0301 ff", "ss = set{a b 3}\n"},
};

constexpr Example kStreams[] = {
    {"stream1", redis, 9,
     "0f 0178 01 10 00000000000000010000000000000001"
     "4047 47000000 1d00 0301 0101 0101 816602 0001 0201 0001 0001 816102 0401 0301 0101 0101 816202 0401"
     "0201 0201 0201 816302 0401 0001 0201 0301 0201 816702 0101 816802 0201 0801 ff"
     "03 03 04 01 0167 01 01 01 00000000000000010000000000000001 814701fba1010000 01"
     "01 02616c 814701fba1010000 01 00000000000000010000000000000001",
     "x = stream{length=3 last=3-4 1-1{f=a} 3-3{f=c} 3-4{g=1 h=2} "
     "group g@1-1{1-1>al*1@1795212527489 consumer al seen=1795212527489}}\n"},
    {"stream3", redis, 11,
     "15 0178 01 10 00000000000000010000000000000001"
     "4047 47000000 1d00 0301 0101 0101 816602 0001 0201 0001 0001 816102 0401 0301 0101 0101 816202 0401"
     "0201 0201 0201 816302 0401 0001 0201 0301 0201 816702 0101 816802 0201 0801 ff"
     "03 03 04  01 01  02 02  04 01 0167 01 01 81ffffffffffffffff"
     "01 00000000000000010000000000000001 e74701fba1010000 01"
     "01 02616c e74701fba1010000 e74701fba1010000 01 00000000000000010000000000000001",
     "x = stream{length=3 last=3-4 first=1-1 deleted=2-2 added=4 1-1{f=a} 3-3{f=c} 3-4{g=1 h=2} "
     "group g@1-1 read=-{1-1>al*1@1795212527591 consumer al seen=1795212527591 active=1795212527591}}\n"},
    {"stream5", redis, 14,
     "1b 0179 01 10 00000000000000010000000000000001"
     "28 28000000 0f00 0201 0001 0101 816602 0001 0201 0001 0001 816102 0401 0201 0101 0101 816202 0401 ff"
     "02 02 02 01 01 00 00 02  01 0167 02 02 02"
     "02 00000000000000010000000000000001 3f6203fba1010000 01"
     "00000000000000020000000000000002 0000000000000000 01"
     "01 02616c 3f6203fba1010000 3f6203fba1010000 01 00000000000000010000000000000001"
     "01 00000000000000020000000000000002 4064 4064 00 00 00",
     "y = stream{length=2 last=2-2 first=1-1 deleted=0-0 added=2 1-1{f=a} 2-2{f=b} "
     "group g@2-2 read=2{1-1>al*1@1795212665407 2-2>-*1@0 nack=0 "
     "consumer al seen=1795212665407 active=1795212665407} idmp=100s/100 iids=0+0}\n"},
    {"stream-mt", redis, 11,
     "15 07783a656d707479 00 00 00 00 00 00 00 00 00 01 0167 00 00 81ffffffffffffffff 00 00",
     "x\\x3aempty = stream{length=0 last=0-0 first=0-0 deleted=0-0 added=0 group g@0-0 read=-{}}\n"},
};

constexpr Example kNewer[] = {
    {"ttl22", redis, 12, "16 0168 02 00 0166 0176 81000003bb2cc3d800 0167 c001",
     "h = hash{f=v g=1@4102444800000}\n"},
    {"ttl23", redis, 12,
     "17 0168 2c 2c000000 0900 816302 0301 f400d8c32cbb03000009 816202 0201 f47bd8c32cbb03000009 816102 0101 "
     "0001 ff",
     "h = hash{c=3@4102444800000 b=2@4102444800123 a=1}\n"},
    {"ttl24", redis, 12,
     "18 05 6866653a76 00d8c32cbb030000 02 00 0166 c3094064017a7ae05700017a7a 01 0167 c001",
     "hfe\\x3av = "
     "hash{f=zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
     "zzzzzzzzz g=1@4102444800000}\n"},
    {"ttl25", redis, 12,
     "19 0168 7bd8c32cbb030000 2c 2c000000 0900 816302 0301 f400d8c32cbb03000009 816202 0201 "
     "f47bd8c32cbb03000009 "
     "816102 0101 0001 ff",
     "h = hash{c=3@4102444800000 b=2@4102444800123 a=1}\n"},
    {"hash_2", valkey, 80,
     "16 066866653a6c70 03 0161c001 ffffffffffffffff 0162c002 7bd8c32cbb030000 0163c003 00d8c32cbb030000",
     "hfe\\x3alp = hash{a=1 b=2@4102444800123 c=3@4102444800000}\n"},
    {"array", redis, 14,
     "1c 026172 05 00 00 01 0700000000000000 01 02 0000000000000c40 02 03 03616263 "
     "03 00 0f61206c6f6e67657220737472696e67 04 01 f7ffffffffffffff",
     "ar = array{0=7 1=3.5 2=abc 3=a\\x20longer\\x20string 4=-9}\n"},
    {"array-ins", redis, 14, "1c 0461723a32 02 01 01 00 03 0171 01 03 0172",
     "ar\\x3a2 = array{0=q 1=r next=1}\n"},
    {"vset", redis, 12,
     "07 027631 81bde72da2bb1eb400 0203 0201 0250 00 0200 05 03656c31 05 0c77d6883e77d6083fb2414d3f "
     "0209 0201 0280 01000001 0200 0220 0200 0200 0210 0200 0280 406f7751 00",
     "v1 = module{vectorset/0 57 bytes}\n"},
    {"func2", redis, 10,
     "f5 4041 "
     "23216c7561206e616d653d6d0a72656469732e72656769737465725f66756e6374696f6e282766272c66756e6374696f6e28"
     "292072657475726e203120656e6429",
     ""},
    {"idmp", redis, 13,
     "1a 0178 00 00 00 00 00 00 00 00 00 00 4064 4064 02 027032 01 04 deadbeef 81000001a1fb03621a 01"
     "0570726f6441 01 05 6969642d31 81000001a1fb03621a 00 02 00",
     "x = stream{length=0 last=0-0 first=0-0 deleted=0-0 added=0 "
     "producer p2{\\xde\\xad\\xbe\\xef=1795212665370-1} producer prodA{iid-1=1795212665370-0} "
     "idmp=100s/100 iids=2+0}\n"},
    {"key-meta", redis, 14, "f3 02 09f5c428 05 056d65746131 0201 03 0000c03f 00 18bdff2b 00 00 016b 0176",
     "meta=25 k = string \"v\"\n"},
    {"functions-pre-release", redis, 10, "f6 046c696232 034c5541 01 0568656c6c6f 0872657475726e2031", ""},
};

template <size_t n>
void check_examples(const Example (&examples)[n]) {
  for (const Example& example : examples) {
    CAPTURE(example.name);
    const std::string file =
        RdbBuilder(example.dialect, example.version).select(0).raw(unhex(example.record)).eof();
    const Told told = tell(file);
    CHECK(joined(told.lines) == example.value);
    CHECK(joined(told.findings).empty());
    CHECK(told.complete);
  }
}

}  // namespace

TEST_CASE("examples: prefixes, strings, plain collections") { check_examples(kPlain); }

TEST_CASE("examples: containers in strings") { check_examples(kBlobs); }

TEST_CASE("examples: streams") { check_examples(kStreams); }

TEST_CASE("examples: field TTLs, arrays, modules, functions") { check_examples(kNewer); }

TEST_CASE("examples: complete files") {
  const Told redis24 = tell(unhex("5245444953 30303032 fe00 fd00943577 00 016b 0176 ff"));
  CHECK(joined(redis24.lines) == "@2000000000000 seconds k = string \"v\"\n");
  CHECK(redis24.findings.empty());
  const Told redis28 =
      tell(unhex("5245444953 30303036 fe00 fc00d8c32cbb030000 00 016b 0176 ff 3fb0f7bfdd9d30b2"));
  CHECK(joined(redis28.lines) == "@4102444800000 k = string \"v\"\n");
  CHECK(redis28.findings.empty());
  const Told valkey91 =
      tell(unhex("56414c4b4559 303830 fa 0a76616c6b65792d766572 05392e312e30 fa 0a72656469732d62697473 c040"
                 "fa 056374696d65 c207c5006b fa 08757365642d6d656d c2b0651100 fa 08616f662d62617365 c000"
                 "fe00 fb 02 01 fc00d8c32cbb030000 00 016b 0176"
                 "16 0168 02 0166 0176 00d8c32cbb030000 0167 0177 ffffffffffffffff ff a2ee09b67582444a"));
  CHECK(joined(valkey91.lines) == "@4102444800000 k = string \"v\"\nh = hash{f=v@4102444800000 g=w}\n");
  CHECK(joined(valkey91.findings).empty());
  CHECK(valkey91.complete);
}

TEST_CASE("examples: every one passes the check") {
  const auto check_all = [](const auto& examples) {
    for (const Example& example : examples) {
      CAPTURE(example.name);
      const std::string file =
          RdbBuilder(example.dialect, example.version).select(0).raw(unhex(example.record)).eof();
      CHECK(joined(lines_of(check(file).findings)).empty());
    }
  };
  check_all(kPlain);
  check_all(kBlobs);
  check_all(kStreams);
  check_all(kNewer);
}
