"""One connection to the daemon, and the shape of its replies.

Knows how long each reply is, and nothing of what it means. Reads are exact, so
that a stray byte is always noticed.
"""

import contextlib
import select
import socket
import time

from encryption import NOT_NOW, Everywhere
from timing import seconds


def as_bytes(text):
    return text.encode() if isinstance(text, str) else bytes(text)


class Client:
    """A connection to (host, port), or to a Unix socket's path."""

    def __init__(self, address, receive_buffer=None, timeout=10.0):
        if isinstance(address, str):
            family = socket.AF_UNIX
        else:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(seconds(timeout))
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.prepare()
            self.socket.connect(address)
            if family != socket.AF_UNIX:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = Everywhere.wrap(self.socket, address)
        except BaseException:
            self.socket.close()
            raise
        self.buffer = bytearray()

    def prepare(self):
        """Called before it connects."""

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Goes away as a machine does that lost its power: with an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, data):
        self.socket.sendall(as_bytes(data))

    def finish(self):
        """Says that no more requests will come; answers may."""
        socket.socket.shutdown(self.socket, socket.SHUT_WR)  # of the connection, also under TLS

    def _fill(self):
        try:
            piece = self.socket.recv(1 << 18)
        except ConnectionResetError:
            piece = b""
        self.buffer += piece
        return len(piece)

    def exact(self, count):
        while len(self.buffer) < count:
            if not self._fill():
                raise EOFError(f"closed after {bytes(self.buffer[:200])!r}, wanted {count} bytes")
        piece = bytes(self.buffer[:count])
        del self.buffer[:count]
        return piece

    def line(self):
        """The next line, without its CRLF, which must be there."""
        looked = 0
        while True:
            end = self.buffer.find(b"\n", looked)
            if end >= 0:
                break
            looked = len(self.buffer)
            if not self._fill():
                raise EOFError(f"closed after {bytes(self.buffer[:200])!r}, wanted a line")
        line = bytes(self.buffer[:end + 1])
        del self.buffer[:end + 1]
        if not line.endswith(b"\r\n"):
            raise AssertionError(f"a reply that does not end in CRLF: {line[:200]!r}")
        return line[:-2].decode("utf-8", "surrogateescape")

    def value(self, length):
        """A value and the line end behind it."""
        value = self.exact(length)
        end = self.exact(2)
        if end != b"\r\n":
            raise AssertionError(f"after the value came {end!r}")
        return value

    def reply(self):
        """One reply: its line, or (line, value) where a value follows."""
        line = self.line()
        words = line.split(" ")
        if words[0] in ("VALUE", "RECORD"):
            return line, self.value(int(words[-1]))
        return line

    def until_end(self):
        """The replies before END, of LIST, ALL, NAMESPACES, STATS and HELP."""
        replies = []
        while True:
            reply = self.reply()
            if reply == "END":
                return replies
            word = reply.split(" ")[0] if isinstance(reply, str) else ""
            if word.endswith("ERROR") or word == "NOT_FOUND":
                raise AssertionError(f"instead of END: {reply}")
            replies.append(reply)

    def ask(self, request):
        """Sends a line (or lines), returns the one reply."""
        self.send(as_bytes(request) + b"\r\n")
        return self.reply()

    def ask_all(self, request):
        self.send(as_bytes(request) + b"\r\n")
        return self.until_end()

    def put(self, ns, key, value, ttl="-", verb="PUT"):
        """Stores in the form with a byte count; returns the reply."""
        value = as_bytes(value)
        head = b" ".join((as_bytes(verb), as_bytes(ns), as_bytes(key), as_bytes(ttl)))
        self.send(head + b" %d\r\n" % len(value) + value + b"\r\n")
        return self.reply()

    def get(self, ns, key):
        """The value, or None where there is none."""
        reply = self.ask(b"GET " + as_bytes(ns) + b" " + as_bytes(key))
        if reply == "NOT_FOUND":
            return None
        if isinstance(reply, str):
            raise AssertionError(f"GET was answered with {reply}")
        return reply[1]

    def stats(self, ns=None):
        figures = {}
        for line in self.ask_all("STATS" if ns is None else f"STATS {ns}"):
            word, name, figure = line.split(" ", 2)
            if word != "STAT":
                raise AssertionError(f"STATS was answered with {line}")
            figures[name] = figure
        return figures

    def stat(self, name, ns=None):
        return int(self.stats(ns)[name])

    def pipelined(self, data, replies):
        """Sends all of `data` while reading, so that neither side has to wait
        for the other; returns that many replies."""
        data = memoryview(as_bytes(data))
        self.socket.setblocking(False)
        deadline = time.monotonic() + seconds(30)
        try:
            while data:
                ready = select.select([self.socket], [self.socket], [], 1.0)
                with contextlib.suppress(BlockingIOError, *NOT_NOW):
                    if ready[0] and not self._fill():
                        raise EOFError(f"closed with {len(data)} bytes still to send")
                with contextlib.suppress(BlockingIOError, *NOT_NOW):
                    if ready[1]:
                        data = data[self.socket.send(data[:1 << 16]):]
                if time.monotonic() > deadline:
                    raise AssertionError(f"{len(data)} bytes were never taken")
        finally:
            self.socket.settimeout(seconds(10))
        return [self.reply() for _ in range(replies)]

    def expect(self, wanted):
        """The next bytes are these."""
        wanted = as_bytes(wanted)
        got = self.exact(len(wanted))
        if got != wanted:
            raise AssertionError(f"wanted {wanted[:300]!r}, got {got[:300]!r}")

    def rest(self):
        """Everything up to the end of the connection, which must come."""
        while self._fill():
            pass
        piece = bytes(self.buffer)
        self.buffer.clear()
        return piece

    def expect_closed(self):
        left = self.rest()
        if left:
            raise AssertionError(f"before the end came {left[:300]!r}")
