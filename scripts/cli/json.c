/*
 * json.c - replies as JSON, by json-c.
 */
#include "scripts/cli/json.h"

#include <stdlib.h>

#include "protocol/base64.h"
#include "protocol/token.h"
#include "scripts/cli/bytes.h"
#include "scripts/cli/utf8.h"

enum { NUMBER_MAX = 40 };

/* --- members ---------------------------------------------------------------------- */

static void add_text(struct json_object *object, const char *name, struct slice text)
{
    json_object_object_add(object, name, json_object_new_string_len(text.bytes, (int)text.length));
}

static void add_base64(struct json_object *object, const char *name, struct slice bytes)
{
    struct bytes text = {.at = NULL}, marker = {.at = NULL};
    char *to = bytes_reserve(&text, bytes.length / 3 * 4 + 8);
    text.length = (size_t)(base64_encode(to, bytes) - to);
    bytes_print(&marker, "%s_encoding", name);
    bytes_append_byte(&marker, '\0');
    add_text(object, name, bytes_slice(&text));
    json_object_object_add(object, marker.at, json_object_new_string("base64"));
    bytes_deinit(&text);
    bytes_deinit(&marker);
}

void json_add_bytes(struct json_object *object, const char *name, struct slice bytes)
{
    if (utf8_is_valid(bytes)) {
        add_text(object, name, bytes);
    } else {
        add_base64(object, name, bytes);
    }
}

/* Digits, with a point between them at most. */
static bool is_fraction(struct slice text)
{
    const char *point = memchr(text.bytes, '.', text.length);
    if (point == NULL || text.length >= NUMBER_MAX) {
        return false;
    }
    struct slice whole = {text.bytes, (size_t)(point - text.bytes)};
    struct slice part = {point + 1, text.length - whole.length - 1};
    uint64_t unused;
    return token_number(whole, &unused) && token_number(part, &unused);
}

void json_add_word(struct json_object *object, const char *name, struct slice text)
{
    uint64_t number;
    char digits[NUMBER_MAX];
    if (text.length > 0 && token_number(text, &number)) {
        json_object_object_add(object, name, json_object_new_uint64(number));
    } else if (text.length > 0 && is_fraction(text)) {
        memcpy(digits, text.bytes, text.length);
        digits[text.length] = '\0';
        json_object_object_add(object, name,
                               json_object_new_double_s(strtod(digits, NULL), digits));
    } else {
        json_add_bytes(object, name, text);
    }
}

/* --- replies ---------------------------------------------------------------------- */

/* Adds the words of the text in turn under these names, up to NULL; the last takes what is left. */
static void add_words(struct json_object *object, struct slice text, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        struct slice word = reply_nth(text, i);
        if (names[i + 1] == NULL) {
            word.length = (size_t)(text.bytes + text.length - word.bytes);
        }
        json_add_word(object, names[i], word);
    }
}

/* Adds NAME=WORD pairs. */
static void add_pairs(struct json_object *object, struct slice text)
{
    struct slice pair = reply_nth(text, 0);
    for (size_t i = 1; pair.length > 0; pair = reply_nth(text, i++)) {
        const char *sign = memchr(pair.bytes, '=', pair.length);
        if (sign != NULL) {
            char *name = memory_copy((struct slice){pair.bytes, (size_t)(sign - pair.bytes)});
            json_add_word(object, name,
                          (struct slice){sign + 1, (size_t)(pair.bytes + pair.length - sign - 1)});
            free(name);
        }
    }
}

/* Replies whose words have names of their own. */
static const struct form {
    const char *word;
    const char *names[4];
    bool in_listing; /* it is a row: its word says no more than the verb */
} forms[] = {
    {"KEY", {"key"}, true},
    {"NAMESPACE", {"namespace", "records", "bytes"}, true},
    {"STAT", {"name", "value"}, true},
    {"SETTING", {"name", "value", "origin"}, true},
    {"SIZE", {"up_to", "records", "bytes"}, false},
    {"LARGE", {"bytes", "key"}, false},
    {"TTL", {"seconds"}, false},
    {"NUMBER", {"number"}, false},
    {"FLUSHED", {"records"}, false},
    {"VERSION", {"version"}, false},
};

static const struct form *find_form(const struct reply *reply)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (reply_is(reply, forms[i].word)) {
            return &forms[i];
        }
    }
    return NULL;
}

static bool has_pairs(const struct reply *reply)
{
    return reply_is(reply, "CLIENT") || reply_is(reply, "SLOW") || reply_is(reply, "EVENT");
}

/* `SETTING name value origin`, whose value may stand between quotation marks and have blanks. */
static void add_setting(struct json_object *object, struct slice text)
{
    struct slice name = reply_nth(text, 0), value = reply_nth(text, 1);
    const char *end = text.bytes + text.length;
    if (value.length > 0 && value.bytes[0] == '"') {
        const char *from = value.bytes + 1;
        const char *mark = memmem(from, (size_t)(end - from), "\" ", 2);
        value.length = (size_t)((mark != NULL ? mark + 1 : end) - value.bytes);
    }
    const char *rest = value.bytes + value.length;
    json_add_bytes(object, "name", name);
    json_add_word(object, "value", value);
    json_add_bytes(object, "origin",
                   rest < end ? (struct slice){rest + 1, (size_t)(end - rest - 1)} : slice_of(""));
}

static void add_rest(struct json_object *object, const struct typed_verb *verb,
                     const struct reply *reply)
{
    static const char *const histogram[] = {"up_to", "records", NULL};
    const struct form *form = find_form(reply);
    if (form == NULL || !form->in_listing) {
        json_add_bytes(object, "reply", reply->word);
    }
    if (has_pairs(reply)) {
        add_pairs(object, reply->rest);
    } else if (reply_is(reply, "SETTING")) {
        add_setting(object, reply->rest);
    } else if (verb->shape == VERB_LISTING && reply_is(reply, "TTL")) {
        add_words(object, reply->rest, histogram);
    } else if (form != NULL) {
        add_words(object, reply->rest, form->names);
    } else if (reply->rest.length > 0) {
        json_add_bytes(object, "text", reply->rest);
    }
}

/* A line for people. */
static bool is_line(const struct typed_verb *verb, const struct reply *reply)
{
    return verb->values == REPLY_NONE && !has_pairs(reply) && find_form(reply) == NULL &&
           !reply_is(reply, "NOT_FOUND") && !reply_is(reply, "OK");
}

struct json_object *json_reply(const struct typed_verb *verb, const struct reply *reply,
                               struct slice key)
{
    struct json_object *object = json_object_new_object();
    if (key.length > 0) {
        json_add_bytes(object, "key", key);
    }
    if (reply_is_error(reply)) {
        json_add_bytes(object, "error", reply->word);
        json_add_bytes(object, "text", reply->rest);
    } else if (is_line(verb, reply)) {
        json_add_bytes(object, "line", reply->line);
    } else if (reply->has_value) {
        if (reply_is(reply, "RECORD")) {
            json_add_bytes(object, "key", reply_nth(reply->rest, 0));
        }
        json_add_bytes(object, "value", reply->value);
    } else {
        add_rest(object, verb, reply);
    }
    return object;
}

const char *json_text(struct json_object *object)
{
    return json_object_to_json_string_ext(object,
                                          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}
