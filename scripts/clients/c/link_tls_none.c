/*
 * link_tls_none.c - without OpenSSL: a server that speaks TLS is not reached.
 */
#include "scripts/clients/c/link_tls.h"

bool link_tls_start(struct link *link, int timeout)
{
    (void)timeout;
    link_fail(link, "the server speaks TLS, and this libkvcached was built without it");
    return false;
}

void link_tls_end(struct link *link)
{
    (void)link;
}

enum link_result link_tls_read(struct link *link, char *to, size_t room, size_t *count)
{
    (void)to;
    (void)room;
    (void)count;
    link_fail(link, "built without TLS");
    return LINK_BROKEN;
}

enum link_result link_tls_write(struct link *link, struct slice bytes, size_t *count)
{
    (void)bytes;
    (void)count;
    link_fail(link, "built without TLS");
    return LINK_BROKEN;
}
