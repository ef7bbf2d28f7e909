/*
 * chance.c - Zipf's law drawn without a table.
 *
 * The curve x^-s is integrated in closed form; a uniform draw on its area is
 * turned back into an x, which is rounded to a rank and, rarely, refused. Both
 * directions go through expm1 and log1p, so that s = 1, where the closed form
 * divides by zero, needs no branch of its own beyond the series near zero.
 */
#include "scripts/load/chance.h"

#include <math.h>

/* (e^x - 1) / x, and its limit at zero. */
static double expm1_ratio(double x)
{
    return fabs(x) > 1e-8 ? expm1(x) / x : 1 + x / 2;
}

/* log(1 + x) / x, and its limit at zero. */
static double log1p_ratio(double x)
{
    return fabs(x) > 1e-8 ? log1p(x) / x : 1 - x / 2;
}

static double height(double s, double x)
{
    return exp(-s * log(x));
}

static double area(double s, double x)
{
    double l = log(x);
    return expm1_ratio((1 - s) * l) * l;
}

static double area_inverse(double s, double y)
{
    double t = fmax(y * (1 - s), -1);
    return exp(log1p_ratio(t) * y);
}

void zipf_init(struct zipf *z, double s, uint64_t count)
{
    z->s = s;
    z->count = count;
    z->area_first = area(s, 1.5) - 1;
    z->area_last = area(s, (double)count + 0.5);
    z->shortcut = 2 - area_inverse(s, area(s, 2.5) - height(s, 2));
}

uint64_t zipf_next(const struct zipf *z, struct chance *c)
{
    for (;;) {
        double draw = (double)(chance_next(c) >> 11) * 0x1p-53;
        double y = z->area_last + draw * (z->area_first - z->area_last);
        double x = area_inverse(z->s, y);
        double rank = fmin(fmax(floor(x + 0.5), 1), (double)z->count);
        if (rank - x <= z->shortcut || y >= area(z->s, rank + 0.5) - height(z->s, rank)) {
            return (uint64_t)rank - 1;
        }
    }
}
