/*
 * conf_scan.c - makes the text that libconfig parses.
 *
 * libconfig has three habits that a daemon must not have, least of all at a reload: it exits when
 * an @include names a directory, it truncates whole numbers of more than 32 bits silently, and it
 * stops at the first name that is given twice. So the file is scanned once before. The scan knows
 * comments, strings, names, numbers and braces of the language, and no more:
 *
 *   - an @include is replaced by the contents of its file, whose path is relative to the file
 *     with the @include, and each line keeps the place where it was read;
 *   - a long whole number gets the suffix for 64 bits, and a longer one is replaced by a number
 *     that is too large for every option;
 *   - a value without quotation marks that libconfig does not know becomes a string with a mark
 *     (conf_bare.h), so that its option refuses it;
 *   - a name that its group has already is replaced by one that libconfig takes and that
 *     conf_check recognises (CONF_SCAN_DUPLICATE), and so is a name at the top level that the
 *     command line has (CONF_SCAN_OVERRIDDEN);
 *   - a comment that ends with the file instead of its line is left out, and so is the byte order
 *     mark that some editors write: libconfig knows neither.
 *
 * libconfig compares each name with all names of its group, and so does the search for
 * duplicates. No group has many options, so the scan ends at a group with far too many: then the
 * time to read a file is linear in its length, whatever the file contains.
 *
 * Lines stay lines. Everything else is copied unchanged.
 */
#include "conf/conf_scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_bare.h"
#include "conf/conf_file.h"
#include "conf/conf_report.h"
#include "conf/conf_text.h"

enum {
    FILES_MOST = 32,     /* files in all, which ends a circle of includes */
    GROUPS_DEEPEST = 16, /* nested groups; options are nested 3 deep at most */
    SETTINGS_MOST = 256, /* in one group */
    DIGITS_INT = 9,      /* a number of so many digits fits 32 bits */
    DIGITS_MOST = 18,    /* a number of so many digits fits 64 bits */
};

/* What a setting or a list has to go on with. */
enum expected { EXPECTS_NOTHING, EXPECTS_SIGN /* = or : */, EXPECTS_VALUE };

/* A name in the text. */
struct name {
    size_t offset;
    size_t length;
    unsigned line;
    bool overrides; /* it is the command line's */
    size_t file;    /* in which it stands */
};

struct scan {
    struct conf_text *text;
    struct conf_report *report;
    struct name *names; /* of all open groups, the innermost last */
    size_t name_count;
    size_t name_room;
    size_t groups[GROUPS_DEEPEST];         /* index in `names` of each group's first */
    unsigned settings[GROUPS_DEEPEST + 1]; /* their number, at the top level and in each group */
    size_t depth;                          /* of open groups */
    enum expected expected;
    bool overrides; /* what is scanned is the command line's */
    size_t file;    /* what is scanned, as its number in the text */
    unsigned includes;
};

/* The file that is being scanned. */
struct source {
    const char *at;
    const char *end;
    struct conf_place place; /* of `at` */
    bool at_line_start;      /* nothing but blanks in this line so far */
};

static void scan_source(struct scan *scan, struct source *source);

/* --- names ---------------------------------------------------------------- */

/* Where the innermost group had this name before, or NULL. */
static const struct name *seen_before(const struct scan *scan, const char *name, size_t length)
{
    size_t first = scan->depth == 0 ? 0 : scan->groups[scan->depth - 1];
    for (size_t i = first; i < scan->name_count; i++) {
        if (scan->names[i].length == length &&
            memcmp(scan->text->bytes + scan->names[i].offset, name, length) == 0) {
            return &scan->names[i];
        }
    }
    return NULL;
}

/* Adds the name that is appended next to the names of the innermost group. */
static void remember_name(struct scan *scan, size_t length)
{
    if (scan->name_count == scan->name_room) {
        size_t room = scan->name_room * 2 + 64;
        struct name *names = reallocarray(scan->names, room, sizeof *names);
        if (names == NULL) {
            scan->text->no_memory = true;
            return;
        }
        scan->names = names;
        scan->name_room = room;
    }
    scan->names[scan->name_count++] =
        (struct name){scan->text->length, length, scan->text->lines, scan->overrides, scan->file};
}

static void open_group(struct scan *scan)
{
    if (scan->depth == GROUPS_DEEPEST) {
        conf_report_add(scan->report, scan->text->lines,
                        "this is the %dth group inside of another, no option is so far inside: "
                        "close some with }",
                        GROUPS_DEEPEST);
        scan->text->truncated = true;
        return;
    }
    scan->groups[scan->depth] = scan->name_count;
    scan->settings[++scan->depth] = 0;
}

