"""Requests of memcached's protocol, text and meta, by chance, and what their answers say."""

import base64
import functools
import math

from soak_model import Step, Wrong, content, length
from soak_ops import Op, mistake, plain, refused

MISTAKES = (("foo", "ERROR"), ("get", "CLIENT_ERROR"), ("mg", "CLIENT_ERROR"), ("delete", "CLIENT_ERROR"),
            ("incr zz x", "CLIENT_ERROR"), ("get " + "k" * 251, "CLIENT_ERROR"), ("touch zz", "CLIENT_ERROR"),
            ("", "CLIENT_ERROR"), ("mg k Tx", "CLIENT_ERROR"), ("me", "CLIENT_ERROR"),
            ("ma k Mx", "CLIENT_ERROR"), ("flush_all x", "CLIENT_ERROR"))
CONFUSIONS = ("set zz", "set zz 0 0 3\r\nabcdef", "x" * 70000)
FAREWELL = "quit\r\n"
STORED = {"STORED": "stored", "EXISTS": "exists", "NOT_STORED": "missing", "NOT_FOUND": "missing"}
META = {"HD": "stored", "EX": "exists", "NS": "missing", "NF": "missing"}


class Memcache:
    def __init__(self, choice):
        self.choice = choice
        self.chance = choice.chance
        self.spell = choice.door.spell
        self.kinds = [self.put] * 4 + [self.get] * 3 + [self.mg, self.ms] * 2 + [
            self.join, self.gat, self.delete, self.count, self.touch, self.md, self.ma, self.me,
            self.mistake]

    def one(self):
        draw = self.chance.random()
        if draw < 0.002:
            return self.flush()
        if draw < 0.01:
            return mistake(*self.chance.choice((("version", "VERSION"), ("verbosity 1", "OK"),
                                                ("mn", "MN"))))
        return self.chance.choice(self.kinds)()

    def mistake(self):
        return mistake(*self.chance.choice(MISTAKES))

    def version(self, key):
        """The one that it has, as far as known, or an old one."""
        told = self.choice.model.told.get(key, (2**63,))
        return told[-1] if self.chance.random() < 0.8 else self.chance.choice(told)

    def finish(self, head, value, step, words):
        """Of a text command that says noreply at times: then nobody hears what became of it."""
        large = ".L" in step.key[1]  # what is refused is told all the same
        space = self.choice.model.spaces[step.key[0]]
        quiet = self.chance.random() < 0.1 and not large and not space.require_ttl
        data = (head + (" noreply" if quiet else "")).encode() + b"\r\n"
        if value is not None:
            data += content(value) + b"\r\n"
        if quiet:
            return Op(data + b"mn\r\n", [step], functools.partial(self.unheard, step), 1, 4)
        return Op(data, [step], plain(step, words))

    def unheard(self, step, line, judge):
        """By the answer to what follows it is done, and not before."""
        if line.line() != "MN":
            raise Wrong(f"something was said to {step}, which was to be quiet")
        judge.step(step)

    def put(self):
        key = self.choice.key()
        exptime, ttl = self.choice.exptime(key)
        value, flags = self.choice.value(key), self.chance.choice((0, 1, 77, 2**32 - 1))
        mode = self.chance.choice(("set", "set", "set", "add", "replace", "cas"))
        version = self.version(key) if mode == "cas" else None
        step = Step("put", key, mode, value, ttl, flags, version, drops=True)
        head = f"{mode} {self.spell(key)} {flags} {exptime} {length(value)}"
        words = dict(STORED, NOT_STORED="exists") if mode == "add" else STORED
        return self.finish(head if version is None else f"{head} {version}", value, step, words)

    def joined(self):
        """What is put before or behind a record; a key's records do not grow without end."""
        key = self.choice.key()
        mode = self.chance.choice(("append", "prepend"))
        value = ((self.choice.tag(key, True), 40),) if self.chance.random() < 0.8 else ()
        return key, Step("join", key, mode, value)

    def join(self):
        key, step = self.joined()
        head = f"{step.mode} {self.spell(key)} 5 3600 {length(step.value)}"
        return self.finish(head, step.value, step, STORED)

    def delete(self):
        key = self.choice.key()
        return self.finish(f"delete {self.spell(key)}", None, Step("delete", key),
                           {"DELETED": "deleted", "NOT_FOUND": "missing"})

    def touch(self):
        key = self.choice.key()
        exptime, ttl = self.choice.exptime(key)
        return self.finish(f"touch {self.spell(key)} {exptime}", None, Step("touch", key, ttl=ttl),
                           {"TOUCHED": "touched", "NOT_FOUND": "missing"})

    def count(self):
        key, by = self.choice.counter(), self.choice.by()
        mode = self.chance.choice(("up", "up", "down"))
        step = Step("count", key, mode, by=by, wraps=True)
        words = f"{'incr' if mode == 'up' else 'decr'} {self.spell(key)} {by}"

        def read(line, judge):
            answer = line.line()
            if not answer.isdigit() and answer != "NOT_FOUND" and not refused(answer):
                raise Wrong(f"{words} was answered with {answer}")
            judge.step(step, int(answer) if answer.isdigit() else
                       "missing" if answer == "NOT_FOUND" else "refused")
        return Op(words + "\r\n", [step], read)

    def get(self):
        keys, verb = self.choice.some_keys(), self.chance.choice(("get", "get", "gets"))
        return Op(f"{verb} {' '.join(map(self.spell, keys))}\r\n", [],
                  functools.partial(self.values, keys, verb, None), len(keys))

    def gat(self):
        keys, verb = self.choice.some_keys(), self.chance.choice(("gat", "gats"))
        keys = [key for key in keys if not self.choice.model.spaces[key[0]].require_ttl]
        if not keys:
            return self.get()
        exptime = self.chance.choice((1, 2, 3600))
        steps = {key: Step("touch", key, ttl=float(exptime)) for key in keys}
        return Op(f"{verb} {exptime} {' '.join(map(self.spell, keys))}\r\n", list(steps.values()),
                  functools.partial(self.values, keys, verb, steps), len(keys))

    def values(self, keys, verb, steps, line, judge):
        """VALUE for each that is there, in order, and END."""
        found = {}
        for _ in range(len(keys) + 1):
            answer = line.line()
            if answer == "END":
                break
            words = answer.split(" ")
            if words[0] != "VALUE" or words[1] in found:
                raise Wrong(f"{verb} {keys} was answered with {answer}")
            found[words[1]] = words, line.value(int(words[3]))
        else:
            raise Wrong(f"{verb} {keys}: more values than keys")
        spelled = [self.spell(key) for key in keys]
        if list(found) != [name for name in spelled if name in found]:
            raise Wrong(f"{verb} {keys} was answered with {list(found)}")
        for key in keys:
            words, data = found.get(self.spell(key), (None, None))
            judge.look(key, words is not None)
            if words is not None:
                judge.model.see_value(key, data)
                judge.model.see_flags(key, int(words[2]))
                if verb in ("gets", "gats"):
                    judge.model.see_version(key, int(words[4]))
            if steps is not None:
                judge.step(steps[key], "missing" if words is None else "touched")

    def flush(self):
        door = self.choice.door
        if door.prefix or not door.namespace.startswith("own"):
            return mistake("mn", "MN")
        step = Step("flush", (door.namespace, None))

        def read(line, judge):
            if line.line() != "OK":
                raise Wrong("flush_all was refused")
            judge.step(step)
        return Op(f"flush_all{self.chance.choice(('', ' 0'))}\r\n", [step], read)

    # --- meta ---

    def meta(self, verb, key, words, step, value=None, answers=META):
        """A command whose answer is a word and flags, or with q perhaps none."""
        name, quiet = self.spell(key), self.chance.random() < 0.15
        if self.chance.random() < 0.2:
            name, words = base64.b64encode(name.encode()).decode(), ["b", *words]
        opaque = f"O{self.chance.randrange(1000)}" if self.chance.random() < 0.3 else None
        words = words + ([opaque] if opaque else []) + (["q"] if quiet else [])
        self.chance.shuffle(words)
        head = [verb, name] + ([] if value is None else [str(length(value))]) + words
        data = " ".join(head).encode() + b"\r\n" + (b"" if value is None else content(value) + b"\r\n")

        def read(line, judge):
            answer = line.line()
            if quiet and answer == "MN":
                judge.step(step, *self.silent(verb))
                return
            parts = answer.split(" ")
            if refused(answer):
                judge.refuse(step, answer)
            elif parts[0] in ("HD", "VA", *answers):
                self.meta_answer(step, parts, words, answers, line, judge)
                if opaque and opaque not in parts:
                    raise Wrong(f"{' '.join(head)} was answered with {answer}")
            else:
                raise Wrong(f"{' '.join(head)} was answered with {answer}")
            if quiet and line.line() != "MN":
                raise Wrong(f"{' '.join(head)} had two answers")
        steps, end = [step] if step.kind != "look" else [], b"mn\r\n" if quiet else b""
        return Op(data + end, steps, read, 1, len(end))

    @staticmethod
    def silent(verb):
        return {"mg": ["missing"], "ms": ["stored"], "md": ["deleted", "missing"]}[verb]

    @staticmethod
    def meta_answer(step, parts, words, answers, line, judge):
        flags = {part[0]: part[1:] for part in parts[2 if parts[0] == "VA" else 1:]}
        key = step.key
        data = line.value(int(parts[1])) if parts[0] == "VA" else None
        if step.kind == "count" and parts[0] in ("HD", "VA"):
            if data is None or not data.isdigit():
                raise Wrong(f"{step} was answered with {parts} {data!r}")
            judge.step(step, int(data))
        elif step.kind == "touch" and parts[0] in ("HD", "VA"):
            judge.look(key, True)  # mg with T: what was there, and then its new time
        else:
            judge.step(step, answers[parts[0]])
        model = judge.model
        if parts[0] not in ("HD", "VA"):
            return
        if data is not None:
            model.see_value(key, data)
        if "f" in flags:
            model.see_flags(key, int(flags["f"]))
        if "s" in flags and "s" in words:
            model.see(key, lambda state: state.value is not None and
                      length(state.value) == int(flags["s"]), "size", flags["s"])
        if "c" in flags:
            model.see_version(key, int(flags["c"]))
        if step.kind == "touch":
            judge.step(step, "touched")
        if "t" in flags:
            left = None if flags["t"] == "-1" else int(flags["t"])
            model.see_left(key, None if left is None else left - 1, left, judge.sent, judge.now())

    def mg(self):
        key = self.choice.key()
        words = self.chance.sample(("v", "f", "s", "c", "k"), self.chance.randrange(5))
        if self.chance.random() < 0.2 and not self.choice.model.spaces[key[0]].require_ttl:
            whole = self.chance.choice((1, 2, 3600))
            return self.meta("mg", key, [*words, f"T{whole}"], Step("touch", key, ttl=float(whole)),
                             answers={"EN": "missing"})
        if self.chance.random() < 0.4:
            words.append("t")
        return self.meta("mg", key, words, Step("look", key),
                         answers={"EN": "missing", "HD": "hit", "VA": "hit"})

    def ms(self):
        words = ["c"] if self.chance.random() < 0.3 else []
        if self.chance.random() < 0.2:
            key, step = self.joined()
            return self.meta("ms", key, [*words, "MA" if step.mode == "append" else "MP"], step,
                             step.value)
        key = self.choice.key()
        exptime, ttl = self.choice.exptime(key)
        value, flags = self.choice.value(key), self.chance.choice((0, 5, 2**32 - 1))
        words += [f"T{exptime}"] if exptime else []
        words += [f"F{flags}"] if flags else []
        if self.chance.random() < 0.2:
            version = self.version(key)
            step = Step("put", key, "set", value, ttl, flags, version, drops=True)
            return self.meta("ms", key, [*words, f"C{version}"], step, value)
        mode, word = self.chance.choice((("set", "MS"), ("add", "ME"), ("replace", "MR")))
        answers = dict(META, NS="exists" if mode == "add" else "missing")
        step = Step("put", key, mode, value, ttl, flags, drops=True)
        return self.meta("ms", key, [*words, word], step, value, answers)

    def md(self):
        key = self.choice.key()
        version = self.version(key) if self.chance.random() < 0.4 else None
        return self.meta("md", key, [] if version is None else [f"C{version}"],
                         Step("delete", key, cas=version), answers=dict(META, HD="deleted"))

    def ma(self):
        """Always with v: the number is how one knows what came of it."""
        key, by = self.choice.counter(), self.choice.by()
        mode, word = self.chance.choice((("up", "MI"), ("down", "MD"), ("down", "M-"), ("up", "M+")))
        words = ["v", word, f"D{by}"] + self.chance.sample(("t", "c", "k"), self.chance.randrange(3))
        begins = self.chance.randrange(1000) if self.chance.random() < 0.4 else None
        if begins is not None:
            words += ["N3600", f"J{begins}"]
        step = Step("count", key, mode, ttl=3600.0, by=by, wraps=True, makes=begins)
        op = self.meta("ma", key, words, step)
        return op if not op.data.endswith(b"mn\r\n") else self.count()

    def me(self):
        key = self.choice.key()

        def read(line, judge):
            answer = line.line()
            if answer != "EN" and not answer.startswith("ME "):
                raise Wrong(f"me {key} was answered with {answer}")
            judge.look(key, answer != "EN")
        return Op(f"me {self.spell(key)}\r\n", [], read)
