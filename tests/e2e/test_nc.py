"""The first five minutes: the README's example, typed into nc."""

import re
import shutil
import subprocess
import unittest

from harness import Case, seconds

SESSION = [
    ("PUT sessions alice 30m", []),
    ("hello", ["STORED"]),
    ("GET sessions alice", ["VALUE 5", "hello"]),
    ("TTL sessions alice", [r"TTL 1(799\.\d{3}|800\.000)"]),
    ("DEL sessions alice", ["DELETED"]),
    ("GET sessions alice", ["NOT_FOUND"]),
]


@unittest.skipUnless(shutil.which("nc"), "there is no nc here")
class Typed(Case):
    def nc(self, daemon, **options):
        host, port = daemon.address
        return subprocess.Popen(["nc", host, str(port)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, bufsize=0, **options)

    def test_a_session_line_by_line(self):
        nc = self.nc(self.start())
        try:
            for typed, wanted in SESSION:
                nc.stdin.write(typed.encode() + b"\n")
                for pattern in wanted:
                    line = nc.stdout.readline()
                    self.assertRegex(line.decode(), f"^{pattern}\r\n$", typed)
            nc.stdin.write(b"QUIT\n")
            said, _ = nc.communicate(timeout=seconds(5))
            self.assertEqual(said, b"")
        finally:
            nc.kill()
            nc.wait()
            nc.stdout.close()

    def test_a_session_from_a_pipe(self):
        daemon = self.start()
        nc = self.nc(daemon)
        typed = "\n".join(line for line, _ in SESSION) + "\nQUIT\n"
        try:
            said, _ = nc.communicate(typed.encode(), timeout=seconds(5))
        finally:
            nc.kill()
            nc.wait()
        patterns = [pattern for _, wanted in SESSION for pattern in wanted]
        lines = said.decode().split("\r\n")
        self.assertEqual(lines.pop(), "")
        self.assertEqual(len(lines), len(patterns))
        for line, pattern in zip(lines, patterns):
            self.assertTrue(re.fullmatch(pattern, line), line)


if __name__ == "__main__":
    unittest.main()
