"""Random streams of memcached's commands, and answers made comparable.

A stream is a list of requests of which each is bytes and says how its answer
ends. Versions (cas) differ between servers and are only compared by meaning: a
request that needs one names a key, and gets what the server said last for it, or
what it said before that.

A stream for the newest memcached uses what that has and 1.6.18 has not; one for
1.6.18 leaves out where the two differ, since kvcached speaks as the newest does.
"""

import base64
import random
import re

KEYS = [f"key{i}" for i in range(12)] + ["n0", "n1", "n2"]
# Whose version is asked for after each write: only then does the next one have a higher one.
ASKED = ["key0", "key1"]
# Every byte but a blank and a line feed may be in a key; at a line's end, a carriage return is
# the line's.
RAW_KEYS = [bytes(byte for byte in range(1, 256) if byte not in b"\n ")[at:at + 40] + b"."
            for at in range(0, 253, 40)]
RAW_KEYS += [b"\\x41", b"a\rb", b"\xff\xfe", b"HTTP/1.1", b"HTTP/1.0", b"k" * 250]
RAW_KEYS_NOW = RAW_KEYS + [b"\0", b"a\0b"]  # which end the line in 1.6.18
FLAGS_MG = ["b", "c", "f", "h", "k", "s", "t", "v", "u"]
# What the newest takes and does nothing with, by command. Of M it looks at one byte.
IDLE = {"mg": ["D5", "F7", "I", "J3", "MA", "x"],
        "ms": ["D5", "J3", "R30", "f", "h", "l", "t", "u", "v", "x"],
        "md": ["D5", "J3", "MS", "N30", "R30", "c", "f", "h", "l", "s", "t", "u", "v"],
        "ma": ["F7", "I", "R30", "f", "h", "l", "s", "u", "x"]}


class Request:
    """`text` may hold {cas} and {old}, the key's version of now and of before."""

    def __init__(self, text, key=None, value=None, until=None):
        self.text = text.encode() if isinstance(text, str) else text
        self.key = key
        self.value = value  # bytes behind the line
        self.until = until  # the line that ends the answer; None: one line

    def __repr__(self):
        return f"{self.text!r}" + (f" +{len(self.value)}" if self.value is not None else "")


