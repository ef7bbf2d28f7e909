"""A connection with its socket, and the pool of them, for threads.

The socket does not block: while a request is sent, replies are read as well. A daemon does not
serve a connection whose replies are not taken, and a client that only sends would wait for ever.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
import weakref
from typing import Any, List, Optional, Set, Tuple

from .errors import Disconnected, KvcachedError, TimedOut
from .replies import Parser
from .settings import Batch, Settings, time_left

try:
    from ssl import SSLSocket, SSLWantReadError, SSLWantWriteError
except ImportError:  # a Python without OpenSSL
    SSLWantReadError = SSLWantWriteError = BlockingIOError  # type: ignore[misc,assignment]
    SSLSocket = None  # type: ignore[misc,assignment]

# Larger than a record of TLS: what is decrypted is taken at once, since the socket does not say
# that it is readable for the rest of it.
CHUNK = 1 << 18


class Connection:
    """One connection, of one thread at a time. After an exception it can only be closed."""

    def __init__(self, settings: Settings, deadline: Optional[float]) -> None:
        self._parser = Parser()
        self._wants_write = False
        try:
            self._socket = self._connect(settings, deadline)
        except OSError as error:
            if isinstance(error, KvcachedError):
                raise
            if isinstance(error, TimeoutError) or isinstance(error, socket.timeout):
                raise TimedOut(f"{settings}: timed out") from error
            raise Disconnected(f"{settings}: {error}") from error
        try:
            if settings.login is not None:
                login = Batch([settings.login])
                self.exchange(login, deadline)
                login.replies[0].take()
        except BaseException:
            self.close()
            raise

    def _connect(self, settings: Settings, deadline: Optional[float]) -> socket.socket:
        """To the first of the daemon's addresses that takes it."""
        if settings.path is not None:
            return self._connect_to(socket.AF_UNIX, settings.path, settings, deadline)
        failed: Optional[OSError] = None
        for family, _, _, _, where in socket.getaddrinfo(settings.host, settings.port,
                                                         type=socket.SOCK_STREAM):
            try:
                return self._connect_to(family, where, settings, deadline)
            except OSError as error:
                failed = failed or error
        assert failed is not None
        raise failed

    def _connect_to(self, family: int, where: Any, settings: Settings,
                    deadline: Optional[float]) -> socket.socket:
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            made.settimeout(time_left(deadline))
            made.connect(where)
            made.setblocking(False)
            if family != socket.AF_UNIX:
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._encrypt(made, settings, deadline)
        except BaseException:
            made.close()
            raise

    def _encrypt(self, plain: socket.socket, settings: Settings,
                 deadline: Optional[float]) -> socket.socket:
        if settings.tls is None:
            return plain
        secure = settings.tls.wrap_socket(plain, do_handshake_on_connect=False,
                                          server_hostname=settings.server_hostname)
        try:
            while True:
                try:
                    secure.do_handshake()
                    return secure
                except SSLWantReadError:
                    wait_for(secure, True, False, time_left(deadline))
                except SSLWantWriteError:
                    wait_for(secure, False, True, time_left(deadline))
        except BaseException:
            secure.close()
            raise

    def close(self) -> None:
        self._socket.close()

    def is_usable(self) -> bool:
        """Whether nothing has come since the last reply, neither bytes nor an end."""
        try:
            if not wait_for(self._socket, True, False, 0)[0]:
                return True
            if SSLSocket is None or not isinstance(self._socket, SSLSocket):
                return False
            self._socket.recv(1)  # what came may be about TLS only
            return False
        except (SSLWantReadError, SSLWantWriteError):
            return True
        except (OSError, ValueError):
            return False

    def exchange(self, batch: Batch, deadline: Optional[float]) -> None:
        """Sends it and reads the replies; those that came before an exception are there too."""
        batch.expect(self._parser)
        to_send = memoryview(batch.data)
        try:
            to_send = self._send(batch, to_send)
            while to_send or not self._parser.idle:
                writes = bool(to_send) or self._wants_write
                readable, writable = wait_for(self._socket, True, writes, time_left(deadline))
                self._wants_write = False
                if readable or not to_send:
                    self._receive()
                if writable and to_send:
                    to_send = self._send(batch, to_send)
        except KvcachedError as error:
            batch.mark(error)
            raise
        except OSError as error:
            lost = Disconnected(f"the connection broke: {error}")
            batch.mark(lost)
            raise lost from error

    def _send(self, batch: Batch, data: memoryview) -> memoryview:
        """Sends what can be sent now, returns the rest."""
        try:
            count = self._socket.send(data[:CHUNK])
        except (BlockingIOError, InterruptedError, SSLWantReadError, SSLWantWriteError):
            return data
        batch.sent = True
        return data[count:]

    def _receive(self) -> None:
        try:
            data = self._socket.recv(CHUNK)
        except SSLWantWriteError:
            self._wants_write = True
        except (BlockingIOError, InterruptedError, SSLWantReadError):
            pass
        else:
            if not data:
                raise self._parser.end()
            self._parser.feed(data)


