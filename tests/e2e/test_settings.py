"""What is configured, shown: kvcached --show-config, and SETTINGS of a running daemon."""

import os
import re
import subprocess
import tempfile
import unittest

from harness import DAEMON, Case
from memcache import Memcache


class ShowConfig(unittest.TestCase):
    TEXT = """\
memory = "128M"; ttl = "90m";
@include "more.conf"
users = ( { name = "web"; secret = "$5$saltsalt$%s";
            read = [ "a*", "b" ]; } );
""" % ("A" * 43)
    MORE = 'listen = ( { port = 0; }, { path = "/tmp/with \\"quotes\\""; } );\nmax_value = "2M";\n'

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.file = self.write("kvcached.conf", self.TEXT)
        self.more = self.write("more.conf", self.MORE)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def show(self, *arguments, status=0):
        done = subprocess.run([DAEMON, "--show-config", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, cwd="/")
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def test_it_can_be_read_again(self):
        shown = self.show("-c", self.file)
        again = self.show("-c", self.write("again.conf", shown))
        bare = re.compile(r" # .*")
        self.assertEqual(bare.sub("", again), bare.sub("", shown).replace("hidden", "none"))
        self.assertNotIn("saltsalt", shown)
        self.assertIn(f'\nmemory = "128M"; # {self.file}:1\n', shown)
        self.assertIn(f'\nmax_value = "2M"; # {self.more}:2\n', shown)
        self.assertIn(f'        path = "/tmp/with \\"quotes\\""; # {self.more}:1\n', shown)
        self.assertIn(f'        read = ["a*","b"]; # {self.file}:4\n', shown)
        self.assertIn('\n#buffers = "256M"; # default\n', shown)

    def test_without_a_file_all_are_defaults(self):
        shown = self.show()
        self.assertEqual(self.show("-c", self.write("again.conf", shown)), shown)
        self.assertIn('\n#memory = "64M"; # default\n', shown)

    def test_mistakes_are_those_of_a_check(self):
        self.write("more.conf", "memory = 1;\nports = 3;\n")
        said = self.show("-c", self.file, status=1)
        self.assertIn(f"{self.more}:2: ports:", said)
        self.assertEqual(said, subprocess.run([DAEMON, "-t", "-c", self.file], cwd="/", text=True,
                                              stderr=subprocess.PIPE).stderr)


class Settings(Case):
    """What a running daemon says, against its configuration."""

    def settings(self, client):
        """The rest of the line by name."""
        found = {}
        for line in client.ask_all("SETTINGS"):
            word, name, rest = line.split(" ", 2)
            self.assertEqual(word, "SETTING")
            self.assertNotIn(name, found)
            found[name] = rest
        return found

    def test_they_are_those_of_show_config(self):
        daemon = self.start('memory = "32M";\nttl = "90m"; log = { level = "debug"; };\n'
                            'namespaces = ( { name = "a.b"; max_ttl = "1h"; } );')
        found = self.settings(self.connect(daemon))
        shown = subprocess.run([DAEMON, "--show-config", "-c", daemon.conf], cwd="/", text=True,
                               stdout=subprocess.PIPE, check=True).stdout
        told = re.findall(r"^#?(\w+) = (.*); # (.*)$", shown, re.M)
        self.assertGreater(len(told), 15)
        for name, value, origin in told:
            self.assertEqual(found[name].split(" default ")[0],
                             f"{value.replace('()', '0')} {origin}", name)
        self.assertEqual(found["memory"], f'"32M" {daemon.conf}:3 default "64M"')
        self.assertEqual(found["namespaces.a.b.max_ttl"], f'"1h" {daemon.conf}:5 default "never"')
        self.assertEqual(found["namespaces.a.b.ttl"], '"90m" default')
        self.assertEqual(found["listen.1.port"], f"0 {daemon.conf}:1 default 7171")
        self.assertEqual(found["max_connections"], "10000 default")

    def test_settings_of_the_command_line(self):
        daemon = self.start('memory = "32M";\nttl = 5;', arguments=("-o", "ttl = 7", "-o",
                                                                     'purge_interval = "1s"'))
        found = self.settings(self.connect(daemon))
        self.assertEqual(found["ttl"], '"7s" -o\\x201 default "never"')
        self.assertEqual(found["purge_interval"], '"1s" -o\\x202 default "100ms"')
        self.assertEqual(found["memory"], f'"32M" {daemon.conf}:3 default "64M"')

    def test_what_a_reload_changes_and_what_it_does_not(self):
        daemon = self.start('threads = 2; ttl = "1h";')
        client = self.connect(daemon)
        self.assertEqual(self.settings(client)["threads"], f"2 {daemon.conf}:2 default 0")
        daemon.configure('\nthreads = 3;\nttl = "2h"; arena = { file = "@/arena"; };')
        daemon.reload("reloaded the configuration")
        found = self.settings(client)
        self.assertEqual(found["threads"],
                         f"2 {daemon.conf}:3 default 0 waits for a restart: 3")
        self.assertEqual(found["ttl"], f'"2h" {daemon.conf}:4 default "never"')
        if not daemon.ARENA:
            self.assertEqual(found["arena.file"],
                             f"none {daemon.conf}:4 default none waits for a restart: "
                             f'"{daemon.path("arena")}"')
        daemon.listen += "#"
        daemon.write_conf('listen = ( { port = 0; }, { port = 1; } ); ttl = 5; threads = 2;')
        daemon.reload("reloaded the configuration")
        found = self.settings(client)
        self.assertRegex(found["listen"], "^1 .* waits for a restart: 2$")
        self.assertNotIn("listen.2.port", found)
        self.assertEqual(found["threads"], f"2 {daemon.conf}:1 default 0")
        self.assertEqual(found["ttl"], f'"5s" {daemon.conf}:1 default "never"')

    def test_memory_that_a_client_has_set(self):
        daemon = Memcache('memory = "32M";')
        self.addCleanup(self._end, daemon)
        wire = self.kept(daemon.talk())
        self.assertEqual(wire.ask("cache_memlimit 48"), "OK")
        self.assertEqual(self.settings(self.connect(daemon))["memory"],
                         f'"48M" {daemon.conf}:3 default "64M" configured: "32M"')

    def test_many_of_them_while_they_are_reloaded(self):
        """An answer is of one configuration, and those that are left give it back."""
        count = 20000

        def conf(ttl):
            groups = ", ".join(f'{{ name = "n{i}"; ttl = "{ttl}m"; }}' for i in range(count))
            return f'memory = "64M"; namespaces = ( {groups} );'

        daemon = self.start(conf(1))
        client = self.connect(daemon)
        found = self.settings(client)
        self.assertEqual(len([name for name in found if name.startswith("namespaces.")]), 6 * count)
        readers = [self.kept(daemon.connect(receive_buffer=4096)) for _ in range(5)]
        for reader in readers:
            reader.send("SETTINGS\r\n")
            self.assertEqual(reader.line()[:16], "SETTING listen 1")
        for ttl in (2, 3):
            daemon.configure(conf(ttl))
            daemon.reload("reloaded the configuration")
        readers.pop().close()
        readers.pop().reset()
        for reader in readers:
            lines = reader.until_end()
            ttls = {line.split(" ")[2] for line in lines if re.match(r"SETTING \S+\.ttl", line)}
            self.assertEqual(ttls, {'"1m"'})
            self.assertEqual(reader.ask("PING"), "PONG")
        self.assertEqual(self.settings(client)["namespaces.n77.ttl"].split(" ")[0], '"3m"')


if __name__ == "__main__":
    unittest.main()
