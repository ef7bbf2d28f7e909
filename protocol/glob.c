/*
 * glob.c - patterns as bit-parallel automata; see glob.h.
 *
 * An element takes one byte: it is a byte, `?` or a set. State i means that the first i elements
 * have taken the text so far; it is bit i % 64 of word i / 64. A byte advances each state with an
 * element that takes it; a state with a `*` stays as well:
 *
 *     pattern       a     *  [bc]    d
 *     element       0          1     2
 *     state      0 ---> 1 -------> 2 ---> 3     matches if it ends with 3
 *                      \_/ any byte
 *
 *     states = ((states & takes[byte]) << 1) | (states & stays)
 *
 * Most bytes are the same to all elements of a pattern: they share a row of takes[]. An edge is a
 * byte at which the answer of at least one element differs from its answer for the byte before;
 * rows begin at edges.
 */
#include "protocol/glob.h"

#include <stdint.h>

#include "protocol/token.h"

enum {
    BYTES = 256,
    WORD = 64,                       /* bits */
    WORDS_MAX = GLOB_MAX / WORD + 1, /* there is 1 state more than elements */
};

struct glob {
    size_t words;
    uint64_t end;         /* bit of the final state in the last word */
    uint64_t stays_there; /* the same bit if a `*` ends the pattern, else 0 */
    uint8_t row_of[BYTES];
    uint64_t rows[]; /* each of `words` words: `stays` is the first, then takes[] */
};

struct byte_set {
    uint64_t bits[BYTES / WORD];
};

/* --- reading --------------------------------------------------------------- */

static void add_range(struct byte_set *set, unsigned low, unsigned high)
{
    for (unsigned i = low / WORD; i <= high / WORD; i++) {
        uint64_t above = i == low / WORD ? UINT64_MAX << low % WORD : UINT64_MAX;
        uint64_t below = i == high / WORD ? UINT64_MAX >> (WORD - 1 - high % WORD) : UINT64_MAX;
        set->bits[i] |= above & below;
    }
}

static void negate(struct byte_set *set)
{
    for (unsigned i = 0; i < BYTES / WORD; i++) {
        set->bits[i] = ~set->bits[i];
    }
}

/* One literal byte, which may be escaped: as in a key (token.h), or by a backslash before it.
 * Returns what follows it; NULL where the pattern ends first. */
static const char *read_byte(const char *at, const char *end, unsigned char *byte)
{
    if (token_escape_at(at, end, byte)) {
        return at + TOKEN_ESCAPE;
    }
    if (at < end && *at == '\\') {
        at++;
    }
    if (at >= end) {
        return NULL;
    }
    *byte = (unsigned char)*at;
    return at + 1;
}

/* `at` is after the `[` of a set. Returns what follows its `]`, or NULL where it is malformed. */
static const char *read_set(const char *at, const char *end, struct byte_set *set)
{
    bool negated = at < end && (*at == '^' || *at == '!');
    at += negated;
    for (const char *first = at; at < end && (*at != ']' || at == first);) {
        unsigned char low;
        at = read_byte(at, end, &low);
        if (at == NULL) {
            return NULL;
        }
        unsigned char high = low;
        if (end - at >= 2 && at[0] == '-' && at[1] != ']') {
            at = read_byte(at + 1, end, &high);
            if (at == NULL || high < low) {
                return NULL;
            }
        }
        add_range(set, low, high);
    }
    if (negated) {
        negate(set);
    }
    return at < end ? at + 1 : NULL;
}

/* The bytes that the element at `at` takes. Returns what follows it, or NULL where it is
 * malformed. */
static const char *read_element(const char *at, const char *end, struct byte_set *takes)
{
    unsigned char byte = 0;
    *takes = (struct byte_set){{0}};
    switch (*at) {
    case '?':
        negate(takes);
        return at + 1;
    case '[':
        return read_set(at + 1, end, takes);
    default:
        at = read_byte(at, end, &byte);
        add_range(takes, byte, byte);
        return at;
    }
}

bool glob_valid(struct slice pattern)
{
    const char *at = pattern.bytes;
    const char *end = at + pattern.length;
    struct byte_set ignored;
    while (at != NULL && at < end) {
        at = *at == '*' ? at + 1 : read_element(at, end, &ignored);
    }
    return at != NULL || pattern.length == 0;
}

/* --- compiling ------------------------------------------------------------- */

/* A byte of the pattern makes 2 edges at most, and byte 0 is always one. */
size_t glob_size(size_t length)
{
    size_t takes = 2 * length + 1 < BYTES ? 2 * length + 1 : BYTES;
    return sizeof(struct glob) + (1 + takes) * (length / WORD + 1) * sizeof(uint64_t);
}

static struct byte_set edges_of(const struct byte_set *set)
{
    struct byte_set edges;
    uint64_t before = 0;
    for (unsigned i = 0; i < BYTES / WORD; i++) {
        edges.bits[i] = set->bits[i] ^ (set->bits[i] << 1 | before);
        before = set->bits[i] >> (WORD - 1);
    }
    return edges;
}

