"""Random requests of memcached's protocol, well-formed and not, each with its quiet form.

A request is made loud, as it is answered, and quiet: a text command with noreply, a meta
command with q. What the quiet one must say follows from what the loud one said: nothing
behind noreply, and behind q everything but what the command's q hides (`Mixed.hides`).

`ends` marks a request behind which it cannot be known where the next one begins: there the
connection is closed, with or without an error. A line that lacks a word in front of noreply
ends in noreply all the same.
"""

import base64
import random
import re

KEYS = [b"a", b"b", b"c", b"n", b"m", b"l"]
# The namespaces of the tests' configuration, as a key's beginning names them.
PLACES = [b"", b"", b"tok:", b"tiny:", b"brief:", b"hidden:"]
ERRORS = (b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR")
HIDDEN = {b"mg": (b"EN",), b"ms": (b"HD",), b"md": (b"HD",), b"ma": (b"HD", b"VA")}
LARGE = b"v" * 70_000  # does not fit beside the others in the smallest quota
TOO_LARGE = b"v" * 300_001


class Mixed:
    """`words` is the loud line; `quiet` the word that is appended to make it quiet, or None."""

    def __init__(self, words, value=None, quiet=None, ends=False):
        self.words = [word for word in words if word != b""]
        self.value = value
        self.quiet = quiet
        self.ends = ends

    def text(self, quietly):
        words = self.words + ([self.quiet] if quietly and self.quiet else [])
        value = b"" if self.value is None else self.value + b"\r\n"
        return b" ".join(words) + b"\r\n" + value

    def hides(self, answer):
        """Whether the quiet form keeps to itself what the loud form was answered."""
        if self.quiet == b"q":
            return answer.split(b"\r\n")[0].split(b" ")[0] in HIDDEN.get(self.words[0], ())
        return self.quiet is not None

    def __repr__(self):
        value = "" if self.value is None else f" +{len(self.value)}"
        return repr(self.text(True).split(b"\r\n")[0][:200]) + value


class Mix:
    """`newest`: with what 1.6.18 has not. `alike`: only where memcached and kvcached are to
    say the same, for a comparison of the two."""

    def __init__(self, seed, alike=False, newest=True):
        self.chance = random.Random(seed)
        self.alike = alike
        self.newest = newest
        # 1.6.18 takes the value of a line that is wrong for more lines, and knows less.
        self.sturdy = newest or not alike

    def make(self, count):
        kinds = [self.storing] * 5 + [self.cas, self.get, self.get, self.gat, self.delete,
                                      self.number, self.touch, self.mg, self.mg, self.ms, self.ms,
                                      self.md, self.ma, self.odd, self.administrative, self.unknown]
        if not self.alike:
            kinds += [self.endless]
        return [self.chance.choice(kinds)() for _ in range(count)]

    # --- words ---

    def pick(self, *choices):
        return self.chance.choice(choices)

    def rarely(self, likely, *others, share=0.1):
        return self.chance.choice(others) if self.chance.random() < share else likely

    def place(self):
        return b"" if self.alike else self.chance.choice(PLACES)

    def key(self, counts=False, joins=False):
        """In a comparison, what is counted with is not appended to: memcached leaves blanks
        behind a number that became shorter."""
        keys = KEYS
        if self.alike and (counts or joins):
            keys = [key for key in KEYS if (key in (b"n", b"m")) == counts]
        key = self.place() + self.chance.choice(keys)
        long = b"k" * (251 if self.sturdy else 250)
        return self.rarely(key, long, b"\x01\xff", b"HTTP/1.1", b"k" * 250, share=0.06)

    def exptime(self):
        likely = self.pick(b"0", b"1000", b"-1", b"2592000")
        return self.rarely(likely, b"x", b"1x", b"99999999999", b"18446744073709551616",
                           b"2147483648") if self.sturdy else likely

    def flags(self):
        likely = self.pick(b"0", b"7", b"4294967295")
        return self.rarely(likely, b"x", b"-1", b"9" * 25) if self.sturdy else likely

    def value(self):
        return self.rarely(self.pick(b"", b"1", b"41", b"text", b"a b\r\nget a\r\nc", b"v" * 3000),
                           LARGE, TOO_LARGE, b"v" * 1_100_000, share=0.05)

    def size(self, value):
        return b"%d" % len(value)

    def noreply(self, *words, value=None, ends=False):
        """A text command, with noreply at times."""
        quiet = b"noreply" if self.chance.random() < 0.6 else None
        return Mixed(words, value, quiet, ends)

    def alike_noreply(self):
        return self.pick(b"noreplY", b"NOREPLY", b"norepl", b"noreply1", b"no", b"more words")

    # --- text ---

    def storing(self):
        value = self.value()
        verb = self.pick(b"set", b"set", b"add", b"replace", b"append", b"prepend")
        words = [verb, self.key(joins=verb in (b"append", b"prepend")), self.flags(), self.exptime(),
                 self.size(value)]
        return self.whole(words, value)

    def cas(self):
        value = self.value()
        unique = self.pick(b"1", b"0", b"18446744073709551615")
        if self.sturdy:
            unique = self.rarely(unique, b"x", b"-1", b"1x", b"18446744073709551616")
        words = [b"cas", self.key(), self.flags(), self.exptime(), self.size(value)]
        # Without it noreply stands in its place; both know how long the value is.
        if self.newest and self.chance.random() < 0.1:
            return self.noreply(*words, value=value)
        return self.whole([*words, unique], value)

    def whole(self, words, value):
        """At times with words behind it that only look like noreply, or are a number: then the
        key may have had a blank, and so has a line that is wrong in another way as well."""
        if not self.newest or self.chance.random() > 0.15:
            return self.noreply(*words, value=value)
        words[1:4] = self.place() + b"a", b"7", b"1000"
        words[5:] = [b"1"] * len(words[5:])
        if not self.alike and self.chance.random() < 0.3:
            wrong = self.pick([b"5"], [b"5", b"6"], [b"word", b"5"])
            return Mixed([*words, *wrong], value, None, ends=True)
        return Mixed([*words, self.alike_noreply()], value)

    def get(self):
        """noreply is a key like another here."""
        keys = [self.key() for _ in range(self.pick(1, 1, 2, 5))]
        if self.alike:  # the newest sends an empty line more behind the error
            keys = [key for key in keys if len(key) <= 250] or [b"a"]
        return Mixed([self.pick(b"get", b"gets"), *keys, self.rarely(b"", b"noreply")])

    def gat(self):
        keys = [self.key() for _ in range(self.pick(1, 2))]
        if self.alike:
            keys = [key for key in keys if len(key) <= 250] or [b"a"]
        return Mixed([self.pick(b"gat", b"gats"), self.exptime(), *keys,
                      self.rarely(b"", b"noreply")])

    def delete(self):
        if self.newest and self.chance.random() < 0.1:
            return Mixed([b"delete", self.key(), self.pick(b"noreplY", b"no")])
        return self.noreply(b"delete", self.key(), self.rarely(b"", b"0"))

    def number(self):
        delta = self.rarely(self.pick(b"1", b"5", b"18446744073709551615"), b"x", b"-1", b"1.5",
                            b"18446744073709551616", b"999999999999999999999999999")
        return self.noreply(self.pick(b"incr", b"decr"), self.key(counts=True), delta)

    def touch(self):
        return self.noreply(b"touch", self.key(), self.exptime())

    def odd(self):
        """Words are missing, or stand where none do."""
        if self.alike and not self.newest:
            return self.number()
        words = self.chance.choice([[b"delete"], [b"incr", b"a"], [b"decr", b"n"], [b"touch", b"a"],
                                    [b"incr", b"a", b"1", b"2"], [b"touch", b"a", b"0", b"0"],
                                    [b"delete", b"a", b"10"], [b"delete", b"a", b"b", b"c"],
                                    [b"incr", b"a", b"1", b"noreplY"], [b"touch", b"a", b"0", b"no"],
                                    [b"incr"], [b"touch"]])
        if self.alike and len(words) == 4 and words[0] == b"delete":
            words = words[:3]  # there all but one of several keys are passed over
        # There a missing word hides noreply, since it is counted as one; and as a key.
        return Mixed(words) if self.alike else self.noreply(*words)

    def administrative(self):
        words = self.chance.choice([[b"verbosity", b"1"], [b"verbosity", b"x"], [b"verbosity"],
                                    [b"flush_all", b"x"], [b"flush_all", b"99999999999"],
                                    [b"flush_all", b"-1"], [b"flush_all", b"0"], [b"flush_all"]])
        if self.alike and not self.newest:
            words = [b"flush_all", b"0"]
        if len(words) == 1 and self.alike:  # noreply is the missing word there
            return Mixed(words)
        return self.noreply(*words)

    def unknown(self):
        words = self.chance.choice([[b"foo"], [b"foo", b"bar"], [b"SET", b"a", b"0"], [b"Get", b"a"],
                                    [b"setx", b"a", b"0", b"0", b"1"], [b"mx", b"a"],
                                    [b"deletes", b"a"]])
        return self.noreply(*words) if self.newest or not self.alike else Mixed(words)

    def endless(self):
        """The extent of a value is not known."""
        words, value = self.chance.choice([
            ((b"set", b"a", b"0", b"0", b"x"), b"v"), ((b"set", b"a", b"0", b"0", b"-1"), b"v"),
            ((b"add", b"a", b"0", b"0", b"99999999999999999999"), b"v"), ((b"set", b"a"), None),
            ((b"cas", b"a", b"0", b"0", b"1x", b"1"), b"v"), ((b"append", b"a", b"0", b"0"), b"v"),
            ((b"set", b"a", b"0", b"0", b"3"), b"longer than 3")])
        return self.noreply(*words, value=value, ends=True)

    # --- meta ---

    def q(self, *words, value=None):
        return Mixed(words, value, b"q" if self.chance.random() < 0.6 else None)

    def meta_key(self, counts=False):
        """A key, and b where it is in base64."""
        if self.chance.random() < 0.1 and not counts:
            key = self.place() + self.pick(b"\0 \xff", b"a", b"x" * 200)
            key = self.rarely(base64.b64encode(key), b"Y!!!", b"=", b"YWJ")
            return [key, b"b"] if len(key) <= 250 or self.newest else [b"YQ==", b"b"]
        return [self.key(counts=counts)]

    def meta_flags(self, *flags):
        """Some of them, at times with one that is wrong. A sign that is no letter hides from the
        newest memcached that a value follows."""
        chosen = [flag for flag in flags if self.chance.random() < 0.25]
        letters = {flag[:1] for flag in chosen}
        chosen = [flag for flag in chosen if flag[:1] in letters and not letters.discard(flag[:1])]
        if self.chance.random() < 0.1:
            # memcached has done what there was to do by the time that it finds an O too long
            word = self.pick(b"Y", b"v v", b"Tx", b"Cx", b"MX",
                             *([] if self.alike else [b"O" + b"1" * 33]))
            chosen = [flag for flag in chosen if flag[:1] != word[:1]] + [word]
        self.chance.shuffle(chosen)
        return chosen

    def mg(self):
        return self.q(b"mg", *self.meta_key(), *self.meta_flags(
            b"v", b"k", b"f", b"s", b"t", b"O1", b"N1000", b"T1000", b"T0", b"N0", b"R10", b"c"))

    def ms(self):
        value = self.value()
        key, *coded = self.meta_key()
        flags = self.meta_flags(b"ME", b"MA", b"MR", b"MP", b"T0", b"T1000", b"C1", b"F5", b"k", b"O2",
                                b"c", b"I", *([b"N1000"] if self.sturdy else []))
        if self.alike and key in (b"n", b"m"):
            flags = [flag for flag in flags if flag not in (b"MA", b"MP")]
        # memcached takes an old record along whatever was to become of it.
        if self.alike and len(value) > 1_000_000:
            flags = [flag for flag in flags if flag[:1] != b"M"]
        return self.q(b"ms", key, self.size(value), *coded, *flags, value=value)

    def md(self):
        return self.q(b"md", *self.meta_key(), *self.meta_flags(b"k", b"O3", b"C1", b"I", b"T1000"))

    def ma(self):
        made = self.q(b"ma", *self.meta_key(counts=self.alike), *self.meta_flags(
            b"v", b"k", b"t", b"N1000", b"N0", b"J5", b"D3", b"MD", b"O4",
            *([] if self.alike else [b"C1"])))  # which memcached does not look at in what is empty
        if not self.sturdy:  # 1.6.18 does not know of q there
            made.quiet = None
        return made


# --- answers ---------------------------------------------------------------------

VALUE = re.compile(rb"^VALUE [^ ]+ \d+ (\d+)( \d+)?$")
VA = re.compile(rb"^VA (\d+)")


def read_reply(wire):
    """One reply: a line, a line and its value, or all up to the END of a get. None: closed."""
    try:
        return read_whole(wire)
    except ConnectionResetError:
        return None


def read_whole(wire):
    reply = b""
    while True:
        line = wire.file.readline()
        if not line.endswith(b"\n"):
            return None
        reply += line
        text = line.rstrip(b"\r\n")
        value, meta = VALUE.match(text), VA.match(text)
        if value or meta:
            reply += wire.file.read(int((value or meta).group(1)) + 2)
        if not value:
            return reply


def read_until(wire, marker):
    """The replies before the marker's; then None if the connection ended before that."""
    replies = []
    while True:
        reply = read_reply(wire)
        if reply == marker:
            return replies
        replies.append(reply)
        if reply is None:
            return replies


def kind(reply):
    """What a reply says, without what two servers may tell differently."""
    if reply is None:
        return b"closed"
    return b" ".join(line.split(b" ")[0] for line in reply.split(b"\r\n")[:1])
