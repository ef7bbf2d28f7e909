"""The same random stream to kvcached and to Debian's memcached: the same answers.

Byte for byte, but for these differences, which are meant:

- cas values are unique and rise, but not by one; me's size is our own;
- a number that becomes shorter has no blanks behind it (`decr`);
- numbers are digits: no sign before them, and at most twenty;
- after a refused storage command nothing of its value is taken for a command,
  and where its length cannot be read, or no line end follows, the connection ends;
- lines may end in LF alone;
- words behind a whole storage command other than noreply are refused;
- client flags above 32 bits, and keys with control characters, are refused;
- dates beyond 2038 are understood, and times are exact to the millisecond;
- `k` spells the key as the request did, and E (a cas of one's own) is known;
- what memcached is asked about its slabs, its LRU and its workings is not there.

DIFFERENTIAL_SEED and DIFFERENTIAL_ROUNDS choose another run. A stream on which the
two differ is made shorter before it is shown.
"""

import os
import re
import shutil
import subprocess
import unittest

from harness import SANITIZER, Case, wait_for
from memcache import Memcache, Wire
from memcache_stream import Stream, Versions, comparable, read_answer
from test_cluster import free_ports

MEMCACHED = shutil.which("memcached", path=os.environ.get("PATH", "") + ":/usr/bin:/usr/sbin")
ROUNDS = int(os.environ.get("DIFFERENTIAL_ROUNDS", 3 if SANITIZER else 8))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", 1))
REQUESTS = 1500


class Peer:
    """One of the two servers, and what it has said so far."""

    def __init__(self, address):
        self.wire = Wire(address)
        self.versions = Versions()

    def ask(self, request):
        text = self.versions.fill(request).encode()
        value = b"" if request.value is None else request.value + b"\r\n"
        self.wire.send(text + b"\r\n" + value)
        return comparable(read_answer(self.wire, request))

    def learn_version(self, key):
        """Every key's version, so that the next request can name it."""
        self.wire.send(f"gets {key}\r\n")
        line = self.wire.line()
        if line.startswith("VALUE"):
            size, version = line.split()[3:]
            self.wire.file.read(int(size) + 2)
            self.versions.learn(key, version)
            self.wire.line()

    def begin(self):
        self.versions = Versions()
        self.wire.send("flush_all\r\n")
        self.wire.line()


def normal(answer):
    """Numbers that became shorter have blanks behind them there."""
    lines = answer.split(b"\r\n")
    for i, line in enumerate(lines[:-1]):
        digits = re.fullmatch(rb"(\d+) +", lines[i + 1])
        if digits and re.match(rb"VALUE |VA ", line):
            size = b"%d" % len(lines[i + 1])
            lines[i] = re.sub(rb"(^VALUE \S+ \d+ |^VA )" + size, rb"\g<1>%d" % len(digits.group(1)),
                              line)
            lines[i] = re.sub(rb" s" + size + rb"\b", rb" s%d" % len(digits.group(1)), lines[i])
            lines[i + 1] = digits.group(1)
    return b"\r\n".join(lines)


@unittest.skipIf(MEMCACHED is None, "Debian: memcached")
class Differential(Case):
    DEADLINE = 120 + 10 * ROUNDS

    def setUp(self):
        port, = free_ports(1)
        command = [MEMCACHED, "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "64", "-t", "1"]
        self.process = subprocess.Popen(command + (["-u", "nobody"] if os.geteuid() == 0 else []),
                                        stderr=subprocess.DEVNULL)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)

        def listens():
            try:
                return Peer(("127.0.0.1", port))
            except ConnectionRefusedError:
                return None
        theirs = wait_for(listens, 10, "memcached to listen")
        self.addCleanup(theirs.wire.close)
        daemon = Memcache()
        self.addCleanup(self._end, daemon)
        ours = Peer(daemon.memcache)
        self.addCleanup(ours.wire.close)
        self.peers = theirs, ours

    def difference(self, requests):
        """None, or the first request that was answered differently, and the answers."""
        for peer in self.peers:
            peer.begin()
        for number, request in enumerate(requests):
            answers = [normal(peer.ask(request)) for peer in self.peers]
            if answers[0] != answers[1]:
                return number, answers
            if request.key is not None or number % 7 == 0:
                for peer in self.peers:
                    peer.learn_version(request.key or "key1")
        return None

    def shorter(self, requests):
        """As few of them as still show a difference."""
        size = len(requests) // 2
        while size > 0:
            at = 0
            while at < len(requests):
                fewer = requests[:at] + requests[at + size:]
                if self.difference(fewer) is not None:
                    requests = fewer
                else:
                    at += size
            size //= 2
        return requests

    def test_streams_are_answered_alike(self):
        for seed in range(SEED, SEED + ROUNDS):
            requests = Stream(seed).make(REQUESTS)
            found = self.difference(requests)
            # memcached's clock ticks once a second: what a tick in an unlucky place made
            # differ does not come again, what is wrong does.
            if found is None or self.difference(requests[:found[0] + 1]) is None:
                continue
            few = self.shorter(requests[:found[0] + 1])
            _, (theirs, ours) = self.difference(few) or found
            self.fail(f"DIFFERENTIAL_SEED={seed}: after {few}\nmemcached says {theirs[:300]}\n"
                      f"kvcached says  {ours[:300]}")
