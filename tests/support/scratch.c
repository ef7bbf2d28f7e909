/*
 * scratch.c - a directory of one's own. See scratch.h.
 */
#include "tests/support/scratch.h"

#include <check.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[64];

void scratch_make(void)
{
    strcpy(scratch, "/tmp/kvcached-check-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
}

void scratch_make_in_memory(void)
{
    strcpy(scratch, "/dev/shm/kvcached-check-XXXXXX");
    if (mkdtemp(scratch) == NULL) {
        scratch_make();
    }
}

void scratch_remove(void)
{
    DIR *directory = opendir(scratch);
    ck_assert_ptr_nonnull(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            ck_assert_int_eq(unlinkat(dirfd(directory), entry->d_name, 0), 0);
        }
    }
    closedir(directory);
    ck_assert_int_eq(rmdir(scratch), 0);
}

const char *scratch_path(const char *name)
{
    static char paths[8][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, PATH_MAX, "%s/%s", scratch, name);
    return path;
}

const char *scratch_read(const char *name)
{
    static char text[65536];
    FILE *file = fopen(scratch_path(name), "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

int scratch_count(const char *name, const char *text)
{
    int count = 0;
    for (const char *at = scratch_read(name); (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    return count;
}

void scratch_write(const char *name, const char *text)
{
    FILE *file = fopen(scratch_path(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

bool scratch_has(const char *name)
{
    struct stat found;
    return lstat(scratch_path(name), &found) == 0;
}
