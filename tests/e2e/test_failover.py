"""A namespace in a cluster while nodes die, stall, move their slots and come back.

Each test has a cluster of its own. What clients were told under load is held against what is
there when all is quiet again.
"""

import os
import random
import shutil
import signal
import tempfile
import threading
import time
import unittest

from cluster_load import NO_ANSWER, NOTHING_CHANGED, Load
from encryption import context, make_certificate
from harness import Case, Client, wait_for
from nodes import SLOTS, Nodes, server_program
from timing import seconds

CONF = 'namespaces = ( { name = "s"; engine = "cluster"; }, { name = "here"; } );\n'
TIMEOUT = 1000  # milliseconds after which a node is taken for dead by the others


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xffff
    return crc


def slot_of(ns, key):
    return crc16(f"{ns}.{crc16(key.encode()) & 255:02x}".encode()) % SLOTS


class WithNodes(Case):
    CLUSTER = ""

    def begin(self, daemons=2, **options):
        self.nodes = Nodes(timeout=TIMEOUT, **options)
        self.addCleanup(self.nodes.close)
        self.daemons = [self.start(CONF + self.nodes.conf(self.CLUSTER)) for _ in range(daemons)]
        self.client = self.connect(self.daemons[0])

    def load(self, **options):
        load = Load([daemon.address for daemon in self.daemons], "s", **options)
        self.addCleanup(load.end)
        load.progress()
        return load

    def check(self, load):
        """Nothing that must not be said was said, and what was said is so."""
        load.end()
        self.assertEqual(load.wrong, [])
        lost, there = load.compare(self.client)
        self.assertEqual(lost, [], f"of {len(load.stored)} that were stored")
        self.assertEqual(there, [], f"of {len(load.refused)} that were refused")

    def key_of(self, node):
        """A key whose slot that node has."""
        return next(key for key in (f"key{i}" for i in range(10000))
                    if self.nodes.owner(slot_of("s", key)) is node)

    def figures(self, daemon=0):
        with self.daemons[daemon].connect() as client:
            return client.stats()