static void close_group(struct scan *scan)
{
    if (scan->depth > 0) {
        scan->name_count = scan->groups[--scan->depth];
    }
}

/* Counts one more setting in the innermost group. */
static void count_setting(struct scan *scan)
{
    if (++scan->settings[scan->depth] <= SETTINGS_MOST) {
        return;
    }
    conf_report_add(scan->report, scan->text->lines,
                    "this is the %dth setting of one group, there are not so many options: "
                    "leave out what is none",
                    SETTINGS_MOST + 1);
    scan->text->truncated = true;
}

/* --- the parts of a text -------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool begins_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '*';
}

static bool is_name(char c)
{
    return begins_name(c) || is_digit(c) || c == '-' || c == '_';
}

static bool starts(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0;
}

/* The end of a comment that begins at `at`, or NULL. A line's comment ends before the line feed;
 * a comment that is not closed ends with the file. */
static const char *comment_end(const char *at, const char *end)
{
    if (*at == '#' || starts(at, end, "//")) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        return newline != NULL ? newline : end;
    }
    if (starts(at, end, "/*")) {
        const char *close = memmem(at + 2, (size_t)(end - at) - 2, "*/", 2);
        return close != NULL ? close + 2 : end;
    }
    return NULL;
}

/* Whether a word that ends at `at` is the name of a setting: = or : follows. */
static bool is_assigned(const char *at, const char *end)
{
    while (at < end) {
        const char *after = comment_end(at, end);
        if (after != NULL) {
            at = after;
        } else if (is_blank(*at) || *at == '\n') {
            at++;
        } else {
            return *at == '=' || *at == ':';
        }
    }
    return false;
}

/* Appends everything up to `to`, line by line. */
static void copy_to(struct scan *scan, struct source *source, const char *to)
{
    while (source->at < to) {
        const char *newline = memchr(source->at, '\n', (size_t)(to - source->at));
        const char *stop = newline != NULL ? newline + 1 : to;
        conf_text_append(scan->text, source->at, (size_t)(stop - source->at));
        source->at = stop;
        source->at_line_start = newline != NULL;
        if (newline == NULL) {
            continue;
        }
        source->place.line++;
        conf_text_line(scan->text, source->place);
    }
}

static void copy_string(struct scan *scan, struct source *source)
{
    const char *at = source->at + 1;
    while (at < source->end && *at != '"') {
        at += *at == '\\' && at + 1 < source->end ? 2 : 1;
    }
    if (at == source->end) {
        conf_report_add(scan->report, scan->text->lines,
                        "the string that begins here has no end, write a \" behind it");
    }
    copy_to(scan, source, at < source->end ? at + 1 : at);
}

static void copy_comment(struct scan *scan, struct source *source, const char *after)
{
    if (starts(source->at, source->end, "/*") &&
        (after - source->at < 4 || after[-2] != '*' || after[-1] != '/')) {
        conf_report_add(scan->report, scan->text->lines,
                        "the comment that begins here has no end, write */ behind it");
    }
    if (after == source->end && !starts(source->at, source->end, "/*")) {
        source->at = after;
    }
    copy_to(scan, source, after);
}

static void copy_name(struct scan *scan, struct source *source)
{
    const char *name = source->at, *after = name;
    while (after < source->end && is_name(*after)) {
        after++;
    }
    if (is_assigned(after, source->end)) {
        scan->expected = EXPECTS_SIGN;
        count_setting(scan);
        size_t length = (size_t)(after - name);
        const struct name *first = seen_before(scan, name, length);
        char prefix[sizeof CONF_SCAN_OVERRIDDEN + 48];
        if (first == NULL) {
            remember_name(scan, length);
        } else {
            bool overridden = first->overrides && first->file != scan->file && scan->depth == 0;
            snprintf(prefix, sizeof prefix, "%s%u*%zu*",
                     overridden ? CONF_SCAN_OVERRIDDEN : CONF_SCAN_DUPLICATE, first->line,
                     scan->text->length);
            conf_text_append(scan->text, prefix, strlen(prefix));
        }
    }
    copy_to(scan, source, after);
}

static bool is_whole_number(const char *at, const char *after)
{
    bool hex = after - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
    for (at += hex ? 2 : 0; at < after; at++) {
        if (!is_digit(*at) && !(hex && strchr("abcdefABCDEF", *at) != NULL)) {
            return false;
        }
    }
    return true;
}

/* A number that does not fit 64 bits is replaced by one that fits and is too large for any option,
 * so that the option refuses it. */
