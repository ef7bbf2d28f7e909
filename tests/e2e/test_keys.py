r"""Keys of any bytes: memcached's listeners take what memcached takes, and the native protocol
shows and takes all of them in one form.

That form has \xNN for each byte up to 0x20 and for 0x7f; for a backslash too, but only where xNN
follows it, so that there is one key to each form and one such form to each key.
"""

import base64
import os
import random
import re

from harness import Case
from memcache import Memcache
from nodes import in_memory

SEED = int(os.environ.get("KEYS_SEED", 1))
SINGLE = [bytes([byte]) for byte in range(256)]
ODD = [b"\\x41", b"\\\\x41", b"\\x4", b"\\xZZ", b"\\x5cx41", b"\\", b"a\\", b"\\x", b"\\X41",
       b"\\x20", b"\\\\\\x00", b"a b", b"a\nb", b"a\r", b"\r\n", b"  ", b"KEY a b", b"\0" * 250,
       b"\x7f" * 250, b"\xff" * 250, b" " * 250, "größe".encode(), b"HTTP/1.1", b"noreply",
       b"set a 0 0 1\r\nx\r\n"]


def escaped(key):
    """A key as the native protocol shows it."""
    written = b""
    for at, byte in enumerate(key):
        if byte <= 0x20 or byte == 0x7f or re.match(rb"\\x[0-9A-Fa-f]{2}", key[at:]):
            written += b"\\x%02x" % byte
        else:
            written += b"%c" % byte
    return written


