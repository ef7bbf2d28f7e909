"""Users: who may come in, what each may do, and what strangers learn (nothing).

Secrets are hashed by the daemon's own command, once for all tests.
"""

import functools
import os
import pwd
import subprocess
import time
import unittest

from harness import DAEMON, Case, Client, wait_for
from memcache import Memcache
from nodes import in_memory

LISTEN_UNIX = 'listen = ( { path = "@/socket"; mode = "0666"; }, { port = 0; } );\n'
FIRST = "authenticate first: write AUTH <user> <secret>"


@functools.lru_cache(maxsize=None)
def hashed(secret):
    done = subprocess.run([DAEMON, "--hash-secret"], input=secret.encode() + b"\n",
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip()


def user(name, secret=None, **options):
    """A group of `users`; lists become lists of patterns."""
    words = [f'name = "{name}";']
    if secret is not None:
        words.append(f'secret = "{hashed(secret)}";')
    for option, value in options.items():
        if isinstance(value, str):
            value = [value] if option != "unix_user" else value
        text = f'"{value}"' if isinstance(value, str) else str(value).replace("'", '"')
        words.append(f"{option} = {text};")
    return "{ " + " ".join(words) + " }"


def users(*groups):
    return "users = ( " + ", ".join(groups) + " );\n"


WEB = user("web", "open-sesame", read=["sessions.*", "pages"],
           write="sessions.*")
ROOT = user("root", "top", read="*", write="*", admin="*")
WATCHER = user("watcher", "look", watch="*")
SECRET = "open-sesame"


class Native(Case):
    def setUp(self):
        self.daemon = self.start(users(WEB, ROOT, WATCHER))

    def known(self, name="web", secret=SECRET):
        client = self.connect(self.daemon)
        self.assertEqual(client.ask(f"AUTH {name} {secret}"), "OK")
        return client

    def refused(self, client, request, right, ns):
        answer = client.ask(request)
        self.assertTrue(answer.startswith("CLIENT_ERROR not allowed"), answer)
        self.assertIn(f'"{right}"', answer)
        if ns:
            self.assertIn(f'"{ns}"', answer)

    def test_strangers_may_do_nothing(self):
        client = self.connect(self.daemon)
        for request in ("PING", "VERSION", "HELP", "STATS", "NAMESPACES", "LIST sessions.a", "SETTINGS",
                        "GET sessions.a k", "PUT sessions.a k 1m 1\r\nx", "FLUSH sessions.a",
                        "INCR sessions.a k", "nonsense", "GET", "TTL a/b c"):
            self.assertEqual(client.ask(request), f"CLIENT_ERROR {FIRST}", request)
        self.assertEqual(client.ask(f"AUTH web {SECRET}"), "OK")
        self.assertEqual(client.ask("PING"), "PONG")
        self.assertEqual(client.get("sessions.a", "k"), None)

    def test_wrong_secrets_and_unknown_users_are_told_the_same(self):
        for attempt in ("web wrong", "nobody wrong", f"nobody {SECRET}", "root " + SECRET):
            self.assertEqual(self.connect(self.daemon).ask("AUTH " + attempt), "DENIED")
        self.daemon.wait_log("denied")
        log = self.daemon.log()
        self.assertNotIn(SECRET, log)
        self.assertNotIn("wrong", log)

    def test_rights(self):
        root = self.known("root", "top")
        web = self.known()
        self.assertEqual(web.put("sessions.a", "k", "v"), "STORED")
        self.assertEqual(root.put("pages", "k", "v"), "STORED")
        self.assertEqual(root.put("other", "k", "v"), "STORED")
        self.assertEqual(web.get("sessions.a", "k"), b"v")
        self.assertEqual(web.get("pages", "k"), b"v")
        self.refused(web, "PUT pages k 1m 1\r\nx", "write", "pages")
        self.refused(web, "DEL pages k", "write", "pages")
        self.refused(web, "TOUCH pages k 1m", "write", "pages")
        self.refused(web, "INCR pages k", "write", "pages")
        self.refused(web, "GET other k", "read", "other")
        self.refused(web, "GET never_made k", "read", "never_made")
        self.refused(web, "TTL other k", "read", "other")
        for verb in ("LIST", "ALL", "FLUSH", "SURVEY", "DUMP"):
            self.refused(web, f"{verb} sessions.a", "admin", "sessions.a")
        self.refused(web, "STATS sessions.a", "watch", "sessions.a")
        self.refused(web, "STATS", "watch", None)
        self.refused(web, "SETTINGS", "admin", None)
        self.assertEqual(web.ask("INCR sessions.a n"), "NOT_FOUND")
        self.assertEqual([line.split()[1] for line in web.ask_all("NAMESPACES")],
                         [ns for ns in (line.split()[1] for line in root.ask_all("NAMESPACES"))
                          if ns != "other"])
        self.assertEqual(root.get("pages", "k"), b"v")
        self.assertEqual(root.ask("FLUSH other"), "FLUSHED 1")
        self.assertGreaterEqual(root.stat("auth_cmds"), 2)

    @in_memory("it has few figures")
    def test_who_watches_sees_figures_and_nothing_else(self):
        root = self.known("root", "top")
        self.assertEqual(root.put("sessions.a", "k", "v"), "STORED")
        watcher = self.known("watcher", "look")
        self.assertGreater(watcher.stat("pid"), 0)
        self.assertIn("STAT items 1", watcher.ask_all("STATS sessions.a"))
        self.assertIn("NAMESPACE sessions.a",
                      [" ".join(line.split()[:2]) for line in watcher.ask_all("NAMESPACES")])
        for verb in ("LIST", "ALL", "FLUSH", "SURVEY", "DUMP"):
            self.refused(watcher, f"{verb} sessions.a", "admin", "sessions.a")
        self.refused(watcher, "SETTINGS", "admin", None)
        self.refused(watcher, "GET sessions.a k", "read", "sessions.a")
        told = "\n".join(root.ask_all("SETTINGS"))
        self.assertIn("\nSETTING users.web.secret hidden ", told)
        for name in ("web", "root", "watcher"):
            self.assertIn(f"\nSETTING users.{name}.name \"{name}\" ", told)
        self.assertNotIn("$", told)
        self.refused(watcher, "PUT sessions.a k 1m 1\r\nx", "write", "sessions.a")
        self.assertEqual(root.get("sessions.a", "k"), b"v")

    def test_a_dump_takes_two_rights(self):
        self.daemon.configure(users(user("lists", "a", admin="n"), user("both", "b", read="n", admin="n"),
                                    user("reads", "c", read="n")))
        self.daemon.reload("reloaded the configuration")
        lists, both, reads = (self.known(*who) for who in (("lists", "a"), ("both", "b"), ("reads", "c")))
        self.refused(lists, "DUMP n", "read", "n")
        self.assertEqual(lists.ask_all("SURVEY n")[-1], "TTL never 0")
        self.refused(reads, "DUMP n", "admin", "n")
        self.refused(reads, "SURVEY n", "admin", "n")
        self.assertEqual(both.ask("DUMP n"), "END")
        self.refused(both, "DUMP other", "admin", "other")

    def test_a_right_that_goes_ends_a_dump(self):
        both = users(user("both", "b", read="n", admin="n", write="n"))
        self.daemon.configure(both)
        self.daemon.reload("reloaded the configuration")
        writer = self.known("both", "b")
        writer.pipelined("".join(f"PUT n k{i} never 1000\r\n{'x' * 1000}\r\n" for i in range(9000)),
                         9000)
        reader = self.connect(self.daemon, receive_buffer=4096)
        reader.send("AUTH both b\r\nDUMP n\r\n")
        self.assertEqual(reader.line(), "OK")
        self.assertEqual(reader.line()[:7], "PUT n k")
        self.daemon.configure(both.replace('read = ["n"]', 'read = ["m"]'))
        self.daemon.reload("reloaded the configuration")
        self.assertEqual(writer.ask("GET n k1")[:24], "CLIENT_ERROR not allowed")
        rest = reader.value(1000)
        lines = 1
        while (line := reader.line()).startswith("PUT n k"):
            rest = reader.value(1000)
            lines += 1
        self.assertEqual(rest, b"x" * 1000)
        self.assertTrue(line.startswith("CLIENT_ERROR not allowed"), line)
        self.assertLess(lines, 9000)

    def test_a_value_too_large_for_the_buffer_is_refused_and_dropped(self):
        web = self.known()
        value = b"FLUSH sessions.a\r\n" * 20000
        self.assertTrue(web.put("pages", "k", value).startswith("CLIENT_ERROR not allowed"))
        self.assertEqual(web.put("sessions.a", "k", value), "STORED")
        self.assertEqual(web.get("sessions.a", "k"), value)

    def test_what_is_sent_behind_auth_is_answered_behind_it(self):
        client = self.connect(self.daemon)
        client.send(f"PING\r\nAUTH web {SECRET}\r\nPUT sessions.a k 1m 1\r\nx\r\n"
                    "GET sessions.a k\r\nQUIT\r\n")
        self.assertEqual(client.reply(), f"CLIENT_ERROR {FIRST}")
        self.assertEqual(client.reply(), "OK")
        self.assertEqual(client.reply(), "STORED")
        self.assertEqual(client.reply(), ("VALUE 1", b"x"))
        client.expect_closed()

    def test_a_stranger_that_sends_much_is_closed(self):
        client = self.connect(self.daemon)
        client.send("PING\r\n" * 1200)
        answers = client.rest().split(b"\r\n")
        self.assertTrue(all(a in (b"", f"CLIENT_ERROR {FIRST}".encode()) for a in answers))
        self.assertLess(len(answers), 700)
        slow = self.connect(self.daemon)
        slow.send("PUT a b 1m 1000000\r\n" + "v" * 4000)
        self.assertEqual(slow.reply(), f"CLIENT_ERROR {FIRST}")
        slow.send("v" * 4000)
        slow.expect_closed()
        self.daemon.wait_log("did not authenticate in time")

    def test_a_stranger_that_goes_on_is_closed_once(self):
        root = self.known("root", "top")
        before = root.stat("curr_connections")
        client = self.connect(self.daemon)
        client.send("PING\r\n" * 682 + "AB\r\n")  # 4096 bytes, and nothing is left open
        for _ in range(683):
            self.assertEqual(client.line(), f"CLIENT_ERROR {FIRST}")
        client.expect_closed()
        client.send("PING\r\n" * 100)
        client.close()
        wait_for(lambda: root.stat("curr_connections") == before, what="it to be gone")
        self.assertEqual(root.stat("closed_unauthenticated"), 1)

    def test_a_silent_stranger_is_closed_and_a_user_is_not(self):
        web = self.known()
        stranger = self.connect(self.daemon, timeout=30)
        stubborn = self.connect(self.daemon, timeout=60)
        stubborn.send("AUTH web wrong\r\n" * 250)  # each would wait longer than the last
        start = time.monotonic()
        stranger.expect_closed()
        self.assertGreater(time.monotonic() - start, 5)
        self.assertEqual(set(stubborn.rest().split(b"\r\n")), {b"DENIED", b""})
        self.assertEqual(web.ask("PING"), "PONG")

    def test_a_checked_secret_holds_nobody_up(self):
        web = self.known()
        guessers = [self.connect(self.daemon) for _ in range(12)]
        for guesser in guessers:
            guesser.send("AUTH root wrong\r\n")
        for _ in range(1000):
            self.assertEqual(web.ask("PING"), "PONG")
        self.assertEqual(guessers[0].reply(), "DENIED")

    def test_failures_slow_their_address_down(self):
        took = []
        for _ in range(5):
            start = time.monotonic()
            self.assertEqual(self.connect(self.daemon).ask("AUTH web wrong"), "DENIED")
            took.append(time.monotonic() - start)
        self.assertGreater(took[4], 0.7)  # 100 ms, doubled three times
        self.assertGreater(took[4], 2 * took[0])

    def test_guesses_slow_their_address_down(self):
        took = []
        for number in range(5):
            start = time.monotonic()
            self.assertEqual(self.connect(self.daemon).ask(f"AUTH web wrong{number}"), "DENIED")
            took.append(time.monotonic() - start)
        self.assertGreater(took[4], 0.7)

    def test_another_user_and_back(self):
        client = self.known()
        self.refused(client, "LIST sessions.a", "admin", "sessions.a")
        self.assertEqual(client.ask("AUTH root top"), "OK")
        self.assertEqual(client.ask_all("LIST sessions.a"), [])
        self.assertEqual(client.ask("AUTH root wrong"), "DENIED")
        self.assertEqual(client.ask("PING"), f"CLIENT_ERROR {FIRST}")


class Reload(Case):
    def test_rights_go_at_once_and_users_too(self):
        daemon = self.start(users(WEB, ROOT))
        web, root = (self.connect(daemon) for _ in range(2))
        self.assertEqual(web.ask(f"AUTH web {SECRET}"), "OK")
        self.assertEqual(root.ask("AUTH root top"), "OK")
        daemon.configure(users(user("web", SECRET, read="sessions.*"), ROOT))
        daemon.reload("reloaded")
        self.assertTrue(web.ask("PUT sessions.a k 1m 1\r\nx").startswith("CLIENT_ERROR not"))
        self.assertEqual(web.get("sessions.a", "k"), None)
        self.assertEqual(root.put("sessions.a", "k", "v"), "STORED")
        daemon.configure(users(user("web", "another", read="sessions.*"), ROOT))
        daemon.reload("reloaded")
        self.assertEqual(web.ask("GET sessions.a k"), f"CLIENT_ERROR {FIRST}")
        self.assertEqual(web.ask(f"AUTH web {SECRET}"), "DENIED")
        self.assertEqual(web.ask("AUTH web another"), "OK")
        daemon.configure(users(ROOT))
        daemon.reload("reloaded")
        self.assertEqual(web.ask("GET sessions.a k"), f"CLIENT_ERROR {FIRST}")
        self.assertEqual(root.get("sessions.a", "k"), b"v")
        daemon.configure("users = ();")
        daemon.reload("reloaded")
        self.assertEqual(web.get("sessions.a", "k"), b"v")
        self.assertTrue(web.ask("AUTH root top").startswith("CLIENT_ERROR no users are configured"))

    def test_users_go_only_where_the_file_says_so(self):
        """An editor may have emptied it, and not written it yet."""
        daemon = self.start(users(WEB, ROOT))
        root, stranger = (self.connect(daemon) for _ in range(2))
        self.assertEqual(root.ask("AUTH root top"), "OK")
        before = open(daemon.conf).read()
        for text in ("", "# nothing yet", "\n", daemon.listen, 'memory = "64M";\n'):
            daemon.write_conf(text)
            self.assertIn("users = ();", daemon.reload("reload refused"))
            self.assertEqual(stranger.ask("PING"), f"CLIENT_ERROR {FIRST}")
            self.assertEqual(root.ask("PING"), "PONG")
        daemon.write_conf(before)
        daemon.reload("reloaded")
        daemon.write_conf(daemon.listen + "users = ();\n")
        daemon.reload("reloaded")
        self.assertEqual(stranger.ask("PING"), "PONG")
        daemon.write_conf("")
        self.assertIn("the file has no setting, and had some before", daemon.reload("reload refused"))
        daemon.write_conf(daemon.listen)
        daemon.reload("reloaded")

    def test_a_listing_that_has_lost_its_right_ends(self):
        daemon = self.start(users(ROOT), listen=None)
        root = self.connect(daemon, receive_buffer=4096)
        self.assertEqual(root.ask("AUTH root top"), "OK")
        value = "v" * 10000
        for i in range(1000):
            self.assertEqual(root.put("big", f"k{i}", value), "STORED")
        root.send("ALL big\r\n")
        self.assertTrue(root.reply()[0].startswith("RECORD"))
        daemon.configure(users(user("root", "top", read="*", write="*")))
        daemon.reload("reloaded")
        last = ("", b"")
        while not isinstance(last, str):
            last = root.reply()
        self.assertTrue(last.startswith("CLIENT_ERROR not allowed"), last)
        self.assertEqual(root.ask("PING"), "PONG")

    def test_an_upload_that_has_lost_its_right_stores_nothing(self):
        daemon = self.start(users(WEB, ROOT))
        web, root = (self.connect(daemon) for _ in range(2))
        self.assertEqual(web.ask(f"AUTH web {SECRET}"), "OK")
        self.assertEqual(root.ask("AUTH root top"), "OK")
        web.send("PUT sessions.a k 1m 1000000\r\n" + "v" * 500000)
        wait_for(lambda: root.stat("bytes_read") > 500000, what="half of the value to arrive")
        daemon.configure(users(user("web", SECRET, read="sessions.*"), ROOT))
        daemon.reload("reloaded")
        web.send("v" * 500000 + "\r\n")
        self.assertTrue(web.reply().startswith("CLIENT_ERROR not allowed"))
        self.assertEqual(web.get("sessions.a", "k"), None)


class Others(Case):
    def test_memcached_clients(self):
        daemon = Memcache(users(user("web", SECRET, read=["cache", "tokens"],
                                     write=["cache", "tokens"]), ROOT) +
                          'namespaces = ( { name = "tokens"; }, { name = "hidden"; } );')
        self.addCleanup(self._end, daemon)
        wire = self.kept(daemon.talk())
        for request in ("get a", "version", "stats", "mn", "mg a v", "nonsense", "delete a"):
            self.assertEqual(wire.ask(request), "CLIENT_ERROR unauthenticated", request)
        self.assertEqual(wire.ask("set x 0 0 9\nweb wrong"), "CLIENT_ERROR authentication failure")
        self.assertEqual(wire.ask("set x 0 0 3\nweb"),
                         "CLIENT_ERROR bad authentication token format")
        self.assertEqual(wire.ask(f"set x 0 0 {4 + len(SECRET)}\nweb {SECRET}"), "STORED")
        self.assertEqual(wire.ask("get x"), "END")
        self.assertEqual(wire.ask("set x 0 0 1\ny"), "STORED")
        self.assertEqual(wire.ask("get x", 3), ["VALUE x 0 1", "y", "END"])
        self.assertEqual(wire.ask("set tokens:x 0 0 1\ny"), "STORED")
        for request in ("stats", "flush_all"):
            answer = wire.ask(request)
            self.assertTrue(answer.startswith("CLIENT_ERROR not allowed"), (request, answer))
        self.assertEqual(wire.ask("get x", 3), ["VALUE x 0 1", "y", "END"])

    def test_a_namespace_without_any_right_looks_undeclared(self):
        """Whatever is asked, and however the requests come: alone, many in one line, behind a
        login, or as a value in pieces."""
        daemon = Memcache(users(user("web", SECRET, read=["cache", "tokens"],
                                     write=["cache", "tokens"]),
                                user("looks", SECRET, read=["cache", "tokens"], write="cache"),
                                ROOT) +
                          'namespaces = ( { name = "tokens"; }, { name = "hidden"; } );'
                          'max_value = "2M";')
        self.addCleanup(self._end, daemon)
        root, web = self.wire(daemon, "root", "top"), self.wire(daemon, "web", SECRET)
        looks = self.wire(daemon, "looks", SECRET)
        self.assertEqual(root.ask("set hidden:k 0 0 6\nsecret"), "STORED")
        self.assertEqual(root.ask("set tokens:k 0 0 1\nt"), "STORED")
        for name in ("hidden", "nosuch"):
            self.assertEqual(web.ask(f"get {name}:k"), "END")
            self.assertEqual(web.ask(f"mg {name}:k v"), "EN")
            self.assertEqual(web.ask(f"gat 10 {name}:k"), "END")
            self.assertEqual(web.ask(f"get x {name}:k y {name}:z"), "END")
            self.assertEqual(web.ask(f"delete {name}:k"), "NOT_FOUND")
            self.assertEqual(web.ask(f"set {name}:k 0 0 3\nown"), "STORED")
            self.assertEqual(web.ask(f"get {name}:k tokens:k", 5),
                             [f"VALUE {name}:k 0 3", "own", "VALUE tokens:k 0 1", "t", "END"])
            large = "v" * 1000000
            self.assertEqual(web.ask(f"set {name}:k 0 0 {len(large)}\n{large}"), "STORED")
            self.assertEqual(web.ask(f"mg {name}:k s"), f"HD s{len(large)}")
            said = f"web {SECRET}"
            login = self.kept(daemon.talk())
            login.send(f"set x 0 0 {len(said)}\r\n{said}\r\nget {name}:none\r\n"
                       f"set {name}:n 0 0 1\r\n5\r\n")
            self.assertEqual([login.line() for _ in range(3)], ["STORED", "END", "STORED"])
        self.assertEqual(root.ask("get hidden:k hidden:n", 3), ["VALUE hidden:k 0 6", "secret", "END"])
        self.assertEqual(root.ask("mg nosuch:n s"), "HD s1")
        # Where there is some right, the one that is missing is named.
        self.assertIn("not allowed", looks.ask("set tokens:k 0 0 1\nt"))
        self.assertEqual(looks.ask("get tokens:k", 3), ["VALUE tokens:k 0 1", "t", "END"])

    def test_an_upload_whose_rights_are_taken_goes_nowhere_else(self):
        conf = 'namespaces = ( { name = "tokens"; } ); max_value = "2M";'
        mine = user("web", SECRET, read=["cache", "tokens"], write=["cache", "tokens"])
        daemon = Memcache(users(mine, ROOT) + conf)
        self.addCleanup(self._end, daemon)
        root, web = self.wire(daemon, "root", "top"), self.wire(daemon, "web", SECRET)
        native = self.kept(daemon.connect())
        self.assertEqual(native.ask("AUTH root top"), "OK")
        web.send("set tokens:k 0 0 1000000\r\n" + "v" * 500000)
        wait_for(lambda: native.stat("bytes_read") > 500000, what="half of the value to arrive")
        daemon.configure(users(user("web", SECRET, read="cache", write="cache"), ROOT) + conf)
        daemon.reload("reloaded")
        web.send("v" * 500000 + "\r\n")
        self.assertIn("not allowed", web.line())
        self.assertEqual(root.ask("get tokens:k"), "END")
        self.assertEqual(web.ask("get tokens:k"), "END")

    def wire(self, daemon, name, secret):
        wire = self.kept(daemon.talk())
        said = f"{name} {secret}"
        self.assertEqual(wire.ask(f"set x 0 0 {len(said)}\n{said}"), "STORED")
        return wire

    def test_refusals_name_nothing_that_was_not_asked_for(self):
        daemon = Memcache(users(user("web", SECRET, read="tokens", admin=["cache", "tokens"]),
                                ROOT) +
                          'namespaces = ( { name = "tokens"; }, { name = "hidden"; } );'
                          'namespaces_policy = "declared";')
        self.addCleanup(self._end, daemon)
        wire = self.wire(daemon, "web", SECRET)
        answer = wire.ask("flush_all")
        self.assertIn("not allowed", answer)
        self.assertNotIn("hidden", answer)
        self.assertIn("not allowed", wire.ask("get tokens:x y"))

    @in_memory("nodes keep no notes")
    def test_who_only_reads_keeps_nobody_from_renewing(self):
        daemon = Memcache(users(user("reader", SECRET, read="cache"), ROOT))
        self.addCleanup(self._end, daemon)
        reader, root = self.wire(daemon, "reader", SECRET), self.wire(daemon, "root", "top")
        self.assertEqual(root.ask("ms k 1 T60\ny"), "HD")
        self.assertEqual(reader.ask("mg k R100"), "HD")
        self.assertEqual(root.ask("mg k R100"), "HD W")
        self.assertEqual(reader.ask("mg k R100"), "HD Z")
        self.assertEqual(root.ask("ms k 1 T60\ny"), "HD")
        self.assertEqual(root.ask("md k I"), "HD")
        self.assertEqual(reader.ask("mg k"), "HD X")
        self.assertEqual(root.ask("mg k"), "HD X W")

    def test_the_user_of_the_process_behind_a_unix_socket(self):
        me = pwd.getpwuid(os.getuid()).pw_name
        local = user("local", unix_user=me, read="*", write="a")
        daemon = self.start(users(local, ROOT), listen=LISTEN_UNIX)
        client = self.kept(Client(daemon.address))
        self.assertEqual(client.put("a", "k", "v"), "STORED")
        self.assertTrue(client.ask("LIST a").startswith("CLIENT_ERROR not allowed"))
        self.assertEqual(client.ask("AUTH root top"), "OK")
        self.assertEqual(client.ask_all("LIST a"), ["KEY k"])
        remote = self.kept(Client(daemon.addresses()[1]))
        self.assertEqual(remote.ask("GET a k"), f"CLIENT_ERROR {FIRST}")
        other = self.kept(Client(daemon.address))
        self.assertEqual(other.get("a", "k"), b"v")
        daemon.configure(users(ROOT))
        daemon.reload("reloaded")
        self.assertEqual(other.ask("GET a k"), f"CLIENT_ERROR {FIRST}")
        self.assertEqual(client.get("a", "k"), b"v")

    def test_secrets_are_nowhere_to_be_found(self):
        daemon = self.start(users(WEB, ROOT), arguments=("-vv",))
        client = self.connect(daemon)
        self.assertEqual(client.ask(f"AUTH web {SECRET}"), "OK")
        root = self.connect(daemon)
        self.assertEqual(root.ask("AUTH root top"), "OK")
        self.assertNotIn(SECRET, str(root.stats()))
        self.assertNotIn(SECRET, daemon.log())
        self.assertNotIn("$y$", daemon.log())
        if os.getuid() == 0:
            self.assertEqual(self.found_in_memory(daemon, SECRET.encode()), 0)

    @unittest.skipIf(os.getuid() != 0, "only root reads the memory of a process that is not dumpable")
    def test_nor_are_those_that_were_said_badly(self):
        daemon = self.start(users(WEB, ROOT))
        badly = ("AUTH web {0} more", "AUTH {0}", "AUT web {0}", "AUTH web  {0}", "auth web {0}\x01",
                 "AUTH " + "x" * 100 + " {0}", "AUTH web {0}" + "y" * 300, "{0}")
        secrets = []
        for i, line in enumerate(badly):
            secrets.append(f"secret-that-was-said-badly-{i}-" + "z" * 20)
            with self.connect(daemon) as client:
                client.send(line.format(secrets[-1]) + "\r\nQUIT\r\n")
                client.rest()
        secrets.append("secret-in-a-line-without-an-end-" + "z" * 20)
        with self.connect(daemon) as client:
            client.send("AUTH web " + secrets[-1])
        client = self.connect(daemon)
        self.assertEqual(client.ask(f"AUTH web {SECRET}"), "OK")
        secrets.append("secret-of-a-known-user-" + "z" * 20)
        self.assertRegex(client.ask(f"AUTH web {secrets[-1]} more"), "ERROR")
        root = self.connect(daemon)
        self.assertEqual(root.ask("AUTH root top"), "OK")
        wait_for(lambda: root.stat("curr_connections") == 2)
        for secret in secrets:
            with self.subTest(secret=secret):
                self.assertEqual(self.found_in_memory(daemon, secret.encode()), 0)

    @staticmethod
    def found_in_memory(daemon, needle):
        """How often it stands in the daemon's writable memory."""
        count = 0
        with open(f"/proc/{daemon.pid}/maps") as maps, \
                open(f"/proc/{daemon.pid}/mem", "rb", 0) as memory:
            for line in maps:
                where, rights = line.split()[:2]
                first, last = (int(x, 16) for x in where.split("-"))
                if not rights.startswith("rw") or last - first > 1 << 26:
                    continue
                memory.seek(first)
                try:
                    count += memory.read(last - first).count(needle)
                except OSError:
                    pass
        return count
