/*
 * http_exchange.c - see http_exchange.h.
 */
#include "daemon/http/http_exchange.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/http/http_host.h"
#include "daemon/http/http_inspect.h"
#include "daemon/http/http_page.h"
#include "daemon/http/http_reply.h"
#include "daemon/http/http_tls.h"
#include "daemon/net/peer.h"
#include "protocol/base64.h"

enum {
    HTTP_MISDIRECTED = 421,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    CREDENTIALS_MAX = 512, /* bytes of a name and a secret in base64 */
};

struct http_exchange {
    struct http_port *port;
    struct http_conn *conn;
    struct evhttp_request *request;
    const struct path *path;
    struct identity identity;
    bool identified;            /* the identity is initialized */
    struct http_scrape *scrape; /* that sends the answer in slices, or NULL */
    enum conf_series series;
};

/* --- end --------------------------------------------------------------------- */

static void destroy(struct http_exchange *exchange)
{
    if (exchange->identified) {
        identity_deinit(&exchange->identity);
    }
    http_scrape_cancel(&exchange->scrape);
    exchange->conn->answering = NULL;
    exchange->conn->since = http_conns_now();
    free(exchange);
}

/* To be called before the answer is sent: evhttp may close the connection then, and call
 * on_close. */
static struct evhttp_request *detach_request(struct http_exchange *exchange)
{
    struct evhttp_request *request = exchange->request;
    destroy(exchange);
    return request;
}

/* A request that evhttp has detached from the connection must be freed here. */
static void on_close(struct evhttp_connection *connection, void *context)
{
    struct http_conn *conn = context;
    struct http_exchange *exchange = conn->answering;
    (void)connection;
    if (exchange != NULL) {
        struct evhttp_request *request = detach_request(exchange);
        if (evhttp_request_get_connection(request) == NULL) {
            evhttp_request_free(request);
        }
    }
}

/* --- answers ------------------------------------------------------------------------ */

static void answer_starting(struct http_exchange *exchange)
{
    unsigned percent = atomic_load(exchange->port->site->percent);
    struct evhttp_request *request = detach_request(exchange);
    if (percent <= 100) {
        http_reply_line(request, HTTP_SERVUNAVAIL, "Service Unavailable",
                        "reading the arena: %u %%", percent);
    } else {
        http_reply_line(request, HTTP_SERVUNAVAIL, "Service Unavailable", "starting");
    }
}

/* False: the request has been answered. */
static bool is_serving(struct http_exchange *exchange)
{
    switch (exchange->port->site->stage) {
    case HTTP_STARTING:
        answer_starting(exchange);
        return false;
    case HTTP_STOPPING:
        http_reply_line(detach_request(exchange), HTTP_SERVUNAVAIL, "Service Unavailable",
                        "stopping");
        return false;
    case HTTP_SERVING:
        break;
    }
    return true;
}

static void answer_health(struct http_exchange *exchange)
{
    const struct http_site *site = exchange->port->site;
    struct evhttp_request *request = detach_request(exchange);
    if (site->stage == HTTP_SERVING && site->stuck[0] != '\0') {
        http_reply_line(request, HTTP_SERVUNAVAIL, "Service Unavailable", "stuck: %s", site->stuck);
    } else {
        http_reply_line(request, HTTP_OK, "OK", "ok");
    }
}

static void answer_ready(struct http_exchange *exchange)
{
    if (!is_serving(exchange)) {
        return;
    }
    const struct instance *instance = exchange->port->site->source.instance;
    struct evhttp_request *request = detach_request(exchange);
    if (atomic_load(&instance->connections) >= atomic_load(&instance->max_connections)) {
        http_reply_line(request, HTTP_SERVUNAVAIL, "Service Unavailable",
                        "max_connections reached");
    } else {
        http_reply_line(request, HTTP_OK, "OK", "ready");
    }
}

static void on_scraped(void *context)
{
    struct http_exchange *exchange = context;
    exchange->scrape = NULL;
    destroy(exchange);
}

/* The words are those of the configuration. False for any other. */
static bool find_series(const char *word, enum conf_series *series)
{
    static const char *const words[] = {[CONF_SERIES_DECLARED] = "declared",
                                        [CONF_SERIES_ALL] = "all",
                                        [CONF_SERIES_NONE] = "none"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            *series = (enum conf_series)i;
            return true;
        }
    }
    return false;
}

/* False for a query that is not known. */
static bool read_query(struct http_exchange *exchange)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(exchange->request);
    const char *query = evhttp_uri_get_query(uri);
    struct evkeyvalq words;
    exchange->series = exchange->port->site->series;
    if (query == NULL || query[0] == '\0') {
        return true;
    }
    if (evhttp_parse_query_str(query, &words) != 0) {
        return false;
    }
    const char *word = evhttp_find_header(&words, "namespaces");
    bool known = word == NULL || find_series(word, &exchange->series);
    evhttp_clear_headers(&words);
    return known;
}

