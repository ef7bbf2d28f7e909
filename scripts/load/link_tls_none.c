/*
 * link_tls_none.c - for a generator that was built without OpenSSL.
 */
#include "scripts/load/link_tls.h"

#include <errno.h>
#include <stdio.h>

struct link_tls *link_tls_open(int fd)
{
    (void)fd;
    fputs("this generator was built without TLS\n", stderr);
    errno = ENOSYS;
    return NULL;
}

void link_tls_close(struct link_tls *tls)
{
    (void)tls;
}

ssize_t link_tls_send(struct link_tls *tls, const char *bytes, size_t length)
{
    (void)tls;
    (void)bytes;
    (void)length;
    errno = ENOSYS;
    return -1;
}

ssize_t link_tls_recv(struct link_tls *tls, char *to, size_t size)
{
    (void)tls;
    (void)to;
    (void)size;
    errno = ENOSYS;
    return -1;
}

bool link_tls_pending(const struct link_tls *tls)
{
    (void)tls;
    return false;
}
