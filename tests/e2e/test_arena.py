"""What befalls the arena's file while the daemon runs is said, once."""

import errno
import os
import signal
import unittest

from harness import SANITIZER, Case, Client, Daemon, wait_for

LIBRARY = os.path.abspath("tests/support/fail_file.so")
CONF = 'memory = "16M";\narena = { file = "@/arena"; };\n'


class Arena(Case):
    def put(self, client, count, length=1000):
        client.pipelined("".join(f"PUT n k{i} 1h\n{'v' * length}\n" for i in range(count)),
                         count)


@unittest.skipIf(SANITIZER, "a sanitizer has to be loaded first")
@unittest.skipUnless(os.path.exists(LIBRARY), "tests/support/fail_file.so was not built")
class Refused(Arena):
    def begin(self):
        self.daemon = self.start(CONF, run=False, environment={"LD_PRELOAD": LIBRARY})
        self.daemon.environment["REFUSING"] = self.daemon.folder
        self.daemon.start()
        self.client = self.connect(self.daemon)

    def refuse(self, what, number):
        with open(self.daemon.path(what), "w") as file:
            file.write(str(number))

    def test_blocks(self):
        for number in (errno.ENOSPC, errno.EIO):
            with self.subTest(number=number):
                self.begin()
                self.put(self.client, 2000)
                self.assertNotIn("refuses", self.daemon.log())
                self.refuse("blocks", number)
                self.put(self.client, 20000)
                self.daemon.wait_log("arena /.*/arena: the file system refuses blocks: "
                                     f"{os.strerror(number)}; the daemon uses [23456] of 16 MiB")
                self.assertGreater(self.client.stat("evictions"), 0)
                uptime = self.client.stat("uptime")
                wait_for(lambda: self.client.stat("uptime") > uptime + 1, 10, "two seconds")
                self.put(self.client, 20000)
                os.unlink(self.daemon.path("blocks"))
                wait_for(lambda: self.put(self.client, 10000) or
                         self.client.stat("memory_used") > 12 << 20, 20, "the memory to grow")
                self.assertEqual(self.daemon.log().count("refuses blocks"), 1)

    def test_blocks_that_are_not_taken_back(self):
        self.begin()
        self.put(self.client, 8000)
        self.refuse("holes", errno.EOPNOTSUPP)
        self.client.ask("FLUSH n")
        self.daemon.wait_log("arena /.*/arena: the file system does not take blocks back: "
                             "Operation not supported", 15)
        self.put(self.client, 8000)
        self.client.ask("FLUSH n")
        self.daemon.stop()
        self.assertEqual(self.daemon.log().count("take blocks back"), 1)

    def test_a_disk_that_fails_at_the_stop(self):
        self.begin()
        self.put(self.client, 10)
        self.refuse("sync", errno.EIO)
        self.daemon.stop()
        self.assertRegex(self.daemon.log(),
                         "error: arena /.*/arena: it could not be written to its disk: "
                         "Input/output error; after a restart of the machine it will be emptied")
        os.unlink(self.daemon.path("sync"))
        self.daemon.start(ready=False)
        self.daemon.wait_listening(2)
        self.assertIn("kept 10 records", self.daemon.log())


class Cut(Arena):
    """The file is cut short by another program."""

    def begin(self):
        self.daemon = Daemon(CONF)
        self.addCleanup(self.daemon.clean)

    WANTED = (r"error: arena /.*/arena: a part of it cannot be read: another program has truncated "
              r"the file, or its disk fails; the daemon ends: check the disk, then start it again\n")

    def other_log(self):
        try:
            with open(self.daemon.path("log")) as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def fill(self):
        with self.daemon.connect() as client:
            self.put(client, 2000)

    def ask(self, request):
        with self.daemon.connect() as client:
            try:
                client.ask(request)
            except (EOFError, ConnectionError):
                pass

    def test_it_says_so(self):
        self.begin()
        self.fill()
        os.truncate(self.daemon.path("arena"), 1 << 16)
        self.ask("GET n k7")
        self.assertEqual(self.daemon.wait_exit(), -signal.SIGBUS)
        self.assertRegex(self.daemon.log(), self.WANTED)
        self.assertEqual(self.daemon.log().count("cannot be read"), 1)
        self.daemon.start(ready=False)
        self.daemon.wait_listening(2)
        with Client(self.daemon.addresses()[-1]) as client:
            self.assertEqual(client.put("n", "k", "v"), "STORED")
        self.daemon.stop()

    def test_it_says_so_in_a_file(self):
        self.begin()
        self.daemon.configure(CONF + 'log = { to = "@/log"; };\n')
        self.daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: "reload" in self.other_log(), 5, "the log to be another file")
        self.fill()
        os.truncate(self.daemon.path("arena"), 1 << 16)
        self.ask("ALL n")
        self.assertEqual(self.daemon.wait_exit(), -signal.SIGBUS)
        self.assertRegex(self.other_log(), self.WANTED)


if __name__ == "__main__":
    unittest.main()
