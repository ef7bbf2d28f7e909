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
#include "daemon/auth/secret_prompt.h"
#include "daemon/base/log.h"
#include "daemon/os/daemonize.h"
#include "daemon/os/signals.h"
#include "daemon/server/server.h"

static const char usage[] = "usage: kvcached [-dhtVv] [-c file]\n"
                            "       kvcached --hash-secret\n";

static const char help[] =
    "\n"
    "  -c file  read this configuration; without it, built-in defaults hold\n"
    "  -d       run in the background, once the daemon serves\n"
    "  -h       show this help\n"
    "  -t       check the configuration and exit\n"
    "  -V       show the version\n"
    "  -v       log more; give it twice for still more\n"
    "  --hash-secret\n"
    "           ask for a secret, or read one line of standard input, and print\n"
    "           what the configuration has of it\n"
    "\n"
    "See kvcached(8), kvcached.conf(5) and kvcached-protocol(7).\n";

enum task { TASK_SERVE, TASK_CHECK, TASK_HASH_SECRET, TASK_HELP, TASK_VERSION, TASK_USAGE };

struct arguments {
    enum task task;
    bool detach;
    int verbosity;
    const char *file;
};

/* An argument that is no option is a mistake. It is not repeated where it may be a secret. */
static void refuse_surplus(struct arguments *arguments, const char *word)
{
    if (arguments->task == TASK_HASH_SECRET) {
        fprintf(stderr, "kvcached: a secret must not be an argument, which other users can see; it "
                        "is asked for, or read from standard input\n");
    } else {
        fprintf(stderr, "kvcached: unexpected argument \"%s\"; name a configuration with -c\n",
                word);
    }
    arguments->task = TASK_USAGE;
}

static struct arguments read_arguments(int count, char **words)
{
    enum { HASH_SECRET = 1 << 8 }; /* no letter */
    static const struct option long_options[] = {{"hash-secret", no_argument, NULL, HASH_SECRET},
                                                 {NULL, 0, NULL, 0}};
    struct arguments arguments = {.task = TASK_SERVE};
    for (int letter; (letter = getopt_long(count, words, "c:dhtVv", long_options, NULL)) != -1;) {
        switch (letter) {
        case 'c':
            arguments.file = optarg;
            break;
        case 'd':
            arguments.detach = true;
            break;
        case 'h':
            arguments.task = TASK_HELP;
            return arguments;
        case 't':
            arguments.task = TASK_CHECK;
            break;
        case 'V':
            arguments.task = TASK_VERSION;
            return arguments;
        case 'v':
            arguments.verbosity++;
            break;
        case HASH_SECRET:
            arguments.task = TASK_HASH_SECRET;
            break;
        default:
            arguments.task = TASK_USAGE;
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

static int check(const char *file)
{
    struct conf *conf = load(file);
    if (conf == NULL) {
        return EXIT_FAILURE;
    }
    printf("%s: configuration is good\n", file == NULL ? "built-in defaults" : file);
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

/* Whether the file could be read, so that it is its contents that are wrong. */
static bool is_readable(const char *file)
{
    struct stat about;
    return access(file, R_OK) == 0 && stat(file, &about) == 0 && !S_ISDIR(about.st_mode);
}

static int serve(const struct arguments *arguments)
{
    log_hurry();
    struct conf *conf = load(arguments->file);

    if (conf == NULL) {
        return arguments->file != NULL && !is_readable(arguments->file) ? EX_NOINPUT : EX_CONFIG;
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
