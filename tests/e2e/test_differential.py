"""The same random stream to kvcached and to memcached: the same answers.

MEMCACHED names a memcached other than Debian's 1.6.18: with a newer one the streams use what that
has, and say what the two versions answer differently. kvcached speaks as the newest does.

Byte for byte, but for these differences, which are meant:

- cas values are unique and rise, but not by one, and not beyond a deletion; me's size is our own;
- a number that becomes shorter has no blanks behind it (`decr`);
- numbers are digits: no sign before them, and at most twenty;
- after a refused storage command nothing of its value is taken for a command,
  and where its length cannot be read, or no line end follows, the connection ends;
- so it does where a number stands behind a whole storage command, or words stand behind one that
  is wrong: there may be a blank inside the key;
- lines may end in LF alone;
- client flags above 32 bits are refused, and delete takes one key;
- an exptime of 2^32 is not 0, and times are exact to the millisecond;
- of what an error stops nothing is done: memcached makes the record of `mg k N0 O<33 bytes>`, and
  an `ms` that is too large for it deletes the old record in any mode;
- a line that ends in noreply is never answered, also where a word is missing before it;
- `k` spells the key as the request did;
- the newest sends an empty line too behind the error for a key that is too long for get, and takes
  a flag that is no letter for the end of the words;
- what memcached is asked about its slabs, its LRU and its workings is not compared.

What two servers say of a stream of right and wrong requests, with and without noreply and q, is
compared by number and kind (request_mix.py).

DIFFERENTIAL_SEED and DIFFERENTIAL_ROUNDS choose another run. A stream on which the
two differ is made shorter before it is shown.
"""

import os
import re
import unittest

from harness import SANITIZER, Case
from memcache import Memcache
from memcache_stream import Stream
from reference import MEMCACHED, NEWEST, Peer, start_memcached
from request_mix import Mix, kind, read_until

ROUNDS = int(os.environ.get("DIFFERENTIAL_ROUNDS", 3 if SANITIZER else 8))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", 1))
REQUESTS = 1500


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
class Beside(Case):
    """kvcached and memcached, and what two streams of requests show of them."""

    DEADLINE = 120 + 10 * ROUNDS

    def setUp(self):
        theirs = start_memcached(self)
        daemon = Memcache()
        self.addCleanup(self._end, daemon)
        ours = Peer(daemon.memcache)
        self.addCleanup(ours.close)
        self.peers = theirs, ours

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

    def compare(self, streams):
        for seed in range(SEED, SEED + ROUNDS):
            requests = streams(seed).make(REQUESTS)
            found = self.difference(requests)
            # memcached's clock ticks once a second: what a tick in an unlucky place made
            # differ does not come again, what is wrong does.
            if found is None or self.difference(requests[:found[0] + 1]) is None:
                continue
            few = self.shorter(requests[:found[0] + 1])
            _, (theirs, ours) = self.difference(few) or found
            self.fail(f"DIFFERENTIAL_SEED={seed}: after {few}\nmemcached says {theirs[:300]}\n"
                      f"kvcached says  {ours[:300]}")


class Differential(Beside):
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

    def test_streams_are_answered_alike(self):
        self.compare(lambda seed: Stream(seed, NEWEST))


class Replies(Beside):
    """With noreply, with q, right and wrong: as many replies, and of the same kinds."""

    def difference(self, requests):
        for peer in self.peers:
            peer.begin()
        for number, request in enumerate(requests):
            kinds = []
            for peer in self.peers:
                peer.wire.send(request.text(True) + b"mn\r\n")
                kinds.append([kind(reply) for reply in read_until(peer.wire, b"MN\r\n")])
            if kinds[0] != kinds[1]:
                return number, kinds
        return None

    def test_as_many_and_of_the_same_kinds(self):
        self.compare(lambda seed: Mix(seed, alike=True, newest=NEWEST))
