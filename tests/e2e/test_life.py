"""A daemon's life: how it starts, listens, logs and leaves."""

import os
import pwd
import re
import resource
import signal
import socket
import ssl
import stat
import time
import unittest

from harness import Case, Client, leaving_threads, seconds, wait_for

MIB = 1 << 20


class Stopping(Case):
    def test_both_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            daemon = self.start()
            idle = [self.connect(daemon) for _ in range(20)]
            idle[0].send("GET a")
            self.assertEqual(idle[1].ask("PING"), "PONG")
            started = time.monotonic()
            daemon.stop(number, timeout=1)
            self.assertLess(time.monotonic() - started, seconds(1))
            for client in idle:
                self.assertEqual(client.rest(), b"")
            with self.assertRaises(ConnectionRefusedError):
                Client(daemon.address)

    def test_what_was_asked_is_answered(self):
        daemon = self.start('max_value = "8M";')
        client = self.connect(daemon)
        client.put("n", "k", "v" * (8 * MIB))
        for i in range(2000):
            client.send(f"PUT n k{i} 1h\nvalue\n")
        for i in range(2000):
            client.expect("STORED\r\n")
        readers = [self.kept(daemon.connect(receive_buffer=65536)) for _ in range(3)]
        readers[0].send("GET n k\r\n")
        readers[1].send("PING\r\n" * 10000)
        readers[2].send("GET n k1 k2\r\nLIST n\r\n")
        for reader in readers:
            reader.exact(1)
        daemon.send_signal(signal.SIGTERM)
        readers[0].expect("ALUE %d\r\n" % (8 * MIB))
        self.assertEqual(readers[0].value(8 * MIB), b"v" * (8 * MIB))
        readers[1].expect("ONG\r\n" + "PONG\r\n" * 9999)
        readers[2].expect("ALUE 5\r\nvalue\r\nVALUE 5\r\nvalue\r\n")
        self.assertEqual(len(readers[2].until_end()), 2001)
        for reader in readers:
            reader.expect_closed()
        self.assertEqual(daemon.wait_exit(2), 0)

    def test_who_waits_at_the_door_is_answered(self):
        daemon = self.start()
        daemon.send_signal(signal.SIGSTOP)
        clients = [self.connect(daemon) for _ in range(100)]
        for client in clients:
            client.send("PING\r\n")
        daemon.send_signal(signal.SIGTERM)
        daemon.send_signal(signal.SIGCONT)
        for client in clients:
            client.expect("PONG\r\n")
            client.expect_closed()
        self.assertEqual(daemon.wait_exit(2), 0)

    def test_deaf_peers_do_not_hold_it(self):
        daemon = self.start('max_value = "8M";')
        client = self.connect(daemon)
        client.put("n", "k", "v" * (8 * MIB))
        for _ in range(10):
            deaf = self.kept(daemon.connect(receive_buffer=4096))
            deaf.send("GET n k\r\n" * 10)
            deaf.exact(10)
        started = time.monotonic()
        daemon.stop(timeout=1.5)
        self.assertLess(time.monotonic() - started, seconds(1.2))

    def test_a_second_signal(self):
        daemon = self.start(environment=leaving_threads())
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.send_signal(signal.SIGINT)
            daemon.send_signal(signal.SIGHUP)
        except ProcessLookupError:
            pass
        self.assertEqual(daemon.wait_exit(2), 0)

    def test_sigpipe_and_sigusr_do_no_harm(self):
        daemon = self.start()
        daemon.send_signal(signal.SIGPIPE)
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")

    def test_stop_while_busy(self):
        daemon = self.start()
        clients = [self.connect(daemon) for _ in range(20)]
        for client in clients:
            client.send("".join(f"PUT n k{i} 1h\nv\nGET n k{i}\n" for i in range(2000)))
        daemon.stop(timeout=2)
        for client in clients:
            self.assertRegex(client.rest()[:50], rb"^(STORED\r\n|$)")


