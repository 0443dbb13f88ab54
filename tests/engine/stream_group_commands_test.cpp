// Commands about the consumer groups of streams.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr const char* kBadId = "ERR Invalid stream ID specified as stream command argument";
constexpr const char* kNoGroup = "NOGROUP No such consumer group for key name";
constexpr const char* kNoKeyOrGroup = "NOGROUP No such key or consumer group";
constexpr const char* kXgroupSyntax = "ERR unknown subcommand or wrong number of arguments. Try XGROUP HELP.";
constexpr const char* kNoStream =
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the "
    "MKSTREAM option to create an empty stream automatically.";

}  // namespace

TEST_CASE("groups and consumers come and go") {
  check_rows({
      {"XGROUP CREATE s g $", kNoStream},
      {"XGROUP CREATE s g $ MKSTREAM", "OK changed"},
      {"XGROUP CREATE s g 0", "BUSYGROUP Consumer Group name already exists"},
      {"XADD s 1-1 f a", "\"1-1\" changed"},
      {"XADD s 2-1 f b g c", "\"2-1\" changed"},
      {"XADD s 3-1 f v", "\"3-1\" changed"},
      {"XGROUP create s h $ ENTRIESREAD 3", "OK changed"},
      {"XGROUP CREATE s i 2 ENTRIESREAD -1", "OK changed", "s",
       "stream{length=3 last=3-1 first=1-1 deleted=0-0 added=3 1-1{f=a} 2-1{f=b g=c} 3-1{f=v} group g@0-0 "
       "read=-{} group h@3-1 read=3{} group i@2-0 read=-{} idmp=100s/100 iids=0+0}"},
      {"XGROUP CREATE s x -", kBadId},
      {"XGROUP CREATE s x 0 ENTRIESREAD -2", "ERR value for ENTRIESREAD must be positive or -1"},
      {"XGROUP CREATE s x 0 ENTRIESREAD x", kNotInteger},
      {"XGROUP CREATE s x 0 ENTRIESREAD", kXgroupSyntax},
      {"XGROUP CREATE s x 0 foo", kXgroupSyntax},
      {"XGROUP SETID s g 2-1 ENTRIESREAD 2", "OK changed"},
      {"XGROUP SETID s h +", "OK changed"},
      {"XGROUP SETID s i -", "OK changed"},
      {"XGROUP SETID s i x", kBadId},
      {"XGROUP SETID s i 0 MKSTREAM", kXgroupSyntax},
      {"XGROUP SETID s none 0", kNoGroup},
      {"XGROUP SETID none g 0", kNoStream},
      {"XGROUP CREATECONSUMER s g c", "(integer) 1 changed"},
      {"XGROUP CREATECONSUMER s g c", "(integer) 0"},
      {"XGROUP CREATECONSUMER s none c", kNoGroup},
      {"XGROUP CREATECONSUMER none g c", kNoStream},
      {"XGROUP DESTROY s h", "(integer) 1 changed"},
      {"XGROUP DESTROY s h", "(integer) 0"},
      {"XGROUP DESTROY none h", kNoStream},
      {"XGROUP FOO s h", kXgroupSyntax},
      {"XGROUP DESTROY s h x", "ERR wrong number of arguments for 'xgroup|destroy' command", "s",
       "stream{length=3 last=3-1 first=1-1 deleted=0-0 added=3 1-1{f=a} 2-1{f=b g=c} 3-1{f=v} group g@2-1 "
       "read=2{consumer c seen=1000000000 active=-} group i@0-0 read=-{} idmp=100s/100 iids=0+0}"},
      {"RPUSH l a", "(integer) 1 changed"},
      {"XGROUP CREATE l g 0 MKSTREAM", kWrongType},
      {"XGROUP SETID l g 0", kWrongType},
      {"XGROUP DESTROY l g", kWrongType},
      {"XGROUP CREATECONSUMER l g c", kWrongType},
      {"XGROUP DELCONSUMER l g c", kWrongType},
      {"XACK l g x", kWrongType},
      {"XCLAIM l g c 0 1-1", kWrongType},
  });
}

