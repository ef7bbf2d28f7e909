"""What is configured, shown: kvcached --show-config."""

import os
import re
import subprocess
import tempfile
import unittest

from harness import DAEMON


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


if __name__ == "__main__":
    unittest.main()
