"""kvcached-cli on a terminal: editing, hints, completion, history, other sizes, no terminal at all."""

import os
import re
import signal
import stat

from cli import DONE, NO_CONNECTION, CliCase
from test_users import SECRET, user, users

PUT_USAGE = r"PUT <ns> <key> \[<ttl>\] <value>"
GET_USAGE = r"GET <ns> <key> \[<key> \.\.\.\]"


class TerminalCase(CliCase):
    def begin(self, daemon, *arguments, **options):
        terminal = self.terminal(daemon, *arguments, **options)
        self.prompt = re.escape(self.name(daemon)) + ">"
        terminal.line(self.prompt)
        return terminal

    def enter(self, terminal, line, pattern):
        """Types a line, waits for what follows it and for the next prompt."""
        terminal.type(line + "\r")
        terminal.see(pattern)
        terminal.line(self.prompt)

    @staticmethod
    def name(daemon):
        address = daemon.address
        return address if isinstance(address, str) else f"{address[0]}:{address[1]}"


class Lines(TerminalCase):
    def test_requests(self):
        daemon = self.start()
        terminal = self.begin(daemon)
        self.enter(terminal, 'PUT s alice 30m "hello world"', r"^STORED$")
        self.enter(terminal, "GET s alice bob", r"^hello world\nNOT_FOUND bob$")
        self.enter(terminal, "FROB", r'^kvcached-cli: unknown verb "FROB", try help$')
        self.enter(terminal, "help put", rf"^  {PUT_USAGE} +store the value")
        self.enter(terminal, "", self.prompt + "$\n" + self.prompt)  # nothing
        terminal.type("\x04")
        self.assertEqual(terminal.end(), DONE)

    def test_quit(self):
        daemon = self.start()
        for word in ("QUIT\r", "exit\r"):
            terminal = self.begin(daemon)
            terminal.type(word)
            self.assertEqual(terminal.end(), DONE)

    def test_ctrl_c_clears_the_line(self):
        daemon = self.start()
        terminal = self.begin(daemon)
        terminal.type("FLUSH s")
        terminal.line(self.prompt + " FLUSH s +FLUSH <ns>")
        terminal.type("\x03")
        terminal.line(self.prompt)
        terminal.see(r"FLUSH s\^C")
        terminal.type("\x03")
        self.enter(terminal, "PING", "^PONG$")

    def test_a_unix_socket_in_the_prompt(self):
        daemon = self.start(listen='listen = ( { path = "@/socket"; } );\n')
        terminal = self.begin(daemon)
        self.enter(terminal, "PING", "^PONG$")

    def test_no_server(self):
        daemon = self.start()
        where = self.where(daemon)
        daemon.stop()
        terminal = self.terminal(daemon, *where)
        terminal.see("cannot connect")
        self.assertEqual(terminal.end(), NO_CONNECTION)

    def test_a_server_that_comes_back(self):
        daemon = self.start()
        terminal = self.begin(daemon)
        host, port = daemon.address
        daemon.stop()
        terminal.type("PING\r")
        terminal.see(f"cannot connect to {host}:{port}")
        terminal.line(self.prompt)
        daemon.listen = f'listen = ( {{ address = "{host}"; port = {port}; }} );\n'
        daemon.configure("")
        daemon.start(ready=False)
        daemon.wait_listening(2)
        terminal.type("PING\r")
        terminal.see(f"^kvcached-cli: connected again to {host}:{port}\nPONG$")


