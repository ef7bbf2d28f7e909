/*
 * http_reply.h - answers of evhttp, with the headers that each of them has.
 *
 * Nothing is to be kept, guessed at, framed or loaded from anywhere: figures are of this moment,
 * and say what this machine is used for.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_REPLY_H
#define KVCACHED_DAEMON_HTTP_HTTP_REPLY_H

#include <stdbool.h>

struct evbuffer;
struct evhttp_request;

#define HTTP_TYPE_TEXT    "text/plain; charset=utf-8"
#define HTTP_TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"
#define HTTP_TYPE_PAGE    "text/html; charset=utf-8"

/* Those of a 200 or of what is said else. `policy`: a Content-Security-Policy; NULL: nothing may
 * be loaded. */
void http_reply_headers(struct evhttp_request *request, const char *type, const char *policy);

/* A line of text, which ends the request. */
void http_reply_line(struct evhttp_request *request, int code, const char *reason,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A body, which ends the request; http_reply_headers was called. */
void http_reply_body(struct evhttp_request *request, struct evbuffer *body);

bool http_reply_is_head(struct evhttp_request *request);

#endif
