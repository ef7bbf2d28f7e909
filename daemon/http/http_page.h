/*
 * http_page.h - the live page: page.html, which page-to-c turns into C.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_PAGE_H
#define KVCACHED_DAEMON_HTTP_HTTP_PAGE_H

#include <stddef.h>

extern const unsigned char http_page[];
extern const size_t http_page_size;

/* Its Content-Security-Policy: it allows the page's own script and style, by their hashes, and
 * requests to the same origin. */
extern const char http_page_policy[];

#endif
