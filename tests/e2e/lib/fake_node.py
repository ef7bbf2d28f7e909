"""A node that answers what a test wants, and when: the only one of its cluster, with all slots."""

import socket
import threading

SLOTS = 16384
NIL = b"$-1\r\n"


def text(value):
    """A bulk string."""
    value = value.encode() if isinstance(value, str) else value
    return b"$%d\r\n%s\r\n" % (len(value), value)


def array(*elements):
    return b"*%d\r\n" % len(elements) + b"".join(elements)


class FakeNode:
    """`answer` has the words of a command, as bytes, and returns the bytes of its reply; None: the
    connection is closed. While `gate` is cleared, commands wait; those that link and cluster need
    are answered all the same."""

    def __init__(self, answer):
        self.answer = answer
        self.gate = threading.Event()
        self.gate.set()
        self.lock = threading.Lock()
        self.asked = []  # commands
        self.connections = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def conf(self, extra=""):
        return f'cluster = {{ nodes = "127.0.0.1:{self.port}"; {extra} }};\n'

    def times(self, name):
        with self.lock:
            return sum(words[0] == name for words in self.asked)

    def close(self):
        self.gate.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.connections:
            connection.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as file:
            try:
                while (words := self.read(file)) is not None:
                    reply = self.own(words) or self.reply(words)
                    if reply is None:
                        return
                    connection.sendall(reply)
            except (OSError, ValueError):
                pass

    def reply(self, words):
        with self.lock:
            self.asked.append(words)
        self.gate.wait()
        return self.answer(words)

    @staticmethod
    def read(file):
        line = file.readline()
        if not line:
            return None
        words = []
        for _ in range(int(line[1:])):
            words.append(file.read(int(file.readline()[1:])))
            file.read(2)
        return words

    def own(self, words):
        """Of the cluster's working."""
        if words[0] == b"PING":
            return b"+PONG\r\n"
        if words[:2] == [b"CLUSTER", b"SLOTS"]:
            return array(array(b":0\r\n", b":%d\r\n" % (SLOTS - 1),
                               array(text("127.0.0.1"), b":%d\r\n" % self.port, text("n" * 40))))
        return b"+OK\r\n" if words[0] in (b"READONLY", b"ASKING", b"AUTH") else None
