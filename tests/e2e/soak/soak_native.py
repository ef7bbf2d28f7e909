"""Requests of the native protocol, by chance, and what their answers say."""

import fnmatch
import functools

from soak_model import Step, Wrong, content, length
from soak_ops import Op, mistake, plain

LONGEST_LINE = 60000
MISTAKES = (("foo", "ERROR"), ("GET a", "CLIENT_ERROR"), ("GET a\tb", "CLIENT_ERROR"),
            ("PUT a k x 3\r\nabc", "CLIENT_ERROR"), ("DEL", "CLIENT_ERROR"),
            ("INCR a k x", "CLIENT_ERROR"), ("PING x", "CLIENT_ERROR"), ("", "ERROR"),
            ("PUT a k tomorrow\r\nabc", "CLIENT_ERROR"), ("LIST a [", "CLIENT_ERROR"),
            ("GET a/b c", "CLIENT_ERROR"), ("GET a " + "k" * 1025, "CLIENT_ERROR"),
            ("\x01", "ERROR"), ("TOUCH a k -1", "CLIENT_ERROR"))
# After these the connection is closed.
CONFUSIONS = ("PUT a k 10 x", "PUT a k 5 3\r\nabcdef", " PUT a k\r\nx", "PUT\ta k\r\nx", "x" * 70000)
FAREWELL = "QUIT\r\n"