def unescaped(written):
    return re.sub(rb"\\x([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), written)


def random_keys(count, without=b""):
    """Of few bytes or many, among which backslashes, x and digits are frequent."""
    chance, made = random.Random(SEED), set()
    alphabet = [byte for byte in range(256) if byte not in without]
    while len(made) < count:
        size = chance.choice([1, 2, 3, 5, 20, 250])
        often = [byte for byte in b"\\\\x4105aF\x01\x7f\xff" if byte not in without]
        made.add(bytes(chance.choice(often if chance.random() < 0.6 else alphabet)
                       for _ in range(size)))
    return sorted(made)


def sayable(key):
    """Whether memcached's text commands can name it."""
    return not (set(key) & set(b" \n")) and not key.endswith(b"\r")


class Keys(Case):
    def setUp(self):
        self.daemon = Memcache('memory = "32M";')
        self.addCleanup(self._end, self.daemon)
        self.wire = self.daemon.talk()
        self.addCleanup(self.wire.close)
        self.native = self.connect(self.daemon)

    def ask(self, *words, value=None):
        self.wire.send(b" ".join(words) + b"\r\n" + (b"" if value is None else value + b"\r\n"))
        return self.wire.file.readline().rstrip(b"\r\n")

    def set(self, key, value):
        """In the way in which it can be said."""
        if sayable(key):
            self.assertEqual(self.ask(b"set", key, b"0 0 %d" % len(value), value=value), b"STORED", key)
        else:
            self.assertEqual(self.ask(b"ms", base64.b64encode(key), b"%d b" % len(value),
                                      value=value), b"HD", key)

    def get(self, key):
        """By both ways, if there are two."""
        self.assertLessEqual(len(key), 187)  # in base64 the other ones are too long
        line = self.ask(b"mg", base64.b64encode(key), b"b v")
        by_bytes = self.wire.file.readline()[:-2] if line.startswith(b"VA ") else None
        if sayable(key):
            self.assertEqual(self.by_name(key), by_bytes, key)
        return by_bytes

    def by_name(self, key):
        line = self.ask(b"get", key)
        if line == b"END":
            return None
        size = int(line.rsplit(b" ", 1)[1])
        self.assertEqual(line, b"VALUE %s 0 %d" % (key, size))
        value = self.wire.file.read(size + 2)[:-2]
        self.assertEqual(self.wire.file.readline(), b"END\r\n")
        return value

    def asked(self, *words):
        return self.native.ask(b" ".join(words))

    def listed(self, reply):
        """What LIST shows, as bytes."""
        return reply.encode("utf-8", "surrogateescape").split(b" ")[1]

    # --- memcached's listeners ---

    @in_memory("it has few figures")
    def test_every_byte_that_memcached_takes(self):
        keys = [key for key in dict.fromkeys(SINGLE + ODD + random_keys(300)) if sayable(key)]
        for number, key in enumerate(keys):
            self.set(key, b"%d" % number)
        for number, key in enumerate(keys):
            self.assertEqual(self.by_name(key), b"%d" % number, key)
        found = {}
        self.wire.send(b"get " + b" ".join(keys) + b"\r\n")
        for number, key in enumerate(keys):
            self.assertEqual(self.wire.file.readline(), b"VALUE %s 0 %d\r\n" % (
                key, len(str(number))))
            found[key] = self.wire.file.readline()
        self.assertEqual(self.wire.file.readline(), b"END\r\n")
        for key in keys:
            if key != b"noreply":  # which is a word of the command there
                self.assertEqual(self.ask(b"delete", key), b"DELETED", key)
        self.assertEqual(self.wire.stats()["curr_items"], "1")

    def test_a_key_is_one_in_base64_and_as_it_is(self):
        for key in (key for key in SINGLE + ODD + random_keys(100) if len(key) <= 187):
            self.set(key, b"value")
            self.assertEqual(self.get(key), b"value")
            self.assertEqual(self.ask(b"md", base64.b64encode(key), b"b"), b"HD")
            self.assertIsNone(self.get(key))

    def test_a_key_that_looks_like_a_browsers_line(self):
        """A line that begins with a verb of the protocol is no browser's."""
        for key in (b"HTTP/1.0", b"HTTP/1.1"):
            self.set(key, b"5")
            self.assertEqual(self.by_name(key), b"5")
            self.assertEqual(self.ask(b"gets a", key).split(b" ")[:2], [b"VALUE", key])
            self.assertEqual([self.wire.line() for _ in range(2)], ["5", "END"])
            self.assertEqual(self.ask(b"mg", key), b"HD")
            self.assertEqual(self.ask(b"incr", key, b"1"), b"6")
            self.assertEqual(self.asked(b"GET cache", key), ("VALUE 1", b"6"))
            self.assertRegex(self.asked(b"TTL cache", key), "^TTL ")
            self.assertEqual(self.asked(b"DEL cache", key), "DELETED")
            self.assertEqual(self.asked(b"DEL cache", key), "NOT_FOUND")
            self.assertEqual(self.ask(b"delete", key), b"NOT_FOUND")
            self.assertEqual(self.ask(b"touch 5", key).split(b" ")[0], b"CLIENT_ERROR")

    # --- natively ---

    def keys(self):
        return [key for key in SINGLE + ODD + random_keys(300)
                if sayable(key) or len(key) <= 187]

    def test_listings_show_what_can_be_read_back(self):
        keys = self.keys()
        for number, key in enumerate(keys):
            self.set(key, b"%d" % number)
        shown = [self.listed(reply) for reply in self.native.ask_all("LIST cache")]
        self.assertEqual(sorted(shown), sorted(escaped(key) for key in set(keys)))
        values = {self.listed(line): value for line, value in self.native.ask_all("ALL cache")}
        last = {key: b"%d" % number for number, key in enumerate(keys)}
        self.assertEqual(values, {escaped(key): value for key, value in last.items()})
        for key, value in last.items():
            self.assertEqual(self.asked(b"GET cache", escaped(key)), (f"VALUE {len(value)}", value))
            self.assertEqual(self.asked(b"TOUCH cache", escaped(key), b"1h"), "TOUCHED")
            self.assertRegex(self.asked(b"TTL cache", escaped(key)), r"^TTL 3(600|599)\.")
            self.assertRegex(self.asked(b"INCR cache", escaped(key)), "^NUMBER ")
        many = self.asked(b"GET cache", *[escaped(key) for key in list(last)[:2]])
        self.assertEqual(many[0].split(" ")[0], "VALUE")
        self.native.reply()
        for key in last:
            self.assertEqual(self.asked(b"DEL cache", escaped(key)), "DELETED", key)
        self.assertEqual(self.native.ask_all("LIST cache"), [])

    def test_what_is_written_natively_is_there_for_memcacheds_clients(self):
        for key in (key for key in SINGLE + ODD + random_keys(100) if len(key) <= 187):
            self.assertEqual(self.native.put("cache", escaped(key), b"value"), "STORED", key)
            self.assertEqual(self.get(key), b"value", key)
            self.assertEqual(self.native.put("cache", escaped(key), b"other", verb="ADD"), "EXISTS")
            self.assertEqual(self.asked(b"DEL cache", escaped(key)), "DELETED")
            self.assertIsNone(self.get(key))

    def test_a_byte_may_be_escaped_that_need_not_be(self):
        self.set(b"A", b"1")
        self.set(b"\\x41", b"2")
        for written, value in ((b"A", b"1"), (b"\\x41", b"1"), (b"\\x5cx41", b"2"),
                               (b"\\x5Cx41", b"2"), (b"\\x5c\\x78\\x34\\x31", b"2")):
            self.assertEqual(unescaped(written), {b"1": b"A", b"2": b"\\x41"}[value])
            self.assertEqual(self.asked(b"GET cache", written), ("VALUE 1", value), written)
        self.assertEqual(sorted(self.native.ask_all("LIST cache")), ["KEY A", "KEY \\x5cx41"])

    def test_a_backslash_alone_is_one(self):
        for key in ("\\", "\\x", "\\x4", "\\xZZ", "\\n", "a\\b", "\\\\", "\\X41"):
            self.assertEqual(self.native.put("cache", key, b"v"), "STORED")
            self.assertEqual(self.native.ask_all("LIST cache"), [f"KEY {key}"])
            self.assertEqual(self.asked(b"DEL cache", key.encode()), "DELETED")

    def test_how_long_a_key_may_be(self):
        """As it is written; what memcached takes is short enough in any case."""
        for written in (b"\\x01" * 256, b"k" * 1024):
            self.assertEqual(self.native.put("cache", written, b"v"), "STORED")
            self.assertEqual(self.asked(b"GET cache", written), ("VALUE 1", b"v"))
        for written in (b"\\x01" * 257, b"k" * 1025):
            self.assertRegex(self.native.put("cache", written, b"v"), "^CLIENT_ERROR ")

    def test_blanks_and_control_bytes_are_refused_as_they_are(self):
        for key in (b"a\x01b", b"\x7f", b"a\tb"):
            self.assertRegex(self.asked(b"GET cache", key), "^CLIENT_ERROR ", key)
            self.assertRegex(self.asked(b"DEL cache a", key), "^(CLIENT_ERROR|NOT_FOUND)", key)
            self.native.close()
            self.native = self.connect(self.daemon)
