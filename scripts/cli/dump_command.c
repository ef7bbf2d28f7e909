/*
 * dump_command.c - `dump` writes a namespace to standard output, `restore` stores what was
 * written, `copy` does both at once.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "protocol/token.h"
#include "scripts/cli/command.h"
#include "scripts/cli/dump.h"
#include "scripts/cli/exchange.h"
#include "scripts/cli/file_reader.h"
#include "scripts/cli/interrupt.h"

/* Milliseconds since 1970. */
static uint64_t wall_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- DUMP ------------------------------------------------------------------------- */

/* How many records a namespace has, as far as is known: for the progress. */
static uint64_t count_records(struct session *session, const char *ns)
{
    uint64_t records = 0;
    struct reply reply;
    bytes_append_text(client_out(&session->client), "STATS ");
    message_add_word(client_out(&session->client), slice_of(ns), false);
    bytes_append_text(client_out(&session->client), "\r\n");
    enum client_result result = client_flush(&session->client);
    while (result == CLIENT_DONE) {
        result = client_read(&session->client, REPLY_VALUES, &reply);
        if (result != CLIENT_DONE || exchange_ends(&reply)) {
            break;
        }
        if (slice_equal(reply_nth(reply.rest, 0), slice_of("items"))) {
            token_number(reply_nth(reply.rest, 1), &records);
        }
    }
    return records;
}

static enum client_result send_dump(struct session *session, const char *ns, const char *pattern)
{
    struct bytes *out = client_out(&session->client);
    bytes_append_text(out, "DUMP ");
    message_add_word(out, slice_of(ns), false);
    if (pattern != NULL) {
        bytes_append_byte(out, ' ');
        message_add_word(out, slice_of(pattern), false);
    }
    bytes_append_text(out, "\r\n");
    return client_flush(&session->client);
}

static enum status refused(struct session *session, const struct reply *reply)
{
    char *text = memory_copy(reply->line);
    printer_fail(&session->printer, text);
    free(text);
    return STATUS_REFUSED;
}

/* --- dump ------------------------------------------------------------------------- */

static void write_reply(FILE *out, const struct reply *reply)
{
    fwrite(reply->line.bytes, 1, reply->line.length, out);
    fputs("\r\n", out);
    if (reply->has_value) {
        fwrite(reply->value.bytes, 1, reply->value.length, out);
        fputs("\r\n", out);
    }
}

/* Writes replies up to the end of the listing. */
static enum status write_dump(struct session *session, struct progress *progress)
{
    for (;;) {
        struct reply reply;
        enum client_result result = client_read(&session->client, REPLY_DUMP, &reply);
        if (result != CLIENT_DONE) {
            progress_end(progress);
            warnx("%" PRIu64 " records were written", progress->done);
            client_close(&session->client);
            return session_result(session, result);
        }
        if (reply_is_error(&reply)) {
            return refused(session, &reply);
        }
        write_reply(session->printer.out, &reply);
        if (exchange_ends(&reply)) {
            return STATUS_DONE;
        }
        if (printer_is_broken(&session->printer)) {
            client_close(&session->client);
            return STATUS_REFUSED;
        }
        progress_add(progress, 1);
    }
}

enum status dump_run(struct session *session, int count, char **words)
{
    struct bytes head = {.at = NULL};
    struct progress progress;
    if (count < 2 || count > 3) {
        return command_misused(session, "dump");
    }
    enum status status = session_ready(session);
    if (status != STATUS_DONE) {
        return status;
    }
    interrupt_catch(true);
    progress_begin(&progress, "records", count_records(session, words[1]));
    enum client_result result = send_dump(session, words[1], words[2]);
    if (result != CLIENT_DONE) {
        return session_result(session, result);
    }
    dump_head(&head, wall_time());
    fwrite(head.at, 1, head.length, session->printer.out);
    bytes_deinit(&head);
    status = write_dump(session, &progress);
    progress_end(&progress);
    fflush(session->printer.out);
    return status;
}

/* --- restore ---------------------------------------------------------------------- */

/* Stores the records of the file. *complete: it has come to its END. */
static enum client_result load_file(struct file_reader *file, struct loader *loader, uint64_t age,
                                    bool *complete)
{
    struct reply reply;
    struct loader_record record;
    enum client_result result = CLIENT_DONE;
    *complete = false;
    while (result == CLIENT_DONE && file_reader_next(file, &reply)) {
        if (interrupt_noted()) {
            return CLIENT_INTERRUPTED;
        }
        if (reply_is(&reply, "END")) {
            *complete = true; /* another dump may follow */
        } else if (dump_read_head(reply.line, &age)) {
            uint64_t now = wall_time();
            age = now > age ? now - age : 0;
            *complete = false;
        } else if (dump_record(&reply, age, &record)) {
            *complete = false;
            result = loader_put(loader, &record);
            loader->progress.total =
                (uint64_t)((double)loader->progress.done * file_reader_share(file));
        } else {
            *complete = false;
            break;
        }
    }
    *complete = *complete && file_reader_is_at_end(file);
    return result == CLIENT_DONE ? loader_finish(loader) : result;
}

