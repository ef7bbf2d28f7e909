"""Listeners that speak TLS, with the clients that people have."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
import unittest

import encryption
from encryption import make_certificate
from harness import SANITIZER, Case, Client, seconds, wait_for
from memcache import Wire

PAIR = 'tls_certificate = "@/server.pem"; tls_key = "@/server.key";'
NATIVE = '{ address = "127.0.0.1"; port = 0; %s }'
MEMCACHE = '{ address = "127.0.0.1"; port = 0; protocol = "memcache"; %s }'
LISTEN = f"listen = ( {NATIVE}, {MEMCACHE} );\n"


class TlsCase(Case):
    def setUp(self):
        if not encryption.is_built_in():
            self.skipTest("this kvcached was built without TLS")

    def serve(self, conf="", more="", kind="ec", **options):
        """A daemon with both protocols behind TLS, and certificates in its directory."""
        both = PAIR + more
        daemon = self.start(conf, listen=LISTEN % (both, both), run=False, **options)
        make_certificate(daemon.folder, "ours")
        make_certificate(daemon.folder, "server", "ours", kind)
        daemon.start()
        daemon.wait_listening(2)
        return daemon

    def talk(self, daemon, at=0, kind=Client, session=None, **options):
        """A client behind a handshake; `options` are of its context."""
        plain = kind(daemon.addresses()[at])
        return self.kept(self.encrypt(plain, encryption.context(**options), session))

    @staticmethod
    def encrypt(client, context, session=None):
        try:
            client.socket = context.wrap_socket(client.socket, session=session)
        except BaseException:
            client.socket.close()
            raise
        if isinstance(client, Wire):
            client.file = client.socket.makefile("rb")
        return client

    @staticmethod
    def shown(client):
        return client.socket.getpeercert(binary_form=True)

    def renew(self, daemon):
        before = open(daemon.path("server.pem")).read()
        make_certificate(daemon.folder, "server", "ours")
        self.assertNotEqual(open(daemon.path("server.pem")).read(), before)
        daemon.reload("reloaded the configuration")


class Listeners(TlsCase):
    def test_both_protocols(self):
        daemon = self.serve()
        native = self.talk(daemon)
        value = os.urandom(1 << 20)
        self.assertEqual(native.put("n", "k", value), "STORED")
        self.assertEqual(native.get("n", "k"), value)
        wire = self.talk(daemon, 1, Wire)
        wire.send("set k 0 0 5\r\nhello\r\nget k\r\n")
        self.assertEqual([wire.file.readline() for _ in range(4)],
                         [b"STORED\r\n", b"VALUE k 0 5\r\n", b"hello\r\n", b"END\r\n"])
        self.assertEqual(native.stat("tls_handshakes"), 2)

    def test_a_server_that_is_verified(self):
        daemon = self.serve()
        context = ssl.create_default_context(cafile=daemon.path("ours.pem"))
        context.check_hostname = False
        client = self.kept(self.encrypt(Client(daemon.address), context))
        self.assertEqual(client.ask("PING"), "PONG")

    def test_versions(self):
        daemon = self.serve()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = self.talk(daemon, minimum_version=version, maximum_version=version)
            self.assertEqual(client.ask("PING"), "PONG")

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not here")
    def test_openssl(self):
        daemon = self.serve()
        for version in ("-tls1_2", "-tls1_3"):
            done = subprocess.run(
                ["openssl", "s_client", "-quiet", version, "-verify_return_error",
                 "-CAfile", daemon.path("ours.pem"), "-connect", "%s:%d" % daemon.address],
                input=b"PING\nQUIT\n", capture_output=True, timeout=seconds(10))
            self.assertEqual(done.stdout, b"PONG\r\n")

    def test_plain_text(self):
        daemon = self.serve()
        for said in (b"PING\r\n", b"x", b"GET / HTTP/1.1\r\n\r\n"):
            with Client(daemon.address) as client:
                before = len(daemon.log())
                client.send(said)
                self.assertEqual(client.rest(), b"")
                daemon.wait_log("plain text, and this listener wants TLS", after=before)
        self.assertEqual(self.talk(daemon).stat("tls_handshake_failures"), 3)

    def test_peers_that_only_look(self):
        daemon = self.serve()
        for _ in range(5):
            Client(daemon.address).close()
        client = self.talk(daemon)
        wait_for(lambda: client.stat("closed_by_peer") == 5, what="them to be gone")
        self.assertEqual(client.stat("tls_handshake_failures"), 0)

    def test_stopping_says_goodbye(self):
        daemon = self.serve()
        client = self.talk(daemon)
        silent = self.kept(Client(daemon.address))  # no handshake holds the end up
        self.assertEqual(client.ask("PING"), "PONG")
        client.socket.suppress_ragged_eofs = False
        daemon.stop()
        self.assertEqual(client.socket.recv(1), b"")
        self.assertEqual(silent.rest(), b"")


class Reload(TlsCase):
    def test_connections_live_on(self):
        daemon = self.serve()
        old = self.talk(daemon)
        self.renew(daemon)
        self.assertEqual(old.ask("PING"), "PONG")
        self.assertNotEqual(self.shown(self.talk(daemon)), self.shown(old))

    def test_sessions_live_on(self):
        daemon = self.serve()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = encryption.context(minimum_version=version, maximum_version=version)
            client = self.kept(self.encrypt(Client(daemon.address), context))
            self.assertEqual(client.ask("PING"), "PONG")  # a ticket of 1.3 comes with it
            self.renew(daemon)
            again = self.kept(self.encrypt(Client(daemon.address), context,
                                           client.socket.session))
            self.assertEqual(again.ask("PING"), "PONG")
            self.assertTrue(again.socket.session_reused)
        self.assertEqual(again.stat("tls_resumed"), 2)

    def test_refused_as_a_whole(self):
        """One listener's files are good and new, the other's do not fit: both stay."""
        second = PAIR.replace("server", "second")
        daemon = self.start(listen=LISTEN % (PAIR, second), run=False)
        for name in ("server", "second", "other"):
            make_certificate(daemon.folder, name)
        daemon.start()
        daemon.wait_listening(2)
        before = [self.shown(self.talk(daemon, at, Wire)) for at in (0, 1)]
        make_certificate(daemon.folder, "server")
        shutil.copy(daemon.path("other.key"), daemon.path("second.key"))
        said = daemon.reload("reload refused")
        self.assertRegex(said, "second.key: it is not the key of .*second.pem")
        self.assertEqual([self.shown(self.talk(daemon, at, Wire)) for at in (0, 1)], before)
        shutil.copy(daemon.path("other.pem"), daemon.path("second.pem"))
        daemon.reload("reloaded the configuration")
        after = [self.shown(self.talk(daemon, at, Wire)) for at in (0, 1)]
        self.assertNotEqual(after[0], before[0])
        self.assertNotEqual(after[1], before[1])


class Starts(TlsCase):
    def test_files_that_are_missing(self):
        daemon = self.start(listen=LISTEN % (PAIR, PAIR), ready=False)
        self.assertGreater(daemon.wait_exit(), 0)
        self.assertRegex(daemon.log(), "tls_certificate: .*/server.pem: No such file")


class WithoutTls(Case):
    def test_it_is_said_at_the_start(self):
        if encryption.is_built_in():
            self.skipTest("this kvcached was built with TLS")
        daemon = self.start(listen=LISTEN % (PAIR, PAIR), ready=False)
        self.assertGreater(daemon.wait_exit(), 0)
        self.assertIn("built without TLS", daemon.log())


class Clients(TlsCase):
    CA = ' tls_client_ca = "@/ours.pem"; tls_client = "%s";'

    def knock(self, daemon, name=None):
        """Whether a client with that certificate is served."""
        context = encryption.context()
        if name is not None:
            context.load_cert_chain(daemon.path(name + ".pem"), daemon.path(name + ".key"))
        try:
            client = self.kept(self.encrypt(Client(daemon.address), context))
            return client.ask("PING") == "PONG"
        except (EOFError, OSError):
            return False

    def test_certificates(self):
        for wanted, without in (("optional", True), ("required", False)):
            daemon = self.serve(more=self.CA % wanted)
            make_certificate(daemon.folder, "alice", "ours")
            make_certificate(daemon.folder, "theirs")
            make_certificate(daemon.folder, "stranger", "theirs")
            self.assertTrue(self.knock(daemon, "alice"))
            self.assertFalse(self.knock(daemon, "stranger"))
            self.assertEqual(self.knock(daemon), without)


class Crowds(TlsCase):
    def test_a_flood_beside_a_good_client(self):
        """Handshakes without end, and hundreds that never begin: who is in is served."""
        daemon = self.serve("threads = 1;", kind="rsa")
        good = self.talk(daemon)
        silent = [self.kept(Client(daemon.address)) for _ in range(300)]
        over = threading.Event()
        flood = [threading.Thread(target=self.flood, args=(daemon.address, over))
                 for _ in range(4)]
        for one in flood:
            one.start()
        try:
            wait_for(lambda: good.stat("tls_handshakes") > 100, 20, "a hundred handshakes")
            for _ in range(100):
                self.assertEqual(good.ask("PING"), "PONG")
        finally:
            over.set()
            for one in flood:
                one.join()
        self.assertEqual(len(silent), 300)

    @staticmethod
    def flood(address, over):
        context = encryption.context()
        while not over.is_set():
            with contextlib.suppress(OSError), socket.create_connection(address, 10) as plain:
                context.wrap_socket(plain, do_handshake_on_connect=True).close()

    def test_silence_has_an_end(self):
        daemon = self.serve()
        silent = self.kept(Client(daemon.address, timeout=20))
        good = self.talk(daemon)
        self.assertEqual(silent.rest(), b"")
        self.assertEqual(good.stat("closed_handshake_timeout"), 1)
        self.assertEqual(good.ask("PING"), "PONG")

    def test_silence_makes_room(self):
        """Where there is no room, for whoever comes later."""
        daemon = self.serve("threads = 1; max_connections = 20;")
        good = self.talk(daemon)
        self.assertEqual(good.ask("PING"), "PONG")
        silent = [self.kept(Client(daemon.address)) for _ in range(19)]
        wait_for(lambda: good.stat("curr_connections") == 20, what="them to be there")
        others = [self.talk(daemon) for _ in range(3)]
        for client in (good, *others):
            self.assertEqual(client.ask("PING"), "PONG")
        for one in silent[:3]:
            self.assertEqual(one.rest(), b"")
        self.assertEqual(good.stat("closed_replaced"), 3)

    def test_idle_connections_are_cheap(self):
        """Prints what one takes; it must stay within what OpenSSL's own state explains."""
        count = 500
        daemon = self.serve("threads = 1;")
        good = self.talk(daemon)
        before = daemon.resident()
        crowd = [self.talk(daemon) for _ in range(count)]
        self.assertEqual(crowd[-1].ask("PING"), "PONG")
        each = (daemon.resident() - before) // count
        print(f"an idle connection with TLS takes {each} bytes of memory")
        if not SANITIZER:
            self.assertLess(each, 64 << 10)
        self.assertEqual(good.stat("curr_connections"), count + 1)
