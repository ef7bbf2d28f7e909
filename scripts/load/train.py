#!/usr/bin/env python3
"""train.py - what a daemon with counters of the compiler is run with: see scripts/pgo.

usage: train.py KVCACHED

Starts the daemon with a listener for each protocol, sends it reads and writes as clients do, long
pipelines and single requests, on few connections and on many, and ends it.
"""

import os
import random
import selectors
import socket
import sys

sys.dont_write_bytecode = True

from servers import Kvcached, Trouble  # noqa: E402

KEYS = 20000
PIPELINES = 3000  # of 32 requests, for each protocol
SINGLES = 15000  # requests, one at a time, for each protocol
ROUNDS = 300  # of a request on each of CONNECTIONS at once
CONNECTIONS = 50
END = {"native": b"PONG\r\n", "memcache": b"MN\r\n"}  # what PING and mn are answered
ASK = {"native": b"PING\r\n", "memcache": b"mn\r\n"}


class Words:
    """Requests in the words of a protocol, by chance, but each time the same."""

    def __init__(self, protocol):
        self.protocol = protocol
        self.chance = random.Random(1)

    def key(self):
        return b"key:%012d" % self.chance.randrange(KEYS)

    def value(self):
        most = self.chance.choice((50, 100, 100, 200, 1000, 1000, 3000))
        return b"v" * self.chance.randrange(1, most)

    def put(self, key):
        value = self.value()
        line = (b"PUT bench %s 1h %d" if self.protocol == "native" else b"set %s 0 3600 %d")
        return line % (key, len(value)) + b"\r\n" + value + b"\r\n"

    def get(self, keys):
        verb = b"GET bench " if self.protocol == "native" else b"get "
        return verb + b" ".join(keys) + b"\r\n"

    def other(self, key):
        """Less frequent ones."""
        if self.protocol == "native":
            ways = (b"DEL bench %s", b"TTL bench %s", b"TOUCH bench %s 2h", b"INCR bench n%s 3",
                    b"ADD bench %s 1h 3\r\nabc", b"GET bench missing%s")
        else:
            ways = (b"delete %s", b"gets %s", b"touch %s 7200", b"incr n%s 3", b"mg %s v t f",
                    b"ms %s 3 T3600\r\nabc", b"add %s 0 3600 3\r\nabc", b"get missing%s", b"md %s q",
                    b"set %s 0 3600 3 noreply\r\nabc")
        return self.chance.choice(ways) % key + b"\r\n"

    def any(self):
        """Ten reads to a write, most of what is read is there."""
        way = self.chance.randrange(110)
        if way < 10:
            return self.put(self.key())
        if way < 16:
            return self.other(self.key())
        if way < 22:
            return self.get([self.key() for _ in range(self.chance.randrange(2, 20))])
        return self.get([self.key()])


class Client:
    """A connection. Each message ends in a request whose answer tells that all has come."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), 30)
        self.end = END[server.dialect]
        self.ask = ASK[server.dialect]

    def talk(self, message):
        self.socket.sendall(message + self.ask)
        answer = b""
        while not answer.endswith(self.end):
            more = self.socket.recv(1 << 20)
            if not more:
                raise Trouble("the daemon has closed a connection")
            answer = answer[-16:] + more

    def one(self, request):
        """A single request; its answer comes as a whole, for it is short."""
        self.socket.sendall(request)
        if not self.socket.recv(1 << 16):
            raise Trouble("the daemon has closed a connection")


def single(words):
    """A request that is always answered, at once, in one piece."""
    key = words.key()
    return words.put(key) if words.chance.randrange(11) == 0 else words.get([key])


def train_together(server, words):
    """Many connections that are ready together."""
    clients = [Client(server) for _ in range(CONNECTIONS)]
    with selectors.DefaultSelector() as ready:
        for client in clients:
            ready.register(client.socket, selectors.EVENT_READ, client)
        for _ in range(ROUNDS):
            for client in clients:
                client.socket.sendall(single(words))
            waiting = set(clients)
            while waiting:
                for key, _ in ready.select(30):
                    key.data.socket.recv(1 << 16)
                    waiting.discard(key.data)


def train(server):
    words = Words(server.dialect)
    client = Client(server)
    for _ in range(0, KEYS, 100):
        client.talk(b"".join(words.put(words.key()) for _ in range(100)))
    for _ in range(PIPELINES):
        client.talk(b"".join(words.any() for _ in range(32)))
    client = Client(server)
    for _ in range(SINGLES):
        client.one(single(words))
    train_together(server, words)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: train.py KVCACHED")
    try:
        # So little memory that room has to be made.
        with Kvcached(os.path.abspath(sys.argv[1]), memory=16) as server:
            train(server)
            train(server.twin)
            server.process.terminate()
            if server.process.wait(60) != 0:
                raise Trouble(f"the daemon ended with {server.process.returncode}")
    except (OSError, Trouble) as trouble:
        sys.exit(f"train: {trouble}")


if __name__ == "__main__":
    main()
