"""Each request has its one reply, or none where it asked for none, in the order of the requests.

The same random stream (request_mix.py) goes to two daemons: loud to the one, and to the other
with noreply and q wherever the stream has them. What the quiet one says must be what the loud
one said without what was to be hidden, to the byte. The namespaces are awkward, and the clients
are users of few rights. A stream that goes wrong is made shorter before it is shown.

REPLIES_SEED and REPLIES_ROUNDS choose another run.
"""

import os
import re
import time

from harness import SANITIZER, Case, seconds
from memcache import Memcache, Wire
from request_mix import ERRORS, TOO_LARGE, Mix, Mixed, read_until
from test_users import user, users

SEED = int(os.environ.get("REPLIES_SEED", 1))
ROUNDS = int(os.environ.get("REPLIES_ROUNDS", 2 if SANITIZER else 8))
REQUESTS = 600

CONF = """
    memory = "32M"; max_value = "300000"; namespaces_policy = "declared";
    namespaces = ( { name = "tok"; require_ttl = true; }, { name = "tiny"; memory = "256K"; },
                   { name = "brief"; ttl = "1h"; max_ttl = "2h"; }, { name = "hidden"; } );
"""
USERS = {"owner": {"read": "*", "write": "*", "admin": "*"},
         "reader": {"read": ["cache", "t*"]}, "writer": {"write": ["cache", "t*"]},
         "guest": {"read": "hidden"}}
SECRET = "open-sesame"
# What shows the end of a handful of requests, and what is said to it.
NOOP = (b"mn\r\n", b"MN\r\n")
RECORD = (b"ms marker 4 q\r\nhere\r\nmg marker v\r\n", b"VA 4\r\nhere\r\n")


class Talker:
    """A daemon, and a connection to it for each user."""

    def __init__(self, daemon, names, quietly):
        self.daemon = daemon
        self.names = names
        self.quietly = quietly
        self.wires = {}

    def close(self):
        for wire in self.wires.values():
            wire.close()
        self.wires = {}

    def begin(self):
        """With no records, and new connections."""
        self.close()
        assert self.wire(self.names[0]).ask("flush_all") == "OK"

    def wire(self, name):
        if name not in self.wires:
            wire = self.wires[name] = Wire(self.daemon.memcache)
            if name is not None:
                login = f"{name} {SECRET}"
                assert wire.ask(f"set auth 0 0 {len(login)}\n{login}") == "STORED"
        return self.wires[name]

    def say(self, name, requests, marker):
        """What is said to them, up to the marker behind them."""
        wire = self.wire(name)
        try:
            wire.send(b"".join(request.text(self.quietly) for request in requests) + marker[0])
            replies = read_until(wire, marker[1])
        except (TimeoutError, BrokenPipeError) as error:
            replies = [repr(error).encode(), None]
        if None in replies:
            self.wires.pop(name).close()
        return replies


def comparable(reply):
    """Versions are each daemon's own, and time passes."""
    if reply is None:
        return b"closed"
    head, end, value = reply.partition(b"\r\n")
    head = re.sub(rb" c\d+", b" c", re.sub(rb" t\d+", b" t", head))
    return re.sub(rb"(?m)^(VALUE [^ ]+ \d+ \d+) \d+\r$", rb"\1\r", head + end + value)


