/*
 * dialect_native.c - kvcached's own lines, values always with their length.
 */
#include "scripts/load/dialect.h"

static char *native_put(char *out, const struct record *r, const struct payload *p)
{
    out = dialect_add(out, LITERAL("PUT "));
    out = dialect_add(out, r->space, r->space_bytes);
    *out++ = ' ';
    out = dialect_add(out, r->key, r->key_bytes);
    *out++ = ' ';
    out = dialect_number(out, r->ttl);
    if (r->ttl) {
        out = dialect_add(out, LITERAL("ms"));
    }
    *out++ = ' ';
    out = dialect_number(out, p->bytes);
    out = dialect_add(out, LITERAL("\r\n"));
    out = dialect_value(out, r, p);
    return dialect_add(out, LITERAL("\r\n"));
}

static char *native_get(char *out, const struct record *r)
{
    out = dialect_add(out, LITERAL("GET "));
    out = dialect_add(out, r->space, r->space_bytes);
    *out++ = ' ';
    out = dialect_add(out, r->key, r->key_bytes);
    return dialect_add(out, LITERAL("\r\n"));
}

static struct answer native_judge(const char *in, size_t have, const struct expect *e)
{
    size_t length, taken;
    uint64_t bytes;
    if (!dialect_line(in, have, &length, &taken)) {
        return (struct answer){VERDICT_PARTIAL, 0, 0};
    }
    if (e->put && dialect_is(in, length, LITERAL("STORED"))) {
        return (struct answer){VERDICT_STORED, taken, 0};
    }
    if (!e->put && dialect_is(in, length, LITERAL("NOT_FOUND"))) {
        return (struct answer){VERDICT_MISS, taken, 0};
    }
    if (!e->put && dialect_begins(in, length, LITERAL("VALUE ")) &&
        dialect_read_number(in + 6, length - 6, &bytes)) {
        return dialect_judge_value(in, have, taken, bytes, 2, e);
    }
    return (struct answer){dialect_is_error(in, length) ? VERDICT_REFUSED : VERDICT_BROKEN, taken,
                           0};
}

const struct dialect dialect_native = {
    .name = "native",
    .items_request = "STATS\r\n",
    .items_mark = "STAT curr_items ",
    .items_end = "END\r\n",
    .ttl_unit = 1,
    .put = native_put,
    .get = native_get,
    .judge = native_judge,
};
