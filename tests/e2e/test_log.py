"""A log that stands still, and lines that strangers bring about: neither holds the daemon up."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import time
import unittest

from harness import Case, Client, seconds, wait_for

UNIX = 'listen = ( { path = "@/socket"; } );\n'
BROWSER = "POST / HTTP/1.1\r\n"


class Stalled(Case):
    """A daemon whose log nothing reads: it is known by its socket alone."""

    def pipe(self):
        """A pipe that takes little; returns its ends."""
        ends = os.pipe()
        for end in ends:
            self.addCleanup(os.close, end)
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 16384)
        return ends

    @staticmethod
    def fill(end):
        os.set_blocking(end, False)
        try:
            while os.write(end, b"x" * 4096):
                pass
        except BlockingIOError:
            pass
        os.set_blocking(end, True)

    def start_stalled(self, conf="", **options):
        daemon = self.start(conf, listen=UNIX, ready=False, **options)
        wait_for(lambda: self.listens(daemon), 10, "the socket")
        self.wait_answer(daemon)
        return daemon

    @staticmethod
    def listens(daemon):
        """The socket is there a moment before it is listened on."""
        try:
            Client(daemon.path("socket")).close()
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def wait_answer(self, daemon):
        with Client(daemon.path("socket"), timeout=15) as client:
            self.assertEqual(client.ask("PING"), "PONG")

    def make_noise(self, daemon):
        """Until lines are lost. At the level debug each connection makes one."""
        def lost():
            for _ in range(200):
                with Client(daemon.path("socket")) as client:
                    client.send("QUIT\r\n")
                    client.rest()
            with Client(daemon.path("socket")) as client:
                return client.stat("log_lines_lost")
        return wait_for(lost, 30, "the log to lose lines")

    def check_life(self, daemon):
        """All that must go on: serving, a reload, the end."""
        self.make_noise(daemon)
        with Client(daemon.path("socket")) as client:
            self.assertEqual(client.put("n", "k", "v"), "STORED")
            daemon.configure(daemon.conf_text + 'ttl = "2h";')
            daemon.send_signal(signal.SIGHUP)

            def reloaded():
                client.put("n", "k", "v")
                return 7000 < float(client.ask("TTL n k").split()[1])
            wait_for(reloaded, what="the reload")
            started = time.monotonic()
            daemon.stop()
            self.assertLess(time.monotonic() - started, seconds(1.5))
        self.assertFalse(os.path.exists(daemon.path("socket")))

    def test_stderr_is_a_pipe_that_is_not_read(self):
        _, writer = self.pipe()
        daemon = self.start_stalled('log = { to = "stderr"; level = "debug"; }; ttl = "1h";',
                                    before_exec=lambda: os.dup2(writer, 2))
        daemon.conf_text = 'log = { to = "stderr"; level = "debug"; };'
        self.check_life(daemon)

    def test_a_pipe_that_was_full_before(self):
        _, writer = self.pipe()
        self.fill(writer)
        daemon = self.start_stalled('log = { to = "stderr"; level = "debug"; }; ttl = "1h";',
                                    before_exec=lambda: os.dup2(writer, 2))
        daemon.conf_text = 'log = { to = "stderr"; level = "debug"; };'
        self.check_life(daemon)

    def test_a_bad_configuration_does_not_hang(self):
        _, writer = self.pipe()
        self.fill(writer)
        daemon = self.start("nonsense = 1;", ready=False, before_exec=lambda: os.dup2(writer, 2))
        self.assertEqual(daemon.wait_exit(), 78)

    def test_what_was_lost_is_told(self):
        reader, writer = self.pipe()
        daemon = self.start_stalled('log = { to = "stderr"; level = "debug"; };',
                                    before_exec=lambda: os.dup2(writer, 2))
        self.make_noise(daemon)
        os.set_blocking(reader, False)
        said = b""

        def told():
            nonlocal said
            try:
                said += os.read(reader, 65536)
            except BlockingIOError:
                pass
            return re.search(rb"warning: log: [1-9]\d* lines lost", said)
        wait_for(told, 10, "the number of lost lines")

    def mounted(self):
        """In a directory of devices of its own, whose /dev/log is this test's: not read."""
        daemon = self.start(run=False, listen=UNIX)
        devices = daemon.path("dev")
        os.mkdir(devices)
        script = ('mount -t tmpfs tmpfs "$0" && : >"$0/null" && mount --bind /dev/null "$0/null" '
                  '&& ln -s "$1" "$0/log" && mount --rbind "$0" /dev && shift && exec "$@"')
        daemon.command = ["unshare", "-m", "sh", "-c", script, devices, daemon.path("syslog"),
                          *daemon.command]
        syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(syslog.close)
        syslog.bind(daemon.path("syslog"))
        if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", devices],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("nothing can be mounted here")
        return daemon, syslog

    @unittest.skipIf(os.geteuid() != 0, "only root can mount")
    def test_syslog_is_not_read(self):
        daemon, syslog = self.mounted()
        daemon.conf_text = 'log = { to = "syslog"; level = "debug"; };'
        daemon.configure(daemon.conf_text + 'ttl = "1h";')
        daemon.start(ready=False)
        wait_for(lambda: self.listens(daemon), 10, "the socket")
        self.wait_answer(daemon)
        self.assertRegex(syslog.recv(4096), rb"^<2\d>\w+ +\d+ [\d:]+ kvcached\[%d\]: " % daemon.pid)
        self.check_life(daemon)

    @unittest.skipIf(os.geteuid() != 0, "only root can mount")
    def test_in_the_background(self):
        daemon, _ = self.mounted()
        daemon.configure('pid_file = "@/pid"; log = { to = "stderr"; level = "debug"; };')
        daemon.command += ["-d"]
        daemon.start(ready=False)
        self.assertEqual(daemon.wait_exit(10), 0, daemon.log())
        with open(daemon.path("pid")) as file:
            daemon.forked = int(file.read())
        self.make_noise(daemon)
        os.kill(daemon.forked, signal.SIGTERM)
        wait_for(lambda: not os.path.exists(daemon.path("pid")), 2, "the daemon to leave")
        daemon.forked = None


