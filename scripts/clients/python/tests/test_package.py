"""What pip makes of the sources, without a network: Debian's setuptools builds it."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import kvcached

SOURCES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = ("pip", "setuptools", "wheel")
MISSING = [tool for tool in TOOLS if importlib.util.find_spec(tool) is None]


class Package(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(SOURCES, "pyproject.toml"), encoding="utf-8") as file:
            self.project = file.read()

    def test_version(self):
        found = re.search(r'^version = "(.*)"$', self.project, re.M)
        self.assertEqual(found[1], kvcached.__version__)

    def test_no_dependencies(self):
        self.assertRegex(self.project, r"(?m)^dependencies = \[\]$")

    @unittest.skipIf(MISSING, "needs " + " ".join("python3-" + tool for tool in MISSING))
    def test_install(self):
        folder = tempfile.mkdtemp(prefix="kvcached-python-")
        self.addCleanup(shutil.rmtree, folder, True)
        copy, target = os.path.join(folder, "copy"), os.path.join(folder, "target")
        shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("tests"))
        for path, folders, files in os.walk(copy):  # the sources may be read-only
            os.chmod(path, 0o755)
        environment = dict(os.environ, PIP_CONFIG_FILE=os.devnull, PYTHONDONTWRITEBYTECODE="1")
        done = subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-cache-dir",
             "--no-build-isolation", "--no-compile", "--target", target, copy],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout.decode("utf-8", "replace"))

        def files_of(root):
            return sorted(os.path.relpath(os.path.join(path, name), root)
                          for path, _, names in os.walk(root) for name in names
                          if not name.endswith(".pyc"))
        self.assertEqual(files_of(os.path.join(target, "kvcached")),
                         files_of(os.path.join(SOURCES, "kvcached")))
        code = (f"import sys; sys.path.insert(0, {target!r}); import kvcached, kvcached.aio; "
                "print(kvcached.__file__, kvcached.__version__)")
        said = subprocess.run([sys.executable, "-I", "-B", "-c", code], cwd=folder,
                              stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertEqual(said.split(), [os.path.join(target, "kvcached", "__init__.py"),
                                        kvcached.__version__])
