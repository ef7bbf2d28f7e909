/*
 * frame_keys.c - lines of keys that are parsed in pieces.
 *
 * A GET may have more keys than any buffer holds. Such a line is not buffered as a whole: the words
 * before its keys are kept in parser.keys, and complete keys are returned as they arrive, each run
 * of them as a request of its own.
 *
 *   received                     requests
 *   ---------------------------  -----------------------------------------
 *   get a b c d                  get a b c    more follow
 *    e fg                        get d e      more follow
 *   h\r\n                        get fgh
 *
 * The replies do not depend on where the line was split: a word that is not a key is refused after
 * all keys before it have been returned, and the rest of the line is dropped. A key that has to be
 * decoded is a request of its own, because it may then contain blanks.
 */
#include "protocol/frame.h"

/* The rest of the line, after a key. */
struct rest {
    const char *at;    /* after the last key that was checked: a blank, or `limit` */
    const char *limit; /* the end of the line, or of what has been received */
    bool ended;        /* it is the end of the line */
};

enum next { NEXT_WORD, NEXT_LINE_END, NEXT_CUT };

void frame_keys_begin(struct parser *parser, const struct request *request)
{
    struct parser_keys *keys = &parser->keys;
    keys->verb = request->verb;
    keys->form = request->form;
    keys->options = request->options | REQUEST_IN_PIECES;
    keys->ttl = request->ttl;
    keys->ns_length = request->ns.length;
    if (request->ns.length > 0) {
        memcpy(keys->ns, request->ns.bytes, request->ns.length);
    }
    parser->state = FRAME_KEYS;
    parser->line = parser->scanned = 0;
    parser->silent = false;
}

void frame_keys_refused(struct parser *parser)
{
    if (parser->state == FRAME_KEYS) {
        parser->state = FRAME_DROP_LINE;
    }
}

static enum parse_result make_request(struct parser *parser, struct request *request,
                                      struct slice run, uint32_t options)
{
    const struct parser_keys *keys = &parser->keys;
    *request = (struct request){.verb = keys->verb,
                                .form = keys->form,
                                .options = keys->options | options,
                                .ttl = keys->ttl,
                                .ns = {keys->ns, keys->ns_length},
                                .keys = run};
    return PARSE_REQUEST;
}

/* The word after the blanks at rest->at, up to the next blank. Passes all of them but the last, so
 * that the caller need not keep them. */
static enum next next_word(const struct frame *frame, struct rest *rest, struct slice *word)
{
    enum next none = rest->ended ? NEXT_LINE_END : NEXT_CUT;
    if (rest->at == rest->limit) {
        return none;
    }
    const char *from = rest->at + 1;
    while (from < rest->limit && *from == ' ') {
        from++;
    }
    rest->at = from - 1;
    if (from == rest->limit) {
        return none;
    }
    size_t left = (size_t)(rest->limit - from);
    const char *blank = memchr(from, ' ', left);
    *word = (struct slice){from, blank == NULL ? left : (size_t)(blank - from)};
    /* The last byte may be the CR of the line end: a word that is 2 bytes longer than a key may be
     * is too long in any case. */
    bool is_whole = blank != NULL || rest->ended || left > frame->key_max + 1;
    return is_whole ? NEXT_WORD : NEXT_CUT;
}

/* The run of keys from rest->at on that need no decoding; it may be empty. */
static enum next take_run(const struct frame *frame, struct parser *parser, struct rest *rest,
                          struct slice *run, struct slice *word, bool *is_key)
{
    for (;;) {
        bool escaped = false;
        enum next next = next_word(frame, rest, word);
        if (next != NEXT_WORD) {
            return next;
        }
        *is_key = frame->is_key(parser, *word, &escaped);
        if (!*is_key || escaped) {
            return NEXT_WORD;
        }
        rest->at = word->bytes + word->length;
        run->bytes = run->length == 0 ? word->bytes : run->bytes;
        run->length = (size_t)(rest->at - run->bytes);
    }
}

static struct rest rest_of(const char *bytes, size_t length)
{
    const char *line_end = length == 0 ? NULL : memchr(bytes, '\n', length);
    struct rest rest = {bytes, line_end == NULL ? bytes + length : line_end, line_end != NULL};
    if (rest.ended && rest.limit > bytes && rest.limit[-1] == '\r') {
        rest.limit--;
    }
    return rest;
}

enum parse_result frame_keys_read(const struct frame *frame, struct parser *parser,
                                  const char *bytes, size_t length, struct request *request,
                                  size_t *consumed)
{
    struct rest rest = rest_of(bytes, length);
    struct slice run = {bytes, 0};
    struct slice word = {bytes, 0};
    bool is_key = false;
    enum next next = take_run(frame, parser, &rest, &run, &word, &is_key);
    if (next == NEXT_LINE_END) {
        parser->state = FRAME_LINE;
        *consumed = (size_t)(rest.limit - bytes) + (*rest.limit == '\r' ? 2 : 1);
        return make_request(parser, request, run, 0);
    }
    *consumed = (size_t)(rest.at - bytes);
    if (run.length > 0) {
        return make_request(parser, request, run, REQUEST_MORE_FOLLOW);
    }
    if (next == NEXT_CUT) {
        parser->wanted = length - *consumed + 1;
        return PARSE_MORE;
    }
    *consumed = (size_t)(word.bytes + word.length - bytes);
    if (!is_key) {
        parser->state = FRAME_DROP_LINE;
        return PARSE_REFUSED;
    }
    frame->decode_key(&word);
    return make_request(parser, request, word, REQUEST_MORE_FOLLOW | REQUEST_WHOLE_KEY);
}
