"""scenario_cluster.py - a namespace in a cluster of six nodes: through kvcached as the door, and by
clients of the cluster straight to the nodes.

All nodes, the door and the generator share this machine, so how many requests were served says
less than what each of them cost. It takes about three minutes: fewer rounds are made where they take
long.
"""

import csv
import shutil
import socket
import subprocess
import threading
import time

from cluster_nodes import Nodes, find_beside
from scenario_cpu import LASTING, lasts
from servers import Trouble

MEMORY = 512  # MiB of each node
ROUNDS = 3    # at most
RATE = 2000   # requests a second, where it is fixed
DEFAULT, LONG = "1s", "10s"  # cluster.patience; with the second, a busy machine refuses nothing
WAYS = (("sets", "1:0"), ("gets", "0:1"))


def cluster(bench):
    if not bench.peers("kvcached") or not bench.peers("redis"):
        bench.report.note("cluster: left out: it takes kvcached and a server for the nodes.")
        return
    with Nodes(bench.paths["redis"], MEMORY) as nodes:
        with bench.start("kvcached", memory=256, pinned=True, more=nodes.conf(LONG)) as door:
            requests(bench, nodes, door)
            at_a_fixed_rate(bench, nodes, door)
            whole_namespaces(bench, door)
        with bench.start("kvcached", memory=256, more=nodes.conf(DEFAULT)) as door:
            for _ in turns(bench, 45):
                failover(bench, nodes, door)
    bench.report.note("cluster: `redis` are clients of the cluster, straight to the nodes. CPU of "
                      "the nodes is that of all six, replicas included. Medians are of "
                      f"{ROUNDS} rounds at most.")


def turns(bench, seconds):
    """The rounds, as many as are begun in so long, and one at least."""
    ends = time.monotonic() + seconds
    for turn in range(min(bench.rounds, ROUNDS)):
        if turn == 0 or time.monotonic() < ends:
            yield turn


# --- what a request costs ------------------------------------------------------------


def shape_of(bench):
    return {"keys": bench.size(200_000), "value_bytes": 100, "ttl": LASTING}


def requests(bench, nodes, door):
    """50 connections, as fast as they are answered."""
    straight = find_beside(bench.paths["redis"], "benchmark")
    memtier = shutil.which("memtier_benchmark")
    bench.tools.fill(door, **shape_of(bench))
    bench.tools.fill(door, namespace="near", **shape_of(bench))
    for _ in turns(bench, 50):
        for pipeline in (1, 32):
            for what, ratio in WAYS:
                way = f"{what}, pipeline {pipeline}"
                for server in (door, door.twin):
                    by_door(bench, nodes, server, way, ratio, pipeline)
                if straight:
                    by_benchmark(bench, nodes, straight, way, what, pipeline)
            near = bench.tools.load(door, pid=door.pid, connections=50, ratio="0:1", namespace="near",
                                    pipeline=pipeline, **lasts(bench), **shape_of(bench))
            bench.adder("cluster", door)(f"gets, pipeline {pipeline}: CPU of the door, in memory",
                                         "us/request", near["cpu_us"])
            if memtier:
                by_memtier(bench, nodes, memtier, pipeline)


def by_door(bench, nodes, server, way, ratio, pipeline):
    add = bench.adder("cluster", server)
    before = nodes.spent()
    done = bench.tools.load(server, pid=server.pid, connections=50, ratio=ratio, pipeline=pipeline,
                            **{**lasts(bench), "warmup": 0}, **shape_of(bench))
    add(f"{way}: CPU of the door", "us/request", done["cpu_us"])
    add(f"{way}: CPU of the nodes", "us/request", (nodes.spent() - before) / 1e3 / done["requests"])
    add(f"{way}: served", "requests/s", done["rate"])