static void answer_metrics(struct http_exchange *exchange)
{
    if (!is_serving(exchange)) {
        return;
    }
    if (!read_query(exchange)) {
        http_reply_line(detach_request(exchange), HTTP_BADREQUEST, "Bad Request",
                        "write namespaces=declared, all or none");
        return;
    }
    if (http_reply_is_head(exchange->request)) {
        struct evhttp_request *request = detach_request(exchange);
        http_reply_headers(request, HTTP_TYPE_METRICS, NULL);
        evhttp_send_reply(request, HTTP_OK, "OK", NULL);
        return;
    }
    const struct http_scrape_options options = {.source = &exchange->port->site->source,
                                                .series = exchange->series,
                                                .done = on_scraped,
                                                .context = exchange};
    struct evhttp_request *request = exchange->request;
    struct http_scrape *scrape = http_scrape_start(request, &options);
    if (scrape != NULL) {
        exchange->scrape = scrape;
    }
}

static void answer_page(struct http_exchange *exchange)
{
    struct evhttp_request *request = detach_request(exchange);
    struct evbuffer *body = evbuffer_new();
    if (body == NULL || evbuffer_add_reference(body, http_page, http_page_size, NULL, NULL) != 0) {
        http_reply_line(request, HTTP_SERVUNAVAIL, "Service Unavailable", "out of memory");
    } else {
        http_reply_headers(request, HTTP_TYPE_PAGE, http_page_policy);
        http_reply_body(request, body);
    }
    if (body != NULL) {
        evbuffer_free(body);
    }
}

/* NULL: the request has been answered. */
static struct evbuffer *begin_lines(struct http_exchange *exchange)
{
    struct evbuffer *body = evbuffer_new();
    if (body == NULL) {
        http_reply_line(detach_request(exchange), HTTP_SERVUNAVAIL, "Service Unavailable",
                        "out of memory");
    }
    return body;
}

static void send_lines(struct http_exchange *exchange, struct evbuffer *body)
{
    struct evhttp_request *request = detach_request(exchange);
    http_reply_headers(request, HTTP_TYPE_TEXT, NULL);
    http_reply_body(request, body);
    evbuffer_free(body);
}

static void answer_slow(struct http_exchange *exchange)
{
    struct evbuffer *body = is_serving(exchange) ? begin_lines(exchange) : NULL;
    if (body != NULL) {
        http_inspect_slow(exchange->port->site->source.instance, body);
        send_lines(exchange, body);
    }
}

static void answer_clients(struct http_exchange *exchange)
{
    struct evbuffer *body = is_serving(exchange) ? begin_lines(exchange) : NULL;
    if (body != NULL && http_inspect_clients(exchange->port->site->source.instance, body)) {
        send_lines(exchange, body);
    } else if (body != NULL) {
        http_reply_line(detach_request(exchange), HTTP_SERVUNAVAIL, "Service Unavailable",
                        "a worker did not answer in time");
        evbuffer_free(body);
    }
}

static void answer_icon(struct http_exchange *exchange)
{
    struct evhttp_request *request = detach_request(exchange);
    http_reply_headers(request, HTTP_TYPE_TEXT, NULL);
    evhttp_send_reply(request, HTTP_NOCONTENT, "No Content", NULL);
}

/* --- paths ------------------------------------------------------------------------------ */

/* What shows keys and addresses is never open where there are users. */
enum { OPEN_NEVER = CONF_OPEN_ALL + 1 };

static const struct path {
    const char *name;
    unsigned open;     /* the listener's `open` that serves it without authentication */
    const char *right; /* that a user needs everywhere */
    unsigned right_bit;
    void (*answer)(struct http_exchange *exchange);
} paths[] = {
    {"/healthz", CONF_OPEN_HEALTH, "watch", RIGHT_WATCH, answer_health},
    {"/readyz", CONF_OPEN_HEALTH, "watch", RIGHT_WATCH, answer_ready},
    {"/favicon.ico", CONF_OPEN_HEALTH, "watch", RIGHT_WATCH, answer_icon}, /* for browsers */
    {"/metrics", CONF_OPEN_METRICS, "watch", RIGHT_WATCH, answer_metrics},
    {"/", CONF_OPEN_ALL, "watch", RIGHT_WATCH, answer_page},
    {"/slow", OPEN_NEVER, "admin", RIGHT_ADMIN, answer_slow},
    {"/clients", OPEN_NEVER, "admin", RIGHT_ADMIN, answer_clients},
};

