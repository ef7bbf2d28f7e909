"""memcached itself, to stand beside a kvcached: Debian's, or the one that MEMCACHED names."""

import os
import shutil
import subprocess
import unittest

from harness import wait_for
from memcache import Wire
from test_cluster import free_ports

MEMCACHED = os.environ.get("MEMCACHED") or shutil.which(
    "memcached", path=os.environ.get("PATH", "") + ":/usr/bin:/usr/sbin")


def start(case, *options):
    """Starts one that ends with the test; a connection to it."""
    if MEMCACHED is None:
        raise unittest.SkipTest("no memcached is here; Debian: memcached, or name one in MEMCACHED")
    port, = free_ports(1)
    command = [MEMCACHED, "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "64", "-t", "1",
               *options]
    process = subprocess.Popen(command + (["-u", "nobody"] if os.geteuid() == 0 else []),
                               stderr=subprocess.DEVNULL)
    case.addCleanup(process.wait)
    case.addCleanup(process.kill)

    def listens():
        try:
            return Wire(("127.0.0.1", port))
        except ConnectionRefusedError:
            return None
    wire = wait_for(listens, 10, "memcached to listen")
    case.addCleanup(wire.close)
    return wire


def knows_mgdump(wire):
    """Whether it is of those that list keys as requests."""
    return wire.ask("lru_crawler mgdump x").startswith("BADCLASS")
