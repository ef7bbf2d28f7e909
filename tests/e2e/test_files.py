"""Files that the configuration names: which are the daemon's, and that no other is touched."""

import os
import pwd
import re
import stat
import subprocess
import unittest

from harness import Case, Client, seconds, wait_for

NOBODY = pwd.getpwnam("nobody")
UNIX = 'listen = ( { path = "@/socket"; } );\n'


class Files(Case):
    def prepare(self, conf="", **options):
        return self.start(conf, run=False, **options)

    @staticmethod
    def put(path, text="precious", mode=0o600, uid=None):
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        if uid is not None:
            os.chown(path, uid, -1)

    def refuse(self, daemon, status, pattern):
        before = len(daemon.log())
        daemon.start(ready=False)
        self.assertEqual(daemon.wait_exit(), status, daemon.log())
        self.assertRegex(daemon.log()[before:], pattern)

    def expect(self, path, text="precious", mode=0o600, uid=None):
        """It is what it was."""
        with open(path) as file:
            self.assertEqual(file.read(), text)
        found = os.lstat(path)
        self.assertEqual(stat.S_IMODE(found.st_mode), mode)
        if uid is not None:
            self.assertEqual(found.st_uid, uid)


class Directories(Files):
    """Where a file or a socket has no directory, the error says how that comes to be."""

    def test_one_that_does_not_exist(self):
        folder = "/run/no-such-service"
        remedy = f"there is no directory {folder}: make it with mkdir, or with RuntimeDirectory="
        for conf, status, wanted in (
                (f'pid_file = "{folder}/pid";', 73, f"pid_file: {folder}/pid: "),
                (f'log = "{folder}/log";', 73, f"cannot log to {folder}/log: "),
                (f'arena = {{ file = "{folder}/arena"; }};', 73, f"arena.file: {folder}/arena: "),
                ('listen = ( { path = "%s/socket"; } );' % folder, 69,
                 f"cannot listen on {folder}/socket: ")):
            with self.subTest(conf=conf):
                daemon = self.prepare(conf, listen="" if "listen" in conf else UNIX)
                self.refuse(daemon, status, re.escape(wanted + remedy))

    def test_a_reload_says_it_too(self):
        daemon = self.start()
        daemon.configure('log = "/no/such/directory/log";')
        said = daemon.reload("reload(ed| refused)")
        self.assertIn("cannot log to /no/such/directory/log: there is no directory "
                      "/no/such/directory: make it with mkdir", said)

    @unittest.skipIf(os.geteuid() != 0, "only root becomes another user")
    def test_one_of_another_user(self):
        daemon = self.prepare('pid_file = "/run/kvcached-test.pid";', listen=UNIX,
                              launcher=["setpriv", "--reuid", "nobody", "--clear-groups"])
        os.chown(daemon.folder, NOBODY.pw_uid, -1)
        self.refuse(daemon, 77, "pid_file: /run/kvcached-test.pid: Permission denied: the user that "
                                "kvcached runs as may not write to /run: choose a directory")


class OnePurpose(Files):
    """-t refuses one path for two purposes."""

    def complaint(self, conf, listen=UNIX):
        daemon = self.prepare(conf, listen=listen)
        check = subprocess.run([*daemon.command, "-t"], capture_output=True, timeout=seconds(5))
        self.assertEqual(check.returncode, 1, check.stderr)
        return check.stderr.decode().replace(daemon.folder, "@")

    def test_each_two(self):
        purposes = {"log.to": 'log = "@/file";', "pid_file": 'pid_file = "@/file";',
                    "arena.file": 'arena = { file = "@/file"; };'}
        names = list(purposes)
        for i, one in enumerate(names):
            for other in names[i + 1:]:
                with self.subTest(one=one, other=other):
                    said = self.complaint(purposes[one] + "\n" + purposes[other])
                    self.assertRegex(said, r"is the file of \S+ already, write another name")
                    self.assertEqual(set(re.findall(r"log\.to|pid_file|arena\.file", said)),
                                     {one, other})

    def test_a_socket(self):
        for conf in ('log = "@/socket";', 'pid_file = "@/socket";'):
            self.assertIn("is the file of listen.path already", self.complaint(conf))

    def test_the_configuration_itself(self):
        for conf in ('log = "@/kvcached.conf";', 'pid_file = "@/kvcached.conf";',
                     'pid_file = "@/.//kvcached.conf";',
                     'arena = { file = "@/kvcached.conf"; };'):
            self.assertIn("is the file of the configuration already", self.complaint(conf))

    def test_a_key(self):
        listen = ('listen = ( { address = "127.0.0.1"; port = 0; tls_certificate = "@/crt"; '
                  'tls_key = "@/key"; } );\n')
        self.assertIn("is the file of listen.tls_key already",
                      self.complaint('pid_file = "@/key";', listen=listen))

    def test_another_way_to_the_same_file(self):
        daemon = self.prepare(listen=UNIX)
        os.mkdir(daemon.path("real"))
        os.symlink("real", daemon.path("link"))
        daemon.configure('log = "@/real/file"; pid_file = "@/link/file";')
        self.refuse(daemon, 78, "is the file of pid_file already")


