/*
 * main.c - kvcached's command line.
 *
 * Owns the arguments and the exit status. Everything else is in daemon/server.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/base/log.h"
#include "daemon/os/daemonize.h"
#include "daemon/os/signals.h"
#include "daemon/secret/secret_prompt.h"
#include "daemon/server/server.h"

static const char usage[] = "usage: kvcached [-dhtVv] [-c file]\n"
                            "       kvcached --hash-secret\n";

static const char help[] =
    "\n"
    "  -c, --config file  read this configuration; without it, built-in defaults hold:\n"
    "                     127.0.0.1 port 7171, 64 MiB, no users\n"
    "  -d, --daemon       run in the background, once the daemon serves\n"
    "  -h, --help         show this help\n"
    "  -t, --check        check the configuration and exit\n"
    "  -V, --version      show the version\n"
    "  -v, --verbose      log more; give it twice for still more\n"
    "  --hash-secret      ask for a secret, or read one line of standard input, and\n"
    "                     print what the configuration has of it\n"
    "\n"
    "Ports, memory and all else are options of the configuration, for example\n"
    "\n"
    "  kvcached -t -c " KVCACHED_CONF "\n"
    "  kvcached -c " KVCACHED_CONF "\n"
    "\n"
    "See kvcached(8), kvcached.conf(5), kvcached-protocol(7) and, for clients of\n"
    "memcached, kvcached-memcache(7).\n";

enum task { TASK_SERVE, TASK_CHECK, TASK_HASH_SECRET, TASK_HELP, TASK_VERSION, TASK_USAGE };

struct arguments {
    enum task task;
    bool detach;
    int verbosity;
    const char *file;
};

/* What memcached's options are in the configuration. */
static const char *option_in_file(int letter)
{
    static const struct {
        char letter;
        const char *hint;
    } hints[] = {
        {'p', "write { port = 7171; } into listen"},
        {'l', "write { address = \"127.0.0.1\"; } into listen"},
        {'s', "write { path = \"/run/kvcached/kvcached.sock\"; } into listen"},
        {'m', "write memory = \"64M\";"},
        {'u', "write user = \"kvcached\";"},
        {'P', "write pid_file = \"/run/kvcached/kvcached.pid\";"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        if (hints[i].letter == letter) {
            return hints[i].hint;
        }
    }
    return NULL;
}

/* An unknown option, or -c without its file. `letter` is 0 for a long option. */
static void refuse_option(const char *word, int letter)
{
    const char *hint = option_in_file(letter);
    if (letter == 'c') {
        fprintf(stderr, "kvcached: %s: it needs the name of a file\n", word);
    } else if (hint != NULL) {
        fprintf(stderr, "kvcached: -%c: there is no such option, %s in the file that -c names\n",
                letter, hint);
    } else if (letter != 0) {
        fprintf(stderr, "kvcached: -%c: there is no such option, see kvcached --help\n", letter);
    } else {
        fprintf(stderr, "kvcached: %s: there is no such option, see kvcached --help\n", word);
    }
}

/* An argument that is no option is a mistake. It is not repeated where it may be a secret. */
static void refuse_surplus(struct arguments *arguments, const char *word)
{
    if (arguments->task == TASK_HASH_SECRET) {
        fprintf(stderr, "kvcached: a secret must not be an argument, which other users can see; it "
                        "is asked for, or read from standard input\n");
    } else {
        fprintf(stderr,
                "kvcached: unexpected argument \"%s\"; name a configuration with -c, see kvcached "
                "--help\n",
                word);
    }
    arguments->task = TASK_USAGE;
}

enum { HASH_SECRET = 1 << 8 }; /* no letter */

/* False when the arguments behind it have no effect. */
static bool take_option(struct arguments *arguments, int letter)
{
    switch (letter) {
    case 'c':
        arguments->file = optarg;
        return true;
    case 'd':
        arguments->detach = true;
        return true;
    case 'h':
        arguments->task = TASK_HELP;
        return false;
    case 't':
        arguments->task = TASK_CHECK;
        return true;
    case 'V':
        arguments->task = TASK_VERSION;
        return false;
    case 'v':
        arguments->verbosity++;
        return true;
    case HASH_SECRET:
        arguments->task = TASK_HASH_SECRET;
        return true;
    default:
        arguments->task = TASK_USAGE;
        return false;
    }
}

static struct arguments read_arguments(int count, char **words)
{
    static const struct option long_options[] = {{"config", required_argument, NULL, 'c'},
                                                 {"daemon", no_argument, NULL, 'd'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {"check", no_argument, NULL, 't'},
                                                 {"version", no_argument, NULL, 'V'},
                                                 {"verbose", no_argument, NULL, 'v'},
                                                 {"hash-secret", no_argument, NULL, HASH_SECRET},
                                                 {NULL, 0, NULL, 0}};
    struct arguments arguments = {.task = TASK_SERVE};
    opterr = 0; /* refuse_option prints the errors */
    for (int letter; (letter = getopt_long(count, words, "c:dhtVv", long_options, NULL)) != -1;) {
        const char *word = words[optind - 1];
        if (letter == '?') {
            refuse_option(word, optopt < HASH_SECRET ? optopt : 0);
        }
        if (!take_option(&arguments, letter)) {
            return arguments;
        }
    }
    if (optind < count) {
        refuse_surplus(&arguments, words[optind]);
    }
    return arguments;
}

/* A descriptor below 3 that is closed would become a socket, and what is printed to it would go to
 * a client. */
static bool fill_standard_descriptors(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        close(fd);
    }
    return fd >= 0;
}

/* NULL when the file has mistakes: all of them have been logged. */
static struct conf *load(const char *file)
{
    struct conf *conf = NULL;
    struct conf_errors errors = {.text = NULL};
    if (!conf_load(file, &conf, &errors)) {
        char *rest = errors.text;
        for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
            if (*line != '\0') {
                log_error("%s", line);
            }
        }
    }
    conf_errors_deinit(&errors);
    return conf;
}