class Hints(TerminalCase):
    def test_the_usage_follows_every_key(self):
        daemon = self.start()
        terminal = self.begin(daemon)
        terminal.type("p")
        terminal.line(self.prompt + " p")
        terminal.type("u")
        terminal.line(rf"{self.prompt} pu +{PUT_USAGE}")
        terminal.type("\x7f\x7fge")
        terminal.line(rf"{self.prompt} ge +{GET_USAGE}")
        terminal.type("t sessions ali")
        terminal.line(rf"{self.prompt} get sessions ali +{GET_USAGE}")
        terminal.type("\x15")  # all of the line is deleted
        terminal.line(self.prompt)

    def test_narrow(self):
        daemon = self.start()
        terminal = self.begin(daemon, columns=40)
        terminal.type("put sessions alice")
        terminal.line(self.prompt + " put sessions alice")  # no room for a hint
        self.enter(terminal, " 30m a-value-that-needs-two-lines", "^STORED$")

    def test_another_size(self):
        daemon = self.start()
        terminal = self.begin(daemon)
        terminal.type("get sess")
        terminal.line(rf"{self.prompt} get sess +{GET_USAGE}")
        self.assertEqual(len(terminal.screen.lines()[terminal.screen.row]), 79)
        terminal.resize(100)
        terminal.wait(lambda: len(terminal.screen.lines()[terminal.screen.row]) == 99,
                      "the hint at the new right side")
        terminal.line(rf"{self.prompt} get sess +{GET_USAGE}")
        terminal.type("ions k\r")
        terminal.see("^NOT_FOUND$")
        self.enter(terminal, "PING", "^PONG$")


class Completion(TerminalCase):
    def serve(self):
        daemon = self.start()
        with daemon.connect() as client:
            for ns, key in (("sessions", "alice"), ("sessions", "albert"), ("sessions", "bob"),
                            ("pages", "a*b"), ("pages", "axb"), ("pages", "a\\x20b")):
                self.assertEqual(client.put(ns, key, "v"), "STORED")
        return daemon

    def test_verbs(self):
        terminal = self.begin(self.serve())
        terminal.type("pu\t")
        terminal.line(rf"{self.prompt} PUT +{PUT_USAGE}")
        terminal.type("\x15name\t")
        terminal.line(rf"{self.prompt} NAMESPACES +NAMESPACES")
        terminal.type("\x15has\t")
        terminal.line(rf"{self.prompt} hash-secret +hash-secret")
        terminal.type("\x15t\t")
        terminal.see("TTL")
        terminal.see("TOUCH")

    def test_namespaces_and_keys(self):
        terminal = self.begin(self.serve())
        terminal.type("get se\tb\t")
        terminal.line(rf"{self.prompt} get sessions bob +{GET_USAGE}")
        self.enter(terminal, "", "^v$")
        terminal.type("get sessions a\t")
        terminal.line(rf"{self.prompt} get sessions al +{GET_USAGE}")  # what both begin with
        terminal.type("\t")
        terminal.see("^albert +alice$")
        terminal.line(rf"{self.prompt} get sessions al +{GET_USAGE}")
        terminal.type("i\tbob\r")  # and the next key
        terminal.see("^v\nv$")

    def test_prefixes_are_no_patterns(self):
        terminal = self.begin(self.serve())
        terminal.type("ttl pages a*\t")
        terminal.line(rf"{self.prompt} ttl pages a\*b +TTL <ns> <key>")
        terminal.type("\x15ttl pages a\\\t")
        terminal.line(rf"{self.prompt} ttl pages a\\x20b +TTL <ns> <key>")
        terminal.type("\r")
        terminal.see("^TTL never$")

    def test_fifty_keys_of_many(self):
        daemon = self.start()
        with daemon.connect() as client:
            for number in range(3000):
                client.send(f"PUT many k{number:04} never 1\r\nx\r\n")
            for _ in range(3000):
                client.line()
        terminal = self.begin(daemon, rows=60)
        terminal.type("get many \t")
        terminal.line(rf"{self.prompt} get many k[0-9]* +{GET_USAGE}")
        terminal.type("\t")
        terminal.see(r"\.\.\.$")
        self.assertEqual(len(set(re.findall(r"\bk\d{4}\b", terminal.screen.text()))), 50)
        self.enter(terminal, "\x15PING", "^PONG$")


