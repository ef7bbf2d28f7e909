"""What the tests share: the daemons that with-daemon started, peers that follow a script, and both
kinds of clients behind one face."""

import asyncio
import os
import socket
import threading
import time
import unittest

import kvcached
import kvcached.aio

SYNC, AIO = "threads", "asyncio"

# Deadlines that no test waits for, unless something is broken; E2E_SLOW widens them.
DEADLINE = 10 * float(os.environ.get("E2E_SLOW", "1"))


def environment(name):
    value = os.environ.get("KVCACHED_" + name)
    if value is None:
        raise unittest.SkipTest(f"KVCACHED_{name} is not set; run it with with-daemon")
    return value


def address_of(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def connect(address):
    return socket.create_connection(address, timeout=DEADLINE)


def read_all(connection):
    data = bytearray()
    while True:
        piece = connection.recv(1 << 16)
        if not piece:
            return bytes(data)
        data += piece


def wait_until(condition, what, timeout=DEADLINE):
    """Waits for a condition, with an end for the case that it never comes."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(0.005)


class Facade:
    """An asyncio client whose coroutines are run to their end by each call."""

    def __init__(self, *arguments, **options):
        self.client = kvcached.aio.Client(*arguments, **options)
        self.loop = asyncio.new_event_loop()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def close(self):
        if not self.loop.is_closed():
            self.run(self.client.close())
            self.loop.close()

    def pipeline(self):
        return FacadePipeline(self)

    @property
    def _pool(self):
        return self.client._pool

    def __getattr__(self, name):
        method = getattr(self.client, name)
        return lambda *arguments, **options: self.run(method(*arguments, **options))


class FacadePipeline:
    def __init__(self, facade):
        self.facade = facade
        self.pipeline = facade.client.pipeline()

    def execute(self, **options):
        return self.facade.run(self.pipeline.execute(**options))

    def __getattr__(self, name):
        def call(*arguments, **options):
            getattr(self.pipeline, name)(*arguments, **options)
            return self
        return call


def client_of(kind, address, **options):
    options.setdefault("timeout", DEADLINE)
    return (kvcached.Client if kind == SYNC else Facade)(address, **options)


class Peer:
    """Listens, and does with each connection what it was told to: the first function is for the
    first connection, and so on. `received` has what each connection sent."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(DEADLINE)
        self.address = self.listener.getsockname()
        self.scripts = []
        self.received = []
        self.errors = []
        self.threads = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)  # ends an accept that waits
        self.listener.close()
        for thread in self.threads:
            thread.join(DEADLINE)
        if kind is None and self.errors:
            raise self.errors[0]

    def on_connection(self, *scripts):
        """A function for each connection to come; it is given a Conversation."""
        thread = threading.Thread(target=self._serve, args=(scripts,), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _serve(self, scripts):
        for script in scripts:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # the test has ended before this one came
            conversation = Conversation(connection)
            self.received.append(conversation.received)
            try:
                with connection:
                    script(conversation)
                    conversation.wait_closed()
            except Exception as error:
                self.errors.append(error)


class Conversation:
    """A connection of a Peer, as its script sees it."""

    def __init__(self, connection):
        self.connection = connection
        self.connection.settimeout(DEADLINE)
        self.received = bytearray()

    def read(self, count):
        """Until so many bytes have come in all, or since the last read."""
        wanted = len(self.received) + count
        while len(self.received) < wanted:
            piece = self.connection.recv(wanted - len(self.received))
            if not piece:
                raise EOFError(f"closed after {bytes(self.received)!r}")
            self.received += piece

    def read_line(self):
        while not self.received.endswith(b"\n"):
            self.read(1)
        return bytes(self.received)

    def send(self, data):
        self.connection.sendall(data)

    def close(self):
        self.connection.close()

    def wait_closed(self):
        """Until the client closes; what it sends meanwhile is kept."""
        try:
            while True:
                piece = self.connection.recv(1 << 16)
                if not piece:
                    return
                self.received += piece
        except (ConnectionError, OSError) as error:
            if isinstance(error, socket.timeout):
                raise AssertionError("the client did not close its connection") from error
