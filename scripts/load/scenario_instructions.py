"""scenario_instructions.py - how many instructions a request costs, as valgrind counts them.

The same requests give the same count, on a busy machine too, within a part in a hundred. Those of
the kernel are not in it. One thread, 50 connections that send at once, values of 100 bytes, one
write to ten reads, of keys that are all there; pipelines of 32, and one at a time. What is counted
is the difference to a run that only writes the keys.
"""

import random
import re
import shutil
import socket
import time

from servers import Trouble

KEYS = 20_000
VALUE = b"v" * 100
CONNECTIONS = 50
WAYS = (("pipeline 32", 32, 64_000), ("pipeline 1", 1, 10_000))
DESCRIPTORS = 1000
LIMIT = 120  # seconds for a run; valgrind takes 50 times as long as the server alone


class Words:
    """A write and a read with their replies, in the server's protocol."""

    def __init__(self, server):
        self.dialect = server.dialect
        self.space = server.space.encode()

    def write(self, key):
        if self.dialect == "native":
            return b"PUT %s %s 1h 100\r\n%s\r\n" % (self.space, key, VALUE), b"STORED\r\n"
        if self.dialect == "memcache":
            return b"set %s 0 3600 100\r\n%s\r\n" % (key, VALUE), b"STORED\r\n"
        return (b"*5\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$100\r\n%s\r\n$2\r\nEX\r\n$4\r\n3600\r\n"
                % (len(key), key, VALUE), b"+OK\r\n")

    def read(self, key):
        if self.dialect == "native":
            return b"GET %s %s\r\n" % (self.space, key), b"VALUE 100\r\n%s\r\n" % VALUE
        if self.dialect == "memcache":
            return b"get %s\r\n" % key, b"VALUE %s 0 100\r\n%s\r\nEND\r\n" % (key, VALUE)
        return b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key), b"$100\r\n%s\r\n" % VALUE


class Talk:
    """Connections, with a limit for all that is said on them."""

    def __init__(self, server):
        self.server = server
        self.until = time.monotonic() + LIMIT
        self.sockets = [socket.create_connection(("127.0.0.1", server.port), LIMIT)
                        for _ in range(CONNECTIONS)]

    def receive(self, connection, expected):
        got = b""
        while len(got) < len(expected):
            if time.monotonic() > self.until:
                raise Trouble(f"{self.server.name}: not done within {LIMIT} s")
            more = connection.recv(1 << 20)
            if not more:
                break
            got += more
        if got != expected:
            raise Trouble(f"{self.server.name}: it has answered {got[:80]!r}")

    def exchange(self, pairs, pipeline):
        """Sends requests, so many on each connection in turn, and takes their replies."""
        parts = [pairs[i:i + pipeline] for i in range(0, len(pairs), pipeline)]
        for connection, part in zip(self.sockets, parts):
            connection.sendall(b"".join(request for request, _ in part))
        for connection, part in zip(self.sockets, parts):
            self.receive(connection, b"".join(reply for _, reply in part))


def counted(server):
    """Ends the server; how many instructions it took."""
    server.process.terminate()
    server.process.wait(LIMIT)
    with open(server.log, errors="replace") as log:
        found = re.search(r"Collected : (\d+)", log.read())
    if not found:
        raise Trouble(f"{server.name}: valgrind has not counted: {server.said()}")
    return int(found[1])


def under_valgrind(server):
    """Has it started so that its instructions are counted.

    memcached sets the limit of descriptors to that of connections, and valgrind, which takes some
    for itself, lets it set none but the one in force."""
    program = server.arguments
    server.connections = DESCRIPTORS if server.name == "memcached" else CONNECTIONS + 14
    server.arguments = lambda: ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS + 100}", "valgrind",
                                "--tool=callgrind", "--callgrind-out-file=/dev/null", *program()]


def run(server, listener, pipeline, requests):
    """The instructions of a server that gets all keys written, and so many requests."""
    under_valgrind(server)
    chance = random.Random(1)
    keys = [b"key:%012d" % number for number in range(KEYS)]
    with server:
        words = Words(listener)
        talk = Talk(listener)
        for i in range(0, KEYS, 32):
            talk.exchange([words.write(key) for key in keys[i:i + 32]], 32)
        together = CONNECTIONS * pipeline
        for _ in range(0, requests, together):
            talk.exchange([words.write(chance.choice(keys)) if chance.randrange(11) == 0 else
                           words.read(chance.choice(keys)) for _ in range(together)], pipeline)
        return counted(server)


def instructions_of(bench, kind, twin):
    """Of a server, or of the twin among its listeners."""
    def once(pipeline, requests):
        server = bench.start(kind, memory=256)
        listener = server.twin if twin else server
        return listener.name, run(server, listener, pipeline, requests)
    _, before = once(32, 0)
    for way, pipeline, requests in WAYS:
        requests = bench.size(requests)
        name, after = once(pipeline, requests)
        bench.report.add("instructions", f"{way}: instructions", "per request", name,
                         (after - before) / requests)


def instructions(bench):
    if not shutil.which("valgrind"):
        bench.report.note("instructions: valgrind is missing.")
        return
    for kind in bench.peers("kvcached", "memcached", "redis"):
        for twin in (False, True) if kind == "kvcached" else (False,):
            instructions_of(bench, kind, twin)
    bench.report.note("instructions: one run each, by valgrind; without those of the kernel.")