static const struct path *find_path(struct evhttp_request *request)
{
    const char *name = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
    for (size_t i = 0; name != NULL && i < sizeof paths / sizeof paths[0]; i++) {
        if (strcmp(name, paths[i].name) == 0) {
            return &paths[i];
        }
    }
    return NULL;
}

/* --- Host --------------------------------------------------------------------------------- */

static bool is_own_name(const struct http_port *port, const char *host)
{
    const struct endpoint *endpoint = &port->listener->endpoint;
    char name[HTTP_HOST_MAX];
    return http_host_name(host, name) &&
           (http_host_is_local(name) ||
            (endpoint->tls != NULL && http_tls_has_name(endpoint->tls, name)));
}

/* Pages of other sites cannot reach a Unix socket, and every browser sends Host. */
static bool names_this_host(const struct http_port *port, struct evhttp_request *request)
{
    const char *host = evhttp_find_header(evhttp_request_get_input_headers(request), "Host");
    const char *in_uri = evhttp_uri_get_host(evhttp_request_get_evhttp_uri(request));
    if (endpoint_is_local(&port->listener->endpoint)) {
        return true;
    }
    return (host == NULL || is_own_name(port, host)) &&
           (in_uri == NULL || in_uri[0] == '\0' || is_own_name(port, in_uri));
}

/* --- the client's rights ------------------------------------------------------------------ */

static void answer_unauthorized(struct http_exchange *exchange)
{
    const char *right = exchange->path->right;
    struct evhttp_request *request = detach_request(exchange);
    evhttp_add_header(evhttp_request_get_output_headers(request), "WWW-Authenticate",
                      "Basic realm=\"kvcached\", charset=\"UTF-8\"");
    http_reply_line(request, HTTP_UNAUTHORIZED, "Unauthorized",
                    "authenticate: a user with the right \"%s\" everywhere", right);
}

/* The client has authenticated. */
static void answer_user(struct http_exchange *exchange)
{
    const struct user *user = exchange->identity.user;
    const char *right = exchange->path->right;
    if ((user_rights_everywhere(user) & exchange->path->right_bit) != 0) {
        exchange->path->answer(exchange);
        return;
    }
    struct slice name = user_name(user);
    char copy[REQUEST_NAMESPACE_MAX + 1] = "";
    memcpy(copy, name.bytes, name.length);
    http_reply_line(detach_request(exchange), HTTP_FORBIDDEN, "Forbidden",
                    "not allowed: user \"%s\" needs the right \"%s\" everywhere", copy, right);
}

static void log_denial(const struct http_exchange *exchange)
{
    static struct log_limit limit = LOG_LIMIT("denied: no such user with such a secret");
    if (log_admits(&limit, LOG_INFO)) {
        char peer[PEER_NAME_MAX];
        peer_name(exchange->identity.fd, peer, sizeof peer);
        log_line(LOG_INFO, "%s: %s: denied: no such user with such a secret",
                 exchange->port->listener->endpoint.name, peer);
    }
}

static void handle_verdict(struct http_exchange *exchange, enum identity_verdict verdict)
{
    switch (verdict) {
    case IDENTITY_WAITS:
        return;
    case IDENTITY_GRANTED:
        answer_user(exchange);
        return;
    case IDENTITY_DENIED:
        metrics_add(exchange->port->site->metrics, METRIC_AUTH_ERRORS, 1);
        log_denial(exchange);
        answer_unauthorized(exchange);
        return;
    case IDENTITY_NO_MEMORY:
        http_reply_line(detach_request(exchange), HTTP_SERVUNAVAIL, "Service Unavailable",
                        "out of memory");
        return;
    }
}

