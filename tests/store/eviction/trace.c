/*
 * trace.c - see trace.h.
 *
 * Ranks are drawn by the alias method (Walker, 1977; Vose, "A linear algorithm for
 * generating random numbers with a given distribution", 1991). The weights are powers,
 * which go through binary logarithms in fixed point, a bit at a time.
 */
#include "tests/store/eviction/trace.h"

#include <stdlib.h>

enum { SEED = 20, LOG_BITS = 24, ONE_SHIFT = 31, SET_SHARE = 13 };

const char *const trace_names[TRACE_KINDS] = {
    "zipf 0.8", "zipf 1.0", "scans", "drift", "sets", "ttl", "sizes", "overwrites",
};

static uint64_t scatter(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t draw(struct trace *trace)
{
    return scatter(trace->random++);
}

static uint32_t draw_below(struct trace *trace, uint32_t below)
{
    return (uint32_t)((draw(trace) >> 32) * below >> 32);
}

/* --- Zipf's law ---------------------------------------------------------- */

static uint64_t square_root(uint64_t x)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit != 0; bit >>= 1) {
        if ((root | bit) * (root | bit) <= x) {
            root |= bit;
        }
    }
    return root;
}

/* In units of 2^-LOG_BITS. */
static uint64_t logarithm(uint32_t x)
{
    unsigned whole = 31 - (unsigned)__builtin_clz(x);
    uint64_t rest = (uint64_t)x << (ONE_SHIFT - whole);
    uint64_t result = whole;
    for (int i = 0; i < LOG_BITS; i++) {
        rest = rest * rest >> ONE_SHIFT;
        result = result << 1 | rest >> (ONE_SHIFT + 1);
        rest >>= rest >> (ONE_SHIFT + 1);
    }
    return result;
}

/* x to the power of -tenths/10, in units of 2^-ONE_SHIFT. */
static uint64_t weight(const uint64_t *roots, uint32_t x, unsigned tenths)
{
    uint64_t power = logarithm(x) * tenths / 10;
    uint64_t result = UINT64_C(1) << (2 * ONE_SHIFT);
    uint64_t divisor = UINT64_C(1) << ONE_SHIFT;
    for (int i = 0; i < LOG_BITS; i++) {
        if ((power >> (LOG_BITS - 1 - i) & 1) != 0) {
            divisor = divisor * roots[i] >> ONE_SHIFT;
        }
    }
    return result / divisor >> (power >> LOG_BITS);
}

static uint64_t weigh(uint64_t *weights, uint32_t keys, unsigned tenths)
{
    uint64_t roots[LOG_BITS];
    uint64_t total = 0;
    roots[0] = square_root(UINT64_C(1) << (2 * ONE_SHIFT + 1));
    for (int i = 1; i < LOG_BITS; i++) {
        roots[i] = square_root(roots[i - 1] << ONE_SHIFT);
    }
    for (uint32_t i = 0; i < keys; i++) {
        total += weights[i] = weight(roots, i + 1, tenths);
    }
    return total;
}

/* Ranks of little weight have their cell filled up by one of much. Weights fall with
 * the rank, so both are found from the ends. */
static void fill_cells(struct trace *trace, uint64_t *weights, uint64_t total)
{
    uint32_t rich = 0;
    uint64_t unit = (total >> 32) + 1;
    for (uint32_t i = 0; i < trace->keys; i++) {
        weights[i] *= trace->keys;
        trace->other[i] = i;
        trace->keep[i] = UINT32_MAX;
    }
    for (uint32_t poor = trace->keys - 1; rich < poor;) {
        uint32_t cell = weights[rich] < total ? rich : poor;
        uint32_t giver = cell == rich ? rich + 1 : rich;
        if (weights[cell] >= total) {
            break;
        }
        trace->keep[cell] = (uint32_t)(weights[cell] / unit);
        trace->other[cell] = giver;
        weights[giver] -= total - weights[cell];
        if (cell == rich) {
            rich++;
        } else {
            poor--;
        }
    }
}

static uint32_t draw_rank(struct trace *trace)
{
    uint64_t bits = draw(trace);
    uint32_t cell = (uint32_t)((bits >> 32) * trace->keys >> 32);
    return (uint32_t)bits < trace->keep[cell] ? cell : trace->other[cell];
}

bool trace_init(struct trace *trace, enum trace_kind kind, uint32_t keys)
{
    uint64_t *weights = calloc(keys, sizeof *weights);
    *trace = (struct trace){.kind = kind, .keys = keys};
    trace->keep = calloc(keys, sizeof *trace->keep);
    trace->other = calloc(keys, sizeof *trace->other);
    bool good = weights != NULL && trace->keep != NULL && trace->other != NULL;
    if (good) {
        fill_cells(trace, weights, weigh(weights, keys, kind == TRACE_ZIPF_08 ? 8 : 10));
    } else {
        trace_deinit(trace);
    }
    free(weights);
    trace_rewind(trace);
    return good;
}

void trace_deinit(struct trace *trace)
{
    free(trace->keep);
    free(trace->other);
    trace->keep = trace->other = NULL;
}

/* --- requests ------------------------------------------------------------ */

void trace_rewind(struct trace *trace)
{
    trace->random = (uint64_t)SEED << 32;
    trace->step = 0;
    trace->fresh = trace->keys;
}

static uint32_t next_key(struct trace *trace)
{
    uint64_t step = trace->step;
    uint32_t keys = trace->keys;
    uint32_t set = keys / SET_SHARE;
    if (trace->kind == TRACE_SCANS && step * 2 / keys % 4 == 3 && (step & 1) != 0) {
        return trace->fresh++;
    }
    if (trace->kind == TRACE_SETS && (step & 1) != 0) {
        return keys + (uint32_t)(step / 4 / keys) * set + draw_below(trace, set);
    }
    uint32_t rank = draw_rank(trace);
    if (trace->kind == TRACE_DRIFT) {
        rank = (uint32_t)((rank + (UINT64_C(1) << 40) / keys * keys - step / 64) % keys);
    }
    return rank;
}

struct trace_request trace_next(struct trace *trace)
{
    struct trace_request request = {.length = 100, .now = 1000 + trace->step / 16};
    request.key = next_key(trace);
    if (trace->kind == TRACE_TTL && (scatter(request.key) & 1) != 0) {
        request.ttl = 1 + trace->keys / 64;
    }
    if (trace->kind == TRACE_SIZES) {
        request.length = 16 + (uint32_t)(scatter(request.key) % 1009);
    }
    request.writes = trace->kind == TRACE_OVERWRITES && draw_below(trace, 20) == 0;
    trace->step++;
    return request;
}

uint32_t trace_key_bound(const struct trace *trace, uint64_t requests)
{
    return trace->keys + (uint32_t)(requests / 2) + trace->keys / SET_SHARE + 1;
}

uint64_t trace_checksum(struct trace *trace, uint64_t requests)
{
    uint64_t sum = 0;
    trace_rewind(trace);
    for (uint64_t i = 0; i < requests; i++) {
        struct trace_request request = trace_next(trace);
        sum = scatter(sum ^ request.key ^ (uint64_t)request.length << 32 ^ request.ttl << 44 ^
                      (uint64_t)request.writes << 63);
    }
    trace_rewind(trace);
    return sum;
}
