"""Restarts that forget nothing: the arena as a file."""

import os
import random
import resource
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import uuid

from harness import Case, Client, DAEMON, SANITIZER, seconds, wait_for
from persistence import Lasting, Writer

MIB = 1 << 20
# A sanitizer makes a report of the signal for a bad address.
CRASH = signal.SIGABRT if SANITIZER else signal.SIGSEGV


class LastingCase(Case):
    def lasting(self, conf="", **options):
        daemon = Lasting(conf, **options)
        self.addCleanup(self._end, daemon)
        return daemon


class Storm(LastingCase):
    """Writers on both protocols, and a daemon that goes away at any moment."""

    ROUNDS = int(os.environ.get("RESTART_ROUNDS", 50))
    DEADLINE = 120 + 10 * ROUNDS
    LONGEST = 30.0 if "RESTART_ROUNDS" not in os.environ else 1e9  # seconds
    DECLARED = "namespaces = ( %s );\n" % ", ".join(
        '{ name = "m%d"; }' % i for i in range(4))

    def kill_while_it_starts(self, daemon, chance):
        """Now and then one that is reading its file."""
        while chance.random() < 0.3:
            daemon.start(ready=False)
            time.sleep(chance.random() * 0.05)
            daemon.kill()

    def one_round(self, daemon, writers, chance):
        stop = threading.Event()
        native, memcache = daemon.addresses()
        for writer in writers:
            writer.begin(native if writer.native else memcache, stop)
        time.sleep(0.02 + chance.random() * 0.2)
        number = chance.choice([signal.SIGKILL, signal.SIGKILL, CRASH, signal.SIGTERM])
        daemon.end(number)
        stop.set()
        for writer in writers:
            writer.finish()
        if number == signal.SIGTERM:
            self.assertEqual(daemon.process.returncode, 0)
        self.kill_while_it_starts(daemon, chance)
        daemon.configure(f'{self.DECLARED}memory = "{chance.choice([96, 96, 128])}M";')
        daemon.start()
        daemon.wait_log("kept")
        self.assertNotIn("damaged", daemon.log())
        with daemon.connect() as client:
            for writer in writers:
                writer.check(client)
            self.assertEqual(client.stat("evictions"), 0)

    def test_what_was_answered_is_there(self):
        seed = int(os.environ.get("RESTART_SEED", random.randrange(1 << 30)))
        chance = random.Random(seed)
        daemon = self.lasting(f'{self.DECLARED}memory = "96M";')
        writers = [Writer(f"n{i}", True, seed + i) for i in range(4)]
        writers += [Writer(f"m{i}", False, seed + 10 + i) for i in range(4)]
        end = time.monotonic() + self.LONGEST
        for number in range(self.ROUNDS):
            try:
                self.one_round(daemon, writers, chance)
            except AssertionError as error:
                raise AssertionError(f"RESTART_SEED={seed}, round {number}: {error}") from error
            if time.monotonic() > end:
                break
        self.assertGreater(sum(writer.count for writer in writers), 1000)
        self.assertGreater(number, 4)


