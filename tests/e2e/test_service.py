"""kvcached as a service: sockets it is given, notifications, background, users."""

import contextlib
import os
import pwd
import re
import signal
import socket
import sys
import time
import unittest

from harness import Case, Client, seconds, wait_for


# Puts the sockets it is told at 3, 4…, as systemd does, and becomes the daemon.
LAUNCHER = """
import os, sys
sockets = [int(word) for word in sys.argv[1].split(",")]
kept = [os.dup2(os.dup(fd), 50 + i) for i, fd in enumerate(sockets)]
for i, fd in enumerate(kept):
    os.dup2(fd, 3 + i, inheritable=True)
    os.close(fd)
os.environ["LISTEN_FDS"] = str(len(kept))
os.environ["LISTEN_PID"] = str(os.getpid() + int(sys.argv[2]))
os.execv(sys.argv[3], sys.argv[3:])
"""


class Activation(Case):
    def activate(self, sockets, wrong_pid=0, **options):
        fds = [s.fileno() for s in sockets]
        return self.start(
            launcher=[sys.executable, "-c", LAUNCHER, ",".join(map(str, fds)), str(wrong_pid)],
            pass_fds=fds, **options)

    def tcp(self):
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        return listener

    def test_a_tcp_socket(self):
        listener = self.tcp()
        waiting = self.kept(Client(listener.getsockname()))
        waiting.send("PING\r\n")
        daemon = self.activate([listener])
        waiting.expect("PONG\r\n")
        self.assertEqual(daemon.address, listener.getsockname())
        self.assertEqual(len(daemon.addresses()), 1, "the configured listener is open too")
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")

    def test_a_socket_that_others_can_reach(self):
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.bind(("", 0))
        listener.listen(1)
        daemon = self.activate([listener], ready=False)
        self.assertEqual(daemon.wait_exit(), 78)
        self.assertIn("other machines can reach 0.0.0.0", daemon.log())
        daemon = self.activate([listener], conf="insecure = true;")
        daemon.configure("")
        self.assertIn("until a restart", daemon.reload("refused"))
        client = self.kept(Client(("127.0.0.1", listener.getsockname()[1])))
        self.assertEqual(client.ask("PING"), "PONG")

    def test_several_sockets(self):
        one, two = self.tcp(), self.tcp()
        path = os.path.join(self.start().folder, "activated")
        three = socket.socket(socket.AF_UNIX)
        self.addCleanup(three.close)
        three.bind(path)
        three.listen(10)
        daemon = self.activate([one, two, three])
        daemon.wait_listening(3)
        for address in (one.getsockname(), two.getsockname(), path):
            self.assertEqual(self.kept(Client(address)).ask("PING"), "PONG")
        daemon.stop()
        self.assertTrue(os.path.exists(path), "a socket that is the manager's was removed")

    def test_sockets_meant_for_another_process(self):
        listener = self.tcp()
        daemon = self.activate([listener], wrong_pid=1)
        self.assertNotEqual(daemon.address, listener.getsockname())
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")