class Log(Files):
    @unittest.skipIf(os.geteuid() != 0, "only root gives files away")
    def test_it_is_given_if_it_was_made(self):
        daemon = self.prepare('user = "nobody"; log = "@/log";', listen=UNIX)
        os.chown(daemon.folder, NOBODY.pw_uid, -1)
        daemon.start(ready=False)
        wait_for(lambda: os.path.exists(daemon.path("log"))
                 and os.stat(daemon.path("log")).st_uid == NOBODY.pw_uid, what="the log")
        wait_for(lambda: os.path.exists(daemon.path("socket")), what="the socket")
        daemon.stop()
        daemon.start(ready=False)  # it is the user's now
        wait_for(lambda: os.path.exists(daemon.path("socket")), what="the socket")

    @unittest.skipIf(os.geteuid() != 0, "only root gives files away")
    def test_it_is_not_given_if_it_was_there(self):
        daemon = self.prepare('user = "nobody"; log = "@/log";', listen=UNIX)
        self.put(daemon.path("log"), "")
        os.chown(daemon.folder, NOBODY.pw_uid, -1)
        daemon.start(ready=False)
        daemon.wait_log("log: the file does not belong to the user that kvcached becomes")
        wait_for(lambda: os.path.exists(daemon.path("socket")), what="the socket")
        self.assertEqual(os.stat(daemon.path("log")).st_uid, 0)

    def test_a_symbolic_link(self):
        daemon = self.prepare(('user = "nobody"; ' if os.geteuid() == 0 else "")
                              + 'log = "@/log";', listen=UNIX)
        self.put(daemon.path("shadow"))
        os.symlink("shadow", daemon.path("log"))
        if os.geteuid() == 0:
            os.chown(daemon.folder, NOBODY.pw_uid, -1)
        self.refuse(daemon, 78, "log.to: .* is a symbolic link, which is not followed")
        self.expect(daemon.path("shadow"), uid=os.geteuid())

    def test_a_hard_link(self):
        daemon = self.prepare('log = "@/log";', listen=UNIX)
        self.put(daemon.path("shadow"))
        os.link(daemon.path("shadow"), daemon.path("log"))
        self.refuse(daemon, 73, "cannot log to .*: it has another name as well")
        self.expect(daemon.path("shadow"))

    @unittest.skipIf(os.geteuid() != 0, "only root gives files away")
    def test_another_users_way(self):
        daemon = self.prepare('user = "nobody"; log = "@/theirs/link/log";', listen=UNIX)
        os.makedirs(daemon.path("theirs"))
        os.mkdir(daemon.path("real"))
        self.put(daemon.path("real/log"))
        os.symlink("../real", daemon.path("theirs/link"))
        os.chown(daemon.path("theirs"), NOBODY.pw_uid, -1)
        self.refuse(daemon, 73, "cannot log to .*: its path leads over a symbolic link")
        self.expect(daemon.path("real/log"), uid=0)

    @unittest.skipIf(os.geteuid() != 0, "only root gives files away")
    def test_a_reload(self):
        daemon = self.start('log = { to = "stderr"; };')
        self.put(daemon.path("theirs"), uid=NOBODY.pw_uid)
        daemon.configure('log = { to = "@/theirs"; };')
        self.assertIn("it belongs to another user", daemon.reload("refused"))
        self.expect(daemon.path("theirs"), uid=NOBODY.pw_uid)


