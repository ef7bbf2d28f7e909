"""cluster_nodes.py - starts and stops the nodes of a Valkey or Redis Cluster: three masters, three
replicas, with the configuration that scripts/cluster has for people.
"""

import contextlib
import os
import shutil
import subprocess
import time

from servers import Redis, Trouble, free_port

CONF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cluster", "valkey.conf")
MASTERS = 3


class Node(Redis):
    """One of them. `cli` is the server's command line."""

    def __init__(self, path, cli, **options):
        super().__init__(path, **options)
        self.cli = cli

    def arguments(self):
        with open(CONF) as file:
            text = file.read()
        for name, value in (("PORT", self.port), ("BUS", free_port()), ("FOLDER", self.directory),
                            ("MEMORY", f"{self.memory}mb")):
            text = text.replace(f"@{name}@", str(value))
        with open(os.path.join(self.directory, "conf"), "w") as file:
            file.write(text)
        return [self.path, os.path.join(self.directory, "conf")]

    def ask(self, *command):
        """What it says; empty where it does not answer."""
        return subprocess.run([self.cli, "-h", "127.0.0.1", "-p", str(self.port), *command],
                              capture_output=True, text=True, timeout=30).stdout

    def runs(self):
        return self.process.poll() is None

    def is_master(self):
        return self.runs() and self.ask("role").startswith("master")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def spent(self):
        """Nanoseconds of processor time, of all its threads."""
        tasks = f"/proc/{self.pid}/task"
        total = 0
        for task in os.listdir(tasks):
            with contextlib.suppress(FileNotFoundError), open(f"{tasks}/{task}/schedstat") as file:
                total += int(file.read().split()[0])
        return total


class Nodes:
    """The cluster; a context manager."""

    def __init__(self, path, memory):
        self.path = path
        self.memory = memory  # MiB, of each node
        self.cli = find_beside(path, "cli")
        if self.cli is None:
            raise Trouble(f"there is no command line beside {path}")
        self.stack = contextlib.ExitStack()
        self.all = []

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for _ in range(2 * MASTERS):
                self.all.append(stack.enter_context(Node(self.path, self.cli, memory=self.memory)))
            self.join()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def join(self):
        addresses = [f"127.0.0.1:{node.port}" for node in self.all]
        done = subprocess.run([self.cli, "--cluster", "create", *addresses, "--cluster-replicas", "1",
                               "--cluster-yes"], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Trouble(f"the nodes form no cluster: {done.stdout[-300:]}")
        self.wait(self.is_whole, "the replicas to be in step")

    def is_whole(self):
        """Every node knows three replicas, and each of those has its master's records."""
        for node in self.all:
            replicas = [line for line in node.ask("cluster", "nodes").splitlines()
                        if "slave" in line and "fail" not in line]
            if len(replicas) != MASTERS or "cluster_state:ok" not in node.ask("cluster", "info"):
                return False
            if not node.is_master() and "master_link_status:up" not in node.ask("info", "replication"):
                return False
        return True

    def wait(self, condition, what, patience=60):
        limit = time.monotonic() + patience
        while not condition():
            if time.monotonic() > limit:
                raise Trouble(f"waited {patience} s in vain for {what}")
            time.sleep(0.1)

    def masters(self):
        return [node for node in self.all if node.is_master()]

    def spent(self):
        return sum(node.spent() for node in self.all)

    def conf(self, patience):
        """For kvcached: all records are here, but for the namespace `near`."""
        names = ", ".join(f'"127.0.0.1:{node.port}"' for node in self.all)
        return (f'engine = "cluster";\n'
                f'cluster = {{ nodes = ( {names} ); patience = "{patience}"; }};\n'
                'namespaces = ( { name = "near"; engine = "memory"; } );')


def find_beside(server, tool):
    """The program `tool` of the package that the server is of, or None."""
    name = os.path.basename(server).replace("-server", f"-{tool}")
    return shutil.which(os.path.join(os.path.dirname(server), name)) or shutil.which(name)
