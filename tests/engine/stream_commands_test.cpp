// Commands that add and remove the entries of streams, set their counters, and see to idempotency.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr const char* kBadId = "ERR Invalid stream ID specified as stream command argument";

}  // namespace

TEST_CASE("entries are added under greater IDs") {
  check_rows({
      {"XADD s 1-1 f v g w", "\"1-1\" changed"},
      {"XADD s 1 f v", "ERR The ID specified in XADD is equal or smaller than the target stream top item"},
      {"XADD s 1-* f v", "\"1-2\" changed"},
      {"XADD s 3-* f v f v2", "\"3-0\" changed"},
      {"XADD s 5 f v", "\"5-0\" changed", "s",
       "stream{length=4 last=5-0 first=1-1 deleted=0-0 added=4 1-1{f=v g=w} 1-2{f=v} 3-0{f=v f=v2} 5-0{f=v} "
       "idmp=100s/100 iids=0+0}"},
      {"XADD s 5-0 f v", "ERR The ID specified in XADD is equal or smaller than the target stream top item"},
      {"XADD s 4-* f v", "ERR The ID specified in XADD is equal or smaller than the target stream top item"},
      {"XADD s 0-0 f v", "ERR The ID specified in XADD must be greater than 0-0"},
      {"XADD s x f v", kBadId},
      {"XADD s *-* f v", kBadId},
      {"XADD s 6-1 f", "ERR wrong number of arguments for 'xadd' command"},
      {"XADD s 6-1 f v g", "ERR wrong number of arguments"},
      {"XADD s NOMKSTREAM", "ERR wrong number of arguments for 'xadd' command"},
      {"XADD none NOMKSTREAM 1-1 f v", "(nil)"},
      {"XADD s nomkstream 6-1 f v", "\"6-1\" changed"},
      {"XADD z 0-* f v", "\"0-1\" changed"},
      {"XLEN s", "(integer) 5"},
      {"XLEN none", "(integer) 0"},
      {"XADD m 18446744073709551615-18446744073709551614 f v",
       "\"18446744073709551615-18446744073709551614\" changed"},
      {"XADD m 18446744073709551615-* f v", "\"18446744073709551615-18446744073709551615\" changed"},
      {"XADD m 18446744073709551615-* f v",
       "ERR The stream has exhausted the last possible ID, unable to add more items"},
      {"XADD m * f v", "ERR The stream has exhausted the last possible ID, unable to add more items"},
      {"XADD c * f v", "\"1000000000-0\" changed"},
      {"XADD c * f v", "\"1000000000-1\" changed", "c",
       "stream{length=2 last=1000000000-1 first=1000000000-0 deleted=0-0 added=2 1000000000-0{f=v} "
       "1000000000-1{f=v} idmp=100s/100 iids=0+0}"},
      {"XADD w \" 7-+3\" f v", "\"7-3\" changed"},
      {"RPUSH l a", "(integer) 1 changed"},
      {"XADD l 1-1 f v", kWrongType},
      {"XADD l NOMKSTREAM 1-1 f v", kWrongType},
      {"XTRIM l MAXLEN 1", kWrongType},
      {"XDEL l 1-1", kWrongType},
      {"XSETID l 1-1", kWrongType},
      {"XLEN l", kWrongType},
  });
}

