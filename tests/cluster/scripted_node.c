/*
 * scripted_node.c - a server for one event loop; see scripted_node.h.
 */
#include "tests/cluster/scripted_node.h"

#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char node_silence[] = "silence", node_closes[] = "closes";

enum { ARGUMENTS_MAX = 16 };

struct node_conn {
    LIST_ENTRY(node_conn) next;
    struct scripted_node *node;
    struct transport transport;
    struct event readable;
    bool shaken;
    char *bytes; /* that came, and are not answered */
    size_t length, capacity;
    char *out; /* replies of this read */
    size_t out_length;
};

struct word {
    const char *bytes;
    size_t length;
};

/* --- commands --------------------------------------------------------------- */

/* A line "*3" or "$5": its number, and where it ends. False: it is not whole. */
static bool read_number(struct node_conn *conn, size_t *at, char sign, size_t *number)
{
    const char *end = memchr(conn->bytes + *at, '\n', conn->length - *at);
    if (end == NULL) {
        return false;
    }
    ck_assert_int_eq(conn->bytes[*at], sign);
    ck_assert_int_eq(end[-1], '\r');
    *number = strtoul(conn->bytes + *at + 1, NULL, 10);
    *at = (size_t)(end + 1 - conn->bytes);
    return true;
}

static bool read_command(struct node_conn *conn, struct word words[ARGUMENTS_MAX], size_t *count,
                         size_t *end)
{
    size_t at = 0;
    if (conn->length == 0 || !read_number(conn, &at, '*', count)) {
        return false;
    }
    ck_assert_uint_ge(*count, 1);
    ck_assert_uint_le(*count, ARGUMENTS_MAX);
    for (size_t i = 0; i < *count; i++) {
        if (at == conn->length || !read_number(conn, &at, '$', &words[i].length) ||
            conn->length - at < words[i].length + 2) {
            return false;
        }
        words[i].bytes = conn->bytes + at;
        at += words[i].length;
        ck_assert_mem_eq(conn->bytes + at, "\r\n", 2);
        at += 2;
    }
    *end = at;
    return true;
}

static void note(struct scripted_node *node, const struct word *words, size_t count)
{
    ck_assert_uint_lt(node->command_count, NODE_COMMANDS_MAX);
    char *to = node->commands[node->command_count++];
    size_t at = 0;
    for (size_t i = 0; i < count && at < NODE_COMMAND_SHOWN; i++) {
        at += (size_t)snprintf(to + at, NODE_COMMAND_SHOWN - at, i == 0 ? "%.*s" : " %.*s",
                               (int)words[i].length, words[i].bytes);
        node->longest = words[i].length > node->longest ? words[i].length : node->longest;
    }
}

static bool is(struct word word, const char *text)
{
    return word.length == strlen(text) && memcmp(word.bytes, text, word.length) == 0;
}

static const char *answer_to(struct scripted_node *node, const struct word *words, size_t count)
{
    if (is(words[0], "PING")) {
        node->pings++;
        return node->ping;
    }
    if (is(words[0], "CLUSTER") && count == 2 && is(words[1], "SLOTS")) {
        node->refreshes++;
        return node->slots;
    }
    note(node, words, count);
    if (is(words[0], "AUTH")) {
        return node->auth;
    }
    if (is(words[0], "READONLY") || is(words[0], "READWRITE") || is(words[0], "ASKING")) {
        return node->role;
    }
    return node->answer_next < node->answer_count ? node->answers[node->answer_next++] : "+OK\r\n";
}

/* --- connections ------------------------------------------------------------ */

static void close_conn(struct node_conn *conn)
{
    LIST_REMOVE(conn, next);
    event_del(&conn->readable);
    conn->transport.ops->close(&conn->transport);
    free(conn->bytes);
    free(conn->out);
    free(conn);
}

static void send_all(struct node_conn *conn, const char *bytes, size_t length)
{
    while (length > 0) {
        struct iovec piece = {(char *)bytes, length};
        size_t moved = 0;
        enum transport_status status =
            conn->transport.ops->writev(&conn->transport, &piece, 1, &moved);
        if (status != TRANSPORT_OK && status != TRANSPORT_AGAIN) {
            return; /* the other side has gone */
        }
        bytes += moved;
        length -= moved;
    }
}

static void queue(struct node_conn *conn, const char *bytes)
{
    size_t length = strlen(bytes);
    conn->out = realloc(conn->out, conn->out_length + length + 1);
    ck_assert_ptr_nonnull(conn->out);
    memcpy(conn->out + conn->out_length, bytes, length);
    conn->out_length += length;
}

/* False: it has closed the connection. */
static bool answer_all(struct node_conn *conn)
{
    struct word words[ARGUMENTS_MAX];
    size_t count, end;
    bool closes = false;
    while (!closes && read_command(conn, words, &count, &end)) {
        const char *answer = answer_to(conn->node, words, count);
        memmove(conn->bytes, conn->bytes + end, conn->length - end);
        conn->length -= end;
        closes = answer == node_closes;
        if (!closes && answer != node_silence) {
            queue(conn, answer);
        }
    }
    send_all(conn, conn->out, conn->out_length);
    conn->out_length = 0;
    if (closes) {
        close_conn(conn);
    }
    return !closes;
}

