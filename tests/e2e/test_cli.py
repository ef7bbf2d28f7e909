"""kvcached-cli, once: what it prints, its exit status, and how it finds its server."""

import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import unittest

import encryption
from cli import CLI, DONE, NO_CONNECTION, NOT_FOUND, REFUSED, CliCase
from encryption import make_certificate
from harness import seconds, wait_for
from test_users import SECRET, user, users

ANY_BYTES = bytes(range(256)) + b"\r\nEND\r\n"
WEB = users(user("web", SECRET, read="*", write="*"))


class Requests(CliCase):
    def test_a_request_and_its_reply(self):
        daemon = self.start()
        for words, out in ((["PUT", "s", "alice", "30m", "hello world"], b"STORED\n"),
                           (["get", "s", "alice"], b"hello world"),
                           (["Get", "s", "alice", "alice"], b"hello world\nhello world\n"),
                           (["add", "s", "bob", "x"], b"STORED\n"),
                           (["put", "s", "n", "never", "41"], b"STORED\n"),
                           (["incr", "s", "n"], b"NUMBER 42\n"),
                           (["ttl", "s", "n"], b"TTL never\n"),
                           (["touch", "s", "n", "-"], b"TOUCHED\n"),
                           (["del", "s", "n", "bob"], b"DELETED\nDELETED\n"),
                           (["list", "s"], b"alice\n"),
                           (["all", "s"], b"RECORD alice 11\nhello world\n"),
                           (["namespaces"], b"s 1 23\n"),
                           (["flush", "s"], b"FLUSHED 1\n"),
                           (["list", "s"], b""),
                           (["ping"], b"PONG\n")):
            self.assertEqual(self.at(daemon, *words), (DONE, out, ""), words)
        status, out, err = self.at(daemon, "stats")
        self.assertEqual((status, err), (DONE, ""))
        self.assertIn(b"\ncurr_items 0\n", out)
        self.assertIn(b"PUT <ns> <key>", self.at(daemon, "HELP", "put")[1])

    def test_values_are_bytes(self):
        daemon = self.start()
        self.assertEqual(self.at(daemon, "-x", "put", "s", "bytes", "1h", given=ANY_BYTES),
                         (DONE, b"STORED\n", ""))
        self.assertEqual(self.at(daemon, "get", "s", "bytes"), (DONE, ANY_BYTES, ""))
        self.assertEqual(self.at(daemon, "-x", "add", "s", "empty"), (DONE, b"STORED\n", ""))
        self.assertEqual(self.at(daemon, "get", "s", "empty"), (DONE, b"", ""))
        with daemon.connect() as client:
            self.assertEqual(client.get("s", "bytes"), ANY_BYTES)
        large = os.urandom(1 << 20)
        self.at(daemon, "-x", "put", "s", "large", given=large)
        self.assertEqual(self.at(daemon, "get", "s", "large"), (DONE, large, ""))

    def test_a_line_end_behind_a_value_on_a_terminal_only(self):
        daemon = self.start()
        self.at(daemon, "put", "s", "k", "hello")
        outer, inner = pty.openpty()
        done = subprocess.run([CLI, *self.where(daemon), "get", "s", "k"], stdout=inner,
                              timeout=seconds(20))
        os.close(inner)
        self.assertEqual((done.returncode, os.read(outer, 100)), (DONE, b"hello\r\n"))
        os.close(outer)

    def test_words_may_begin_with_a_dash(self):
        daemon = self.start()
        self.assertEqual(self.at(daemon, "put", "-", "--tls", "-", "-x")[0], DONE)
        self.assertEqual(self.at(daemon, "get", "-", "--tls"), (DONE, b"-x", ""))

    def test_keys_with_blanks(self):
        daemon = self.start()
        self.assertEqual(self.at(daemon, "put", "s", "a b\nc", "v")[0], DONE)
        self.assertEqual(self.at(daemon, "list", "s"), (DONE, b"a\\x20b\\x0ac\n", ""))
        self.assertEqual(self.at(daemon, "get", "s", "a\\x20b\\x0ac"), (DONE, b"v", ""))


