"""Clients that hold the second daemon's memory: values that are not read, values that do not
arrive, listings that stand still."""

import select
import time

from client import as_bytes
from soak_actor import Actor, login
from soak_model import Wrong


class Holder(Actor):
    """Connections that hold something: at most MOST, of which a turn replaces the oldest one."""

    PERIOD = 0.5
    MOST = 16
    RECEIVE = None  # bytes of the socket's buffer

    def begin(self):
        self.holding = []

    def turn(self):
        while len(self.holding) >= self.MOST:
            self.let_go(self.holding.pop(0))
        client = login(self, self.daemon.steady_user)
        if self.RECEIVE:
            client.socket.setsockopt(1, 8, self.RECEIVE)  # SOL_SOCKET, SO_RCVBUF
        self.hold(client)
        self.holding.append(client)

    def hold(self, client):
        raise NotImplementedError

    def let_go(self, client):
        """Without a reset half of the time."""
        if self.chance.random() < 0.5:
            client.reset()
        else:
            client.close()

    def push(self, client, data):
        """As much as is taken at once."""
        client.socket.setblocking(False)
        try:
            return client.socket.send(as_bytes(data))
        except OSError:
            return 0

    def end(self):
        for client in self.holding:
            client.close()


class Pins(Holder):
    """Asks for large values and does not read them; each is of a version of its own. They are
    more than may be pinned: three eighths of the memory, in one namespace."""

    MOST = 30
    PERIOD = 1.0
    RECEIVE = 4096
    LENGTH = 1000000

    def begin(self):
        super().begin()
        self.writer = login(self, self.daemon.steady_user)

    def hold(self, client):
        answer = self.writer.put("pins", "key", b"p" * self.LENGTH, "1h")
        if answer != "STORED":
            self.count("values refused")
            if not answer.startswith("SERVER_ERROR"):
                raise Wrong(f"a value to be pinned was answered with {answer}")
        self.push(client, b"GET pins key\r\n" * self.chance.randrange(1, 4))
        self.count("values not read")


class Uploads(Holder):
    """Announces values and sends a part; some of them trickle. They are more than may arrive at
    once: a quarter of the memory, in one namespace."""

    MOST = 20
    PERIOD = 0.8
    LENGTH = 1 << 20

    def hold(self, client):
        part = self.chance.randrange(1, 700000)
        self.push(client, b"PUT unfinished u%d 1h %d\r\n" % (self.chance.randrange(100),
                                                           self.LENGTH) + b"u" * part)
        self.count("values not finished")
        for other in list(self.holding):
            self.push(other, b"u" * self.chance.choice((0, 0, 1, 100)))
            if select.select([other.socket], [], [], 0)[0]:
                self.hear(other)

    def hear(self, client):
        """It was told that the value gives way, or is hung up on."""
        self.holding.remove(client)
        client.socket.settimeout(5)
        try:
            answer = client.line()
            if not answer.startswith("SERVER_ERROR "):
                raise Wrong(f"an unfinished value was answered with {answer}")
            self.count("that were told to give way")
        except (EOFError, OSError):
            self.count("that were hung up on")
        client.close()


class Listings(Holder):
    """Asks for all records, reads the beginning and stops."""

    MOST = 6
    PERIOD = 1.0
    RECEIVE = 4096

    def hold(self, client):
        client.send("ALL full\r\n")
        started = time.monotonic()
        reply = client.reply()
        self.took("beginning of a listing", started, 10)
        word = reply if isinstance(reply, str) else reply[0]
        if not word.startswith(("RECORD ", "END")):
            raise Wrong(f"ALL was answered with {word}")
        self.count("listings that stopped")
