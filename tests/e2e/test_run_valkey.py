"""scripts/cluster/run-valkey: a cluster of six nodes and two doors before it, as it is for people.

It is ended as by Ctrl-C, and must leave no process and no file.
"""

import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from client import Client
from harness import DAEMON, Case, wait_for
from memcache import Wire
from nodes import server_program

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "cluster",
                      "run-valkey")
PORTS = [0, 1, 2, 3, *range(11, 17), *range(21, 27)]  # from PORT on


def free_range():
    """A port from which on all are free that the script takes."""
    for first in range(20000, 32000, 40):
        try:
            for port in PORTS:
                socket.create_server(("127.0.0.1", first + port)).close()
            return first
        except OSError:
            continue
    raise AssertionError("no ports are free")


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return False


def of_group(group):
    """The processes of a process group, without those that only wait to be collected."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getpgid(int(pid)) == group and not is_zombie(pid):
                found.append(int(pid))
        except ProcessLookupError:
            pass
    return found


@unittest.skipUnless(server_program(), "there is no valkey-server and no redis-server")
class RunValkey(Case):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kvcached-e2e-")
        self.addCleanup(self.folder.cleanup)
        self.port = free_range()
        self.script = None
        self.addCleanup(self.kill)
        self.begin()

    def begin(self):
        """In a group of its own, which a terminal would interrupt as a whole. SIGINT may be ignored
        in this process, and a shell cannot undo that."""
        def prepare():
            os.setpgid(0, 0)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.log = os.path.join(self.folder.name, "said")
        self.temporary = os.path.join(self.folder.name, "tmp")
        os.mkdir(self.temporary)
        with open(self.log, "wb") as log:
            self.script = subprocess.Popen(
                [SCRIPT, DAEMON], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=dict(os.environ, PORT=str(self.port), TMPDIR=self.temporary),
                preexec_fn=prepare)
        wait_for(self.is_ready, 60, "run-valkey to be ready")

    def said(self):
        with open(self.log) as file:
            return file.read()

    def is_ready(self):
        self.assertIsNone(self.script.poll(), self.said())
        return "interrupt to end it all" in self.said()

    def kill(self):
        if self.script is not None and self.script.poll() is None:
            os.killpg(self.script.pid, signal.SIGKILL)
            self.script.wait()

    def door(self, number):
        return self.kept(Client(("127.0.0.1", self.port + 2 * number - 2)))

    def end(self):
        """As Ctrl-C does."""
        os.killpg(self.script.pid, signal.SIGINT)
        self.assertEqual(self.script.wait(60), 0, self.said())
        self.assertEqual(of_group(self.script.pid), [])
        self.assertEqual(os.listdir(self.temporary), [])

    def test_both_doors_have_the_same_records(self):
        self.assertEqual(self.door(1).put("sessions", "alice", "hello"), "STORED")
        self.assertEqual(self.door(2).ask("GET sessions alice"), ("VALUE 5", b"hello"))
        wire = self.kept(Wire(("127.0.0.1", self.port + 3)))
        self.assertEqual(wire.until_end("get alice"), ["VALUE alice 0 5", "hello"])
        self.assertEqual(self.door(1).put("pages", "front", "here"), "STORED")
        self.assertEqual(self.door(2).ask("GET pages front"), "NOT_FOUND")
        self.end()

    def test_a_master_that_is_killed_comes_back_as_a_replica(self):
        """The one that is named: it has alice."""
        door = self.door(1)
        self.assertEqual(door.put("sessions", "alice", "hello"), "STORED")
        pid = int(re.search(r"kill -9 (\d+)", self.said()).group(1))
        os.kill(pid, signal.SIGKILL)
        refused = door.put("sessions", "alice", "again")
        self.assertIn("SERVER_ERROR", refused)
        self.assertEqual(door.ask("GET sessions alice"), ("VALUE 5", b"hello"))
        wait_for(lambda: door.put("sessions", "alice", "again") == "STORED", 30,
                 "a write to be taken")
        self.assertEqual(self.door(2).ask("GET sessions alice"), ("VALUE 5", b"again"))

        def replicas():
            figures = dict(line.split(" ")[1:] for line in door.ask_all("STATS"))
            return figures["cluster_masters_ready"] == "3" and figures["cluster_replicas"] == "3"
        wait_for(replicas, 40, "the node to come back as a replica")
        self.end()
