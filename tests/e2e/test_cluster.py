"""Three nodes behind nutcracker, from the configuration that scripts/cluster has: one
is killed without warning, and comes back.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import unittest

from harness import SANITIZER, Case, Daemon, wait_for
from memcache import Wire

HERE = os.path.dirname(os.path.abspath(__file__))
CLUSTER = os.path.join(HERE, "..", "..", "scripts", "cluster")
NUTCRACKER = shutil.which("nutcracker", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
KEYS = 10_000
AT_ONCE = 100  # requests; nutcracker waits only so long for each answer


def kept(name):
    with open(os.path.join(CLUSTER, name)) as file:
        return file.read()


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Node(Daemon):
    """Started again on the port that it had."""

    def __init__(self, port=0):
        text = kept("node.conf").replace("@PORT@", str(port))
        super().__init__(text.split("\n", 4)[-1], listen=text.split("namespaces")[0])


@unittest.skipIf(NUTCRACKER is None, "Debian: nutcracker")
@unittest.skipIf(SANITIZER, "slow nodes are left out: nutcracker's patience is short")
class Cluster(Case):
    def setUp(self):
        self.nodes = []
        for _ in range(3):
            node = Node()
            self.addCleanup(node.clean)
            self.nodes.append(node)
        self.addresses = [node.address for node in self.nodes]
        self.start_nutcracker()
        self.wire = self.wire_to(("127.0.0.1", self.port))

    def start_nutcracker(self):
        folder = tempfile.mkdtemp(prefix="kvcached-e2e-")
        self.addCleanup(shutil.rmtree, folder, True)
        self.port, stats = free_ports(2)
        text = kept("nutcracker.yml").replace("@LISTEN@", f"127.0.0.1:{self.port}")
        for number, (host, port) in enumerate(self.addresses, 1):
            text = text.replace(f"@NODE{number}@", f"{host}:{port}")
        path = os.path.join(folder, "nutcracker.yml")
        with open(path, "w") as file:
            file.write(text)
        process = subprocess.Popen(
            [NUTCRACKER, f"--conf-file={path}", "--stats-addr=127.0.0.1", f"--stats-port={stats}",
             f"--output={folder}/log"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def listens():
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return True
            except ConnectionRefusedError:
                return False
        wait_for(listens, 10, "nutcracker to listen")

    def wire_to(self, address):
        wire = Wire(address)
        self.addCleanup(wire.close)
        return wire

    def set(self, key, value):
        return self.wire.ask(f"set {key} 0 0 {len(value)}\n{value}")

    def get(self, key):
        """The value, None for a miss, or the error."""
        first = self.wire.ask(f"get {key}")
        if first == "END":
            return None
        if not first.startswith("VALUE"):
            return first
        value = self.wire.line()
        self.assertEqual(self.wire.line(), "END")
        return value

    def keys_of(self, node):
        wire = self.wire_to(node)
        found = set()
        for first in range(0, KEYS, 500):
            names = " ".join(f"key{i}" for i in range(first, min(first + 500, KEYS)))
            for line in wire.until_end(f"get {names}"):
                if line.startswith("VALUE"):
                    found.add(line.split()[1])
        return found

    def test_a_node_dies_and_comes_back(self):
        for first in range(0, KEYS, AT_ONCE):
            self.wire.send("".join(f"set key{i} 0 0 {len(str(i))}\r\n{i}\r\n"
                                   for i in range(first, first + AT_ONCE)))
            self.assertEqual({self.wire.line() for _ in range(AT_ONCE)}, {"STORED"})
        homes = [self.keys_of(address) for address in self.addresses]
        self.assertEqual(sum(map(len, homes)), KEYS)
        self.assertGreater(min(map(len, homes)), KEYS // 10)

        self.nodes[0].kill()
        # Errors until the node is left out, at most a few.
        wait_for(lambda: self.get(next(iter(homes[0]))) is None, 10, "the node to be left out")
        served = sorted(homes[1] | homes[2])
        for first in range(0, len(served), AT_ONCE):
            some = served[first:first + AT_ONCE]
            self.wire.send("".join(f"get {key}\r\n" for key in some))
            for key in some:
                self.assertEqual([self.wire.line() for _ in range(3)],
                                 [f"VALUE {key} 0 {len(key) - 3}", key[3:], "END"])
        lost = sorted(homes[0])[:200]

        def stored(key):
            return wait_for(lambda: self.set(key, "new") == "STORED", 10, "a key to be stored")
        for key in lost:
            stored(key)
            self.assertIn(self.get(key), ("new", None))

        port = self.addresses[0][1]
        self.nodes[0] = Node(port)
        self.addCleanup(self.nodes[0].clean)
        returned = self.wire_to(self.addresses[0])

        def taken_back():
            for key in lost[:20]:
                self.set(key, "back")
            return returned.stats()["curr_items"] != "0"
        wait_for(taken_back, 15, "the node to be taken back")
        wait_for(lambda: self.set(lost[0], "again") == "STORED" and self.get(lost[0]) == "again", 10,
                 "a key to be kept there")
        for key in list(homes[1])[:100]:
            self.assertEqual(self.get(key), key[3:])