TEST_CASE("streams are trimmed exactly, lose entries, and are told their counters") {
  check_rows({
      {"XADD s 1-1 f 1", "\"1-1\" changed"},
      {"XADD s 2-1 f 2", "\"2-1\" changed"},
      {"XADD s 3-1 f 3", "\"3-1\" changed"},
      {"XADD s 4-1 f 4", "\"4-1\" changed"},
      {"XADD s MAXLEN = 4 LIMIT 10 5-1 f 5", "\"5-1\" changed"},
      {"XADD s MAXLEN 3 6-1 f 6", "\"6-1\" changed"},
      {"XADD s MINID = 5 7-1 f 7", "\"7-1\" changed"},
      {"XADD s MAXLEN ~ 2 LIMIT 100 8-1 f 8", "\"8-1\" changed", "s",
       "stream{length=2 last=8-1 first=7-1 deleted=0-0 added=8 7-1{f=7} 8-1{f=8} idmp=100s/100 iids=0+0}"},
      {"XADD s MINID 10-0 9-1 f v", "\"9-1\" changed", "s",
       "stream{length=0 last=9-1 first=0-0 deleted=0-0 added=9 idmp=100s/100 iids=0+0}"},
      {"XADD s MAXLEN 0 10-1 f v", "\"10-1\" changed"},
      {"XADD s 11-1 f v", "\"11-1\" changed"},
      {"XADD s 12-1 f v", "\"12-1\" changed"},
      {"XTRIM s MAXLEN = 1 LIMIT 7", "(integer) 1 changed"},
      {"XTRIM s MAXLEN 1", "(integer) 0"},
      {"XTRIM s MINID ~ 13", "(integer) 1 changed"},
      {"XTRIM none MAXLEN 1", "(integer) 0", "s",
       "stream{length=0 last=12-1 first=0-0 deleted=0-0 added=12 idmp=100s/100 iids=0+0}"},
      {"XTRIM s MAXLEN", "ERR wrong number of arguments for 'xtrim' command"},
      {"XTRIM s MAXLEN x", kNotInteger},
      {"XTRIM s MAXLEN -1", "ERR The MAXLEN argument must be >= 0."},
      {"XTRIM s MINID x", kBadId},
      {"XTRIM s MAXLEN 1 MINID 1",
       "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"},
      {"XTRIM s LIMIT 1", "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"},
      {"XTRIM s LIMIT 0", "ERR syntax error, XTRIM must be called with a trimming strategy"},
      {"XTRIM s MAXLEN 1 LIMIT -1", "ERR The LIMIT argument must be >= 0."},
      {"XTRIM s MAXLEN 1 LIMIT x", kNotInteger},
      {"XTRIM s MAXLEN 1 foo", kSyntax},
      {"XTRIM s MAXLEN 1 NOMKSTREAM", kSyntax},
      {"XADD s LIMIT 1 13-1 f v",
       "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"},
      {"XADD s MAXLEN 1 MAXLEN 1 13-1 f v",
       "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"},
      {"XADD s 1-1 f 1", "ERR The ID specified in XADD is equal or smaller than the target stream top item"},
      {"XDEL s 1-1", "(integer) 0"},
      {"XADD d 1-1 f v", "\"1-1\" changed"},
      {"XADD d 2-1 f v", "\"2-1\" changed"},
      {"XADD d 3-1 f v", "\"3-1\" changed"},
      {"XDEL d 2-1 2-1 9-9", "(integer) 1 changed"},
      {"XDEL d 9-9", "(integer) 0"},
      {"XDEL d 1-1 x", kBadId},
      {"XDEL d 3-1 1-1", "(integer) 2 changed", "d",
       "stream{length=0 last=3-1 first=0-0 deleted=3-1 added=3 idmp=100s/100 iids=0+0}"},
      {"XDEL none x", "(integer) 0"},
      {"XSETID d 3-0", "OK changed"},
      {"XSETID d 3-1", "OK changed"},
      {"XSETID d 7-7 ENTRIESADDED 100 MAXDELETEDID 6-6", "OK changed", "d",
       "stream{length=0 last=7-7 first=0-0 deleted=6-6 added=100 idmp=100s/100 iids=0+0}"},
      {"XSETID d 5-5 MAXDELETEDID 5-6",
       "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"},
      {"XSETID d 5-5", "OK changed"},
      {"XADD e 5-1 f v", "\"5-1\" changed"},
      {"XSETID e 5-0", "ERR The ID specified in XSETID is smaller than the target stream top item"},
      {"XSETID e 6-0 ENTRIESADDED 0",
       "ERR The entries_added specified in XSETID is smaller than the target stream length"},
      {"XSETID e 6-0 ENTRIESADDED -1", "ERR entries_added must be positive"},
      {"XSETID e 6-0 ENTRIESADDED x", kNotInteger},
      {"XSETID e 6-0 MAXDELETEDID x", kBadId},
      {"XSETID e 6-0 ENTRIESADDED", kSyntax},
      {"XSETID e 6-0 foo 1", kSyntax},
      {"XSETID e x", kBadId},
      {"XSETID none 1-1", kNoSuchKey},
      {"XSETID e 6", "OK changed", "e",
       "stream{length=1 last=6-0 first=5-1 deleted=0-0 added=1 5-1{f=v} idmp=100s/100 iids=0+0}"},
  });
}

