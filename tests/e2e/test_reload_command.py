"""RELOAD: a client has the configuration read again, and is told its mistakes."""

import os
import re
import signal
import subprocess
import threading
import unittest

from harness import DAEMON, Case, wait_for
from test_users import user, users

MANY = 20000


def reload(client):
    """What RELOAD is answered with: one line, or all before END."""
    first = client.ask("RELOAD")
    if not re.match("CLIENT_ERROR /", first):
        return first
    lines = [first]
    while (line := client.line()) != "END":
        lines.append(line)
    return lines


def many(ttl="1m"):
    groups = ", ".join(f'{{ name = "n{i}"; ttl = "{ttl}"; }}' for i in range(MANY))
    return f'memory = "64M"; namespaces = ( {groups} );'


class Answers(Case):
    def setUp(self):
        self.daemon = self.start('ttl = "1h";')
        self.client = self.connect(self.daemon)

    def ttl(self):
        self.client.put("n", "k", "v")
        return round(float(self.client.ask("TTL n k").split()[1]) / 60)

    def test_what_has_changed(self):
        self.assertEqual(reload(self.client), "OK nothing changed")
        self.daemon.configure('ttl = "2h"; max_value = "2M";')
        self.client.send("RELOAD\r\nPUT n k - 1\r\nx\r\nTTL n k\r\nPING\r\n")
        self.assertEqual(self.client.line(), "OK changed: ttl 2h (was 1h), max_value 2M (was 1M)")
        self.assertEqual(self.client.line(), "STORED")
        self.assertRegex(self.client.line(), "^TTL (7200.000|7199)")
        self.assertEqual(self.client.line(), "PONG")
        self.daemon.wait_log("reloaded the configuration: ttl 2h")
        self.daemon.configure('threads = 3;\ninsecure = true; pid_file = "@/pid";')
        self.assertEqual(reload(self.client),
                         "OK changed: ttl never (was 2h), insecure true (was false), max_value 1M "
                         "(was 2M); waits for a restart: threads, pid_file")
        self.daemon.configure('threads = 3;\ninsecure = true; pid_file = "@/pid";')
        self.assertEqual(reload(self.client),
                         "OK nothing changed; waits for a restart: threads, pid_file")
        self.daemon.configure('namespaces = ( { name = "a"; } ); log = { level = "debug"; };')
        self.assertEqual(reload(self.client), "OK changed: insecure false (was true), log.level "
                                              "debug (was info), namespace a added")

    def test_all_mistakes_as_the_log_has_them(self):
        self.daemon.configure('ttl = "2h";\nports = 3;\nmemory = 1; max_value = "x";')
        told = reload(self.client)
        checked = subprocess.run([DAEMON, "-t", "-c", self.daemon.conf], stderr=subprocess.PIPE,
                                 text=True).stderr.splitlines()
        self.assertEqual(told, [f"CLIENT_ERROR {line}" for line in checked])
        self.assertEqual(len(told), 3)
        for line in checked:
            self.daemon.wait_log(f" error: {re.escape(line)}\n")
        self.daemon.wait_log("reload refused: the configuration stays as it was")
        self.assertEqual(self.ttl(), 60)
        self.assertEqual(self.client.stat("requests_refused"), 1)
        self.daemon.configure('ttl = "2h";')
        self.assertEqual(reload(self.client), "OK changed: ttl 2h (was 1h)")
        self.assertEqual(self.ttl(), 120)

    def test_mistakes_that_are_no_line_of_the_file(self):
        self.daemon.write_conf("")
        self.assertEqual(reload(self.client), [
            f"CLIENT_ERROR {self.daemon.conf}: the file has no setting, and had some before: if "
            "the defaults are meant, write users = ();"])
        os.unlink(self.daemon.conf)
        self.assertRegex("\n".join(reload(self.client)),
                         f"^CLIENT_ERROR {self.daemon.conf}: .*No such file[^\n]*$")
        self.daemon.configure('log = "@/no/such/directory";')
        self.assertRegex("\n".join(reload(self.client)),
                         f"^CLIENT_ERROR {self.daemon.conf}: cannot log to [^\n]*$")
        self.assertEqual(self.client.ask("PING"), "PONG")

    def test_more_mistakes_than_a_client_takes_at_once(self):
        groups = ",\n".join(f'{{ name = "n{i}"; size = {i}; }}' for i in range(5000))
        self.daemon.configure(f"namespaces = (\n{groups}\n);")
        slow = self.connect(self.daemon, receive_buffer=4096)
        slow.send("RELOAD\r\nPING\r\n")
        lines = []
        while (line := slow.line()) != "END":
            lines.append(line)
        self.assertEqual(slow.line(), "PONG")
        self.assertEqual(len(lines), 5000)
        self.assertRegex(lines[4999], r"^CLIENT_ERROR /.*:5003: namespaces.size: ")


