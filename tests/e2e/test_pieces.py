"""Requests in pieces and in pipelines: however the bytes arrive, the answers are the same."""

import random
import re
import unittest

from harness import SharedCase, wait_for

SCRIPT = [
    ("PUT {ns} a 30m\r\nhello\r\n", "STORED"),
    ("PUT {ns} b 1h 7\r\nwo\r\nrld\r\n", "STORED"),
    ("ADD {ns} a 1m\nx\n", "EXISTS"),
    ("GET {ns} a b c\r\n", ("VALUE 5", b"hello"), ("VALUE 7", b"wo\r\nrld"), "NOT_FOUND"),
    ("put {ns} n - 2\n10\n", "STORED"),
    ("INCR {ns} n 5\r\n", "NUMBER 15"),
    ("DECR {ns} n\n", "NUMBER 14"),
    ("TOUCH {ns} n never\r\n", "TOUCHED"),
    ("TTL {ns} n\r\n", "TTL never"),
    ("LIST {ns} a*\r\n", "KEY a", "END"),
    ("ALL {ns} b\r\n", ("RECORD b 7", b"wo\r\nrld"), "END"),
    ("PUT {ns} x soon 4\r\nPING\r\n", "CLIENT_ERROR"),
    ("PUT {ns} x\r\n\r\n", "STORED"),
    ("GET {ns} x\r\n", ("VALUE 0", b"")),
    ("NOPE\r\n", "ERROR"),
    ("DEL {ns} a zz b\r\n", "DELETED", "NOT_FOUND", "DELETED"),
    ("PING\r\n", "PONG"),
    ("FLUSH {ns}\r\n", "FLUSHED 2"),
]


class Pieces(SharedCase):
    """One script of requests, cut in every way."""

    def setUp(self):
        super().setUp()
        self.data = "".join(step[0] for step in SCRIPT).format(ns=self.ns).encode()
        self.wanted = [reply for step in SCRIPT for reply in step[1:]]

    def check(self, client):
        for wanted in self.wanted:
            reply = client.reply()
            if isinstance(wanted, str) and wanted.endswith("ERROR"):
                reply = reply.split(" ")[0]
            self.assertEqual(reply, wanted)

    def test_all_at_once(self):
        self.client.send(self.data)
        self.check(self.client)

    def test_cut_at_each_byte(self):
        # The PING in front shows that the daemon has read the first part.
        for cut in range(1, len(self.data)):
            self.client.send(b"PING\r\n" + self.data[:cut])
            self.client.expect("PONG\r\n")
            self.client.send(self.data[cut:])
            self.check(self.client)

    def test_byte_by_byte(self):
        for i in range(len(self.data)):
            self.client.send(self.data[i:i + 1])
        self.check(self.client)

    def test_random_cuts(self):
        chance = random.Random(7)
        data = self.data * 200
        at = 0
        self.wanted = self.wanted * 200
        while at < len(data):
            size = chance.choice((1, 2, 3, 10, 100, 1000))
            self.client.send(data[at:at + size])
            at += size
        self.check(self.client)


class Pipelines(SharedCase):
    def test_ten_thousand_requests(self):
        puts = "".join(f"PUT {self.ns} key{i} 1h {len(str(i))}\r\n{i}\r\n" for i in range(10000))
        self.assertEqual(set(self.client.pipelined(puts, 10000)), {"STORED"})
        gets = "".join(f"GET {self.ns} key{i}\r\n" for i in range(10000))
        wanted = [(f"VALUE {len(str(i))}", str(i).encode()) for i in range(10000)]
        self.assertEqual(self.client.pipelined(gets, 10000), wanted)
        self.assertEqual(self.client.ask(f"FLUSH {self.ns}"), "FLUSHED 10000")

    def test_replies_come_in_order(self):
        chance = random.Random(3)
        data, wanted = [], []
        count = 0
        self.client.put(self.ns, "n", "0")
        for _ in range(10000):
            if chance.random() < 0.1:
                data.append("PING\n")
                wanted.append("PONG")
            elif chance.random() < 0.1:
                data.append("WHAT\n")
                wanted.append("ERROR")
            else:
                count += 1
                data.append(f"INCR {self.ns} n\n")
                wanted.append(f"NUMBER {count}")
        replies = self.client.pipelined("".join(data), 10000)
        replies = [re.sub("^ERROR .*", "ERROR", r) for r in replies]
        self.assertEqual(replies, wanted)

    def test_many_clients_share_a_number(self):
        self.client.put(self.ns, "n", "0")
        clients = [self.connect(self.daemon) for _ in range(20)]
        for client in clients:
            client.send(f"INCR {self.ns} n\r\n" * 500)
        numbers = []
        for client in clients:
            numbers += [int(client.line().split()[1]) for _ in range(500)]
        self.assertEqual(sorted(numbers), list(range(1, 10001)))

    def test_a_value_written_is_read_by_others(self):
        clients = [self.connect(self.daemon) for _ in range(8)]
        for i in range(200):
            writer = clients[i % 8]
            writer.put(self.ns, "k", str(i))
            self.assertEqual(clients[(i * 3 + 1) % 8].get(self.ns, "k"), str(i).encode())

    def test_connections_are_counted(self):
        # Those of the tests before this one may still be leaving.
        wait_for(lambda: self.client.stat("curr_connections") == 1, what="the others to be gone")
        others = [self.connect(self.daemon) for _ in range(10)]
        for other in others:
            other.ask("PING")
        self.assertEqual(self.client.stat("curr_connections"), 11)
        for other in others:
            other.close()
        wait_for(lambda: self.client.stat("curr_connections") == 1, what="10 to be gone")


if __name__ == "__main__":
    unittest.main()