class Replies(Case):
    def begin(self, conf=CONF, names=(None,), exactly=True):
        """`exactly`: not only the number of replies is known, but what they say."""
        self.exactly = exactly
        self.talkers = []
        for quietly in (False, True):
            daemon = Memcache(conf)
            self.addCleanup(self._end, daemon)
            talker = Talker(daemon, names, quietly)
            self.addCleanup(talker.close)
            self.talkers.append(talker)

    def difference(self, batches):
        """None, or the number of the batch that was answered wrongly, and in what way."""
        for talker in self.talkers:
            talker.begin()
        for number, batch in enumerate(batches):
            found = self.wrong(*batch)
            if found:
                return number, found
        return None

    def wrong(self, name, requests, marker):
        loud, quiet = self.talkers
        expected, ends = [], False
        for request in requests:
            replies = loud.say(name, [request], NOOP)
            ends = request.ends
            if ends:
                if replies[-1] is not None or len(replies) > 2:
                    return f"{request} was answered {clipped(replies)}, and not closed behind it"
            elif len(replies) != 1 or replies[0] is None:
                return f"{request}, loud, was answered {clipped(replies)}"
            elif not request.hides(replies[0]):
                expected.append(replies[0])
        replies = quiet.say(name, requests, marker)
        if not self.are_alike(replies, expected, ends):
            return (f"{requests} said to {name}\nexpected {clipped(expected)}"
                    f"{' and the end' if ends else ''}\ngot      {clipped(replies)}")
        return None

    def are_alike(self, replies, expected, ends):
        if ends:
            if replies[-1] is not None:
                return False
            replies = replies[:-1]
            # The error before the end may be said or not.
            if len(replies) == len(expected) + 1 and replies[-1].split()[0] in ERRORS:
                replies = replies[:-1]
        if not self.exactly:
            return None not in replies and len(replies) == len(expected)
        return [comparable(reply) for reply in replies] == [comparable(reply) for reply in expected]

    def shorter(self, batches):
        """As few of them as still show a difference, and as can be tried in some time."""
        size, deadline = len(batches) // 2, time.monotonic() + seconds(20)
        while size > 0:
            at = 0
            while at < len(batches) and time.monotonic() < deadline:
                fewer = batches[:at] + batches[at + size:]
                if fewer and self.difference(fewer) is not None:
                    batches = fewer
                else:
                    at += size
            size //= 2
        return batches

    def batches(self, seed, names):
        """Requests by the handful, each handful from one user, and what shows its end. What
        ends the connection is the last of its handful."""
        mix = Mix(seed)
        requests, made = mix.make(REQUESTS), []
        while requests:
            count = mix.pick(1, 1, 2, 3, 5)
            ending = [at + 1 for at, request in enumerate(requests[:count]) if request.ends]
            count = min([count, *ending])
            name = mix.chance.choice(names)
            writes = self.exactly and name in (None, "owner")
            made.append((name, [self.counted(request) for request in requests[:count]],
                         mix.pick(NOOP, RECORD) if writes else NOOP))
            requests = requests[count:]
        return made

    def counted(self, request):
        """Where it cannot be known what is found, nothing is quiet about that."""
        if not self.exactly and request.quiet == b"q":
            request.quiet = None
        return request

    def stream(self, names):
        for seed in range(SEED, SEED + ROUNDS):
            batches = self.batches(seed, names)
            found = self.difference(batches)
            if found is not None:
                few = self.shorter(batches[:found[0] + 1])
                _, what = self.difference(few) or found
                self.fail(f"REPLIES_SEED={seed}: after {few[:-1]}\n{what}")


def clipped(replies):
    return [reply if reply is None or len(reply) < 200 else reply[:200] + b"..." for reply in replies]


class Streams(Replies):
    def test_without_users(self):
        self.begin()
        self.stream([None])

    def test_users_of_few_rights(self):
        groups = [user(name, SECRET, **rights) for name, rights in USERS.items()]
        self.begin(CONF + users(*groups), list(USERS))
        self.stream(list(USERS))

    def test_hardly_any_memory(self):
        """Writes of some size are refused, or evict others, and what is read is anyone's guess."""
        self.begin(CONF.replace("32M", "4M"), exactly=False)
        self.stream([None])