static void copy_number(struct scan *scan, struct source *source)
{
    static const char too_large[] = "999999999999999999L";
    const char *after = source->at;
    while (after < source->end && (is_name(*after) || *after == '.') && *after != '-') {
        after++;
    }
    const char *last = after;
    while (last > source->at && last[-1] == 'L') {
        last--;
    }
    size_t length = (size_t)(last - source->at);
    bool whole = is_whole_number(source->at, last);
    if (whole && length > DIGITS_MOST) {
        conf_text_append(scan->text, too_large, sizeof too_large - 1);
        source->at = after;
        source->at_line_start = false;
        return;
    }
    copy_to(scan, source, after);
    if (whole && length > DIGITS_INT && last == after) {
        conf_text_append(scan->text, "L", 1);
    }
}

/* --- @include --------------------------------------------------------------- */

/* The path to open: a relative one is relative to the including file. To be freed; NULL when out
 * of memory. */
static char *resolve(const char *from, const char *path, size_t length)
{
    const char *slash = strrchr(from, '/');
    char *resolved = NULL;
    int directory = slash == NULL || *path == '/' ? 0 : (int)(slash - from) + 1;
    if (asprintf(&resolved, "%.*s%.*s", directory, from, (int)length, path) < 0) {
        return NULL;
    }
    return resolved;
}

static void include_file(struct scan *scan, const char *file, struct conf_place back)
{
    struct conf_text *text = scan->text;
    struct source inner = {.place = {.line = 1}, .at_line_start = true};
    struct conf_shown shown = conf_report_shown(file);
    size_t length = 0;
    if (++scan->includes >= FILES_MOST) {
        conf_report_add(scan->report, text->lines,
                        "@include: more than %d files, include fewer (does one include itself?)",
                        FILES_MOST);
        return;
    }
    char *bytes = conf_file_read(file, true, &length);
    if (bytes == NULL) {
        conf_report_add(scan->report, text->lines,
                        "@include: cannot read \"%s\": %s, name a file that can be read",
                        shown.bytes, errno == EINVAL ? "Not a regular file" : strerror(errno));
        return;
    }
    inner.at = bytes;
    inner.end = bytes + length;
    inner.place.file = conf_text_add_file(text, file);
    conf_text_append(text, "\n", 1);
    conf_text_line(text, inner.place);
    scan_source(scan, &inner);
    conf_text_append(text, "\n", 1);
    conf_text_line(text, back);
    free(bytes);
}

/* Replaces `@include "path"` at the beginning of a line, as libconfig does. The rest of that line
 * becomes a line of its own. False where it is no @include. */
static bool take_include(struct scan *scan, struct source *source)
{
    const char *at = source->at + strlen("@include");
    if (!source->at_line_start || !starts(source->at, source->end, "@include")) {
        return false;
    }
    while (at < source->end && is_blank(*at)) {
        at++;
    }
    if (at == source->end || *at != '"') {
        return false;
    }
    const char *path = ++at;
    while (at < source->end && *at != '"' && *at != '\n') {
        at++;
    }
    source->at = at;
    if (at == source->end || *at == '\n') {
        conf_report_add(scan->report, scan->text->lines,
                        "@include: the path has no end, write a \" behind it");
        return true;
    }
    source->at = at + 1;
    char *file = resolve(scan->text->files[source->place.file], path, (size_t)(at - path));
    if (file == NULL) {
        scan->text->no_memory = true;
    } else {
        include_file(scan, file, source->place);
    }
    free(file);
    return true;
}

/* --- scanning --------------------------------------------------------------- */

/* Takes a value without quotation marks; false where there is none, or one that libconfig knows. */
static bool take_bare(struct scan *scan, struct source *source)
{
    size_t length = scan->expected == EXPECTS_VALUE && !is_blank(*source->at)
                        ? conf_bare_length(source->at, source->end)
                        : 0;
    if (length == 0) {
        return false;
    }
    conf_bare_append(scan->text, source->at, length);
    source->at += length;
    source->at_line_start = false;
    return true;
}

/* Copies a character that is no part of a word, a string or a comment. */
static void copy_sign(struct scan *scan, struct source *source)
{
    char sign = *source->at;
    bool at_line_start = source->at_line_start && is_blank(sign);
    bool begins_value = scan->expected == EXPECTS_SIGN && (sign == '=' || sign == ':');
    if (sign == '{') {
        open_group(scan);
    } else if (sign == '}') {
        close_group(scan);
    }
    if (begins_value || sign == '(' || sign == '[' || sign == ',') {
        scan->expected = EXPECTS_VALUE;
    } else if (!is_blank(sign) && sign != '\n' && sign != '-' && sign != '+') {
        scan->expected = EXPECTS_NOTHING;
    }
    copy_to(scan, source, source->at + 1);
    source->at_line_start |= at_line_start;
}