class Refused(Case):
    """What cannot be written without waiting is no log."""

    def names(self, daemon):
        os.mkfifo(daemon.path("fifo"))
        os.mkdir(daemon.path("directory"))
        return {daemon.path("fifo"): "a FIFO", daemon.path("directory"): "a directory",
                "/dev/null": "a device"}

    def test_by_the_check_and_the_start(self):
        daemon = self.start(run=False)
        for name, kind in self.names(daemon).items():
            with self.subTest(name=name):
                daemon.configure(f'log = "{name}";')
                check = subprocess.run([*daemon.command, "-t"], capture_output=True,
                                       timeout=seconds(5))
                self.assertEqual(check.returncode, 1)
                daemon.start(ready=False)
                self.assertEqual(daemon.wait_exit(), 78)
                for said in (check.stderr.decode(), daemon.log()):
                    self.assertRegex(said, rf"kvcached\.conf:\d+: log\.to: \S+ is {kind}, write")

    def test_by_a_reload(self):
        daemon = self.start()
        for name, kind in self.names(daemon).items():
            with self.subTest(name=name):
                daemon.configure(f'log = {{ to = "{name}"; }};')
                self.assertIn(f"is {kind}, write", daemon.reload("refused"))
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")


class Strangers(Case):
    """Lines that anyone can bring about are held back by their reason, and counted."""

    TRIES = 300

    def check(self, daemon, pattern, what):
        """Each line is told or counted, and few are told."""
        def told_and_counted():
            log = daemon.log()
            told = len(re.findall(pattern, log))
            counted = sum(map(int, re.findall(rf"{re.escape(what)}: and (\d+) more", log)))
            return (told, counted) if told + counted >= self.TRIES else None
        told, counted = wait_for(told_and_counted, 10, "all lines to be counted")
        self.assertEqual(told + counted, self.TRIES)
        self.assertGreater(counted, 0)

    def test_browsers(self):
        """These are probes, which come all day: one line in ten minutes."""
        daemon = self.start()
        for _ in range(self.TRIES):
            with self.connect(daemon) as client:
                client.send(BROWSER)
                client.rest()
        daemon.stop()
        what = "closed: it speaks HTTP, which needs a listener with protocol = http"
        log = daemon.log()
        self.assertEqual(len(re.findall(rf"notice: 127\.0\.0\.1:\d+: \S+: {what}$", log, re.M)), 1)
        self.assertIn(f"{what}: and {self.TRIES - 1} more\n", log)

    def test_bad_requests(self):
        daemon = self.start()
        for _ in range(self.TRIES):
            with self.connect(daemon) as client:
                client.send("PUT a b c d e f\r\n")
                client.rest()
        what = "closed after an error, since it is unknown where the next request begins"
        self.check(daemon, rf"127\.0\.0\.1:\d+: {what}", what)

    def test_one_reason_does_not_silence_another(self):
        daemon = self.start()
        for _ in range(50):
            with self.connect(daemon) as client:
                client.send(BROWSER)
                client.rest()
        with self.connect(daemon) as client:
            client.send("PUT a b c d e f\r\n")
            client.rest()
        daemon.wait_log(r"\d: closed after an error")


if __name__ == "__main__":
    unittest.main()
