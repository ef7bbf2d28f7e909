/*
 * import.c - `import`: stores the records of a memcached or a Redis.
 */
#include <getopt.h>
#include <inttypes.h>

#include "protocol/token.h"
#include "scripts/cli/command.h"
#include "scripts/cli/interrupt.h"
#include "scripts/cli/source.h"

enum { MEMCACHED_PORT = 11211, REDIS_PORT = 6379 };

typedef enum source_result read_function(struct source *source, struct loader *loader,
                                         enum client_result *result);

static const struct scheme {
    const char *begin;
    uint16_t port;
    bool has_database;
    read_function *read;
} schemes[] = {
    {"memcached://", MEMCACHED_PORT, false, source_read_memcached},
    {"redis://", REDIS_PORT, true, source_read_redis},
};

static bool take_database(struct slice *address, unsigned *database)
{
    uint64_t number;
    const char *slash = memrchr(address->bytes, '/', address->length);
    if (slash == NULL || slash == address->bytes) {
        return true;
    }
    struct slice text = {slash + 1, (size_t)(address->bytes + address->length - slash - 1)};
    address->length = (size_t)(slash - address->bytes);
    if (text.length == 0) {
        return true;
    }
    *database = token_number(text, &number) && number < UINT16_MAX ? (unsigned)number : 0;
    return token_number(text, &number) && number < UINT16_MAX;
}

/* Whether the text ends in a port, so that the scheme's own one does not hold. */
static bool has_port(struct slice address)
{
    const char *colon = memrchr(address.bytes, ':', address.length);
    return colon != NULL &&
           memchr(colon, ']', (size_t)(address.bytes + address.length - colon)) == NULL;
}

/* NULL: it is no address of a cache that is known. */
static const struct scheme *read_address(const char *text, struct source *source)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        const struct scheme *scheme = &schemes[i];
        size_t length = strlen(scheme->begin);
        struct slice address = {text + length, strlen(text) - length};
        if (strncmp(text, scheme->begin, length) != 0) {
            continue;
        }
        if ((scheme->has_database && !take_database(&address, &source->database)) ||
            !endpoint_parse(&source->endpoint, address)) {
            return NULL;
        }
        if (!has_port(address)) {
            source->endpoint.port = scheme->port;
        }
        return scheme;
    }
    return NULL;
}

/* --- the command ------------------------------------------------------------------ */

static enum status report(struct session *session, struct source *source, enum source_result done,
                          struct loader *loader, enum client_result result)
{
    char text[CLIENT_ERROR_MAX + ENDPOINT_NAME_MAX + 4], name[ENDPOINT_NAME_MAX];
    enum status status = loader_report(loader, result, done == SOURCE_DONE);
    if (source->skipped > 0) {
        snprintf(text, sizeof text, "%" PRIu64 " passed over: they are no strings",
                 source->skipped);
        printer_fail(&session->printer, text);
    }
    if (done == SOURCE_UNREACHABLE) {
        printer_fail(&session->printer, source->error);
    } else if (done == SOURCE_BROKEN) {
        endpoint_name(&source->endpoint, name);
        snprintf(text, sizeof text, "%s: %s", name, source->error);
        printer_fail(&session->printer, text);
    } else if (done == SOURCE_STOPPED && result == CLIENT_DONE) {
        printer_fail(&session->printer, "interrupted");
    }
    return done == SOURCE_UNREACHABLE ? STATUS_NO_CONNECTION : status;
}

static enum status import(struct session *session, struct source *source,
                          const struct scheme *scheme)
{
    struct loader loader;
    enum client_result result = CLIENT_DONE;
    enum status status = session_ready(session);
    if (status != STATUS_DONE) {
        return status;
    }
    interrupt_catch(true);
    loader_init(&loader, session, false, 0);
    enum source_result done = scheme->read(source, &loader, &result);
    if (result == CLIENT_DONE) {
        interrupt_forget(); /* what was sent is answered */
        result = loader_finish(&loader);
    }
    status = report(session, source, done, &loader, result);
    loader_deinit(&loader);
    return status;
}

/* False: there is an option that is not known, or none for its argument. */
static bool read_options(struct source *source, int count, char **words)
{
    static const struct option names[] = {{"match", required_argument, NULL, 'm'},
                                          {"ns", required_argument, NULL, 'n'},
                                          {"prefix", required_argument, NULL, 'p'},
                                          {NULL, 0, NULL, 0}};
    optind = 0;
    for (int code; (code = getopt_long(count, words, "", names, NULL)) != -1;) {
        if (code == 'm') {
            source->match = optarg;
        } else if (code == 'n') {
            source->ns = optarg;
        } else if (code == 'p' && strlen(optarg) == 1) {
            source->prefix = *optarg;
        } else {
            return false;
        }
    }
    return optind + 1 == count;
}

enum status import_run(struct session *session, int count, char **words)
{
    struct source source = {.ns = "-"};
    enum status status = STATUS_REFUSED;
    const struct scheme *scheme =
        read_options(&source, count, words) ? read_address(words[optind], &source) : NULL;
    if (scheme == NULL || (source.match != NULL && !scheme->has_database)) {
        status = command_misused(session, "import");
    } else {
        status = import(session, &source, scheme);
    }
    endpoint_deinit(&source.endpoint);
    return status;
}
