"""HTTP listeners: health, metrics, rights, and attacks."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import unittest

import encryption
from harness import DAEMON, SANITIZER, Case, seconds, wait_for
from persistence import folder_in_memory
from memcache import Wire
from test_service import LAUNCHER
from test_users import FIRST, SECRET, WEB, WATCHER, user, users
from web import basic, dial, fetch, samples, tool

HTTP = 'listen = ( { address = "127.0.0.1"; port = 0; }, ' \
       '{ address = "127.0.0.1"; port = 0; protocol = "http"; %s } );\n'
NAMESPACES = 'namespaces = ( { name = "sessions"; ttl = "30m"; memory = "1M"; }, ' \
             '{ name = "pages"; max_ttl = "5m"; } );\n'
FIRST_ERROR = f"CLIENT_ERROR {FIRST}"
CONNECTIONS = 32  # of one listener


def has_http():
    with open(DAEMON, "rb") as binary:
        return b"libevent_extra" in binary.read()


@unittest.skipUnless(DAEMON and has_http(), "this kvcached was built without HTTP")
class HttpCase(Case):
    def serve(self, conf="", options="", **more):
        daemon = self.start(conf, listen=HTTP % options, **more)
        daemon.wait_listening(2)
        self.http = daemon.addresses()[1]
        return daemon

    def fetch(self, *arguments, **options):
        return fetch(self.http, *arguments, **options)

    def status(self, path, **options):
        return self.fetch(path, **options).status

    def samples(self, path="/metrics", **options):
        answer = self.fetch(path, **options)
        self.assertEqual(answer.status, 200, answer.body)
        return samples(answer.body)


class WithoutHttp(Case):
    def test_it_is_said_at_the_start(self):
        if has_http():
            self.skipTest("this kvcached was built with HTTP")
        daemon = self.start(listen=HTTP % "", ready=False)
        self.assertGreater(daemon.wait_exit(), 0)
        self.assertIn("built without HTTP", daemon.log())


class Paths(HttpCase):
    def test_health_and_readiness(self):
        self.serve()
        for path, body in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
            answer = self.fetch(path)
            self.assertEqual((answer.status, answer.body), (200, body))
            self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_headers_of_every_answer(self):
        self.serve()
        for path in ("/healthz", "/readyz", "/metrics", "/", "/nothing"):
            with self.subTest(path=path):
                headers = self.fetch(path).headers
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(headers["Referrer-Policy"], "no-referrer")
                self.assertEqual(headers["Cache-Control"], "no-store")
                self.assertTrue(headers["Content-Security-Policy"].startswith("default-src 'none'"))
                self.assertNotIn("unsafe", headers["Content-Security-Policy"])

    def test_head_is_get_without_a_body(self):
        self.serve()
        for path in ("/healthz", "/readyz", "/metrics", "/"):
            with self.subTest(path=path):
                got, head = self.fetch(path), self.fetch(path, "HEAD")
                self.assertEqual((head.status, head.body), (200, ""))
                self.assertEqual(head.headers["Content-Type"], got.headers["Content-Type"])

    def test_other_methods_are_refused(self):
        daemon = self.serve()
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "FETCH"):
            for path in ("/", "/metrics", "/healthz"):
                with self.subTest(method=method, path=path):
                    self.assertIn(self.status(path, method=method), (400, 405, 501))
        self.assertEqual(self.status("/metrics"), 200)
        self.assertTrue(daemon.running())

    def test_what_is_not_there(self):
        self.serve()
        for path in ("/nothing", "/metrics/", "/healthz/x", "/..", "/%2e", "/Metrics"):
            self.assertEqual(self.status(path), 404, path)
        self.assertEqual(self.status("/metrics?namespaces=some"), 400)

    def test_a_host_of_another_site(self):
        self.serve()
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"):
            for path in ("/", "/metrics", "/healthz"):
                self.assertEqual(self.status(path, headers={"Host": host}), 421, host)
        for host in ("127.0.0.1", "localhost:80", "[::1]:7172", "192.0.2.1"):
            self.assertEqual(self.status("/metrics", headers={"Host": host}), 200, host)

    def test_a_request_that_names_another_host_in_its_line(self):
        self.serve()
        with dial(self.http) as wire:
            wire.sendall(b"GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n"
                         b"Connection: close\r\n\r\n")
            self.assertIn(b" 421 ", wire.recv(4096).split(b"\r\n")[0])

    def test_headers_that_are_too_long(self):
        self.serve()
        self.assertEqual(self.status("/metrics", headers={"X": "x" * 9000}), 400)
        self.assertEqual(self.status("/metrics", headers={"X": "x" * 4000}), 200)

    def test_connections_are_kept(self):
        self.serve()
        with dial(self.http) as wire:
            for _ in range(3):
                wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                got = b""
                while not got.endswith(b"ok\n"):
                    got += wire.recv(4096)
                self.assertTrue(got.startswith(b"HTTP/1.1 200"))

    def test_an_older_client(self):
        self.serve("namespaces_policy = \"open\";")
        with dial(self.http) as wire:
            wire.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            got = b""
            while piece := wire.recv(65536):
                got += piece
        self.assertTrue(got.startswith(b"HTTP/1.0 200"), got[:100])
        self.assertNotIn(b"chunked", got.split(b"\r\n\r\n")[0])

    def test_a_unix_socket(self):
        daemon = self.start(listen='listen = ( { port = 0; }, '
                            '{ path = "@/web"; protocol = "http"; mode = "0600"; } );\n')
        answer = fetch(daemon.path("web"), "/metrics", headers={"Host": "whatever"})
        self.assertEqual(answer.status, 200)
        self.assertEqual(os.stat(daemon.path("web")).st_mode & 0o777, 0o600)
        daemon.stop()
        self.assertFalse(os.path.exists(daemon.path("web")))


class Figures(HttpCase):
    def test_they_are_those_of_stats(self):
        daemon = self.serve(NAMESPACES)
        client = self.connect(daemon)
        for i in range(20):
            self.assertEqual(client.put("sessions", f"k{i}", "value"), "STORED")
            client.get("sessions", f"k{i}")
        client.get("sessions", "nothing")
        client.ask("DEL sessions k1")
        client.ask("DEL sessions k1")
        client.put("undeclared", "k", "v")
        client.ask("nonsense")
        told = self.samples()
        for name, stat in (("kvcached_records", "curr_items"),
                           ('kvcached_commands_total{command="get",status="hit"}', "get_hits"),
                           ('kvcached_commands_total{command="get",status="miss"}', "get_misses"),
                           ('kvcached_commands_total{command="delete",status="hit"}', "delete_hits"),
                           ('kvcached_commands_total{command="delete",status="miss"}',
                            "delete_misses"),
                           ("kvcached_requests_refused_total", "requests_refused"),
                           ("kvcached_memory_limit_bytes", "limit_maxbytes"),
                           ("kvcached_namespaces", "namespaces"),
                           ("kvcached_connections", "curr_connections"),
                           ("kvcached_record_bytes", "bytes")):
            self.assertEqual(told[name], client.stat(stat), name)
        self.assertEqual(told['kvcached_namespace_records{namespace="sessions"}'], 19)
        self.assertEqual(
            told['kvcached_namespace_reads_total{namespace="sessions",status="hit"}'], 20)
        self.assertEqual(told['kvcached_namespace_quota_bytes{namespace="sessions"}'], 1 << 20)
        self.assertEqual(told['kvcached_namespace_ttl_seconds{namespace="sessions"}'], 1800)
        self.assertNotIn('kvcached_namespace_ttl_seconds{namespace="pages"}', told)
        self.assertEqual(told['kvcached_namespace_max_ttl_seconds{namespace="pages"}'], 300)
        self.assertEqual(told["process_open_fds"], daemon.descriptors())
        self.assertAlmostEqual(told["process_start_time_seconds"], time.time(), delta=seconds(60))

    def test_which_namespaces_have_series(self):
        daemon = self.serve(NAMESPACES)
        client = self.connect(daemon)
        client.put("sessions", "k", "v")
        client.put("wild", "k", "v")
        name = 'kvcached_namespace_records{namespace="%s"}'
        for query, shown, others in (("", ["sessions", "pages"], 1),
                                     ("?namespaces=declared", ["sessions", "pages"], 1),
                                     ("?namespaces=all", ["sessions", "pages", "wild"], None),
                                     ("?namespaces=none", [], 2)):
            told = self.samples("/metrics" + query)
            self.assertEqual(
                sorted(key for key in told if key.startswith("kvcached_namespace_records{")),
                sorted([name % ns for ns in shown] + [name % "(others)"] * (others is not None)))
            self.assertEqual(told.get(name % "(others)"), others)
            self.assertEqual(told["kvcached_records"], 2)
        daemon.configure(NAMESPACES + 'metrics = { namespaces = "all"; };')
        daemon.reload(r"reloaded")
        self.assertIn(name % "wild", self.samples())

    def counters(self):
        text = self.fetch("/metrics").body
        kinds = dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, re.M))
        return {name: value for name, value in samples(text).items()
                if kinds[name.split("{")[0]] == "counter"}

    def test_counters_never_go_back(self):
        daemon = self.start(NAMESPACES, listen=HTTP.replace(
            " );", ', { port = 0; protocol = "memcache"; } );') % "")
        daemon.wait_listening(3)
        self.http = daemon.addresses()[1]
        client, wire = self.connect(daemon), self.kept(Wire(daemon.addresses()[2]))
        for ns in ("sessions", "wild"):
            client.put(ns, "k", "v")
            client.get(ns, "k")
        before = self.counters()
        for step in ("reset", "flush", "declare", "forget"):
            with self.subTest(step=step):
                if step == "reset":
                    self.assertEqual(wire.ask("stats reset"), "RESET")
                    self.assertEqual(client.stat("get_hits"), 0)
                elif step == "flush":
                    client.ask("FLUSH wild")
                elif step == "declare":
                    daemon.configure(NAMESPACES.replace(" );", ', { name = "wild"; } );'))
                    daemon.reload(r"reloaded")
                else:
                    daemon.configure("")
                    daemon.reload(r"reloaded")
                after = self.counters()
                for name in set(before) & set(after):
                    self.assertGreaterEqual(after[name], before[name], name)
                before = after
        client.get("wild", "k")
        self.assertGreater(
            sum(value for name, value in self.counters().items()
                if name.startswith("kvcached_commands_total") and '"get"' in name), 2)

    def test_a_reload_that_is_refused_is_seen(self):
        daemon = self.serve()
        told = self.samples()
        self.assertEqual(told["kvcached_config_last_reload_successful"], 1)
        daemon.write_conf(daemon.listen + "nonsense = 5;\n")
        daemon.reload(r"reload refused")
        after = self.samples()
        self.assertEqual(after["kvcached_config_last_reload_successful"], 0)
        stamp = "kvcached_config_last_reload_success_timestamp_seconds"
        self.assertEqual(after[stamp], told[stamp])
        daemon.configure("")
        daemon.reload(r"reloaded")
        after = self.samples()
        self.assertEqual(after["kvcached_config_last_reload_successful"], 1)
        self.assertGreater(after[stamp], told[stamp])

    def make_namespaces(self, daemon, count):
        client = self.connect(daemon)
        for first in range(0, count, 500):
            numbers = range(first, min(first + 500, count))
            sent = "".join(f"PUT n{i} k 1h 1\r\nx\r\n" for i in numbers)
            self.assertEqual(set(client.pipelined(sent, len(numbers))), {"STORED"})
        return client

    def test_two_thousand_namespaces(self):
        daemon = self.serve('memory = "64M";')
        self.make_namespaces(daemon, 2000)
        told = self.samples("/metrics?namespaces=all")
        names = [key for key in told if key.startswith("kvcached_namespace_records{")]
        self.assertEqual(len(names), 2000)
        self.assertEqual(sum(told[name] for name in names), 2000)
        self.assertEqual(self.samples()['kvcached_namespace_records{namespace="(others)"}'], 2000)

    def test_many_namespaces_take_no_memory(self):
        daemon = self.serve('memory = "256M"; undeclared_namespaces = 60000;')
        client = self.make_namespaces(daemon, 20000)
        self.fetch("/metrics")
        before = daemon.resident()
        with dial(self.http) as wire:
            wire.sendall(b"GET /metrics?namespaces=all HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(wire.recv(4096).startswith(b"HTTP/1.1 200"))
            # The answer is not read: its rest waits, other clients are served, memory is bounded.
            for _ in range(20):
                self.assertEqual(client.ask("PING"), "PONG")
                self.assertEqual(self.status("/healthz"), 200)
            if not SANITIZER:
                self.assertLess(daemon.resident() - before, 6 << 20)
        text = self.fetch("/metrics?namespaces=all", timeout=60).body
        self.assertEqual(text.count("\nkvcached_namespace_records{"), 20000)
        self.assertGreater(len(text), 10 << 20)
        if not SANITIZER:
            self.assertLess(daemon.resident() - before, 6 << 20)

    def test_promtool_has_nothing_to_say(self):
        promtool = tool("promtool")
        if promtool is None:
            self.skipTest("there is no promtool (Debian's prometheus)")
        daemon = self.serve(NAMESPACES)
        client = self.connect(daemon)
        client.put("sessions", "k", "v")
        client.put("wild", "k", "v")
        for query in ("", "?namespaces=all", "?namespaces=none"):
            done = subprocess.run([promtool, "check", "metrics"], capture_output=True, text=True,
                                  input=self.fetch("/metrics" + query).body, check=False)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


class Users(HttpCase):
    USERS = users(WEB, WATCHER, user("ops", "top", admin="*"),
                  user("narrow", "look", watch="sessions*"))

    def test_who_may_see_figures(self):
        daemon = self.serve(self.USERS)
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.status(path), 200)
        for path in ("/metrics", "/"):
            answer = self.fetch(path)
            self.assertEqual(answer.status, 401)
            self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Basic realm="))
            self.assertNotIn("kvcached_", answer.body)
            for name, secret, status in (("watcher", "look", 200), ("ops", "top", 200),
                                         ("web", SECRET, 403), ("narrow", "look", 403)):
                answer = self.fetch(path, headers=basic(name, secret))
                self.assertEqual(answer.status, status, (path, name))
            self.assertEqual(self.status(path, headers=basic("nobody", "look")), 401)
        told = self.samples(headers=basic("watcher", "look"))
        self.assertGreater(told["kvcached_auth_attempts_total"], 8)
        self.assertEqual(told["kvcached_auth_failures_total"], 2)
        daemon.wait_log("denied: no such user")
        self.assertNotIn("look", daemon.log())

    def test_what_is_no_name_and_secret(self):
        daemon = self.serve(self.USERS)
        for word in ("", "Basic", "Basic ", "Basic !!!", "Basic " + "A" * 2000, "Bearer look",
                     "Basic d2F0Y2hlcg==", "Basic Omxvb2s=", "Basic d2F0Y2hlcjo="):
            self.assertEqual(self.status("/metrics", headers={"Authorization": word}), 401, word)
        self.assertTrue(daemon.running())

    def test_what_a_listener_is_open_for(self):
        for options, metrics, page in (('open = "metrics";', 200, 401), ('open = "all";', 200, 200)):
            self.serve(self.USERS, options)
            self.assertEqual((self.status("/metrics"), self.status("/")), (metrics, page))

    def test_users_of_a_reload(self):
        daemon = self.serve(self.USERS)
        self.assertEqual(self.status("/metrics", headers=basic("watcher", "look")), 200)
        daemon.configure(users(WEB))
        daemon.reload(r"reloaded")
        self.assertEqual(self.status("/metrics", headers=basic("watcher", "look")), 401)
        daemon.configure(users(WEB, user("watcher", "other", watch="*")))
        daemon.reload(r"reloaded")
        self.assertEqual(self.status("/metrics", headers=basic("watcher", "other")), 200)

    def test_a_process_of_this_machine(self):
        import pwd
        own = pwd.getpwuid(os.getuid()).pw_name
        daemon = self.start(users(user("me", unix_user=own, watch="*")),
                            listen='listen = ( { port = 0; }, '
                            '{ path = "@/web"; protocol = "http"; mode = "0666"; } );\n')
        self.assertEqual(fetch(daemon.path("web"), "/metrics").status, 200)

    def test_a_client_that_goes_while_its_secret_is_checked(self):
        daemon = self.serve(self.USERS)
        for i in range(20):
            with dial(self.http) as wire:
                word = basic("watcher", f"wrong{i}")["Authorization"]
                wire.sendall(f"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
                             f"Authorization: {word}\r\n\r\n".encode())
        self.assertEqual(self.status("/healthz"), 200)
        self.assertTrue(daemon.running())


@unittest.skipUnless(DAEMON and encryption.is_built_in(), "this kvcached was built without TLS")
class Tls(HttpCase):
    OPTIONS = 'tls_certificate = "@/cache.example.pem"; tls_key = "@/cache.example.key"; '

    def serve_tls(self, conf="", more=""):
        daemon = self.start(conf, listen=HTTP % (self.OPTIONS + more), run=False)
        encryption.make_certificate(daemon.folder, "cache.example")
        encryption.make_certificate(daemon.folder, "watcher")
        daemon.start()
        daemon.wait_listening(2)
        self.http = daemon.addresses()[1]
        return daemon

    def test_figures_over_tls(self):
        daemon = self.serve_tls()
        context = encryption.context()
        self.assertIn("with TLS", daemon.log())
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = encryption.context(minimum_version=version, maximum_version=version)
            told = self.samples(context=context)
            expiry = [value for name, value in told.items()
                      if name.startswith("kvcached_tls_certificate_expiry_timestamp_seconds{")]
            self.assertAlmostEqual(expiry[0], time.time() + 2 * 86400, delta=600)
            self.assertEqual(self.status("/metrics", context=context,
                                         headers={"Host": "cache.example:7172"}), 200)
            self.assertEqual(self.status("/metrics", context=context,
                                         headers={"Host": "evil.example"}), 421)

    def test_what_is_no_tls(self):
        daemon = self.serve_tls()
        with dial(self.http) as wire:
            wire.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertNotIn(b"kvcached", wire.recv(4096))
        self.assertEqual(self.status("/healthz", context=encryption.context()), 200)
        self.assertTrue(daemon.running())

    def test_a_certificate_says_who_it_is(self):
        more = 'tls_client_ca = "@/watcher.pem"; '
        daemon = self.serve_tls(users(WEB, user("watcher", watch="*")), more)
        known = encryption.context()
        known.load_cert_chain(daemon.path("watcher.pem"), daemon.path("watcher.key"))
        self.assertEqual(self.status("/metrics", context=known), 200)
        self.assertEqual(self.status("/metrics", context=encryption.context()), 401)

    def test_a_renewed_certificate(self):
        daemon = self.serve_tls()
        before = ssl.get_server_certificate(self.http)
        encryption.make_certificate(daemon.folder, "cache.example")
        daemon.reload(r"reloaded")
        self.assertNotEqual(ssl.get_server_certificate(self.http), before)

    def test_many_handshakes_that_are_not_ended(self):
        daemon = self.serve_tls()
        client = self.connect(daemon)
        held = [self.kept(dial(self.http)) for _ in range(100)]
        self.assertEqual(client.ask("PING"), "PONG")
        self.assertEqual(self.status("/healthz", context=encryption.context()), 200)
        self.assertEqual(len(held), 100)


    def test_an_end_while_there_are_many(self):
        """What looks at connections now and then is over before they are closed."""
        for _ in range(10):
            daemon = self.serve_tls()
            held = [dial(self.http) for _ in range(100)]
            self.assertEqual(self.status("/healthz", context=encryption.context()), 200)
            for client in held:
                client.close()
            daemon.stop()


class Limits(HttpCase):
    def test_two_hundred_connections_that_say_nothing(self):
        daemon = self.serve()
        client = self.connect(daemon)
        before = daemon.descriptors()
        for wire in [self.kept(dial(self.http)) for _ in range(200)]:
            wire.sendall(b"GET /metrics HTT")
        for _ in range(20):
            self.assertEqual(client.ask("PING"), "PONG")
            self.assertEqual(self.status("/metrics"), 200)
        self.assertLessEqual(daemon.descriptors() - before, CONNECTIONS)

    def test_clients_that_do_not_read(self):
        daemon = self.serve('memory = "64M";')
        client = Figures.make_namespaces(self, daemon, 3000)
        held = []
        for _ in range(CONNECTIONS - 4):
            wire = self.kept(dial(self.http))
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.sendall(b"GET /metrics?namespaces=all HTTP/1.1\r\nHost: localhost\r\n\r\n")
            held.append(wire)
        for wire in held:
            self.assertTrue(wire.recv(64).startswith(b"HTTP/1.1 200"))
        self.assertEqual(client.ask("PING"), "PONG")
        self.assertEqual(self.status("/healthz"), 200)
        self.assertEqual(len(self.samples("/metrics?namespaces=all")) > 30000, True)

    def test_a_byte_at_a_time(self):
        daemon = self.serve()
        with dial(self.http) as slow:
            for byte in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":
                slow.sendall(bytes([byte]))
            got = b""
            while piece := slow.recv(4096):
                got += piece
        self.assertTrue(got.endswith(b"ok\n"))
        self.assertTrue(daemon.running())

    def test_what_is_no_http(self):
        daemon = self.serve()
        for said in (b"\r\n", b"PUT a b 1m 1\r\nx\r\n", b"\x16\x03\x01" + b"\0" * 600,
                     b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
                     bytes(range(256)) * 50):
            with dial(self.http) as wire:
                wire.sendall(said)
                wire.shutdown(socket.SHUT_WR)
                try:
                    while wire.recv(65536):
                        pass
                except ConnectionResetError:
                    pass
        self.assertEqual(self.status("/healthz"), 200)
        self.assertTrue(daemon.running())

    def test_max_connections_is_seen(self):
        daemon = self.serve("max_connections = 2;")
        clients = [self.connect(daemon) for _ in range(2)]
        for client in clients:
            self.assertEqual(client.ask("PING"), "PONG")
        answer = self.fetch("/readyz")
        self.assertEqual((answer.status, answer.body), (503, "max_connections reached\n"))
        self.assertEqual(self.status("/healthz"), 200)


class Places(HttpCase):
    def test_an_address_that_others_can_reach(self):
        listen = 'listen = ( { address = "0.0.0.0"; port = 0; protocol = "http"; } );\n'
        daemon = self.start(listen=listen, ready=False)
        self.assertNotEqual(daemon.wait_exit(), 0)
        self.assertIn("other machines can reach", daemon.log())

    def test_sockets_of_a_service_manager(self):
        sockets = []
        for _ in range(2):
            sockets.append(socket.socket())
            self.addCleanup(sockets[-1].close)
            sockets[-1].bind(("127.0.0.1", 0))
            sockets[-1].listen(10)
        fds = [one.fileno() for one in sockets]
        daemon = self.start(
            users(WEB), listen='listen = ( { port = 1; protocol = "http"; open = "metrics"; } );\n',
            launcher=[sys.executable, "-c", LAUNCHER, ",".join(map(str, fds)), "0"], pass_fds=fds,
            environment={"LISTEN_FDNAMES": "native:http"})
        daemon.wait_listening(2)
        self.http = sockets[1].getsockname()
        self.assertEqual(self.status("/readyz"), 200)
        self.assertEqual(self.status("/metrics"), 200)
        self.assertEqual(self.status("/"), 401)
        self.assertEqual(self.connect(daemon).ask("PING"), FIRST_ERROR)

    def test_workers_serve_no_http(self):
        """A request of the native protocol gets no record from an HTTP listener."""
        daemon = self.serve()
        self.assertEqual(self.connect(daemon).put("ns", "k", "v"), "STORED")
        with dial(self.http) as wire:
            wire.sendall(b"GET ns k\r\n\r\n")
            self.assertTrue(wire.recv(4096).startswith(b"HTTP/1."))


class Stages(HttpCase):
    RECORDS = 1000000

    def fill(self, daemon):
        client = self.connect(daemon)
        for first in range(0, self.RECORDS, 10000):
            sent = "".join(f"PUT ns k{i} 1h 1\r\nx\r\n" for i in range(first, first + 10000))
            self.assertEqual(set(client.pipelined(sent, 10000)), {"STORED"})

    def test_while_an_arena_is_read(self):
        listen = 'listen = ( { port = 0; }, { path = "@/web"; protocol = "http"; } );\n'
        folder = folder_in_memory()
        self.addCleanup(shutil.rmtree, folder, True)
        daemon = self.start(f'memory = "128M"; arena = {{ file = "{folder}/arena"; }};',
                            listen=listen)
        self.fill(daemon)
        daemon.stop(timeout=30)
        daemon.start(ready=False)
        said = set()

        def is_ready():
            try:
                answer = fetch(daemon.path("web"), "/readyz")
                if answer.status != 200:
                    health = fetch(daemon.path("web"), "/healthz")
                    self.assertEqual((health.status, health.body), (200, "ok\n"))
                    self.assertEqual(answer.status, 503)
                said.add(re.sub(r"\d+", "N", answer.body))
                return answer.status == 200
            except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError):
                return False
        wait_for(is_ready, 30, "the daemon to be ready")
        self.assertIn("reading the arena: N %\n", said)
        self.assertIn("ready\n", said)

    def test_stopping(self):
        daemon = self.serve()
        with dial(self.http) as wire:
            wire.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")
            daemon.stop()


if __name__ == "__main__":
    unittest.main()
