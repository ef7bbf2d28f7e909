"""Signals at any moment: while a daemon starts, reads its arena, checks a secret."""

import collections
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

from harness import SANITIZER, Case, Client, leaving_threads, seconds, wait_for
from threads_of import threads_of

ROUNDS = int(os.environ.get("SIGNAL_ROUNDS") or 40)
SEED = os.environ.get("SIGNAL_SEED") or ""
BOTH = 'listen = ( { path = "@/socket"; }, { address = "127.0.0.1"; port = 0; } );\n'
STOPS = (signal.SIGTERM, signal.SIGINT)


def chance_of(number):
    """The moments of a test: the same in every run, unless there is a seed."""
    return random.Random(f"{SEED} {number}" if SEED else number)


def has_begun(pid):
    """Whether main has: it catches or holds SIGTERM from its first line on."""
    wanted = 1 << signal.SIGTERM - 1
    try:
        with open(f"/proc/{pid}/status") as status:
            masks = dict(re.findall(r"^(SigBlk|SigCgt):\s+(\w+)$", status.read(), re.M))
    except (FileNotFoundError, ProcessLookupError):
        return False
    return any(int(mask, 16) & wanted for mask in masks.values())


def is_daemon(pid, name):
    """Not any more what started it: subprocess, unshare or a shell."""
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith(name)
    except OSError:
        return False


class Rounds(Case):
    """Starts the same daemon again and again."""

    @contextlib.contextmanager
    def round(self, daemon, **what):
        """One start. Where it fails it says where the threads are, and nothing is left that holds
        the pid file of the next one."""
        with self.subTest(**what):
            try:
                yield
            except Exception as error:
                daemon.forked = daemon.forked or self.forked(daemon)
                if not daemon.running() and not daemon.forked:
                    raise
                where = threads_of(daemon.pid)
                daemon.kill()
                raise AssertionError(f"{error}\n{where}") from error

    @staticmethod
    def forked(daemon):
        """The number in the pid file, if it is another process than the one that was started."""
        try:
            with open(daemon.path("pid")) as file:
                number = int(file.read())
        except (OSError, ValueError):
            return None
        return number if number != daemon.process.pid and is_daemon(number, "kvcached") else None

    def check_gone(self, daemon):
        self.assertEqual(daemon.wait_exit(), 0, daemon.log())
        self.assertFalse(os.path.exists(daemon.path("pid")), "the pid file is left")
        self.assertFalse(os.path.exists(daemon.path("socket")), "the socket is left")


