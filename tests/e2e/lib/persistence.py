"""A daemon whose arena is a file, and which is started again and again; and writers that
know exactly what they were told.

A writer has keys of its own. What it was answered is certain; of what it had asked when the
daemon went away, any beginning may have been done. So a key may be found in one of a few
states, and in no other.
"""

import os
import random
import resource
import shutil
import tempfile
import threading
import time

from client import Client
from harness import Daemon
from memcache import LISTEN

TICK = 0.001  # seconds: the daemon's clock counts milliseconds, and is rounded down
SLACK = 1e-6  # that our clock and the daemon's may be apart, and what is lost in a float
HOUR = 3600.0


def folder_in_memory():
    """A new directory on a file system in memory, where there is one."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return tempfile.mkdtemp(prefix="kvcached-e2e-", dir=where)


class Lasting(Daemon):
    """An & in `conf` stands for the arena's file. It listens for both protocols."""

    def __init__(self, conf="", **options):
        self.arena_folder = folder_in_memory()
        self.arena = os.path.join(self.arena_folder, "arena")
        self.earlier = b""
        try:
            super().__init__(conf, listen=LISTEN, before_exec=self.without_core, **options)
        except BaseException:
            shutil.rmtree(self.arena_folder, ignore_errors=True)
            raise

    @staticmethod
    def without_core():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def configure(self, conf):
        super().configure(f'arena = {{ file = "{self.arena}"; }};\n' + conf)

    def start(self, ready=True):
        """Its log begins anew with every start, and so do the addresses in it."""
        self.earlier += self.log_bytes()
        if os.path.exists(self.log_path):
            os.unlink(self.log_path)
        super().start(ready)

    def wait_listening(self, count=1):
        super().wait_listening(2 * count)

    @property
    def memcache(self):
        return self.addresses()[1]

    def end(self, number):
        """A signal, and waits until the process is gone."""
        self.send_signal(number)
        self.process.wait(30)

    def again(self, number, conf=None):
        self.end(number)
        if conf is not None:
            self.configure(conf)
        self.start()

    def clean(self):
        super().clean()
        shutil.rmtree(self.arena_folder, ignore_errors=True)


class State:
    """A value, and between which two moments it expires. No value: there is no record."""

    def __init__(self, value=None, first=None, last=None):
        self.value = value
        self.first = first
        self.last = last

    def allows(self, found, before, after):
        """Whether it may be found like that, by somebody who asked and was told then."""
        if self.value is None:
            return found is None
        if found is None:
            return self.first is not None and after + SLACK >= self.first
        return found == self.value and (self.last is None or before - SLACK <= self.last + TICK)

    def __repr__(self):
        if self.value is None:
            return "nothing"
        return f"{len(self.value)} bytes {self.value[:24]!r} until {self.first}..{self.last}"


class Asked:
    """What was asked about a key: its bytes, and what the answer says of the key."""

    def __init__(self, key, data, answers, ttl=None):
        self.key = key
        self.data = data
        self.answers = answers  # from an answer and the state before to the state after
        self.ttl = ttl
        self.sent = None


