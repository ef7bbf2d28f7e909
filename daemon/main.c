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
#include "conf/conf_show.h"
#include "daemon/base/log.h"
#include "daemon/os/daemonize.h"
#include "daemon/os/signals.h"
#include "daemon/secret/secret_prompt.h"
#include "daemon/server/server.h"

static const char usage[] = "usage: kvcached [-dhtVv] [-c file] [-o setting]...\n"
                            "       kvcached --show-config [-c file] [-o setting]...\n"
                            "       kvcached --hash-secret\n";

static const char help[] =
    "\n"
    "  -c, --config file  read this configuration; without it, built-in defaults hold:\n"
    "                     127.0.0.1 port 7171, 64 MiB, no users\n"
    "  -d, --daemon       run in the background, once the daemon serves\n"
    "  -h, --help         show this help\n"
    "  -o, --option setting\n"
    "                     a setting that wins over the file: -o 'memory = \"512M\"'\n"
    "  -t, --check        check the configuration and exit\n"
    "  -V, --version      show the version\n"
    "  -v, --verbose      log more; give it twice for still more\n"
    "  --show-config      print all options in force as a configuration, each with\n"
    "                     where it is set, and exit; secrets are left out\n"
    "  --hash-secret      ask for a secret, or read one line of standard input, and\n"
    "                     print what the configuration has of it\n"
    "\n"
    "Ports, memory and all else are options of the configuration, for example\n"
    "\n"
    "  kvcached -t -c " KVCACHED_CONF "\n"
    "  kvcached -c " KVCACHED_CONF "\n"
    "\n"
    "which is the file that the service reads; without -c none is read.\n"
    "\n"
    "See kvcached(8), kvcached.conf(5), kvcached-protocol(7), kvcached-stats(7) and,\n"
    "for clients of memcached, kvcached-memcache(7).\n";

enum task {
    TASK_SERVE,
    TASK_CHECK,
    TASK_SHOW_CONFIG,
    TASK_HASH_SECRET,
    TASK_HELP,
    TASK_VERSION,
    TASK_USAGE
};

struct arguments {
    enum task task;
    bool detach;
    int verbosity;
    struct conf_source source;
    const char **settings; /* of source; as many as there are arguments */
};

/* memcached's options, as settings. `word` is the argument, "--port=11211", and `letter` is 0 for a
 * long one. NULL: it is none of these. */
static const char *as_setting(const char *word, int letter)
{
    static const struct {
        char letter;
        const char *name;
        const char *setting;
    } known[] = {
        {'p', "--port", "listen = ( { port = 11211; protocol = \"memcache\"; } )"},
        {'l', "--listen", "listen = ( { address = \"127.0.0.1\"; } )"},
        {'s', "--unix-socket", "listen = ( { path = \"/run/kvcached/kvcached.sock\"; } )"},
        {'m', "--memory-limit", "memory = \"64M\""},
        {'I', "--max-item-size", "max_value = \"1M\""},
        {'u', "--user", "user = \"kvcached\""},
        {'P', "--pidfile", "pid_file = \"/run/kvcached/kvcached.pid\""},
        {0, "--conn-limit", "max_connections = 10000"},
        {0, "--threads", "threads = 4"},
    };
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        bool same = strlen(known[i].name) == length && memcmp(known[i].name, word, length) == 0;
        if (letter != 0 ? known[i].letter == letter : same) {
            return known[i].setting;
        }
    }
    return NULL;
}

/* An unknown option, or one without its argument. `letter` is 0 for a long option. */
static void refuse_option(const char *word, int letter)
{
    const char *setting = as_setting(word, letter);
    const char given[] = {'-', (char)letter, '\0'};
    const char *shown = letter != 0 ? given : word;
    if (letter == 'c') {
        fprintf(stderr, "kvcached: %s: it needs the name of a file\n", word);
    } else if (letter == 'o') {
        fprintf(stderr, "kvcached: %s: it needs a setting, such as -o 'memory = \"512M\"'\n", word);
    } else if (letter == 'U' || strcmp(word, "--udp-port") == 0) {
        fprintf(stderr, "kvcached: %s: there is no UDP here, leave it out\n", shown);
    } else if (setting != NULL) {
        fprintf(stderr,
                "kvcached: %s: there is no such option, write -o '%s', or that into the file that "
                "-c names\n",
                shown, setting);
    } else {
        fprintf(stderr, "kvcached: %s: there is no such option, see kvcached --help\n", shown);
    }
}

static bool is_number(const char *word)
{
    return *word != '\0' && strspn(word, "0123456789") == strlen(word);
}

/* An argument that is no option is a mistake. It is not repeated where it may be a secret. */
static void refuse_surplus(struct arguments *arguments, const char *word)
{
    if (arguments->task == TASK_HASH_SECRET) {
        fprintf(stderr, "kvcached: a secret must not be an argument, which other users can see; it "
                        "is asked for, or read from standard input\n");
    } else if (arguments->task == TASK_CHECK && is_number(word)) {
        fprintf(stderr,
                "kvcached: unexpected argument \"%s\"; -t checks the configuration, for threads "
                "write -o 'threads = %s'\n",
                word, word);
    } else {
        fprintf(stderr,
                "kvcached: unexpected argument \"%s\"; name a configuration with -c, see kvcached "
                "--help\n",
                word);
    }
    arguments->task = TASK_USAGE;
}