class Kept(LastingCase):
    def test_values_times_and_namespaces(self):
        conf = 'namespaces = ( { name = "quota"; memory = "1M"; ttl = "2h"; } );'
        for number in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(number=number):
                daemon = self.lasting(conf)
                client = self.connect(daemon)
                client.put("a", "short", "x", "300ms")
                client.put("a", "long", "y" * 300000, "1h")
                client.put("a", "ever", "z", "never")
                client.put("quota", "k", "v")
                before = client.ask("TTL a long")
                asked = time.monotonic()
                daemon.again(number)
                client = self.connect(daemon)
                passed = time.monotonic() - asked
                self.assertEqual(client.get("a", "long"), b"y" * 300000)
                left = float(client.ask("TTL a long").split(" ")[1])
                self.assertAlmostEqual(left, float(before.split(" ")[1]) - passed, delta=seconds(0.1))
                self.assertEqual(client.ask("TTL a ever"), "TTL never")
                self.assertEqual(client.get("quota", "k"), b"v")
                wait_for(lambda: client.get("a", "short") is None, 1, "it to expire")
                self.assertEqual(client.stats()["arena"], "file")
                self.assertIn(client.stats()["recovered_items"], ("3", "4"))
                self.assertEqual(client.stats("quota")["quota"], str(MIB))

    def test_what_is_gone_stays_away(self):
        daemon = self.lasting()
        client = self.connect(daemon)
        for i in range(1000):
            client.put("a", f"k{i}", "old")
            client.put("b", f"k{i}", "old")
        client.put("a", "gone", "v")
        client.ask("DEL a gone")
        client.put("a", "k1", "new")
        client.ask("INCR a none")
        self.assertEqual(client.ask("FLUSH b"), "FLUSHED 1000")
        client.put("b", "k5", "after")
        client.put("a", "over", "v", "1ms")
        daemon.again(signal.SIGKILL)
        client = self.connect(daemon)
        self.assertIsNone(client.get("a", "gone"))
        self.assertIsNone(client.get("a", "over"))
        self.assertEqual(client.get("a", "k1"), b"new")
        self.assertEqual(client.ask_all("LIST b"), ["KEY k5"])
        self.assertEqual(client.stat("items", "a"), 1000)

    def test_what_memcached_clients_know(self):
        daemon = self.lasting()
        wire = self.kept(Client(daemon.memcache))
        wire.ask("ms k 3 F5\r\nabc")
        self.assertEqual(wire.ask("ms d 1\r\nx"), "HD")
        version = wire.ask("mg k c").split("c")[1]
        self.assertEqual(wire.ask("md d I T0"), "HD")
        wire.send("flush_all 1\r\n")
        self.assertEqual(wire.line(), "OK")
        daemon.again(signal.SIGKILL)
        wire = self.kept(Client(daemon.memcache))
        self.assertEqual(wire.ask("mg k f c"), f"HD f5 c{version}")
        self.assertEqual(wire.ask(f"ms k 3 C{int(version) - 1}\r\nnew"), "EX")
        self.assertEqual(wire.ask(f"ms k 3 C{version}\r\nnew"), "HD")
        # A flush that was asked for later comes all the same.
        wait_for(lambda: wire.ask("mg k") == "EN", 3, "the flush")

    def test_a_namespace_that_may_no_longer_be_used_is_dropped(self):
        daemon = self.lasting()
        client = self.connect(daemon)
        client.put("a", "k", "v")
        client.put("b", "k", "v")
        declared = 'namespaces = ( { name = "a"; } ); namespaces_policy = "declared";'
        daemon.again(signal.SIGKILL, declared)
        client = self.connect(daemon)
        self.assertEqual(client.get("a", "k"), b"v")
        daemon.again(signal.SIGTERM, "")
        client = self.connect(daemon)
        self.assertEqual(client.get("a", "k"), b"v")
        self.assertIsNone(client.get("b", "k"))

    def test_less_memory_and_more(self):
        daemon = self.lasting('memory = "32M";')
        client = self.connect(daemon)
        for i in range(200):
            client.put("a", f"k{i}", "v" * 100000)
        daemon.again(signal.SIGKILL, 'memory = "8M"; max_value = "1M";')
        daemon.wait_log(r"\d+ records did not fit into 8.*MiB")
        client = self.connect(daemon)
        items = client.stat("curr_items")
        self.assertLessEqual(items, 80)
        self.assertGreater(items, 20)
        self.assertLessEqual(client.stat("memory_used"), 8 * MIB)
        wait_for(lambda: os.stat(daemon.arena).st_blocks * 512 < 12 * MIB, 5, "blocks to be given back")
        daemon.again(signal.SIGTERM, 'memory = "64M";')
        client = self.connect(daemon)
        # The housekeeper may have made some more room meanwhile.
        self.assertLessEqual(client.stat("curr_items"), items)
        self.assertGreater(client.stat("curr_items"), 20)
        for i in range(450):
            client.put("b", f"k{i}", "v" * 100000)
        self.assertEqual(client.stat("evictions"), 0)
        self.assertEqual(len(client.ask_all("LIST b")), 450)

    def test_a_full_one_evicts_as_before(self):
        daemon = self.lasting('memory = "8M"; max_value = "1M";')
        client = self.connect(daemon)
        for _ in range(3):
            for i in range(30000):
                client.send(f"PUT a k{i} - 500\r\n" + "v" * 500 + "\r\n")
                if i % 100 == 99:
                    client.expect("STORED\r\n" * 100)
            daemon.again(signal.SIGKILL)
            client = self.connect(daemon)
            self.assertGreater(client.stat("curr_items"), 5000)
            self.assertLessEqual(client.stat("memory_used"), 8 * MIB)
            self.assertLess(os.stat(daemon.arena).st_blocks * 512, 9 * MIB)


