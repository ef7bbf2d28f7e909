/*
 * acl.c - patterns in the order of their shapes; see acl.h.
 */
#include "daemon/auth/acl.h"

#include <stdbool.h>
#include <stdlib.h>

#include "protocol/glob.h"

/* Stars at the end say together what one says. */
static struct acl_rule read_shape(struct slice pattern)
{
    struct acl_rule grant = {.text = pattern, .shape = ACL_NAME};

    while (grant.text.length > 0 && grant.text.bytes[grant.text.length - 1] == '*') {
        grant.text.length--;
        grant.shape = ACL_PREFIX;
    }
    for (size_t i = 0; i < grant.text.length; i++) {
        if (memchr("*?[\\", grant.text.bytes[i], 4) != NULL) {
            return (struct acl_rule){.text = pattern, .shape = ACL_GLOB};
        }
    }
    return grant;
}

size_t acl_rule_size(struct slice pattern)
{
    return read_shape(pattern).shape == ACL_GLOB ? glob_size(pattern.length) : 0;
}

struct acl_rule acl_rule_of(struct slice pattern, unsigned bits, void *memory)
{
    struct acl_rule grant = read_shape(pattern);

    grant.bits = bits;
    if (grant.shape == ACL_GLOB) {
        grant.glob = glob_compile(memory, pattern);
    }
    return grant;
}

/* The shorter one first: most names are told apart by their length. */
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

void acl_init(struct acl *grants, struct acl_rule *array, size_t count)
{
    struct acl_rule *end = array;

    grants->everywhere = 0;
    qsort(array, count, sizeof *array, compare);
    for (size_t i = 0; i < count; i++) {
        if (array[i].shape == ACL_PREFIX && array[i].text.length == 0) {
            grants->everywhere |= array[i].bits;
        } else if (end > array && compare(&end[-1], &array[i]) == 0) {
            end[-1].bits |= array[i].bits;
        } else {
            *end++ = array[i];
        }
    }
    grants->names = array;
    grants->prefixes = skip(grants->names, end, ACL_NAME);
    grants->globs = skip(grants->prefixes, end, ACL_PREFIX);
    grants->end = end;
}

static unsigned bits_by_name(const struct acl *grants, struct slice ns)
{
    const struct acl_rule *low = grants->names, *high = grants->prefixes;

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

unsigned acl_in(const struct acl *grants, struct slice ns)
{
    unsigned bits = grants->everywhere | bits_by_name(grants, ns);
    const struct acl_rule *grant = grants->prefixes;

    for (; grant < grants->globs; grant++) {
        if (begins_with(ns, grant->text)) {
            bits |= grant->bits;
        }
    }
    for (; grant < grants->end; grant++) {
        if ((grant->bits & ~bits) != 0 && glob_match(grant->glob, ns)) {
            bits |= grant->bits;
        }
    }
    return bits;
}
