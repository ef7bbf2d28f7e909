/*
 * printer.h - what of a reply goes to standard output.
 *
 * Values go there byte for byte; where one request has several of them, and on a terminal, a line
 * end follows each. Rows of a listing go there without the word in front that they all have, and
 * without END. Other replies go there as they came. A value that is not there, and an error, goes
 * to standard error.
 *
 * With JSON all of it goes to standard output, one line for a request: an array of replies or rows
 * for verbs that have many, an object for others and for STATS. Rows of WATCH are a line each.
 */
#ifndef KVCACHED_SCRIPTS_CLI_PRINTER_H
#define KVCACHED_SCRIPTS_CLI_PRINTER_H

#include <stdio.h>

#include "scripts/cli/message.h"
#include "scripts/cli/status.h"

struct printer {
    FILE *out;
    bool json;
    bool terminal;      /* out is one */
    const char *prefix; /* of messages on standard error: "line 3: "; or "" */
    /* While a request is answered: */
    const struct message *message;
    bool many;   /* it may have several replies */
    size_t rows; /* so many were printed */
    bool object; /* rows are members of one object */
};

void printer_init(struct printer *printer, bool json);

/* Every reply of a request is given to printer_reply, in order, between these two. `key`: as it was
 * sent; empty where the verb has one reply. `last`: the END of a listing too. Returns what the
 * reply means. */
void printer_begin(struct printer *printer, const struct message *message);
enum status printer_reply(struct printer *printer, const struct reply *reply, struct slice key,
                          bool last);
void printer_end(struct printer *printer);

/* Whether nothing more can be written. */
bool printer_is_broken(const struct printer *printer);

/* Tells of a mistake on standard error, and as JSON where that is printed. */
void printer_fail(struct printer *printer, const char *text);

#endif
