"""kvcached-cli and a daemon at work: its clients, events, slow requests, settings, and what a
namespace has; with daemons that know these verbs."""

import json
import re
import signal
import subprocess
import threading

from cli import CLI, DONE, NOT_FOUND, REFUSED, CliCase
from harness import seconds


class Watching(CliCase):
    def serve(self, words, conf=""):
        daemon = self.start(conf)
        self.needs(daemon, words)
        return daemon

    def watch(self, daemon, *words, expect=b"OK\n"):
        """Begins to watch, and returns when that is so."""
        # A shell has its background commands ignore SIGINT.
        process = subprocess.Popen([CLI, *self.where(daemon), *words], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(
                                       signal.SIGINT, signal.SIG_DFL))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), expect)
        return process

    def test_events(self):
        daemon = self.serve("WATCH <ns>")
        process = self.watch(daemon, "watch", "s", "reads")
        self.at(daemon, "get", "s", "alice")
        self.assertRegex(process.stdout.readline(),
                         rb"\AEVENT ts=\S+ kind=read ns=s key=alice hit=0 .*\n\Z")
        process.send_signal(signal.SIGINT)
        process.wait(seconds(10))

    def test_events_as_json(self):
        daemon = self.serve("WATCH <ns>")
        process = self.watch(daemon, "--json", "watch", "s", "reads", expect=b'{"reply":"OK"}\n')
        self.at(daemon, "get", "s", "alice")
        event = json.loads(process.stdout.readline())
        self.assertEqual((event["reply"], event["kind"], event["key"], event["hit"]),
                         ("EVENT", "read", "alice", 0))

    def test_ctrl_c_ends_watching(self):
        daemon = self.serve("WATCH <ns>")
        terminal = self.terminal(daemon)
        terminal.see("> *$")
        terminal.type("watch s\r")
        terminal.see("^OK$")
        self.at(daemon, "get", "s", "alice")
        terminal.see("kind=read ns=s key=alice")
        terminal.type("\x03")
        terminal.see("interrupted$")
        terminal.type("PING\r")
        terminal.see("^PONG$")

    def test_hot(self):
        daemon = self.serve("WATCH <ns>")
        ended = threading.Event()

        def read():
            with daemon.connect() as client:
                while not ended.is_set():
                    client.send(b"GET s often\r\n" * 90 + b"GET s rarely\r\n" * 10)
                    for _ in range(100):
                        client.line()
        reader = threading.Thread(target=read)
        reader.start()
        self.addCleanup(reader.join)
        self.addCleanup(ended.set)
        status, out, err = self.at(daemon, "hot", "s", "-t", "1s")
        ended.set()
        self.assertEqual((status, err), (DONE, ""))
        lines = out.decode().splitlines()
        self.assertEqual(lines[0].split(), ["reads/s", "share", "key"])
        self.assertEqual([line.split()[2] for line in lines[1:]], ["often", "rarely"])
        self.assertGreater(float(lines[1].split()[1].rstrip("%")), 70)
        self.assertEqual(self.at(daemon, "hot", "bad/ns")[0], REFUSED)
        self.assertEqual(self.at(daemon, "hot", "s", "-t", "never")[0], REFUSED)
        self.assertEqual(self.at(daemon, "hot")[0], REFUSED)

    def test_nothing_hot(self):
        daemon = self.serve("WATCH <ns>")
        status, out, err = self.at(daemon, "hot", "s", "-t", "100ms")
        self.assertEqual((status, out.count(b"\n"), err), (DONE, 1, ""))

    def test_clients_and_kill(self):
        daemon = self.serve("KILL <id>")
        with daemon.connect() as victim:
            self.assertEqual(victim.ask("PING"), "PONG")
            status, out, _ = self.at(daemon, "--json", "clients")
            self.assertEqual(status, DONE)
            idle, = [row["id"] for row in json.loads(out) if row["last"] == "PING"]
            self.assertIn(f"CLIENT id={idle} ".encode(), self.at(daemon, "clients")[1])
            self.assertEqual(self.at(daemon, "kill", str(idle)), (DONE, b"KILLED\n", ""))
            victim.expect_closed()
        self.assertEqual(self.at(daemon, "kill", str(idle)), (NOT_FOUND, b"NOT_FOUND\n", ""))
        self.assertEqual(self.at(daemon, "kill", "x")[0], REFUSED)

    def test_slow(self):
        daemon = self.serve("SLOW [<n>")
        self.assertEqual(self.at(daemon, "slow"), (DONE, b"", ""))
        self.assertEqual(self.at(daemon, "slow", "reset"), (DONE, b"OK\n", ""))
        self.assertEqual(self.at(daemon, "--json", "slow", "reset"),
                         (DONE, b'{"reply":"OK"}\n', ""))
        self.assertEqual(json.loads(self.at(daemon, "--json", "slow")[1]), [])

    def test_survey(self):
        daemon = self.serve("SURVEY <ns>")
        self.at(daemon, "put", "s", "alice", "50m", "hello")
        status, out, err = self.at(daemon, "survey", "s")
        self.assertEqual((status, err), (DONE, ""))
        for line in (rb"SIZE 8 1 5", rb"TTL 1h 1", rb"LARGE 5 alice"):
            self.assertRegex(out, rb"(?m)^" + line + rb"$")
        rows = json.loads(self.at(daemon, "--json", "survey", "s")[1])
        self.assertIn({"reply": "TTL", "up_to": "1h", "records": 1}, rows)
        self.assertIn({"reply": "SIZE", "up_to": 8, "records": 1, "bytes": 5}, rows)
        self.assertIn({"reply": "LARGE", "bytes": 5, "key": "alice"}, rows)

    def test_settings(self):
        daemon = self.serve("SETTINGS:", 'memory = "32M";')
        status, out, err = self.at(daemon, "settings")
        self.assertEqual((status, err), (DONE, ""))
        self.assertTrue(re.search(rb"(?m)^memory \S*32M\S* .*kvcached\.conf:\d+", out), out)
        rows = {row["name"]: row for row in json.loads(self.at(daemon, "--json", "settings")[1])}
        self.assertIn("32M", rows["memory"]["value"])
        self.assertEqual(rows["listen.1.address"]["value"], '"127.0.0.1"')
        self.assertRegex(rows["memory"]["origin"], r"kvcached\.conf:\d+ default ")

    def test_reload(self):
        daemon = self.serve("RELOAD:")
        self.assertEqual(self.at(daemon, "reload"), (DONE, b"OK nothing changed\n", ""))
        self.assertEqual(json.loads(self.at(daemon, "--json", "reload")[1]),
                         {"reply": "OK", "text": "nothing changed"})
        daemon.configure("memory = 5;\nfrob = 1;")
        status, out, err = self.at(daemon, given=b"RELOAD\nPING\n")
        self.assertEqual((status, out), (REFUSED, b"PONG\n"))
        self.assertRegex(err, r"line 1: CLIENT_ERROR /.*memory(.*\n)+line 1: CLIENT_ERROR /.*frob")
        status, out, err = self.at(daemon, "--json", "reload")
        self.assertEqual((status, err), (REFUSED, ""))
        self.assertEqual([row["error"] for row in json.loads(out)], ["CLIENT_ERROR"] * 2)
