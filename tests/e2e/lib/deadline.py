"""A deadline for every test, after which it fails and says what it waited for.

A client has time-outs of its own, but a test can wait without end in other ways: for a reply
that goes on for ever, for a thread of its own. When the time is over, the stacks of all threads
are written to stderr under the test's name, and the main thread is interrupted where it is: the
test fails with that place in its traceback, what it had started is cleaned up, and the next one
has its turn. Cleaning up has a deadline too; and where nothing can be interrupted, the run ends.

A class whose tests may take longer has a DEADLINE of its own, in seconds on an idle machine.
"""

import faulthandler
import signal
import sys

from timing import seconds

USUAL = 120  # the slowest test takes 14 s
CLEANING = 30


class Overdue(AssertionError):
    """The test waited too long, where the traceback ends."""


def allowed(test):
    return seconds(getattr(test, "DEADLINE", USUAL))


def begin(test):
    """From now on the test has its time. From the main thread; end() takes it back."""
    most = allowed(test)

    def overdue(*_):
        sys.stderr.write(f"\n--- {test.id()} was not over after {most:g} s; all its threads:\n")
        sys.stderr.flush()
        faulthandler.dump_traceback(all_threads=True)
        sys.stderr.write("---\n")
        raise Overdue(f"not over after {most:g} s, while it waited here")

    signal.signal(signal.SIGALRM, overdue)
    signal.setitimer(signal.ITIMER_REAL, most, seconds(CLEANING))
    faulthandler.dump_traceback_later(most + seconds(4 * CLEANING), exit=True)


def end():
    signal.setitimer(signal.ITIMER_REAL, 0)
    faulthandler.cancel_dump_traceback_later()
