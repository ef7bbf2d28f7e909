"""One client of the soak: a process that comes and goes, by doors that it picks by chance.

It works at its own keys until it is told to stop, killed, or finds something wrong. It leaves
in the middle of what it asked at times, on purpose; then, and when it begins where one was that
was killed, it waits until the daemon has done with that, looks at what became of it, and holds
that to be right if it is what some beginning of what was asked would have done.
"""

import functools
import random
import select
import time

import soak_memcache
import soak_native
from soak_model import LIMIT, NOTHING, Journal, Model, Wrong, clock, results, write
from soak_ops import Choice, Judge, mistake

PROTOCOLS = {"native": (soak_native, soak_native.Native),
             "memcache": (soak_memcache, soak_memcache.Memcache)}
REFUSED = ((b"x", LIMIT + 1),)  # a value that is too large always
# What a request may be told before it is whole, since it will not be done.
REFUSALS = (b"NS", b"NF", b"EX", b"NOT_", b"CLIENT_ERROR", b"SERVER_ERROR")
HEAVY = 6 << 20  # bytes that the values of a batch may have, about


def keys_of(number, spaces):
    """Those of one client: its name stands before each."""
    keys = []
    for space in spaces:
        own = space.name.startswith(("own", "wild"))
        keys += [(space.name, f"s{number}.k{i}") for i in range(24 if own else 6)]
        keys += [(space.name, f"s{number}.n{i}") for i in range(6 if own else 2)]
        keys += [(space.name, f"s{number}.L{i}") for i in range(2)] if own else []
    return keys