@unittest.skipUnless(server_program(), "there is no valkey-server and no redis-server")
class Failover(WithNodes):
    def test_a_master_dies(self):
        self.begin()
        load = self.load()
        self.nodes.masters()[0].kill()
        wait_for(lambda: len(self.nodes.masters()) == 3, 30, "a replica to be promoted")
        load.quiet()
        self.check(load)
        self.assertEqual(load.refused_reads, [])
        self.assertGreater(sum(int(self.figures(i)["cluster_replica_reads"]) for i in (0, 1)), 0)

    def test_a_master_stalls_and_goes_on(self):
        """The old master still takes itself for one when it goes on: it must not be believed."""
        self.begin()
        load = self.load()
        master = self.nodes.masters()[0]
        others = [node for node in self.nodes.all if node is not master]
        master.signal(signal.SIGSTOP)
        wait_for(lambda: sum(node.is_master() for node in others) == 3, 30,
                 "a replica to be promoted")
        load.quiet()
        master.signal(signal.SIGCONT)
        wait_for(lambda: not master.is_master(), 30, "the old master to become a replica")
        load.quiet()
        self.check(load)

    def test_a_stall_that_is_over_soon(self):
        """Too short for a replica to be promoted."""
        self.begin()
        load = self.load()
        master = self.nodes.masters()[0]
        master.signal(signal.SIGSTOP)
        wait_for(lambda: load.refused_writes, 30, "a write to be refused")
        master.signal(signal.SIGCONT)
        load.quiet()
        self.check(load)

    def test_slots_move_under_load(self):
        self.begin()
        load = self.load()
        source, target = self.nodes.masters()[:2]
        slots = sorted({slot_of("s", key) for key in load.known})
        moved = [slot for slot in slots if self.nodes.owner(slot) is source][:40]
        for slot in moved:
            self.move(slot, source, target)
        load.progress()
        self.check(load)
        self.assertEqual(load.refused_writes + load.refused_reads, [])
        figures = self.figures()
        self.assertGreater(int(figures["cluster_moved"]) + int(figures["cluster_asked"]), 0)

    def move(self, slot, source, target):
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id())
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id())
        while True:
            keys = source.ask("CLUSTER", "GETKEYSINSLOT", slot, 10)
            if not keys:
                break
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        for node in (target, source):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.id())

    def test_a_slot_that_moves_is_listed_and_flushed_whole(self):
        self.begin(daemons=1)
        keys = [f"key{i}" for i in range(400)]
        for key in keys:
            self.client.put("s", key, key)
        slot = slot_of("s", keys[0])
        mine = [key for key in keys if slot_of("s", key) == slot]
        source = self.nodes.owner(slot)
        target = next(node for node in self.nodes.masters() if node is not source)
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id())
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id())
        source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS",
                   *source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1))
        listed = [line.split(" ")[1] for line in self.client.ask_all("LIST s")]
        self.assertEqual(sorted(set(listed)), sorted(keys))
        for key in mine:
            self.assertEqual(self.client.ask(f"GET s {key}"), (f"VALUE {len(key)}", key.encode()))
        self.assertEqual(self.client.ask("FLUSH s"), f"FLUSHED {len(keys)}")
        self.assertEqual(self.client.ask_all("LIST s"), [])

    def test_planned_failovers_under_load(self):
        self.begin()
        load = self.load()
        for master in self.nodes.masters():
            port = next(node[1] for part in master.ask("CLUSTER", "SLOTS") for node in part[3:]
                        if part[2][1] == master.port)
            replica = next(node for node in self.nodes.all if node.port == port)
            replica.ask("CLUSTER", "FAILOVER")
            wait_for(replica.is_master, 30, "the replica to take over")
            load.progress()
        load.quiet()
        self.check(load)
        self.assertEqual(load.refused_writes + load.refused_reads, [])

    def test_all_nodes_restart(self):
        """They are empty then; the daemon finds them again by itself."""
        self.begin(daemons=1)
        self.assertEqual(self.client.put("s", "a", "1"), "STORED")
        for node in self.nodes.all:
            node.kill()
        reply = self.client.ask("GET s a")
        self.assertIn(NO_ANSWER, reply)
        self.assertIn(NOTHING_CHANGED, self.client.put("s", "a", "2"))
        for node in self.nodes.all:
            node.start()
        wait_for(lambda: self.client.put("s", "a", "3") == "STORED", 30, "a write to be taken")
        wait_for(lambda: self.client.ask("GET s a") == ("VALUE 1", b"3"), 30, "it to be read")

    def test_without_a_majority_nothing_is_a_miss(self):
        self.begin(daemons=1)
        for i in range(50):
            self.client.put("s", f"key{i}", "x")
        for master in self.nodes.masters()[:2]:
            master.kill()
        for i in range(50):
            reply = self.client.ask(f"GET s key{i}")
            self.assertTrue(reply == ("VALUE 1", b"x") or NO_ANSWER in reply, reply)
        self.assertEqual(self.client.put("here", "a", "b"), "STORED")

    def test_a_dead_master_does_not_hold_up_others(self):
        """Behind a node that is known to be gone nothing queues up; other keys are served."""
        self.begin(daemons=1)
        master, living = self.nodes.masters()[:2]
        key, other = self.key_of(master), self.key_of(living)
        self.client.put("s", other, "x")
        for node in self.nodes.all:
            if node is not living:
                node.signal(signal.SIGSTOP)
        wait_for(lambda: "ERROR" in str(self.client.ask(f"GET s {key}")), 30, "an error")
        batch = "".join(f"GET s {key}\r\n" for _ in range(20)) + f"GET s {other}\r\nPING\r\n"
        self.client.send(batch)
        for _ in range(20):
            self.assertIn(NO_ANSWER, self.client.reply())
        self.client.reply()
        self.assertEqual(self.client.reply(), "PONG")

    def test_clients_that_leave_while_they_wait(self):
        self.begin(daemons=1)
        master = self.nodes.masters()[0]
        key = self.key_of(master)
        master.signal(signal.SIGSTOP)
        for i in range(300):
            with self.daemons[0].connect() as client:
                client.send(f"PUT s {key} 60 {20000}\r\n" + "v" * 20000 + "\r\n" if i % 3 == 0
                            else f"GET s {key} {key} {key}\r\nINCR s {key}\r\n" if i % 3 == 1
                            else "LIST s\r\n")
        master.signal(signal.SIGCONT)
        wait_for(lambda: self.client.put("s", key, "1") == "STORED", 30, "a write to be taken")
        wait_for(lambda: int(self.figures()["curr_connections"]) <= 2, 30,
                 "the connections to be closed")

    def test_many_doors_see_the_same(self):
        self.begin(daemons=3)
        clients = [self.connect(daemon) for daemon in self.daemons]
        self.assertEqual(clients[0].put("s", "n", "0"), "STORED")

        def add(client):
            for _ in range(200):
                client.ask("INCR s n")
        threads = [threading.Thread(target=add, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds(60))
        for client in clients:
            self.assertEqual(client.ask("GET s n"), ("VALUE 3", b"600"))

    def test_a_restart_of_the_door_loses_nothing(self):
        self.begin(daemons=1)
        self.client.put("s", "a", "x", "1h")
        self.client.put("here", "a", "x", "1h")
        self.daemons[0].stop()
        self.daemons[0].start(ready=False)
        self.daemons[0].wait_listening(2)
        with Client(self.daemons[0].addresses()[-1]) as client:
            self.assertEqual(client.ask("GET s a"), ("VALUE 1", b"x"))
            self.assertEqual(client.ask("GET here a"), "NOT_FOUND")


@unittest.skipUnless(server_program(), "there is no valkey-server and no redis-server")
class Secured(WithNodes):
    SECRET = "only for the nodes"

    def secret_file(self, secret, mode=0o600):
        folder = tempfile.mkdtemp(prefix="kvcached-nodes-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "secret")
        with open(path, "w") as file:
            file.write(secret + "\n")
        os.chmod(path, mode)
        return path

    def test_nodes_that_ask_for_a_secret(self):
        path = self.secret_file(self.SECRET)
        self.CLUSTER = f'secret_file = "{path}";'
        self.begin(daemons=1, secret=self.SECRET,
                   options=("--requirepass", self.SECRET, "--masterauth", self.SECRET))
        self.assertEqual(self.client.put("s", "a", "x"), "STORED")
        user = self.nodes.all
        for node in user:
            node.ask("ACL", "SETUSER", "door", "on", ">of the door", "~*", "+@all")
        self.CLUSTER = f'user = "door"; secret_file = "{self.secret_file("of the door")}";'
        daemon = self.start(CONF + self.nodes.conf(self.CLUSTER))
        self.assertEqual(self.connect(daemon).ask("GET s a"), ("VALUE 1", b"x"))

    def test_a_wrong_secret(self):
        """It is an error for every request, and said in the log; never a miss."""
        self.CLUSTER = f'secret_file = "{self.secret_file("mistaken")}";'
        self.begin(daemons=1, secret=self.SECRET,
                   options=("--requirepass", self.SECRET, "--masterauth", self.SECRET))
        self.assertIn(NO_ANSWER, self.client.ask("GET s a"))
        self.assertIn(NOTHING_CHANGED, self.client.put("s", "a", "x"))
        self.daemons[0].wait_log("it refuses AUTH: WRONGPASS")
        self.assertEqual(self.client.put("here", "a", "x"), "STORED")
        self.assertNotIn("mistaken", self.daemons[0].log())

    def test_a_user_that_may_not_write(self):
        path = self.secret_file("of the door")
        self.CLUSTER = f'user = "door"; secret_file = "{path}";'
        self.begin(daemons=1)
        for node in self.nodes.all:
            node.ask("ACL", "SETUSER", "door", "on", ">of the door", "~*", "+@read", "+@connection",
                     "+cluster|slots", "+readonly", "+asking")
        wait_for(lambda: self.client.ask("GET s a") == "NOT_FOUND", 20, "the nodes to know the user")
        self.assertRegex(self.client.put("s", "a", "x"),
                         "SERVER_ERROR the cluster has refused this: NOPERM")

    def test_a_file_that_all_can_read_is_refused(self):
        path = self.secret_file(self.SECRET, mode=0o644)
        daemon = self.start(CONF + 'cluster = { nodes = "127.0.0.1:1"; secret_file = "%s"; };' % path,
                            run=False)
        daemon.start(ready=False)
        self.assertEqual(daemon.wait_exit(), 78)
        self.assertIn("every user of this machine can read it", daemon.log())

    def certificates(self):
        folder = tempfile.mkdtemp(prefix="kvcached-nodes-")
        self.addCleanup(shutil.rmtree, folder)
        authority, _ = make_certificate(folder, "authority")
        pem, key = make_certificate(folder, "node", issuer="authority")
        return folder, authority, pem, key

    def begin_tls(self, authority, pem, key, ca, extra=""):
        self.CLUSTER = f'tls_ca = "{ca}"; {extra}'
        self.begin(daemons=1, wrap=context().wrap_socket, options=(
            "--tls-cert-file", pem, "--tls-key-file", key, "--tls-ca-cert-file", authority,
            "--tls-auth-clients", "optional", "--tls-cluster", "yes", "--tls-replication", "yes"))

    def test_tls_to_the_nodes(self):
        folder, authority, pem, key = self.certificates()
        own, own_key = make_certificate(folder, "door", issuer="authority")
        self.begin_tls(authority, pem, key, authority,
                       f'tls_certificate = "{own}"; tls_key = "{own_key}";')
        load = self.load()
        self.nodes.masters()[0].kill()
        wait_for(lambda: len(self.nodes.masters()) == 3, 30, "a replica to be promoted")
        load.quiet()
        self.check(load)
        self.assertEqual(load.refused_reads, [])
        self.assertEqual(self.client.put("s", "large", "v" * 900000), "STORED")
        self.assertEqual(self.client.ask("GET s large"), ("VALUE 900000", b"v" * 900000))

    def test_a_certificate_of_another_authority(self):
        folder, authority, pem, key = self.certificates()
        other, _ = make_certificate(folder, "other")
        self.begin_tls(authority, pem, key, other)
        self.assertIn(NO_ANSWER, self.client.ask("GET s a"))
        self.daemons[0].wait_log("TLS: ")

    def test_nodes_without_tls(self):
        _, authority, _, _ = self.certificates()
        self.CLUSTER = f'tls_ca = "{authority}";'
        self.begin(daemons=1)
        self.assertIn(NO_ANSWER, self.client.ask("GET s a"))
        self.daemons[0].wait_log("cluster: node .*: (TLS|it)")


class Soak(WithNodes):
    """So many seconds under load, with a master killed or stopped every twenty of them."""

    SECONDS = float(os.environ.get("E2E_SOAK") or 0)
    EVERY = 20

    def go_on(self, ends):
        """Listings, flushes and values of all sizes, in a namespace beside that of the load."""
        chance = random.Random(1)
        with self.daemons[0].connect(timeout=60) as client:
            while not ends.is_set():
                key, size = f"k{chance.randrange(300)}", chance.choice((1, 100, 20000, 300000))
                client.put("t", key, "v" * size)
                client.ask(f"GET t {key}")
                if chance.random() < 0.02:
                    client.send("LIST t\r\nALL t k1*\r\nFLUSH t\r\nPING\r\n")
                    while client.reply() != "PONG":
                        pass

    def leave(self, ends):
        """Clients that do not wait for replies, some dozens at once."""
        while not ends.is_set():
            for _ in range(30):
                with self.daemons[1].connect() as client:
                    client.send("GET s known1 known2\r\nINCR t n\r\nLIST t\r\n"
                                "PUT t left 60 30000\r\n" + "x" * 30000)
            wait_for(lambda: int(self.figures(1)["curr_connections"]) < 10, 30,
                     "the connections to be closed")

    def take_away(self, number):
        """Of a master, until another one has taken its place."""
        masters = self.nodes.masters()
        gone = masters[number % len(masters)]
        others = [node for node in self.nodes.all if node is not gone]
        if number % 3 == 2:
            gone.signal(signal.SIGSTOP)
        else:
            gone.kill()
        wait_for(lambda: sum(node.is_master() for node in others) == 3, 30,
                 "a replica to be promoted")
        if number % 3 == 2:
            gone.signal(signal.SIGCONT)
        else:
            gone.start()
        wait_for(lambda: not gone.is_master(), 30, "the old master to become a replica")
        wait_for(self.nodes.is_whole, 60, "it to catch up")

    @unittest.skipUnless(SECONDS and server_program(), "E2E_SOAK says how many seconds")
    def test_masters_die_again_and_again(self):
        self.begin()
        load, ends = self.load(), threading.Event()
        others = [threading.Thread(target=work, args=(ends,), daemon=True)
                  for work in (self.go_on, self.leave)]
        for thread in others:
            thread.start()
        began, number, resident = time.monotonic(), 0, None
        while time.monotonic() - began < self.SECONDS:
            self.take_away(number)
            number += 1
            load.quiet()
            resident = resident or [daemon.resident() for daemon in self.daemons]
            next_one = began + number * self.EVERY
            wait_for(lambda: time.monotonic() > next_one or load.wrong, self.EVERY + 1, "the next")
        ends.set()
        for thread in others:
            thread.join()
        self.check(load)
        print(f"{number} masters gone; {len(load.stored)} writes stored, {len(load.refused)} refused, "
              f"{len(load.unknown)} not known; {load.reads} reads, {len(load.refused_reads)} refused; "
              f"slowest {load.slowest:.3f} s")
        for daemon, before in zip(self.daemons, resident):
            self.assertLess(daemon.resident() - before, 24 << 20)
            with daemon.connect() as client:
                wait_for(lambda: "STAT curr_connections 2" in client.ask_all("STATS")
                         or "STAT curr_connections 1" in client.ask_all("STATS"), 10,
                         "the connections to be closed")
