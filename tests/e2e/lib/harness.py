"""What every end-to-end test stands on: a real daemon of its own.

This file owns starting, watching and stopping daemons, each in a directory of
its own, with a configuration of its own, on a port that the kernel picked; and
the test cases that clean up behind them. A daemon is always asked to leave and
must do so with 0 and in good health; what does not is killed by its number.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import encryption
import nodes
from client import Client, as_bytes
from threads_of import threads_of
from timing import DAEMON, SANITIZER, seconds, wait_for

__all__ = ["Case", "Client", "DAEMON", "Daemon", "SANITIZER", "SharedCase", "as_bytes",
           "leaving_threads", "seconds", "wait_for"]

SANITIZER_WORDS = (b"ERROR: AddressSanitizer", b"ERROR: LeakSanitizer",
                   b"WARNING: ThreadSanitizer", b"runtime error:")


class Daemon:
    """A daemon of one test. stop() expects a clean end; kill() is for tear-down.

    An @ in `listen` and `conf` stands for the daemon's own directory.
    """

    alive = set()
    ARENA = os.environ.get("E2E_ARENA")  # have every daemon's records lie in a file
    LISTENING = re.compile(rb"listening on (\S+) \((\w+)\)")
    SPEAKING_TLS = re.compile(r"listening on \[?([^\s\]]+)\]?:(\d+) \(\w+\), with TLS")
    LISTEN = 'listen = ( { address = "127.0.0.1"; port = 0; } );\n'

    def __init__(self, conf="", listen=None, arguments=(), environment=None, before_exec=None,
                 launcher=(), pass_fds=(), run=True, ready=True):
        if not DAEMON:
            raise unittest.SkipTest("no kvcached was found; name it in KVCACHED")
        self.folder = tempfile.mkdtemp(prefix="kvcached-e2e-")
        self.alive.add(self)
        os.chmod(self.folder, 0o755)
        self.conf = os.path.join(self.folder, "kvcached.conf")
        self.log_path = os.path.join(self.folder, "stderr")
        listen = encryption.Everywhere.encrypt(self.LISTEN) if listen is None else listen
        self.listen = listen.replace("@", self.folder)
        self.cluster = nodes.Everywhere.conf() if nodes.WANTED else ""
        self.configure(conf)
        self.command = [*launcher, DAEMON, "-c", self.conf, *arguments]
        self.environment = dict(os.environ, **(environment or {}))
        self.before_exec = before_exec
        self.pass_fds = pass_fds
        self.process = None
        self.forked = None
        if run:
            try:
                self.start(ready)
            except BaseException:
                sys.stderr.write(self.log())
                self.clean()
                raise

    def configure(self, conf):
        """Writes the configuration; the listeners stay what they are."""
        threads = "" if re.search(r"^threads", conf, re.M) else "threads = 2;\n"
        if self.ARENA and not re.search(r"^(arena|user)", conf, re.M):
            conf += '\narena = { file = "@/arena"; };'
        conf = (threads + conf).replace("@", self.folder)
        if self.cluster and not re.search(r"^(engine|cluster) ", conf, re.M):
            conf = nodes.Everywhere.without_quotas(conf) + "\n" + self.cluster
        self.write_conf(self.listen + conf + "\n")

    def write_conf(self, text):
        with open(self.conf + ".new", "w") as file:
            file.write(text)
        os.rename(self.conf + ".new", self.conf)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, ready=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env=self.environment, preexec_fn=self.before_exec, pass_fds=self.pass_fds)
        if ready:
            self.wait_listening()

    def wait_listening(self, count=1):
        def listening():
            if self.process.poll() is not None:
                raise AssertionError(f"the daemon ended with {self.process.returncode}:\n{self.log()}")
            return len(self.LISTENING.findall(self.log_bytes())) >= count
        wait_for(listening, 10, "the daemon to listen")
        for host, port in self.SPEAKING_TLS.findall(self.log()):
            encryption.Everywhere.addresses.add((host, int(port)))

    @property
    def pid(self):
        return self.forked or self.process.pid

    def addresses(self):
        """Where it listens, in the order of its log: (host, port), or a path."""
        found = []
        for name, _ in self.LISTENING.findall(self.log_bytes()):
            name = name.decode()
            if name.startswith("/"):
                found.append(name)
            else:
                host, port = name.rsplit(":", 1)
                found.append((host.strip("[]"), int(port)))
        return found

    @property
    def address(self):
        return self.addresses()[0]

    def connect(self, **options):
        return Client(self.address, **options)

    def log_bytes(self):
        try:
            with open(self.log_path, "rb") as log:
                return log.read()
        except FileNotFoundError:
            return b""

    def log(self):
        return self.log_bytes().decode("utf-8", "replace")

    def wait_log(self, pattern, timeout=5.0, after=0):
        """Waits for a line of the log that matches, from that offset on."""
        return wait_for(lambda: re.search(pattern, self.log()[after:], re.I), timeout,
                        f"/{pattern}/ in the log")

    def send_signal(self, number):
        os.kill(self.pid, number)

    def reload(self, wanted=r"reload"):
        """SIGHUP, and waits for the log to speak of it."""
        before = len(self.log())
        self.send_signal(signal.SIGHUP)
        self.wait_log(wanted, after=before)
        return self.log()[before:]

    def running(self):
        return self.process.poll() is None

    def resident(self):
        """Resident bytes."""
        with open(f"/proc/{self.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) * 1024

    def descriptors(self):
        """How many are open. Whoever is not root may not list those of a process that is not
        dumpable, but since Linux 6.2 count them; None where neither can be done."""
        folder = f"/proc/{self.pid}/fd"
        try:
            return len(os.listdir(folder))
        except PermissionError:
            return os.stat(folder).st_size or None

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_exit(self, timeout=5.0):
        """The status. Fails where it does not end in time, with where its threads are; it is killed
        then, so that another daemon can have its files."""
        try:
            return self.process.wait(seconds(timeout))
        except subprocess.TimeoutExpired:
            where = threads_of(self.pid)
            self.kill()
            raise AssertionError(f"{self.log()[-2000:]}still there after {seconds(timeout):g} s:\n"
                                 f"{where}") from None

    def stop(self, number=signal.SIGTERM, timeout=2.0):
        """Asks it to leave; it must do so in time, with 0, and in good health."""
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"the daemon was gone already:\n{self.log()}")
        self.send_signal(number)
        status = self.wait_exit(timeout)
        if status != 0:
            raise AssertionError(f"the daemon ended with {status}:\n{self.log()}")
        self.check_health()

    def check_health(self):
        for word in SANITIZER_WORDS:
            if word in self.log_bytes():
                raise AssertionError(f"a sanitizer spoke:\n{self.log()}")

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.forked:
            try:
                os.kill(self.forked, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.forked = None

    def clean(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.alive.discard(self)

    @classmethod
    def clean_all(cls):
        """For a run that is interrupted in the middle of a test."""
        for daemon in list(cls.alive):
            daemon.clean()


def leaving_threads():
    """The environment of a daemon that gets a second signal to stop: it leaves its threads behind
    then, on purpose, and ThreadSanitizer would say so."""
    return {"TSAN_OPTIONS": os.environ.get("TSAN_OPTIONS", "") + " report_thread_leaks=0"}


class Case(unittest.TestCase):
    """A test that starts daemons. Each is stopped, checked and cleaned after it;
    when the test fails, their logs are shown."""

    def run(self, result=None):
        result = result or self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        self.last_logs = []
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for log in self.last_logs:
                sys.stderr.write(f"--- the daemon's log, {self.id()}\n{log[-4000:]}---\n")
        return result

    def start(self, conf="", **options):
        """A daemon for this test, ready to be talked to."""
        daemon = Daemon(conf, **options)
        self.addCleanup(self._end, daemon)
        return daemon

    def _end(self, daemon):
        self.last_logs.append(daemon.log())
        try:
            if daemon.process is not None and daemon.running():
                daemon.stop()
            elif daemon.process is not None and daemon.process.returncode < 0:
                raise AssertionError(f"killed by signal {-daemon.process.returncode}")
            daemon.check_health()
        finally:
            self.last_logs[-1] = daemon.log()
            daemon.clean()

    def connect(self, daemon, **options):
        return self.kept(daemon.connect(**options))

    def kept(self, client):
        """A client that is closed when the test ends, whatever happens."""
        self.addCleanup(client.close)
        return client


class SharedCase(Case):
    """Tests that can share one daemon: started once for the class. Each test
    gets a namespace of its own, self.ns, and a connection, self.client."""

    CONF = ""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(cls.CONF)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.daemon.stop()
        finally:
            cls.daemon.clean()

    def setUp(self):
        self.ns = re.sub(r"[^A-Za-z0-9_]", "_", self.id().rsplit(".", 1)[-1])[:64]
        self.client = self.connect(self.daemon)

    def run(self, result=None):
        start = len(self.daemon.log())
        result = result or self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            sys.stderr.write(f"--- the shared daemon's log, {self.id()}\n"
                             f"{self.daemon.log()[start:][-4000:]}---\n")
        return result