class Rebooted(LastingCase):
    """Another run of the machine, as far as the daemon can see."""

    BOOT = "/proc/sys/kernel/random/boot_id"
    SCRIPT = f'mount --bind "$0" {BOOT} && exec "$@"'

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kvcached-e2e-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.boot = os.path.join(self.folder, "boot_id")
        self.reboot()
        probe = subprocess.run(self.launcher() + ["cat", self.BOOT], capture_output=True,
                               text=True, check=False)
        if probe.returncode != 0:
            self.skipTest("needs the right to mount")

    def launcher(self):
        return ["unshare", "-m", "sh", "-c", self.SCRIPT, self.boot]

    def reboot(self):
        with open(self.boot, "w", encoding="ascii") as file:
            file.write(f"{uuid.uuid4()}\n")

    def test_after_a_clean_stop_time_goes_on(self):
        daemon = self.lasting(launcher=self.launcher())
        client = self.connect(daemon)
        client.put("a", "k", "v", "1h")
        client.put("a", "short", "v", "100ms")
        asked = time.monotonic()
        daemon.end(signal.SIGTERM)
        self.reboot()
        time.sleep(0.15)
        daemon.start()
        client = self.connect(daemon)
        daemon.wait_log("kept")
        passed = time.monotonic() - asked
        self.assertEqual(client.get("a", "k"), b"v")
        self.assertIsNone(client.get("a", "short"))
        left = float(client.ask("TTL a k").split(" ")[1])
        self.assertAlmostEqual(left, 3600 - passed, delta=seconds(0.1))

    def test_after_a_crash_it_is_empty(self):
        daemon = self.lasting(launcher=self.launcher())
        self.connect(daemon).put("a", "k", "v")
        daemon.end(signal.SIGTERM)
        self.reboot()
        daemon.start()
        self.assertEqual(self.connect(daemon).get("a", "k"), b"v")
        daemon.end(signal.SIGKILL)
        self.reboot()
        daemon.start()
        daemon.wait_log("emptied: the machine went down")
        client = self.connect(daemon)
        self.assertIsNone(client.get("a", "k"))
        self.assertEqual(client.stat("curr_items"), 0)
        self.assertFalse(os.path.exists(daemon.arena + ".aside"))