class Stream:
    def __init__(self, seed, newest=True):
        self.chance = random.Random(seed)
        self.newest = newest

    def make(self, count):
        return [self.one() for _ in range(count)]

    def one(self):
        kinds = [self.get, self.storing, self.storing, self.cas, self.delete, self.number,
                 self.touch, self.gat, self.mg, self.mg, self.ms, self.ms, self.md, self.ma,
                 self.bad, self.rest, self.raw]
        made = self.chance.choice(kinds)()
        words = made.text.split()
        if made.key is None and len(words) > 1 and words[1].decode("latin-1") in ASKED:
            made.key = words[1].decode()
        return made

    # --- words ---

    def key(self):
        return self.chance.choice(KEYS)

    # What is counted with is not appended to: the blanks that memcached leaves
    # behind a number that became shorter would end up in the middle.

    def counter(self):
        return self.chance.choice([key for key in KEYS if key.startswith("n")])

    def text_key(self):
        return self.chance.choice([key for key in KEYS if not key.startswith("n")])

    def value(self):
        chance = self.chance
        if chance.random() < 0.3:
            return b"%d" % chance.choice([0, 1, 7, 99, 2**64 - 1, chance.randrange(1000)])
        size = chance.choice([0, 1, 2, 30, 300, 3000]) if chance.random() < 0.97 else 90_000
        block = bytes(chance.choice(b"abc \r\n\0\xff") for _ in range(min(size, 98)))
        # white space around a number is no matter to memcached, wherever it ends
        return b"a" + block * (size // 98 + 1) + b"a" if size else b""

    def exptime(self):
        # far enough, or over at once: what happens near a second's end is no
        # server's promise
        return self.chance.choice([0, 0, 1000, 2592000, -1, -100])

    def flags(self):
        return self.chance.choice([0, 1, 65535, 4294967295])

    # --- text ---

    def get(self):
        count = self.chance.choice([1, 1, 1, 2, 5])
        word = self.chance.choice(["get", "gets"])
        blank = self.chance.choice([" ", " ", "  "])
        return Request(blank.join([word] + [self.key() for _ in range(count)]), until="END")

    def gat(self):
        word = self.chance.choice(["gat", "gats"])
        return Request(f"{word} {self.chance.choice([0, 1000, 5000])} {self.key()} {self.key()}",
                       until="END")

    def quiet(self):
        return self.chance.random() < 0.15

    def storing(self):
        value = self.value()
        word = self.chance.choice(["set", "set", "add", "replace", "append", "prepend"])
        key = self.text_key() if word in ("append", "prepend") else self.key()
        line = f"{word} {key} {self.flags()} {self.exptime()} {len(value)}"
        if self.quiet():
            return Request(f"{line} noreply", value=value, until="")
        return Request(line, value=value)

    def cas(self):
        value, key = self.value(), self.key()
        which = self.chance.choice(["{cas}", "{cas}", "{old}"])
        return Request(f"cas {key} {self.flags()} {self.exptime()} {len(value)} {which}", key, value)

    def delete(self):
        ending = self.chance.choice(["", "", " 0", " noreply", " 0 noreply"])
        return Request(f"delete {self.key()}{ending}", until="" if "noreply" in ending else None)

    def number(self):
        by = self.chance.choice([0, 1, 5, 1000, 2**64 - 1])
        return Request(f"{self.chance.choice(['incr', 'decr'])} {self.counter()} {by}")

    def touch(self):
        return Request(f"touch {self.key()} {self.exptime()}")

    def rest(self):
        return Request(self.chance.choice(["mn", "verbosity 1", "mn", "stats detail on", "flush_all"]
                                          if self.chance.random() < 0.1 else ["mn"]))

    def raw(self):
        """With a key of any bytes."""
        chance, value, keys = self.chance, self.value(), RAW_KEYS_NOW if self.newest else RAW_KEYS
        key = chance.choice(keys)
        number = chance.randrange(5)
        if number == 0:
            word = chance.choice([b"set", b"set", b"add", b"replace", b"append"])
            return Request(b"%s %s %d 0 %d" % (word, key, self.flags(), len(value)), value=value)
        if number == 1:
            return Request(b"get " + b" ".join([key] + chance.sample(keys, 3)), until="END")
        return Request([b"delete %s", b"touch %s 1000", b"mg %s v"][number - 2] % key)

    # --- meta ---

    def idle(self, command, words):
        """With flags that the newest takes, and that mean nothing here."""
        if self.newest and self.chance.random() < 0.3:
            chosen = self.chance.sample(IDLE[command], self.chance.randrange(1, 3))
            chosen += [word for word in ("P", "P/a/path", "L", "Lhere") if self.chance.random() < 0.2]
            words = words + [word for word in chosen if word[0] not in {word[0] for word in words}]
            words = list({word[0]: word for word in words}.values())
        return words

    def flag_words(self, flags, *more):
        chosen = self.chance.sample(flags, self.chance.randrange(min(len(flags), 5)))
        if self.chance.random() < 0.3:
            chosen.append("O%d" % self.chance.randrange(1000))
        chosen += [word for word in more if self.chance.random() < 0.3]
        self.chance.shuffle(chosen)
        # memcached's `t` tells the ttl of before where it stands before the T
        return sorted(chosen, key=lambda word: word[0] != "T")

    def meta_key(self, words):
        key = self.text_key() if "MA" in words or "MP" in words else self.key()
        return base64.b64encode(b"\x01 " + key.encode()).decode() if "b" in words else key

    def line(self, *words):
        return " ".join(str(word) for word in words if word != "")

    def version(self, words):
        """At times with a version, and then the key that it is of."""
        if self.chance.random() < 0.3 and "b" not in words:
            words.append(self.chance.choice(["C{cas}", "C{old}"]))
            return self.text_key()
        return None

    def own_version(self, words):
        """At times with one that the record is to have."""
        if self.newest and self.chance.random() < 0.1:
            words.append("E%d" % self.chance.getrandbits(40))

    def mg(self):
        words = self.flag_words(FLAGS_MG, "T1000", "R30", "R3000", "N2000", "q")
        if "R30" in words and "R3000" in words:
            words.remove("R30")
        if "N2000" in words and "T1000" in words:
            words.remove("T1000")  # memcached gives what it makes then neither of the two
        if "N2000" in words:  # and does not know its ttl before it has read the N
            words.remove("N2000")
            words.insert(0, "N2000")
        if "b" in words and "k" in words:
            words.remove("k")  # it forgets at times that a key came in base64
        if "T1000" in words:  # whether R looks at the old ttl or the new follows from their order
            words = [word for word in words if not word.startswith("R")]
        known = self.version(words) if self.newest else None
        key = known or self.meta_key(words)
        if key.startswith("n"):
            # `s` counts the blanks; what it knows of a number is forgotten when that grows
            words = [word for word in words if word[0] not in "sRh"]
        return self.asked("mg", key, self.idle("mg", words), known)

    def asked(self, command, key, words, known=None):
        """Of a quiet one that says nothing, what follows shows where the answer ends."""
        quiet = "q" in words
        return Request(self.line(command, key, *words) + ("\r\nmn" if quiet else ""), known,
                       until="MN" if quiet else None)

    def ms(self):
        value = self.value()
        modes = ["ME", "MA", "MP", "MR", "MS"]
        words = self.flag_words(["b", "k", "c"] + (["s"] if self.newest else []), "T1000", "F77",
                                "I", self.chance.choice(modes))
        key = self.version(words)
        if "I" in words and key is None:
            words.remove("I")
        if "I" in words and "C{old}" in words:
            key = self.chance.choice(ASKED)
        # an invalidating set must not change how it is stored
        if "I" in words:
            words = [word for word in words if not word.startswith("M")]
        self.own_version(words)
        words = self.idle("ms", words)
        return Request(self.line("ms", key or self.meta_key(words), len(value), *words), key, value)

    def md(self):
        words = self.flag_words(["b", "k"], "I", "q", *(["x"] if self.newest else []))
        key = self.version(words)
        if ("I" in words or "x" in words) and self.chance.random() < 0.5:
            words.append("T2000")
        if "x" in words and self.chance.random() < 0.3:
            words.append("F9")
        if "I" in words and "b" not in words:  # of a number, it is forgotten when that grows
            key = key or self.text_key()
        return self.asked("md", key or self.meta_key(words), self.idle("md", words), key)

    def ma(self):
        # no T: memcached loses it where the number does not fit its old place
        words = self.flag_words(["t", "c", "k", "v"], "N2000", "J13", "D7",
                                self.chance.choice(["MI", "MD", "M+", "M-"]))
        if "N2000" in words:  # as with mg
            words = ["N2000"] + [word for word in words if word != "N2000"]
        return Request(self.line("ma", self.counter(), *self.idle("ma", words)))

    # --- mistakes, in which both servers understand where the next request begins ---

    BAD = ["foo", "GET key1", "gat x key1", "incr key1 x", "incr key1 -1", "touch key1 x",
           "flush_all x", "verbosity x", "stats detail", "stats foo", "mg key1 v v", "mg key1 Tx",
           "mg key1 O" + "1" * 33, "mg Y!! b", "ma key1 Dx", "ma key1 Mx", "ma key1 Nx",
           "delete " + "k" * 251, "mg " + "k" * 251, "version foo", "mg key1 X"]
    # Where 1.6.18 says something else, or, as to a get, the newest sends an empty line too.
    BAD_OLD = ["get " + "k" * 251]
    BAD_NOW = ["", "get", "gets", "gat", "gats 0", "touch", "touch key1", "delete", "incr",
               "incr key1", "decr", "mg", "md", "ma", "me", "verbosity", "md key1 Cx", "mg key1 C",
               "mg key1 Fx", "md key1 X", "delete key1 5", "delete key1 foo",
               "verbosity 1 2"]

    def bad(self):
        return Request(self.chance.choice(self.BAD + (self.BAD_NOW if self.newest
                                                      else self.BAD_OLD)))


# --- answers ---------------------------------------------------------------------

VALUE = re.compile(rb"^VALUE [^ ]+ \d+ (\d+)( \d+)?$")
VA = re.compile(rb"^VA (\d+)")


def read_answer(wire, request):
    """The lines of an answer, values among them."""
    lines = []
    if request.until == "":
        return lines
    while True:
        line = wire.file.readline()
        if not line:
            return lines + [b"closed"]
        lines.append(line)
        text = line.rstrip(b"\r\n")
        found = VALUE.match(text) or VA.match(text)
        if found:
            lines.append(wire.file.read(int(found.group(1)) + 2))
        error = text.split(b" ")[0] in (b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR")
        if request.until is None or text == request.until.encode() or (
                error and request.until == "END"):
            return lines


class Versions:
    """The versions that one server told, by key."""

    def __init__(self):
        self.now = {}
        self.before = {}

    def learn(self, key, version):
        if self.now.get(key) != version:
            self.before[key] = self.now.get(key, "1")
            self.now[key] = version

    def forget(self, key):
        """There is none: the next one may be lower, and is only never the same."""
        self.now.pop(key, None)

    def fill(self, request):
        return request.text.replace(b"{cas}", self.now.get(request.key, "1").encode()).replace(
            b"{old}", self.before.get(request.key, "1").encode())


def comparable(lines):
    """Without what the two servers may differ in."""
    text = b"".join(lines)
    text = re.sub(rb"(?m)^(VALUE [^ ]+ \d+ \d+) \d+\r$", rb"\1 CAS\r", text)
    text = re.sub(rb"(?m)^((?:HD|VA|NS|EX|NF|EN)\b[^\r\n]*?) c\d+", rb"\1 cCAS", text)
    # time passes while the stream is talked through, in whole seconds there
    text = re.sub(rb"(?m)^((?:HD|VA)\b[^\r\n]*? t)(\d+)",
                  lambda found: found[1] + b"%d" % (-(-int(found[2]) // 100) * 100), text)
    text = re.sub(rb"VERSION [^\r]*", b"VERSION", text)
    return text
