/*
 * options.c - the command line of kvcached-cli.
 *
 * Options stand in front of the first word that is none: what follows are words of a request, which
 * may begin with a dash. Only --json may stand behind the words of a verb that takes no value.
 */
#include "scripts/cli/options.h"

#include <err.h>
#include <getopt.h>
#include <string.h>

#include "protocol/token.h"
#include "scripts/cli/client.h"
#include "scripts/cli/finder.h"
#include "scripts/cli/verbs.h"

const struct option_text option_texts[] = {
#define OPTION(letter, name, argument, help) {letter, name, argument, help},
#include "scripts/cli/options.def"
#undef OPTION
};
const size_t option_count = sizeof option_texts / sizeof *option_texts;

enum { SECRET_FILE = 1 << 8, TLS, CA, CERT, KEY, JSON, NO_HISTORY, LIST_MAX = 32 };

/* What getopt_long returns for an option: its letter, or a number of its own. */
static int code_of(const struct option_text *text)
{
    static const struct {
        const char *name;
        int code;
    } codes[] = {{"secret-file", SECRET_FILE},
                 {"tls", TLS},
                 {"ca", CA},
                 {"cert", CERT},
                 {"key", KEY},
                 {"json", JSON},
                 {"no-history", NO_HISTORY}};
    for (size_t i = 0; text->name != NULL && i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(codes[i].name, text->name) == 0) {
            return codes[i].code;
        }
    }
    return text->letter;
}

/* The lists that getopt_long takes. */
static void make_lists(struct option *names, char *letters)
{
    *letters++ = '+';
    *letters++ = ':';
    for (size_t i = 0; i < option_count; i++) {
        const struct option_text *text = &option_texts[i];
        int argument = text->argument != NULL ? required_argument : no_argument;
        if (text->name != NULL) {
            *names++ = (struct option){text->name, argument, NULL, code_of(text)};
        }
        if (text->letter != '\0') {
            *letters++ = text->letter;
            *letters = ':';
            letters += argument == required_argument;
        }
    }
    *names = (struct option){NULL, 0, NULL, 0};
    *letters = '\0';
}

static bool take_timeout(struct options *options, const char *text)
{
    uint64_t milliseconds;
    switch (token_time(slice_of(text), &milliseconds)) {
    case TOKEN_TIME_NEVER:
        options->timeout = -1;
        return true;
    case TOKEN_TIME_FOR:
        options->timeout = milliseconds > INT32_MAX ? INT32_MAX : (int)milliseconds;
        return true;
    default:
        warnx("-t %s: write 30 (seconds), 500ms, 2m or never", text);
        return false;
    }
}

/* Of options that only store their argument: where it goes. NULL: another one. */
static const char **place_of(struct options *options, int code)
{
    switch (code) {
    case 'c':
        return &options->conf;
    case 'H':
        return &options->host;
    case 'p':
        return &options->port;
    case 's':
        return &options->path;
    case 'u':
        return &options->user;
    case SECRET_FILE:
        return &options->secret_file;
    case CA:
        return &options->ca;
    case CERT:
        return &options->cert;
    case KEY:
        return &options->key;
    default:
        return NULL;
    }
}

static void refuse(struct options *options, int code, const char *word)
{
    options->task = OPTIONS_WRONG;
    if (code == ':') {
        warnx("%s: its argument is missing, see kvcached-cli --help", word);
    } else if (optopt != 0 && optopt < SECRET_FILE && word[1] != '-') {
        warnx("-%c: there is no such option, see kvcached-cli --help", optopt);
    } else {
        warnx("%s: there is no such option, see kvcached-cli --help", word);
    }
}

/* False when the arguments behind it have no effect. */
static bool take(struct options *options, int code, const char *word)
{
    const char **place = place_of(options, code);
    if (place != NULL) {
        *place = optarg;
        options->conf_named |= code == 'c';
        return true;
    }
    switch (code) {
    case TLS:
        options->tls = true;
        return true;
    case 't':
        options->task = take_timeout(options, optarg) ? options->task : OPTIONS_WRONG;
        return options->task != OPTIONS_WRONG;
    case 'x':
        options->value_from_input = true;
        return true;
    case JSON:
        options->json = true;
        return true;
    case NO_HISTORY:
        options->no_history = true;
        return true;
    case 'h':
        options->task = OPTIONS_HELP;
        return false;
    case 'V':
        options->task = OPTIONS_VERSION;
        return false;
    default:
        refuse(options, code, word);
        return false;
    }
}

/* Takes a --json away that stands behind the words of a verb without a value. */
static void take_trailing(struct options *options)
{
    struct typed_verb verb;
    int last = options->count - 1;
    if (last > 0 && strcmp(options->words[last], "--json") == 0 &&
        verb_find(slice_of(options->words[0]), &verb) && !verb.takes_value) {
        options->json = true;
        options->count = last;
    }
}

static void check(struct options *options)
{
    uint16_t port;
    const char *wrong = NULL;
    if (options->path != NULL && (options->host != NULL || options->port != NULL)) {
        wrong = "-s names a socket of this machine: it goes without -H and -p";
    } else if (options->host != NULL && *options->host == '\0') {
        wrong = "-H: write a name or an address";
    } else if (options->port != NULL && !endpoint_port(slice_of(options->port), &port)) {
        wrong = "-p: write a port from 1 to 65535";
    } else if (options->key != NULL && options->cert == NULL) {
        wrong = "--key goes with --cert";
    } else if (options->value_from_input && options->count == 0) {
        wrong = "-x goes with PUT or ADD";
    }
    if (wrong != NULL) {
        warnx("%s", wrong);
        options->task = OPTIONS_WRONG;
    }
}

void options_read(struct options *options, int count, char **arguments)
{
    struct option names[LIST_MAX];
    char letters[2 * LIST_MAX + 3];
    *options = (struct options){.conf = KVCACHED_CONF, .timeout = CLIENT_TIMEOUT};
    make_lists(names, letters);
    opterr = 0;
    for (int code; (code = getopt_long(count, arguments, letters, names, NULL)) != -1;) {
        if (!take(options, code, arguments[optind - 1])) {
            return;
        }
    }
    options->words = arguments + optind;
    options->count = count - optind;
    take_trailing(options);
    check(options);
}

/* --- the server -------------------------------------------------------------------- */

bool options_endpoint(const struct options *options, struct endpoint *endpoint)
{
    if (options->path != NULL) {
        endpoint_set(&endpoint->path, options->path);
    } else if (options->host != NULL || options->port != NULL) {
        endpoint_set(&endpoint->host, options->host != NULL ? options->host : "127.0.0.1");
        endpoint->port = ENDPOINT_PORT;
        if (options->port != NULL) {
            endpoint_port(slice_of(options->port), &endpoint->port);
        }
    } else if (!finder_find(options->conf, options->conf_named, endpoint)) {
        return false;
    }
    if (options->tls || options->ca != NULL || options->cert != NULL) {
        endpoint->tls = true;
    }
    if (options->ca != NULL) {
        endpoint_set(&endpoint->pinned, NULL);
        endpoint_set(&endpoint->ca, options->ca);
    }
    endpoint_set(&endpoint->cert, options->cert);
    endpoint_set(&endpoint->key, options->key);
    return true;
}