class Statuses(CliCase):
    def test_not_found_and_exists(self):
        daemon = self.start()
        self.at(daemon, "put", "s", "k", "v")
        self.assertEqual(self.at(daemon, "get", "s", "x"), (NOT_FOUND, b"", "NOT_FOUND\n"))
        self.assertEqual(self.at(daemon, "get", "s", "k", "x"),
                         (NOT_FOUND, b"v\n", "NOT_FOUND x\n"))
        self.assertEqual(self.at(daemon, "add", "s", "k", "w"), (NOT_FOUND, b"EXISTS\n", ""))
        for verb in (["del"], ["ttl"], ["touch"], ["incr"]):
            self.assertEqual(self.at(daemon, *verb, "s", "x"), (NOT_FOUND, b"NOT_FOUND\n", ""))
        self.assertEqual(self.at(daemon, "stats", "nowhere")[0], NOT_FOUND)

    def test_refused(self):
        daemon = self.start("max_value = 10;")
        for words, said in ((["get", "bad/ns", "k"], "CLIENT_ERROR bad namespace"),
                            (["put", "s", "k", "soon", "v"], "CLIENT_ERROR bad ttl"),
                            (["put", "s", "k", "v" * 11], "ERROR"),
                            (["frob"], "kvcached-cli: unknown verb \"frob\", try help"),
                            (["get", "s"], "words are missing: write GET <ns> <key>"),
                            (["put", "s", "k"], "the value is missing: write PUT"),
                            (["put", "s", "k", "1h", "a", "b"], "too many words"),
                            (["-x", "get", "s", "k"], "only PUT and ADD take a value"),
                            (["auth", "web", SECRET], "must not be an argument"),
                            (["hash-secret", SECRET], "must not be an argument"),
                            (["help", "frob"], "no such verb")):
            status, out, err = self.at(daemon, *words)
            self.assertEqual((status, out), (REFUSED, b""), words)
            self.assertIn(said, err)
            self.assertNotIn(SECRET, err)

    def test_wrong_usage(self):
        for words, said in ((["--frob"], "--frob: there is no such option"),
                            (["-q"], "-q: there is no such option"),
                            (["-H"], "-H: its argument is missing"),
                            (["--ca"], "--ca: its argument is missing"),
                            (["-p", "0", "ping"], "-p: write a port from 1 to 65535"),
                            (["-p", "x", "ping"], "-p: write a port from 1 to 65535"),
                            (["-s", "/a", "-p", "1", "ping"], "-s names a socket"),
                            (["-t", "soon", "ping"], "-t soon: write 30 (seconds)"),
                            (["--key", "f", "ping"], "--key goes with --cert"),
                            (["-x"], "-x goes with PUT or ADD")):
            status, out, err = self.cli(*words)
            self.assertEqual((status, out), (REFUSED, b""), words)
            self.assertIn(said, err)

    def test_no_connection(self):
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            port = str(bound.getsockname()[1])
            status, out, err = self.cli("-p", port, "ping")
        self.assertEqual((status, out), (NO_CONNECTION, b""))
        self.assertEqual(err, f"kvcached-cli: cannot connect to 127.0.0.1:{port}: "
                              "Connection refused\n")
        for where in (["-s", "/nonexistent/socket"], ["-s", "/" + "x" * 200],
                      ["-H", "no.such.host.invalid"]):
            self.assertEqual(self.cli(*where, "ping")[:2], (NO_CONNECTION, b""))

    def test_servers_that_are_none(self):
        for pieces, said in (((b"VALUE 5\r\nhel",), "the server closed the connection"),
                             ((), "the server closed the connection"),
                             ((b"HTTP/1.1 400 Bad Request\n\n",), "does not speak kvcached's"),
                             ((b"VALUE 5\r\nhello--",), "does not speak kvcached's"),
                             ((b"VALUE 5\r\nhel", None, None), "no reply in time")):
            status, _, err = self.cli("-p", self.serve(*pieces), "-t", "300ms", "get", "s", "k")
            self.assertEqual(status, NO_CONNECTION, pieces)
            self.assertIn(said, err)

    def test_what_a_server_says_before_it_closes(self):
        port = self.serve(b"SERVER_ERROR too many connections\r\n")
        self.assertEqual(self.cli("-p", port, "ping"),
                         (REFUSED, b"", "SERVER_ERROR too many connections\n"))

    def test_output_that_is_full(self):
        daemon = self.start()
        with open("/dev/full", "wb") as full:
            done = subprocess.run([CLI, *self.where(daemon), "ping"], stdout=full,
                                  stderr=subprocess.PIPE, timeout=seconds(20))
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn(b"standard output", done.stderr)

    def test_help_and_version(self):
        status, out, err = self.cli("--help")
        self.assertEqual((status, err), (DONE, ""))
        for word in (b"--secret-file FILE", b"PUT <ns> <key> [<ttl>] <value>", b"hash-secret"):
            self.assertIn(word, out)
        status, out, err = self.cli("--version")
        self.assertEqual((status, err), (DONE, ""))
        self.assertRegex(out, rb"\Akvcached-cli \d+\.\d+\.\d+\n\Z")
        self.assertEqual(self.cli("help")[1].count(b"PUT <ns>"), 1)