TEST_CASE("since 8.2 removing respects consumer groups if told to") {
  EngineCalls calls({Dialect::redis, 802});
  check_rows(calls,
             {
                 {"XADD s 1-1 f a", "\"1-1\" changed"},
                 {"XADD s 2-1 f b", "\"2-1\" changed"},
                 {"XADD s 3-1 f c", "\"3-1\" changed"},
                 {"XADD s 4-1 f d", "\"4-1\" changed"},
                 {"XADD s 5-1 f e", "\"5-1\" changed"},
                 {"XGROUP CREATE s g 4-1", "OK changed"},
                 {"XGROUP CREATE s h 5-1", "OK changed"},
                 {"XCLAIM s g c 0 1-1 2-1 3-1 TIME 5 RETRYCOUNT 2 FORCE JUSTID", "[1-1, 2-1, 3-1] changed"},
                 {"XCLAIM s h c 0 1-1 2-1 TIME 5 RETRYCOUNT 2 FORCE JUSTID", "[1-1, 2-1] changed"},
                 {"XDELEX s ACKED IDS 3 1-1 4-1 5-1", "[(integer) 2, (integer) 1, (integer) 2] changed"},
                 {"XDELEX s DELREF IDS 2 2-1 9-9", "[(integer) 1, (integer) -1] changed"},
                 {"XDELEX s IDS 1 1-1", "[(integer) 1] changed"},
                 {"XDELEX s DELREF IDS 1 1-1", "[(integer) -1] changed"},
                 {"XDELEX s KEEPREF IDS 1 9-9", "[(integer) -1]"},
                 {"XDELEX none KEEPREF IDS 1 9-9", "[(integer) -1]", "s",
                  "stream{length=2 last=5-1 first=3-1 deleted=4-1 added=5 3-1{f=c} 5-1{f=e} group g@4-1 "
                  "read=-{3-1>c*2@5 consumer c seen=1000000000 active=1000000000} group h@5-1 "
                  "read=-{consumer c seen=1000000000 active=1000000000} idmp=100s/100 iids=0+0}"},
                 {"XACKDEL s g ACKED IDS 2 3-1 9-9", "[(integer) 1, (integer) -1] changed"},
                 {"XCLAIM s g c 0 5-1 TIME 5 RETRYCOUNT 2 FORCE JUSTID", "[5-1] changed"},
                 {"XCLAIM s h c 0 5-1 TIME 5 RETRYCOUNT 2 FORCE JUSTID", "[5-1] changed"},
                 {"XACKDEL s g ACKED IDS 1 5-1", "[(integer) 2] changed"},
                 {"XCLAIM s g c 0 5-1 TIME 5 RETRYCOUNT 2 FORCE JUSTID", "[5-1] changed"},
                 {"XACKDEL s g DELREF IDS 1 5-1", "[(integer) 1] changed"},
                 {"XACKDEL none g IDS 1 5-1", "[(integer) -1]", "s",
                  "stream{length=0 last=5-1 first=0-0 deleted=5-1 added=5 group g@4-1 read=-{consumer c "
                  "seen=1000000000 active=1000000000} group h@5-1 read=-{consumer c seen=1000000000 "
                  "active=1000000000} idmp=100s/100 iids=0+0}"},
                 {"XDELEX s IDS 0 1-1", "ERR Number of IDs must be a positive integer"},
                 {"XDELEX s IDS 2 1-1", "ERR The `numids` parameter must match the number of arguments"},
                 {"XDELEX s IDS 1 x", kBadId},
                 {"XDELEX s KEEPREF DELREF 1-1", kSyntax},
                 {"XDELEX s IDS 1 1-1 foo", kSyntax},
                 {"XACKDEL s g IDS 2 1-1", "ERR The `numids` parameter must match the number of arguments"},
             });
}

TEST_CASE("since 8.2 so does trimming") {
  EngineCalls calls({Dialect::redis, 802});
  check_rows(calls, {
                        {"XADD s 1-1 f a", "\"1-1\" changed"},
                        {"XADD s 2-1 f b", "\"2-1\" changed"},
                        {"XADD s 3-1 f c", "\"3-1\" changed"},
                        {"XGROUP CREATE s g 3-1", "OK changed"},
                        {"XCLAIM s g c 0 1-1 2-1 TIME 5 RETRYCOUNT 1 FORCE JUSTID", "[1-1, 2-1] changed"},
                        {"XTRIM s MAXLEN = 1 ACKED", "(integer) 1 changed"},
                        {"XTRIM s acked MAXLEN = 1", "(integer) 0"},
                        {"XTRIM s DELREF MAXLEN = 1", "(integer) 1 changed"},
                        {"XADD s MAXLEN = 1 KEEPREF 4-1 f d", "\"4-1\" changed"},
                        {"XADD s IDMP p i 5-1 f a", "\"5-1\" changed", "s",
                         "stream{length=2 last=5-1 first=4-1 deleted=0-0 added=5 4-1{f=d} 5-1{f=a} group "
                         "g@3-1 read=-{2-1>c*1@5 consumer c seen=1000000000 active=1000000000} producer "
                         "p{i=5-1} idmp=100s/100 iids=1+0}"},
                    });
}

