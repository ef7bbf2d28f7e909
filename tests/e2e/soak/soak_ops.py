"""What is asked: keys, values and times by chance, and the parts that both protocols share."""

import time

from soak_model import LIMIT, Step, Wrong, literal


class Op:
    """A request: its bytes, the steps that it takes, and how its answer is read and judged."""

    def __init__(self, data, steps, read, weight=0, tail=0):
        self.data = data if isinstance(data, bytes) else data.encode()
        self.steps = steps
        self.read = read  # (line, judge)
        self.weight = weight  # values that the answer may have
        self.tail = tail  # bytes behind what is done


class Judge:
    """Between asking and being answered: what was said is held against the model."""

    def __init__(self, model, sent, now):
        self.model = model
        self.sent = sent
        self.now = now  # asks the clock

    def step(self, step, *answers):
        self.model.apply(step, answers or None, self.sent, self.now())

    def refuse(self, step, answer):
        self.model.lately[step.key].append((answer,))
        self.step(step, "refused")

    def look(self, key, found):
        self.step(Step("look", key), "hit" if found else "missing")


def refused(text):
    return text.startswith(("CLIENT_ERROR", "SERVER_ERROR"))


def plain(step, words):
    """Reads one line, which is one of these words, or a refusal."""
    def read(line, judge):
        answer = line.line()
        if answer in words:
            judge.step(step, words[answer])
        elif refused(answer):
            judge.refuse(step, answer)
        else:
            raise Wrong(f"{step} was answered with {answer}")
    return read


def mistake(data, wanted):
    """A request that is refused, and changes nothing."""
    def read(line, judge):
        answer = line.line()
        if not answer.startswith(wanted):
            raise Wrong(f"{data[:100]!r} was answered with {answer}")
    return Op(data + "\r\n", [], read)


class Choice:
    """By chance, of what one client may use."""

    DAY = 86400

    def __init__(self, chance, model, door, count):
        self.chance = chance
        self.model = model
        self.door = door
        self.count = count  # tells every value from all others: a list of one number
        self.keys = [key for key in model.states if door.spell(key) is not None and
                     (door.protocol == "native" or model.spaces[key[0]].declared)]
        self.counters = [key for key in self.keys if ".n" in key[1]]
        self.spaces = sorted({key[0] for key in self.keys})

    def key(self):
        return self.chance.choice(self.keys)

    def some_keys(self):
        return self.chance.sample(self.keys, self.chance.choice((1, 1, 1, 2, 3, 8)))

    def counter(self):
        return self.chance.choice(self.counters if self.chance.random() < 0.9 else self.keys)

    def tag(self, key, binary):
        self.count[0] += 1
        tag = f"{key[0]}/{key[1]}#{self.count[0]}.".encode()
        return tag + self.chance.randbytes(self.chance.randrange(24)) if binary else tag

    def size(self, key):
        draw = self.chance.random()
        if ".L" in key[1] and draw < 0.15:
            return self.chance.choice((LIMIT, LIMIT + 1, self.chance.randrange(LIMIT // 2, LIMIT)))
        if ".L" in key[1] and draw < 0.5:
            return self.chance.randrange(1, LIMIT // 3)
        if draw < 0.9:
            return self.chance.randrange(300)
        return self.chance.randrange(20000)

    def value(self, key, binary=True):
        if ".n" in key[1] and self.chance.random() < 0.8:
            return literal(b"%d" % self.chance.choice((0, 1, 9, 99, 2**64 - 1,
                                                       self.chance.randrange(2**40))))
        if self.chance.random() < 0.04:
            return ()
        tag, size = self.tag(key, binary), self.size(key)
        return ((tag, max(size, len(tag))),)

    def by(self):
        return self.chance.choice((0, 1, 1, 5, 1000, 2**63))

    def seconds(self, key):
        """A time to live as a number of seconds, "never" or "default"."""
        draw = self.chance.random()
        if draw < 0.3:
            return self.chance.randrange(20, 3000) / 1000
        if draw < 0.65 or key[0] == "varied":  # there the default is now this and now that
            return self.chance.choice((3600.0, 7200.0, 86400.0 * 7))
        return "never" if draw < 0.8 else "default"

    def exptime(self, key):
        """The same, as memcached's clients write it, and what it means."""
        draw = self.chance.random()
        if draw < 0.2:
            whole = self.chance.randrange(1, 4)
            return whole, float(whole)
        if draw < 0.25:
            return -1, "gone"
        if draw < 0.35 and self.model.spaces[key[0]].max_ttl is None:
            date = int(time.time()) + self.chance.randrange(3, 3600)
            return date, ("at", date)
        if draw < 0.6 or key[0] == "varied":
            return 3600, 3600.0
        return 0, "default"
