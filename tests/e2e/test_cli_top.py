"""kvcached-cli top: the figures of STATS, once and every second, in any width."""

import re

from cli import DONE, NO_CONNECTION, REFUSED, CliCase
from test_users import SECRET, user, users

COLUMNS = ["namespace", "records", "memory", "reads", "hits", "writes", "evicted", "expired",
           "quota", "ttl"]


class Top(CliCase):
    def serve(self):
        daemon = self.start('namespaces = ( { name = "sessions"; ttl = "30m"; memory = "8M"; } );')
        with daemon.connect() as client:
            for number in range(12):
                self.assertEqual(client.put("sessions", f"k{number}", "v" * 100), "STORED")
            self.assertEqual(client.put("pages", "index", "x"), "STORED")
            for key in ("k1", "k2", "k3", "none"):
                client.get("sessions", key)
        return daemon

    def table(self, text):
        """Rows of the table by name: each a dictionary by column."""
        lines = text.splitlines()
        head = next(n for n, line in enumerate(lines) if re.match(r"\*?namespace", line))
        names = lines[head].replace("*", " ").split()
        rows = [dict(zip(names, line.split())) for line in lines[head + 1:] if line]
        return names, {row["namespace"]: row for row in rows}

    def test_once_against_stats(self):
        daemon = self.serve()
        status, out, err = self.at(daemon, "top", "-1")
        self.assertEqual((status, err), (DONE, ""))
        text = out.decode()
        names, rows = self.table(text)
        self.assertEqual(names, COLUMNS)
        self.assertEqual(list(rows), ["sessions", "pages"])  # by records
        with daemon.connect() as client:
            figures, of = client.stats(), client.stats("sessions")
        row = rows["sessions"]
        self.assertEqual(row["records"], of["items"])
        self.assertEqual(int(row["reads"]), int(of["hits"]) + int(of["misses"]))
        self.assertEqual(row["hits"], "75.0%")
        self.assertEqual(row["writes"], of["sets"])
        self.assertEqual((row["quota"], row["ttl"]), ("8.0M", "30m"))
        self.assertEqual(rows["pages"]["hits"], "-")
        self.assertEqual((rows["pages"]["quota"], rows["pages"]["ttl"]), ("-", "never"))
        self.assertIn(f"records {figures['curr_items']} ", text)
        self.assertIn(f"reads {figures['cmd_get']} ", text)
        self.assertIn(f"writes {figures['cmd_set']} ", text)
        self.assertIn(f"of {figures['max_connections']}\n", text)
        self.assertIn(f"kvcached {figures['version']}  ", text)

    def test_widths(self):
        daemon = self.serve()
        for width in (40, 60, 80, 120):
            out = self.at(daemon, "top", "-1", environment={"COLUMNS": str(width)})[1].decode()
            self.assertLessEqual(max(map(len, out.splitlines())), width)
            names, rows = self.table(out)
            self.assertEqual(names, COLUMNS[:len(names)])
            self.assertGreaterEqual(len(names), 4 if width == 40 else 5)
            self.assertEqual(rows["sessions"]["records"], "12")

    def test_no_namespace(self):
        daemon = self.start()
        status, out, err = self.at(daemon, "top", "-1")
        self.assertEqual((status, err), (DONE, ""))
        self.assertEqual(self.table(out.decode())[1], {})

    def test_more_namespaces_than_are_asked_for(self):
        daemon = self.start("undeclared_namespaces = 3000;")
        with daemon.connect() as client:
            for number in range(1200):
                client.send(f"PUT n{number} k never {100 if number < 3 else 1}\r\n"
                            f"{'x' * (100 if number < 3 else 1)}\r\n")
            for _ in range(1200):
                self.assertEqual(client.line(), "STORED")
        rows = self.table(self.at(daemon, "top", "-1")[1].decode().replace("and 200 more", ""))[1]
        self.assertEqual(len(rows), 1000)
        for name in ("n0", "n1", "n2"):
            self.assertIn(name, rows)

    def test_every_second(self):
        daemon = self.serve()
        terminal = self.terminal(daemon, "top")
        terminal.see(r"^namespace +\*records +memory +reads/s")
        terminal.see(r"^sessions +12 .*\n^pages +1 ")
        with daemon.connect() as client:
            def reads():
                client.get("sessions", "k1")
                return re.search(r"^sessions +12 +\S+ +[1-9]", terminal.screen.text(), re.M)
            terminal.wait(reads, "a rate of reads")
        terminal.type("n")
        terminal.see(r"^\*namespace +records(.*\n)+?pages .*\n^sessions ")
        terminal.resize(40)
        terminal.see(r"^\*namespace +records +memory +reads/s$")
        terminal.type("q")
        self.assertEqual(terminal.end(), DONE)

    def test_from_a_line(self):
        daemon = self.serve()
        terminal = self.terminal(daemon)
        terminal.see("> *$")
        terminal.type("top\r")
        terminal.see("^namespace")
        terminal.type("q")
        terminal.type("PING\r")
        terminal.see("^PONG$")

    def test_ctrl_c_ends(self):
        daemon = self.serve()
        terminal = self.terminal(daemon, "top")
        terminal.see("^namespace")
        terminal.type("\x03")
        self.assertEqual(terminal.end(), DONE)

    def test_a_server_that_goes(self):
        daemon = self.serve()
        terminal = self.terminal(daemon, "top")
        terminal.see("^namespace")
        daemon.stop()
        terminal.see("cannot connect to")
        terminal.see(r"^sessions +12")  # the last that was known
        terminal.type("q")
        self.assertEqual(terminal.end(), NO_CONNECTION)

    def test_refused(self):
        daemon = self.start(users(user("web", SECRET, read="*")))
        status, out, err = self.at(daemon, "top", "-1")
        self.assertEqual((status, out), (REFUSED, b""))
        self.assertIn("CLIENT_ERROR", err)
        for words in (["top", "-2"], ["top", "-1", "x"]):
            status, out, err = self.at(daemon, *words)
            self.assertEqual((status, out), (REFUSED, b""))
            self.assertIn("write top [-1]", err)
        status, _, err = self.at(daemon, "top")
        self.assertEqual(status, REFUSED)
        self.assertIn("no terminal", err)
