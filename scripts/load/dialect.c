/*
 * dialect.c - what the dialects have in common: numbers, values, lines.
 */
#include "scripts/load/dialect.h"

static const struct dialect *const dialects[] = {&dialect_native, &dialect_memcache, &dialect_redis,
                                                 &dialect_inline};

const struct dialect *dialect_find(const char *name)
{
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        if (strcmp(dialects[i]->name, name) == 0) {
            return dialects[i];
        }
    }
    return NULL;
}

char *dialect_number(char *out, uint64_t number)
{
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    while (n) {
        *out++ = reversed[--n];
    }
    return out;
}

char *dialect_value(char *out, const struct record *r, const struct payload *p)
{
    size_t own = r->key_bytes < p->bytes ? r->key_bytes : p->bytes;
    out = dialect_add(out, r->key, own);
    return dialect_add(out, p->filler, p->bytes - own);
}

bool dialect_line(const char *in, size_t have, size_t *length, size_t *taken)
{
    const char *end = memchr(in, '\n', have);
    if (!end) {
        return false;
    }
    *taken = (size_t)(end - in) + 1;
    *length = *taken - 1;
    if (*length && in[*length - 1] == '\r') {
        --*length;
    }
    return true;
}

struct answer dialect_judge_value(const char *in, size_t have, size_t taken, uint64_t bytes,
                                  size_t after, const struct expect *e)
{
    const struct record *r = e->record;
    size_t own = r->key_bytes < bytes ? r->key_bytes : (size_t)bytes;
    if (have < taken + own) {
        return (struct answer){VERDICT_PARTIAL, 0, 0};
    }
    bool right = bytes == e->value_bytes && memcmp(in + taken, r->key, own) == 0;
    enum verdict verdict = right || e->trust ? VERDICT_HIT : VERDICT_REFUSED;
    return (struct answer){verdict, taken + own, (size_t)bytes - own + after};
}

bool dialect_read_number(const char *text, size_t length, uint64_t *number)
{
    if (length == 0 || length > 18) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *number = *number * 10 + (uint64_t)(text[i] - '0');
    }
    return true;
}
