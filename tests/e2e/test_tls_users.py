"""Users whose certificates say who they are, and users that bring a secret through TLS."""

import contextlib
import ssl

import encryption
from encryption import make_certificate
from harness import Client, wait_for
from memcache import Wire
from test_tls import PAIR, NATIVE, MEMCACHE, TlsCase
from test_users import FIRST, ROOT, SECRET, user, users

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
UNKNOWN = "CLIENT_ERROR unauthenticated"
LISTEN = f"listen = ( {NATIVE}, {MEMCACHE} );\n"
ALICE = user("alice", read=["cache", "hers"], write=["cache", "hers"])
WEB = user("web", SECRET, read="cache", write="cache")
EVERYBODY = users(ALICE, WEB, ROOT)


class Certified(TlsCase):
    """alice and ghost have certificates of ours; there is no user of ghost's name."""

    def serve_users(self, wanted="optional", conf=EVERYBODY):
        options = PAIR + f' tls_client_ca = "@/ours.pem"; tls_client = "{wanted}";'
        memcache = options + ' namespace = "cache"; prefix = ":";'
        daemon = self.start(conf, listen=LISTEN % (options, memcache), run=False)
        for name, issuer in (("ours", None), ("theirs", None), ("server", "ours"),
                             ("alice", "ours"), ("ghost", "ours"), ("thief", "theirs")):
            make_certificate(daemon.folder, name, issuer)
        daemon.start()
        daemon.wait_listening(2)
        return daemon

    @staticmethod
    def context(daemon, name=None, **options):
        made = encryption.context(**options)
        if name is not None:
            made.load_cert_chain(daemon.path(name + ".pem"), daemon.path(name + ".key"))
        return made

    def come(self, daemon, name=None, kind=Client, **options):
        """A client with that certificate, at the listener of its protocol."""
        plain = kind(daemon.addresses()[0 if kind is Client else 1])
        return self.kept(self.encrypt(plain, self.context(daemon, name, **options)))


class Names(Certified):
    def test_the_name_is_the_user(self):
        daemon = self.serve_users()
        for version in VERSIONS:
            only = {"minimum_version": version, "maximum_version": version}
            alice = self.come(daemon, "alice", **only)
            self.assertEqual(alice.put("hers", "k", "v"), "STORED")
            self.assertEqual(alice.get("hers", "k"), b"v")
            self.assertEqual(alice.ask("GET other k"), 'CLIENT_ERROR not allowed: user "alice" '
                             'needs the right "read" in "other"')
            wire = self.come(daemon, "alice", Wire, **only)
            self.assertEqual(wire.ask("set k 0 0 1\nw"), "STORED")  # and nothing to prove
            self.assertEqual(wire.ask("get k", 3), ["VALUE k 0 1", "w", "END"])
            self.assertEqual(alice.get("cache", "k"), b"w")
            self.assertIn("not allowed", wire.ask("flush_all"))

    def test_another_name_is_nobody_and_may_become_somebody(self):
        daemon = self.serve_users()
        for name in ("ghost", None):
            client = self.come(daemon, name)
            self.assertEqual(client.ask("GET cache k"), f"CLIENT_ERROR {FIRST}")
            self.assertEqual(client.ask("AUTH alice anything"), "DENIED")  # she has no secret
            self.assertEqual(client.ask(f"AUTH web {SECRET}"), "OK")
            self.assertEqual(client.get("cache", "k"), None)
            wire = self.come(daemon, name, Wire)
            self.assertEqual(wire.ask("get k"), UNKNOWN)
            said = f"web {SECRET}"
            self.assertEqual(wire.ask(f"set k 0 0 {len(said)}\n{said}"), "STORED")
            self.assertEqual(wire.ask("get k"), "END")

    def test_who_is_known_may_become_another(self):
        daemon = self.serve_users()
        alice = self.come(daemon, "alice")
        self.assertEqual(alice.ask("AUTH root top"), "OK")
        self.assertEqual(alice.ask_all("LIST hers"), [])
        self.assertEqual(alice.ask("AUTH root wrong"), "DENIED")
        self.assertEqual(alice.ask("GET hers k"), f"CLIENT_ERROR {FIRST}")

    def served(self, daemon, name):
        with contextlib.suppress(EOFError, OSError):
            return self.come(daemon, name).ask("PING")
        return None

    def test_required(self):
        daemon = self.serve_users("required")
        self.assertEqual(self.served(daemon, "alice"), "PONG")
        self.assertEqual(self.served(daemon, "ghost"), f"CLIENT_ERROR {FIRST}")
        self.assertIsNone(self.served(daemon, "thief"))
        self.assertIsNone(self.served(daemon, None))
        ghost = self.come(daemon, "ghost")
        self.assertEqual(ghost.ask(f"AUTH web {SECRET}"), "OK")
        self.assertEqual(ghost.ask("PING"), "PONG")

    def test_a_session_is_of_whom_it_was_made_with(self):
        daemon = self.serve_users()
        for version in VERSIONS:
            context = self.context(daemon, "ghost", minimum_version=version,
                                   maximum_version=version)
            ghost = self.kept(self.encrypt(Client(daemon.address), context))
            self.assertEqual(ghost.ask("PING"), f"CLIENT_ERROR {FIRST}")
            session = ghost.socket.session
            context.load_cert_chain(daemon.path("alice.pem"), daemon.path("alice.key"))
            again = self.kept(self.encrypt(Client(daemon.address), context, session))
            self.assertEqual(again.ask("PING"), f"CLIENT_ERROR {FIRST}")
            self.assertTrue(again.socket.session_reused)
            alice = self.kept(self.encrypt(Client(daemon.address), context))
            self.assertEqual(alice.ask("PING"), "PONG")
            after = self.kept(self.encrypt(Client(daemon.address), context, alice.socket.session))
            self.assertEqual(after.ask("PING"), "PONG")
            self.assertTrue(after.socket.session_reused)

    def test_the_listener_must_have_asked(self):
        """Where no authority is named, a certificate says nothing."""
        daemon = self.serve(conf=EVERYBODY)
        make_certificate(daemon.folder, "alice", "ours")
        self.assertEqual(self.come(daemon, "alice").ask("PING"), f"CLIENT_ERROR {FIRST}")


