/*
 * chance.h - seeded random numbers, and ranks by Zipf's law.
 *
 * Everything random in a run comes from one seed, so that two servers are asked
 * for the same keys in the same order.
 */
#ifndef KVCACHED_SCRIPTS_LOAD_CHANCE_H
#define KVCACHED_SCRIPTS_LOAD_CHANCE_H

#include <stdint.h>

struct chance {
    uint64_t state;
};

/* Sixty-four fresh bits (splitmix64). */
static inline uint64_t chance_next(struct chance *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Uniform in 0 .. below-1; `below` fits 32 bits. */
static inline uint64_t chance_below(struct chance *c, uint64_t below)
{
    return ((chance_next(c) >> 32) * below) >> 32;
}

/*
 * Ranks 0 .. count-1 whose probability falls as 1/(rank+1)^s, for any s > 0, by
 * rejection-inversion: W. Hoermann, G. Derflinger, "Rejection-inversion to
 * generate variates from monotone discrete distributions", 1996. Constant time,
 * no table: fresh draws for ever, however many keys there are.
 */
struct zipf {
    double s;
    uint64_t count;
    double area_first; /* of the curve, up to the first rank */
    double area_last;  /* and up to the last */
    double shortcut;   /* a draw that lands this near its rank is taken unseen */
};

void zipf_init(struct zipf *z, double s, uint64_t count);
uint64_t zipf_next(const struct zipf *z, struct chance *c);

#endif
