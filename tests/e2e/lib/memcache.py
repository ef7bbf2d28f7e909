"""A daemon with a listener for memcached's clients, and a connection that reads
what was said there line by line.

The daemon has two listeners: the native one first, so that a test can look at
the same records from both sides.
"""

import socket

from encryption import Everywhere
from harness import Daemon, as_bytes, seconds

NATIVE = '{ address = "127.0.0.1"; port = 0; }'
MEMCACHE = ('{ address = "127.0.0.1"; port = 0; protocol = "memcache"; namespace = "cache"; '
            'prefix = ":"; }')
LISTEN = f"listen = ( {NATIVE}, {MEMCACHE} );\n"


class Memcache(Daemon):
    """As Daemon; `memcache` is where memcached's protocol is spoken."""

    def __init__(self, conf="", listen=LISTEN, **options):
        super().__init__(conf, listen=Everywhere.encrypt(listen), **options)

    def wait_listening(self, count=1):
        super().wait_listening(2 * count)

    @property
    def memcache(self):
        return self.addresses()[1]

    @property
    def server(self):
        """As clients are told."""
        return "%s:%d" % self.memcache

    def talk(self):
        return Wire(self.memcache)


class Wire:
    """A connection that is told bytes and gives back lines."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=seconds(10))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = Everywhere.wrap(self.socket, address)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(as_bytes(data))

    def line(self):
        """A line without its end; "" when the peer has hung up."""
        return self.file.readline().rstrip(b"\r\n").decode("latin-1")

    def ask(self, request, lines=1):
        """What is said to the request, so many lines of it."""
        self.send(as_bytes(request).replace(b"\n", b"\r\n") + b"\r\n")
        answer = [self.line() for _ in range(lines)]
        return answer[0] if lines == 1 else answer

    def until_end(self, request):
        self.send(as_bytes(request) + b"\r\n")
        answer = []
        while not answer or answer[-1] not in ("END", ""):
            answer.append(self.line())
        return answer[:-1]

    def stats(self, what=""):
        return dict(line.split(" ", 2)[1:] for line in self.until_end(f"stats {what}".rstrip()))

    def is_closed(self):
        return self.file.read(1) == b""