class OneRule(Replies):
    """What the streams find, as the shortest of each kind."""

    def setUp(self):
        self.daemon = Memcache(CONF)
        self.addCleanup(self._end, self.daemon)
        self.wire = self.daemon.talk()
        self.addCleanup(self.wire.close)
        self.wire.ask("set a 0 0 5\nhere!")

    def silent(self, text, value=None):
        """Between two gets it says nothing, and the second is answered as the first."""
        request = Mixed([text], value)
        self.wire.send(request.text(False) + b"get a\r\n")
        lines = [self.wire.line() for _ in range(3)]
        self.assertEqual(lines, ["VALUE a 0 5", "here!", "END"], request)

    def test_a_value_that_is_too_large(self):
        for verb in (b"set", b"add", b"append", b"prepend", b"replace"):
            self.silent(verb + b" big 0 0 300001 noreply", TOO_LARGE)
        self.silent(b"cas big 0 0 300001 1 noreply", TOO_LARGE)
        self.silent(b"set tiny:big 0 0 299000 noreply", b"v" * 299000)

    def test_a_namespace_that_wants_a_ttl(self):
        for verb in (b"set", b"add"):
            self.silent(verb + b" tok:a 0 0 1 noreply", b"v")
        self.silent(b"touch tok:a 0 noreply")

    def test_lines_that_are_wrong(self):
        for line in (b"set a x 0 1", b"set a 0 x 1", b"set " + b"k" * 251 + b" 0 0 1",
                     b"cas a 0 0 1 x", b"cas a 0 0 1", b"set a 0 -1x 1"):
            self.silent(line + b" noreply", b"v")
        for line in (b"delete " + b"k" * 251, b"incr a x", b"incr a -1", b"incr a", b"incr",
                     b"decr a 18446744073709551616", b"touch a x", b"touch a", b"touch", b"delete",
                     b"flush_all x", b"verbosity", b"verbosity x", b"foo", b"foo bar", b"SET",
                     b"delete nothing 10", b"delete nothing 0", b"incr nothing 1 2",
                     b"cache_memlimit x", b"cache_memlimit", b"slabs reassign 1 2",
                     b"lru mode flat", b"shutdown"):
            self.silent(line + b" noreply")

    def test_a_last_word_that_only_looks_like_it(self):
        for word in ("noreplY", "NOREPLY", "norepl", "noreplyy"):
            self.assertEqual(self.wire.ask(f"set k 0 0 1 {word}\nv"), "STORED")
            self.assertEqual(self.wire.ask(f"touch k 0 {word}"), "TOUCHED")
            self.assertEqual(self.wire.ask(f"delete k {word}"), "DELETED")
            self.assertEqual(self.wire.ask(f"incr k 1 {word}"), "NOT_FOUND")

    def test_noreply_is_a_key_of_a_get(self):
        self.assertEqual(self.wire.ask("set noreply 0 0 1\nv"), "STORED")
        for line in ("get a noreply", "gat 0 a noreply"):
            self.assertEqual(self.wire.ask(line, 5), ["VALUE a 0 5", "here!", "VALUE noreply 0 1",
                                                      "v", "END"])

    def test_a_refused_gat_has_one_reply(self):
        self.assertEqual(self.wire.ask("set tok:a 0 100 1\nv"), "STORED")
        for line in ("gat 0 tok:a", "gats 0 tok:a", "gat 0 tok:a a", "gat 0 nothing tok:a a"):
            self.assertRegex(self.wire.ask(line), "^(CLIENT|SERVER)_ERROR ")
            self.assertEqual(self.wire.ask("mn"), "MN", line)

    def test_where_the_extent_is_not_known_it_is_closed(self):
        for line in (b"set a 0 0 x", b"set a 0 0 -1", b"set a 0 0 99999999999999999999", b"set a",
                     b"set", b"cas a 0 0"):
            for ending in (b"", b" noreply"):
                wire = self.daemon.talk()
                self.addCleanup(wire.close)
                wire.send(line + ending + b"\r\nflush_all\r\nget a\r\n")
                replies = read_until(wire, None)
                self.assertLessEqual(len(replies), 2)
                self.assertRegex(b"".join(replies[:-1]), rb"^((CLIENT_)?ERROR.*\r\n)?$")
        self.silent(b"verbosity 1 noreply")


class QuietRule(Replies):
    """q hides what is expected, and no error."""

    def test_errors_are_answered(self):
        daemon = Memcache(CONF)
        self.addCleanup(self._end, daemon)
        wire = daemon.talk()
        self.addCleanup(wire.close)
        for line, value in (("mg a q Tx", None), ("md a q Cx", None), ("ma a q Dx", None),
                            ("mg a q !", None), ("ms a 1 q MX", b"v"), ("ms a 1 q Tx", b"v"),
                            ("ms a 300001 q", TOO_LARGE), ("ms tok:a 1 q", b"v"),
                            ("mg tok:a N0 q", None), ("ma tok:a N0 q", None),
                            ("md " + "k" * 251 + " q", None), ("mg Y!!! b q", None),
                            ("ms tiny:a 299000 q", b"v" * 299000)):
            wire.send(Mixed([line.encode()], value).text(False) + b"mn\r\n")
            self.assertRegex(wire.line(), "^(CLIENT|SERVER)_ERROR ", line)
            self.assertEqual(wire.line(), "MN", line)

    def test_what_is_expected_is_not(self):
        daemon = Memcache(CONF)
        self.addCleanup(self._end, daemon)
        wire = daemon.talk()
        self.addCleanup(wire.close)
        wire.send(b"mg a q\r\nmg a v q k O1\r\nms a 1 q k c\r\n5\r\nma a q\r\nma a q v k\r\n"
                  b"ma n q N0\r\nma m q N0 v\r\nmd a q I\r\nmd a q\r\nmn\r\n")
        self.assertEqual(wire.line(), "MN")
        for line, answer in (("md a q", "NF"), ("ma a q", "NF"), ("ma n q C1", "EX"),
                             ("md n q C1", "EX"), ("mg n q", "HD"), ("mg new q N100", "HD W")):
            self.assertEqual(wire.ask(line), answer)
        for line, answer in (("ms n 1 q ME", "NS"), ("ms a 1 q MR", "NS"), ("ms n 1 q C1", "EX"),
                             ("ms a 1 q C1", "NF")):
            self.assertEqual(wire.ask(line + "\n7"), answer)
        self.assertEqual(wire.ask("mn"), "MN")