class Early(Rounds):
    CONF = 'pid_file = "@/pid";'

    def begin(self, daemon):
        """Starts it, and returns as soon as main has begun."""
        daemon.start(ready=False)
        deadline = time.monotonic() + seconds(5)
        while not (is_daemon(daemon.process.pid, "kvcached") and has_begun(daemon.process.pid)):
            self.assertLess(time.monotonic(), deadline, "main has not begun")
            self.assertTrue(daemon.running(), daemon.log())

    def wait_a_moment(self, chance):
        """A moment within the start, or shortly after it: nothing is waited for."""
        until = time.monotonic() + chance.random() ** 2 * 0.03
        while time.monotonic() < until:
            pass

    def test_stops(self):
        chance = chance_of(1)
        daemon = self.start(self.CONF, listen=BOTH, run=False)
        for i in range(ROUNDS):
            with self.round(daemon, round=i):
                self.begin(daemon)
                self.wait_a_moment(chance)
                daemon.send_signal(STOPS[i % 2])
                self.check_gone(daemon)

    def test_stops_of_a_start_with_an_arena(self):
        chance = chance_of(2)
        daemon = self.start(self.CONF + 'arena = { file = "@/arena"; };', listen=BOTH, run=False)
        for i in range(ROUNDS):
            with self.round(daemon, round=i):
                self.begin(daemon)
                self.wait_a_moment(chance)
                daemon.send_signal(STOPS[i % 2])
                self.check_gone(daemon)

    def is_done_when_it_can_be(self, number, said):
        chance = chance_of(int(number))
        daemon = self.start(self.CONF, listen=BOTH, run=False)
        for i in range(ROUNDS):
            with self.round(daemon, round=i):
                before = len(daemon.log())
                self.begin(daemon)
                self.wait_a_moment(chance)
                daemon.send_signal(number)
                daemon.wait_log(said, after=before)
                with Client(daemon.path("socket")) as client:
                    self.assertEqual(client.ask("PING"), "PONG")
                daemon.send_signal(signal.SIGTERM)
                self.check_gone(daemon)

    def test_a_reload_is_done_when_it_can_be(self):
        self.is_done_when_it_can_be(signal.SIGHUP, "reloaded the configuration")

    def test_the_log_is_opened_again_when_it_can_be(self):
        self.is_done_when_it_can_be(signal.SIGUSR1, "opened the log again")

    def test_both_at_once(self):
        """A second signal to stop ends the process at once, whatever its threads do."""
        chance = chance_of(4)
        daemon = self.start(self.CONF, listen=BOTH, run=False, environment=leaving_threads())
        for i in range(ROUNDS // 2):
            with self.round(daemon, round=i):
                self.begin(daemon)
                self.wait_a_moment(chance)
                try:
                    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGHUP,
                                   signal.SIGUSR1, signal.SIGINT):
                        daemon.send_signal(number)
                except ProcessLookupError:
                    pass
                self.check_gone(daemon)

    def test_in_the_background(self):
        """The process that waits passes a signal on, so nothing is left that serves."""
        chance = chance_of(5)
        daemon = self.start(self.CONF + 'log = "@/log";', listen=BOTH, run=False)
        daemon.command.append("-d")
        for i in range(ROUNDS // 2):
            with self.round(daemon, round=i):
                daemon.start(ready=False)
                self.wait_a_moment(chance)
                while daemon.running() and not has_begun(daemon.process.pid):
                    pass
                daemon.process.send_signal(signal.SIGTERM)
                self.assertEqual(daemon.wait_exit(), 0, daemon.log())
                try:
                    with open(daemon.path("pid")) as file:
                        daemon.forked = int(file.read())
                    os.kill(daemon.forked, signal.SIGTERM)  # it was ready before
                except (FileNotFoundError, ProcessLookupError):
                    pass
                wait_for(lambda: not os.path.exists(daemon.path("pid")), what="the pid file to go")
                daemon.forked = None
                self.assertFalse(os.path.exists(daemon.path("socket")))

    def test_what_is_no_daemon_is_not_successful(self):
        """-t that is ended did not find a configuration good."""
        daemon = self.start(run=False)
        os.unlink(daemon.conf)
        os.mkfifo(daemon.conf)
        # ThreadSanitizer keeps a handler back while open() waits.
        tasks = {"-t": -signal.SIGTERM} if SANITIZER == "thread" else {"-t": -signal.SIGTERM,
                                                                       None: 0}
        for option, status in tasks.items():
            with self.subTest(option=option):
                command = daemon.command + ([option] if option else [])
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL)
                self.addCleanup(process.kill)

                wait_for(lambda: is_daemon(process.pid, "kvcached") and self.sleeps(process.pid),
                         what="it to open the configuration")
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(seconds(2)), status)

    @staticmethod
    def sleeps(pid):
        """It does, with no signal held: it is at the FIFO."""
        with open(f"/proc/{pid}/stat") as file:
            state = file.read().rsplit(")", 1)[1].split()[0]
        with open(f"/proc/{pid}/status") as file:
            held = int(re.search(r"^SigBlk:\s+(\w+)$", file.read(), re.M).group(1), 16)
        return state == "S" and held & 1 << signal.SIGTERM - 1 == 0


class FirstProcess(Early):
    """As the first process of a container: the kernel drops what such a one does not handle."""

    def setUp(self):
        super().setUp()
        command = ["unshare", "--pid", "--fork", "--kill-child", "true"]
        try:
            done = subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0
        except FileNotFoundError:
            done = False
        if not done:
            self.skipTest("no namespace of processes can be made here")

    def begin(self, daemon):
        daemon.start(ready=False)
        parent = daemon.process.pid

        def child():
            with open(f"/proc/{parent}/task/{parent}/children") as file:
                found = file.read().split()
            return int(found[0]) if found else None
        deadline = time.monotonic() + seconds(5)
        daemon.forked = None
        while not (daemon.forked and is_daemon(daemon.forked, "kvcached")
                   and has_begun(daemon.forked)):
            daemon.forked = child()
            self.assertLess(time.monotonic(), deadline, "main has not begun")
            self.assertTrue(daemon.running(), daemon.log())

    def check_gone(self, daemon):
        super().check_gone(daemon)
        daemon.forked = None

    def start(self, *arguments, **options):
        daemon = super().start(*arguments, **options)
        daemon.command = ["unshare", "--pid", "--fork", "--kill-child", *daemon.command]
        return daemon

    # Those would start it otherwise.
    test_in_the_background = test_what_is_no_daemon_is_not_successful = None