static void scan_next(struct scan *scan, struct source *source)
{
    const char *comment = comment_end(source->at, source->end);
    if (comment != NULL) {
        copy_comment(scan, source, comment);
        return;
    }
    bool is_bare = take_bare(scan, source);
    if (!is_bare && *source->at != '"' && !begins_name(*source->at) && !is_digit(*source->at) &&
        *source->at != '.') {
        copy_sign(scan, source);
        return;
    }
    scan->expected = EXPECTS_NOTHING;
    if (is_bare) {
        return;
    }
    if (*source->at == '"') {
        copy_string(scan, source);
    } else if (begins_name(*source->at)) {
        copy_name(scan, source);
    } else {
        copy_number(scan, source);
    }
}

static void scan_source(struct scan *scan, struct source *source)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (starts(source->at, source->end, byte_order_mark)) {
        source->at += sizeof byte_order_mark - 1;
    }
    const char *nothing = memchr(source->at, '\0', (size_t)(source->end - source->at));
    if (nothing != NULL) {
        conf_report_add(scan->report, scan->text->lines,
                        "there is a zero byte in this file, write plain text");
        source->end = nothing;
    }
    while (source->at < source->end && !scan->text->no_memory && !scan->text->truncated) {
        if (*source->at != '@' || !take_include(scan, source)) {
            scan_next(scan, source);
        }
    }
}

/* Scans bytes as the contents of a file whose number the text has, from that line on. */
static void scan_part(struct scan *scan, struct conf_place place, const char *bytes, size_t length)
{
    struct source source = {
        .at = bytes, .end = bytes + length, .place = place, .at_line_start = true};
    scan->file = place.file;
    conf_text_line(scan->text, place);
    conf_text_append(scan->text, "", 0);
    if (!scan->text->no_memory) {
        scan_source(scan, &source);
    }
}

static void end(struct scan *scan)
{
    free(scan->names);
    scan->report->no_memory |= scan->text->no_memory;
}

void conf_scan_bytes(struct conf_text *text, const char *file, const char *bytes, size_t length,
                     struct conf_report *report)
{
    struct scan scan = {.text = text, .report = report};
    struct conf_place start = {.file = conf_text_add_file(text, file), .line = 1};
    scan_part(&scan, start, bytes, length);
    end(&scan);
}

/* --- the command line ----------------------------------------------------------- */

/* Each is whole: it neither ends nor begins what another one has. */
static void scan_setting(struct scan *scan, size_t number, const char *setting)
{
    char name[32];
    snprintf(name, sizeof name, "-o %zu", number + 1);
    struct conf_place place = {.file = conf_text_add_file(scan->text, name), .line = 0};
    unsigned before = scan->settings[0];
    scan_part(scan, place, setting, strlen(setting));
    bool whole = scan->depth == 0 && scan->expected == EXPECTS_NOTHING;
    if (!whole || scan->settings[0] == before) {
        conf_report_add(scan->report, scan->text->lines, "%s, write name = value",
                        whole ? "there is no setting in it" : "the setting has no end");
        scan->text->truncated = true;
    }
    conf_text_append(scan->text, "\n", 1);
}

static bool scan_file(struct scan *scan, const char *file)
{
    size_t length = 0;
    char *bytes = conf_file_read(file, false, &length);
    if (bytes != NULL) {
        scan_part(scan, (struct conf_place){.file = 0, .line = 1}, bytes, length);
    } else {
        conf_report_add(scan->report, 0, "cannot be read: %s", strerror(errno));
    }
    free(bytes);
    return bytes != NULL;
}

/* The command line goes first, its last setting before the others: of two that have one name the
 * first one counts. */
bool conf_scan(struct conf_text *text, const struct conf_source *source, struct conf_report *report)
{
    struct scan scan = {.text = text, .report = report, .overrides = true};
    if (source->file != NULL) {
        conf_text_add_file(text, source->file);
    }
    for (size_t i = source->setting_count; i > 0 && !text->no_memory && !text->truncated; i--) {
        scan_setting(&scan, i - 1, source->settings[i - 1]);
    }
    text->overrides = scan.settings[0];
    scan.overrides = false;
    bool readable = source->file == NULL || scan_file(&scan, source->file);
    end(&scan);
    return readable;
}
