"""kvcached-cli as a test runs it: once, with its output, or on a terminal whose screen is seen.

Owns finding the program, running it, and as much of a terminal as libedit and ncurses use.
"""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest

from harness import Case
from timing import DAEMON, seconds


def find_cli():
    """The program under test: KVCACHED_CLI, or the one that was built with the daemon."""
    named = os.environ.get("KVCACHED_CLI")
    if named:
        return os.path.abspath(named)
    built = os.path.dirname(os.path.dirname(DAEMON or ""))
    path = os.path.join(built, "scripts", "cli", "kvcached-cli")
    return path if os.access(path, os.X_OK) else None


CLI = find_cli()
DONE, NOT_FOUND, REFUSED, NO_CONNECTION = 0, 1, 2, 3


class Screen:
    """What a terminal shows, from the bytes that were written to it."""

    ESCAPE = re.compile(r"\x1b(?:\[([?>=]?)([\d;]*)([@-~])|[()]([A-Z0-9])|([=>78cDEHM]))")

    def __init__(self, rows, columns):
        self.resize(rows, columns)
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.rest = ""

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        old = getattr(self, "cells", [])
        self.cells = [(old[r] if r < len(old) else [])[:columns] for r in range(rows)]
        for row in self.cells:
            row += [" "] * (columns - len(row))

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]

    def text(self):
        return "\n".join(self.lines()).rstrip("\n")

    def feed(self, text):
        text = self.rest + text
        at = 0
        self.rest = ""
        while at < len(text):
            if text[at] != "\x1b":
                self.put(text[at])
                at += 1
                continue
            match = self.ESCAPE.match(text, at)
            if match is None:
                if len(text) - at < 16:
                    self.rest = text[at:]
                    return
                raise AssertionError(f"an unknown sequence: {text[at:at + 16]!r}")
            if match[3]:
                self.control(match[2], match[3])
            at = match.end()

    def put(self, byte):
        if byte == "\r":
            self.column = 0
        elif byte == "\n":
            self.line_feed()
        elif byte == "\b":
            self.column = max(0, self.column - 1)
        elif byte == "\t":
            self.column = min(self.columns - 1, self.column // 8 * 8 + 8)
        elif byte >= " ":
            if self.column >= self.columns:
                self.column = 0
                self.line_feed()
            self.cells[self.row][self.column] = byte
            self.column += 1

    def line_feed(self):
        if self.row + 1 < self.rows:
            self.row += 1
        else:
            self.cells = self.cells[1:] + [[" "] * self.columns]

    def control(self, arguments, letter):
        numbers = [int(n or 0) for n in arguments.split(";")]
        count = max(1, numbers[0])
        row = self.cells[self.row]
        if letter == "G":
            self.column = count - 1
        elif letter == "d":
            self.row = count - 1
        elif letter == "H":
            self.row = count - 1
            self.column = max(1, numbers[1] if len(numbers) > 1 else 1) - 1
        elif letter in "AB":
            self.row = min(self.rows - 1, max(0, self.row + (count if letter == "B" else -count)))
        elif letter in "CD":
            self.column = max(0, self.column + (count if letter == "C" else -count))
        elif letter == "@":
            row[self.column:self.column] = [" "] * count
            del row[self.columns:]
        elif letter == "P":
            del row[self.column:self.column + count]
            row += [" "] * (self.columns - len(row))
        elif letter == "X":
            row[self.column:self.column + count] = [" "] * count
            del row[self.columns:]
        elif letter == "K":
            span = {0: range(self.column, self.columns), 1: range(self.column + 1),
                    2: range(self.columns)}[numbers[0]]
            for column in span:
                row[column] = " "
        elif letter == "J":
            if numbers[0] == 2:
                self.cells = [[" "] * self.columns for _ in range(self.rows)]
            else:
                row[self.column:] = [" "] * (self.columns - self.column)
                for below in range(self.row + 1, self.rows):
                    self.cells[below] = [" "] * self.columns
        elif letter not in "mhlrtn":
            raise AssertionError(f"an unknown control: {arguments}{letter}")


class Terminal:
    """The client on a terminal of its own. see() waits until the screen shows something."""

    def __init__(self, arguments, columns=80, rows=24, kind="xterm", home=None, environment=None):
        self.screen = Screen(rows, columns)
        self.raw = b""
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            names = dict(os.environ, TERM=kind, HOME=home or "/nonexistent", LC_ALL="C.UTF-8",
                         **(environment or {}))
            names.pop("COLUMNS", None)
            names.pop("LINES", None)
            os.execve(CLI, [CLI, *arguments], names)

    def type(self, text):
        os.write(self.fd, text.encode() if isinstance(text, str) else text)

    def resize(self, columns, rows=24):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, timeout):
        """Takes in what was written; False at the end."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return True
        try:
            piece = os.read(self.fd, 1 << 16)
        except OSError:
            piece = b""
        self.raw += piece
        self.screen.feed(piece.decode("utf-8", "replace"))
        return bool(piece)

    def wait(self, condition, what, timeout=10):
        deadline = time.monotonic() + seconds(timeout)
        while not condition():
            if time.monotonic() > deadline or not self.read(0.05):
                if condition():
                    return
                raise AssertionError(f"waited for {what}; the screen:\n{self.screen.text()}")

    def see(self, pattern, timeout=10):
        """Waits until the screen matches; returns the match."""
        found = []

        def seen():
            found[:] = [re.search(pattern, self.screen.text(), re.M)]
            return found[0]
        self.wait(seen, f"/{pattern}/", timeout)
        return found[0]

    def line(self, pattern):
        """Waits until the line of the cursor matches as a whole."""
        self.wait(lambda: re.fullmatch(pattern, self.screen.lines()[self.screen.row]),
                  f"a line /{pattern}/")

    def end(self, timeout=10):
        """Waits for the end of the client; returns its status."""
        deadline = time.monotonic() + seconds(timeout)
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                raise AssertionError(f"the client goes on; the screen:\n{self.screen.text()}")
            else:
                self.read(0.02)
        return self.status

    def close(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        os.close(self.fd)


class CliCase(Case):
    """Runs the client against daemons of a test."""

    @classmethod
    def setUpClass(cls):
        if CLI is None:
            raise unittest.SkipTest("no kvcached-cli was built")
        super().setUpClass()

    @staticmethod
    def where(daemon):
        """The options that name the daemon's first listener."""
        address = daemon.address
        if isinstance(address, str):
            return ["-s", address]
        return ["-H", address[0], "-p", str(address[1])]

    def cli(self, *arguments, given=b"", **options):
        """Runs it once; returns its status, its output and what it said."""
        options.setdefault("env", dict(os.environ, LC_ALL="C.UTF-8", **options.pop("environment", {})))
        done = subprocess.run([CLI, *arguments], input=given, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=seconds(30), **options)
        return done.returncode, done.stdout, done.stderr.decode()

    def at(self, daemon, *arguments, **options):
        return self.cli(*self.where(daemon), *arguments, **options)

    def serve(self, *pieces):
        """A server that is none: it says these pieces to the first client, and closes. None: it
        waits until the client has sent something, or has left. Returns its port."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def answer():
            connection = listener.accept()[0]
            for piece in pieces:
                if piece is None:
                    connection.recv(1 << 16)
                else:
                    connection.sendall(piece)
            connection.close()
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        self.addCleanup(thread.join, seconds(10))
        return str(listener.getsockname()[1])

    def needs(self, daemon, words):
        """Skips the test where the daemon's HELP has no such words: it is older than them."""
        with daemon.connect() as client:
            if not any(words in line for line in client.ask_all("HELP")):
                self.skipTest(f"this daemon has no {words}")

    def home(self):
        folder = tempfile.TemporaryDirectory(prefix="kvcached-cli-")
        self.addCleanup(folder.cleanup)
        return folder.name

    def terminal(self, daemon, *arguments, **options):
        terminal = Terminal([*self.where(daemon), *arguments], **options)
        self.addCleanup(terminal.close)
        return terminal