class Writer:
    """One connection's worth of keys. `native` or memcached's protocol."""

    KEYS = 40
    LARGE = 3  # of the keys, those that may hold a large value

    def __init__(self, name, native, seed):
        self.name = name
        self.native = native
        self.random = random.Random(seed)
        self.known = {f"k{i}": State() for i in range(self.KEYS)}
        self.asked = []  # and not answered, in order
        self.count = 0
        self.error = None
        self.thread = None

    # --- asking

    def value(self, key):
        self.count += 1
        large = int(key[1:]) < self.LARGE and self.random.random() < 0.3
        size = self.random.randrange(40000, 250000) if large else self.random.randrange(0, 300)
        text = f"{self.name}.{key}.{self.count}.".encode()
        return (text * (size // len(text) + 1))[:max(size, len(text))]

    def times(self):
        """A time to live in milliseconds, or None."""
        draw = self.random.random()
        if draw < 0.15:
            return self.random.randrange(20, 500)
        return None if draw < 0.4 else int(HOUR * 1000)

    def put(self, key, verb):
        value, ttl = self.value(key), self.times()
        if self.native:
            words = f"{verb} {self.name} {key} {f'{ttl}ms' if ttl else 'never'} {len(value)}\r\n"
        else:
            ttl = None if ttl is None else int(HOUR * 1000)  # memcached's are whole seconds
            verb = {"PUT": "set", "ADD": "add"}[verb]
            words = f"{verb} {self.name}:{key} 0 {3600 if ttl else 0} {len(value)}\r\n"
        refused = "EXISTS" if self.native else "NOT_STORED"

        def answers(answer, old, sent, now):
            if answer == refused and verb.upper() == "ADD":
                return old
            if answer != "STORED":
                raise AssertionError(f"{verb}: {answer}")
            return self.lasting(value, ttl, sent, now)
        return Asked(key, words.encode() + value + b"\r\n", answers)

    @staticmethod
    def lasting(value, ttl, sent, now):
        if ttl is None:
            return State(value)
        return State(value, sent + ttl / 1000, now + ttl / 1000)

    def append(self, key):
        value = self.value("k99")
        words = f"append {self.name}:{key} 0 0 {len(value)}\r\n"

        def answers(answer, old, sent, now):
            if answer == "NOT_STORED":
                return State()
            return State(old.value + value, old.first, old.last)
        return Asked(key, words.encode() + value + b"\r\n", answers)

    def delete(self, key):
        words = f"DEL {self.name} {key}" if self.native else f"delete {self.name}:{key}"

        def answers(answer, old, sent, now):
            if answer not in ("DELETED", "NOT_FOUND"):
                raise AssertionError(answer)
            return State()
        return Asked(key, words.encode() + b"\r\n", answers)

    def touch(self, key):
        words = (f"TOUCH {self.name} {key} 1h" if self.native else
                 f"touch {self.name}:{key} 3600")

        def answers(answer, old, sent, now):
            if answer == "NOT_FOUND":
                return State()
            if answer != "TOUCHED":
                raise AssertionError(answer)
            return State(old.value, sent + HOUR, now + HOUR)
        return Asked(key, words.encode() + b"\r\n", answers)

    def flush(self):
        def answers(answer, old, sent, now):
            if not answer.startswith("FLUSHED"):
                raise AssertionError(answer)
            return State()
        return Asked(None, f"FLUSH {self.name}\r\n".encode(), answers)

    def ask_something(self):
        key = f"k{self.random.randrange(self.KEYS)}"
        draw = self.random.random()
        if draw < 0.5:
            return self.put(key, "PUT")
        if draw < 0.6:
            return self.put(key, "ADD")
        if draw < 0.8:
            return self.delete(key)
        if draw < 0.9 or (self.native and draw < 0.985):
            return self.touch(key)
        return self.flush() if self.native else self.append(key)

    # --- being answered

    def after(self, asked, answer, old, now):
        return asked.answers(answer, old, asked.sent, now)

    def take(self, asked, answer, now):
        for key in self.known if asked.key is None else [asked.key]:
            self.known[key] = self.after(asked, answer, self.known[key], now)

    def work(self, address, stop):
        try:
            with Client(address) as client:
                while not stop.is_set():
                    batch = [self.ask_something() for _ in range(self.random.randrange(1, 9))]
                    sent = time.monotonic()
                    for asked in batch:
                        asked.sent = sent
                    self.asked = batch[:]
                    client.send(b"".join(asked.data for asked in batch))
                    for asked in batch:
                        answer = client.line()
                        self.take(asked, answer, time.monotonic())
                        self.asked.pop(0)
        except (EOFError, ConnectionError):
            pass
        except BaseException as error:
            self.error = error

    def begin(self, address, stop):
        self.thread = threading.Thread(target=self.work, args=(address, stop))
        self.thread.start()

    def finish(self):
        self.thread.join()
        if self.error is not None:
            raise self.error

    # --- what may be found

    def possible(self, key, now):
        """The states in which a key may be found: as it was answered, or after some of what
        was asked and not answered."""
        states = [self.known[key]]
        for asked in self.asked:
            if asked.key not in (key, None):
                continue
            for old in list(states):
                states += self.outcomes(asked, old, now)
        return states

    def outcomes(self, asked, old, now):
        """What may have come of it; which answer it would have been is not known where the
        old record may have expired meanwhile."""
        verb = asked.data.split(b" ", 1)[0].upper()
        there = old.value is not None
        if verb == b"ADD":
            return [self.after(asked, "STORED", old, now)] if not there or old.first else []
        if verb in (b"TOUCH", b"APPEND"):
            word = {b"TOUCH": "TOUCHED", b"APPEND": "STORED"}[verb]
            return [self.after(asked, word, old, now)] if there else []
        word = {b"FLUSH": "FLUSHED 0", b"DEL": "DELETED", b"DELETE": "DELETED"}.get(verb, "STORED")
        return [self.after(asked, word, old, now)]

    def get_all(self, client):
        """Every key's value, or None, and the moments around."""
        before = time.monotonic()
        client.send("".join(f"GET {self.name} {key}\r\n" for key in self.known))
        found = {}
        for key in self.known:
            reply = client.reply()
            found[key] = (None if reply == "NOT_FOUND" else reply[1], before, time.monotonic())
        return found

    def check(self, client):
        """Compares, and takes what was found for what is known from now on."""
        listed = {line.split(" ")[1] for line in client.ask_all(f"LIST {self.name}")}
        now = time.monotonic()
        for key, (value, before, after) in self.get_all(client).items():
            states = self.possible(key, now)
            fits = [state for state in states if state.allows(value, before, after)]
            if not fits:
                what = "nothing" if value is None else f"{len(value)} bytes {value[:24]!r}"
                raise AssertionError(f"{self.name} {key}: found {what} at {before:.3f}..{after:.3f},"
                                     f" might have been {states}")
            if value is not None and key not in listed:
                raise AssertionError(f"{self.name} {key} is there and was not listed")
            self.known[key] = State() if value is None else self.found(client, key, fits)
        self.asked = []

    def found(self, client, key, fits):
        """What the states that have the value come to; the time to live says which it may be,
        and may leave more than one."""
        before = time.monotonic()
        words = client.ask(f"TTL {self.name} {key}").split(" ")
        after = time.monotonic()
        if words[0] == "NOT_FOUND":
            return State()
        if words[1] == "never":
            matching = [state for state in fits if state.first is None]
        else:
            first, last = before + float(words[1]), after + float(words[1])
            matching = [state for state in fits if state.first is not None and
                        state.first - TICK - SLACK <= last and
                        first - SLACK <= state.last + TICK]
        if not matching:
            raise AssertionError(f"{self.name} {key}: ttl {words} at {before:.3f}..{after:.3f}, might "
                                 f"have been {fits}")
        return self.either(matching)

    @staticmethod
    def either(states):
        """One of them, which all have the same value: when it ends, all of them say."""
        if any(state.first is None for state in states):
            return State(states[0].value)
        return State(states[0].value, min(state.first for state in states),
                     max(state.last for state in states))