class Json(CliCase):
    def ask(self, daemon, *words, status=DONE):
        found, out, err = self.at(daemon, "--json", *words)
        self.assertEqual((found, err), (status, ""), words)
        self.assertEqual(out.count(b"\n"), 1, out)
        return json.loads(out)

    def test_every_reply(self):
        daemon = self.start('namespaces = ( { name = "s"; } );')  # it stays when it is empty
        self.assertEqual(self.ask(daemon, "put", "s", "k", "1h", "hé\n"), {"reply": "STORED"})
        self.assertEqual(self.ask(daemon, "get", "s", "k"), {"key": "k", "value": "hé\n"})
        self.at(daemon, "-x", "put", "s", "b", given=b"\xff\x00")
        self.assertEqual(self.ask(daemon, "get", "s", "b", "k", "x", status=NOT_FOUND),
                         [{"key": "b", "value": "/wA=", "value_encoding": "base64"},
                          {"key": "k", "value": "hé\n"}, {"key": "x", "reply": "NOT_FOUND"}])
        self.assertEqual(self.ask(daemon, "get", "s", "x", status=NOT_FOUND),
                         {"key": "x", "reply": "NOT_FOUND"})
        self.assertEqual(sorted(row["key"] for row in self.ask(daemon, "list", "s")), ["b", "k"])
        self.assertEqual(self.ask(daemon, "list", "s", "k*"), [{"key": "k"}])
        self.assertEqual(self.ask(daemon, "list", "s", "z*"), [])
        self.assertEqual(self.ask(daemon, "all", "s", "k"), [{"key": "k", "value": "hé\n"}])
        found = self.ask(daemon, "namespaces")
        self.assertEqual([(row["namespace"], row["records"]) for row in found], [("s", 2)])
        ttl = self.ask(daemon, "ttl", "s", "k")
        self.assertEqual(ttl["reply"], "TTL")
        self.assertGreater(ttl["seconds"], 3000)
        self.assertEqual(self.ask(daemon, "del", "s", "b"), {"key": "b", "reply": "DELETED"})
        self.assertEqual(self.ask(daemon, "flush", "s"), {"reply": "FLUSHED", "records": 1})
        self.assertEqual(self.ask(daemon, "ping"), {"reply": "PONG"})
        self.assertEqual(self.ask(daemon, "stats")["curr_items"], 0)
        self.assertEqual(self.ask(daemon, "stats", "s")["ttl"], "never")
        self.assertEqual(self.ask(daemon, "stats", "x", status=NOT_FOUND), {"reply": "NOT_FOUND"})
        self.assertIsInstance(self.ask(daemon, "version")["version"], str)

    def test_errors(self):
        daemon = self.start()
        found = self.ask(daemon, "list", "bad/ns", status=REFUSED)
        self.assertEqual(found["error"], "CLIENT_ERROR")
        self.assertIn("bad namespace", found["text"])
        found = self.ask(daemon, "get", "bad/ns", "a", "b", status=REFUSED)
        self.assertEqual([row["error"] for row in found], ["CLIENT_ERROR"])

    def test_the_option_may_stand_behind_the_words(self):
        daemon = self.start()
        self.assertEqual(json.loads(self.at(daemon, "ping", "--json")[1]), {"reply": "PONG"})
        self.at(daemon, "put", "s", "k", "--json")
        self.assertEqual(self.at(daemon, "get", "s", "k"), (DONE, b"--json", ""))


