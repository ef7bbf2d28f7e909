"""Good clients of the second daemon: whatever the others do, they are served, and soon."""

import collections
import time

from soak_actor import Actor, login
from soak_model import Wrong

READ_MOST = 5.0  # seconds on an idle machine
WRITE_MOST = 10.0
RECENT = 30  # records that are looked for again
FRESH_SHARE = 64  # of the memory so much may be written before a record may go: see Good


class Filler(Actor):
    """Keeps the memory full."""

    PERIOD = 0.1

    def begin(self):
        self.client = login(self, self.daemon.steady_user)
        self.number = 0
        while self.number * 65536 < 1.2 * self.daemon.MEMORY and not self.told.stop:
            self.put(65536)

    def turn(self):
        for _ in range(4):
            self.put(self.chance.choice((100, 1000, 8000, 30000, 80000)))

    def put(self, length):
        self.number += 1
        answer = self.client.put("full", f"f{self.number}", b"f" * length, "1h")
        if answer != "STORED" and not answer.startswith("SERVER_ERROR"):
            raise Wrong(f"PUT was answered with {answer}")
        self.count("values stored" if answer == "STORED" else "values refused")


class Good(Actor):
    """Logs in anew now and then; and what it has stored it finds.

    The store promises that a record is not evicted before a 32nd of the memory was written after
    it. What the daemon has received since is an upper bound of what was written but for the
    rounding of blocks, so half of that share is asked for.
    """

    PERIOD = 0.05
    SHARE = 0.3
    LENGTHS = (10, 500, 3000, 20000, 70000, 300000)

    def begin(self):
        self.client = login(self, self.daemon.steady_user)
        self.number = 0
        self.recent = collections.deque(maxlen=RECENT)

    def turn(self):
        if self.chance.random() < 0.1:
            self.client.close()
            self.client = login(self, self.daemon.steady_user)
        self.number += 1
        key = f"g{self.number}"
        length = self.chance.choice(self.LENGTHS)
        value = (b"%d " % self.number) * (length // 2)
        value = value[:length]
        received = self.received()
        if self.store(key, value):
            self.find(key, value, received)
            self.recent.append((key, value, received))
        if self.recent:
            self.find(*self.chance.choice(self.recent))

    def beside(self):
        return " beside a stalled log" if self.told.board.stalled else ""

    def received(self):
        beside, started = self.beside(), time.monotonic()
        figure = self.client.stat("bytes_read")
        self.took("STATS" + beside, started, READ_MOST)
        return figure

    def store(self, key, value):
        """Where it is refused for want of memory it is stored in the end, and soon."""
        beside, started = self.beside(), time.monotonic()
        while not self.told.stop:
            answer = self.client.put("good", key, value, "1h")
            self.took("PUT" + beside, started, WRITE_MOST)
            if answer == "STORED":
                self.count("values stored")
                return True
            if not answer.startswith("SERVER_ERROR"):
                raise Wrong(f"PUT was answered with {answer}")
            self.count("values refused")
            time.sleep(0.05)
        return False

    def find(self, key, value, received):
        beside, started = self.beside(), time.monotonic()
        found = self.client.get("good", key)
        self.took("GET" + beside, started, READ_MOST)
        if found == value:
            self.count("found")
            return
        if found is not None:
            raise Wrong(f"{key}: another value was found, {found[:100]!r}")
        since = self.received() - received
        if since < self.daemon.MEMORY // FRESH_SHARE:
            raise Wrong(f"{key} of {len(value)} bytes was stored and is gone, and no more than"
                        f" {since} bytes were received since")
        self.count("gone after much was written")