/* The name and the secret of "Basic ...", which point into `room`. False: there are none. */
static bool read_credentials(struct evhttp_request *request, char room[CREDENTIALS_MAX],
                             struct slice *name, struct slice *secret)
{
    static const char scheme[] = "Basic ";
    const char *header =
        evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");
    if (header == NULL || strncasecmp(header, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    header += sizeof scheme - 1;
    header += strspn(header, " ");
    size_t length = strlen(header);
    if (length >= CREDENTIALS_MAX) {
        return false;
    }
    memcpy(room, header, length);
    const char *colon = NULL, *why;
    if (base64_decode(room, &length)) {
        colon = memchr(room, ':', length);
    }
    if (colon == NULL) {
        return false;
    }
    *name = (struct slice){room, (size_t)(colon - room)};
    *secret = (struct slice){colon + 1, length - name->length - 1};
    return name->length > 0 && name->length <= REQUEST_NAMESPACE_MAX &&
           secret_is_possible(*secret, &why);
}

static void ask_authenticator(struct http_exchange *exchange)
{
    char room[CREDENTIALS_MAX];
    struct slice name, secret;
    if (!read_credentials(exchange->request, room, &name, &secret)) {
        explicit_bzero(room, sizeof room);
        answer_unauthorized(exchange);
        return;
    }
    metrics_add(exchange->port->site->metrics, METRIC_AUTH_CMDS, 1);
    enum identity_verdict verdict =
        identity_ask(&exchange->identity, &exchange->port->site->auth, clock_now(), name, secret);
    explicit_bzero(room, sizeof room);
    handle_verdict(exchange, verdict);
}

static void identify(struct http_exchange *exchange)
{
    const struct auth_context *auth = &exchange->port->site->auth;
    struct bufferevent *bufferevent = exchange->conn->bufferevent;
    char name[REQUEST_NAMESPACE_MAX];
    identity_init(&exchange->identity, auth, bufferevent_getfd(bufferevent), clock_now());
    exchange->identified = true;
    if (http_tls_is(bufferevent)) {
        size_t length = http_tls_user(bufferevent, exchange->port->listener->endpoint.tls,
                                      &exchange->conn->trust_version, name, sizeof name);
        if (length > 0) {
            identity_by_certificate(&exchange->identity, auth, (struct slice){name, length});
        }
    }
}

static void authorize(struct http_exchange *exchange)
{
    if (exchange->path->open <= (unsigned)exchange->port->listener->endpoint.open) {
        exchange->path->answer(exchange);
        return;
    }
    if (!is_serving(exchange)) { /* without an authenticator */
        return;
    }
    identify(exchange);
    switch (exchange->identity.state) {
    case IDENTITY_NOT_REQUIRED:
        exchange->path->answer(exchange);
        break;
    case IDENTITY_AUTHENTICATED:
        answer_user(exchange);
        break;
    case IDENTITY_UNAUTHENTICATED:
        ask_authenticator(exchange);
        break;
    }
}

void http_exchange_answered(struct login_request *login)
{
    struct identity *identity = identity_answered(login);
    if (identity == NULL) {
        return;
    }
    struct http_exchange *exchange =
        (struct http_exchange *)((char *)identity - offsetof(struct http_exchange, identity));
    handle_verdict(exchange, identity_take(identity, &exchange->port->site->auth, clock_now()));
}

/* --- begin ------------------------------------------------------------------------------- */

/* NULL: the request has been answered. */
static struct http_exchange *make(struct evhttp_request *request, struct http_port *port,
                                  struct http_conn *conn, const struct path *path)
{
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        http_reply_line(request, HTTP_SERVUNAVAIL, "Service Unavailable", "out of memory");
        return NULL;
    }
    exchange->port = port;
    exchange->conn = conn;
    exchange->request = request;
    exchange->path = path;
    conn->answering = exchange;
    conn->since = http_conns_now();
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_close, conn);
    return exchange;
}

/* False for a connection that was made while there was no memory: it is not listed, or has no TLS
 * on a listener with TLS. */
static bool is_sound(const struct http_port *port, const struct http_conn *conn)
{
    return conn != NULL && (port->listener->endpoint.tls == NULL || http_tls_is(conn->bufferevent));
}

void http_exchange_begin(struct evhttp_request *request, void *context)
{
    struct http_port *port = context;
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    struct http_conn *conn =
        http_conns_find(&port->conns, evhttp_connection_get_bufferevent(connection));
    const struct path *path = find_path(request);
    if (!is_sound(port, conn)) {
        evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
        http_reply_line(request, HTTP_SERVUNAVAIL, "Service Unavailable", "out of memory");
    } else if (!names_this_host(port, request)) {
        http_reply_line(request, HTTP_MISDIRECTED, "Misdirected Request",
                        "this Host is not served here: write an address, localhost or a name "
                        "of the certificate");
    } else if (path == NULL) {
        http_reply_line(request, HTTP_NOTFOUND, "Not Found",
                        "there are /healthz, /readyz, /metrics, /slow, /clients and /");
    } else {
        struct http_exchange *exchange = make(request, port, conn, path);
        if (exchange != NULL) {
            authorize(exchange);
        }
    }
}

void http_exchange_end_all(struct http_port *port)
{
    for (size_t i = 0; i < HTTP_CONNS_MAX; i++) {
        struct http_exchange *exchange = port->conns.all[i].answering;
        if (exchange != NULL && exchange->scrape != NULL) {
            /* A part of the answer may have been sent: closing shows that the rest is missing. */
            evhttp_connection_free(evhttp_request_get_connection(exchange->request));
        } else if (exchange != NULL) {
            http_reply_line(detach_request(exchange), HTTP_SERVUNAVAIL, "Service Unavailable",
                            "stopping");
        }
    }
}
