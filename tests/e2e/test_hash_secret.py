"""kvcached --hash-secret: from standard input, and from a terminal that shows nothing."""

import ctypes
import ctypes.util
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

from harness import DAEMON, Case, seconds, wait_for

HASH = re.compile(rb"\A(\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{22}\$[./A-Za-z0-9]{43})\n\Z")


def matches(secret, printed):
    """Whether what was printed is a line with that secret's hash, as crypt(3) sees it."""
    crypt = ctypes.CDLL(ctypes.util.find_library("crypt")).crypt
    crypt.restype = ctypes.c_char_p
    found = HASH.match(printed)
    return bool(found) and crypt(secret, found.group(1)) == found.group(1)


class FromStandardInput(Case):
    def hash_secret(self, given, *arguments, **options):
        """Returns its status, what it printed, and what it said."""
        options.setdefault("stdout", subprocess.PIPE)
        done = subprocess.run([DAEMON, "--hash-secret", *arguments], input=given, cwd="/",
                              stderr=subprocess.PIPE, timeout=seconds(20), **options)
        return done.returncode, done.stdout, done.stderr.decode()

    def test_one_line(self):
        for given in (b"sesame\n", b"sesame", b"sesame\nand what follows\n"):
            status, out, err = self.hash_secret(given)
            self.assertEqual((status, err), (0, ""), given)
            self.assertTrue(matches(b"sesame", out), out)
            self.assertFalse(matches(b"sesam", out), out)

    def test_another_salt_each_time(self):
        self.assertNotEqual(self.hash_secret(b"sesame\n")[1], self.hash_secret(b"sesame\n")[1])

    def test_any_bytes_and_the_longest(self):
        secret = bytes(range(0x80, 0x100)) + b"x" * 128
        status, out, err = self.hash_secret(secret + b"\n")
        self.assertEqual((status, err), (0, ""))
        self.assertTrue(matches(secret, out), out)
        self.assertFalse(matches(secret[:-1], out), out)

    def test_what_cannot_be_a_secret(self):
        for given, why in ((b"", "empty"), (b"\n", "empty"), (b"hunter 2\n", "white space"),
                           (b"hunter2\r\n", "white space or a control character"),
                           (b"hunter\x002\n", "control character"),
                           (b"h" * 257 + b"\n", "longer than 256 bytes"),
                           (b"h" * 100000, "longer than 256 bytes")):
            status, out, err = self.hash_secret(given)
            self.assertEqual((status, out), (1, b""), given)
            self.assertIn(why, err)
            self.assertNotIn("hunter", err)

    def test_what_follows_is_left(self):
        read, write = os.pipe()
        os.write(write, b"sesame\nthe rest\n")
        os.close(write)
        with os.fdopen(read, "rb", buffering=0) as rest:
            done = subprocess.run([DAEMON, "--hash-secret"], stdin=rest, stdout=subprocess.PIPE,
                                  timeout=seconds(20))
            self.assertTrue(matches(b"sesame", done.stdout))
            self.assertEqual(rest.read(100), b"the rest\n")

    def test_a_secret_is_no_argument(self):
        status, out, err = self.hash_secret(b"", "hunter2")
        self.assertEqual((status, out), (os.EX_USAGE, b""))
        self.assertIn("must not be an argument", err)
        self.assertNotIn("hunter2", err)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            status, _, err = self.hash_secret(b"sesame\n", stdout=full)
        self.assertEqual(status, 1)
        self.assertIn("No space left", err)


