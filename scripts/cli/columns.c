/*
 * columns.c - the columns of `top`.
 */
#include "scripts/cli/columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* --- numbers ---------------------------------------------------------------------- */

void show_count(char *to, double count)
{
    static const char units[] = " kMGTPE";
    size_t unit = 0;
    while (count >= 99999.5 && unit + 2 < sizeof units) {
        count /= 1000;
        unit++;
    }
    if (unit == 0) {
        snprintf(to, CELL_MAX,
                 count > 0 && count < 9.95 && count != (double)(long)count ? "%.1f" : "%.0f",
                 count);
    } else {
        snprintf(to, CELL_MAX, "%.0f%c", count, units[unit]);
    }
}

void show_bytes(char *to, uint64_t bytes)
{
    static const char units[] = "BKMGTPE";
    size_t unit = 0;
    double size = (double)bytes;
    while (size >= 1023.95 && unit + 2 < sizeof units) {
        size /= 1024;
        unit++;
    }
    snprintf(to, CELL_MAX, unit == 0 || size >= 99.95 ? "%.0f%c" : "%.1f%c", size, units[unit]);
}

void show_share(char *to, double share)
{
    if (share < 0) {
        snprintf(to, CELL_MAX, "-");
    } else {
        snprintf(to, CELL_MAX, "%.1f%%", share * 100);
    }
}

void show_time(char *to, uint64_t seconds)
{
    static const struct {
        const char *unit;
        uint64_t seconds;
    } units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (seconds >= 2 * units[i].seconds || (seconds > 0 && seconds % units[i].seconds == 0)) {
            snprintf(to, CELL_MAX, "%" PRIu64 "%s", seconds / units[i].seconds, units[i].unit);
            return;
        }
    }
    snprintf(to, CELL_MAX, "%" PRIu64 "s", seconds);
}

/* --- columns ---------------------------------------------------------------------- */

static void cell_name(const struct figures *of, char *to)
{
    snprintf(to, CELL_MAX, "%s", of->row->name);
}

static void cell_records(const struct figures *of, char *to)
{
    show_count(to, (double)of->row->records);
}

static void cell_memory(const struct figures *of, char *to)
{
    show_bytes(to, of->row->memory);
}

static void cell_reads(const struct figures *of, char *to)
{
    show_count(to, of->reads);
}

static void cell_hits(const struct figures *of, char *to)
{
    show_share(to, of->hits);
}

static void cell_writes(const struct figures *of, char *to)
{
    show_count(to, of->writes);
}

static void cell_evicted(const struct figures *of, char *to)
{
    show_count(to, of->evicted);
}

static void cell_expired(const struct figures *of, char *to)
{
    show_count(to, of->expired);
}

static void cell_quota(const struct figures *of, char *to)
{
    if (of->row->quota == 0) {
        snprintf(to, CELL_MAX, "-");
    } else {
        show_bytes(to, of->row->quota);
    }
}

static void cell_ttl(const struct figures *of, char *to)
{
    char *end;
    double seconds = strtod(of->row->ttl, &end);
    if (end == of->row->ttl || *end != '\0') {
        snprintf(to, CELL_MAX, "%s", of->row->ttl);
    } else if (seconds < 1) {
        snprintf(to, CELL_MAX, "%.0fms", seconds * 1000);
    } else {
        show_time(to, (uint64_t)seconds);
    }
}

static double weight_records(const struct figures *of)
{
    return (double)of->row->records;
}

static double weight_memory(const struct figures *of)
{
    return (double)of->row->memory;
}

static double weight_reads(const struct figures *of)
{
    return of->reads;
}

static double weight_hits(const struct figures *of)
{
    return of->hits;
}

static double weight_writes(const struct figures *of)
{
    return of->writes;
}

static double weight_evicted(const struct figures *of)
{
    return of->evicted;
}

static double weight_expired(const struct figures *of)
{
    return of->expired;
}

static double weight_quota(const struct figures *of)
{
    return (double)of->row->quota;
}

const struct column columns[] = {
    {"namespace", 'n', false, 0, cell_name, NULL},
    {"records", 'r', false, 9, cell_records, weight_records},
    {"memory", 'm', false, 9, cell_memory, weight_memory},
    {"reads", 'g', true, 9, cell_reads, weight_reads},
    {"hits", 'h', false, 8, cell_hits, weight_hits},
    {"writes", 'w', true, 9, cell_writes, weight_writes},
    {"evicted", 'e', true, 10, cell_evicted, weight_evicted},
    {"expired", 'x', true, 10, cell_expired, weight_expired},
    {"quota", 'u', false, 8, cell_quota, weight_quota},
    {"ttl", 't', false, 7, cell_ttl, NULL},
};
const size_t column_count = sizeof columns / sizeof *columns;

bool column_find(int key, size_t *column)
{
    for (size_t i = 0; i < column_count; i++) {
        if (columns[i].key == key) {
            *column = i;
            return true;
        }
    }
    return false;
}