class Starting(Case):
    def test_a_port_in_use(self):
        first = self.start()
        host, port = first.address
        second = self.start(listen='listen = ( { address = "%s"; port = %d; } );\n' % (host, port),
                            ready=False)
        self.assertGreater(second.wait_exit(), 0)
        self.assertIn(f"{host}:{port}", second.log())
        self.assertIn(f"Address already in use: ss -ltnp 'sport = :{port}' shows which process",
                      second.log())
        self.assertEqual(self.connect(first).ask("PING"), "PONG")

    def test_all_addresses_and_other_words_for_one(self):
        for address, hosts in (("::", ("127.0.0.1", "::1")), ("localhost", ("127.0.0.1", "::1")),
                               ("::ffff:127.0.0.1", ("127.0.0.1",))):
            daemon = self.start("insecure = true;", arguments=("-vv",), ready=False,
                                listen='listen = ( { address = "%s"; port = 0; } );\n' % address)
            try:
                daemon.wait_listening()
            except AssertionError:
                self.assertIn("Address family not supported", daemon.log())
                continue
            for host in hosts:
                client = self.kept(Client((host, daemon.address[1])))
                self.assertEqual(client.ask("PING"), "PONG")
                client.send("PUT a b 1h x\r\n")  # what is no byte count ends it
                client.rest()
                shown = f"[{host}]" if ":" in host else host
                daemon.wait_log(rf": {re.escape(shown)}:\d+: closed after an error")

    def test_all_addresses_beside_one_of_ipv4(self):
        holder = self.kept(socket.socket())
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        holder.close()
        daemon = self.start("insecure = true;", ready=False, listen=(
            'listen = ( { address = "::"; port = %d; }, { address = "127.0.0.1"; port = %d; } );\n'
            % (port, port)))
        try:
            daemon.wait_listening(2)
        except AssertionError:
            self.assertIn("Address family not supported", daemon.log())
            return
        for host in ("127.0.0.1", "::1"):
            self.assertEqual(self.kept(Client((host, port))).ask("PING"), "PONG")

    def test_an_address_that_is_not_ours(self):
        daemon = self.start("insecure = true;", ready=False,
                            listen='listen = ( { address = "192.0.2.1"; port = 0; } );\n')
        self.assertGreater(daemon.wait_exit(), 0)
        self.assertIn("192.0.2.1", daemon.log())
        self.assertIn("Cannot assign requested address", daemon.log())

    def test_one_bad_listener_starts_nothing(self):
        first = self.start()
        second = self.start(listen='listen = ( { path = "@/socket"; },\n'
                                   '{ address = "127.0.0.1"; port = %d; } );\n' % first.address[1],
                            ready=False)
        self.assertGreater(second.wait_exit(), 0)
        self.assertFalse(os.path.exists(second.path("socket")))

    def test_a_socket_where_nobody_may_write(self):
        daemon = self.start(listen='listen = ( { path = "@/missing/socket"; } );\n', ready=False)
        self.assertGreater(daemon.wait_exit(), 0)
        self.assertIn("/missing/socket", daemon.log())
        self.assertIn("missing: make it with mkdir", daemon.log())

    def test_a_restart_on_the_same_port(self):
        first = self.start()
        client = self.connect(first)
        client.ask("PING")
        port = first.address[1]
        first.stop()
        second = self.start(listen='listen = ( { address = "127.0.0.1"; port = %d; } );\n' % port)
        self.assertEqual(self.connect(second).ask("PING"), "PONG")

    def test_verbose(self):
        daemon = self.start(arguments=["-v"])
        quiet = self.start()
        for one in (daemon, quiet):
            with self.connect(one) as client:
                client.ask("PING")
            one.stop()
        self.assertGreater(len(daemon.log()), len(quiet.log()))


    def test_too_few_descriptors(self):
        """It says so before it begins, whatever the number."""
        nobody = pwd.getpwnam("nobody")

        def limit(number):
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))
            if os.geteuid() == 0:  # root would raise it
                os.setgid(nobody.pw_gid)
                os.setuid(nobody.pw_uid)
        for number in (8, 12, 16, 20, 24, 28, 32, 34):
            with self.subTest(number=number):
                daemon = self.start(ready=False, before_exec=lambda: limit(number))
                self.assertEqual(daemon.wait_exit(), 71)
                self.assertRegex(daemon.log(), f"error: file descriptors: the limit is {number}, but "
                                               r"2 threads and 1 listeners need \d+: raise it")
                self.assertNotIn("[err]", daemon.log())
        daemon = self.start(before_exec=lambda: limit(35))
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")


