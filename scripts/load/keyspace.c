/*
 * keyspace.c - record numbers turned into names, keys and times.
 *
 * This runs for every request and every reply on the generator's one core, so
 * it writes only the eight digits that change.
 */
#include "scripts/load/keyspace.h"

#include <string.h>

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

void keyspace_init(struct keyspace *k, double s)
{
    k->skewed = s > 0;
    if (k->skewed) {
        zipf_init(&k->zipf, s, k->count);
    }
    k->stride = 2654435761u % k->count;
    while (common_divisor(k->stride, k->count) != 1) {
        k->stride++;
    }
}

uint64_t keyspace_draw(const struct keyspace *k, struct chance *c)
{
    if (!k->skewed) {
        return chance_below(c, k->count);
    }
    return zipf_next(&k->zipf, c) * k->stride % k->count;
}

void keyspace_prepare(const struct keyspace *k, struct record *r)
{
    memset(r->key, '0', sizeof r->key);
    r->key[0] = 'k';
    r->key_bytes = k->key_bytes;
    r->space_bytes = strnlen(k->name, RECORD_NAMESPACE_MAX);
    memcpy(r->space, k->name, r->space_bytes);
}

static size_t write_decimal(char *to, uint64_t number)
{
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    for (size_t i = 0; i < n; i++) {
        to[i] = reversed[n - 1 - i];
    }
    return n;
}

static void write_hex(char *to, uint32_t number)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 7; i >= 0; i--, number >>= 4) {
        to[i] = digits[number & 15];
    }
}

bool keyspace_is_brief(const struct keyspace *k, uint64_t i)
{
    struct chance c = {.state = ~i};
    return k->brief && chance_below(&c, 2);
}

/* Neighbours get unlike times, and the same record always the same. */
static uint32_t spread_ttl(const struct keyspace *k, uint64_t i)
{
    if (keyspace_is_brief(k, i)) {
        return k->brief;
    }
    if (k->ttl_max <= k->ttl_min) {
        return k->ttl_min;
    }
    struct chance c = {.state = i};
    return k->ttl_min + (uint32_t)chance_below(&c, k->ttl_max - k->ttl_min + 1);
}

void keyspace_record(const struct keyspace *k, uint64_t i, struct record *r)
{
    write_hex(r->key + r->key_bytes - 8, (uint32_t)i);
    r->ttl = spread_ttl(k, i);
    if (k->namespaces > 1) {
        size_t fixed = strnlen(k->name, RECORD_NAMESPACE_MAX);
        r->space_bytes = fixed + write_decimal(r->space + fixed, i % k->namespaces);
    }
}