/* The number of elements, and the edges of all. */
static size_t survey(struct slice pattern, struct byte_set *edges)
{
    const char *at = pattern.bytes;
    const char *end = at + pattern.length;
    struct byte_set takes;
    size_t elements = 0;
    while (at != NULL && at < end) {
        if (*at == '*') {
            at++;
            continue;
        }
        at = read_element(at, end, &takes);
        takes = edges_of(&takes);
        for (unsigned i = 0; i < BYTES / WORD; i++) {
            edges->bits[i] |= takes.bits[i];
        }
        elements++;
    }
    return elements;
}

/* Gives each byte the row of the last edge up to it; the first edge is byte 0. Returns the number
 * of rows. */
static size_t number_rows(struct glob *glob, const struct byte_set *edges)
{
    unsigned row = 0;
    for (unsigned byte = 0; byte < BYTES; byte++) {
        row += edges->bits[byte / WORD] >> byte % WORD & 1;
        glob->row_of[byte] = (uint8_t)(row - 1);
    }
    return row;
}

static uint64_t *takes_of(struct glob *glob, unsigned byte)
{
    return glob->rows + (1 + (size_t)glob->row_of[byte]) * glob->words;
}

/* Marks the element in the rows at its edges. */
static void mark_edges(struct glob *glob, const struct byte_set *edges, size_t element)
{
    for (unsigned i = 0; i < BYTES / WORD; i++) {
        for (uint64_t left = edges->bits[i]; left != 0; left &= left - 1) {
            unsigned byte = i * WORD + (unsigned)__builtin_ctzll(left);
            takes_of(glob, byte)[element / WORD] |= UINT64_C(1) << element % WORD;
        }
    }
}

static void mark(struct glob *glob, struct slice pattern)
{
    const char *at = pattern.bytes;
    const char *end = at + pattern.length;
    struct byte_set takes;
    size_t element = 0;
    while (at != NULL && at < end) {
        if (*at == '*') {
            glob->rows[element / WORD] |= UINT64_C(1) << element % WORD;
            at++;
            continue;
        }
        at = read_element(at, end, &takes);
        takes = edges_of(&takes);
        mark_edges(glob, &takes, element);
        element++;
    }
}

struct glob *glob_compile(void *memory, struct slice pattern)
{
    struct glob *glob = memory;
    struct byte_set edges = {{1}};
    size_t elements = survey(pattern, &edges);
    size_t words = elements / WORD + 1;
    size_t takes = number_rows(glob, &edges);
    glob->words = words;
    memset(glob->rows, 0, (1 + takes) * words * sizeof(uint64_t));
    mark(glob, pattern);
    /* From edges to what is between them: an element that takes the bytes of the row before takes
     * those of this row, unless it has an edge here. That is one pass for all elements, however
     * large their sets are. */
    for (size_t i = 2 * words; i < (1 + takes) * words; i++) {
        glob->rows[i] ^= glob->rows[i - words];
    }
    glob->end = UINT64_C(1) << elements % WORD;
    glob->stays_there = glob->rows[words - 1] & glob->end;
    return glob;
}

/* --- matching -------------------------------------------------------------- */

static bool match_word(const struct glob *glob, struct slice text)
{
    uint64_t stays = glob->rows[0];
    uint64_t states = 1;
    for (size_t i = 0; i < text.length; i++) {
        if ((states & glob->stays_there) != 0) {
            return true;
        }
        uint64_t takes = glob->rows[1 + (size_t)glob->row_of[(unsigned char)text.bytes[i]]];
        states = (states & takes) << 1 | (states & stays);
        if (states == 0) {
            return false;
        }
    }
    return (states & glob->end) != 0;
}

/* The same with several words, of which only those that a state has reached are computed: most
 * texts do not match far. */
static bool match_words(const struct glob *glob, struct slice text)
{
    const uint64_t *stays = glob->rows;
    uint64_t states[WORDS_MAX] = {1};
    const uint64_t *last = &states[glob->words - 1];
    size_t reached = 1;
    for (size_t i = 0; i < text.length; i++) {
        if ((*last & glob->stays_there) != 0) {
            return true;
        }
        const uint64_t *takes =
            stays + (1 + (size_t)glob->row_of[(unsigned char)text.bytes[i]]) * glob->words;
        uint64_t moved = 0;
        uint64_t any = 0;
        for (size_t word = 0; word < reached; word++) {
            uint64_t taken = states[word] & takes[word];
            states[word] = taken << 1 | moved | (states[word] & stays[word]);
            moved = taken >> (WORD - 1);
            any |= states[word];
        }
        if (moved != 0) { /* never out of the last word: no element follows the final state */
            states[reached++] = moved;
            any = moved;
        }
        if (any == 0) {
            return false;
        }
    }
    return (*last & glob->end) != 0;
}

bool glob_match(const struct glob *glob, struct slice text)
{
    return glob->words == 1 ? match_word(glob, text) : match_words(glob, text);
}

size_t glob_steps(const struct glob *glob)
{
    return glob->words;
}