TEST_CASE("entries become pending, change hands and are acknowledged") {
  check_rows({
      {"XGROUP CREATE s g $ MKSTREAM", "OK changed"},
      {"XADD s 1-1 f a", "\"1-1\" changed"},
      {"XADD s 2-1 f b g c", "\"2-1\" changed"},
      {"XADD s 3-1 f v", "\"3-1\" changed"},
      {"XGROUP CREATECONSUMER s g c", "(integer) 1 changed"},
      {"XCLAIM s g c 0 1-1 2-1 9-9 TIME 500 RETRYCOUNT 3 FORCE JUSTID LASTID 3-1", "[1-1, 2-1] changed"},
      {"XCLAIM s g d 0 2-1", "[[2-1, [f, b, g, c]]] changed"},
      {"XCLAIM s g d 0 3-1", "[]"},
      {"XCLAIM s g e 0 3-1", "[]", "s",
       "stream{length=3 last=3-1 first=1-1 deleted=0-0 added=3 1-1{f=a} 2-1{f=b g=c} 3-1{f=v} group g@3-1 "
       "read=-{1-1>c*3@500 2-1>d*4@1000000000 consumer c seen=1000000000 active=1000000000 consumer d "
       "seen=1000000000 active=1000000000} idmp=100s/100 iids=0+0}"},
      {"XGROUP DELCONSUMER s g c", "(integer) 1 changed"},
      {"XGROUP DELCONSUMER s g c", "(integer) 0"},
      {"XGROUP DELCONSUMER s none c", kNoGroup},
      {"XGROUP DELCONSUMER none g c", kNoStream, "s",
       "stream{length=3 last=3-1 first=1-1 deleted=0-0 added=3 1-1{f=a} 2-1{f=b g=c} 3-1{f=v} group g@3-1 "
       "read=-{2-1>d*4@1000000000 consumer d seen=1000000000 active=1000000000} idmp=100s/100 iids=0+0}"},
      {"XACK s g 2-1 2-1 7-7", "(integer) 1 changed"},
      {"XACK s g 2-1", "(integer) 0"},
      {"XACK s none 2-1", "(integer) 0"},
      {"XACK none g x", "(integer) 0"},
      {"XACK s g x", kBadId, "s",
       "stream{length=3 last=3-1 first=1-1 deleted=0-0 added=3 1-1{f=a} 2-1{f=b g=c} 3-1{f=v} group g@3-1 "
       "read=-{consumer d seen=1000000000 active=1000000000} idmp=100s/100 iids=0+0}"},
      {"XCLAIM s g d 0 3-1 FORCE TIME 600", "[[3-1, [f, v]]] changed"},
      {"XCLAIM s g e 10 3-1 JUSTID IDLE 5", "[3-1] changed"},
      {"XCLAIM s g e 2000000000 3-1 JUSTID", "[]"},
      {"XCLAIM s g e 0 3-1 JUSTID TIME -1", "[3-1] changed"},
      {"XCLAIM s g e 0 3-1 JUSTID IDLE -5", "[3-1] changed"},
      {"XCLAIM s g e 0 3-1 JUSTID RETRYCOUNT -1 IDLE 100", "[3-1] changed"},
      {"XDEL s 3-1", "(integer) 1 changed"},
      {"XCLAIM s g e 0 3-1 FORCE JUSTID", "[] changed"},
      {"XCLAIM s g e 0 LASTID 8-8", "[] changed", "s",
       "stream{length=2 last=3-1 first=1-1 deleted=3-1 added=3 1-1{f=a} 2-1{f=b g=c} group g@8-8 "
       "read=-{consumer d seen=1000000000 active=1000000000 consumer e seen=1000000000 active=1000000000} "
       "idmp=100s/100 iids=0+0}"},
      {"XCLAIM s g e x 3-1", "ERR Invalid min-idle-time argument for XCLAIM"},
      {"XCLAIM s g e 0 3-1 foo", "ERR Unrecognized XCLAIM option"},
      {"XCLAIM s g e 0 3-1 TIME", "ERR Unrecognized XCLAIM option"},
      {"XCLAIM s g e 0 3-1 TIME x", "ERR Invalid TIME option argument for XCLAIM"},
      {"XCLAIM s g e 0 3-1 IDLE x", "ERR Invalid IDLE option argument for XCLAIM"},
      {"XCLAIM s g e 0 3-1 RETRYCOUNT x", "ERR Invalid RETRYCOUNT option argument for XCLAIM"},
      {"XCLAIM s g e 0 3-1 LASTID x", kBadId},
      {"XCLAIM s none e 0 3-1", kNoKeyOrGroup},
      {"XCLAIM none g e 0 3-1", kNoKeyOrGroup},
  });
}

TEST_CASE("up to 6.2 removed entries stay pending") {
  EngineCalls calls({Dialect::redis, 602});
  check_rows(calls, {
                        {"XADD s 1-1 f a", "\"1-1\" changed"},
                        {"XADD s 2-1 f b", "\"2-1\" changed"},
                        {"XADD s 3-1 f c", "\"3-1\" changed"},
                        {"XGROUP CREATE s g 3-1", "OK changed"},
                        {"XCLAIM s g c 0 1-1 2-1 TIME 500 RETRYCOUNT 1 FORCE JUSTID LASTID 3-1",
                         "[1-1, 2-1] changed"},
                        {"XDEL s 1-1", "(integer) 1 changed"},
                        {"XCLAIM s g d 0 1-1 TIME 600 RETRYCOUNT 2 FORCE", "[(nil)] changed"},
                        {"XCLAIM s g e 0 9-9 FORCE", "[]"},
                        {"XDEL s 3-1", "(integer) 1 changed"},
                        {"XSETID s 2-1", "OK changed", "s",
                         "stream{length=1 last=2-1 first=2-1 deleted=3-1 added=3 2-1{f=b} group g@3-1 "
                         "read=-{1-1>d*2@600 2-1>c*1@500 consumer c seen=1000000000 active=1000000000 "
                         "consumer d seen=1000000000 active=1000000000} idmp=100s/100 iids=0+0}"},
                    });
}