/* False: it is not done yet, or the connection is closed. */
static bool shake(struct node_conn *conn)
{
    struct transport_handshake handshake;
    if (conn->node->tls == NULL || conn->shaken) {
        return true;
    }
    enum transport_status status = conn->transport.ops->handshake(&conn->transport, &handshake);
    if (status == TRANSPORT_OK) {
        conn->shaken = true;
        return true;
    }
    if (status != TRANSPORT_AGAIN) {
        close_conn(conn);
    }
    return false;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct node_conn *conn = context;
    (void)fd;
    (void)what;
    if (!shake(conn)) {
        return;
    }
    for (;;) {
        enum { PART = 65536 };
        size_t moved = 0;
        if (conn->capacity - conn->length < PART) {
            conn->capacity = conn->capacity * 2 + PART;
            conn->bytes = realloc(conn->bytes, conn->capacity);
            ck_assert_ptr_nonnull(conn->bytes);
        }
        enum transport_status status =
            conn->transport.ops->read(&conn->transport, conn->bytes + conn->length, PART, &moved);
        if (status == TRANSPORT_AGAIN) {
            break;
        }
        if (status != TRANSPORT_OK) {
            close_conn(conn);
            return;
        }
        conn->length += moved;
    }
    answer_all(conn);
}

static void on_accept(evutil_socket_t fd, short what, void *context)
{
    struct scripted_node *node = context;
    (void)what;
    int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) {
        return;
    }
    struct node_conn *conn = calloc(1, sizeof *conn);
    ck_assert_ptr_nonnull(conn);
    node->accepted++;
    conn->node = node;
    transport_plain(&conn->transport, accepted);
    if (node->tls != NULL) {
        ck_assert(transport_tls(&conn->transport, node->tls));
    }
    LIST_INSERT_HEAD(&node->conns, conn, next);
    event_assign(&conn->readable, node->base, accepted, EV_READ | EV_PERSIST, on_readable, conn);
    if (!node->stopped) {
        event_add(&conn->readable, NULL);
    }
}

/* --- what tests call ---------------------------------------------------------- */

static void open_port(struct scripted_node *node)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(node->port)};
    socklen_t length = sizeof address;
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    node->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(node->fd, 0);
    setsockopt(node->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ck_assert_int_eq(bind(node->fd, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(node->fd, 16), 0);
    getsockname(node->fd, (struct sockaddr *)&address, &length);
    node->port = ntohs(address.sin_port);
    event_assign(&node->accepts, node->base, node->fd, EV_READ | EV_PERSIST, on_accept, node);
    event_add(&node->accepts, NULL);
}

void node_start(struct scripted_node *node, struct event_base *base)
{
    *node = (struct scripted_node){
        .base = base,
        .ping = "+PONG\r\n",
        .auth = "+OK\r\n",
        .role = "+OK\r\n",
        .slots = "*0\r\n",
    };
    LIST_INIT(&node->conns);
    open_port(node);
    snprintf(node->name, sizeof node->name, "127.0.0.1:%u", (unsigned)node->port);
}

void node_hang_up(struct scripted_node *node)
{
    struct node_conn *conn;
    while ((conn = LIST_FIRST(&node->conns)) != NULL) {
        close_conn(conn);
    }
}

void node_go_away(struct scripted_node *node)
{
    node_hang_up(node);
    if (node->fd >= 0) {
        event_del(&node->accepts);
        close(node->fd);
        node->fd = -1;
    }
}

void node_come_back(struct scripted_node *node)
{
    open_port(node);
}

void node_end(struct scripted_node *node)
{
    node_go_away(node);
}

void node_stop(struct scripted_node *node)
{
    struct node_conn *conn;
    node->stopped = true;
    LIST_FOREACH(conn, &node->conns, next)
    {
        event_del(&conn->readable);
    }
}

void node_continue(struct scripted_node *node)
{
    struct node_conn *conn;
    node->stopped = false;
    LIST_FOREACH(conn, &node->conns, next)
    {
        event_add(&conn->readable, NULL);
    }
}

void node_answers(struct scripted_node *node, const char *bytes)
{
    ck_assert_uint_lt(node->answer_count, NODE_ANSWERS_MAX);
    node->answers[node->answer_count++] = bytes;
}

bool node_was_asked(const struct scripted_node *node, const char *first, ...)
{
    size_t count = 0;
    const char *expected[NODE_ANSWERS_MAX];
    va_list rest;
    va_start(rest, first);
    for (const char *one = first; one != NULL; one = va_arg(rest, const char *)) {
        expected[count++] = one;
    }
    va_end(rest);
    bool same = node->command_count >= count;
    for (size_t i = 0; same && i < count; i++) {
        same = strcmp(node->commands[node->command_count - count + i], expected[i]) == 0;
    }
    for (size_t i = 0; !same && i < node->command_count; i++) {
        fprintf(stderr, "%s was asked: %s\n", node->name, node->commands[i]);
    }
    return same;
}

size_t node_times(const struct scripted_node *node, const char *command)
{
    size_t times = 0;
    for (size_t i = 0; i < node->command_count; i++) {
        times += strcmp(node->commands[i], command) == 0;
    }
    return times;
}

void node_says(struct scripted_node *node, const char *bytes)
{
    struct node_conn *conn;
    LIST_FOREACH(conn, &node->conns, next)
    {
        send_all(conn, bytes, strlen(bytes));
    }
}