class Together(Case):
    """While the file cannot be read: it is a pipe, and nothing writes to it yet."""

    def begin(self, conf='ttl = "1h";', **options):
        self.daemon = self.start("threads = 1;\n" + conf, **options)
        with open(self.daemon.conf) as file:
            self.text = file.read()
        os.unlink(self.daemon.conf)
        os.mkfifo(self.daemon.conf)
        self.addCleanup(self.feed_the_rest)

    def feed_the_rest(self):
        """Whatever happened, the daemon can stop."""
        if os.path.exists(self.daemon.conf):
            os.unlink(self.daemon.conf)

    def feed(self, text):
        """Waits for the daemon to open the pipe."""
        def opened():
            try:
                return os.open(self.daemon.conf, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return None
        pipe = wait_for(opened, what="the daemon to read its configuration")
        os.set_blocking(pipe, True)
        os.write(pipe, text.encode())
        os.close(pipe)

    def asked(self, count=1):
        """Connections whose RELOAD has come."""
        clients = [self.connect(self.daemon) for _ in range(count)]
        for client in clients:
            client.send("RELOAD\r\nPING\r\n")
        return clients

    def expect(self, client, *lines):
        for line in lines:
            self.assertEqual(client.line(), line)

    def commands(self, client, count):
        """Waits until so many connections wait for a reload: they are served no more."""
        wait_for(lambda: client.stat("curr_connections") == count)

    def test_others_are_served_meanwhile(self):
        self.begin()
        other = self.connect(self.daemon)
        waiting, = self.asked()
        for _ in range(100):
            self.assertEqual(other.put("n", "k", "v"), "STORED")
        self.feed(self.text + 'idle_timeout = "2h";')
        self.expect(waiting, "OK changed: idle_timeout 2h (was never)", "PONG")

    def test_one_that_comes_meanwhile_is_read_for_anew(self):
        self.begin()
        first, = self.asked()
        wait_for(lambda: "reload" in self.threads(), what="it to be read")
        later = self.asked(5)
        self.daemon.send_signal(signal.SIGHUP)
        other = self.connect(self.daemon)
        self.assertEqual(other.ask("PING"), "PONG")  # on the same thread, after those have come
        self.feed(self.text.replace('"1h"', '"2h"'))
        self.expect(first, "OK changed: ttl 2h (was 1h)", "PONG")
        self.feed(self.text.replace('"1h"', '"3h"') + "ports = 3;")
        line = self.text.count("\n") + 1
        for client in later:
            self.assertRegex(client.line(), f"^CLIENT_ERROR {self.daemon.conf}:{line}: ports: ")
            self.expect(client, "END", "PONG")
        self.assertEqual(other.put("n", "k", "v"), "STORED")
        self.assertRegex(other.ask("TTL n k"), "^TTL 7(200|199)")

    def threads(self):
        """The names of the daemon's threads."""
        folder = f"/proc/{self.daemon.pid}/task"
        names = []
        for task in os.listdir(folder):
            try:
                with open(f"{folder}/{task}/comm") as file:
                    names.append(file.read().strip())
            except FileNotFoundError:
                pass
        return names

    def test_clients_that_are_gone_meanwhile(self):
        self.begin()
        stays, = self.asked()
        wait_for(lambda: "reload" in self.threads(), what="it to be read")
        gone = self.asked(20)
        other = self.connect(self.daemon)
        self.commands(other, 22)
        for i, client in enumerate(gone):
            client.close() if i % 2 else client.reset()
        self.commands(other, 2)
        self.feed(self.text)
        self.expect(stays, "OK nothing changed", "PONG")
        self.feed(self.text)
        wait_for(lambda: self.daemon.log().count("reloaded the configuration") == 2)
        self.assertEqual(other.ask("PING"), "PONG")

    def test_one_that_has_said_its_last(self):
        self.begin()
        client, = self.asked()
        client.finish()
        self.feed(self.text)
        self.expect(client, "OK nothing changed", "PONG")
        client.expect_closed()

    def test_the_stop_answers_them(self):
        self.begin()
        first, = self.asked()
        wait_for(lambda: "reload" in self.threads(), what="it to be read")
        later = self.asked(3)
        self.assertEqual(self.connect(self.daemon).ask("PING"), "PONG")
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait_log("stopping: SIGTERM")
        self.feed(self.text)
        for client in (first, *later):
            self.expect(client, "SERVER_ERROR the daemon is stopping")
            self.assertEqual(client.rest(), b"PONG\r\n")
        self.assertEqual(self.daemon.wait_exit(), 0)

    def test_users_that_are_gone_with_it(self):
        """A reload may take the client's own rights."""
        ROOT, WEB = user("root", "top", admin="*"), user("web", "low", read="*")
        self.begin(users(ROOT, WEB))
        client = self.connect(self.daemon)
        web = self.connect(self.daemon)
        self.assertEqual(client.ask("RELOAD"),
                         "CLIENT_ERROR authenticate first: write AUTH <user> <secret>")
        self.assertEqual(client.ask("AUTH root top"), "OK")
        self.assertEqual(web.ask("AUTH web low"), "OK")
        self.assertEqual(web.ask("RELOAD"), 'CLIENT_ERROR not allowed: user "web" needs the right '
                                            '"admin" everywhere')
        client.send("RELOAD\r\nPING\r\n")
        self.feed(self.text.replace(ROOT, user("root", "new", admin="*")))
        self.expect(client, *["CLIENT_ERROR authenticate first: write AUTH <user> <secret>"] * 2)
        self.assertEqual(client.ask("AUTH root new"), "OK")
        client.send("RELOAD\r\nPING\r\n")
        self.feed(self.text)
        self.expect(client, *["CLIENT_ERROR authenticate first: write AUTH <user> <secret>"] * 2)


class Many(Case):
    def test_at_once_with_signals_and_stops(self):
        """Each is answered, and by a configuration that was there when it was sent."""
        daemon = self.start(many())
        stop = threading.Event()
        errors = []

        def ask():
            try:
                with daemon.connect(timeout=60) as client:
                    while not stop.is_set():
                        answer = client.ask("RELOAD")
                        if not re.fullmatch("OK (changed: namespace .*|nothing changed)", answer):
                            errors.append(answer)
                            return
            except Exception as error:  # told by the main thread
                errors.append(error)

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        try:
            with daemon.connect(timeout=60) as client:
                for minutes in range(2, 10):
                    daemon.configure(many(f"{minutes}m"))
                    daemon.send_signal(signal.SIGHUP)
                    self.assertRegex(client.ask("RELOAD"), "^OK ")
                    self.assertEqual(client.put(f"n{minutes}", "k", "v"), "STORED")
                    left = float(client.ask(f"TTL n{minutes} k").split()[1])
                    self.assertAlmostEqual(left, minutes * 60, delta=5)
        finally:
            stop.set()
            for asker in askers:
                asker.join()
        self.assertEqual(errors, [])


if __name__ == "__main__":
    unittest.main()
