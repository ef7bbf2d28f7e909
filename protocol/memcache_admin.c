/*
 * memcache_admin.c - the commands of memcached's protocol that are not about a record: statistics,
 * listings, settings and help.
 *
 * An unknown command gets an error line, as from memcached. A command that changes internals of
 * memcached is checked as memcached checks it and answered with OK; it has no effect here.
 */
#include "protocol/memcache.h"

#include <string.h>

enum {
    ADMIN_WORDS_MAX = 4, /* further words are ignored */
    SLEEP_MAX = 1000000, /* microseconds */
};

/* --- words ---------------------------------------------------------------------- */

/* Returns the number of words, which may be larger than ADMIN_WORDS_MAX. */
static size_t take_words(struct memcache_line *line, struct slice words[ADMIN_WORDS_MAX])
{
    struct slice word;
    size_t count = 0;
    while (memcache_word(line, &word)) {
        if (count < ADMIN_WORDS_MAX) {
            words[count] = word;
        }
        count++;
    }
    return count;
}

/* The same without noreply as the last word. */
static size_t take_words_but_noreply(struct memcache_line *line,
                                     struct slice words[ADMIN_WORDS_MAX])
{
    size_t count = take_words(line, words);
    bool has_it =
        count > 0 && count <= ADMIN_WORDS_MAX && slice_equal(words[count - 1], slice_of("noreply"));
    return count - has_it;
}

static bool number32(struct slice word, uint64_t *number)
{
    return token_number(word, number) && *number <= UINT32_MAX;
}

/* --- verbosity -------------------------------------------------------------------- */

enum frame_line memcache_read_verbosity(struct memcache_line *line, struct request *request)
{
    struct slice words[ADMIN_WORDS_MAX];
    uint64_t level = 0;
    (void)request;
    return take_words(line, words) > 0 && number32(words[0], &level) ? FRAME_REQUEST
                                                                     : memcache_bad_format(line);
}

/* --- stats ------------------------------------------------------------------------ */

static enum frame_line read_detail(struct memcache_line *line, struct request *request,
                                   struct slice what)
{
    if (slice_equal(what, slice_of("dump"))) {
        request->topic = STATS_NAMESPACES;
    } else if (slice_equal(what, slice_of("on")) || slice_equal(what, slice_of("off"))) {
        request->verb = VERB_OK; /* detail is always on */
    } else {
        return memcache_refuse(line, "usage: stats detail on|off|dump");
    }
    return FRAME_REQUEST;
}

/* stats cachedump <class> <limit> */
static enum frame_line read_cachedump(struct memcache_line *line, struct request *request,
                                      const struct slice *words, size_t count)
{
    uint64_t number = 0;
    if (count < 3) {
        return memcache_refuse(line, "bad command line");
    }
    if (!number32(words[1], &number) || !number32(words[2], &request->number)) {
        return memcache_bad_format(line);
    }
    if (number > REQUEST_NUMBER_MAX) {
        return memcache_refuse(line, "Illegal slab id");
    }
    request->verb = VERB_METADUMP;
    request->metadump = METADUMP_ITEMS;
    request->pattern = words[1];
    return FRAME_REQUEST;
}

/* Topics that need no further word. */
static bool find_topic(struct slice word, enum stats_topic *topic)
{
    static const struct {
        const char *word;
        enum stats_topic topic;
    } topics[] = {{"reset", STATS_RESET}, {"settings", STATS_SETTINGS},
                  {"items", STATS_ITEMS}, {"slabs", STATS_SLABS},
                  {"conns", STATS_CONNS}, {"namespaces", STATS_NUMBERS}};
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        if (slice_equal(word, slice_of(topics[i].word))) {
            *topic = topics[i].topic;
            return true;
        }
    }
    return false;
}

