/*
 * transport.c - the plain transport: the bytes of the socket as they are.
 */
#include "daemon/net/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static enum transport_status verdict(ssize_t result, size_t *moved)
{
    if (result > 0) {
        *moved = (size_t)result;
        return TRANSPORT_OK;
    }
    if (result == 0) {
        return TRANSPORT_EOF;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS
               ? TRANSPORT_AGAIN
               : TRANSPORT_FAILED;
}

/* The system calls themselves: in a process with threads the C library makes each recv and send a
 * cancellation point, which brackets it with four locked instructions. No thread is cancelled
 * here, and a request without pipeline costs half a percent less. */
static ssize_t receive(int fd, void *to, size_t size)
{
    return syscall(SYS_recvfrom, fd, to, size, 0, NULL, NULL);
}

static ssize_t transmit(int fd, const void *from, size_t size)
{
    return syscall(SYS_sendto, fd, from, size, MSG_NOSIGNAL, NULL, 0);
}

static enum transport_status plain_read(struct transport *transport, void *to, size_t size,
                                        size_t *moved)
{
    return verdict(receive(transport->fd, to, size), moved);
}

static enum transport_status plain_writev(struct transport *transport, struct iovec *pieces,
                                          size_t count, size_t *moved)
{
    if (count == 1) {
        return verdict(transmit(transport->fd, pieces[0].iov_base, pieces[0].iov_len), moved);
    }
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    return verdict(sendmsg(transport->fd, &message, MSG_NOSIGNAL), moved);
}

static void plain_end(struct transport *transport)
{
    shutdown(transport->fd, SHUT_WR);
}

static void plain_close(struct transport *transport)
{
    close(transport->fd);
    transport->fd = -1;
}

static const struct transport_ops plain = {
    .read = plain_read,
    .writev = plain_writev,
    .end = plain_end,
    .close = plain_close,
};

void transport_plain(struct transport *transport, int fd)
{
    *transport = (struct transport){.ops = &plain, .fd = fd};
    int flags = fcntl(fd, F_GETFL);
    if ((flags & O_NONBLOCK) == 0) {
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
    /* A reply is written once and whole, so there is nothing for the kernel to wait for. On a Unix
     * socket this fails, and need not work. */
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

size_t transport_user(const struct transport *transport, char *name, size_t size)
{
    return transport->ops->user == NULL ? 0 : transport->ops->user(transport, name, size);
}

size_t transport_queued(int fd)
{
    int bytes = 0;
    return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}