class EachCall(Rounds):
    """A stop at every system call that the main thread makes in a start: strace raises it there."""

    CONF = 'pid_file = "@/pid"; arena = { file = "@/arena"; };'
    HELD = re.compile(r"rt_sigprocmask\(SIG_BLOCK, \[.*TERM")

    def setUp(self):
        super().setUp()
        if shutil.which("strace") is None:
            self.skipTest("needs strace")
        if subprocess.run(["strace", "-o", "/dev/null", "true"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no process can be traced here")

    def traced(self):
        """A daemon that is not started yet. Leaks are not looked for: that is done by tracing, too;
        and a second stop leaves threads behind."""
        leaks = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + " detect_leaks=0"}
        daemon = self.start(self.CONF, listen=BOTH, run=False,
                            environment={**leaks, **leaving_threads()})
        self.plain = daemon.command
        return daemon

    def trace(self, daemon, *options):
        """Starts it. With -D it is strace that is the child."""
        daemon.command = ["strace", "-D", "-o", daemon.path("trace"), *options, *self.plain]
        daemon.start(ready=False)

    @staticmethod
    def seen(daemon):
        try:
            with open(daemon.path("trace"), errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def calls(self, daemon):
        """As (name, how often it was called until then), from main's first line to its event
        loop."""
        self.trace(daemon)
        wait_for(lambda: "\nepoll_wait(" in self.seen(daemon), what="the event loop")
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_exit()
        counts, found, held = collections.Counter(), [], False
        for line in self.seen(daemon).splitlines():
            name = re.match(r"\w+(?=\()", line)
            if name and name[0] == "epoll_wait":
                break
            if name:
                counts[name[0]] += 1
                found += [(name[0], counts[name[0]])] if held else []
            held = held or self.HELD.match(line) is not None
        return found

    def stop_at(self, daemon, name, number):
        before = len(daemon.log_bytes())
        self.trace(daemon, "-e", f"inject={name}:signal=SIGTERM:when={number}")

        def is_over():
            return not daemon.running() or b"listening on" in daemon.log_bytes()[before:]
        wait_for(is_over, what="it to stop, or to serve")
        if daemon.running() and "--- SIGTERM" not in self.seen(daemon):
            daemon.send_signal(signal.SIGTERM)  # this start made fewer such calls

    def test_stops(self):
        daemon = self.traced()
        calls = self.calls(daemon)
        self.assertGreater(len(calls), 50)
        for name, number in calls:
            with self.round(daemon, call=name, number=number):
                self.stop_at(daemon, name, number)
                self.check_gone(daemon)
                daemon.check_health()


class Reading(Case):
    """While the records of an arena are read."""

    RECORDS = 400000
    CONF = 'threads = 1; pid_file = "@/pid"; memory = "128M"; arena = { file = "@/arena"; };'

    def filled(self):
        daemon = self.start(self.CONF, listen=BOTH)
        with Client(daemon.path("socket"), timeout=60) as client:
            for first in range(0, self.RECORDS, 10000):
                client.send("".join(f"PUT n k{i} 1h 5\r\nvalue\r\n" for i in range(first,
                                                                               first + 10000)))
                client.expect("STORED\r\n" * 10000)
        daemon.stop(timeout=10)
        return daemon

    def begin_reading(self, daemon):
        before = len(daemon.log())
        daemon.start(ready=False)
        daemon.wait_log("arena .*: reading", after=before)

    def expect_all(self, daemon):
        before = len(daemon.log())
        daemon.start(ready=False)
        found = daemon.wait_log(r"kept (\d+) records", 30, after=before)
        self.assertEqual(int(found.group(1)), self.RECORDS)
        daemon.wait_log("listening on", after=before)
        with Client(daemon.path("socket")) as client:
            self.assertEqual(client.get("n", "k77"), b"value")

    def test_a_stop_loses_nothing(self):
        daemon = self.filled()
        for number in STOPS * 2:
            self.begin_reading(daemon)
            started = time.monotonic()
            daemon.send_signal(number)
            self.assertEqual(daemon.wait_exit(), 0, daemon.log())
            self.assertLess(time.monotonic() - started, seconds(1))
            self.assertFalse(os.path.exists(daemon.path("pid")))
            self.assertFalse(os.path.exists(daemon.path("socket")))
        self.assertIn("stopping during the start: SIGTERM", daemon.log())
        self.expect_all(daemon)

    def test_a_reload_is_done_after_it(self):
        daemon = self.filled()
        before = len(daemon.log())
        self.begin_reading(daemon)
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_log("reloaded the configuration", 30, after=before)
        with Client(daemon.path("socket")) as client:
            self.assertEqual(client.get("n", "k77"), b"value")


class CostlySecrets(Case):
    # yescrypt that takes seconds; of what does not matter.
    HASH = "$y$jFT$j1A93hWMHr/UO7fEIOb75.$S.DtrOFm75ankWZVlETbdQMVjGS9FMIgQies1Re91J2"

    def test_a_stop_does_not_wait_for_a_check(self):
        daemon = self.start('users = ( { name = "web"; secret = "%s"; read = "*"; } );'
                            % self.HASH)
        clients = [self.connect(daemon) for _ in range(3)]
        for client in clients:
            client.send("AUTH web guess\r\n")

        def checks():
            for task in os.listdir(f"/proc/{daemon.pid}/task"):
                with open(f"/proc/{daemon.pid}/task/{task}/stat") as file:
                    name, fields = file.read().split("(", 1)[1].rsplit(")", 1)
                if name == "authenticator" and fields.split()[0] == "R":
                    return True
            return False
        wait_for(checks, what="a check to begin")
        started = time.monotonic()
        daemon.stop()
        self.assertLess(time.monotonic() - started, seconds(1.5))


if __name__ == "__main__":
    unittest.main()