/* Whether the file could be read, so that it is its contents that are wrong. */
static bool is_readable(const char *file)
{
    struct stat about;
    return access(file, R_OK) == 0 && stat(file, &about) == 0 && !S_ISDIR(about.st_mode);
}

static int check(const char *file)
{
    struct conf *conf = load(file);
    if (conf == NULL) {
        return EXIT_FAILURE;
    }
    printf("%s: configuration is good\n", file == NULL ? "built-in defaults" : file);
    if (file == NULL && is_readable(KVCACHED_CONF)) {
        printf("%s was not looked at: name it with -c\n", KVCACHED_CONF);
    }
    conf_destroy(&conf);
    return EX_OK;
}

/* The path of a file that is read again after the working directory has changed. The caller frees
 * it. NULL when there is no memory, or for NULL. */
static char *absolute(const char *file)
{
    char *path = NULL, *directory;
    if (file == NULL) {
        return NULL;
    }
    if (file[0] == '/') {
        return strdup(file);
    }
    directory = getcwd(NULL, 0);
    if (directory == NULL || asprintf(&path, "%s/%s", directory, file) < 0) {
        path = NULL;
    }
    free(directory);
    return path;
}

/* Takes *conf over. */
static int run(struct server_options *options, struct conf **conf)
{
    int status = EX_OK;
    int starter = options->detached ? daemonize() : -1;
    if (options->detached && starter < 0) {
        log_error("cannot leave the terminal: %s", strerror(errno));
        conf_destroy(conf);
        return EX_OSERR;
    }
    struct server *server = server_create(options, conf, &status);
    if (server != NULL) {
        if (options->detached) {
            daemonize_ready(starter);
        }
        server_run(server);
        server_destroy(&server);
    }
    return status;
}

static int serve(const struct arguments *arguments)
{
    log_hurry();
    struct conf *conf = load(arguments->file);

    if (conf == NULL) {
        return arguments->file != NULL && !is_readable(arguments->file) ? EX_NOINPUT : EX_CONFIG;
    }
    if (arguments->file == NULL && is_readable(KVCACHED_CONF)) {
        log_notice("%s was not read: name it with -c", KVCACHED_CONF);
    }
    char *file = absolute(arguments->file);
    if (file == NULL && arguments->file != NULL) {
        log_error("%s: %s", arguments->file, strerror(errno));
        conf_destroy(&conf);
        return EX_OSERR;
    }
    struct server_options options = {.file = file,
                                     .verbosity = arguments->verbosity,
                                     .detached = arguments->detach,
                                     .version = PACKAGE_VERSION};
    int status = run(&options, &conf);
    free(file);
    return status;
}

int main(int count, char **words)
{
    signals_hold();
    if (!fill_standard_descriptors()) {
        return EX_OSERR;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write beyond a limit fails instead of killing the process */

    struct arguments arguments = read_arguments(count, words);
    if (arguments.task == TASK_SERVE) {
        signals_start();
    } else {
        signals_ordinary();
    }
    switch (arguments.task) {
    case TASK_SERVE:
        return serve(&arguments);
    case TASK_CHECK:
        return check(arguments.file);
    case TASK_HASH_SECRET:
        return secret_prompt() ? EX_OK : EXIT_FAILURE;
    case TASK_HELP:
        printf("%s%s", usage, help);
        return EX_OK;
    case TASK_VERSION:
        printf("kvcached %s\n", PACKAGE_VERSION);
        return EX_OK;
    case TASK_USAGE:
        break;
    }
    fputs(usage, stderr);
    return EX_USAGE;
}