class PidFile(Files):
    def test_what_is_none_is_left(self):
        daemon = self.prepare('pid_file = "@/pid";', listen=UNIX)
        for text in ("precious", "4711\nlog = stderr\n", "1" * 65):
            with self.subTest(text=text):
                self.put(daemon.path("pid"), text)
                self.refuse(daemon, 73, "pid_file: .*: it is no pid file")
                self.expect(daemon.path("pid"), text)

    def test_links(self):
        daemon = self.prepare('pid_file = "@/pid";', listen=UNIX)
        self.put(daemon.path("other"), "4711\n")
        os.symlink("other", daemon.path("pid"))
        self.refuse(daemon, 78, "pid_file: .* is a symbolic link")
        os.unlink(daemon.path("pid"))
        os.link(daemon.path("other"), daemon.path("pid"))
        self.refuse(daemon, 73, "pid_file: .*: it has another name as well")
        self.expect(daemon.path("other"), "4711\n")

    @unittest.skipIf(os.geteuid() != 0, "only root gives files away")
    def test_one_of_another_user(self):
        daemon = self.prepare('pid_file = "@/pid";', listen=UNIX)
        self.put(daemon.path("pid"), "4711\n", uid=NOBODY.pw_uid)
        self.refuse(daemon, 73, "pid_file: .*: it belongs to another user")
        self.expect(daemon.path("pid"), "4711\n", uid=NOBODY.pw_uid)

    @unittest.skipIf(os.geteuid() != 0, "only root becomes another user")
    def test_a_directory_of_others_is_said(self):
        daemon = self.prepare('user = "nobody"; pid_file = "@/pid";', listen=UNIX)
        os.chown(daemon.folder, NOBODY.pw_uid, -1)
        daemon.start()
        daemon.wait_log("pid_file: users other than root may write to its directory")


class Arena(Files):
    CONF = 'arena = { file = "@/open/arena"; };'

    def prepare_arena(self, conf=CONF):
        daemon = self.prepare(conf, listen=UNIX)
        os.mkdir(daemon.path("open"))
        os.chmod(daemon.path("open"), 0o1777)
        return daemon, daemon.path("open/arena")

    @unittest.skipIf(os.geteuid() != 0, "only root gives files away")
    def test_one_that_another_user_made(self):
        daemon, arena = self.prepare_arena()
        for text in ("", "precious"):
            self.put(arena, text, 0o666, NOBODY.pw_uid)
            self.refuse(daemon, 77, "arena.file: .*: it belongs to another user")
            self.expect(arena, text, 0o666, NOBODY.pw_uid)

    def test_a_hard_link(self):
        daemon, arena = self.prepare_arena()
        self.put(daemon.path("other"), mode=0o644)
        os.link(daemon.path("other"), arena)
        self.refuse(daemon, 77, "arena.file: .*: it has another name as well")
        self.expect(daemon.path("other"), mode=0o644)

    def test_a_typo_leaves_its_mode(self):
        """What is no arena is renamed, and else what it was."""
        daemon, arena = self.prepare_arena()
        self.put(arena, mode=0o644)
        daemon.start()
        self.expect(arena + ".aside", mode=0o644)
        self.assertEqual(stat.S_IMODE(os.stat(arena).st_mode), 0o600)


class Sockets(Files):
    ROUNDS = 25
    RIVALS = 3

    def test_of_several_at_once_one_takes_a_stale_name(self):
        first = self.start(listen=UNIX)
        first.process.kill()
        first.process.wait()
        path = first.path("socket")
        for i in range(self.ROUNDS):
            with self.subTest(round=i):
                rivals = [self.prepare(listen=f'listen = ( {{ path = "{path}"; }} );\n')
                          for _ in range(self.RIVALS)]
                for rival in rivals:
                    rival.start(ready=False)
                wait_for(lambda: sum(rival.running() for rival in rivals) == 1, 10,
                         "all but one to give up")
                winner, = (rival for rival in rivals if rival.running())
                winner.wait_listening()
                with Client(path) as client:
                    self.assertEqual(client.stat("pid"), winner.pid)
                for rival in rivals:
                    if rival is not winner:
                        self.assertEqual(rival.process.returncode, 69, rival.log())
                        self.assertIn("another process listens there", rival.log())
                self.assertTrue(os.path.exists(path))
                winner.process.kill()
                winner.process.wait()
                for rival in rivals:
                    rival.process = None
                self.assertFalse(os.path.exists(path + ".lock"))
        first.process = None

    @unittest.skipIf(os.geteuid() != 0, "only root gives sockets away")
    def test_a_way_of_another_user(self):
        daemon = self.prepare('user = "nobody";', listen='listen = ( { path = "@/theirs/link/s"; } );\n')
        os.mkdir(daemon.path("theirs"))
        os.mkdir(daemon.path("real"))
        os.symlink("../real", daemon.path("theirs/link"))
        os.chown(daemon.path("theirs"), NOBODY.pw_uid, -1)
        self.refuse(daemon, 77, "cannot listen on .*: its path leads over a symbolic link")
        self.assertEqual(os.listdir(daemon.path("real")), [])


if __name__ == "__main__":
    unittest.main()