class UnixSockets(Case):
    def test_mode_and_traffic(self):
        for mode in (0o600, 0o666):
            daemon = self.start(listen='listen = ( { path = "@/socket"; mode = "%04o"; } );\n' % mode)
            self.assertEqual(daemon.address, daemon.path("socket"))
            found = os.stat(daemon.path("socket"))
            self.assertTrue(stat.S_ISSOCK(found.st_mode))
            self.assertEqual(stat.S_IMODE(found.st_mode), mode)
            client = self.connect(daemon)
            self.assertEqual(client.put("n", "k", "v" * MIB), "STORED")
            self.assertTrue(client.get("n", "k") == b"v" * MIB)
            daemon.stop()
            self.assertFalse(os.path.exists(daemon.path("socket")), "left behind")

    @unittest.skipIf(os.geteuid() != 0, "only root gives sockets away")
    def test_owner(self):
        user = pwd.getpwnam("nobody")
        daemon = self.start(listen='listen = ( { path = "@/socket"; owner = "nobody"; } );\n')
        self.assertEqual(os.stat(daemon.path("socket")).st_uid, user.pw_uid)
        other = self.start(listen='listen = ( { path = "@/socket"; owner = "nobody:daemon"; } );\n')
        found = os.stat(other.path("socket"))
        self.assertEqual((found.st_uid, found.st_gid), (user.pw_uid, 1))

    def test_a_socket_left_by_the_dead(self):
        daemon = self.start(listen='listen = ( { path = "@/socket"; } );\n')
        daemon.process.kill()
        daemon.process.wait()
        self.assertTrue(os.path.exists(daemon.path("socket")))
        daemon.start(ready=False)
        daemon.wait_listening(2)
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")

    def test_a_socket_of_the_living(self):
        daemon = self.start(listen='listen = ( { path = "@/socket"; } );\n')
        second = self.start(listen='listen = ( { path = "%s"; } );\n' % daemon.path("socket"),
                            ready=False)
        self.assertGreater(second.wait_exit(), 0)
        self.assertIn(daemon.path("socket"), second.log())
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")

    def test_no_file_is_taken_for_a_socket(self):
        daemon = self.start(listen='listen = ( { path = "@/precious"; } );\n', run=False)
        with open(daemon.path("precious"), "w") as file:
            file.write("data")
        daemon.start(ready=False)
        self.assertGreater(daemon.wait_exit(), 0)
        with open(daemon.path("precious")) as file:
            self.assertEqual(file.read(), "data")


