/*
 * utf8.c - whether bytes are UTF-8.
 */
#include "scripts/cli/utf8.h"

/* What may follow a first byte: how many bytes, and the bounds of the next one. */
struct follow {
    size_t count;
    unsigned char least, most;
};

/* False for a byte that none begins with. */
static bool follows(unsigned char first, struct follow *follow)
{
    *follow = (struct follow){0, 0x80, 0xbf};
    if (first < 0x80) {
        return true;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        follow->count = 1;
    } else if ((first & 0xf0) == 0xe0) {
        follow->count = 2;
        follow->least = first == 0xe0 ? 0xa0 : 0x80;
        follow->most = first == 0xed ? 0x9f : 0xbf;
    } else if (first >= 0xf0 && first <= 0xf4) {
        follow->count = 3;
        follow->least = first == 0xf0 ? 0x90 : 0x80;
        follow->most = first == 0xf4 ? 0x8f : 0xbf;
    } else {
        return false;
    }
    return true;
}

bool utf8_is_valid(struct slice bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.bytes, *end = at + bytes.length;
    while (at < end) {
        struct follow follow;
        if (!follows(*at++, &follow) || (size_t)(end - at) < follow.count) {
            return false;
        }
        for (; follow.count > 0; follow.count--, at++) {
            if (*at < follow.least || *at > follow.most) {
                return false;
            }
            follow.least = 0x80;
            follow.most = 0xbf;
        }
    }
    return true;
}
