/*
 * http_none.c - for a build without HTTP: a configuration with such a listener is refused at the
 * start.
 */
#include "daemon/http/http.h"

bool http_is_built(void)
{
    return false;
}

struct http *http_create(const struct http_options *options)
{
    (void)options;
    return NULL;
}

bool http_serve(struct http *http, const struct http_serving *serving)
{
    (void)http;
    (void)serving;
    return true;
}

void http_reconfigure(struct http *http, const struct conf *conf, struct users *users)
{
    (void)http;
    (void)conf;
    (void)users;
}

void http_stop_serving(struct http *http)
{
    (void)http;
}

void http_destroy(struct http **http)
{
    *http = NULL;
}
