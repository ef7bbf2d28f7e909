/*
 * http_page.h - the live page: page.html as it stands, made into C by page-to-c.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_PAGE_H
#define KVCACHED_DAEMON_HTTP_HTTP_PAGE_H

#include <stddef.h>

extern const unsigned char http_page[];
extern const size_t http_page_size;

/* Its Content-Security-Policy: its own script and style, by their hashes, and figures from where
 * it came from. */
extern const char http_page_policy[];

#endif
