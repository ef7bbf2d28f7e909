"""A cluster of Valkey's or Redis's nodes, on loopback and on ports that the kernel picks.

With E2E_CLUSTER=1 the records of every daemon are in such a cluster, which all tests of a run
share: it is emptied when a daemon starts. A test that stops nodes makes a cluster of its own.
"""

import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from timing import seconds, wait_for

WANTED = bool(os.environ.get("E2E_CLUSTER"))
SLOTS = 16384


def server_program():
    """Whichever is installed; None: neither."""
    return shutil.which("valkey-server") or shutil.which("redis-server")


def reserve():
    """A socket with a port that the kernel has picked. While it is open, no other process gets that
    port by chance; a node can listen there all the same, since the socket does not."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


def in_memory(why):
    """Of a test: of what only the daemon's own memory has."""
    return unittest.skipIf(WANTED, "the records are in a cluster: " + why)


class Error(Exception):
    """A node has answered with an error."""


class Node:
    """One process. Its commands are sent over a connection that is made when it is first used."""

    def __init__(self, folder, options=(), wrap=None, secret=None):
        self.options = list(options)
        self.wrap = wrap
        self.secret = secret
        self.reserved = [reserve(), reserve()]
        self.port, self.bus = (reserved.getsockname()[1] for reserved in self.reserved)
        self.folder = os.path.join(folder, str(self.port))
        os.mkdir(self.folder)
        self.process = None
        self.connection = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        where = ["--port", "0", "--tls-port", str(self.port)] if self.wrap else \
                ["--port", str(self.port)]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [server_program(), *where, "--bind", "127.0.0.1", "--cluster-enabled", "yes",
                 "--cluster-port", str(self.bus), "--cluster-config-file", "nodes.conf",
                 "--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0",
                 "--save", "", "--appendonly", "no", "--maxmemory-policy", "allkeys-lru",
                 "--daemonize", "no", *self.options],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self.answers, 20, f"node {self.address} to answer")

    def answers(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.folder, "log")) as log:
                raise AssertionError(f"node {self.address} ended:\n{log.read()[-2000:]}")
        try:
            return self.ask("PING") == "PONG"
        except (OSError, EOFError, Error):
            return False

    def connect(self):
        self.connection = socket.create_connection(("127.0.0.1", self.port), seconds(10))
        if self.wrap:
            self.connection = self.wrap(self.connection)
        self.file = self.connection.makefile("rb")
        if self.secret:
            self.send("AUTH", self.secret)

    def send(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.connection.sendall(b"*%d\r\n" % len(words) +
                                b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self.receive()

    def ask(self, *words):
        """The reply; str for a status, bytes for a string, Error raised for an error."""
        if self.connection is None:
            self.connect()
        try:
            return self.send(*words)
        except (OSError, EOFError):
            self.disconnect()
            raise

    def disconnect(self):
        if self.connection is not None:
            self.file.close()
            self.connection.close()
            self.connection = None

    def receive(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("the node has closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise Error(rest.decode())
        if kind == b":":
            return int(rest)
        if int(rest) < 0:
            return None
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        return [self.receive() for _ in range(int(rest))]

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """Ends it as a crash does."""
        self.disconnect()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def close(self):
        if self.process is not None:
            self.signal(signal.SIGCONT)
            self.kill()
        for reserved in self.reserved:
            reserved.close()

    def id(self):
        return self.ask("CLUSTER", "MYID").decode()

    def is_master(self):
        try:
            return self.ask("ROLE")[0] == b"master"
        except Error:  # it is loading what its master sends
            return False


class Nodes:
    """A cluster: so many masters, with so many replicas each. It can be talked to at once."""

    def __init__(self, masters=3, replicas=1, timeout=2000, options=(), wrap=None, secret=None):
        if not server_program():
            raise AssertionError("there is no valkey-server and no redis-server")
        self.folder = tempfile.mkdtemp(prefix="kvcached-nodes-")
        self.all = []
        options = ["--cluster-node-timeout", str(timeout), *options]
        try:
            for _ in range(masters * (1 + replicas)):
                self.all.append(Node(self.folder, options, wrap, secret))
            self.join(masters)
        except BaseException:
            self.close()
            raise

    def join(self, masters):
        first = self.all[0]
        for i, node in enumerate(self.all):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
            if i < masters:
                node.ask("CLUSTER", "ADDSLOTSRANGE", SLOTS * i // masters,
                         SLOTS * (i + 1) // masters - 1)
            if i > 0:
                node.ask("CLUSTER", "MEET", "127.0.0.1", first.port, first.bus)
        wait_for(lambda: all(self.knows_all(node) for node in self.all), 30,
                 "the nodes to know each other")
        for i, node in enumerate(self.all[masters:]):
            node.ask("CLUSTER", "REPLICATE", self.all[i % masters].id())
        wait_for(self.is_whole, 60, "the replicas to be in step")

    def knows_all(self, node):
        return node.ask("CLUSTER", "NODES").count(b"\n") == len(self.all)

    def is_whole(self):
        """Every node sees all slots served, and every replica has caught up."""
        try:
            return self.is_settled()
        except Error:  # one is loading what its master sends
            return False

    def is_settled(self):
        for node in self.all:
            state = node.ask("CLUSTER", "INFO")
            if b"cluster_state:ok" not in state or b"cluster_slots_ok:16384" not in state:
                return False
            role = node.ask("ROLE")
            if role[0] == b"slave" and role[3] != b"connected":
                return False
        slots = self.all[0].ask("CLUSTER", "SLOTS")
        return all(len(part) - 2 == len(self.all) // len(self.masters()) for part in slots)

    def masters(self):
        return [node for node in self.all if node.process.poll() is None and node.is_master()]

    def owner(self, slot):
        """The node that has a slot, as the masters that live see it."""
        for node in self.masters():
            for part in node.ask("CLUSTER", "SLOTS"):
                if part[0] <= slot <= part[1]:
                    port = part[2][1]
                    return next(node for node in self.all if node.port == port)
        raise AssertionError(f"no node has slot {slot}")

    def clear(self):
        for node in self.masters():
            node.ask("FLUSHALL")

    def conf(self, extra=""):
        """The option of a daemon before this cluster."""
        names = ", ".join(f'"{node.address}"' for node in self.all)
        return f"cluster = {{ nodes = ( {names} ); {extra} }};\n"

    def close(self):
        for node in self.all:
            node.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Everywhere:
    """One cluster for all daemons of a run."""

    nodes = None

    @classmethod
    def conf(cls):
        if cls.nodes is None:
            cls.nodes = Nodes()
            atexit.register(cls.nodes.close)
        cls.nodes.clear()
        return cls.nodes.conf() + 'engine = "cluster";\n'

    @staticmethod
    def without_quotas(conf):
        """Namespaces in a cluster have none."""
        return re.sub(r"namespaces = \(.*?\);",
                      lambda found: re.sub(r'memory = "[^"]*";', "", found.group()), conf,
                      flags=re.S)