class Reload(Certified):
    def test_a_user_that_goes_and_comes_back(self):
        daemon = self.serve_users()
        alice, wire = self.come(daemon, "alice"), self.come(daemon, "alice", Wire)
        self.assertEqual(alice.put("hers", "k", "v"), "STORED")
        for _ in range(3):
            daemon.configure(users(WEB, ROOT))
            daemon.reload("reloaded")
            self.assertEqual(alice.ask("GET hers k"), f"CLIENT_ERROR {FIRST}")
            self.assertEqual(wire.ask("get k"), UNKNOWN)
            self.assertEqual(self.come(daemon, "alice").ask("PING"), f"CLIENT_ERROR {FIRST}")
            daemon.configure(EVERYBODY)
            daemon.reload("reloaded")
            self.assertEqual(alice.get("hers", "k"), b"v")
            self.assertEqual(wire.ask("get k"), "END")

    def test_rights_that_change(self):
        daemon = self.serve_users()
        alice = self.come(daemon, "alice")
        self.assertEqual(alice.put("hers", "k", "v"), "STORED")
        daemon.configure(users(user("alice", read="hers"), WEB, ROOT))
        daemon.reload("reloaded")
        self.assertEqual(alice.get("hers", "k"), b"v")
        self.assertIn("not allowed", alice.put("hers", "k", "w"))

    def test_an_authority_that_is_replaced(self):
        daemon = self.serve_users()
        context = self.context(daemon, "alice")
        alice = self.kept(self.encrypt(Client(daemon.address), context))
        self.assertEqual(alice.put("hers", "k", "v"), "STORED")
        again = self.kept(self.encrypt(Client(daemon.address), context, alice.socket.session))
        wire = self.come(daemon, "alice", Wire)
        self.assertEqual(again.get("hers", "k"), b"v")
        self.assertEqual(wire.ask("get k"), "END")
        secret = self.come(daemon, "alice")
        self.assertEqual(secret.ask("AUTH root top"), "OK")
        ours = open(daemon.path("ours.pem")).read()
        theirs = open(daemon.path("theirs.pem")).read()
        for text, trusted in ((theirs + ours, True), (theirs, False), (ours + theirs, True)):
            with open(daemon.path("ours.pem"), "w") as file:
                file.write(text)
            daemon.reload("reloaded")
            for client in (alice, again):
                self.assertEqual(client.ask("GET hers k"), ("VALUE 1", b"v") if trusted else
                                 f"CLIENT_ERROR {FIRST}")
            self.assertEqual(wire.ask("get k"), "END" if trusted else UNKNOWN)
            self.assertEqual(secret.get("hers", "k"), b"v")
        self.assertEqual(alice.put("hers", "k", "v"), "STORED")

    def test_users_that_come_first_when_everybody_was_free(self):
        daemon = self.serve_users(conf="")
        alice, ghost = self.come(daemon, "alice"), self.come(daemon, "ghost")
        self.assertEqual(ghost.put("hers", "k", "v"), "STORED")
        daemon.configure(EVERYBODY)
        daemon.reload("reloaded")
        self.assertEqual(ghost.ask("GET hers k"), f"CLIENT_ERROR {FIRST}")
        self.assertEqual(alice.get("hers", "k"), b"v")
        daemon.configure("users = ();")
        daemon.reload("reloaded")
        self.assertEqual(ghost.get("hers", "k"), b"v")


