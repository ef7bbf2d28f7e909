"""What is tested, and how long to wait for it.

Finds the daemon, sees whether a sanitizer slows it, and waits for conditions:
nothing in these tests sleeps for a fixed time to let something happen.
E2E_SLOW multiplies every deadline.
"""

import os
import time


def find_daemon():
    """The binary under test: KVCACHED, or the one in this or the source's directory."""
    named = os.environ.get("KVCACHED")
    if named:
        return os.path.abspath(named)
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
    for folder in (os.getcwd(), root):
        for name in ("kvcached", os.path.join("daemon", "kvcached")):
            path = os.path.abspath(os.path.join(folder, name))
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def find_sanitizer(path):
    """'address', 'thread' or None, from what the binary links."""
    if not path or not os.path.isfile(path):
        return None
    with open(path, "rb") as binary:
        content = binary.read()
    for name, symbol in (("address", b"__asan_init"), ("thread", b"__tsan_init")):
        if symbol in content:
            return name
    return None


DAEMON = find_daemon()
SANITIZER = find_sanitizer(DAEMON)
SLOW = float(os.environ.get("E2E_SLOW") or (4 if SANITIZER else 1))


def seconds(plain):
    """A deadline that took `plain` seconds on an idle machine."""
    return plain * SLOW


def wait_for(condition, timeout=5.0, what="a condition"):
    """Asks until the answer is true; returns it."""
    deadline = time.monotonic() + seconds(timeout)
    pause = 0.001
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds(timeout):g} s in vain for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
