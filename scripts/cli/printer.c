/*
 * printer.c - what of a reply goes to standard output.
 */
#include "scripts/cli/printer.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "scripts/cli/json.h"

void printer_init(struct printer *printer, bool json)
{
    *printer = (struct printer){
        .out = stdout, .json = json, .terminal = isatty(STDOUT_FILENO) == 1, .prefix = ""};
}

bool printer_is_broken(const struct printer *printer)
{
    return ferror(printer->out) != 0;
}

static void write_slice(FILE *out, struct slice slice)
{
    fwrite(slice.bytes, 1, slice.length, out);
}

static enum status meaning(const struct reply *reply)
{
    if (reply_is_error(reply) || reply_is(reply, "DENIED")) {
        return STATUS_REFUSED;
    }
    return reply_is(reply, "NOT_FOUND") || reply_is(reply, "EXISTS") ? STATUS_NOT_FOUND
                                                                     : STATUS_DONE;
}

/* --- text ------------------------------------------------------------------------- */

/* Rows of which all begin with the same word, which is left out. */
static bool is_bare_row(const struct reply *reply)
{
    return reply_is(reply, "KEY") || reply_is(reply, "NAMESPACE") || reply_is(reply, "STAT") ||
           reply_is(reply, "SETTING");
}

static void say_line(struct printer *printer, const struct reply *reply, struct slice key)
{
    fflush(printer->out);
    fprintf(stderr, "%s%.*s%s%.*s\n", printer->prefix, (int)reply->line.length, reply->line.bytes,
            printer->many && key.length > 0 ? " " : "", printer->many ? (int)key.length : 0,
            key.bytes);
}

static void print_value(struct printer *printer, const struct reply *reply)
{
    bool has_line = !reply_is(reply, "VALUE");
    if (has_line) {
        write_slice(printer->out, reply->line);
        fputs("\n", printer->out);
    }
    write_slice(printer->out, reply->value);
    if (has_line || printer->many || printer->terminal) {
        fputs("\n", printer->out);
    }
}

static void print_text(struct printer *printer, const struct reply *reply, struct slice key,
                       bool last)
{
    bool is_get = strcmp(printer->message->verb.word, "GET") == 0;
    if (reply_is_error(reply) || (is_get && !reply->has_value)) {
        say_line(printer, reply, reply_is_error(reply) ? slice_of("") : key);
    } else if (reply->has_value) {
        print_value(printer, reply);
    } else if (!last || !reply_is(reply, "END")) {
        write_slice(printer->out, is_bare_row(reply) ? reply->rest : reply->line);
        fputs("\n", printer->out);
    }
}

/* --- JSON ------------------------------------------------------------------------- */

/* A row of STATS: a member of the object that is printed. */
static void print_member(struct printer *printer, const struct reply *reply)
{
    struct json_object *member = json_object_new_object();
    char *name = memory_copy(reply_nth(reply->rest, 0));
    struct slice value = reply_nth(reply->rest, 1);
    value.length = (size_t)(reply->rest.bytes + reply->rest.length - value.bytes);
    json_add_word(member, name, value);
    const char *text = json_text(member); /* {"name":value} */
    fprintf(printer->out, "%s%.*s", printer->rows == 0 ? "{" : ",", (int)strlen(text) - 2,
            text + 1);
    free(name);
    json_object_put(member);
}

static void print_element(struct printer *printer, const struct reply *reply, struct slice key)
{
    struct json_object *object = json_reply(&printer->message->verb, reply, key);
    bool stats = strcmp(printer->message->verb.word, "STATS") == 0;
    const char *before = !printer->many       ? ""
                         : printer->rows == 0 ? "["
                         : stats              ? ",\"error\":"
                                              : ",";
    fprintf(printer->out, "%s%s", before, json_text(object));
    if (printer->message->verb.shape == VERB_ENDLESS) {
        fputs("\n", printer->out);
    }
    json_object_put(object);
}

/* A listing that is refused, or one of nothing that is there, is one object. */
static bool is_alone(const struct printer *printer, const struct reply *reply)
{
    enum verb_shape shape = printer->message->verb.shape;
    if (printer->rows == 0 && shape == VERB_MISTAKES) {
        return !reply_is_mistake(reply);
    }
    return printer->rows == 0 && shape == VERB_LISTING &&
           (reply_is_error(reply) || reply_is(reply, "NOT_FOUND") || reply_is(reply, "OK"));
}

static void print_json(struct printer *printer, const struct reply *reply, struct slice key,
                       bool last)
{
    if (last && reply_is(reply, "END")) {
        return;
    }
    if (is_alone(printer, reply)) {
        printer->many = printer->object = false;
    }
    printer->object = printer->object && reply_is(reply, "STAT");
    if (printer->object) {
        print_member(printer, reply);
    } else {
        print_element(printer, reply, key);
    }
    printer->rows++;
}

static void end_json(struct printer *printer)
{
    bool stats = printer->many && strcmp(printer->message->verb.word, "STATS") == 0;
    if (printer->message->verb.shape == VERB_ENDLESS ||
        printer->message->verb.shape == VERB_SILENT) {
        return;
    }
    if (printer->many) {
        fputs(printer->rows == 0 ? (stats ? "{" : "[") : "", printer->out);
        fputs(stats ? "}" : "]", printer->out);
    }
    fputs("\n", printer->out);
}

/* --- a request -------------------------------------------------------------------- */

void printer_begin(struct printer *printer, const struct message *message)
{
    printer->message = message;
    printer->rows = 0;
    printer->object = strcmp(message->verb.word, "STATS") == 0;
    printer->many = message->verb.shape == VERB_LISTING || message->verb.shape == VERB_MISTAKES ||
                    message->replies > 1;
}

enum status printer_reply(struct printer *printer, const struct reply *reply, struct slice key,
                          bool last)
{
    if (printer->json) {
        print_json(printer, reply, key, last);
    } else {
        print_text(printer, reply, key, last);
    }
    return meaning(reply);
}

void printer_end(struct printer *printer)
{
    if (printer->json) {
        end_json(printer);
    }
    fflush(printer->out);
}

void printer_fail(struct printer *printer, const char *text)
{
    fflush(printer->out);
    if (*printer->prefix != '\0') {
        fprintf(stderr, "%s%s\n", printer->prefix, text);
    } else {
        warnx("%s", text);
    }
}