class Client:
    """`told` is how it speaks with whoever started it: stop (asked), operations, cuts (counted)."""

    def __init__(self, number, spaces, doors, porch, journal, seed, told, share):
        self.number = number
        self.doors = doors
        self.porch = porch
        self.told = told
        self.share = share  # of a processor that it may take
        self.chance = random.Random(seed)
        self.count = [seed % 10**9]
        self.model = Model(spaces, keys_of(number, spaces))
        self.journal = Journal(journal, self.model)
        self.began, self.used = time.monotonic(), time.process_time()

    def run(self):
        self.take_over()
        while not self.told.stop:
            self.visit(self.chance.choice(self.doors))

    def visit(self, door):
        """A connection, and some batches through it."""
        line, end = self.porch.enter(door, timeout=30.0)
        with line:
            self.journal.join(end)
            speaker = PROTOCOLS[door.protocol][1](Choice(self.chance, self.model, door, self.count))
            while not self.told.stop and self.chance.random() > 0.06:
                self.batch(line, self.make(speaker))
                self.rest()
            if not self.told.stop:
                self.leave(line, self.make(speaker), PROTOCOLS[door.protocol][0])
                self.told.cuts += 1
        self.take_over()

    def rest(self):
        """Takes no more than its share of the time."""
        late = (time.process_time() - self.used) / self.share - (time.monotonic() - self.began)
        if late > 0:
            time.sleep(min(late, 2.0))

    def make(self, speaker):
        most = self.chance.choice((1, 1, 2, 5, 10, 30, 200))
        ops, weight = [], 0
        for _ in range(self.chance.randrange(most) + 1):
            ops.append(speaker.one())
            large = sum(".L" in step.key[1] for step in ops[-1].steps if step.key[1])
            weight += len(ops[-1].data) + (ops[-1].weight + large) * 10000
            if weight > HEAVY:
                break
        return ops

    def ask(self, ops, more=()):
        sent = clock()
        self.journal.ask(sent, [step for op in ops for step in op.steps] + list(more))
        return Judge(self.model, sent, clock)

    def hear(self, line, ops, judge):
        for op in ops:
            try:
                op.read(line, judge)
            except EOFError as error:
                raise Wrong(f"closed where {op.data[:200]!r} was to be answered: {error}") from error
            self.told.operations += 1

    def batch(self, line, ops):
        judge = self.ask(ops)
        line.pump(b"".join(op.data for op in ops))
        if self.chance.random() < 0.02:
            time.sleep(0.05)  # answers that wait for their reader
        self.hear(line, ops, judge)
        if line.buffer:
            raise Wrong(f"more than was asked for: {bytes(line.buffer[:200])!r}"
                        f" after {ops[-1].data[:200]!r}")
        self.journal.know()

    # --- leaving ---

    def leave(self, line, ops, protocol):
        ways = [self.leave_in_the_middle, self.leave_answers, self.leave_politely,
                self.leave_confused, self.leave_half_open]
        self.chance.choice(ways)(line, ops, protocol)

    def go(self, line):
        if self.chance.random() < 0.5:
            line.reset()
        else:
            line.close()

    def cut(self, ops):
        """Bytes up to any place, the requests that are whole in them, and the steps of the next
        that are done nevertheless, perhaps: that one is refused at its first line."""
        data = b"".join(op.data for op in ops)
        data = data[:self.chance.randrange(len(data) + 1)]
        end = 0
        for i, op in enumerate(ops):
            end += len(op.data)
            if end > len(data):
                data = data[:end - op.tail - 1]
                return data, ops[:i], [step._replace(value=REFUSED) for step in op.steps
                                       if self.may_be_refused(step)]
        return data, ops, []

    def may_be_refused(self, step):
        return step.drops and any(answer == "refused" for answer, _ in write(
            step, NOTHING, self.model.spaces[step.key[0]], 0, 0))

    def leave_in_the_middle(self, line, ops, _):
        """A request that is not whole is not done."""
        data, whole, refused = self.cut(ops)
        self.ask(whole, refused)
        line.pump(data)
        self.go(line)

    def leave_answers(self, line, ops, _):
        """Reads some of the answers, and a part of the next."""
        judge = self.ask(ops)
        line.pump(b"".join(op.data for op in ops))
        heard = self.chance.randrange(len(ops))
        self.hear(line, ops[:heard], judge)
        if self.chance.random() < 0.5 and select.select([line.socket], [], [], 0.05)[0]:
            line.socket.recv(self.chance.randrange(1, 100))
        self.journal.know(step for op in ops[heard:] for step in op.steps)
        self.go(line)

    def leave_politely(self, line, ops, protocol):
        judge = self.ask(ops)
        line.pump(b"".join(op.data for op in ops) + protocol.FAREWELL.encode())
        self.hear(line, ops, judge)
        self.journal.know()
        self.expect_end(line, "after QUIT")

    def leave_confused(self, line, ops, protocol):
        """Something behind which nobody knows where the next request begins: what was before it
        is answered, and the connection closed."""
        confusion = mistake(self.chance.choice(protocol.CONFUSIONS), ("ERROR", "CLIENT_ERROR"))
        judge = self.ask(ops)
        line.pump(b"".join(op.data for op in ops) + confusion.data + b"PING\r\nmn\r\n")
        self.hear(line, [*ops, confusion], judge)
        self.journal.know()
        self.expect_end(line, f"after {confusion.data[:40]!r}")

    def leave_half_open(self, line, ops, _):
        """Sends no more, and reads all that comes."""
        data, whole, refused = self.cut(ops)
        judge = self.ask(whole, refused)
        line.pump(data)
        line.finish()
        self.hear(line, whole, judge)
        self.journal.know(refused)
        left = b"" if line.is_secure() else line.rest()
        if left and not left.startswith(REFUSALS):
            raise Wrong(f"after a half request, {data[-200:]!r}, came {left!r}")

    @staticmethod
    def expect_end(line, what):
        left = line.rest()
        if left:
            raise Wrong(f"{what} came {left[:200]!r}")

    # --- taking over ---

    def take_over(self):
        """Looks at what became of what was asked and not answered."""
        self.porch.wait_gone(self.journal.joined)
        done = clock()
        if not self.journal.asked:
            return
        steps = self.journal.asked
        keys = sorted({key for step in steps for key in
                       (self.model.of(step.key[0]) if step.kind == "flush" else [step.key])})
        door = self.chance.choice([door for door in self.doors if door.protocol == "native"])
        line, end = self.porch.enter(door, timeout=30.0)
        with line:
            sights = self.look(line, keys)
        found = self.explain(steps, keys, sights, done)
        for key in keys:
            self.model.keep(key, found[key], "nothing explains it")
        self.journal.know()
        self.porch.wait_gone(end)

    @staticmethod
    def look(line, keys):
        """What is there now: for each key the replies, and the moments around them."""
        sent = clock()
        line.pump(b"".join(soak_native.asks_sight(key) for key in keys))
        return {key: ((line.reply(), line.reply()), sent, clock()) for key in keys}

    def explain(self, steps, keys, sights, done):
        """The states that fit what was seen, by all beginnings of the steps that explain it."""
        states = {key: self.model.states[key] for key in keys}
        fits = {key: self.fitting(key, states[key], *sights[key]) for key in keys}
        found = {key: [] for key in keys}
        for step in [None, *steps]:
            if step is not None:
                for key in self.blindly(step, states, done):
                    fits[key] = self.fitting(key, states[key], *sights[key])
            if all(fits.values()):
                for key in keys:
                    found[key] += fits[key]
        if not all(found.values()):
            bad = [key for key in keys if not fits[key]] or keys
            said = "\n".join(f"{key}: {sights[key]!r:.300}, was {self.model.states[key]}, or"
                             f" {states[key]}" for key in bad[:5])
            raise Wrong(f"no beginning of {len(steps)} steps explains what was found:\n{said}\n"
                        f"steps: {[step for step in steps if step.key in bad[:5]]}")
        return found

    def blindly(self, step, states, done):
        """It was done, and nobody heard the answer. Gives the keys that it was about."""
        if step.kind == "flush":
            keys = [key for key in states if key[0] == step.key[0]]
            states.update((key, [NOTHING]) for key in keys)
            return keys
        space, sent = self.model.spaces[step.key[0]], self.journal.sent
        after = [state for before in states[step.key]
                 for _, state in results(step, before, space, sent, done)]
        states[step.key] = list(dict.fromkeys(after))
        return [step.key]

    def fitting(self, key, states, replies, sent, now):
        scratch = Model(self.model.spaces.values(), ())
        scratch.states[key] = states
        try:
            soak_native.sight(Told(replies), Judge(scratch, sent, lambda: now), key)
        except Wrong:
            return []
        return scratch.states[key]


class Told:
    """Replies that were read before."""

    def __init__(self, replies):
        self.replies = list(replies)

    def reply(self):
        return self.replies.pop(0)

    line = reply