class Native:
    def __init__(self, choice):
        self.choice = choice
        self.chance = choice.chance
        self.kinds = [self.put] * 6 + [self.get] * 5 + [self.delete] * 2 + [
            self.ttl, self.ttl, self.touch, self.count, self.count, self.list, self.mistake]
        self.own = [ns for ns in choice.spaces if ns.startswith(("own", "wild"))]

    def one(self):
        draw = self.chance.random()
        if draw < 0.002:
            return self.flush()
        if draw < 0.01:
            return self.ping()
        return self.chance.choice(self.kinds)()

    def times(self, key):
        ttl = self.choice.seconds(key)
        if ttl == "default":
            return "-", ttl
        if ttl == "never":
            return self.chance.choice(("never", "0")), ttl
        if ttl >= 3600:
            return self.chance.choice((f"{ttl / 3600:g}h", f"{ttl:g}")), ttl
        return self.chance.choice((f"{ttl * 1000:.0f}ms", f"{ttl:.3f}")), ttl

    def put(self):
        key = self.choice.key()
        word, ttl = self.times(key)
        verb = self.chance.choice(("PUT", "PUT", "PUT", "ADD", "put"))
        as_line = self.chance.random() < 0.2
        value = self.choice.value(key, not as_line)
        step = Step("put", key, "add" if verb == "ADD" else "set", value, ttl)
        head = f"{verb} {key[0]} {key[1]}"
        if as_line and 0 < length(value) < LONGEST_LINE:
            head += f" {word}" if word != "-" or self.chance.random() < 0.5 else ""
        else:
            head += f" {word} {length(value)}"
        return Op(head.encode() + b"\r\n" + content(value) + b"\r\n", [step],
                  plain(step, {"STORED": "stored", "EXISTS": "exists"}))

    def get(self):
        keys = self.choice.some_keys()
        ns = keys[0][0]
        keys = [key for key in keys if key[0] == ns]
        return Op(f"GET {ns} {' '.join(name for _, name in keys)}\r\n", [],
                  functools.partial(self.got, keys), len(keys))

    @staticmethod
    def got(keys, line, judge):
        for key in keys:
            reply = line.reply()
            if isinstance(reply, tuple):
                judge.look(key, True)
                judge.model.see_value(key, reply[1])
            elif reply == "NOT_FOUND":
                judge.look(key, False)
            else:
                raise Wrong(f"GET {key} was answered with {reply}")

    def delete(self):
        keys = self.choice.some_keys()
        ns = keys[0][0]
        steps = [Step("delete", key) for key in keys if key[0] == ns]

        def read(line, judge):
            for step in steps:
                plain(step, {"DELETED": "deleted", "NOT_FOUND": "missing"})(line, judge)
        return Op(f"DEL {ns} {' '.join(step.key[1] for step in steps)}\r\n", steps, read)

    def ttl(self):
        key = self.choice.key()
        return Op(f"TTL {key[0]} {key[1]}\r\n", [], functools.partial(self.left, key))

    @staticmethod
    def left(key, line, judge):
        words = line.line().split(" ")
        if words[0] not in ("TTL", "NOT_FOUND"):
            raise Wrong(f"TTL {key} was answered with {words}")
        judge.look(key, words[0] == "TTL")
        if words[0] == "TTL":
            left = None if words[1] == "never" else float(words[1])
            judge.model.see_left(key, left, left, judge.sent, judge.now())

    def touch(self):
        key = self.choice.key()
        word, ttl = self.times(key)
        step = Step("touch", key, ttl=ttl)
        return Op(f"TOUCH {key[0]} {key[1]} {word}\r\n", [step],
                  plain(step, {"TOUCHED": "touched", "NOT_FOUND": "missing"}))

    def count(self):
        key, by = self.choice.counter(), self.choice.by()
        mode = self.chance.choice(("up", "up", "down"))
        step = Step("count", key, mode, by=by)
        words = f"{'INCR' if mode == 'up' else 'DECR'} {key[0]} {key[1]}"

        def read(line, judge):
            answer = line.line()
            if answer.startswith("NUMBER "):
                judge.step(step, int(answer.split(" ")[1]))
            elif answer == "NOT_FOUND":
                judge.step(step, "missing")
            elif answer.startswith("CLIENT_ERROR"):
                judge.step(step, "refused")
            else:
                raise Wrong(f"{words} was answered with {answer}")
        return Op(f"{words}\r\n" if by == 1 else f"{words} {by}\r\n", [step], read)

    def list(self):
        """A namespace of its own as a whole, of others what has its name before it."""
        ns = self.chance.choice(self.choice.spaces)
        name = self.choice.keys[0][1].split(".")[0]
        pattern = self.chance.choice(("*", "k*", "?1", "[kn][0-4]*", "none"))
        pattern = None if ns in self.own and pattern == "*" else f"{name}.{pattern}"
        among = {key for key in self.choice.model.of(ns)
                 if pattern is None or fnmatch.fnmatchcase(key[1], pattern)}
        verb = self.chance.choice(("LIST", "LIST", "ALL"))
        words = f"{verb} {ns}" + (f" {pattern}" if pattern else "")

        def read(line, judge):
            replies = line.until_end()
            found = {}
            for reply in replies:
                words_of = (reply[0] if verb == "ALL" else reply).split(" ")
                found[(ns, words_of[1])] = reply[1] if verb == "ALL" else None
            judge.model.listed([(ns, (reply[0] if verb == "ALL" else reply).split(" ")[1])
                                for reply in replies], among, judge.sent, judge.now(), words)
            for key, data in found.items():
                if data is not None:
                    judge.model.see_value(key, data)
        return Op(words + "\r\n", [], read, 20 if verb == "ALL" else 0)

    def flush(self):
        if not self.own:
            return self.ping()
        ns = self.chance.choice(self.own)
        step = Step("flush", (ns, None))

        def read(line, judge):
            answer = line.line().split(" ")
            keys, now = judge.model.of(ns), judge.now()
            least = sum(judge.model.must_live(key, now) for key in keys)
            if answer[0] != "FLUSHED" or not least <= int(answer[1]) <= len(keys):
                raise Wrong(f"FLUSH {ns} was answered with {answer}; {least} of {len(keys)} lived")
            judge.step(step)
        return Op(f"FLUSH {ns}\r\n", [step], read)

    def ping(self):
        word, wanted = self.chance.choice((("PING", "PONG"), ("VERSION", "VERSION kvcached")))
        return mistake(word, wanted)

    def mistake(self):
        return mistake(*self.chance.choice(MISTAKES))


def sight(line, judge, key):
    """What is there, by a GET and a TTL that were sent."""
    Native.got([key], line, judge)
    Native.left(key, line, judge)


def asks_sight(key):
    return f"GET {key[0]} {key[1]}\r\nTTL {key[0]} {key[1]}\r\n".encode()