enum frame_line memcache_read_stats(struct memcache_line *line, struct request *request)
{
    struct slice words[ADMIN_WORDS_MAX] = {{NULL, 0}};
    size_t count = take_words(line, words);
    if (count == 0 || find_topic(words[0], &request->topic)) {
        return FRAME_REQUEST;
    }
    if (slice_equal(words[0], slice_of("detail"))) {
        return read_detail(line, request, words[1]);
    }
    if (slice_equal(words[0], slice_of("cachedump"))) {
        return read_cachedump(line, request, words, count);
    }
    if (slice_equal(words[0], slice_of("sizes"))) {
        request->verb = VERB_METADUMP;
        request->metadump = METADUMP_SIZES;
        return FRAME_REQUEST;
    }
    return memcache_unknown(line);
}

/* --- lru_crawler ------------------------------------------------------------------- */

/* Whether the text is a list of numbers above 0, separated by commas. */
static bool are_numbers(struct slice list)
{
    const char *at = list.bytes;
    const char *end = list.bytes + list.length;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *until = comma == NULL ? end : comma;
        uint64_t number = 0;
        if (!token_number((struct slice){at, (size_t)(until - at)}, &number) || number == 0 ||
            number > REQUEST_NUMBER_MAX) {
            return false;
        }
        at = comma == NULL ? end : comma + 1;
    }
    return list.length > 0 && list.length <= REQUEST_WORDS_MAX;
}

/* What a crawler command is about: everything, or the namespaces of these numbers. */
static enum frame_line take_classes(struct memcache_line *line, struct request *request,
                                    struct slice classes)
{
    if (slice_equal(classes, slice_of("all")) || slice_equal(classes, slice_of("hash"))) {
        return FRAME_REQUEST;
    }
    if (!are_numbers(classes)) {
        frame_refuse(line->parser, REPLY_CLIENT_ERROR, "%s", "");
        line->parser->error.reason = REASON_NO_SUCH_NUMBER;
        return FRAME_REFUSED;
    }
    request->pattern = classes;
    return FRAME_REQUEST;
}

static enum frame_line read_tuning(struct memcache_line *line, struct slice what,
                                   struct slice value)
{
    bool is_sleep = slice_equal(what, slice_of("sleep"));
    uint64_t number = 0;
    if (!is_sleep && !slice_equal(what, slice_of("tocrawl"))) {
        return memcache_unknown(line);
    }
    if (!number32(value, &number)) {
        return memcache_bad_format(line);
    }
    if (is_sleep && number > SLEEP_MAX) {
        return memcache_refuse(line, "sleep must be one second or less");
    }
    return FRAME_REQUEST;
}

enum frame_line memcache_read_crawler(struct memcache_line *line, struct request *request)
{
    struct slice words[ADMIN_WORDS_MAX];
    size_t count = take_words_but_noreply(line, words);
    if (count == 1) {
        bool known =
            slice_equal(words[0], slice_of("enable")) || slice_equal(words[0], slice_of("disable"));
        return known ? FRAME_REQUEST : memcache_unknown(line);
    }
    if (count != 2) {
        return memcache_unknown(line);
    }
    if (slice_equal(words[0], slice_of("crawl"))) {
        return take_classes(line, request, words[1]);
    }
    bool details = slice_equal(words[0], slice_of("metadump"));
    if (!details && !slice_equal(words[0], slice_of("mgdump"))) {
        return read_tuning(line, words[0], words[1]);
    }
    request->verb = VERB_METADUMP;
    request->metadump = details ? METADUMP_DETAILS : METADUMP_REQUESTS;
    return take_classes(line, request, words[1]);
}

/* --- cache_memlimit ---------------------------------------------------------------- */

/* Whether so many megabytes are available is checked when the command is executed. */
enum frame_line memcache_read_limit(struct memcache_line *line, struct request *request)
{
    struct slice word;
    bool is_limit = memcache_word(line, &word) && number32(word, &request->number);
    return is_limit ? FRAME_REQUEST : memcache_unknown(line);
}

/* --- help -------------------------------------------------------------------------- */

struct slice memcache_help(const struct request *request)
{
    (void)request;
    static const char text[] =
#define COMMAND(id, word, reader, verb) word "\r\n"
#include "protocol/memcache.def"
#undef COMMAND
        ;
    return (struct slice){text, sizeof text - 1};
}