def by_benchmark(bench, nodes, program, way, what, pipeline):
    """The benchmark of the servers' own package, which knows clusters."""
    number = bench.size(100_000 if pipeline == 1 else 400_000)
    before = nodes.spent()
    done = subprocess.run(
        [program, "--cluster", "-h", "127.0.0.1", "-p", str(nodes.all[0].port), "-t",
         what.rstrip("s"), "-n", str(number), "-c", "50", "-P", str(pipeline), "-d", "100", "-r",
         str(bench.size(200_000)), "--threads", "1", "--csv"],
        capture_output=True, text=True, timeout=60)
    rows = [row for row in csv.reader(done.stdout.splitlines()) if row and row[0] in ("SET", "GET")]
    if done.returncode != 0 or len(rows) != 1:
        raise Trouble(f"{program}: {(done.stderr or done.stdout)[-300:].strip()}")
    bench.report.add("cluster", f"{way}: CPU of the nodes", "us/request", "redis",
                     (nodes.spent() - before) / 1e3 / number)
    bench.report.add("cluster", f"{way}: served", "requests/s", "redis", float(rows[0][1]))


def by_memtier(bench, nodes, program, pipeline):
    number = bench.size(2_000 if pipeline == 1 else 8_000)  # of each connection
    before = nodes.spent()
    done = subprocess.run(
        [program, "--cluster-mode", "-s", "127.0.0.1", "-p", str(nodes.all[0].port), "-t", "1", "-c",
         "50", "-n", str(number), "--pipeline", str(pipeline), "--ratio", "1:10", "-d", "100",
         "--key-maximum", str(bench.size(200_000)), "--hide-histogram"],
        capture_output=True, text=True, timeout=60)
    totals = [line.split() for line in done.stdout.splitlines() if line.startswith("Totals")]
    if done.returncode != 0 or not totals:
        raise Trouble(f"{program}: {(done.stderr or done.stdout)[-300:].strip()}")
    way = f"memtier, 1 set to 10 gets, pipeline {pipeline}"
    bench.report.add("cluster", f"{way}: CPU of the nodes", "us/request", "redis",
                     (nodes.spent() - before) / 1e3 / (50 * number))
    bench.report.add("cluster", f"{way}: served", "requests/s", "redis", float(totals[0][1]))


# --- how long a request takes --------------------------------------------------------


