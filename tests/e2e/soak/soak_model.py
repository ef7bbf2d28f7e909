"""What a client of the soak knows of its records, exactly; and a journal that outlives it.

A key has one writer. What was written, and between which two moments it ends, is known from
the moments at which a request was sent and its answer was there. Where nobody was told what
became of a request, a key is in one of a few states, and everything that is seen of it takes
some of these away. When none is left, the daemon was wrong.

Moments are seconds of the clock that the daemon itself looks at.
"""

import collections
import os
import pickle
import time

SLACK = 0.003  # the daemon counts whole milliseconds, and a date is on another clock
LEAST_LIMIT, LIMIT = 512 << 10, 1 << 20  # of values; max_value is one of the two
MOST = 2**64 - 1


class Wrong(Exception):
    """The daemon did what it must not do."""


def clock():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


# --- values -----------------------------------------------------------------------------
#
# A value is a tuple of pieces (tag, size), each of them the tag, again and again, up to that
# size: it can be a megabyte, and be written into a journal often.


def content(value):
    return b"".join((tag * (size // len(tag) + 1))[:size] for tag, size in value)


def length(value):
    return sum(size for _, size in value)


def literal(data):
    return ((data, len(data)),) if data else ()


def number(value):
    """None: it is none."""
    data = content(value) if length(value) <= 20 else b""
    return int(data) if data.isdigit() and int(data) <= MOST else None


# --- what may be ------------------------------------------------------------------------


class Space(collections.namedtuple("Space", "name ttl max_ttl require_ttl declared",
                                   defaults=(None, None, False, True))):
    """A namespace and its times to live, in seconds or None."""

    def ends(self, ttl, sent, now):
        """Between which two moments a record ends that was given this ttl: a number of seconds,
        ("at", date), "default" or "never". (None, None): it does not. None: it is refused."""
        if isinstance(ttl, tuple):
            # The daemon looks at one clock, and then at the other.
            before, wall, after = clock(), time.time(), clock()
            return ttl[1] - wall + before - (now - sent), ttl[1] - wall + after
        if ttl == "default":
            ttl = self.ttl if self.ttl is not None else "never"
        if ttl == "never":
            if self.require_ttl:
                return None
            ttl = self.max_ttl
        elif self.max_ttl is not None:
            ttl = min(ttl, self.max_ttl)
        return (None, None) if ttl is None else (sent + ttl, now + ttl)


class State(collections.namedtuple("State", "value first last flags version",
                                   defaults=(None, None, None, 0, None))):
    """A record, and between which moments it ends; no value: there is none. The version is
    None where nobody was told it since it was written."""

    def may_live(self, sent):
        return self.value is not None and (self.last is None or sent - SLACK <= self.last)

    def may_be_gone(self, now):
        return self.value is None or (self.first is not None and now + SLACK >= self.first)

    def written(self, value):
        return self._replace(value=value, version=None)

    def until(self, ends):
        return self._replace(first=ends[0], last=ends[1])

    def __repr__(self):
        if self.value is None:
            return "nothing"
        when = "for ever" if self.first is None else f"until {self.first:.4f}..{self.last:.4f}"
        return (f"{length(self.value)} bytes {content(self.value)[:32]!r} {when}"
                f" flags {self.flags} version {self.version}")


NOTHING = State()

class Step(collections.namedtuple("Step", "kind key mode value ttl flags cas by drops wraps makes",
                                  defaults=(None, None, None, 0, None, 1, False, False, None))):
    """One thing that is done to one key, or to a whole namespace (kind "flush", no name).

    kind   look, put, join, delete, touch, count, flush
    mode   put: set, add, replace, cas; join: append, prepend; count: up, down
    drops  a refused set takes the old record with it
    cas    the version that it must have, or None
    wraps  a sum beyond 64 bits begins at 0 again
    makes  count: what a record that is not there begins with, or None
    """

    def __repr__(self):
        given = (pair for pair in self._asdict().items()
                 if pair[1] != self._field_defaults.get(pair[0], ""))
        return " ".join(f"{name}={value!r:.80}" for name, value in given)


def results(step, state, space, sent, now):
    """What can come of it, as (answer, state afterwards)."""
    found = []
    if state.may_live(sent):
        found += LIVING[step.kind](step, state, space, sent, now)
    if state.may_be_gone(now):
        found += MISSING[step.kind](step, NOTHING, space, sent, now)
    return found


def ended(state, ends, now):
    """A state that has already ended is none."""
    if ends[1] is not None and ends[1] < now - 1:
        return NOTHING
    return state.until(ends)


def write(step, state, space, sent, now):
    refused = ("refused", NOTHING if step.drops and step.mode == "set" else state)
    ends = (-1, -1) if step.ttl == "gone" else space.ends(step.ttl, sent, now)
    size = length(step.value)
    if ends is None or size > LIMIT:
        return [refused]
    new = State(step.value, flags=step.flags)
    return [("stored", ended(new, ends, now))] + ([refused] if size > LEAST_LIMIT else [])


def otherwise(step, answer, state, space, sent, now):
    """A write that is not done, unless it would be refused before."""
    return [(answer, state)] + [found for found in write(step, state, space, sent, now)
                                if found[0] == "refused"]


def put_living(step, state, *more):
    if step.mode == "add" or (step.cas is not None and step.cas != state.version):
        return otherwise(step, "exists", state, *more)
    return write(step, state, *more)


def put_missing(step, state, *more):
    if step.mode in ("replace", "cas") or step.cas is not None:
        return otherwise(step, "missing", state, *more)
    return write(step, state, *more)


def join_living(step, state, *_):
    value = state.value + step.value if step.mode == "append" else step.value + state.value
    size = length(value)
    done, refused = [("stored", state.written(value))], [("refused", state)]
    return (done if size <= LIMIT else []) + (refused if size > LEAST_LIMIT else [])


def delete_living(step, state, *_):
    if step.cas is not None and step.cas != state.version:
        return [("exists", state)]
    return [("deleted", NOTHING)]


def touch_living(step, state, space, sent, now):
    if step.ttl == "gone":
        return [("touched", NOTHING)]
    ends = space.ends(step.ttl, sent, now)
    return [("refused", state)] if ends is None else [("touched", ended(state, ends, now))]


def touch_missing(step, state, space, sent, now):
    refused = step.ttl != "gone" and space.ends(step.ttl, sent, now) is None
    return [("missing", state)] + ([("refused", state)] if refused else [])


def count_living(step, state, *_):
    old = number(state.value)
    if old is None:
        return [("refused", state)]
    new = old + step.by if step.mode == "up" else max(old - step.by, 0)
    if new > MOST and not step.wraps:
        return [("refused", state)]
    new &= MOST
    return [(new, state.written(literal(b"%d" % new)))]


def count_missing(step, state, space, sent, now):
    if step.makes is None:
        return [("missing", state)]
    new = State(literal(b"%d" % step.makes))
    return [(step.makes, new.until(space.ends(step.ttl, sent, now)))]


LIVING = {"look": lambda step, state, *_: [("hit", state)], "put": put_living,
          "join": join_living, "delete": delete_living, "touch": touch_living,
          "count": count_living}
MISSING = {"look": lambda step, state, *_: [("missing", state)], "put": put_missing,
           "join": lambda step, state, *_: [("missing", state)],
           "delete": lambda step, state, *_: [("missing", state)], "touch": touch_missing,
           "count": count_missing}


# --- one client's records ---------------------------------------------------------------


class Model:
    """The states of one client's keys: (namespace, name) to a list of State, never empty."""

    def __init__(self, spaces, keys):
        self.spaces = {space.name: space for space in spaces}
        self.states = {key: [NOTHING] for key in keys}
        self.told = {}  # the versions that anybody was told of a key, the last ones of them
        self.touched = set()
        self.lately = collections.defaultdict(lambda: collections.deque(maxlen=16))

    def of(self, ns):
        return [key for key in self.states if key[0] == ns]

    def keep(self, key, states, *what):
        self.lately[key].append(what)
        if not states:
            lately = "\n".join(" ".join(map(str, what)) for what in self.lately[key])
            raise Wrong(f"{key[0]} {key[1]} cannot be so; known was {self.states[key]}, and lately:"
                        f"\n{lately}")
        self.states[key] = list(dict.fromkeys(states))
        self.touched.add(key)

    def apply(self, step, answers, sent, now):
        """It was done, and one of these was the answer; None: nobody heard."""
        if step.kind == "flush":
            for key in self.of(step.key[0]):
                self.keep(key, [NOTHING], "flushed", sent, now)
            return
        space = self.spaces[step.key[0]]
        after = [state for before in self.states[step.key]
                 for answer, state in results(step, before, space, sent, now)
                 if answers is None or answer in answers]
        self.keep(step.key, after, step, "was answered", answers, "in", sent, now)

    def see(self, key, fits, *what):
        """Something was seen that only these states have."""
        self.keep(key, [state for state in self.states[key] if fits(state)], *what)

    def see_value(self, key, data):
        size = len(data)
        self.see(key, lambda state: state.value is not None and length(state.value) == size and
                 content(state.value) == data, "found", size, "bytes", data[:48])

    def see_flags(self, key, flags):
        self.see(key, lambda state: state.flags == flags, "flags", flags)

    def see_version(self, key, version):
        """It stays while the record does, and is none that the key had before."""
        told = self.told.get(key, ())
        fits = [state._replace(version=version) for state in self.states[key]
                if state.version == version or (state.version is None and version not in told)]
        self.keep(key, fits, "version", version, "after", told)
        self.told[key] = (*(old for old in told[-20:] if old != version), version)

    def see_left(self, key, least, most, sent, now):
        """So many seconds are left, or None: it does not end."""
        fits = []
        for state in self.states[key]:
            if least is None or state.first is None:
                if state.first is None and least is None:
                    fits.append(state)
                continue
            first, last = max(state.first, sent + least), min(state.last, now + most)
            if first <= last + 2 * SLACK:
                fits.append(state.until((min(first, last), max(first, last))))
        self.keep(key, fits, least, "to", most, "s left in", sent, now)

    def may_live(self, key, sent):
        return any(state.may_live(sent) for state in self.states[key])

    def must_live(self, key, now):
        return not any(state.may_be_gone(now) for state in self.states[key])

    def listed(self, keys, among, sent, now, what):
        """All of `among` that lived were listed, twice at most where the daemon moved them
        meanwhile, and nothing else."""
        for key in keys:
            if key not in among:
                raise Wrong(f"{what}: {key} does not belong there")
            self.apply(Step("look", key), ("hit",), sent, now)
        if any(times > 2 for times in collections.Counter(keys).values()):
            raise Wrong(f"{what}: a key came more than twice: {keys}")
        for key in among.difference(keys):
            self.apply(Step("look", key), ("missing",), sent, now)


# --- where it survives ------------------------------------------------------------------


class Journal:
    """A file that is written before and after what a client does, so that whoever comes after it
    knows what it knew. What was being written when it was killed was not done yet."""

    MOST = 256 << 10

    def __init__(self, path, model):
        self.path = path
        self.model = model
        self.joined = None  # the daemon's end of the connection
        self.sent = None
        self.asked = []  # steps, in order, of which nobody knows how many were done
        self.file = None
        self.read()

    def read(self):
        if not os.path.exists(self.path):
            return
        with open(self.path, "rb") as file:
            while True:
                try:
                    self.take(*pickle.load(file))
                except (EOFError, pickle.UnpicklingError):
                    return

    def take(self, word, what):
        if word == "joined":
            self.joined = what
        elif word == "asked":
            self.sent, self.asked = what
        else:
            states, told, self.asked = what
            self.model.states.update(states)
            self.model.told.update(told)

    def write(self, word, what):
        if self.file is None or self.file.tell() > self.MOST:
            self.begin_anew()
        self.file.write(pickle.dumps((word, what)))
        self.file.flush()

    def begin_anew(self):
        if self.file is not None:
            self.file.close()
        self.file = open(self.path + ".new", "wb")
        for what in (("joined", self.joined), ("asked", (self.sent, self.asked)),
                     ("known", (self.model.states, self.model.told, self.asked))):
            self.file.write(pickle.dumps(what))
        self.file.flush()
        os.rename(self.path + ".new", self.path)

    def join(self, joined):
        self.joined = joined
        self.write("joined", joined)

    def ask(self, sent, steps):
        self.sent, self.asked = sent, steps
        self.write("asked", (sent, steps))

    def know(self, asked=()):
        """What the model says now; these steps are still open."""
        self.asked = list(asked)
        touched, self.model.touched = self.model.touched, set()
        states = {key: self.model.states[key] for key in touched}
        told = {key: self.model.told[key] for key in touched if key in self.model.told}
        self.write("known", (states, told, self.asked))