class FromATerminal(Case):
    def setUp(self):
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.shown = b""

    def hash_secret(self, command=(DAEMON, "--hash-secret"), ignored=()):
        """Starts it with the terminal as its own, so that its keys make signals."""
        heard = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM,
                 signal.SIGTSTP} - set(ignored)

        def take_terminal():
            os.setsid()
            for number in heard:  # whatever started the tests may have them ignored
                signal.signal(number, signal.SIG_DFL)
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(command, stdin=self.slave, stdout=subprocess.PIPE,
                                        stderr=self.slave, cwd="/", preexec_fn=take_terminal)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.wait_shown(b"Secret: ")

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def wait_shown(self, text):
        """Waits until the terminal has shown that, and forgets all up to there."""
        deadline = time.monotonic() + seconds(10)
        while text not in self.shown:
            ready = select.select([self.master], [], [], max(deadline - time.monotonic(), 0))[0]
            self.assertTrue(ready, f"waited in vain for {text!r}, but saw {self.shown!r}")
            self.shown += os.read(self.master, 1000)
        before, _, self.shown = self.shown.partition(text)
        return before

    def rest(self):
        """What else it has shown."""
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 1000)
        shown, self.shown = self.shown, b""
        return shown

    def type(self, keys):
        os.write(self.master, keys)

    def end(self):
        """Its status and what it printed; the terminal shows what is typed again."""
        out, _ = self.process.communicate(timeout=seconds(10))
        status = self.process.returncode
        self.assertTrue(self.echoes())
        return status, out

    def test_twice_the_same(self):
        before = termios.tcgetattr(self.slave)
        self.assertTrue(self.echoes())
        self.hash_secret()
        self.assertFalse(self.echoes())
        self.type(b"sesamx\x7fe\n")
        self.assertEqual(self.wait_shown(b"Once more: "), b"\r\n")
        self.assertFalse(self.echoes())
        self.type(b"sesame\n")
        status, out = self.end()
        self.assertEqual(status, 0)
        self.assertTrue(matches(b"sesame", out), out)
        self.wait_shown(b"\r\n")
        self.assertEqual(termios.tcgetattr(self.slave), before)

    def test_two_that_differ(self):
        self.hash_secret()
        self.type(b"sesame\n")
        self.wait_shown(b"Once more: ")
        self.type(b"sesam\n")
        self.assertEqual(self.end(), (1, b""))
        self.assertEqual(self.wait_shown(b"the second was not the same"),
                         b"\r\nkvcached: no hash was made: ")

    def test_none_is_asked_for_once(self):
        for keys, why in ((b"\n", b"empty"), (b"\x04", b"empty"), (b"a b\n", b"white space"),
                          (b"h" * 300 + b"\n", b"longer than 256 bytes")):
            self.hash_secret()
            self.type(keys)
            self.assertEqual(self.end(), (1, b""), keys)
            self.assertNotIn(b"Once more", self.wait_shown(why))

    def test_a_signal_finds_the_terminal_as_it_was(self):
        for number, keys in ((signal.SIGINT, b"\x03"), (signal.SIGQUIT, b"\x1c"),
                             (signal.SIGTERM, None), (signal.SIGHUP, None)):
            for question in (b"Secret: ", b"Once more: "):
                self.hash_secret()
                if question != b"Secret: ":
                    self.type(b"sesame\n")
                    self.wait_shown(question)
                self.type(b"hunter2")
                if keys:
                    self.type(keys)
                else:
                    self.process.send_signal(number)
                self.assertEqual(self.end(), (-number, b""), (number, question))
                self.assertNotIn(b"hunter2", self.rest())

    def test_it_asks_again_after_a_signal_that_is_ignored(self):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        self.hash_secret(ignored=[signal.SIGHUP])
        self.type(b"forgotten")
        self.process.send_signal(signal.SIGHUP)
        self.wait_shown(b"Secret: ")
        wait_for(lambda: not self.echoes(), what="a silent terminal")
        self.type(b"sesame\n")
        self.wait_shown(b"Once more: ")
        self.type(b"sesame\n")
        status, out = self.end()
        self.assertEqual(status, 0)
        self.assertTrue(matches(b"sesame", out), out)

    def test_it_asks_again_after_a_pause(self):
        """A shell with job control goes on when it is stopped, and then takes it up again."""
        self.hash_secret(["sh", "-mc", f"{DAEMON} --hash-secret; echo paused >&2; "
                                       "read go && fg >/dev/null"])
        self.type(b"forgotten")
        self.type(b"\x1a")
        self.wait_shown(b"paused")
        self.assertTrue(self.echoes())
        self.type(b"go\n")
        self.wait_shown(b"Secret: ")
        self.assertFalse(self.echoes())
        self.type(b"sesame\n")
        self.wait_shown(b"Once more: ")
        self.type(b"sesame\n")
        status, out = self.end()
        self.assertEqual(status, 0)
        self.assertTrue(matches(b"sesame", out), out)