TEST_CASE("since 7.2 a consumer claims nothing and is there, and last IDs stay above what was removed") {
  EngineCalls calls({Dialect::redis, 702});
  check_rows(calls, {
                        {"XADD s 1-1 f a", "\"1-1\" changed"},
                        {"XADD s 2-1 f a", "\"2-1\" changed"},
                        {"XGROUP CREATE s g 0", "OK changed"},
                        {"XCLAIM s g e 0 9-9 FORCE", "[] changed"},
                        {"XCLAIM s g e 0 9-9 FORCE", "[]"},
                        {"XCLAIM s g e 0 1-1 FORCE TIME 99000000000", "[[1-1, [f, a]]] changed"},
                        {"XDEL s 2-1", "(integer) 1 changed"},
                        {"XSETID s 1-2",
                         "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id", "s",
                         "stream{length=1 last=2-1 first=1-1 deleted=2-1 added=2 1-1{f=a} group g@0-0 "
                         "read=-{1-1>e*2@99000000000 consumer e seen=1000000000 active=1000000000} "
                         "idmp=100s/100 iids=0+0}"},
                    });
}

TEST_CASE("entries are handed back into the NACK zone") {
  EngineCalls calls({Dialect::redis, 808});
  check_rows(
      calls,
      {
          {"XADD s 1-1 f a", "\"1-1\" changed"},
          {"XADD s 2-1 f b", "\"2-1\" changed"},
          {"XADD s 3-1 f c", "\"3-1\" changed"},
          {"XADD s 4-1 f d", "\"4-1\" changed"},
          {"XGROUP CREATE s g 4-1", "OK changed"},
          {"XCLAIM s g c 0 1-1 2-1 3-1 TIME 5 RETRYCOUNT 2 FORCE JUSTID", "[1-1, 2-1, 3-1] changed"},
          {"XNACK s g FAIL IDS 2 2-1 9-9", "(integer) 1 changed"},
          {"XNACK s g silent IDS 1 1-1", "(integer) 1 changed"},
          {"XNACK s g SILENT IDS 2 1-1 1-1", "(integer) 2 changed"},
          {"XNACK s g FATAL IDS 1 3-1", "(integer) 1 changed"},
          {"XNACK s g FAIL IDS 1 4-1", "(integer) 0"},
          {"XNACK s g FAIL IDS 2 4-1 9-9 RETRYCOUNT 7 FORCE", "(integer) 1 changed", "s",
           "stream{length=4 last=4-1 first=1-1 deleted=0-0 added=4 1-1{f=a} 2-1{f=b} 3-1{f=c} 4-1{f=d} group "
           "g@4-1 read=-{1-1>-*0@0 nack=1 2-1>-*2@0 nack=0 3-1>-*9223372036854775807@0 nack=2 4-1>-*7@0 "
           "nack=3 consumer c seen=1000000000 active=1000000000} idmp=100s/100 iids=0+0}"},
          {"XCLAIM s g c 0 3-1 TIME 6", "[[3-1, [f, c]]] changed"},
          {"XCLAIM s g c 0 1-1 TIME 6 JUSTID", "[1-1] changed", "s",
           "stream{length=4 last=4-1 first=1-1 deleted=0-0 added=4 1-1{f=a} 2-1{f=b} 3-1{f=c} 4-1{f=d} group "
           "g@4-1 read=-{1-1>c*0@6 2-1>-*2@0 nack=0 3-1>c*9223372036854775807@6 4-1>-*7@0 nack=1 consumer c "
           "seen=1000000000 active=1000000000} idmp=100s/100 iids=0+0}"},
          {"XNACK s g FOO IDS 1 3-1", kSyntax},
          {"XNACK s g FAIL IDS 2 3-1", kSyntax},
          {"XNACK s g FAIL ID 1 3-1", kSyntax},
          {"XNACK s g FAIL IDS 1 x", kBadId},
          {"XNACK s g FAIL IDS 1 3-1 RETRYCOUNT", kSyntax},
          {"XNACK s g FAIL IDS 1 3-1 RETRYCOUNT -1", kNotInteger},
          {"XNACK s g FAIL IDS 1 3-1 foo", kSyntax},
          {"XNACK s none FAIL IDS 1 3-1", kNoKeyOrGroup},
      });
}