def _wait_poll(waiting: Any, read: bool, write: bool, left: Optional[float]) -> Tuple[bool, bool]:
    poll = select.poll()
    poll.register(waiting, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
    found = poll.poll(None if left is None else int(left * 1000) + (left > 0))
    events = found[0][1] if found else 0
    failed = bool(events & (select.POLLERR | select.POLLHUP | select.POLLNVAL))
    return failed or bool(events & select.POLLIN), failed or bool(events & select.POLLOUT)


def _wait_select(waiting: Any, read: bool, write: bool, left: Optional[float]) -> Tuple[bool, bool]:
    found = select.select([waiting] if read else [], [waiting] if write else [], [], left)
    return bool(found[0]), bool(found[1])


# Returns whether it is readable and writable, as soon as it is, or after `left` seconds.
wait_for = _wait_poll if hasattr(select, "poll") else _wait_select


class Pool:
    """At most `size` connections. Each is one call's; the one used last is used next, so that those
    that are not needed grow old."""

    def __init__(self, settings: Settings, size: int) -> None:
        if size < 1:
            raise ValueError("a pool has at least one connection")
        self.settings = settings
        self.size = size
        self.closed = False
        self._forget()
        _pools.add(self)

    def _forget(self) -> None:
        self._free = threading.Condition()
        self._idle: List[Connection] = []
        self._used: Set[Optional[Connection]] = set()
        self._count = 0

    def after_fork(self) -> None:
        """In the child: the connections are the parent's. Closing a copy does not end them."""
        for connection in [*self._idle, *self._used]:
            if connection is not None:
                connection.close()
        self._forget()

    def acquire(self, deadline: Optional[float]) -> Connection:
        """A connection, an idle one or a new one."""
        self._take_slot(deadline)
        try:
            connection = self._pop_usable()
            if connection is None:
                connection = Connection(self.settings, deadline)
        except BaseException:
            self._give_slot()
            raise
        with self._free:
            self._used.add(connection)
        return connection

    def release(self, connection: Connection, good: bool) -> None:
        """Gives it back; where it is not good it is closed."""
        with self._free:
            self._used.discard(connection)
            if good and not self.closed:
                self._idle.append(connection)
            else:
                connection.close()
        self._give_slot()

    def close(self) -> None:
        """Closes those that are idle, and each that is used when it is given back."""
        with self._free:
            self.closed = True
            idle, self._idle = self._idle, []
            self._free.notify_all()
        for connection in idle:
            connection.close()

    def _take_slot(self, deadline: Optional[float]) -> None:
        with self._free:
            while self._count >= self.size and not self.closed:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimedOut(f"none of {self.size} connections became free")
                self._free.wait(left)
            if self.closed:
                raise Disconnected("the client is closed")
            self._count += 1

    def _give_slot(self) -> None:
        with self._free:
            self._count -= 1
            self._free.notify()

    def _pop_usable(self) -> Optional[Connection]:
        while True:
            with self._free:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.is_usable():
                return connection
            connection.close()


_pools: "weakref.WeakSet[Pool]" = weakref.WeakSet()


def _after_fork() -> None:
    for pool in list(_pools):
        pool.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