enum { HASH_SECRET = 1 << 8, SHOW_CONFIG }; /* no letters */

/* False when the arguments behind it have no effect. */
static bool take_option(struct arguments *arguments, int letter)
{
    switch (letter) {
    case 'c':
        arguments->source.file = optarg;
        return true;
    case 'd':
        arguments->detach = true;
        return true;
    case 'h':
        arguments->task = TASK_HELP;
        return false;
    case 'o':
        arguments->settings[arguments->source.setting_count++] = optarg;
        return true;
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
    case SHOW_CONFIG:
        arguments->task = TASK_SHOW_CONFIG;
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
                                                 {"option", required_argument, NULL, 'o'},
                                                 {"check", no_argument, NULL, 't'},
                                                 {"version", no_argument, NULL, 'V'},
                                                 {"verbose", no_argument, NULL, 'v'},
                                                 {"hash-secret", no_argument, NULL, HASH_SECRET},
                                                 {"show-config", no_argument, NULL, SHOW_CONFIG},
                                                 {NULL, 0, NULL, 0}};
    struct arguments arguments = {.task = TASK_SERVE};
    arguments.settings = calloc((size_t)count, sizeof *arguments.settings);
    if (arguments.settings == NULL) {
        fprintf(stderr, "kvcached: %s\n", strerror(errno));
        arguments.task = TASK_USAGE;
        return arguments;
    }
    arguments.source.settings = arguments.settings;
    opterr = 0; /* refuse_option prints the errors */
    for (int letter; (letter = getopt_long(count, words, "c:dho:tVv", long_options, NULL)) != -1;) {
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

/* Whether the file could be read, so that it is its contents that are wrong. */
static bool is_readable(const char *file)
{
    struct stat about;
    return access(file, R_OK) == 0 && stat(file, &about) == 0 && !S_ISDIR(about.st_mode);
}

/* NULL when the file has mistakes: all of them have been logged. Those begin with the file and
 * the line, as editors want them; that the file cannot be read begins with the program's name. */
static struct conf *load(const struct conf_source *source)
{
    struct conf *conf = NULL;
    struct conf_errors errors = {.text = NULL};
    const char *file = source->file;
    if (!conf_load(source, &conf, &errors)) {
        bool is_missing = file != NULL && !is_readable(file);
        char *rest = errors.text;
        for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
            if (*line != '\0') {
                log_error("%s%s", is_missing ? "kvcached: " : "", line);
            }
        }
        if (is_missing && is_number(file)) {
            log_error("kvcached: -c names a file, for a number of connections write -o "
                      "'max_connections = %s'",
                      file);
        }
    }
    conf_errors_deinit(&errors);
    return conf;
}

/* The service's configuration is there, and another one was asked for. */
static bool is_passed_over(const struct conf_source *source)
{
    return source->file == NULL && access(KVCACHED_CONF, F_OK) == 0;
}

static int check(const struct conf_source *source)
{
    struct conf *conf = load(source);
    if (conf == NULL) {
        return EXIT_FAILURE;
    }
    printf("%s%s: configuration is good\n",
           source->file == NULL ? "built-in defaults" : source->file,
           source->setting_count > 0 ? " and the command line" : "");
    if (is_passed_over(source)) {
        printf("%s was not looked at: name it with -c\n", KVCACHED_CONF);
    }
    conf_destroy(&conf);
    return EX_OK;
}

static int show_config(const struct conf_source *source)
{
    struct conf *conf = load(source);
    if (conf == NULL) {
        return EXIT_FAILURE;
    }
    conf_show_file(conf, stdout);
    conf_destroy(&conf);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
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
    const struct conf_source *source = &arguments->source;
    log_hurry();
    struct conf *conf = load(source);

    if (conf == NULL) {
        return source->file != NULL && !is_readable(source->file) ? EX_NOINPUT : EX_CONFIG;
    }
    if (is_passed_over(source)) {
        log_notice("kvcached: %s was not read: name it with -c", KVCACHED_CONF);
    }
    char *file = absolute(source->file);
    if (file == NULL && source->file != NULL) {
        log_error("%s: %s", source->file, strerror(errno));
        conf_destroy(&conf);
        return EX_OSERR;
    }
    struct server_options options = {.source = *source,
                                     .verbosity = arguments->verbosity,
                                     .detached = arguments->detach,
                                     .version = PACKAGE_VERSION};
    options.source.file = file;
    int status = run(&options, &conf);
    free(file);
    return status;
}

static int perform(const struct arguments *arguments)
{
    switch (arguments->task) {
    case TASK_SERVE:
        return serve(arguments);
    case TASK_CHECK:
        return check(&arguments->source);
    case TASK_SHOW_CONFIG:
        return show_config(&arguments->source);
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
    int status = perform(&arguments);
    free(arguments.settings);
    return status;
}