class Notification(Case):
    def notified(self, conf="", abstract=False, **environment):
        """A daemon with somebody to notify; returns it and the receiving socket."""
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(receiver.close)
        receiver.settimeout(seconds(5))
        daemon = self.start(conf, run=False)
        if abstract:
            receiver.bind("\0" + daemon.path("notify"))
            daemon.environment["NOTIFY_SOCKET"] = "@" + daemon.path("notify")
        else:
            receiver.bind(daemon.path("notify"))
            daemon.environment["NOTIFY_SOCKET"] = daemon.path("notify")
        daemon.environment.update(environment)
        daemon.start()
        return daemon, receiver

    def until(self, receiver, wanted):
        """All lines up to the message that holds `wanted`, that one included."""
        lines = []
        deadline = time.monotonic() + seconds(5)
        while wanted not in lines:
            self.assertLess(time.monotonic(), deadline, f"{wanted} did not come after {lines}")
            lines += receiver.recv(4096).decode().split("\n")
        return lines

    def test_the_whole_life(self):
        daemon, receiver = self.notified()
        lines = self.until(receiver, "READY=1")
        while not any(line.startswith("STATUS=") for line in lines):
            lines += receiver.recv(4096).decode().split("\n")
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")
        daemon.send_signal(signal.SIGHUP)
        lines = self.until(receiver, "RELOADING=1")
        stamp = [line for line in lines if line.startswith("MONOTONIC_USEC=")]
        self.assertEqual(len(stamp), 1)
        sent = int(stamp[0].split("=")[1]) / 1e6
        self.assertLess(abs(time.clock_gettime(time.CLOCK_MONOTONIC) - sent), seconds(5))
        self.until(receiver, "READY=1")
        daemon.send_signal(signal.SIGTERM)
        self.until(receiver, "STOPPING=1")
        self.assertEqual(daemon.wait_exit(2), 0)

    def test_an_arena_takes_its_time(self):
        """READY comes after the records have been read, and more time is asked for."""
        daemon, receiver = self.notified('arena = { file = "@/arena"; };')
        self.until(receiver, "READY=1")
        self.connect(daemon).put("a", "k", "v")
        daemon.send_signal(signal.SIGTERM)
        lines = self.until(receiver, "EXTEND_TIMEOUT_USEC=90000000")
        self.assertIn("STOPPING=1", lines)
        self.assertIn(f"STATUS=Writing {daemon.path('arena')}", lines)
        self.assertEqual(daemon.wait_exit(5), 0)
        receiver.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while receiver.recv(4096):
                pass
        receiver.settimeout(seconds(5))
        daemon.start(ready=False)
        lines = self.until(receiver, "READY=1")
        self.assertIn("EXTEND_TIMEOUT_USEC=30000000", lines)
        self.assertTrue(any(line.startswith(f"STATUS=Reading {daemon.path('arena')}")
                            for line in lines), lines)
        wait_for(lambda: len(daemon.addresses()) == 2, 5, "it to listen again")
        with Client(daemon.addresses()[1]) as client:
            self.assertEqual(client.get("a", "k"), b"v")

    def test_a_failed_reload_is_over_too(self):
        daemon, receiver = self.notified()
        self.until(receiver, "READY=1")
        daemon.configure("nonsense = 1;")
        daemon.send_signal(signal.SIGHUP)
        self.until(receiver, "RELOADING=1")
        self.until(receiver, "READY=1")
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")

    def test_an_abstract_socket(self):
        _, receiver = self.notified(abstract=True)
        self.until(receiver, "READY=1")

    def test_ready_means_it_listens(self):
        daemon, receiver = self.notified()
        self.until(receiver, "READY=1")
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")

    def test_the_watchdog(self):
        period = 0.4
        daemon, receiver = self.notified(WATCHDOG_USEC=str(int(period * 1e6)))
        self.until(receiver, "WATCHDOG=1")
        for _ in range(5):
            before = time.monotonic()
            self.until(receiver, "WATCHDOG=1")
            self.assertLess(time.monotonic() - before, seconds(period))

    def test_no_watchdog_for_another_process(self):
        daemon, receiver = self.notified('purge_interval = "10ms";', WATCHDOG_USEC="20000",
                                         WATCHDOG_PID="1")
        self.until(receiver, "READY=1")
        client = self.connect(daemon)
        client.put("n", "k", "v", "100ms")
        wait_for(lambda: client.stat("curr_items") == 0)
        receiver.setblocking(False)
        said = b""
        try:
            while True:
                said += receiver.recv(4096)
        except BlockingIOError:
            pass
        self.assertNotIn(b"WATCHDOG", said)

    def test_a_notify_socket_that_is_gone(self):
        daemon = self.start(environment={"NOTIFY_SOCKET": "/nonexistent/notify"})
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")


