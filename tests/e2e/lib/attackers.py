"""Clients that mean harm, one class for each way of doing it.

All of them work in turns: begin() makes the connections, turn() does a bounded piece of
harm and never waits for the daemon, end() hangs up. So a test can alternate between an
attacker and a good client and needs no threads, and the benchmark runs one as a process:

    attackers.py NAME SHARE HOST:PORT MEMCACHE-HOST:PORT [TLS-HOST:PORT]

attacks until it is told to stop, after a line `ready` on standard output. SHARE, 0 to 1, is
how much of an attack there is to be.

What they store lies in namespaces whose names begin with "attack"; OWN has them.
"""

import itertools
import os
import random
import select
import signal
import socket
import ssl
import struct
import sys
import time

MIB = 1 << 20
# Bytes that are sent or taken by one call: the kernel may let nobody else have the processor
# before it has copied all of them, not even a client whose replies are timed there.
AT_ONCE = 1 << 17
OWN = ("attack", "attack-deaf", "attack-glob", "attack-haul", "attack-listed")


def connection(address):
    """Connected, and from then on nothing waits for it."""
    made = socket.create_connection(address, timeout=60)
    made.setblocking(False)
    return made


class Attacker:
    """`connections` are all it has; `native`, `memcache` and `tls` are (host, port)."""

    COUNT = 1  # connections of a whole attack
    REST = 0  # seconds from one turn to the next, where it is not as fast as it can

    def __init__(self, native, memcache=None, tls=None, share=1.0):
        self.native = native
        self.memcache = memcache or native
        self.tls = tls
        self.count = max(1, int(self.COUNT * share))
        self.places = [0] * self.count  # see push_round
        self.connections = []
        self.lost = 0  # connections that the daemon has closed
        self.sent = 0  # bytes

    def begin(self):
        self.connect(self.count)

    def connect(self, count):
        self.connections += [connection(self.native) for _ in range(count)]

    def turn(self):
        pass

    def end(self):
        for made in self.connections:
            made.close()
        self.connections = []

    def prepare(self, lines, replies):
        """Sends whole requests on a connection of their own, and waits for the replies."""
        with socket.create_connection(self.native, timeout=60) as made:
            made.sendall(lines)
            made.shutdown(socket.SHUT_WR)
            got = b"".join(iter(lambda: made.recv(1 << 16), b""))
        assert got.count(b"\n") == replies, got[:200]

    def push(self, made, data):
        """As much as goes at once; how many bytes that was."""
        try:
            sent = made.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self.lose(made)
            return 0
        self.sent += sent
        return sent

    def push_round(self, i, made, data, most=AT_ONCE):
        """The same of what is sent again and again, from where the i-th connection is in it."""
        at = self.places[i] % len(data)
        self.places[i] += self.push(made, data[at:at + most])

    def pull(self, made, most=AT_ONCE):
        """What has come; b"" if nothing has."""
        try:
            got = made.recv(most)
        except BlockingIOError:
            return b""
        except OSError:
            got = b""
        if not got:
            self.lose(made)
        return got

    def lose(self, made):
        made.close()
        self.connections.remove(made)
        self.lost += 1


class Silent(Attacker):
    """Connects and sends nothing."""

    COUNT = 10000
    REST = 0.1


class Trickle(Attacker):
    """Sends a byte a second on each connection, of requests that take long to be whole."""

    COUNT = 10000
    PARTS = 50  # turns until each has had its byte
    REST = 1 / PARTS
    WORDS = b"PUT attack key 1h 30\r\n" + b"v" * 30 + b"\r\nGET attack key key key key key\r\n"

    def begin(self):
        super().begin()
        self.turns = 0

    def turn(self):
        at = self.turns // self.PARTS % len(self.WORDS)
        for made in self.connections[self.turns % self.PARTS::self.PARTS]:
            self.push(made, self.WORDS[at:at + 1])
        self.turns += 1


class Deaf(Attacker):
    """Asks for much and reads nothing of it."""

    COUNT = 10000
    ASKED = b"GET attack-deaf large\r\nPING\r\nGET attack-deaf" + b" small" * 50 + \
        b"\r\nALL attack-deaf\r\n"

    def begin(self):
        self.prepare(b"PUT attack-deaf large 1h 500000\r\n" + b"v" * 500000 +
                     b"\r\nPUT attack-deaf small 1h 1000\r\n" + b"v" * 1000 + b"\r\n", 2)
        for _ in range(self.count):
            made = socket.socket()
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            made.settimeout(60)
            made.connect(self.native)
            made.setblocking(False)
            self.connections.append(made)

    def turn(self):
        for made in list(self.connections):
            self.push(made, self.ASKED)  # where it is cut, what follows is refused: no matter


