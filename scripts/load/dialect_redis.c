/*
 * dialect_redis.c - Redis, in RESP arrays as its clients write them and in the
 * lines that a person types. Replies are the same for both.
 *
 * A namespace becomes a prefix `name:` of the key. Lines cannot carry a value
 * with spaces, which the generator's never have.
 */
#include "scripts/load/dialect.h"

static size_t key_length(const struct record *r)
{
    return r->key_bytes + (r->space_bytes ? r->space_bytes + 1 : 0);
}

static char *add_key(char *out, const struct record *r)
{
    if (r->space_bytes) {
        out = dialect_add(out, r->space, r->space_bytes);
        *out++ = ':';
    }
    return dialect_add(out, r->key, r->key_bytes);
}

static char *add_size(char *out, size_t bytes)
{
    *out++ = '$';
    out = dialect_number(out, bytes);
    return dialect_add(out, LITERAL("\r\n"));
}

static char *redis_put(char *out, const struct record *r, const struct payload *p)
{
    if (r->ttl) {
        out = dialect_add(out, LITERAL("*5\r\n$3\r\nSET\r\n"));
    } else {
        out = dialect_add(out, LITERAL("*3\r\n$3\r\nSET\r\n"));
    }
    out = add_key(add_size(out, key_length(r)), r);
    out = dialect_add(out, LITERAL("\r\n"));
    out = dialect_value(add_size(out, p->bytes), r, p);
    if (r->ttl) {
        char ttl[20];
        size_t digits = (size_t)(dialect_number(ttl, r->ttl) - ttl);
        out = dialect_add(out, LITERAL("\r\n$2\r\nPX\r\n"));
        out = dialect_add(add_size(out, digits), ttl, digits);
    }
    return dialect_add(out, LITERAL("\r\n"));
}

static char *redis_get(char *out, const struct record *r)
{
    out = dialect_add(out, LITERAL("*2\r\n$3\r\nGET\r\n"));
    out = add_key(add_size(out, key_length(r)), r);
    return dialect_add(out, LITERAL("\r\n"));
}

static char *inline_put(char *out, const struct record *r, const struct payload *p)
{
    out = add_key(dialect_add(out, LITERAL("SET ")), r);
    *out++ = ' ';
    out = dialect_value(out, r, p);
    if (r->ttl) {
        out = dialect_number(dialect_add(out, LITERAL(" PX ")), r->ttl);
    }
    return dialect_add(out, LITERAL("\r\n"));
}

static char *inline_get(char *out, const struct record *r)
{
    out = add_key(dialect_add(out, LITERAL("GET ")), r);
    return dialect_add(out, LITERAL("\r\n"));
}

static struct answer redis_judge(const char *in, size_t have, const struct expect *e)
{
    size_t length, taken;
    uint64_t bytes;
    if (!dialect_line(in, have, &length, &taken)) {
        return (struct answer){VERDICT_PARTIAL, 0, 0};
    }
    if (e->put && dialect_is(in, length, LITERAL("+OK"))) {
        return (struct answer){VERDICT_STORED, taken, 0};
    }
    if (!e->put && dialect_is(in, length, LITERAL("$-1"))) {
        return (struct answer){VERDICT_MISS, taken, 0};
    }
    if (!e->put && dialect_begins(in, length, LITERAL("$")) &&
        dialect_read_number(in + 1, length - 1, &bytes)) {
        return dialect_judge_value(in, have, taken, bytes, 2, e);
    }
    bool is_error = dialect_begins(in, length, LITERAL("-"));
    return (struct answer){is_error ? VERDICT_REFUSED : VERDICT_BROKEN, taken, 0};
}

const struct dialect dialect_redis = {
    .name = "redis",
    .items_request = "*1\r\n$6\r\nDBSIZE\r\n",
    .items_mark = ":",
    .items_end = "\r\n",
    .ttl_unit = 1,
    .put = redis_put,
    .get = redis_get,
    .judge = redis_judge,
};

const struct dialect dialect_inline = {
    .name = "inline",
    .items_request = "DBSIZE\r\n",
    .items_mark = ":",
    .items_end = "\r\n",
    .ttl_unit = 1,
    .put = inline_put,
    .get = inline_get,
    .judge = redis_judge,
};
