/*
 * table.c - the figures of a server as lines of text.
 *
 * Columns stand in the order of their weight: in a narrow terminal the last ones are left out, and
 * the name takes what is left.
 */
#include "scripts/cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scripts/cli/columns.h"

enum { NAME_LEAST = 12, NAME_MOST = 40 };

/* --- rates ------------------------------------------------------------------------ */

static double rate(uint64_t now, uint64_t before, double seconds)
{
    return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

/* `before` is NULL: counters since the start. */
static struct figures figures_of(const struct sample_row *row, const struct sample_row *before,
                                 double seconds)
{
    static const struct sample_row none = {.records = 0};
    const struct sample_row *from = before != NULL ? before : &none;
    uint64_t reads = row->reads - (row->reads >= from->reads ? from->reads : 0);
    uint64_t hits = row->hits - (row->hits >= from->hits ? from->hits : 0);
    return (struct figures){.row = row,
                            .reads = rate(row->reads, from->reads, seconds),
                            .hits = reads > 0 ? (double)hits / (double)reads : -1,
                            .writes = rate(row->writes, from->writes, seconds),
                            .expired = rate(row->expired, from->expired, seconds),
                            .evicted = rate(row->evicted, from->evicted, seconds)};
}

static double seconds_between(const struct sample *now, const struct sample *before)
{
    return before == NULL ? 1 : (double)(now->at - before->at) / 1000;
}

/* --- lines ------------------------------------------------------------------------ */

/* Ends a line that began there, without what does not fit. */
static void end_line(const struct table *table, struct bytes *text, size_t from)
{
    if (text->length - from > table->width) {
        text->length = from + table->width;
    }
    while (text->length > from && text->at[text->length - 1] == ' ') {
        text->length--;
    }
    bytes_append_byte(text, '\n');
}

static void print_totals(const struct table *table, const struct sample *now,
                         const struct sample *before, struct bytes *text)
{
    struct figures of = figures_of(&now->total, before != NULL ? &before->total : NULL,
                                   seconds_between(now, before));
    const char *unit = before != NULL ? "/s" : "";
    char reads[CELL_MAX], hits[CELL_MAX], writes[CELL_MAX], evicted[CELL_MAX], expired[CELL_MAX];
    size_t from = text->length;
    show_count(reads, of.reads);
    show_share(hits, of.hits);
    show_count(writes, of.writes);
    show_count(evicted, of.evicted);
    show_count(expired, of.expired);
    bytes_print(text, "reads %s%s  hits %s  writes %s%s", reads, unit, hits, writes, unit);
    if (table->width < 80) {
        end_line(table, text, from);
        from = text->length;
    } else {
        bytes_append_text(text, "  ");
    }
    bytes_print(text, "evicted %s%s  expired %s%s", evicted, unit, expired, unit);
    end_line(table, text, from);
}

static void print_server(const struct table *table, const struct sample *now, struct bytes *text)
{
    char uptime[CELL_MAX], used[CELL_MAX], limit[CELL_MAX], records[CELL_MAX];
    size_t from = text->length;
    show_time(uptime, now->uptime);
    show_bytes(used, now->total.memory);
    show_bytes(limit, now->memory_limit);
    show_count(records, (double)now->total.records);
    bytes_print(text, "kvcached %s  %s  up %s", now->version, table->server, uptime);
    end_line(table, text, from);
    from = text->length;
    bytes_print(text, "records %s  memory %s of %s", records, used, limit);
    if (table->width < 80) {
        end_line(table, text, from);
        from = text->length;
    } else {
        bytes_append_text(text, "  ");
    }
    bytes_print(text, "connections %" PRIu64 " of %" PRIu64, now->connections,
                now->connections_limit);
    end_line(table, text, from);
}

/* How many columns fit, and how wide the first one is. */
static size_t fit(const struct table *table, const struct sample *now, size_t *name)
{
    size_t count = 1, width = NAME_LEAST, longest = strlen(columns[0].name);
    while (count < column_count && width + (size_t)columns[count].width <= table->width) {
        width += (size_t)columns[count++].width;
    }
    for (size_t i = 0; i < now->count; i++) {
        size_t length = strlen(now->rows[i].name);
        longest = length > longest ? length : longest;
    }
    size_t room = NAME_LEAST + (table->width > width ? table->width - width : 0);
    *name = room < longest ? room : longest;
    *name = *name > NAME_MOST ? NAME_MOST : *name;
    return count;
}

static void print_head(const struct table *table, size_t count, size_t name, bool rates,
                       struct bytes *text)
{
    char head[CELL_MAX];
    size_t from = text->length;
    for (size_t i = 0; i < count; i++) {
        const struct column *column = &columns[i];
        snprintf(head, sizeof head, "%s%s%s", i == table->sort ? "*" : "", column->name,
                 rates && column->rate ? "/s" : "");
        bytes_print(text, "%*s", i == 0 ? -(int)name : column->width, head);
    }
    end_line(table, text, from);
}

static void print_row(const struct table *table, const struct figures *of, size_t count,
                      size_t name, struct bytes *text)
{
    char cell[CELL_MAX];
    size_t from = text->length;
    bytes_print(text, "%-*.*s", (int)name, (int)name, of->row->name);
    for (size_t i = 1; i < count; i++) {
        columns[i].show(of, cell);
        bytes_print(text, "%*s", columns[i].width, cell);
    }
    end_line(table, text, from);
}

/* --- the table -------------------------------------------------------------------- */

static size_t sorted_by; /* the column, for compare */

static int compare(const void *a, const void *b)
{
    const struct figures *left = a, *right = b;
    const struct column *column = &columns[sorted_by];
    double x = column->weight != NULL ? column->weight(left) : 0;
    double y = column->weight != NULL ? column->weight(right) : 0;
    if (x != y) {
        return x < y ? 1 : -1;
    }
    return strcmp(left->row->name, right->row->name);
}

static void print_rows(const struct table *table, const struct sample *now,
                       const struct sample *before, struct bytes *text)
{
    static const struct sample_row none = {.records = 0};
    double seconds = seconds_between(now, before);
    size_t name, count = fit(table, now, &name);
    struct figures *of = memory_new(now->count, sizeof *of);
    for (size_t i = 0; i < now->count; i++) {
        const struct sample_row *earlier =
            before != NULL ? sample_find(before, now->rows[i].name) : &none;
        of[i] = figures_of(&now->rows[i], earlier, seconds);
    }
    sorted_by = table->sort;
    if (now->count > 0) {
        qsort(of, now->count, sizeof *of, compare);
    }
    print_head(table, count, name, before != NULL, text);
    for (size_t i = 0; i < now->count && i < table->rows; i++) {
        print_row(table, &of[i], count, name, text);
    }
    free(of);
}

void table_print(const struct table *table, const struct sample *now, const struct sample *before,
                 struct bytes *text)
{
    print_server(table, now, text);
    print_totals(table, now, before, text);
    bytes_append_byte(text, '\n');
    print_rows(table, now, before, text);
    size_t shown = now->count < table->rows ? now->count : table->rows;
    if (shown < now->namespaces) {
        size_t from = text->length;
        bytes_print(text, "and %zu more", now->namespaces - shown);
        end_line(table, text, from);
    }
}

void table_print_keys(const struct table *table, struct bytes *text)
{
    size_t from = text->length;
    bytes_append_text(text, "q end ");
    for (size_t i = 0; i < column_count - 1; i++) {
        bytes_print(text, " %c %s ", columns[i].key, columns[i].name);
    }
    end_line(table, text, from);
    text->length--;
}
