"""What reads the second daemon's log: a pipe. For stretches it does not, and lines are lost."""

import json
import os
import re
import select
import time

from harness import SANITIZER_WORDS, wait_for
from soak_actor import Actor, login
from soak_model import Wrong

KEPT = 8 << 20  # bytes of the log that are kept, and as many of what was before
STALL_LEAST, STALL_MOST = 8.0, 60.0  # seconds
READ_MOST = 12.0  # seconds between two stalls


class LogReader(Actor):
    """It reads until the log ends, which is after all other actors."""

    LOST = re.compile(rb"warning: log: (\d+) lines lost")

    def run(self):
        self.end_of_log = self.daemon.log_end
        os.set_blocking(self.end_of_log, False)
        self.lost = 0
        self.tail = b""
        self.control = None
        self.file = open(self.daemon.log_path, "ab", buffering=0)
        while not os.path.exists(self.daemon.path("addresses")):
            self.read_for(0.05)
        with open(self.daemon.path("addresses"), encoding="utf-8") as file:
            self.daemon.told_addresses = [tuple(address) for address in json.load(file)]
        while not self.told.stop:
            self.read_for(self.chance.uniform(2, READ_MOST))
            if not self.told.stop:
                self.stall()
        if self.control:
            self.control.close()
        while self.read_for(1.0):
            pass

    def read_for(self, duration):
        """False: the log has ended."""
        until = time.monotonic() + duration
        while (left := until - time.monotonic()) > 0:
            if select.select([self.end_of_log], [], [], left)[0] and not self.read():
                return False
        return True

    def read(self):
        """False: the log has ended."""
        try:
            piece = os.read(self.end_of_log, 1 << 16)
        except BlockingIOError:
            return True
        if not piece:
            return False
        self.file.write(piece)
        if self.file.tell() > KEPT:
            self.file.close()
            os.rename(self.daemon.log_path, self.daemon.log_path + ".before")
            self.file = open(self.daemon.log_path, "ab", buffering=0)
        lines = (self.tail + piece).split(b"\n")
        self.tail = lines.pop()
        for line in lines:
            self.see(line)
        return True

    def see(self, line):
        self.count("lines")
        if any(word in line for word in SANITIZER_WORDS):
            while self.read_for(2.0):  # the rest of what it says
                pass
            raise Wrong(f"a sanitizer spoke: {line.decode(errors='replace')}")
        found = self.LOST.search(line)
        if found:
            self.count("times told of lost lines")
            self.count("lost lines told", int(found.group(1)))
            self.lost += int(found.group(1))
        elif b" error: " in line and os.fsencode(self.daemon.conf) not in line \
                and b"reload refused" not in line:
            raise Wrong(f"the log says: {line.decode(errors='replace')}")

    # --- standing still ---

    def lines_lost(self):
        if self.control is None:
            self.control = login(self, self.daemon.steady_user, what="control login")
        started = time.monotonic()
        try:
            lost = self.control.stat("log_lines_lost")
        except (EOFError, OSError) as error:
            if self.told.stop:  # something went wrong elsewhere, and the daemon was stopped
                return 0
            raise Wrong(f"STATS beside a log that stands still: {error!r}") from error
        self.took("STATS beside a log that stands still", started, 5)
        return lost

    def stall(self):
        """Until lines are lost, and for a while; then reads, and is told how many were."""
        self.lines_lost()
        before, started = self.lost, time.monotonic()
        self.told.board.stall(True)
        least = self.chance.uniform(STALL_LEAST, 3 * STALL_LEAST)
        lost = self.lost
        while not self.told.stop and time.monotonic() < started + STALL_MOST:
            time.sleep(0.2)
            if self.told.stop:
                break
            lost = self.lines_lost()
            if lost > before and time.monotonic() > started + least:
                break
        self.told.board.stall(False)
        self.count("stalls")
        self.count("stalls that lost lines", int(lost > before))
        self.count("seconds of stalls", int(time.monotonic() - started))
        resumed = time.monotonic()

        def told():
            self.read_for(0.02)
            return self.lost >= lost
        wait_for(told, 10, f"the log to tell of {lost} lost lines, of which it told {self.lost}")
        self.took("wait for the number of lost lines", resumed, 10)
