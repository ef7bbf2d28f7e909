/*
 * conf_check_paths.c - checks the files that options name before any of them is opened: each has
 * one purpose, and a file that is to be written is of a kind that can be. daemon/base/safe_open.h
 * checks more when it opens them.
 */
#include "conf/conf_check_paths.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/conf.h"
#include "conf/conf_group.h"
#include "conf/conf_text.h"

/* --- all names of files ----------------------------------------------------------- */

enum use { USE_READ, USE_WRITTEN, USE_SOCKET };

struct name {
    const char *path;
    const struct conf_option *option; /* NULL: the configuration file or one that it includes */
    unsigned line;
    enum use use;
    bool exists;
    struct stat found; /* of the file that its links lead to */
};

struct names {
    struct name *of;
    size_t count;
};

static void add(struct names *names, const char *path, enum conf_scope scope, const char *option,
                unsigned line, enum use use)
{
    struct name *name = &names->of[names->count];
    if (path == NULL || path[0] != '/') {
        return;
    }
    *name = (struct name){.path = path,
                          .option = option != NULL ? conf_option_find(scope, option) : NULL,
                          .line = line,
                          .use = use};
    name->exists = stat(path, &name->found) == 0;
    names->count++;
}

/* The line of an option in a group, or of the value that replaces the group; 0: not given. */
static unsigned line_in(const config_setting_t *root, const char *group, const char *option)
{
    const config_setting_t *setting = config_setting_get_member(root, group);
    if (setting == NULL) {
        return 0;
    }
    return config_setting_is_group(setting) ? conf_group_line(setting, option) : setting->line;
}

static void add_listeners(struct names *names, const config_setting_t *list,
                          const struct conf *conf)
{
    for (size_t i = 0; list != NULL && i < conf->listen_count; i++) {
        const config_setting_t *group = conf_group_at(list, i);
        const struct conf_listen *listen = &conf->listen[i];
        if (group == NULL) {
            continue;
        }
        add(names, listen->path, SCOPE_LISTEN, "path", conf_group_line(group, "path"), USE_SOCKET);
        add(names, listen->tls_certificate, SCOPE_LISTEN, "tls_certificate",
            conf_group_line(group, "tls_certificate"), USE_READ);
        add(names, listen->tls_key, SCOPE_LISTEN, "tls_key", conf_group_line(group, "tls_key"),
            USE_READ);
        add(names, listen->tls_client_ca, SCOPE_LISTEN, "tls_client_ca",
            conf_group_line(group, "tls_client_ca"), USE_READ);
    }
}

/* The path of a configuration file may be relative to the working directory. */
static void add_file(struct names *names, const char *file)
{
    struct name *name = &names->of[names->count++];
    *name = (struct name){.path = file, .use = USE_READ};
    name->exists = stat(file, &name->found) == 0;
}

static bool collect(struct names *names, const config_setting_t *root, const struct conf *conf,
                    const struct conf_report *report)
{
    enum { OF_A_LISTENER = 4, OTHERS = 7 };
    names->of = calloc(report->text->file_count + conf->listen_count * OF_A_LISTENER + OTHERS,
                       sizeof *names->of);
    if (names->of == NULL) {
        return false;
    }
    for (size_t i = 0; i < report->text->file_count; i++) {
        add_file(names, report->text->files[i]);
    }
    add_listeners(names, conf_group_list(root, "listen"), conf);
    add(names, conf->arena.file, SCOPE_ARENA, "file", line_in(root, "arena", "file"), USE_WRITTEN);
    add(names, conf->cluster.secret_file, SCOPE_CLUSTER, "secret_file",
        line_in(root, "cluster", "secret_file"), USE_READ);
    add(names, conf->cluster.tls_ca, SCOPE_CLUSTER, "tls_ca", line_in(root, "cluster", "tls_ca"),
        USE_READ);
    add(names, conf->cluster.tls_certificate, SCOPE_CLUSTER, "tls_certificate",
        line_in(root, "cluster", "tls_certificate"), USE_READ);
    add(names, conf->cluster.tls_key, SCOPE_CLUSTER, "tls_key", line_in(root, "cluster", "tls_key"),
        USE_READ);
    add(names, conf->pid_file, SCOPE_TOP, "pid_file", conf_group_line(root, "pid_file"),
        USE_WRITTEN);
    add(names, conf->log.to, SCOPE_LOG, "to", line_in(root, "log", "to"), USE_WRITTEN);
    return true;
}

/* --- one purpose for each ---------------------------------------------------------- */

static bool same_stat(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* stat(2) of the directory that has the file. */
static bool stat_directory(const char *path, struct stat *found)
{
    size_t length = (size_t)(base_of(path) - path);
    char *directory = strndup(length > 0 ? path : ".", length > 0 ? length : 1);
    bool done = directory != NULL && stat(directory, found) == 0;
    free(directory);
    return done;
}

/* A file that does not exist yet is identified by its directory and name. */
static bool same_file(const struct name *a, const struct name *b)
{
    struct stat one, other;
    if (a->exists && b->exists) {
        return same_stat(&a->found, &b->found);
    }
    if (strcmp(a->path, b->path) == 0) {
        return true;
    }
    return strcmp(base_of(a->path), base_of(b->path)) == 0 && stat_directory(a->path, &one) &&
           stat_directory(b->path, &other) && same_stat(&one, &other);
}

/* A file that is only read may have 2 purposes; conf_check_listen.c compares sockets. */
static bool collide(const struct name *a, const struct name *b)
{
    return (a->use != USE_READ || b->use != USE_READ) &&
           (a->use != USE_SOCKET || b->use != USE_SOCKET) && same_file(a, b);
}

/* Reports a file that an earlier option names too; false where it is not. */
static bool check_purpose(const struct names *names, size_t i, struct conf_report *report)
{
    const struct name *name = &names->of[i];
    for (size_t j = 0; j < i; j++) {
        const struct name *other = &names->of[j];
        if (!collide(name, other)) {
            continue;
        }
        conf_report_option(
            report, name->line, name->option, "%s is the file of %s%s already, write another name",
            conf_report_shown(name->path).bytes,
            other->option == NULL ? "the configuration" : conf_option_prefix(other->option->scope),
            other->option == NULL ? "" : other->option->name);
        return true;
    }
    return false;
}

/* --- what may be written -------------------------------------------------------------- */

/* A kind of file that the daemon must not write to: it may block, or is not the daemon's. NULL:
 * another kind. */
static const char *kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFLNK:
        return "a symbolic link, which is not followed";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    default:
        return NULL;
    }
}

static void check_kind(const struct name *name, struct conf_report *report)
{
    bool is_log = name->option->scope == SCOPE_LOG;
    struct stat found;
    if (name->use != USE_WRITTEN || lstat(name->path, &found) != 0 ||
        kind_of(found.st_mode) == NULL) {
        return;
    }
    conf_report_option(report, name->line, name->option, "%s is %s, write %sthe name of a file",
                       conf_report_shown(name->path).bytes, kind_of(found.st_mode),
                       is_log ? "\"stderr\", \"syslog\" or " : "");
}

void conf_check_paths(const config_setting_t *root, const struct conf *conf,
                      struct conf_report *report)
{
    struct names names = {.of = NULL};
    if (!collect(&names, root, conf, report)) {
        report->no_memory = true;
        return;
    }
    for (size_t i = report->text->file_count; i < names.count; i++) {
        if (!check_purpose(&names, i, report)) {
            check_kind(&names.of[i], report);
        }
    }
    free(names.of);
}
