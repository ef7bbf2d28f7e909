/*
 * dialect_memcache.c - memcached's text commands.
 *
 * It has no namespaces: where one is asked for, it becomes a prefix `name:` of
 * the key. Its times are whole seconds, so a ttl is rounded up to the next one.
 */
#include "scripts/load/dialect.h"

static char *add_key(char *out, const struct record *r)
{
    if (r->space_bytes) {
        out = dialect_add(out, r->space, r->space_bytes);
        *out++ = ':';
    }
    return dialect_add(out, r->key, r->key_bytes);
}

static char *memcache_put(char *out, const struct record *r, const struct payload *p)
{
    out = dialect_add(out, LITERAL("set "));
    out = add_key(out, r);
    out = dialect_add(out, LITERAL(" 0 "));
    out = dialect_number(out, (r->ttl + 999) / 1000);
    *out++ = ' ';
    out = dialect_number(out, p->bytes);
    out = dialect_add(out, LITERAL("\r\n"));
    out = dialect_value(out, r, p);
    return dialect_add(out, LITERAL("\r\n"));
}

static char *memcache_get(char *out, const struct record *r)
{
    out = dialect_add(out, LITERAL("get "));
    out = add_key(out, r);
    return dialect_add(out, LITERAL("\r\n"));
}

static struct answer memcache_judge(const char *in, size_t have, const struct expect *e)
{
    size_t length, taken;
    uint64_t bytes;
    if (!dialect_line(in, have, &length, &taken)) {
        return (struct answer){VERDICT_PARTIAL, 0, 0};
    }
    if (e->put && dialect_is(in, length, LITERAL("STORED"))) {
        return (struct answer){VERDICT_STORED, taken, 0};
    }
    if (!e->put && dialect_is(in, length, LITERAL("END"))) {
        return (struct answer){VERDICT_MISS, taken, 0};
    }
    if (!e->put && dialect_begins(in, length, LITERAL("VALUE "))) {
        /* VALUE <key> <flags> <bytes>: the last word alone matters here. */
        const char *last = memrchr(in, ' ', length);
        size_t digits = length - (size_t)(last + 1 - in);
        if (dialect_read_number(last + 1, digits, &bytes)) {
            return dialect_judge_value(in, have, taken, bytes, 2 + 5, e);
        }
    }
    return (struct answer){dialect_is_error(in, length) ? VERDICT_REFUSED : VERDICT_BROKEN, taken,
                           0};
}

const struct dialect dialect_memcache = {
    .name = "memcache",
    .items_request = "stats\r\n",
    .items_mark = "STAT curr_items ",
    .items_end = "END\r\n",
    .ttl_unit = 1000,
    .put = memcache_put,
    .get = memcache_get,
    .judge = memcache_judge,
};
