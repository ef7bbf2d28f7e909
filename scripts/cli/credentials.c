/*
 * credentials.c - as whom a client authenticates.
 */
#include "scripts/cli/credentials.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Up to the end of the first line, or one byte more than a secret may have. */
static bool read_line(int fd, struct secret_entry *secret)
{
    secret->length = 0;
    while (secret->length < sizeof secret->bytes) {
        char *byte = secret->bytes + secret->length;
        ssize_t got = read(fd, byte, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return false;
        }
        if (got == 0 || *byte == '\n') {
            break;
        }
        secret->length++;
    }
    return true;
}

static bool read_file(const char *file, struct secret_entry *secret)
{
    const char *why;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool taken = fd >= 0 && read_line(fd, secret);
    if (!taken) {
        warn("%s", file);
    } else if (!secret_is_possible((struct slice){secret->bytes, secret->length}, &why)) {
        warnx("%s: its first line cannot be a secret: %s", file, why);
        taken = false;
    }
    if (fd >= 0) {
        close(fd);
    }
    return taken;
}

bool credentials_ask(const char *user, struct secret_entry *secret)
{
    char question[128];
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) {
        warnx("the secret of %s cannot be asked for without a terminal; name a file with "
              "--secret-file or KVCACHED_SECRET_FILE",
              user);
        return false;
    }
    snprintf(question, sizeof question, "Secret of %s: ", user);
    bool taken = secret_ask(terminal, question, secret);
    close(terminal);
    return taken;
}

bool credentials_get(struct credentials *credentials, const char *file)
{
    const char *named = file != NULL ? file : getenv("KVCACHED_SECRET_FILE");
    if (credentials->user == NULL) {
        return true;
    }
    if (named != NULL && *named != '\0') {
        return read_file(named, &credentials->secret);
    }
    return credentials_ask(credentials->user, &credentials->secret);
}

void credentials_deinit(struct credentials *credentials)
{
    explicit_bzero(&credentials->secret, sizeof credentials->secret);
}
