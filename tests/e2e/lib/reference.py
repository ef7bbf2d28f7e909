"""memcached itself, started for one test, and what it is asked for comparison.

MEMCACHED names one other than Debian's. Its version is asked: what the newest has and
1.6.18 has not is compared with the newest alone, since kvcached speaks as that one does.
A build without a number, as memcached's own sources give it, counts as the newest.
"""

import os
import re
import shutil
import subprocess

from harness import wait_for
from memcache import Wire
from memcache_stream import Versions, comparable, read_answer
from test_cluster import free_ports

MEMCACHED = os.environ.get("MEMCACHED") or shutil.which(
    "memcached", path=os.environ.get("PATH", "") + ":/usr/bin:/usr/sbin")
DEBIANS = (1, 6, 18)


def version(path):
    """A tuple of three numbers; (9, 9, 9) where it has none."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"memcached (\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(number) for number in found.groups()) if found else (9, 9, 9)


NEWEST = MEMCACHED is not None and version(MEMCACHED) > DEBIANS


class Peer:
    """One of the two servers, and what it has said so far."""

    def __init__(self, address):
        self.address = address
        self.wire = Wire(address)
        self.versions = Versions()

    def close(self):
        self.wire.close()

    def ask(self, request):
        text = self.versions.fill(request)
        value = b"" if request.value is None else request.value + b"\r\n"
        self.wire.send(text + b"\r\n" + value)
        if text.startswith(b"flush_all"):
            self.versions = Versions()
        return comparable(read_answer(self.wire, request))

    def say(self, text):
        """For a request that is one line, or several; its answer up to an MN behind it."""
        self.wire.send(text + b"\r\nmn\r\n")
        lines = []
        while not lines or lines[-1] not in (b"MN\r\n", b""):
            lines.append(self.wire.file.readline())
        return comparable(lines[:-1])

    def learn_version(self, key):
        """Every key's version, so that the next request can name it."""
        self.wire.send(b"gets %s\r\n" % key.encode())
        line = self.wire.line()
        if line.startswith("VALUE"):
            size, number = line.split()[3:]
            self.wire.file.read(int(size) + 2)
            self.versions.learn(key, number)
            self.wire.line()
        else:
            self.versions.forget(key)

    def begin(self):
        """As it was at first, over a connection that nothing has ended."""
        self.close()
        self.wire = Wire(self.address)
        self.versions = Versions()
        self.wire.send("flush_all\r\n")
        self.wire.line()


def start_memcached(case, *arguments):
    """Starts it for that test; a Peer."""
    port, = free_ports(1)
    command = [MEMCACHED, "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "64", "-t", "1",
               *arguments]
    process = subprocess.Popen(command + (["-u", "nobody"] if os.geteuid() == 0 else []),
                               stderr=subprocess.DEVNULL)
    case.addCleanup(process.wait)
    case.addCleanup(process.kill)

    def listens():
        try:
            return Peer(("127.0.0.1", port))
        except ConnectionRefusedError:
            return None
    peer = wait_for(listens, 10, "memcached to listen")
    case.addCleanup(peer.close)
    return peer