class Scripts(CliCase):
    def test_lines(self):
        daemon = self.start()
        lines = ("# a comment\n"
                 "\n"
                 'PUT s alice 30m "hello\\tworld\\x21"\n'
                 "PUT s bob 1h 5\n"
                 "GET s alice bob\n"
                 "get s bob")
        self.assertEqual(self.at(daemon, given=lines.encode()),
                         (DONE, b"STORED\nSTORED\nhello\tworld!\n5\n5", ""))

    def test_mistakes_have_their_line(self):
        daemon = self.start()
        lines = ("PING\n"
                 "GET s x\n"
                 "FROB\n"
                 'PUT s k 1h "open\n'
                 "PUT s k soon v\n"
                 "PING\n")
        status, out, err = self.at(daemon, given=lines.encode())
        self.assertEqual((status, out), (NOT_FOUND, b"PONG\nPONG\n"))
        said = err.splitlines()
        self.assertEqual(said[:3], ["line 2: NOT_FOUND", 'line 3: unknown verb "FROB", try help',
                                    "line 4: a quotation mark is missing at the end"])
        self.assertIn("line 5: CLIENT_ERROR bad ttl", said[3])
        self.assertEqual(self.at(daemon, given=b"FROB\nGET s x\n")[0], REFUSED)

    def test_nothing_typed_becomes_a_value(self):
        daemon = self.start()
        status, out, _ = self.at(daemon, given=b"PUT s k 30m\nPING\nPUT s k 30m 9\nGET s k\n")
        self.assertEqual((status, out), (REFUSED, b"PONG\nSTORED\n9"))
        with daemon.connect() as client:
            self.assertEqual(client.stat("cmd_set"), 1)

    def test_quit_ends(self):
        daemon = self.start()
        for word in (b"QUIT", b"quit", b"exit"):
            self.assertEqual(self.at(daemon, given=b"PING\n" + word + b"\nPING\n"),
                             (DONE, b"PONG\n", ""))

    def test_a_connection_is_made_anew(self):
        daemon = self.start()
        process = subprocess.Popen([CLI, *self.where(daemon)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdin.write(b"PING\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"PONG\n")
        daemon.stop()
        # The same port again.
        host, port = daemon.address
        daemon.listen = f'listen = ( {{ address = "{host}"; port = {port}; }} );\n'
        daemon.configure("")
        daemon.start(ready=False)
        daemon.wait_listening(2)
        out, err = process.communicate(b"PING\n", timeout=seconds(20))
        self.assertEqual((process.returncode, out), (DONE, b"PONG\n"))
        self.assertEqual(err.decode(), f"kvcached-cli: connected again to {host}:{port}\n")

    def test_a_server_that_is_gone(self):
        daemon = self.start()
        where = self.where(daemon)
        process = subprocess.Popen([CLI, *where], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        process.stdin.write(b"PING\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"PONG\n")
        daemon.stop()
        out, err = process.communicate(b"PING\nPING\n", timeout=seconds(20))
        self.assertEqual((process.returncode, out), (NO_CONNECTION, b""))
        self.assertEqual(err.count(b"line 2: cannot connect to"), 1)
        self.assertNotIn(b"line 3", err)


class Finding(CliCase):
    def conf(self, text):
        path = os.path.join(self.home(), "kvcached.conf")
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_the_first_native_listener(self):
        daemon = self.start()
        port = daemon.address[1]
        path = self.conf('listen = ( { port = 1; protocol = "memcache"; prefix = ":"; }, '
                         f"{{ port = {port}; }}, {{ port = 2; }} );\n")
        self.assertEqual(self.cli("-c", path, "ping"), (DONE, b"PONG\n", ""))

    def test_all_addresses_mean_this_machine(self):
        daemon = self.start()
        path = self.conf(f'insecure = true; listen = ( {{ address = "0.0.0.0"; '
                         f"port = {daemon.address[1]}; }} );\n")
        self.assertEqual(self.cli("-c", path, "ping"), (DONE, b"PONG\n", ""))

    def test_unix_sockets_first(self):
        daemon = self.start(listen='listen = ( { port = 0; }, { path = "@/socket"; } );\n')
        daemon.wait_listening(2)
        path = self.conf(f'listen = ( {{ port = 1; }}, {{ path = "{daemon.path("socket")}"; }} );\n')
        self.assertEqual(self.cli("-c", path, "ping"), (DONE, b"PONG\n", ""))

    def test_a_file_that_cannot_be_read(self):
        status, _, err = self.cli("-c", "/nonexistent/kvcached.conf", "-t", "5s", "help")
        self.assertEqual((status, err), (DONE, ""))  # needs no server
        _, _, err = self.cli("-c", "/nonexistent/kvcached.conf", "ping")
        self.assertIn("/nonexistent/kvcached.conf is not read, 127.0.0.1:7171 is used", err)

    def test_a_file_with_mistakes(self):
        path = self.conf("listen = 5;\nfrob = 1;\n")
        status, out, err = self.cli("-c", path, "ping")
        self.assertEqual((status, out), (REFUSED, b""))
        self.assertIn(f"{path}:1: listen", err)
        self.assertIn(f"{path}:2: frob", err)
        self.assertIn("name it with -H or -s", err)


class Users(CliCase):
    def secret_file(self, text=SECRET + "\n"):
        path = os.path.join(self.home(), "secret")
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_a_secret_from_a_file(self):
        daemon = self.start(WEB)
        self.assertEqual(self.at(daemon, "-u", "web", "--secret-file", self.secret_file(), "put",
                                 "s", "k", "v"), (DONE, b"STORED\n", ""))
        named = {"KVCACHED_SECRET_FILE": self.secret_file()}
        self.assertEqual(self.at(daemon, "-u", "web", "get", "s", "k", environment=named),
                         (DONE, b"v", ""))
        status, out, err = self.at(daemon, "-u", "web", "list", "s", environment=named)
        self.assertEqual((status, out), (REFUSED, b""))
        self.assertIn("not allowed", err)

    def test_denied(self):
        daemon = self.start(WEB)
        wrong = self.secret_file("wrong-secret\n")
        status, out, err = self.at(daemon, "-u", "web", "--secret-file", wrong, "ping")
        self.assertEqual((status, out), (REFUSED, b""))
        self.assertEqual(err, "kvcached-cli: the server refuses user web: DENIED\n")
        self.assertEqual(self.at(daemon, "ping")[0], REFUSED)  # without a user

    def test_files_without_a_secret(self):
        daemon = self.start(WEB)
        for file, why in ((self.secret_file(""), "it is empty"),
                          (self.secret_file("two words\n"), "white space"),
                          (self.secret_file("x" * 300), "longer than 256 bytes"),
                          ("/nonexistent/secret", "No such file")):
            status, _, err = self.at(daemon, "-u", "web", "--secret-file", file, "ping")
            self.assertEqual(status, REFUSED)
            self.assertIn(why, err)

    def test_no_terminal_to_ask(self):
        daemon = self.start(WEB)
        status, _, err = self.at(daemon, "-u", "web", "ping", start_new_session=True)
        self.assertEqual(status, REFUSED)
        self.assertIn("--secret-file", err)

    def test_auth_in_a_script(self):
        daemon = self.start(WEB)
        script = f"AUTH web {SECRET}\nPUT s k v\n".encode()
        self.assertEqual(self.at(daemon, given=script), (DONE, b"OK\nSTORED\n", ""))
        script = b"AUTH web wrong\nPUT s k v\n"
        status, out, err = self.at(daemon, given=script)
        self.assertEqual((status, out), (REFUSED, b"DENIED\n"))
        self.assertIn("line 2: CLIENT_ERROR", err)

    def test_hash_secret(self):
        status, out, err = self.cli("hash-secret", given=b"sesame\n")
        self.assertEqual((status, err), (DONE, ""))
        self.assertRegex(out, rb"\A\$y\$.*\n\Z")
        status, out, err = self.cli("hash-secret", given=b"\n")
        self.assertEqual((status, out), (REFUSED, b""))
        self.assertIn("kvcached-cli: this cannot be a secret", err)


class Tls(CliCase):
    LISTEN = ('listen = ( { address = "127.0.0.1"; port = 0; tls_certificate = "@/server.pem"; '
              'tls_key = "@/server.key"; tls_client_ca = "@/ours.pem"; } );\n')

    def serve(self, conf="", issuer="ours"):
        if not encryption.is_built_in():
            self.skipTest("built without TLS")
        daemon = self.start(conf, listen=self.LISTEN, run=False)
        for name, by in (("ours", None), ("theirs", None), ("localhost", issuer),
                         ("alice", "ours")):
            make_certificate(daemon.folder, name, by)
        for kind in ("pem", "key"):
            os.rename(daemon.path("localhost." + kind), daemon.path("server." + kind))
        daemon.start()
        return daemon

    def named(self, daemon):
        return ["-H", "localhost", "-p", str(daemon.address[1])]

    def test_an_authority_and_a_name(self):
        daemon = self.serve()
        named, ours = self.named(daemon), ["--ca", daemon.path("ours.pem")]
        self.assertEqual(self.cli(*named, "--tls", *ours, "ping"), (DONE, b"PONG\n", ""))
        self.at(daemon)
        self.assertEqual(self.cli(*named, *ours, "-x", "put", "s", "k", given=b"x" * 999999)[0], DONE)
        self.assertEqual(self.cli(*named, *ours, "get", "s", "k")[1], b"x" * 999999)
        for options, why in ((["--tls"], "self-signed certificate|local issuer"),
                             (["--ca", daemon.path("theirs.pem")], "local issuer|self-signed"),
                             (["--ca", "/nonexistent.pem"], "/nonexistent.pem")):
            status, out, err = self.cli(*named, *options, "ping")
            self.assertEqual((status, out), (NO_CONNECTION, b""))
            self.assertRegex(err, why)
        status, _, err = self.at(daemon, *ours, "ping")  # another name than the certificate's
        self.assertEqual(status, NO_CONNECTION)
        self.assertIn("mismatch", err)

    def test_the_configuration_names_the_certificate(self):
        daemon = self.serve()
        listen = daemon.listen.replace("port = 0", f"port = {daemon.address[1]}")
        path = daemon.path("other.conf")
        with open(path, "w") as file:
            file.write(listen)
        self.assertEqual(self.cli("-c", path, "ping"), (DONE, b"PONG\n", ""))
        make_certificate(daemon.folder, "other", "ours")
        with open(path, "w") as file:
            file.write(listen.replace("server.pem", "other.pem").replace("server.key", "other.key"))
        status, _, err = self.cli("-c", path, "ping")  # vouched for by the same authority
        self.assertEqual(status, NO_CONNECTION)
        self.assertIn("not trusted", err)

    def test_a_certificate_of_the_client(self):
        daemon = self.serve(users(user("alice", read="s", write="s")))
        named, ours = self.named(daemon), ["--ca", daemon.path("ours.pem")]
        own = ["--cert", daemon.path("alice.pem"), "--key", daemon.path("alice.key")]
        self.assertEqual(self.cli(*named, *ours, *own, "put", "s", "k", "v"), (DONE, b"STORED\n", ""))
        self.assertEqual(self.cli(*named, *ours, "put", "s", "k", "v")[0], REFUSED)
        status, _, err = self.cli(*named, *ours, "--cert", daemon.path("alice.pem"), "--key",
                                  daemon.path("server.key"), "ping")
        self.assertEqual(status, NO_CONNECTION)
        self.assertIn("key values mismatch", err)

    def test_plain_and_tls_do_not_meet(self):
        daemon = self.serve()
        self.assertEqual(self.at(daemon, "ping")[0], NO_CONNECTION)
        plain = self.start(listen='listen = ( { address = "127.0.0.1"; port = 0; } );\n')
        status, _, err = self.at(plain, "--tls", "ping")
        self.assertEqual(status, NO_CONNECTION)
        self.assertIn("cannot connect", err)


class Interrupted(CliCase):
    def test_a_reader_that_leaves(self):
        daemon = self.start()
        with daemon.connect() as client:
            for number in range(2000):
                client.send(b"PUT s key-%05d-%s never 1\r\nx\r\n" % (number, b"k" * 200))
            for _ in range(2000):
                client.line()
        read, write = os.pipe()
        process = subprocess.Popen([CLI, *self.where(daemon), "list", "s"], stdout=write,
                                   stderr=subprocess.PIPE)
        os.close(write)
        os.read(read, 100)
        os.close(read)
        _, err = process.communicate(timeout=seconds(20))
        self.assertEqual(err, b"")
        self.assertNotEqual(process.returncode, DONE)
        wait_for(lambda: b"curr_connections 1\n" in self.at(daemon, "stats")[1], 5,
                 "the connection to be gone")
        self.assertIn(process.returncode, (REFUSED, -signal.SIGPIPE))


class ShellCompletion(CliCase):
    FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "cli",
                        "completion.bash")

    def complete(self, *words):
        """What bash offers for the last word."""
        script = ('source "$1"; shift; COMP_WORDS=(kvcached-cli "$@"); COMP_CWORD=$#; '
                  '_kvcached_cli; printf "%s\\n" "${COMPREPLY[@]}"')
        folder = self.home()
        os.symlink(CLI, os.path.join(folder, "kvcached-cli"))
        done = subprocess.run(["bash", "-c", script, "bash", self.FILE, *words],
                              capture_output=True, text=True, timeout=seconds(20),
                              env=dict(os.environ, PATH=folder + ":" + os.environ["PATH"]))
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    @unittest.skipIf(shutil.which("bash") is None, "Debian: bash")
    def test_bash(self):
        daemon = self.start()
        for ns in ("sessions", "secrets", "pages"):
            self.at(daemon, "put", ns, "k", "v")
        self.assertEqual(self.complete("pu"), ["put"])
        self.assertEqual(self.complete("PU"), ["PUT"])
        self.assertEqual(self.complete("--sec"), ["--secret-file"])
        self.assertEqual(self.complete("-p", "1", "--json", "hash"), ["hash-secret"])
        where = self.where(daemon)
        self.assertEqual(sorted(self.complete(*where, "get", "se")), ["secrets", "sessions"])
        self.assertEqual(self.complete(*where, "get", "sessions", "k"), [])
        self.assertEqual(self.complete(*where, "-u", "web", "get", "se"), [])  # it would ask
        self.assertEqual(self.complete(*where, "ping", "x"), [])
        file = os.path.join(self.home(), "a-file")
        with open(file, "w"):
            pass
        self.assertEqual(self.complete("-c", file[:-3]), [file])