class Babble(Attacker):
    """Sends lines that are wrong in every way, all different, in both protocols."""

    LINES = 2000  # a turn
    # All of them are answered by one line, and none of them ends the connection.
    NATIVE = [
        "WHAT{i}", "{i}", "get\x00{i} n k", "\x80\xff{i} n k", "G{i}ET n k", " GET n k{i}",
        "GET n/  k{i}", "GET{i} n k", "GET n/{i} k", "GET " + "n" * 65 + "{i} k",
        "GET n " + "k" * 1025 + "{i}", "GET n k\x01{i}", "GET n\t{i} k", "DEL n!{i} k", "TTL n",
        "TTL n k {i}", "TOUCH n k soon{i}", "TOUCH n k -{i}", "TOUCH n k {i}y", "TOUCH n k {i}.{i}.1",
        "TOUCH n k 99999999999999999999{i}w", "INCR n k x{i}", "INCR n k -{i}",
        "INCR n k 99999999999999999999{i}", "DECR n k {i} {i}", "LIST n [a{i}", "LIST n z{i}\\",
        "ALL n [{i}", "ALL n [9-0]{i}", "FLUSH n{i}!", "FLUSH n n{i}", "STATS {i} {i}", "PING {i}",
        "PUT n k{i} soon 3\r\nabc", "PUT n k{i} {i}parsec 3\r\nabc", "ADD n k{i} -1 3\r\nabc",
        "PUT n{i}~ k 1h 3\r\nabc", "ADD n " + "k" * 1025 + "{i} 1h 3\r\nabc",
    ]
    MEMCACHE = [
        "what{i}", "{i}", "get", "get " + "k" * 251 + "{i}", "gets\x01{i} k",
        "touch k{i}", "touch k{i} soon", "incr k{i}", "incr k{i} x", "decr k{i} -{i}",
        "incr k 99999999999999999999{i}", "gat x{i} k", "flush_all x{i}", "mg " + "k" * 300 + "{i}",
        "delete", "delete k {i} x y", "verbosity", "meta{i}", "mq{i}", "ma", "md",
    ]
    # After these the daemon may hang up.
    FATAL = ["PUT n k 1h x{i}", "PUT n k 1h -{i}", "PUT n k 1h 3\r\nabcd{i}", "TTL n " + "k " * 40000,
             "PUT n k 1h 18446744073709551616{i}", "x" * 70000 + "{i}", "ADD n k 1h 2 2 {i}"]

    def begin(self):
        self.number = itertools.count()
        self.chance = random.Random(1)
        self.native_talk = [connection(self.native), self.NATIVE, 0]
        self.memcache_talk = [connection(self.memcache), self.MEMCACHE, 0]
        self.connections = [self.native_talk[0], self.memcache_talk[0]]
        self.said = self.errors = self.replies = 0

    def lines(self, shapes, count):
        numbers = itertools.islice(self.number, count)
        return "\r\n".join(shapes[i % len(shapes)].replace("{i}", str(i)) for i in numbers) + "\r\n"

    def turn(self):
        for talk in self.native_talk, self.memcache_talk:
            self.converse(talk[0], self.lines(talk[1], self.LINES // 2).encode("latin-1"))
        self.said += self.LINES
        with connection(self.native) as made:
            shape = self.chance.choice(self.FATAL)
            self.push(made, shape.replace("{i}", str(next(self.number))).encode() + b"\r\n")

    def converse(self, made, data):
        """All of it, with what is answered: a line for each."""
        wanted, got = self.LINES // 2, []
        data = memoryview(data)
        while data or wanted > 0:
            ready = select.select([made], [made] if data else [], [], 60)
            assert ready[0] or ready[1], "the daemon neither takes nor answers"
            if ready[1]:
                data = data[self.push(made, data[:1 << 16]):]
            if ready[0]:
                got.append(self.pull(made))
                assert got[-1], "hung up on a line that it could have refused"
                wanted -= got[-1].count(b"\n")
        answers = b"".join(got).split(b"\r\n")[:-1]
        self.replies += len(answers)
        self.errors += sum(b"ERROR" in answer[:12] for answer in answers)


class Endless(Attacker):
    """Pipelines without an end: reads and writes, and takes the answers as they come."""

    COUNT = 8

    def begin(self):
        super().begin()
        self.unit = b"".join(b"PUT attack k%d 1h 100\r\n" % i + b"v" * 100 +
                             b"\r\nGET attack k%d k%d\r\n" % (i, i // 2) for i in range(1000))

    def turn(self):
        for i, made in enumerate(list(self.connections)):
            self.push_round(i, made, self.unit)
            self.pull(made)


class Announcer(Attacker):
    """Announces a MiB on each connection, and sends little of it."""

    COUNT = 1000

    def begin(self):
        super().begin()
        for i, made in enumerate(self.connections):
            self.push(made, b"PUT attack announced%d 1h 1048576\r\nv" % i)

    def turn(self):
        for made in list(self.connections):
            self.push(made, b"v")


class Globber(Attacker):
    """Asks for what patterns match that are slow to compare with long keys."""

    COUNT = 8
    PATTERNS = (b"*a*a*a*a*b", b"*" + b"a" * 500 + b"b", b"*" + b"[0-9a]" * 100 + b"b",
                b"*" + b"?" * 500 + b"b")

    def begin(self):
        self.prepare(b"".join(b"PUT attack-glob " + b"a" * 1000 + b"%d 1h 1\r\nv\r\n" % i
                              for i in range(2000)), 2000)
        super().begin()
        self.pattern = itertools.cycle(self.PATTERNS)
        self.waiting = set()
        self.ended = 0

    def turn(self):
        for made in list(self.connections):
            if made not in self.waiting:
                self.push(made, b"LIST attack-glob " + next(self.pattern) + b"\r\n")
                self.waiting.add(made)
            elif self.pull(made).endswith(b"END\r\n"):
                self.ended += 1
                self.waiting.discard(made)


class Founder(Attacker):
    """Makes namespaces without an end."""

    COUNT = 2
    A_TURN = 500

    def begin(self):
        super().begin()
        self.number = itertools.count()
        self.unsent = dict.fromkeys(self.connections, b"")

    def turn(self):
        for made in list(self.connections):
            data = self.unsent[made] or b"".join(b"PUT attack%d k 2s 1\r\nv\r\n" %
                                                 next(self.number) for _ in range(self.A_TURN))
            self.unsent[made] = data[self.push(made, data):]
            self.pull(made)


class Lister(Attacker):
    """A hundred connections that list everything, with and without values, all the time."""

    COUNT = 100
    RECORDS = 20000

    def begin(self):
        self.prepare(b"".join(b"PUT attack-listed key%d 1h 100\r\n" % i + b"v" * 100 + b"\r\n"
                              for i in range(self.RECORDS)), self.RECORDS)
        super().begin()
        self.waiting = set()
        self.ended = 0

    def turn(self):
        for made in list(self.connections):
            if made not in self.waiting:
                self.push(made, b"LIST attack-listed\r\nALL attack-listed\r\n")
                self.waiting.add(made)
            elif self.pull(made).endswith(b"v\r\nEND\r\n"):
                self.ended += 1
                self.waiting.discard(made)


class Hauler(Attacker):
    """Takes large values and brings large values, as fast as they go."""

    COUNT = 8
    GET = b"GET attack-haul large\r\n"
    PUT = b"PUT attack-haul brought 1h 1048576\r\n" + b"v" * MIB + b"\r\n"

    def begin(self):
        self.prepare(self.PUT.replace(b"brought", b"large"), 1)
        super().begin()

    def turn(self):
        for i, made in enumerate(list(self.connections)):
            self.push_round(i, made, self.PUT if i % 2 else self.GET)
            self.pull(made)


class Asker(Attacker):
    """Asks for thousands of keys in one line, none of which there is."""

    COUNT = 8
    LINE = b"GET attack " + b" ".join(b"%x" % i for i in range(13000)) + b"\r\n"

    def turn(self):
        for i, made in enumerate(list(self.connections)):
            self.push_round(i, made, self.LINE)
            self.pull(made)


class Knocker(Attacker):
    """Connects and is gone."""

    A_TURN = 20

    def begin(self):
        self.turn()

    def turn(self):
        for _ in range(self.A_TURN):
            with socket.socket() as made:
                # It resets the connection, so that no port of this side stays in use.
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                made.connect(self.native)


class Greeter(Attacker):
    """Begins TLS handshakes and leaves them at that."""

    COUNT = 200
    A_TURN = 10

    def begin(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        said = ssl.MemoryBIO()
        try:
            context.wrap_bio(ssl.MemoryBIO(), said).do_handshake()
        except ssl.SSLWantReadError:
            pass
        self.hello = said.read()
        self.turn()

    def turn(self):
        for _ in range(self.A_TURN):
            self.connections.append(connection(self.tls))
            self.push(self.connections[-1], self.hello)
        while len(self.connections) > self.count:
            self.connections.pop(0).close()


ALL = {"silent": Silent, "trickle": Trickle, "deaf": Deaf, "babble": Babble, "endless": Endless,
       "announcer": Announcer, "globber": Globber, "founder": Founder, "lister": Lister,
       "hauler": Hauler, "asker": Asker, "knocker": Knocker, "greeter": Greeter}


def main():
    name, share, *addresses = sys.argv[1:]
    pairs = [address.rsplit(":", 1) for address in addresses]
    attacker = ALL[name](*[(host, int(port)) for host, port in pairs], share=float(share))
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    attacker.begin()
    print("ready", flush=True)
    parent = os.getppid()
    due = time.monotonic()
    while not stopped and os.getppid() == parent:  # nobody is left behind
        attacker.turn()
        due += attacker.REST
        if attacker.REST:
            time.sleep(max(0, due - time.monotonic()))
    attacker.end()


if __name__ == "__main__":
    main()
