/*
 * http_reply.c - see http_reply.h.
 */
#include "daemon/http/http_reply.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdarg.h>
#include <stdio.h>

void http_reply_headers(struct evhttp_request *request, const char *type, const char *policy)
{
    static const char nothing[] = "default-src 'none'; frame-ancestors 'none'";
    const struct {
        const char *name, *value;
    } headers[] = {{"Content-Type", type},
                   {"Cache-Control", "no-store"},
                   {"X-Content-Type-Options", "nosniff"},
                   {"Referrer-Policy", "no-referrer"},
                   {"Cross-Origin-Resource-Policy", "same-origin"},
                   {"Content-Security-Policy", policy != NULL ? policy : nothing}};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        evhttp_add_header(evhttp_request_get_output_headers(request), headers[i].name,
                          headers[i].value);
    }
}

bool http_reply_is_head(struct evhttp_request *request)
{
    return evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;
}

/* HEAD is answered with the length of the body. */
static void send_body(struct evhttp_request *request, int code, const char *reason,
                      struct evbuffer *body)
{
    if (http_reply_is_head(request)) {
        char length[24];
        snprintf(length, sizeof length, "%zu", evbuffer_get_length(body));
        evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Length", length);
        evbuffer_drain(body, evbuffer_get_length(body));
    }
    evhttp_send_reply(request, code, reason, body);
}

void http_reply_body(struct evhttp_request *request, struct evbuffer *body)
{
    send_body(request, HTTP_OK, "OK", body);
}

void http_reply_line(struct evhttp_request *request, int code, const char *reason,
                     const char *format, ...)
{
    struct evbuffer *body = evbuffer_new();
    va_list arguments;
    http_reply_headers(request, HTTP_TYPE_TEXT, NULL);
    if (body == NULL) {
        evhttp_send_reply(request, code, reason, NULL);
        return;
    }
    va_start(arguments, format);
    evbuffer_add_vprintf(body, format, arguments);
    va_end(arguments);
    evbuffer_add(body, "\n", 1);
    send_body(request, code, reason, body);
    evbuffer_free(body);
}
