"""What the tests of real clients stand on: a daemon for each, and programs in other languages.

Nothing in those clients knows of kvcached. What is not installed is passed over, and said so.
"""

import os
import shutil
import subprocess
import sys
import unittest

from harness import Case, seconds
from memcache import Memcache

# Debian's modules, for a python3 that is not Debian's.
sys.path.append("/usr/lib/python3/dist-packages")

NPM = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                   "kvcached", "npm", "node_modules")
MANY = 3000  # keys of 30 bytes: more than 65,536 bytes in one line


def many_keys():
    return [f"{number:030d}" for number in range(MANY)]


def succeeds(*command, **environment):
    return shutil.which(command[0]) is not None and subprocess.run(
        command, capture_output=True, env=dict(os.environ, **environment)).returncode == 0


class ClientCase(Case):
    def node(self, conf='max_value = "4M";'):
        daemon = Memcache(conf)
        self.addCleanup(self._end, daemon)
        return daemon

    def program(self, command, text, *arguments, **environment):
        """Runs a script; what it prints, when it ended well."""
        if shutil.which(command[0]) is None:
            raise unittest.SkipTest(f"{command[0]} is not installed")
        done = subprocess.run([*command, *arguments], input=text, capture_output=True, text=True,
                              timeout=seconds(30), env=dict(os.environ, **environment))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def needs_npm(self, *packages):
        for package in packages:
            if not succeeds("node", "-e", f"require({package!r})", NODE_PATH=NPM):
                raise unittest.SkipTest(f"npm's {package} is not in {NPM}, or not for this node; "
                                        "scripts/setup check puts it there")

    def npm(self, script, *arguments):
        """What a script of node's prints, where packages of npm's are."""
        return self.program(["node", "-"], script, *arguments, NODE_PATH=NPM).strip()


def node_items(node):
    wire = node.talk()
    try:
        return wire.stats()["curr_items"]
    finally:
        wire.close()
