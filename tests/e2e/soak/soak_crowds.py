"""Crowds of the second daemon: connections without a right secret, more than there is room for."""

import os
import socket
import struct
import time

from soak_actor import Actor

AGAIN = (BlockingIOError, InterruptedError)
RESET = struct.pack("ii", 1, 0)
HELLO = b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03"


class Crowd(Actor):
    """Connections from addresses of a network of their own, 127.0.NETWORK.*."""

    NETWORK = 1
    A_TURN = 10  # new connections in a turn

    def begin(self):
        self.number = 0

    def connect(self, memcache=False):
        """A connection that waits for nothing, or None."""
        self.number += 1
        made = socket.socket()
        try:
            made.bind((f"127.0.{self.NETWORK}.{self.number % 250 + 1}", 0))
            made.settimeout(2)
            made.connect(self.daemon.told_addresses[memcache])
            made.setblocking(False)
            self.count("connections")
            return made
        except OSError:
            made.close()
            self.count("connections that were not made")
            return None

    @staticmethod
    def send(made, data):
        try:
            made.send(data)
        except OSError:
            pass


class HangUps(Crowd):
    """Says a secret, right or wrong, and hangs up before the answer.

    Half of the wrong ones are new, more in a while than the daemon remembers: it shall not forget
    the old secrets that the sites of Secrets repeat, and count them as failures again.
    """

    def words(self):
        name, secret = self.daemon.steady_user
        if self.chance.random() < 0.2:
            self.count("with a right secret")
            return f"{name} {secret}"
        if self.chance.random() < 0.5:
            self.count("with a secret that is new and wrong")
            return f"{name} wrong{self.number}-{self.chance.random()}"
        return f"{name} wrong"

    def turn(self):
        memcache = self.chance.random() < 0.3
        gone = [made for made in (self.connect(memcache) for _ in range(self.A_TURN)) if made]
        for made in gone:
            words = self.words()
            words = (f"set x 0 0 {len(words)}\r\n{words}" if memcache else f"AUTH {words}")
            self.send(made, words.encode() + b"\r\n")
        for made in gone:
            if self.chance.random() < 0.5:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            made.close()


class Garbage(Crowd):
    """Sends what is no request, or nothing, and stays until it is hung up on, or is one of too
    many."""

    NETWORK = 3
    MOST = 200  # more than max_connections

    def begin(self):
        super().begin()
        self.there = []

    def turn(self):
        for _ in range(self.A_TURN):
            made = self.connect(self.chance.random() < 0.3)
            if made:
                self.send(made, self.garbage())
                self.there.append((made, time.monotonic()))
        self.there = [(made, since) for made, since in self.there if self.stays(made)]
        while len(self.there) > self.MOST:
            self.there.pop(0)[0].close()

    def garbage(self):
        return self.chance.choice((b"", b"x" * 5000, os.urandom(200), HELLO + os.urandom(100),
                                   b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"PUT a b c d e f\r\n",
                                   b"\r\n" * 50, b"AUTH\r\n", b"AUTH " + b"u" * 3000))

    def stays(self, made):
        """Whether the daemon has not hung up on it."""
        try:
            if made.recv(1 << 14):
                return True
        except AGAIN:
            return True
        except OSError:
            pass
        # Some go on lingering: they were told, and do not go.
        if self.chance.random() < 0.7:
            return True
        made.close()
        self.count("hung up on")
        return False

    def end(self):
        for made, _ in self.there:
            made.close()
