"""That living records are evicted is in the log when it begins, in few lines."""

import re
import unittest

from harness import Case
from test_memory import put_many

FULL = r"notice: namespace (\S+) is full \(quota (\S+)\): records are evicted before their time"
SHARED = r"notice: memory is full \((\S+)\): records of namespace (\S+)(?: and (\d+) others?)? are evicted"


class Evictions(Case):
    def test_a_quota(self):
        daemon = self.start('memory = "16M"; purge_interval = "10ms"; namespaces = ( '
                            '{ name = "sessions"; memory = "1M"; }, { name = "b"; memory = "1M"; } );')
        client = self.connect(daemon)
        put_many(client, "b", 0, 100, 1000)
        put_many(client, "sessions", 0, 4000, 1000)
        self.assertEqual(daemon.wait_log(FULL).groups(), ("sessions", "1M"))
        put_many(client, "sessions", 0, 4000, 1000)
        put_many(client, "b", 0, 4000, 1000)
        daemon.wait_log(FULL, after=daemon.log().rindex("sessions is full"))
        self.assertEqual(re.findall(FULL, daemon.log()), [("sessions", "1M"), ("b", "1M")])
        self.assertNotRegex(daemon.log(), SHARED)

    def test_the_shared_memory(self):
        daemon = self.start('memory = "8M"; purge_interval = "10ms";')
        client = self.connect(daemon)
        put_many(client, "pages", 0, 20000, 1000)
        self.assertEqual(daemon.wait_log(SHARED).groups(), ("8M", "pages", None))

    def test_many_namespaces_are_one_line(self):
        daemon = self.start('memory = "8M"; purge_interval = "10ms";')
        client = self.connect(daemon)
        for turn in range(3):
            for first in range(0, 6000, 500):
                client.pipelined("".join(f"PUT n{i} k{turn} 1h\n{'v' * 3000}\n"
                                         for i in range(first, first + 500)), 500)
        size, _, others = daemon.wait_log(SHARED).groups()
        self.assertEqual(size, "8M")
        self.assertGreater(int(others or 0), 0)
        lines = [line for line in daemon.log().splitlines() if "evicted" in line]
        self.assertEqual(len(lines), 1, lines)

    def test_none_where_records_expire(self):
        daemon = self.start('memory = "8M"; purge_interval = "10ms";')
        client = self.connect(daemon)
        client.pipelined("".join(f"PUT a k{i} 1ms\n{'v' * 1000}\n" for i in range(2000)), 2000)
        client.pipelined("".join(f"PUT a l{i} 1h\nv\nDEL a l{i}\n" for i in range(2000)), 4000)
        client.ask("FLUSH a")
        put_many(client, "a", 0, 100, 1000)
        self.assertEqual(client.stat("evictions"), 0)
        daemon.stop()
        self.assertNotIn("evicted", daemon.log())


if __name__ == "__main__":
    unittest.main()
