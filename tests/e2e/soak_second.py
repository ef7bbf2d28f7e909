"""The second daemon and its actors, as the soak sees them: started, looked at, stopped, judged."""

import signal
import subprocess
import time

from harness import wait_for
from soak_actor import Place
from soak_crowds import Garbage, HangUps
from soak_good import Filler, Good
from soak_holders import Listings, Pins, Uploads
from soak_model import Wrong
from soak_pressed import GROWTH, MIB, Pressed
from soak_secrets import Secrets

ACTORS = (Secrets, HangUps, Garbage, Filler, Good, Pins, Uploads, Listings)
SAMPLE = 1.0  # seconds from one look at its memory to the next
WARM = 0.25  # of the time, and at most a minute, is warming up
ENOUGH = 15.0  # seconds, times the load: in so long a run all that HAPPENED names has to have
# happened, by figures of the daemon.
HAPPENED = ("evictions", "closed_replaced", "auth_errors", "uploads_ended", "closed_unread",
            "log_lines_lost", "closed_confused", "closed_by_peer")


class Second:
    """`told.board`: the numbers that all processes see."""

    def __init__(self, told, options):
        self.told = told
        self.options = options
        self.daemon = Pressed()
        self.places = []
        self.samples = []
        self.sample_at = 0.0

    def begin(self):
        load, seed = self.options.load, self.options.seed
        self.daemon.begin(self.told, load, seed)
        self.control = self.daemon.control()
        self.descriptors = self.daemon.descriptors()
        self.began = time.monotonic()
        for number, actor in enumerate(ACTORS):
            self.places.append(Place(actor, self.daemon, self.told, load, seed * 100 + number))

    def look(self):
        if not self.daemon.running():
            raise Wrong(f"the second daemon ended with {self.daemon.process.returncode}")
        for place in [*self.places, self.daemon.log_reader]:
            place.look(stopping=False)
        if time.monotonic() > self.sample_at:
            self.sample_at = time.monotonic() + SAMPLE
            used = int(self.stats()["memory_used"])
            self.samples.append((time.monotonic() - self.began, self.daemon.resident() - used))

    def stats(self):
        try:
            return self.control.stats()
        except (EOFError, OSError) as error:
            raise Wrong(f"the second daemon does not answer STATS: {error!r}") from error

    def figures(self):
        stats = self.stats()
        told = ", ".join(f"{name} {stats[name]}" for name in
                         ("evictions", "closed_replaced", "log_lines_lost"))
        return f"the second: {told}, {self.daemon.resident() / MIB:.1f} MiB resident"

    def calm(self, say):
        """All have been told to stop."""
        wait_for(self.are_gone, 60, "actors to stop")
        wait_for(lambda: self.control.stat("curr_connections") == 1, 15,
                 "the second daemon's connections to be gone")
        wait_for(lambda: self.daemon.descriptors() == self.descriptors, 10,
                 f"{self.descriptors} descriptors of the second daemon, as at the beginning")
        stats = self.control.stats()
        self.control.close()
        self.daemon.stop(timeout=20)
        wait_for(lambda: not self.daemon.log_reader.look(stopping=True), 20, "the log to end")
        for place in [*self.places, self.daemon.log_reader]:
            say(f"{place.name}: {place.figures().told()}")
        say("the second daemon: " + ", ".join(f"{name} {stats[name]}" for name in HAPPENED)
            + f"; memory grew by {self.growth() / MIB:.1f} MiB of at most {GROWTH / MIB:.0f}")
        self.judge(stats)

    def are_gone(self):
        return not any([place.look(stopping=True) for place in self.places])

    def judge(self, stats):
        if self.growth() > GROWTH:
            raise Wrong(f"beside records, memory of the second daemon grew by {self.growth()} bytes,"
                        f" more than {GROWTH}")
        lost = self.daemon.log_reader.figures().counts["lost lines told"]
        if lost < int(stats["log_lines_lost"]):
            raise Wrong(f"{stats['log_lines_lost']} lines of the log were lost, and it tells of"
                        f" {lost}")
        idle = [name for name in HAPPENED if int(stats[name]) == 0]
        if idle and self.options.seconds * self.options.load >= ENOUGH:
            raise Wrong(f"too little happened to tell anything: none of {', '.join(idle)}")

    def growth(self):
        """From the third after the warm-up to the last one, what lies low in each: a secret that
        is checked takes 16 MiB, for as long as that lasts."""
        after = min(WARM * self.options.seconds, 60)
        samples = [size for at, size in self.samples if at >= after]
        third = max(len(samples) // 3, 1)
        if not samples:
            return 0
        first, last = sorted(samples[:third]), sorted(samples[-third:])
        return last[third // 10] - first[third // 10]

    def finish_log(self):
        """After something went wrong: so that the log has what was said last."""
        self.told.board.put(0, 1)
        try:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait_exit(10)
            wait_for(lambda: not self.daemon.log_reader.look(stopping=True), 10, "the log to end")
        except (AssertionError, OSError, subprocess.TimeoutExpired, AttributeError, Wrong):
            pass

    def end(self):
        for place in [*self.places, self.daemon.log_reader]:
            if place:
                place.kill()

    def clean(self):
        self.daemon.clean()
