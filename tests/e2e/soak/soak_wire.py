"""Doors of the daemon, and connections through them.

A connection knows which of the daemon's sockets is its other end. Who comes after a client that
went away in the middle of something waits until that socket is closed: only then is nothing of
what was sent still to be done.
"""

import collections
import fcntl
import os
import select
import socket
import ssl

from client import Client, as_bytes
from timing import wait_for
from soak_model import Wrong


class Line(Client):
    """A connection whose two directions move at once, in the clear or by TLS."""

    AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

    def secure(self, authority):
        context = ssl.create_default_context(cafile=authority)
        self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")

    def _fill(self):
        try:
            return super()._fill()
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, BrokenPipeError):
            return 0

    def take_in(self):
        """What is there. False at the end."""
        try:
            while self._fill():
                pass
            return False
        except self.AGAIN:
            return True

    def pump(self, data):
        """Sends all, and reads meanwhile. What cannot be sent any more is left: why, is in
        what can be read."""
        view, limit = memoryview(data), self.socket.gettimeout()
        self.socket.setblocking(False)
        try:
            while view:
                ready = select.select([self.socket], [self.socket], [], limit)
                if not ready[0] and not ready[1]:
                    raise Wrong(f"{len(view)} of {len(data)} bytes were not taken in {limit:g} s")
                if not self.take_in():
                    return
                try:
                    view = view[self.socket.send(view[:1 << 16]):]
                except self.AGAIN:
                    pass
                except (BrokenPipeError, ConnectionResetError):
                    return
        finally:
            self.socket.settimeout(limit)

    def is_secure(self):
        return isinstance(self.socket, ssl.SSLSocket)

    def finish(self):
        if not self.is_secure():  # TLS has no half of a connection in Python
            super().finish()


class Door(collections.namedtuple("Door", "protocol transport address user authority namespace "
                                  "prefix", defaults=(None, None, None, None))):
    """Where and as whom somebody comes in: a protocol (native, memcache), a transport (tcp, unix,
    tls), an address, a user with a secret or None, who vouches for TLS; and what memcached's
    keys mean there."""

    def spell(self, key):
        """A key as it is written here, or None: it cannot be reached."""
        ns, name = key
        if self.protocol == "native" or ns == self.namespace:
            return name
        return f"{ns}{self.prefix}{name}" if self.prefix else None

    def open(self, **options):
        """A new connection, greeted."""
        line = Line(self.address, **options)
        try:
            if self.transport == "tls":
                line.secure(self.authority)
            self.greet(line)
        except BaseException:
            line.close()
            raise
        return line

    def greet(self, line):
        if self.user and self.protocol == "native":
            self.say(line, f"AUTH {self.user[0]} {self.user[1]}", "OK")
        elif self.user:
            words = f"{self.user[0]} {self.user[1]}"
            self.say(line, f"set x 0 0 {len(words)}\r\n{words}", "STORED")
        if self.protocol == "native":
            self.say(line, "PING", "PONG")
        else:
            self.say(line, "mn", "MN")

    @staticmethod
    def say(line, words, wanted):
        line.send(as_bytes(words) + b"\r\n")
        answer = line.line()
        if answer != wanted:
            raise Wrong(f"{words.split(' ')[0]} was answered with {answer}")


def sockets(pid):
    """The inodes of a process's sockets, as names."""
    found = set()
    folder = f"/proc/{pid}/fd"
    for number in os.listdir(folder):
        try:
            name = os.readlink(f"{folder}/{number}")
        except FileNotFoundError:
            continue
        if name.startswith("socket:"):
            found.add(name)
    return found


class Porch:
    """One comes in at a time, so that the daemon's new socket is known to be his."""

    def __init__(self, pid, lock):
        self.pid = pid
        self.lock = lock

    def enter(self, door, **options):
        """A connection and its other end. One that was killed in here may still be on its way
        in: it goes."""
        with open(self.lock, "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = sockets(self.pid)
            line = door.open(**options)
            try:
                new = wait_for(lambda: self.only(before), 10, "one new socket")
            except BaseException:
                line.close()
                raise
            return line, new

    def only(self, before):
        new = sockets(self.pid) - before
        return new.pop() if len(new) == 1 else None

    def wait_gone(self, end):
        if end is not None:
            wait_for(lambda: end not in sockets(self.pid), 30,
                     f"the daemon to leave a connection that was closed ({end})")
