"""An actor of the soak: a process that does one kind of thing to the second daemon, in turns.

A turn is a bounded piece of work, and turns come at a bounded rate: --load sets both, as it does
for the clients. At the end, and only there, an actor says what it did, in counts.
"""

import collections
import json
import os
import random
import signal
import time
import traceback

from client import Client
from timing import seconds
from soak_model import Wrong

PLAIN_LOAD = 0.25  # at which PERIOD holds


class Figures:
    """What an actor did: counts, and the longest that something took, in seconds."""

    def __init__(self):
        self.counts = collections.Counter()
        self.longest = {}

    def count(self, what, by=1):
        self.counts[what] += by

    def took(self, what, started, most, more=""):
        """Since `started`, on the monotonic clock; `most` seconds are allowed, as on an idle
        machine. `more` is what else is told where it was longer."""
        duration = time.monotonic() - started
        self.longest[what] = max(self.longest.get(what, 0), duration)
        if duration > seconds(most):
            raise Wrong(f"{what} took {duration:.1f} s, more than {seconds(most):g}{more}")

    def told(self):
        words = [f"{self.counts[what]} {what}" for what in self.counts]
        words += [f"longest {what} {value:.2f} s" for what, value in sorted(self.longest.items())]
        return ", ".join(words)

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            counts, self.longest = json.load(file)
        self.counts.update(counts)
        return self

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump([self.counts, self.longest], file)


class Actor:
    """`told.stop`: it is to end. `daemon`: the second one."""

    PERIOD = 0.1  # seconds from one turn to the next
    SHARE = 0.1  # of the load: what its process may take of a processor

    def __init__(self, daemon, told, load, seed):
        self.daemon = daemon
        self.told = told
        self.chance = random.Random(seed)
        self.period = self.PERIOD * PLAIN_LOAD / load
        self.share = self.SHARE * load
        self.figures = Figures()
        self.count, self.took = self.figures.count, self.figures.took

    def begin(self):
        pass

    def turn(self):
        raise NotImplementedError

    def end(self):
        pass

    def run(self):
        self.begin()
        self.began, self.used = time.monotonic(), time.process_time()
        due = time.monotonic()
        while not self.told.stop:
            self.turn()
            due = max(due + self.period, time.monotonic() - self.period)
            self.pause(due)
        self.end()

    def pause(self, until):
        """Until then, and for as long as more than its share of the processor is used."""
        until = max(until, self.began + (time.process_time() - self.used) / self.share)
        while not self.told.stop and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))


class Place:
    """Where an actor's process runs, as its parent sees it."""

    def __init__(self, make, daemon, told, load, seed):
        self.name = make.__name__
        self.report = daemon.path(f"report-{self.name}")
        self.wrong = daemon.path(f"wrong-{self.name}")
        self.pid = os.fork()
        if self.pid == 0:
            self.be(make, daemon, told, load, seed)

    def be(self, make, daemon, told, load, seed):
        status = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            actor = make(daemon, told, load, seed)
            actor.run()
            actor.figures.write(self.report)
            status = 0
        except BaseException:
            with open(self.wrong, "w", encoding="utf-8") as file:
                file.write(traceback.format_exc())
        finally:
            os._exit(status)

    def look(self, stopping):
        """Whether it runs. It ends only when it was told to, and then in good order."""
        if self.pid is None:
            return False
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return True
        self.pid = None
        if status == 0 and stopping:
            return False
        try:
            with open(self.wrong, encoding="utf-8") as file:
                why = file.read()
        except FileNotFoundError:
            why = f"ended with {status}"
        raise Wrong(f"actor {self.name}: {why}")

    def figures(self):
        return Figures().read(self.report)

    def kill(self):
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = None


class From(Client):
    """A connection from an address of this machine's own that is chosen, 127.0.x.y."""

    def __init__(self, address, source, **options):
        self.source = source
        super().__init__(address, **options)

    def prepare(self):
        self.socket.bind((self.source, 0))


LOGIN_MOST = 8.0  # seconds that a right secret may wait, on an idle machine


def login(actor, user, source="127.0.0.1", what="login", excused=0):
    """A connection that has proved with a right secret who it is. A connection that is hung up
    on at max_connections is made anew, and so often as is `excused` one that is denied; the time
    of all of them together is bounded."""
    started, tries = time.monotonic(), []
    while True:
        client, began = None, time.monotonic()
        try:
            client = From(actor.daemon.address, source, timeout=2 * LOGIN_MOST)
            answer = client.ask(f"AUTH {user[0]} {user[1]}")
        except (EOFError, OSError) as error:
            answer = error
        tries.append(f"{time.monotonic() - began:.2f} s: {answer}")
        actor.took(what, started, LOGIN_MOST, f" of {user[0]} from {source}, {tries[-20:]}")
        if answer == "OK":
            actor.count(f"{what}s")
            return client
        if client:
            client.close()
        if answer == "DENIED" and excused > 0:
            excused -= 1
            actor.count("denied in the moment of a reload")
        elif isinstance(answer, str) and answer != "SERVER_ERROR too many connections":
            raise Wrong(f"{what}: the right secret of {user[0]} from {source} was answered with"
                        f" {answer}, after {time.monotonic() - started:.2f} s")
        actor.count(f"{what}s tried again")
        time.sleep(0.01)