class Beside(LastingCase):
    """The file and what is around it."""

    def refuse(self, daemon, status):
        """Another daemon over the same configuration must not start."""
        with open(daemon.path("second"), "wb") as log:
            second = subprocess.run([DAEMON, "-c", daemon.conf], stderr=log, timeout=seconds(20),
                                    check=False, preexec_fn=daemon.without_core)
        with open(daemon.path("second"), encoding="utf-8") as log:
            said = log.read()
        self.assertEqual(second.returncode, status, said)
        return said

    def test_two_cannot_have_it(self):
        daemon = self.lasting()
        self.connect(daemon).put("a", "k", "v")
        self.assertIn("another kvcached uses it", self.refuse(daemon, 69))
        self.assertEqual(self.connect(daemon).get("a", "k"), b"v")

    def test_it_is_its_owners(self):
        daemon = self.lasting()
        self.assertEqual(stat.S_IMODE(os.stat(daemon.arena).st_mode), 0o600)

    def test_something_else_is_set_aside(self):
        daemon = self.lasting(run=False)
        with open(daemon.arena, "w", encoding="utf-8") as file:
            file.write("dear diary\n" * 1000)
        daemon.start()
        daemon.wait_log(r"warning: arena .*no arena of kvcached; set aside as .*\.aside")
        with open(daemon.arena + ".aside", encoding="utf-8") as file:
            self.assertEqual(file.read(), "dear diary\n" * 1000)
        self.assertEqual(self.connect(daemon).put("a", "k", "v"), "STORED")

    def test_what_cannot_be_had_is_said(self):
        daemon = self.lasting(run=False)
        os.mkdir(daemon.arena)
        self.assertIn(f"arena.file: {daemon.arena} is a directory", self.refuse(daemon, 78))
        os.rmdir(daemon.arena)
        os.symlink("/dev/null", daemon.arena)
        self.assertIn("symbolic link", self.refuse(daemon, 78))
        os.unlink(daemon.arena)
        daemon.configure('memory = "1T";')
        self.assertIn("the file system has room for", self.refuse(daemon, 73))
        self.assertFalse(os.path.exists(daemon.arena))

    def test_a_limit_on_files(self):
        def limited():
            Lasting.without_core()
            resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
        daemon = self.lasting(run=False)
        daemon.without_core = limited
        self.assertIn("ulimit -f", self.refuse(daemon, 73))

    def test_a_reload_says_what_waits(self):
        daemon = self.lasting()
        self.connect(daemon).put("a", "k", "v")
        daemon.write_conf(daemon.listen + "threads = 2;\n")
        said = daemon.reload("left as it was until a restart.*\n(.*\n)*.*reloaded")
        self.assertIn("until a restart: arena", said)
        self.assertEqual(self.connect(daemon).get("a", "k"), b"v")

    def test_damage_is_no_crash(self):
        """Pages of noise and of zeros; whatever is served is right."""
        chance = random.Random(7)
        daemon = self.lasting('memory = "8M"; max_value = "1M";')
        client = self.connect(daemon)
        for i in range(3000):
            client.send(f"PUT a k{i} - 9\r\nvalue{i:04}\r\n")
        for i in range(10):
            client.send(f"PUT a large{i} - 100000\r\n" + f"{i}" * 100000 + "\r\n")
        client.expect("STORED\r\n" * 3010)
        daemon.end(signal.SIGKILL)
        whole = daemon.arena + ".whole"
        self.copy(daemon.arena, whole)
        for number in range(12):
            self.damage(daemon.arena, whole, chance, number)
            daemon.start()
            client = self.connect(daemon)
            for i in range(3000):
                client.send(f"GET a k{i}\r\n")
            for i in range(3000):
                reply = client.reply()
                if reply != "NOT_FOUND":
                    self.assertEqual(reply[1], b"value%04d" % i)
            for i in range(10):
                self.assertIn(client.get("a", f"large{i}"), (None, b"%d" % i * 100000))
            self.assertEqual(client.put("a", "k0", "again"), "STORED")
            daemon.end(signal.SIGKILL)
        daemon.start()

    @staticmethod
    def copy(source, target):
        """Holes are holes again."""
        subprocess.run(["cp", "--sparse=always", source, target], check=True)

    @staticmethod
    def written(file):
        """Where the file has data: the first byte of each 512."""
        places, at = [], 0
        length = os.fstat(file.fileno()).st_size
        while True:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                return places
            at = min(os.lseek(file.fileno(), start, os.SEEK_HOLE), length)
            places += range(start, at, 512)

    def damage(self, arena, whole, chance, number):
        self.copy(whole, arena)
        with open(arena, "r+b") as target:
            places = [at for at in self.written(target) if at >= 4096]
            for _ in range(1 << number % 7):
                target.seek(chance.choice(places))
                target.write(bytes(512) if chance.random() < 0.5 else chance.randbytes(512))
            if number % 4 == 3:
                target.truncate(chance.choice(places) + chance.randrange(512))

    def test_clients_wait_at_the_door(self):
        """With a socket of the service manager's, a restart refuses nobody."""
        daemon = self.lasting(run=False)
        with socket.create_server(("127.0.0.1", 0)) as door:
            door.listen(64)
            address = door.getsockname()
            os.set_inheritable(door.fileno(), True)
            program = ("import os, sys\nos.dup2(int(sys.argv[1]), 3)\n"
                       "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))\n"
                       "os.execv(sys.argv[2], sys.argv[2:])\n")
            daemon.command = ["python3", "-c", program, str(door.fileno()), *daemon.command]
            daemon.pass_fds = (door.fileno(),)
            daemon.wait_listening = lambda: None
            daemon.start()
            with Client(address) as client:
                client.put("a", "k", "v")
            if "by socket activation" not in daemon.log():
                self.skipTest("built without systemd")
            daemon.end(signal.SIGKILL)
            with Client(address) as client:
                client.send("GET a k\r\n")
                daemon.start()
                client.expect("VALUE 1\r\nv\r\n")
