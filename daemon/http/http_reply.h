/*
 * http_reply.h - sends answers with evhttp, and sets the headers that all of them have.
 *
 * An answer must not be cached, since figures change, nor framed or read by other sites, since
 * figures are confidential. All functions are for the HTTP thread.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_REPLY_H
#define KVCACHED_DAEMON_HTTP_HTTP_REPLY_H

#include <stdbool.h>

struct evbuffer;
struct evhttp_request;

#define HTTP_TYPE_TEXT    "text/plain; charset=utf-8"
#define HTTP_TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"
#define HTTP_TYPE_PAGE    "text/html; charset=utf-8"

/* `policy` is the Content-Security-Policy; NULL: nothing may be loaded. */
void http_reply_headers(struct evhttp_request *request, const char *type, const char *policy);

/* Sends a line of text, and ends the request. Sets the headers, too. */
void http_reply_line(struct evhttp_request *request, int code, const char *reason,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Sends a body with status 200, and ends the request. Call http_reply_headers before. */
void http_reply_body(struct evhttp_request *request, struct evbuffer *body);

bool http_reply_is_head(struct evhttp_request *request);

#endif