def at_a_fixed_rate(bench, nodes, door):
    """One set to ten gets at a rate that leaves everything mostly idle. Straight to a node is what a
    client of the cluster does for each request; all keys have one slot there."""
    load = {"rate": RATE, "ratio": "1:10", "connections": 50, **lasts(bench), **shape_of(bench)}
    load["keys"] = bench.size(20_000)
    slot = int(nodes.all[0].ask("cluster", "keyslot", "{x}"))
    node = nodes.all[slot * len(nodes.all) // 2 // 16384]
    for _ in turns(bench, 15):
        for server, way, space in ((door, "", "bench"), (door.twin, "", ""),
                                   (door, ", in memory", "near"), (node, "", "{x}")):
            done = bench.tools.load(server, namespace=space, **load)
            for share in ("p50", "p99"):
                bench.adder("cluster", server)(f"{RATE} requests/s{way}: {share}", "us",
                                               done[f"{share}_us"])


# --- whole namespaces ----------------------------------------------------------------


def whole_namespaces(bench, door):
    million, few = bench.size(1_000_000), 100
    shape = {"value_bytes": 16, "ttl": 3_600_000}
    add = bench.adder("cluster", door)
    fill = bench.tools.fill(door, million, namespace="large", **shape)
    add("a million stored", "s", fill["seconds"])
    bench.tools.fill(door, few, namespace="small", **shape)
    for lasted, lines, _ in bench.tools.ask(door, *["LIST small"] * 20):
        if lines != few + 1:
            raise Trouble(f"LIST gave {lines - 1} of {few} records")
        add("LIST of 100 beside a million", "ms", lasted)
    [(lasted, _, said)] = bench.tools.ask(door, "FLUSH large")
    if said != f"FLUSHED {million}":
        raise Trouble(f"FLUSH said {said}")
    add("FLUSH of a million", "ms", lasted)


# --- a master that dies --------------------------------------------------------------


class Client(threading.Thread):
    """One connection to the door, until it is ended."""

    def __init__(self, port, number):
        super().__init__(daemon=True)
        self.number = number
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.file = self.socket.makefile("rwb")
        self.ends = False
        self.stored, self.refused, self.unknown = [], [], 0  # keys; when; how often
        self.trouble = None

    def ask(self, request):
        self.file.write(request.encode())
        self.file.flush()
        return self.file.readline().decode().strip()

    def run(self):
        try:
            turn = 0
            while not self.ends:
                self.act(turn)
                turn += 1
        except (OSError, ValueError) as error:
            self.trouble = error

    def end(self):
        self.ends = True
        self.join(60)
        self.file.close()
        self.socket.close()
        if self.trouble or self.is_alive():
            raise Trouble(f"a client was not answered: {self.trouble}")


class Writer(Client):
    """Each record once, under a key of its own."""

    def act(self, turn):
        key = f"w{self.number}-{turn}"
        said = self.ask(f"PUT failover {key} 1h 5\r\nhello\r\n")
        if said == "STORED":
            self.stored.append(key)
        else:
            self.refused.append(time.monotonic())
            self.unknown += "not known" in said


class Reader(Client):
    """Records that have been there all the time."""

    KNOWN = 300

    def act(self, turn):
        said = self.ask(f"GET failover k{turn % self.KNOWN}\r\n")
        if said.startswith("VALUE "):
            self.file.readline()
        else:
            self.refused.append(time.monotonic())

    def prepare(self):
        for number in range(self.KNOWN):
            self.ask(f"PUT failover k{number} 1h 5\r\nhello\r\n")


def failover(bench, nodes, door):
    """kill -9 of a master under load, until a replica has taken over."""
    writers, reader = [Writer(door.port, number) for number in range(4)], Reader(door.port, 0)
    reader.prepare()
    for client in (*writers, reader):
        client.start()
    time.sleep(0.5)
    dies = nodes.masters()[0]
    killed = time.monotonic()
    dies.kill()
    nodes.wait(lambda: len(nodes.masters()) == 3, "a replica to be promoted")
    quiet(writers)
    for client in (*writers, reader):
        client.end()
    add = bench.adder("cluster", door)
    stored = [key for writer in writers for key in writer.stored]
    refused = [at for writer in writers for at in writer.refused]
    add("kill -9 of a master: the last write is refused after", "s",
        max(refused, default=killed) - killed)
    add("kill -9 of a master: writes refused", "records", len(refused))
    add("kill -9 of a master: of these, not known", "records", sum(w.unknown for w in writers))
    add("kill -9 of a master: reads refused", "records", len(reader.refused), at_most=0)
    add("kill -9 of a master: writes acknowledged", "records", len(stored))
    add("kill -9 of a master: of these, lost", "records", lost(door, stored), at_most=0)
    if not dies.launch():
        raise Trouble(f"a node did not start again: {dies.said()}")
    nodes.wait(nodes.is_whole, "the node to be a replica")


def quiet(writers, lasting=1.0, patience=30):
    """Waits until no write was refused for a second."""
    limit = time.monotonic() + patience
    while any(at > time.monotonic() - lasting for writer in writers for at in writer.refused[-1:]):
        if time.monotonic() > limit:
            raise Trouble("writes are refused for ever")
        time.sleep(0.05)


def lost(door, keys):
    """How many of them are not there."""
    missing = 0
    with socket.create_connection(("127.0.0.1", door.port), 30) as plain:
        file = plain.makefile("rwb")
        for first in range(0, len(keys), 100):
            some = keys[first:first + 100]
            file.write(f"GET failover {' '.join(some)}\r\n".encode())
            file.flush()
            for _ in some:
                said = file.readline()
                if said.startswith(b"VALUE "):
                    file.readline()
                elif said.strip() == b"NOT_FOUND":
                    missing += 1
                else:
                    raise Trouble(f"a record could not be read back: {said.decode().strip()}")
    return missing
