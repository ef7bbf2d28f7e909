/*
 * path_advice.c - what to do where a file or a socket of the configuration cannot be made.
 *
 * Under systemd the directories of a service are made by its unit; the directory of a daemon that
 * is started by hand is made by the administrator.
 */
#include "daemon/base/path_advice.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Directories in which a unit makes one for its service, and the setting that does. */
static const struct {
    const char *parent;
    const char *setting;
} of_services[] = {
    {"/run/", "RuntimeDirectory"},
    {"/var/run/", "RuntimeDirectory"},
    {"/var/lib/", "StateDirectory"},
    {"/var/log/", "LogsDirectory"},
};

/* The directory of the file, without a slash at its end. */
static void directory_of(const char *path, char directory[PATH_MAX])
{
    snprintf(directory, PATH_MAX, "%s", path);
    char *slash = strrchr(directory, '/');
    if (slash != NULL) {
        slash[slash == directory ? 1 : 0] = '\0';
    }
}

static void append(struct path_advice *advice, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append(struct path_advice *advice, const char *format, ...)
{
    size_t used = strlen(advice->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(advice->text + used, sizeof advice->text - used, format, arguments);
    va_end(arguments);
}

static void advise_missing(struct path_advice *advice, const char *directory)
{
    append(advice, "there is no directory %s: make it with mkdir", directory);
    for (size_t i = 0; i < sizeof of_services / sizeof of_services[0]; i++) {
        size_t length = strlen(of_services[i].parent);
        if (strncmp(directory, of_services[i].parent, length) == 0) {
            append(advice, ", or with %s=%s in the unit", of_services[i].setting,
                   directory + length);
            return;
        }
    }
    append(advice, ", for the user that kvcached runs as");
}

struct path_advice path_advice(const char *path, int error, const char *why)
{
    struct path_advice advice = {.text = ""};
    char directory[PATH_MAX];
    struct stat found;
    directory_of(path, directory);
    if (error == ENOENT && stat(directory, &found) != 0 && errno == ENOENT) {
        advise_missing(&advice, directory);
    } else if (error == EACCES && faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0) {
        append(&advice,
               "%s: the user that kvcached runs as may not write to %s: choose a directory of that "
               "user, such as RuntimeDirectory= in the unit makes",
               why, directory);
    } else {
        append(&advice, "%s", why);
    }
    errno = error;
    return advice;
}