class Secrets(TlsCase):
    def test_a_secret_through_tls(self):
        daemon = self.serve(users(WEB, ROOT))
        for version in VERSIONS:
            only = {"minimum_version": version, "maximum_version": version}
            client = self.talk(daemon, **only)
            self.assertEqual(client.ask("PING"), f"CLIENT_ERROR {FIRST}")
            self.assertEqual(client.ask("AUTH web wrong"), "DENIED")
            self.assertEqual(client.ask(f"AUTH web {SECRET}"), "OK")
            self.assertEqual(client.put("cache", "k", "v" * 100000), "STORED")
            wire = self.talk(daemon, 1, Wire, **only)
            wire.send(f"set k 0 0 {4 + len(SECRET)}\r\nweb {SECRET}\r\nversion\r\n")
            self.assertEqual(wire.file.readline(), b"STORED\r\n")
            self.assertTrue(wire.file.readline().startswith(b"VERSION"))
        self.assertNotIn(SECRET, daemon.log())

    def test_what_is_said_before_the_end_is_answered(self):
        daemon = self.serve(users(WEB, ROOT))
        client = self.talk(daemon)
        client.send(f"AUTH web {SECRET}\r\nPING\r\n")
        client.finish()
        self.assertEqual(client.rest(), b"OK\r\nPONG\r\n")

    def test_strangers_make_room_in_the_order_of_their_ages(self):
        """Those that have greeted and are silent go before one that greets later."""
        daemon = self.serve("max_connections = 8;\nthreads = 1;\n" + users(WEB, ROOT))
        strangers = [self.talk(daemon) for _ in range(8)]
        for client in strangers:
            self.assertEqual(client.ask("PING"), f"CLIENT_ERROR {FIRST}")
        slow = self.kept(Client(daemon.address))  # its handshake comes later
        strangers[0].expect_closed()
        others = [self.kept(Client(daemon.address)) for _ in range(5)]
        for client in strangers[1:6]:
            client.expect_closed()
        self.encrypt(slow, encryption.context())
        self.assertEqual(slow.ask(f"AUTH web {SECRET}"), "OK")
        for client in others:
            self.encrypt(client, encryption.context())
            self.assertEqual(client.ask("PING"), f"CLIENT_ERROR {FIRST}")

    def test_a_stranger_that_sends_much_is_closed(self):
        daemon = self.serve(users(WEB, ROOT))
        client = self.talk(daemon)
        client.send("PUT a b 1m 1000000\r\n" + "v" * 10000)
        self.assertEqual(client.reply(), f"CLIENT_ERROR {FIRST}")
        self.assertEqual(client.rest(), b"")
        root = self.talk(daemon)
        self.assertEqual(root.ask("AUTH root top"), "OK")
        wait_for(lambda: root.stat("closed_unauthenticated") == 1, what="it to be counted")
