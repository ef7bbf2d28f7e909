"""Clients that write and read without a pause while nodes of a cluster come and go, and what they
were told.

A record is written once, under a key of its own. So what was answered can be compared with what is
there in the end: STORED must be there, "nothing was changed" must not, "not known" may.
"""

import threading
import time

from client import Client
from timing import seconds, wait_for

NOTHING_CHANGED = "nothing was changed"
NOT_KNOWN = "whether it was done is not known"
NO_ANSWER = "does not answer"


class Load:
    """So many writers and readers of a namespace. Readers ask for `known` keys."""

    def __init__(self, addresses, ns, writers=2, readers=2, known=300):
        self.addresses = addresses
        self.ns = ns
        self.stored = set()
        self.refused = set()
        self.unknown = set()
        self.reads = 0
        self.refused_reads = []  # when, and the reply
        self.refused_writes = []
        self.wrong = []          # replies that must never come
        self.slowest = 0.0
        self.lock = threading.Lock()
        self.ends = threading.Event()
        self.known = [f"known{i}" for i in range(known)]
        self.write_known()
        self.threads = [threading.Thread(target=self.guard, args=(self.write, i), daemon=True)
                        for i in range(writers)]
        self.threads += [threading.Thread(target=self.guard, args=(self.read, i), daemon=True)
                         for i in range(readers)]
        for thread in self.threads:
            thread.start()

    def connect(self, number):
        return Client(self.addresses[number % len(self.addresses)], timeout=20)

    def write_known(self):
        with self.connect(0) as client:
            for key in self.known:
                assert client.put(self.ns, key, key) == "STORED"

    def guard(self, work, number):
        try:
            with self.connect(number) as client:
                while not self.ends.is_set():
                    began = time.monotonic()
                    work(client, number)
                    self.slowest = max(self.slowest, time.monotonic() - began)
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(repr(error))

    def write(self, client, number):
        key = f"w{number}-{time.monotonic_ns()}"
        reply = client.put(self.ns, key, key)
        with self.lock:
            if reply == "STORED":
                self.stored.add(key)
            elif NOTHING_CHANGED in reply:
                self.refused.add(key)
                self.refused_writes.append((time.monotonic(), reply))
            elif NOT_KNOWN in reply:
                self.unknown.add(key)
                self.refused_writes.append((time.monotonic(), reply))
            else:
                self.wrong.append(reply)

    def read(self, client, number):
        key = self.known[time.monotonic_ns() % len(self.known)]
        reply = client.ask(f"GET {self.ns} {key}")
        with self.lock:
            self.reads += 1
            if isinstance(reply, tuple) and reply[1] == key.encode():
                return
            if isinstance(reply, str) and NO_ANSWER in reply:
                self.refused_reads.append((time.monotonic(), reply))
            else:
                self.wrong.append(reply)

    def progress(self, more=200):
        """Waits until so many more writes and reads were done."""
        stored, reads = len(self.stored), self.reads
        wait_for(lambda: self.wrong or (len(self.stored) >= stored + more
                                        and self.reads >= reads + more), 60, "the load to go on")

    def quiet(self, for_seconds=1.0, timeout=60):
        """Waits until nothing was refused for that long."""
        def is_quiet():
            last = max((when for when, _ in self.refused_writes + self.refused_reads), default=0)
            return self.wrong or time.monotonic() - last > seconds(for_seconds)
        wait_for(is_quiet, timeout, "all writes to be taken again")
        self.progress()

    def end(self):
        self.ends.set()
        for thread in self.threads:
            thread.join()

    def compare(self, client):
        """What was told and is not so: (lost, written in spite of a refusal)."""
        lost = [key for key in sorted(self.stored) if not self.is_there(client, key)]
        there = [key for key in sorted(self.refused) if self.is_there(client, key)]
        lost += [key for key in self.known if not self.is_there(client, key)]
        return lost, there

    def is_there(self, client, key):
        reply = client.ask(f"GET {self.ns} {key}")
        if isinstance(reply, str) and reply != "NOT_FOUND":
            raise AssertionError(f"GET {key}: {reply}")
        return isinstance(reply, tuple) and reply[1] == key.encode()
