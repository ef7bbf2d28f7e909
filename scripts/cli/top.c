/*
 * top.c - `top`: the figures of a server and of its namespaces, every second.
 */
#include <curses.h>
#include <stdlib.h>

#include "scripts/cli/clock.h"
#include "scripts/cli/columns.h"
#include "scripts/cli/command.h"
#include "scripts/cli/interrupt.h"
#include "scripts/cli/table.h"

enum { PERIOD = 1000, KEYS_LINES = 1, WIDE = 1000 };

/* The view of a terminal. */
struct view {
    struct session *session;
    struct table table;
    struct sample now, before;
    bool has_now, has_before;
    char error[1024]; /* why there are no newer figures; empty: there are */
};

/* --- once ------------------------------------------------------------------------- */

static enum status print_once(struct session *session, const struct table *table)
{
    struct sample sample = {.rows = NULL};
    struct bytes text = {.at = NULL};
    bool allowed = true;
    enum status status = session_ready(session);
    if (status != STATUS_DONE) {
        return status;
    }
    status = session_result(session, sample_take(&session->client, &sample, &allowed));
    if (status == STATUS_DONE && !allowed) {
        printer_fail(&session->printer, session->client.error);
        status = STATUS_REFUSED;
    }
    if (status == STATUS_DONE) {
        table_print(table, &sample, NULL, &text);
        fwrite(text.at, 1, text.length, session->printer.out);
    }
    sample_deinit(&sample);
    bytes_deinit(&text);
    return status;
}

/* --- every second ----------------------------------------------------------------- */

static enum client_result connect_again(struct session *session)
{
    return client_is_good(&session->client)
               ? CLIENT_DONE
               : client_connect(&session->client, session->endpoint, &session->credentials);
}

/* Takes a sample; what it was in place of becomes the one before. */
static enum client_result refresh_figures(struct view *view)
{
    struct client *client = &view->session->client;
    struct sample sample = {.rows = NULL};
    bool allowed = true;
    enum client_result result = connect_again(view->session);
    if (result == CLIENT_DONE) {
        result = sample_take(client, &sample, &allowed);
    }
    if (result != CLIENT_DONE || !allowed) {
        snprintf(view->error, sizeof view->error, "%s", client->error);
        sample_deinit(&sample);
        return result;
    }
    view->error[0] = '\0';
    sample_deinit(&view->before);
    view->before = view->now;
    view->has_before = view->has_now;
    view->now = sample;
    view->has_now = true;
    return result;
}

static void draw(struct view *view)
{
    struct bytes text = {.at = NULL};
    view->table.width = COLS > 0 ? (size_t)COLS : 80;
    view->table.rows = LINES > 9 ? (size_t)LINES - 9 : 1;
    erase();
    if (view->has_now) {
        table_print(&view->table, &view->now, view->has_before ? &view->before : NULL, &text);
    }
    if (view->error[0] != '\0') {
        bytes_print(&text, "%s\n", view->error);
    }
    mvaddnstr(0, 0, text.at != NULL ? text.at : "", (int)text.length);
    text.length = 0;
    table_print_keys(&view->table, &text);
    attron(A_REVERSE);
    mvaddnstr(LINES - KEYS_LINES, 0, text.at, (int)text.length);
    attroff(A_REVERSE);
    bytes_deinit(&text);
    refresh();
}

/* Waits for keys until then. False: the view is to be ended. */
static bool take_keys(struct view *view, int64_t until)
{
    for (int left; (left = clock_left(until)) > 0;) {
        timeout(left);
        int key = getch();
        if (key == 'q' || interrupt_noted()) {
            return false;
        }
        if (column_find(key, &view->table.sort) || key == KEY_RESIZE) {
            draw(view);
        }
    }
    return true;
}

static void run_view(struct view *view)
{
    bool open = true;
    while (open) {
        int64_t next = clock_now() + PERIOD;
        open = refresh_figures(view) != CLIENT_INTERRUPTED;
        draw(view);
        open = open && take_keys(view, next);
    }
}

static enum status watch(struct session *session, struct table *table)
{
    struct view view = {.session = session, .table = *table};
    enum status status = session_ready(session);
    if (status != STATUS_DONE) {
        return status;
    }
    SCREEN *screen = newterm(NULL, stdout, stdin);
    if (screen == NULL) {
        printer_fail(&session->printer, "the terminal cannot be used; top -1 prints once");
        return STATUS_REFUSED;
    }
    interrupt_catch(true);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    run_view(&view);
    endwin();
    delscreen(screen);
    sample_deinit(&view.now);
    sample_deinit(&view.before);
    if (view.error[0] != '\0') {
        printer_fail(&session->printer, view.error);
        status = client_is_connected(&session->client) ? STATUS_REFUSED : STATUS_NO_CONNECTION;
    }
    return status;
}

/* The width of plain text: COLUMNS of the environment, or all that there is. */
static size_t plain_width(void)
{
    const char *wanted = getenv("COLUMNS");
    long width = wanted != NULL ? strtol(wanted, NULL, 10) : 0;
    return width > 0 ? (size_t)width : WIDE;
}

enum status top_run(struct session *session, int count, char **words)
{
    char server[ENDPOINT_NAME_MAX];
    struct table table = {.width = plain_width(), .rows = SIZE_MAX, .server = server};
    endpoint_name(session->endpoint, server);
    column_find('r', &table.sort);
    if (count == 2 && strcmp(words[1], "-1") == 0) {
        return print_once(session, &table);
    }
    if (count != 1) {
        return command_misused(session, "top");
    }
    if (!session->printer.terminal) {
        printer_fail(&session->printer, "the output is no terminal; top -1 prints once");
        return STATUS_REFUSED;
    }
    return watch(session, &table);
}