static enum status restore(struct session *session, bool add)
{
    struct file_reader file;
    struct loader loader;
    uint64_t time;
    bool complete = false;
    file_reader_init(&file, STDIN_FILENO);
    if (!file_reader_peek_line(&file, &time, dump_read_head)) {
        printer_fail(&session->printer, "standard input is no dump: its first line has no time");
        file_reader_deinit(&file);
        return STATUS_REFUSED;
    }
    enum status status = session_ready(session);
    if (status == STATUS_DONE) {
        interrupt_catch(true);
        loader_init(&loader, session, add, 0);
        enum client_result result = load_file(&file, &loader, 0, &complete);
        status = loader_report(&loader, result, complete);
        if (result == CLIENT_DONE && !complete) {
            printer_fail(&session->printer, "the dump ends in the middle, or is damaged there");
        }
        if (result != CLIENT_DONE) {
            client_close(&session->client);
        }
        loader_deinit(&loader);
    }
    file_reader_deinit(&file);
    return status;
}

enum status restore_run(struct session *session, int count, char **words)
{
    bool add = count == 2 && strcmp(words[1], "--add") == 0;
    if (count > 1 && !add) {
        return command_misused(session, "restore");
    }
    return restore(session, add);
}

/* --- copy ------------------------------------------------------------------------- */

/* Where records are read and where they are stored. */
struct copy {
    struct session *from;
    struct session *to;
    struct loader loader;
    bool complete;
    enum status status; /* of reading */
};

/* Copies a namespace. */
static enum client_result copy_namespace(struct copy *copy, const char *ns)
{
    struct reply reply;
    struct loader_record record;
    enum client_result result = send_dump(copy->from, ns, NULL);
    while (result == CLIENT_DONE) {
        result = client_read(&copy->from->client, REPLY_DUMP, &reply);
        if (result != CLIENT_DONE) {
            copy->complete = false;
            copy->status = session_result(copy->from, result);
            break;
        }
        if (reply_is(&reply, "END")) {
            break;
        }
        if (!dump_record(&reply, 0, &record)) {
            copy->complete = false;
            refused(copy->from, &reply);
            break;
        }
        result = loader_put(&copy->loader, &record);
    }
    return copy->complete && result != CLIENT_DONE ? result : loader_finish(&copy->loader);
}

static enum status copy_all(struct copy *copy, char **names)
{
    uint64_t total = 0;
    enum client_result result = CLIENT_DONE;
    enum status status = session_ready(copy->from);
    status = status == STATUS_DONE ? session_ready(copy->to) : status;
    if (status != STATUS_DONE) {
        return status;
    }
    interrupt_catch(true);
    for (size_t i = 0; names[i] != NULL; i++) {
        total += count_records(copy->from, names[i]);
    }
    copy->complete = true;
    loader_init(&copy->loader, copy->to, false, total);
    for (size_t i = 0; names[i] != NULL && result == CLIENT_DONE && copy->complete; i++) {
        result = copy_namespace(copy, names[i]);
    }
    status = loader_report(&copy->loader, result, copy->complete);
    loader_deinit(&copy->loader);
    return status_worse(status, copy->status);
}

/* An endpoint like the session's, at another address. False: the address is none. */
static bool derive(const struct session *session, const char *address, struct endpoint *endpoint)
{
    const struct endpoint *like = session->endpoint;
    *endpoint = (struct endpoint){.tls = like->tls, .port = like->port};
    endpoint_set(&endpoint->host, like->host);
    endpoint_set(&endpoint->path, like->path);
    endpoint_set(&endpoint->ca, like->ca);
    endpoint_set(&endpoint->pinned, like->pinned);
    endpoint_set(&endpoint->cert, like->cert);
    endpoint_set(&endpoint->key, like->key);
    return address == NULL || endpoint_parse(endpoint, slice_of(address));
}

static enum status copy_between(struct session *session, const char *addresses[2], char **names)
{
    struct endpoint endpoints[2];
    struct session sessions[2];
    enum status status = STATUS_REFUSED;
    bool good[2];
    for (size_t i = 0; i < 2; i++) {
        good[i] = derive(session, addresses[i], &endpoints[i]);
        session_init(&sessions[i], &endpoints[i], &session->credentials, false,
                     session->client.timeout);
    }
    if (good[0] && good[1]) {
        struct copy copy = {.from = &sessions[0], .to = &sessions[1]};
        status = copy_all(&copy, names);
    } else {
        printer_fail(&session->printer, "write an address as HOST:PORT or /PATH");
    }
    for (size_t i = 0; i < 2; i++) {
        session_deinit(&sessions[i]);
        endpoint_deinit(&endpoints[i]);
    }
    return status;
}

enum status copy_run(struct session *session, int count, char **words)
{
    static const struct option names[] = {{"from", required_argument, NULL, 0},
                                          {"to", required_argument, NULL, 1},
                                          {NULL, 0, NULL, 0}};
    const char *addresses[2] = {NULL, NULL};
    optind = 0;
    for (int code; (code = getopt_long(count, words, "", names, NULL)) != -1;) {
        if (code > 1) {
            return STATUS_REFUSED;
        }
        addresses[code] = optarg;
    }
    if (optind >= count || (addresses[0] == NULL && addresses[1] == NULL)) {
        return command_misused(session, "copy");
    }
    return copy_between(session, addresses, words + optind);
}