class Logs(Case):
    @staticmethod
    def read(path):
        try:
            with open(path) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    CLOSED = "closed after an error"

    def offend(self, port):
        with Client(("127.0.0.1", port)) as client:
            client.send("PUT a b c d e f\r\n")
            client.rest()

    def test_a_file_that_is_rotated(self):
        self.rotate(signal.SIGHUP)

    def test_rotation_reads_no_configuration(self):
        daemon = self.rotate(signal.SIGUSR1, before=lambda daemon: daemon.write_conf("nonsense = 5;"))
        self.assertNotIn("nonsense", self.read(daemon.path("log")))
        self.assertIn("opened the log again", self.read(daemon.path("log")))

    def test_a_log_that_cannot_be_opened_again(self):
        daemon = self.start('log = { to = "@/log"; };', ready=False)
        path = daemon.path("log")
        wait_for(lambda: "(native)" in self.read(path), what="the log file")
        os.rename(path, path + ".1")
        os.mkdir(path)
        daemon.send_signal(signal.SIGUSR1)
        wait_for(lambda: f"cannot open {path} again" in self.read(path + ".1"),
                 what="the old file to go on")

    def rotate(self, how, before=lambda daemon: None):
        daemon = self.start('log = { to = "@/log"; level = "info"; };', ready=False)
        path = daemon.path("log")
        found = wait_for(lambda: re.search(r"127\.0\.0\.1:(\d+) \(native\)", self.read(path)),
                         what="the log file")
        port = int(found.group(1))
        os.rename(path, path + ".1")
        self.offend(port)
        wait_for(lambda: self.CLOSED in self.read(path + ".1"),
                 what="the old file to go on")
        before(daemon)
        daemon.send_signal(how)
        # It is there before lines go to it; what the daemon says of the signal goes there.
        wait_for(lambda: self.read(path), what="a line in the file that was opened again")
        old = self.read(path + ".1")
        self.offend(port)
        wait_for(lambda: self.CLOSED in self.read(path), what="the new file")
        self.assertEqual(self.read(path + ".1").count(self.CLOSED), old.count(self.CLOSED))
        return daemon

    def test_journal_levels_on_stderr(self):
        daemon = self.start()
        for line in daemon.log().splitlines():
            self.assertRegex(line, r"^(<[0-7]>)?\S")

    def test_levels(self):
        daemon = self.start('log = { to = "@/log"; level = "debug"; };', ready=False)
        path = daemon.path("log")
        wait_for(lambda: "(native)" in self.read(path), what="the log file")
        daemon.configure('log = { to = "@/log"; level = "error"; };')
        daemon.send_signal(signal.SIGHUP)
        port = int(re.search(r"127\.0\.0\.1:(\d+)", self.read(path)).group(1))

        def quiet():
            before = len(self.read(path))
            self.offend(port)
            with Client(("127.0.0.1", port)) as client:
                client.ask("PING")
            return len(self.read(path)) == before
        wait_for(quiet, what="the log to be quiet")

    def test_a_log_that_cannot_be_opened(self):
        daemon = self.start('log = { to = "@/missing/log"; level = "info"; };', ready=False)
        self.assertGreater(daemon.wait_exit(), 0)
        self.assertIn("/missing/log", daemon.log())

    def test_tls_where_none_is_spoken(self):
        listen = ('listen = ( { address = "127.0.0.1"; port = 0; },\n'
                  '{ address = "127.0.0.1"; port = 0; protocol = "memcache"; } );\n')
        daemon = self.start(listen=listen)
        daemon.wait_listening(2)
        context = ssl.create_default_context()
        for address in daemon.addresses():
            with self.subTest(address=address):
                out = ssl.MemoryBIO()
                client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
                with self.assertRaises(ssl.SSLWantReadError):
                    client.do_handshake()
                with Client(address) as client:
                    client.send(out.read())
                    client.expect_closed()
        daemon.wait_log(r"notice: 127\.0\.0\.1:\d+: 127\.0\.0\.1:\d+: closed: it began a TLS "
                        "handshake")
        self.assertEqual(self.connect(daemon).stat("closed_tls_hello"), 2)

    def test_control_characters_do_not_reach_the_log(self):
        daemon = self.start(arguments=["-v"])
        with self.connect(daemon) as client:
            client.send(b"Host: \x1b[31m\x00\xff\r\n")
            client.rest()
        daemon.wait_log("http|browser")
        self.assertNotRegex(daemon.log_bytes(), rb"[\x00-\x08\x0b-\x1f\x7f]")


if __name__ == "__main__":
    unittest.main()
