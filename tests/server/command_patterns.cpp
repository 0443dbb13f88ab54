// The table of patterns, family by family.
#include "server/command_patterns.hpp"

namespace persist::test {

namespace {

using enum Nature;

constexpr CommandPattern kStrings[] = {
    {"SET @s %v [ ( NX | XX | KEEPTTL | GET | PXAT %future ) ]"},
    {"SET @s %v ( EX %seconds | PX %milliseconds | EXAT %past_s | PXAT %time ) [ ( NX | XX ) ] [ GET ]",
     chance},
    {"SETNX @s %v"},
    {"SETEX @s %seconds %v", chance},
    {"PSETEX @s %milliseconds %v", chance},
    {"GETSET @s %v"},
    {"GETDEL @s"},
    {"GETEX @s [ ( PERSIST | PXAT %future ) ]"},
    {"GETEX @s ( EX %seconds | PXAT %time )", chance},
    {"MSET { @s %v }"},
    {"MSETNX { @s %v }"},
    {"APPEND @s %v"},
    {"SETRANGE @s %offset %v"},
    {"( INCR | DECR ) @s"},
    {"( INCRBY | DECRBY ) @s %n"},
    {"INCRBYFLOAT @s %f"},
    {"GET @s"},
    {"MGET { @s }"},
    {"STRLEN @s"},
    {"( GETRANGE | SUBSTR ) @s %i %i"},
    {"LCS @s @s [ ( LEN | IDX ) ]", chance},
};

constexpr CommandPattern kBits[] = {
    {"SETBIT @b %bit ( 0 | 1 | 1 | 2 )"},
    {"SETBIT @b %bit ( 0 | 1 )"},
    {"BITFIELD @b { ( SET %type %field %n | INCRBY %type %field %n | GET %type %field | OVERFLOW ( WRAP | "
     "SAT | FAIL ) ) }"},
    {"BITFIELD_RO @b { GET %type %field }"},
    {"BITOP ( AND | OR | XOR ) @b { @b }"},
    {"BITOP NOT @b @b"},
    {"GETBIT @b %bit"},
    {"BITCOUNT @b [ %i %i [ ( BYTE | BIT ) ] ]"},
    {"BITPOS @b ( 0 | 1 ) [ %i [ %i [ ( BYTE | BIT ) ] ] ]"},
    {"SET @b %v"},
};

constexpr CommandPattern kHyperloglogs[] = {
    {"PFADD @p { %element }"}, {"PFADD @p"},          {"PFADD @p {{ %element }}"},
    {"PFMERGE @p { @p }"},     {"PFCOUNT @p"},        {"PFCOUNT { @p }"},
    {"PFDEBUG TODENSE @p"},    {"SETRANGE @p %n %v"}, {"DEL @p"},
};

constexpr CommandPattern kLists[] = {
    {"( LPUSH | RPUSH ) @l { %v }"},
    {"( LPUSH | RPUSH ) @l { %v }"},
    {"( LPUSH | RPUSH ) @l {{ %v }}"},
    {"( LPUSHX | RPUSHX ) @l { %v }"},
    {"( LPOP | RPOP ) @l [ %count ]"},
    {"LSET @l %i %v"},
    {"LTRIM @l %i %i"},
    {"LREM @l %i %v"},
    {"LINSERT @l ( BEFORE | AFTER ) %v %v"},
    {"RPOPLPUSH @l @l"},
    {"LMOVE @l @l ( LEFT | RIGHT ) ( LEFT | RIGHT )"},
    {"LMPOP %keys:l ( LEFT | RIGHT ) [ COUNT %count ]"},
    {"( BLPOP | BRPOP ) { @l } %timeout", blocks},
    {"BRPOPLPUSH @l @l %timeout", blocks},
    {"BLMOVE @l @l ( LEFT | RIGHT ) ( LEFT | RIGHT ) %timeout", blocks},
    {"BLMPOP %timeout %keys:l ( LEFT | RIGHT ) [ COUNT %count ]", blocks},
    {"LLEN @l"},
    {"LINDEX @l %i"},
    {"LRANGE @l %i %i"},
    {"LPOS @l %v [ RANK %i ] [ COUNT %count ] [ MAXLEN %count ]"},
};

constexpr CommandPattern kSets[] = {
    {"SADD @t { %m }"},
    {"SADD @t { %m }"},
    {"SADD @t {{ %element }}"},
    {"SREM @t { %m }"},
    {"SMOVE @t @t %m"},
    {"SPOP @t [ %count ]", chance},
    {"( SINTERSTORE | SUNIONSTORE | SDIFFSTORE ) @t { @t }"},
    {"( SINTER | SUNION | SDIFF ) { @t }"},
    {"SINTERCARD %keys:t [ LIMIT %count ]"},
    {"SCARD @t"},
    {"SISMEMBER @t %m"},
    {"SMISMEMBER @t { %m }"},
    {"SMEMBERS @t"},
};

constexpr CommandPattern kHashes[] = {
    {"( HSET | HMSET ) @h { %m %v }"},
    {"( HSET | HMSET ) @h { %m %v }"},
    {"HSET @h {{ %element %v }}"},
    {"HSETNX @h %m %v"},
    {"HDEL @h { %m }"},
    {"HINCRBY @h %m %n"},
    {"HINCRBYFLOAT @h %m %f"},
    {"HGET @h %m"},
    {"HMGET @h { %m }"},
    {"( HGETALL | HKEYS | HVALS | HLEN ) @h"},
    {"( HEXISTS | HSTRLEN ) @h %m"},
};

constexpr CommandPattern kSortedSets[] = {
    {"ZADD @z [ ( NX | XX ) ] [ ( GT | LT ) ] [ CH ] [ INCR ] %f %m"},
    {"ZADD @z [ ( NX | XX | GT | LT ) ] [ CH ] { %f %m }"},
    {"ZADD @z { %f %m }"},
    {"ZADD @z {{ %f %element }}"},
    {"ZINCRBY @z %f %m"},
    {"ZREM @z { %m }"},
    {"( ZPOPMIN | ZPOPMAX ) @z [ %count ]"},
    {"ZMPOP %keys:z ( MIN | MAX ) [ COUNT %count ]"},
    {"( BZPOPMIN | BZPOPMAX ) { @z } %timeout", blocks},
    {"BZMPOP %timeout %keys:z ( MIN | MAX ) [ COUNT %count ]", blocks},
    {"ZREMRANGEBYRANK @z %i %i"},
    {"ZREMRANGEBYSCORE @z %end %end"},
    {"ZRANGESTORE @z @z %i %i [ REV ]"},
    {"ZRANGESTORE @z @z %end %end BYSCORE [ REV ] [ LIMIT %i %i ]"},
    {"( ZUNIONSTORE | ZINTERSTORE ) @z %keys:zt [ %weights ] [ AGGREGATE ( SUM | MIN | MAX ) ]"},
    {"ZDIFFSTORE @z %keys:zt"},
    {"( ZUNION | ZINTER ) %keys:zt [ %weights ] [ AGGREGATE ( SUM | MIN | MAX ) ] [ WITHSCORES ]"},
    {"ZDIFF %keys:zt [ WITHSCORES ]"},
    {"ZINTERCARD %keys:zt [ LIMIT %count ]"},
    {"ZRANGE @z %i %i [ REV ] [ WITHSCORES ]"},
    {"ZRANGE @z %end %end BYSCORE [ REV ] [ LIMIT %i %i ] [ WITHSCORES ]"},
    {"ZREVRANGE @z %i %i [ WITHSCORES ]"},
    {"( ZRANGEBYSCORE | ZREVRANGEBYSCORE ) @z %end %end [ WITHSCORES ] [ LIMIT %i %i ]"},
    {"( ZRANK | ZREVRANK | ZSCORE ) @z %m"},
    {"ZMSCORE @z { %m }"},
    {"ZCARD @z"},
    {"ZCOUNT @z %end %end"},
};

// Where scores differ, members are in no order, and what a range of them holds is a matter of chance unless
// the sorted set is a small one: y keys have one score only, w keys stay small.
constexpr CommandPattern kLexRanges[] = {
    {"ZADD @y { 0 %m }"},
    {"ZADD @y {{ 0 %element }}"},
    {"ZADD @w { %f %few }"},
    {"ZADD @w { %f %few }"},
    {"( ZPOPMIN | ZPOPMAX ) @yw [ %count ]"},
    {"RENAME @y @y"},
    {"RENAME @w @w"},
    {"SET @yw %v"},
    {"ZREMRANGEBYLEX @yw %lex %lex"},
    {"ZRANGESTORE @y @y %lex %lex BYLEX [ REV ] [ LIMIT %i %i ]"},
    {"ZRANGESTORE @w @w %lex %lex BYLEX [ REV ] [ LIMIT %i %i ]"},
    {"ZRANGE @yw %lex %lex BYLEX [ REV ] [ LIMIT %i %i ]"},
    {"( ZRANGEBYLEX | ZREVRANGEBYLEX ) @yw %lex %lex [ LIMIT %i %i ]"},
    {"ZLEXCOUNT @yw %lex %lex"},
};

constexpr CommandPattern kPlaces[] = {
    {"GEOADD @g [ ( NX | XX ) ] [ CH ] { %longitude %latitude %m }"},
    {"GEOADD @g { %longitude %latitude %m }"},
    {"GEOADD @g {{ %longitude %latitude %element }}"},
    {"GEORADIUS @g %longitude %latitude %radius %unit [ COUNT %count [ ANY ] ] [ ( ASC | DESC ) ] [ WITHDIST "
     "] [ WITHHASH ] [ WITHCOORD ]"},
    {"GEORADIUS @g %longitude %latitude %radius %unit [ COUNT %count [ ANY ] ] [ ( ASC | DESC ) ] ( STORE | "
     "STOREDIST ) @g"},
    {"GEORADIUSBYMEMBER @g %m %radius %unit [ COUNT %count [ ANY ] ] [ ( ASC | DESC ) ] [ ( STORE | "
     "STOREDIST ) @g ]"},
    {"GEORADIUSBYMEMBER_RO @g %m %radius %unit [ COUNT %count ] [ WITHDIST ] [ WITHCOORD ]"},
    {"GEOSEARCH @g %center %shape [ ( ASC | DESC ) ] [ COUNT %count [ ANY ] ] [ WITHDIST ] [ WITHHASH ] [ "
     "WITHCOORD ]"},
    {"GEOSEARCHSTORE @g @g %center %shape [ ( ASC | DESC ) ] [ COUNT %count [ ANY ] ] [ STOREDIST ]"},
    {"GEOPOS @g { %m }"},
    {"GEOHASH @g { %m }"},
    {"GEODIST @g %m %m [ %unit ]"},
    {"ZREM @g { %m }"},
};

constexpr CommandPattern kStreams[] = {
    {"XADD @x %id { %m %v }"},
    {"XADD @x * { %m %v }", chance},
    {"XADD @x [ NOMKSTREAM ] ( MAXLEN | MINID ) ~ %count LIMIT %count %id { %m %v }", chance},
    {"XADD @x [ NOMKSTREAM ] ( MAXLEN [ = ] %count | MINID [ = ] %id ) %id { %m %v }"},
    {"XADD @x [ NOMKSTREAM ] ( MAXLEN [ ( = | ~ ) ] %count | MINID [ ( = | ~ ) ] %id ) %id { %m %v }",
     chance},
    {"XADD @x ( MAXLEN | MINID ) = %count LIMIT %count %id %m %v", chance},
    {"XADD @x ( MAXLEN [ ( = | ~ ) ] %count | MINID [ ( = | ~ ) ] %id ) * { %m %v }", chance},
    {"XDEL @x { %id }"},
    {"XTRIM @x ( MAXLEN [ = ] %count | MINID [ = ] %id )"},
    {"XTRIM @x ( MAXLEN [ ( = | ~ ) ] %count | MINID [ ( = | ~ ) ] %id )", chance},
    {"XTRIM @x ( MAXLEN | MINID ) ~ %count LIMIT %count", chance},
    {"XSETID @x %id [ ENTRIESADDED %count ] [ MAXDELETEDID %id ]"},
    {"XGROUP CREATE @x %group ( %id | $ | 0 ) [ MKSTREAM ] [ ENTRIESREAD %i ]"},
    {"XGROUP CREATE @x %group 0 MKSTREAM"},
    {"XGROUP SETID @x %group ( %id | $ ) [ ENTRIESREAD %i ]"},
    {"XGROUP DESTROY @x %group"},
    {"XGROUP CREATECONSUMER @x %group %consumer"},
    {"XGROUP DELCONSUMER @x %group %consumer"},
    {"XREADGROUP GROUP %group %consumer [ COUNT %count ] [ NOACK ] STREAMS @x ( > | > | %id )", chance},
    {"XREADGROUP GROUP %group %consumer [ COUNT %count ] [ NOACK ] STREAMS @x @x > >", chance},
    {"XACK @x %group { %id }"},
    {"XCLAIM @x %group %consumer 0 { %id } [ ( IDLE %count | TIME %past_ms ) ] [ RETRYCOUNT %count ] [ FORCE "
     "] [ JUSTID ] [ LASTID %id ]"},
    {"XAUTOCLAIM @x %group %consumer 0 %id [ COUNT %count ] [ JUSTID ]", chance},
    {"XLEN @x"},
    {"( XRANGE | XREVRANGE ) @x ( - | + | %id ) ( - | + | %id ) [ COUNT %count ]", chance},
    {"XPENDING @x %group", chance},
    {"XREAD [ COUNT %count ] STREAMS @x %id", chance},
};

constexpr CommandPattern kKeys[] = {
    {"DEL { @k }"},
    {"UNLINK { @k }"},
    {"RENAME @k @k"},
    {"RENAMENX @k @k"},
    {"COPY @k @k [ DB %db ] [ REPLACE ]"},
    {"MOVE @k %db"},
    {"PEXPIREAT @k %future [ ( NX | XX | GT | LT ) ]"},
    {"( EXPIRE | EXPIREAT ) @k ( %seconds | %past_s ) [ ( NX | XX | GT | LT ) ]", chance},
    {"( PEXPIRE | PEXPIREAT ) @k ( %milliseconds | %time ) [ ( NX | XX | GT | LT ) ]", chance},
    {"PERSIST @k"},
    {"DUMP @k"},
    {"DUMP @k"},
    {"RESTORE @k 0 %payload [ REPLACE ]"},
    {"RESTORE @k %future %payload [ REPLACE ] ABSTTL"},
    {"RESTORE @k ( %milliseconds | %time ) %payload [ REPLACE ] [ ABSTTL ] [ ( IDLETIME %count | FREQ %count "
     ") ]",
     chance},
    {"SORT ( @l | @t | @z ) [ BY %pattern ] [ LIMIT %i %i ] [ { GET %pattern } ] [ ( ASC | DESC ) ] STORE "
     "@l"},
    {"SORT ( @l | @t | @z ) [ BY %pattern ] [ LIMIT %i %i ] [ { GET %pattern } ] [ ( ASC | DESC ) ]"},
    {"SORT ( @l | @t | @z ) [ LIMIT %i %i ] [ { GET %pattern } ] [ ( ASC | DESC ) ] ALPHA STORE @l"},
    // What is equal stays in order, and only lists have one.
    {"RPUSH @q { %m }"},
    {"RPUSH @q {{ %element }}"},
    {"SORT @q BY %pattern [ LIMIT %i %i ] [ { GET %pattern } ] [ ( ASC | DESC ) ] ALPHA STORE @l"},
    {"EXISTS { @k }"},
    {"TYPE @k"},
    {"TOUCH { @k }"},
    {"PEXPIRETIME @k"},
};

constexpr CommandPattern kServer[] = {
    {"SELECT %db"},
    {"SELECT %db"},
    {"SELECT %db"},
    {"SELECT %db"},
    {"SELECT %db"},
    {"SELECT ( 16 | -1 | x )"},
    {"SWAPDB %db %db"},
    {"FUNCTION LOAD [ REPLACE ] %library", chance},
    {"FUNCTION DELETE ( one | two | three )", chance},
    {"FUNCTION FLUSH [ ( ASYNC | SYNC ) ]", chance},
    {"FCALL ( one | two ) 2 @s @l %v", chance},
    {"EVAL %script 2 @s @l %v", chance},
    {"FLUSHDB [ ( ASYNC | SYNC ) ]"},
    {"DBSIZE"},
};

constexpr PatternFamily kFamilies[] = {
    {kStrings, 10}, {kBits, 5},        {kHyperloglogs, 3}, {kLists, 12}, {kSets, 10},    {kHashes, 8},
    {kKeys, 12},    {kSortedSets, 16}, {kLexRanges, 5},    {kPlaces, 6}, {kStreams, 14}, {kServer, 2},
};

}  // namespace

std::span<const PatternFamily> pattern_families() { return kFamilies; }

}  // namespace persist::test
