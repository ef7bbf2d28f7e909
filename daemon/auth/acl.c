/*
 * acl.c - rules, sorted by the shapes of their patterns; see acl.h.
 */
#include "daemon/auth/acl.h"

#include <stdbool.h>
#include <stdlib.h>

#include "protocol/glob.h"

/* Several stars at the end mean the same as one. */
static struct acl_rule read_shape(struct slice pattern)
{
    struct acl_rule rule = {.text = pattern, .shape = ACL_NAME};
    while (rule.text.length > 0 && rule.text.bytes[rule.text.length - 1] == '*') {
        rule.text.length--;
        rule.shape = ACL_PREFIX;
    }
    for (size_t i = 0; i < rule.text.length; i++) {
        if (memchr("*?[\\", rule.text.bytes[i], 4) != NULL) {
            return (struct acl_rule){.text = pattern, .shape = ACL_GLOB};
        }
    }
    return rule;
}

size_t acl_rule_size(struct slice pattern)
{
    return read_shape(pattern).shape == ACL_GLOB ? glob_size(pattern.length) : 0;
}

struct acl_rule acl_rule_of(struct slice pattern, unsigned bits, void *memory)
{
    struct acl_rule rule = read_shape(pattern);
    rule.bits = bits;
    if (rule.shape == ACL_GLOB) {
        rule.glob = glob_compile(memory, pattern);
    }
    return rule;
}

/* The shorter one first: most names differ in length. */
static int compare_texts(struct slice a, struct slice b)
{
    if (a.length != b.length) {
        return a.length < b.length ? -1 : 1;
    }
    return a.length == 0 ? 0 : memcmp(a.bytes, b.bytes, a.length);
}

static int compare(const void *a, const void *b)
{
    const struct acl_rule *left = a, *right = b;
    if (left->shape != right->shape) {
        return left->shape < right->shape ? -1 : 1;
    }
    return compare_texts(left->text, right->text);
}

static const struct acl_rule *skip(const struct acl_rule *at, const struct acl_rule *end,
                                   enum acl_rule_shape shape)
{
    while (at < end && at->shape == shape) {
        at++;
    }
    return at;
}

void acl_init(struct acl *acl, struct acl_rule *rules, size_t count)
{
    struct acl_rule *end = rules;
    acl->everywhere = 0;
    qsort(rules, count, sizeof *rules, compare);
    for (size_t i = 0; i < count; i++) {
        if (rules[i].shape == ACL_PREFIX && rules[i].text.length == 0) {
            acl->everywhere |= rules[i].bits;
        } else if (end > rules && compare(&end[-1], &rules[i]) == 0) {
            end[-1].bits |= rules[i].bits;
        } else {
            *end++ = rules[i];
        }
    }
    acl->names = rules;
    acl->prefixes = skip(acl->names, end, ACL_NAME);
    acl->globs = skip(acl->prefixes, end, ACL_PREFIX);
    acl->end = end;
}

static unsigned bits_by_name(const struct acl *acl, struct slice ns)
{
    const struct acl_rule *low = acl->names, *high = acl->prefixes;
    while (low < high) {
        const struct acl_rule *middle = low + (high - low) / 2;
        int order = compare_texts(ns, middle->text);
        if (order == 0) {
            return middle->bits;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return 0;
}

static bool begins_with(struct slice text, struct slice prefix)
{
    return prefix.length <= text.length && memcmp(text.bytes, prefix.bytes, prefix.length) == 0;
}

unsigned acl_in(const struct acl *acl, struct slice ns)
{
    unsigned bits = acl->everywhere | bits_by_name(acl, ns);
    const struct acl_rule *rule = acl->prefixes;
    for (; rule < acl->globs; rule++) {
        if (begins_with(ns, rule->text)) {
            bits |= rule->bits;
        }
    }
    for (; rule < acl->end; rule++) {
        if ((rule->bits & ~bits) != 0 && glob_match(rule->glob, ns)) {
            bits |= rule->bits;
        }
    }
    return bits;
}