class History(TerminalCase):
    def test_lines_are_kept(self):
        daemon, home = self.start(), self.home()
        first = self.begin(daemon, home=home)
        self.enter(first, "PUT s alice 1h v", "^STORED$")
        self.enter(first, "PING", "^PONG$")
        first.type("\x04")
        self.assertEqual(first.end(), DONE)
        file = os.path.join(home, ".kvcached_history")
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)

        second = self.begin(daemon, home=home)
        second.type("\x1b[A")
        second.line(self.prompt + " PING +PING")
        second.type("\x15\x12alice")
        second.line("bck:alice|" + self.prompt + r" PUT s alice 1h v.*")
        second.see(r"PUT s alice 1h v")
        second.type("\r")
        second.see("^STORED$")

    def test_secrets_are_not(self):
        daemon, home = self.start(users(user("web", SECRET, read="*", write="*"))), self.home()
        terminal = self.begin(daemon, home=home)
        self.enter(terminal, f"auth web {SECRET}", "^OK$")
        terminal.type(f"AUTH web {SECRET}\r")
        terminal.see("^OK\n(.*\n)*OK$")
        terminal.type("AUTH web\r")
        terminal.see("^Secret of web:")
        terminal.type(SECRET + "\r")
        terminal.see("^OK\n(.*\n)*OK\n(.*\n)*OK$")
        self.enter(terminal, "PUT s k 1h v", "^STORED$")
        with open(os.path.join(home, ".kvcached_history")) as file:
            kept = file.read()
        self.assertIn("PUT", kept)
        self.assertNotIn(SECRET, kept)
        self.assertNotIn("web", kept)
        terminal.type("\x1b[A\x1b[A")
        terminal.line(self.prompt + " PUT s k 1h v .*")

    def test_without(self):
        daemon, home = self.start(), self.home()
        terminal = self.begin(daemon, "--no-history", home=home)
        self.enter(terminal, "PING", "^PONG$")
        terminal.type("\x04")
        self.assertEqual(terminal.end(), DONE)
        self.assertEqual(os.listdir(home), [])


class Secrets(TerminalCase):
    def test_asked_for_without_echo(self):
        daemon = self.start(users(user("web", SECRET, read="*", write="*")))
        terminal = self.terminal(daemon, "-u", "web")
        terminal.see("^Secret of web:")
        terminal.type(SECRET + "\r")
        self.prompt = re.escape(self.name(daemon)) + ">"
        terminal.line(self.prompt)
        self.enter(terminal, "PUT s k v", "^STORED$")
        self.assertNotIn(SECRET.encode(), terminal.raw)

    def test_asked_for_while_the_value_is_read(self):
        daemon = self.start(users(user("web", SECRET, read="*", write="*")))
        terminal = self.terminal(daemon, "-u", "web", "ping")
        terminal.see("^Secret of web:")
        terminal.type(SECRET + "\r")
        terminal.see("^PONG$")
        self.assertEqual(terminal.end(), DONE)


class OtherTerminals(TerminalCase):
    def test_dumb(self):
        daemon = self.start()
        for kind in ("dumb", ""):
            terminal = self.begin(daemon, kind=kind)
            self.enter(terminal, "PING", "^PONG$")
            terminal.type("FLUSH s")
            terminal.line(self.prompt + " FLUSH s")
            terminal.type("\x03")
            terminal.see(r"FLUSH s\^C$")
            terminal.line(self.prompt)
            self.enter(terminal, "PUT s k 1h v", "^STORED$")
            self.assertNotIn(b"\x1b", terminal.raw)
            terminal.type("\x04")
            self.assertEqual(terminal.end(), DONE)

    def test_ctrl_c_ends_a_listing(self):
        daemon = self.start()
        port = self.serve(None, b"KEY first\r\n", None)
        terminal = self.terminal(daemon, "-p", port)
        self.prompt = f"127.0.0.1:{port}>"
        terminal.line(self.prompt)
        terminal.type("LIST many\r")
        terminal.see("^first$")
        terminal.type("\x03")
        terminal.see("interrupted$")
        terminal.line(self.prompt)

    def test_a_signal_leaves_the_terminal_as_it_was(self):
        import termios
        daemon = self.start()
        terminal = self.begin(daemon)
        raw = termios.tcgetattr(terminal.fd)[3]
        self.assertFalse(raw & termios.ICANON)
        os.kill(terminal.pid, signal.SIGTERM)
        self.assertEqual(terminal.end(), -signal.SIGTERM)
