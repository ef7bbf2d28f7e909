/*
 * handoff_reject.c - no to one connection more.
 *
 * Waits for nobody: what a peer is told is sent if it fits the socket's buffer, which in a
 * new connection it does.
 */
#include "daemon/net/handoff_reject.h"

#include <sys/socket.h>

/* What a peer already said is read and dropped: closing over unread bytes would reset the
 * connection, and the reset might overtake the answer. */
void handoff_say_full(int fd, const struct endpoint *endpoint)
{
    static const char answer[] = "SERVER_ERROR too many connections\r\n";
    char dropped[4096];

    if (endpoint->tls == NULL) { /* where TLS is spoken, nothing can be said before a handshake */
        send(fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    shutdown(fd, SHUT_WR);
    recv(fd, dropped, sizeof dropped, MSG_DONTWAIT);
}
