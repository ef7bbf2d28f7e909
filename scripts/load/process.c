/*
 * process.c - reads /proc.
 *
 * utime and stime come in ticks of 10 ms, which a short run cannot use; the
 * scheduler's own sum for each thread is in nanoseconds. A thread that ended
 * between two readings would be missing: servers keep theirs.
 */
#include "scripts/load/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        return false;
    }
    size_t n = fread(text, 1, size - 1, file);
    fclose(file);
    text[n] = '\0';
    return n > 0;
}

static uint64_t threads_time(pid_t pid)
{
    char path[320], text[128];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    if (!tasks) {
        return 0;
    }
    for (struct dirent *task; (task = readdir(tasks));) {
        if (task->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, task->d_name);
        if (read_text(path, text, sizeof text)) {
            sum += strtoull(text, NULL, 10);
        }
    }
    closedir(tasks);
    return sum;
}

bool process_time(pid_t pid, struct process_time *time)
{
    char path[64], text[1024];
    unsigned long user, system;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (!read_text(path, text, sizeof text)) {
        return false;
    }
    /* The name in parentheses may hold anything: count fields after it. */
    const char *after = strrchr(text, ')');
    if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                         &system) != 2) {
        return false;
    }
    uint64_t tick = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
    time->user = user * tick;
    time->system = system * tick;
    time->total = threads_time(pid);
    if (!time->total) {
        time->total = time->user + time->system;
    }
    return true;
}

uint64_t process_resident(pid_t pid)
{
    char path[64], text[128];
    unsigned long pages;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    if (!read_text(path, text, sizeof text) || sscanf(text, "%*u %lu", &pages) != 1) {
        return 0;
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t process_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
