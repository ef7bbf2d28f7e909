/*
 * victims.c - keeping the highest ranks sorted; see victims.h.
 */
#include "daemon/store/reclaim/victims.h"

#include <string.h>

void victims_clear(struct victims *victims, unsigned most)
{
    victims->count = 0;
    victims->most = most < VICTIMS_MAX ? most : VICTIMS_MAX;
}

void victims_offer(struct victims *victims, struct victim victim)
{
    struct victim *entries = victims->entries;
    unsigned at = 0;
    if (victims->count < victims->most) {
        memmove(entries + 1, entries, victims->count * sizeof *entries);
        victims->count++;
    } else if (victims->count == 0 || victim.rank <= entries[0].rank) {
        return;
    }
    /* The first entry is free now, or the lowest rank, which is dropped. */
    for (; at + 1 < victims->count && entries[at + 1].rank < victim.rank; at++) {
        entries[at] = entries[at + 1];
    }
    entries[at] = victim;
}

void victims_spare(struct victims *victims)
{
    if (victims->count > 1) {
        victims->count--;
        memmove(victims->entries, victims->entries + 1, victims->count * sizeof *victims->entries);
    }
}

bool victims_is_eligible(const struct segment *segment)
{
    return segment_is_linked(segment) && !segment_is_pinned(segment);
}

struct segment *victims_take(struct victims *victims, const struct segments *segments)
{
    while (victims->count > 0) {
        const struct victim *victim = &victims->entries[--victims->count];
        struct segment *segment = segment_at(segments, victim->segment);
        if (victims_is_eligible(segment) &&
            __atomic_load_n(&segment->serial, __ATOMIC_RELAXED) == victim->serial) {
            return segment;
        }
    }
    return NULL;
}
