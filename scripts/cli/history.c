/*
 * history.c - lines that were typed, by libedit.
 */
#include "scripts/cli/history.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scripts/cli/words.h"

enum { LINES = 1000 };

static const char name[] = "/.kvcached_history";

static char *find_file(void)
{
    const char *home = getenv("HOME");
    if (home == NULL || *home == '\0') {
        return NULL;
    }
    struct bytes path = {.at = NULL};
    bytes_append_text(&path, home);
    bytes_append(&path, (struct slice){name, sizeof name});
    return path.at;
}

bool history_open(struct history *past, bool keep)
{
    HistEvent event;
    *past = (struct history){.lines = history_init()};
    if (past->lines == NULL) {
        return false;
    }
    history(past->lines, &event, H_SETSIZE, LINES);
    history(past->lines, &event, H_SETUNIQUE, 1);
    past->file = keep ? find_file() : NULL;
    if (past->file != NULL) {
        history(past->lines, &event, H_LOAD, past->file);
    }
    return true;
}

void history_close(struct history *past)
{
    history_end(past->lines);
    free(past->file);
}

bool history_is_secret(struct slice line)
{
    struct words words;
    words_split(line, &words);
    bool secret = words.count > 0 && strcasecmp(words.of[0].bytes.bytes, "AUTH") == 0;
    words_deinit(&words);
    return secret;
}

void history_add(struct history *past, const char *line)
{
    HistEvent event;
    if (line[strspn(line, " \t\r\n")] == '\0' || history_is_secret(slice_of(line))) {
        return;
    }
    history(past->lines, &event, H_ENTER, line);
    if (past->file != NULL) {
        mode_t before = umask(077);
        history(past->lines, &event, H_SAVE, past->file);
        umask(before);
    }
}
