/*
 * remote_scripts.c - see remote_scripts.h.
 *
 * Lua has no integers of 64 bits: SUM counts in two halves of ten decimal digits.
 */
#include "daemon/request/remote_scripts.h"

#define LUA_SPLIT                                                                                  \
    "local function split(s) "                                                                     \
    "if #s >= 6 and s:byte(1) == 248 and s:byte(2) == 1 then return s:sub(1, 6), s:sub(7) end "    \
    "return '', s end "

#define LUA_VERSION                                                                                \
    "local function version(s) local v = redis.sha1hex(s):sub(1, 16) "                             \
    "if v == '0000000000000000' then return '0000000000000001' end return v end "

#define LUA_PUT                                                                                    \
    "local function put(s, ttl) "                                                                  \
    "if ttl == 'k' then redis.call('SET', KEYS[1], s, 'KEEPTTL') "                                 \
    "elseif ttl == 'n' then redis.call('SET', KEYS[1], s) "                                        \
    "elseif ttl == 'g' then redis.call('UNLINK', KEYS[1]) "                                        \
    "else redis.call('SET', KEYS[1], s, 'PX', ttl) end end "

/* Each is a constant of its own: compilers take strings side by side in a table for a comma that
 * was forgotten. */
static const char swap[] =
    LUA_VERSION LUA_PUT "local old = redis.call('GET', KEYS[1]) "
                        "if not old and ARGV[4] == '' then return -1 end "
                        "if old and version(old) ~= ARGV[2] then return 0 end "
                        "put(ARGV[1], ARGV[3]) return 1";

static const char join[] = LUA_SPLIT LUA_VERSION LUA_PUT
    "local value, place, expected, most, make, head, tell = unpack(ARGV) "
    "local old = redis.call('GET', KEYS[1]) "
    "local ttl = 'k' "
    "local rest = '' "
    "if old then "
    "if expected ~= '' and version(old) ~= expected then return {0} end "
    "head, rest = split(old) "
    "else "
    "if make == '' then return {-1} elseif make == 'r' then return {-5} end "
    "ttl = make end "
    "if #rest + #value > tonumber(most) then return {-2} end "
    "local new = place == 'a' and rest .. value or value .. rest "
    "if head == '' and new:byte(1) == 248 then head = string.char(248, 1, 0, 0, 0, 0) end "
    "put(head .. new, ttl) "
    "return {1, #new, tell == 'v' and version(head .. new) or ''}";

static const char sum[] = LUA_SPLIT LUA_VERSION LUA_PUT
    "local by, direction, wraps, expected, ttl, make, initial, tell = unpack(ARGV) "
    "local e10 = 10000000000 "
    "local function number(s) "
    "if #s == 0 or #s > 20 or s:find('%D') then return nil end "
    "s = string.rep('0', 20 - #s) .. s "
    "local hi, lo = tonumber(s:sub(1, 10)), tonumber(s:sub(11)) "
    "if hi > 1844674407 or (hi == 1844674407 and lo > 3709551615) then return nil end "
    "return hi, lo end "
    "local function text(hi, lo) "
    "if hi == 0 then return string.format('%.0f', lo) end "
    "return string.format('%.0f%010.0f', hi, lo) end "
    "local old = redis.call('GET', KEYS[1]) "
    "local head, sum, made = '', initial, '' "
    "if old then "
    "if expected ~= '' and version(old) ~= expected then return {0} end "
    "local digits "
    "head, digits = split(old) "
    "if wraps == 'w' then digits = digits:match('^ *(.-) *$') end "
    "local hi, lo = number(digits) "
    "if not hi then return {-3} end "
    "local bhi, blo = number(by) "
    "if direction == 'd' then "
    "if hi < bhi or (hi == bhi and lo < blo) then hi, lo = 0, 0 "
    "else hi, lo = hi - bhi, lo - blo if lo < 0 then hi, lo = hi - 1, lo + e10 end end "
    "else "
    "hi, lo = hi + bhi, lo + blo "
    "if lo >= e10 then hi, lo = hi + 1, lo - e10 end "
    "if hi > 1844674407 or (hi == 1844674407 and lo > 3709551615) then "
    "if wraps ~= 'w' then return {-4} end "
    "hi, lo = hi - 1844674407, lo - 3709551616 "
    "if lo < 0 then hi, lo = hi - 1, lo + e10 end end end "
    "sum = text(hi, lo) "
    "else "
    "if make == '' then return {-1} elseif make == 'r' then return {-5} end "
    "if ttl == 'k' then ttl = make end "
    "made = 'm' end "
    "put(head .. sum, ttl) "
    "return {1, sum, redis.call('PTTL', KEYS[1]), tell == 'v' and version(head .. sum) or '', "
    "made}";

static const char delete[] = LUA_VERSION "local old = redis.call('GET', KEYS[1]) "
                                         "if not old then return -1 end "
                                         "if version(old) ~= ARGV[1] then return 0 end "
                                         "redis.call('UNLINK', KEYS[1]) return 1";

static const char forever[] = "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end "
                              "redis.call('PERSIST', KEYS[1]) return 1";

static const char *const texts[REMOTE_SCRIPTS] = {
    [REMOTE_SCRIPT_SWAP] = swap,     [REMOTE_SCRIPT_JOIN] = join,       [REMOTE_SCRIPT_SUM] = sum,
    [REMOTE_SCRIPT_DELETE] = delete, [REMOTE_SCRIPT_FOREVER] = forever,
};

const char *remote_script_text(enum remote_script script)
{
    return texts[script];
}