class Background(Case):
    CONF = 'pid_file = "@/pid";\nlog = { to = "@/log"; level = "info"; };\n'

    def test_it_detaches(self):
        daemon = self.start(self.CONF, arguments=["-d"], run=False)
        daemon.log_path = daemon.path("stderr")
        daemon.start(ready=False)
        self.assertEqual(daemon.wait_exit(10), 0)
        with open(daemon.path("pid")) as file:
            daemon.forked = int(file.read())
        os.kill(daemon.forked, 0)
        with open(daemon.path("log"), "rb") as log:
            port = int(re.search(rb"listening on 127\.0\.0\.1:(\d+) \(native\)",
                                 log.read()).group(1))
        with Client(("127.0.0.1", port)) as client:
            self.assertEqual(client.ask("PING"), "PONG")
        with open(f"/proc/{daemon.forked}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        self.assertEqual(fields[4], "0", "it still has a terminal")
        self.assertNotEqual(int(fields[3]), os.getsid(0), "it is in our session")
        os.kill(daemon.forked, signal.SIGTERM)
        wait_for(lambda: not os.path.exists(daemon.path("pid")), what="the pid file to go")
        wait_for(lambda: self.gone(daemon.forked), what="the process to go")
        daemon.forked = None

    @staticmethod
    def gone(pid):
        try:
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rsplit(")", 1)[1].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    def test_failure_is_told_before_it_detaches(self):
        first = self.start()
        daemon = self.start(self.CONF, arguments=["-d"], ready=False,
                            listen='listen = ( { address = "127.0.0.1"; port = %d; } );\n'
                                   % first.address[1])
        self.assertGreater(daemon.wait_exit(10), 0)
        self.assertIn("Address already in use", daemon.log())
        self.assertFalse(os.path.exists(daemon.path("pid")))

    def test_pid_file_in_the_foreground(self):
        daemon = self.start('pid_file = "@/pid";')
        with open(daemon.path("pid")) as file:
            self.assertEqual(file.read().strip(), str(daemon.pid))
        daemon.stop()
        self.assertFalse(os.path.exists(daemon.path("pid")))

    def test_a_pid_file_that_cannot_be_written(self):
        daemon = self.start('pid_file = "@/missing/pid";', ready=False)
        self.assertGreater(daemon.wait_exit(), 0)
        self.assertIn("/missing/pid", daemon.log())


@unittest.skipIf(os.geteuid() != 0, "only root can become another user")
class Users(Case):
    def status(self, daemon):
        fields = {}
        with open(f"/proc/{daemon.pid}/status") as file:
            for line in file:
                name, _, value = line.partition(":")
                fields[name] = value.split()
        return fields

    def test_it_becomes_the_user(self):
        user = pwd.getpwnam("nobody")
        daemon = self.start('user = "nobody";')
        wait_for(lambda: self.status(daemon)["Uid"] == [str(user.pw_uid)] * 4, what="the user")
        fields = self.status(daemon)
        self.assertEqual(fields["Gid"], [str(user.pw_gid)] * 4)
        self.assertLessEqual(set(fields["Groups"]), {str(user.pw_gid)})
        self.assertEqual(int(fields["CapEff"][0], 16), 0)
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")
        for task in os.listdir(f"/proc/{daemon.pid}/task"):
            with open(f"/proc/{daemon.pid}/task/{task}/status") as file:
                self.assertRegex(file.read(), rf"Uid:\t{user.pw_uid}\t{user.pw_uid}\t")

    def test_reload_as_the_user(self):
        daemon = self.start('user = "nobody"; ttl = "1h";')
        client = self.connect(daemon)
        daemon.configure('user = "nobody"; ttl = "2h";')
        daemon.send_signal(signal.SIGHUP)

        def longer():
            client.put("n", "k", "v")
            return float(client.ask("TTL n k").split()[1]) > 3700
        wait_for(longer, what="the new ttl")

    def test_another_user_cannot_change_users(self):
        nobody = pwd.getpwnam("nobody")
        daemon = self.start('user = "daemon";', ready=False,
                            before_exec=lambda: (os.setgid(nobody.pw_gid),
                                                 os.setuid(nobody.pw_uid)))
        if wait_for(lambda: not daemon.running() or "listening" in daemon.log()) is True:
            daemon.wait_log("user|permitted|root")

    def test_its_socket_goes_with_it(self):
        daemon = self.start('user = "nobody"; pid_file = "@/pid";',
                            listen='listen = ( { path = "@/socket"; } );\n', run=False)
        os.chown(daemon.folder, pwd.getpwnam("nobody").pw_uid, -1)
        daemon.start()
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")
        daemon.stop()
        self.assertFalse(os.path.exists(daemon.path("socket")))
        self.assertFalse(os.path.exists(daemon.path("pid")))


if __name__ == "__main__":
    unittest.main()