TEST_CASE("an iid is used once by a producer") {
  EngineCalls calls({Dialect::redis, 806});
  check_rows(calls,
             {
                 {"XADD s IDMP p i1 1-1 f v", "\"1-1\" changed"},
                 {"XADD s IDMP p i1 * f w", "\"1-1\" changed"},
                 {"XADD s IDMP p i1 MAXLEN = 0 2-1 f w", "\"1-1\" changed"},
                 {"XADD s MAXLEN = 9 IDMP p i2 2-1 f w", "\"2-1\" changed"},
                 {"XADD s IDMP q i1 3-1 f w", "\"3-1\" changed"},
                 {"XADD s IDMPAUTO p 4-1 f w", "\"4-1\" changed"},
                 {"XADD s IDMPAUTO p * f w", "\"4-1\" changed"},
                 {"XADD none NOMKSTREAM IDMP p i1 1-1 f v", "(nil)", "s",
                  "stream{length=4 last=4-1 first=1-1 deleted=0-0 added=4 1-1{f=v} 2-1{f=w} 3-1{f=w} "
                  "4-1{f=w} producer p{i1=1-1 i2=2-1} producer q{i1=3-1} idmp=100s/100 iids=3+3}"},
                 {"XIDMPRECORD s p i9 3-1", "OK changed"},
                 {"XIDMPRECORD s p i9 3-1", "OK"},
                 {"XIDMPRECORD s p i9 4-1", "ERR The specified IDMP pair maps to a different stream ID"},
                 {"XIDMPRECORD s p i8 9-9", "ERR The specified stream ID was deleted or doesn't exist"},
                 {"XIDMPRECORD s p i8 x", kBadId},
                 {"XIDMPRECORD none p i8 1-1", kNoSuchKey},
                 {"XCFGSET s IDMP-MAXSIZE 100", "OK", "s",
                  "stream{length=4 last=4-1 first=1-1 deleted=0-0 added=4 1-1{f=v} 2-1{f=w} 3-1{f=w} "
                  "4-1{f=w} producer p{i1=1-1 i2=2-1 i9=3-1} producer q{i1=3-1} idmp=100s/100 iids=4+3}"},
                 {"XCFGSET s IDMP-MAXSIZE 2 IDMP-DURATION 86400", "OK changed"},
                 {"XIDMPRECORD s p i1 1-1", "OK changed"},
                 {"XIDMPRECORD s p i2 2-1", "OK changed"},
                 {"XIDMPRECORD s p i3 3-1", "OK changed", "s",
                  "stream{length=4 last=4-1 first=1-1 deleted=0-0 added=4 1-1{f=v} 2-1{f=w} 3-1{f=w} "
                  "4-1{f=w} producer p{i2=2-1 i3=3-1} idmp=86400s/2 iids=7+3}"},
                 {"XCFGSET s", kSyntax},
                 {"XCFGSET s IDMP-MAXSIZE", kSyntax},
                 {"XCFGSET s IDMP-MAXSIZE 0", "ERR IDMP-MAXSIZE must be between 1 and 10000"},
                 {"XCFGSET s IDMP-MAXSIZE 10001", "ERR IDMP-MAXSIZE must be between 1 and 10000"},
                 {"XCFGSET s IDMP-DURATION 86401", "ERR IDMP-DURATION must be between 1 and 86400"},
                 {"XCFGSET s IDMP-DURATION x", kNotInteger},
                 {"XCFGSET s foo 1", kSyntax},
                 {"XCFGSET none IDMP-DURATION 1", kNoSuchKey},
                 {"XADD s KEEPREF MAXLEN = 3 DELREF 9-1 f v", "\"9-1\" changed"},
                 {"XADD s IDMP p x f v", kBadId},
             });
}
