/*
 * conf_machine.c - reads the bounds of control groups.
 *
 * Version 2 has one hierarchy, in which each group is bounded by all groups above it: cpu.max
 * (quota and period in microseconds, or "max") and memory.max (bytes, or "max"); see
 * Documentation/admin-guide/cgroup-v2.rst of the kernel. Version 1 has a hierarchy for each
 * resource. A container mostly sees its own group as the root. What cannot be read is no bound.
 */
#include "conf/conf_machine.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 4096, PATH = 4096 };

#define NO_BOUND UINT64_MAX

/* --- files ------------------------------------------------------------------ */

/* The first line of a file, without its end. False: there is none. */
static bool read_line(const char *path, char line[LINE])
{
    FILE *file = fopen(path, "re");
    bool done = file != NULL && fgets(line, LINE, file) != NULL;
    if (file != NULL) {
        fclose(file);
    }
    if (done) {
        line[strcspn(line, "\n")] = '\0';
    }
    return done;
}

/* "max" and negative numbers are no bound. */
static uint64_t number(const char *text)
{
    bool digits = *text >= '0' && *text <= '9';
    return digits ? strtoull(text, NULL, 10) : NO_BOUND;
}

static uint64_t read_number(const char *directory, const char *name)
{
    char path[PATH], line[LINE];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return read_line(path, line) ? number(line) : NO_BOUND;
}

/* --- groups ------------------------------------------------------------------- */

/* A resource: its controller in version 1, and how a group's directory bounds it. */
struct resource {
    const char *controller;
    uint64_t (*of_v1)(const char *directory);
    uint64_t (*of_v2)(const char *directory);
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The smallest bound of a group and of those above it, up to the first `base` bytes of `path`. */
static uint64_t bound_upwards(char *path, size_t base, uint64_t (*of)(const char *directory))
{
    uint64_t bound = of(path);
    while (strlen(path) > base) {
        *strrchr(path, '/') = '\0';
        bound = smaller(bound, of(path));
    }
    return bound;
}

static uint64_t bound_below(const char *root, const char *hierarchy, const char *group,
                            uint64_t (*of)(const char *directory))
{
    char path[PATH];
    int base = snprintf(path, sizeof path, "%s/sys/fs/cgroup%s", root, hierarchy);
    int whole = snprintf(path, sizeof path, "%s/sys/fs/cgroup%s%s", root, hierarchy,
                         strcmp(group, "/") == 0 ? "" : group);
    bool fits = base > 0 && whole >= base && (size_t)whole < sizeof path;
    return fits ? bound_upwards(path, (size_t)base, of) : NO_BOUND;
}

/* Whether a list of names with "," between them has that one. */
static bool names(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

/* A line of /proc/self/cgroup: number, controllers and group, with ":" between them. */
static uint64_t bound_of_line(const char *root, char *line, const struct resource *resource)
{
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL) {
        return NO_BOUND;
    }
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (*++controllers == '\0') {
        return bound_below(root, "", group, resource->of_v2);
    }
    if (!names(controllers, resource->controller)) {
        return NO_BOUND;
    }
    char hierarchy[64];
    snprintf(hierarchy, sizeof hierarchy, "/%s", resource->controller);
    return bound_below(root, hierarchy, group, resource->of_v1);
}

static uint64_t bound_of(const char *root, const struct resource *resource)
{
    char path[PATH], line[LINE];
    uint64_t bound = NO_BOUND;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        bound = smaller(bound, bound_of_line(root, line, resource));
    }
    if (file != NULL) {
        fclose(file);
    }
    return bound;
}

/* --- processors ------------------------------------------------------------------- */

static uint64_t processors_for(uint64_t quota, uint64_t period)
{
    bool bounded = quota != NO_BOUND && period != NO_BOUND && period != 0;
    return bounded ? quota / period + (quota % period != 0) : NO_BOUND;
}

static uint64_t processors_of_v1(const char *directory)
{
    return processors_for(read_number(directory, "cpu.cfs_quota_us"),
                          read_number(directory, "cpu.cfs_period_us"));
}

static uint64_t processors_of_v2(const char *directory)
{
    char path[PATH], line[LINE];
    snprintf(path, sizeof path, "%s/cpu.max", directory);
    if (!read_line(path, line)) {
        return NO_BOUND;
    }
    const char *period = strchr(line, ' ');
    return processors_for(number(line), period != NULL ? number(period + 1) : NO_BOUND);
}

unsigned conf_machine_processors(const char *root)
{
    static const struct resource processors = {"cpu", processors_of_v1, processors_of_v2};
    cpu_set_t set;
    bool known = sched_getaffinity(0, sizeof set, &set) == 0;
    uint64_t allowed = smaller(known ? (uint64_t)CPU_COUNT(&set) : 1, bound_of(root, &processors));
    return allowed < 1 ? 1 : (unsigned)allowed;
}

/* --- memory ------------------------------------------------------------------------- */

static uint64_t memory_of_v1(const char *directory)
{
    return read_number(directory, "memory.limit_in_bytes");
}

static uint64_t memory_of_v2(const char *directory)
{
    return read_number(directory, "memory.max");
}

uint64_t conf_machine_memory(const char *root)
{
    static const struct resource memory = {"memory", memory_of_v1, memory_of_v2};
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t all = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : NO_BOUND;
    all = smaller(all, bound_of(root, &memory));
    return all == NO_BOUND ? 0 : all;
}
