"""The native protocol: every request, every reply, every refusal.

How the bytes arrive is test_pieces, values of every size are test_values, time is
test_ttl.
"""

import http.client
import unittest

from client import Client
from harness import Case, SharedCase, as_bytes


HTTP_ANSWER = (b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 120\r\n"
               b"Connection: close\r\n\r\nthis listener speaks kvcached's own protocol, not HTTP; the live "
               b"page and /metrics need a listener with protocol = http\n")


class Replies(SharedCase):
    """Each verb, answered as it should be."""

    def test_put_on_two_lines(self):
        self.client.send(f"PUT {self.ns} alice 30m\r\nhello\r\n")
        self.client.expect("STORED\r\n")
        self.client.send(f"GET {self.ns} alice\r\n")
        self.client.expect("VALUE 5\r\nhello\r\n")

    def test_put_without_ttl(self):
        self.client.send(f"PUT {self.ns} k\r\nplain\r\n")
        self.client.expect("STORED\r\n")
        self.assertEqual(self.client.get(self.ns, "k"), b"plain")

    def test_put_with_bytes(self):
        self.client.send(f"PUT {self.ns} k 30m 12\r\nGET a b\r\n\0\x01\xff\r\n".encode("latin-1"))
        self.client.expect("STORED\r\n")
        self.assertEqual(self.client.get(self.ns, "k"), b"GET a b\r\n\0\x01\xff")

    def test_put_replaces(self):
        for value in ("one", "three", "2"):
            self.assertEqual(self.client.put(self.ns, "k", value), "STORED")
            self.assertEqual(self.client.get(self.ns, "k"), value.encode())

    def test_empty_values(self):
        self.client.send(f"PUT {self.ns} a\r\n\r\nPUT {self.ns} b - 0\r\n\r\n")
        self.client.expect("STORED\r\nSTORED\r\n")
        self.client.send(f"GET {self.ns} a b\r\n")
        self.client.expect("VALUE 0\r\n\r\nVALUE 0\r\n\r\n")

    def test_line_feeds_alone(self):
        self.client.send(f"PUT {self.ns} a 1m\nx\nPUT {self.ns} b 1m 3\nx\ny\nGET {self.ns} a b\n")
        self.client.expect("STORED\r\nSTORED\r\nVALUE 1\r\nx\r\nVALUE 3\r\nx\ny\r\n")

    def test_mixed_line_ends(self):
        self.client.send(f"PUT {self.ns} a 1m\r\nx\nPUT {self.ns} b 1m 1\ny\r\nGET {self.ns} a b\r\n")
        self.client.expect("STORED\r\nSTORED\r\nVALUE 1\r\nx\r\nVALUE 1\r\ny\r\n")

    def test_a_carriage_return_inside_a_line_value(self):
        self.client.send(f"PUT {self.ns} a\r\nx\ry\r\n")
        self.client.expect("STORED\r\n")
        self.assertEqual(self.client.get(self.ns, "a"), b"x\ry")

    def test_add(self):
        self.client.send(f"ADD {self.ns} k 1m\r\none\r\nADD {self.ns} k 1m 3\r\ntwo\r\n")
        self.client.expect("STORED\r\nEXISTS\r\n")
        self.assertEqual(self.client.get(self.ns, "k"), b"one")
        self.assertEqual(self.client.ask(f"DEL {self.ns} k"), "DELETED")
        self.assertEqual(self.client.put(self.ns, "k", "three", verb="ADD"), "STORED")

    def test_get_many(self):
        self.client.put(self.ns, "a", "1")
        self.client.put(self.ns, "c", "333")
        self.client.send(f"GET {self.ns} a b c a\r\n")
        self.client.expect("VALUE 1\r\n1\r\nNOT_FOUND\r\nVALUE 3\r\n333\r\nVALUE 1\r\n1\r\n")

    def test_get_thousands_of_keys(self):
        keys = [f"k{i}" for i in range(5000)]
        data = "".join(f"PUT {self.ns} {k}\n{k}\n" for k in keys[::2])
        self.client.pipelined(data, 2500)
        replies = self.client.pipelined(f"GET {self.ns} {' '.join(keys)}\r\n", 5000)
        wanted = [(f"VALUE {len(k)}", k.encode()) if i % 2 == 0 else "NOT_FOUND"
                  for i, k in enumerate(keys)]
        self.assertEqual(replies, wanted)

    def test_del(self):
        self.client.put(self.ns, "a", "1")
        self.client.put(self.ns, "c", "3")
        self.client.send(f"DEL {self.ns} a b c a\r\n")
        self.client.expect("DELETED\r\nNOT_FOUND\r\nDELETED\r\nNOT_FOUND\r\n")

    def test_ttl_and_touch(self):
        self.client.put(self.ns, "k", "v", "30m")
        self.assertRegex(self.client.ask(f"TTL {self.ns} k"), r"^TTL 1(799\.\d{3}|800\.000)$")
        self.assertEqual(self.client.ask(f"TOUCH {self.ns} k 0"), "TOUCHED")
        self.assertEqual(self.client.ask(f"TTL {self.ns} k"), "TTL never")
        self.assertEqual(self.client.ask(f"TTL {self.ns} none"), "NOT_FOUND")
        self.assertEqual(self.client.ask(f"TOUCH {self.ns} none 5"), "NOT_FOUND")
        self.assertEqual(self.client.ask(f"TOUCH {self.ns} none"), "NOT_FOUND")

    def test_numbers(self):
        self.assertEqual(self.client.ask(f"INCR {self.ns} n"), "NOT_FOUND")
        self.assertEqual(self.client.ask(f"DECR {self.ns} n 5"), "NOT_FOUND")
        self.client.put(self.ns, "n", "9")
        self.assertEqual(self.client.ask(f"INCR {self.ns} n"), "NUMBER 10")
        self.assertEqual(self.client.ask(f"INCR {self.ns} n 90"), "NUMBER 100")
        self.assertEqual(self.client.ask(f"DECR {self.ns} n"), "NUMBER 99")
        self.assertEqual(self.client.get(self.ns, "n"), b"99")
        self.assertEqual(self.client.ask(f"DECR {self.ns} n 1000"), "NUMBER 0")
        self.assertEqual(self.client.get(self.ns, "n"), b"0")

    def test_large_numbers(self):
        top = 2**64 - 1
        self.client.put(self.ns, "n", str(top - 1))
        self.assertEqual(self.client.ask(f"INCR {self.ns} n 1"), f"NUMBER {top}")
        self.assertRegex(self.client.ask(f"INCR {self.ns} n"), "^CLIENT_ERROR .")
        self.assertEqual(self.client.get(self.ns, "n"), str(top).encode())
        self.assertEqual(self.client.ask(f"DECR {self.ns} n {top}"), "NUMBER 0")

    def test_numbers_that_are_none(self):
        for value in ("", "x", "1x", "-1", "1.5", " 1", "18446744073709551616", "9" * 100):
            self.client.put(self.ns, "n", value)
            self.assertRegex(self.client.ask(f"INCR {self.ns} n"), "^CLIENT_ERROR .", value)
            self.assertEqual(self.client.get(self.ns, "n"), value.encode())
        self.client.put(self.ns, "n", "1")
        for by in ("x", "-1", "1.5", "18446744073709551616", "1e3"):
            self.assertRegex(self.client.ask(f"INCR {self.ns} n {by}"), "^CLIENT_ERROR .", by)
        self.assertEqual(self.client.get(self.ns, "n"), b"1")

    def test_a_number_keeps_its_expiry(self):
        self.client.put(self.ns, "n", "5", "30m")
        self.client.ask(f"INCR {self.ns} n 1000000")
        self.assertRegex(self.client.ask(f"TTL {self.ns} n"), r"^TTL 1(799\.\d{3}|800\.000)$")
        self.client.put(self.ns, "n", "5", "never")
        self.client.ask(f"DECR {self.ns} n")
        self.assertEqual(self.client.ask(f"TTL {self.ns} n"), "TTL never")

    def test_flush(self):
        for i in range(100):
            self.client.put(self.ns, f"k{i}", "v")
        self.client.put(self.ns + "2", "k1", "other")
        self.assertEqual(self.client.ask(f"FLUSH {self.ns}"), "FLUSHED 100")
        self.assertIsNone(self.client.get(self.ns, "k1"))
        self.assertEqual(self.client.get(self.ns + "2", "k1"), b"other")
        self.assertEqual(self.client.ask(f"FLUSH {self.ns}"), "FLUSHED 0")
        self.assertEqual(self.client.put(self.ns, "k1", "new"), "STORED")
        self.assertEqual(self.client.get(self.ns, "k1"), b"new")

    def test_ping_version_help(self):
        self.assertEqual(self.client.ask("PING"), "PONG")
        self.assertRegex(self.client.ask("VERSION"), r"^VERSION kvcached \d+\.\d+\.\d+$")
        help_text = "\n".join(self.client.ask_all("HELP"))
        for verb in ("PUT ADD GET DEL TTL TOUCH INCR DECR LIST ALL FLUSH NAMESPACES STATS "
                     "PING VERSION HELP QUIT").split():
            self.assertIn(verb, help_text)

    def test_help_of_a_verb(self):
        lines = self.client.ask_all("help touch")
        self.assertRegex(lines[0], "^TOUCH <ns> <key> ")
        self.assertIn("Reply: TOUCHED or NOT_FOUND", lines)
        self.assertIn("30m", "\n".join(lines))
        self.assertRegex(self.client.ask("HELP SET"), "^CLIENT_ERROR .*did you mean PUT")

    def test_quit(self):
        self.client.send("PING\r\nQUIT\r\nPING\r\n")
        self.client.expect("PONG\r\n")
        self.client.expect_closed()

    def test_verbs_in_any_case(self):
        self.client.send(f"put {self.ns} k 1m\nv\nGeT {self.ns} k\nTtL {self.ns} nothing\n"
                         f"dEL {self.ns} k\nping\nflush {self.ns}\n")
        self.client.expect("STORED\r\nVALUE 1\r\nv\r\nNOT_FOUND\r\nDELETED\r\nPONG\r\nFLUSHED 0\r\n")

    def test_keys_and_namespaces_keep_their_case(self):
        self.client.put(self.ns, "Key", "1")
        self.assertIsNone(self.client.get(self.ns, "key"))
        self.assertIsNone(self.client.get(self.ns.upper(), "Key"))

    def test_the_same_key_in_two_namespaces(self):
        other = self.ns + "2"
        self.client.put(self.ns, "k", "one", "30m")
        self.client.put(other, "k", "two", "never")
        self.assertEqual(self.client.get(self.ns, "k"), b"one")
        self.assertEqual(self.client.ask(f"TTL {other} k"), "TTL never")
        self.client.ask(f"DEL {self.ns} k")
        self.assertEqual(self.client.get(other, "k"), b"two")

    def test_names_at_their_limits(self):
        for ns in ("a", "A-Z_0.9", "x" * 64):
            for key in ("k", "x" * 1024, "ключ", "!*?[]{}", "PUT"):
                self.assertEqual(self.client.put(ns, key, key), "STORED")
                self.assertEqual(self.client.get(ns, key), key.encode())
            self.client.ask(f"FLUSH {ns}")

    def test_keys_of_any_high_bytes(self):
        key = bytes(range(128, 256))
        self.assertEqual(self.client.put(self.ns, key, "v"), "STORED")
        self.assertEqual(self.client.get(self.ns, key), b"v")


class DefaultNamespace(SharedCase):
    CONF = 'namespace = "home";'

    def test_dash_is_the_default_namespace(self):
        self.client.send("PUT - k 1m\r\nv\r\n")
        self.client.expect("STORED\r\n")
        self.assertEqual(self.client.get("home", "k"), b"v")
        self.assertEqual(self.client.ask("DEL - k"), "DELETED")
        self.assertIsNone(self.client.get("home", "k"))


class Refusals(SharedCase):
    """What is refused, and that the connection stays in step or is closed."""

    CLIENT = r"^CLIENT_ERROR \S.*"

    def in_step(self, request, wanted=CLIENT):
        """One reply for that request, and the next one is understood."""
        self.client.send(as_bytes(request) + b"PING\r\n")
        self.assertRegex(self.client.line(), wanted, request)
        self.client.expect("PONG\r\n")

    def closes(self, request, wanted=CLIENT):
        """One error, then the end; nothing behind it was obeyed."""
        with self.connect(self.daemon) as client:
            self.client.put(self.ns, "kept", "v")
            client.send(as_bytes(request) + as_bytes(f"DEL {self.ns} kept\r\nPING\r\n"))
            self.assertRegex(client.line(), wanted, request)
            client.expect_closed()
        self.assertEqual(self.client.get(self.ns, "kept"), b"v", request)

    def never_obeys(self, request):
        """A value that follows is taken for a value or dropped, or the connection
        is closed: nothing in it is done."""
        with self.connect(self.daemon) as client:
            self.client.put(self.ns, "kept", "v")
            client.send(as_bytes(request) + as_bytes(f"\r\nDEL {self.ns} kept\r\n"))
            self.assertRegex(client.line(), "^(CLIENT_ERROR|ERROR) ", request)
            client.finish()
            client.rest()
        self.assertEqual(self.client.get(self.ns, "kept"), b"v", request)

    def test_unknown_verbs(self):
        for word in ("FETCH a b", "x", "PUTT a b", "GE", "\x01\x02", "get\ta b", "*1x", "gets a b"):
            self.in_step(word + "\r\n", r"^ERROR .*HELP")

    def test_words_of_other_systems(self):
        for word, verb in (("SET a b", "PUT"), ("delete a", "DEL"), ("KEYS *", "LIST"),
                           ("INFO", "STATS"), ("FLUSHALL", "FLUSH"), ("flush_all", "FLUSH"),
                           ("EXISTS a", "GET"), ("EXPIRE a 5", "TOUCH"), ("INCRBY a 5", "INCR"),
                           ("exit", "QUIT"), ("PUTT a b", "PUT"), ("STAS", "STATS")):
            self.in_step(word + "\r\n", f'^ERROR unknown verb "{word.split()[0]}", '
                                        rf"did you mean {verb}\? try HELP$")

    def test_memcached_where_it_is_not_spoken(self):
        """The line behind such a set is a request of its own, and the answer says so."""
        nowhere = "; memcached's is configured nowhere$"
        self.in_step("set k 0 0 5\r\n",
                     "^ERROR this listener speaks kvcached's own protocol, and reads the next line "
                     "as a request" + nowhere)
        self.in_step("mg k v\r\n", "^ERROR this listener speaks kvcached's own protocol" + nowhere)

    def test_what_becomes_of_a_value_is_said(self):
        dropped = "; the next line counts as the value and is dropped$"
        for line in ("PUT {} bob hello", "PUT {}", "ADD {} a\x01 1m", "PUT a/b bob"):
            self.in_step(line.format(self.ns) + f"\r\nDEL {self.ns} kept\r\n", dropped)
        self.in_step(f"PUT {self.ns} bob hello\r\nPING\r\n", "; a value goes onto the next line; ")
        self.in_step(f"PUT {self.ns} bob soon 4\r\nPING\r\n", "; the value, 4 bytes, is dropped$")
        self.closes(f"PUT {self.ns} bob hello my friend\r\n", "the connection is closed$")

    def test_too_few_words(self):
        for words in ("GET", "GET a", "DEL", "DEL a", "TTL", "TTL a", "TOUCH a", "INCR a", "DECR",
                      "LIST", "ALL", "FLUSH"):
            self.in_step(words + "\r\n")

    def test_too_many_words(self):
        for words in ("TTL a b c", "TOUCH a b 1 2", "INCR a b 1 2", "LIST a b c", "ALL a b c",
                      "FLUSH a b", "STATS a b"):
            self.in_step(words + "\r\n")

    def test_bad_namespaces(self):
        for ns in ("a/b", "x" * 65, "ä", "a:b", "*", "a\x01"):
            self.in_step(f"GET {ns} k\r\n")
            self.in_step(f"LIST {ns}\r\n")
            self.in_step(f"PUT {ns} k 1m 4\r\nPING\r\n")
            self.in_step(f"PUT {ns} k 1m\r\nPING\r\n")

    def test_bad_keys(self):
        for key in (b"x" * 1025, b"a\x01b", b"a\x7fb", b"a\0b", b"a\tb"):
            self.in_step(b"GET %b %b\r\n" % (self.ns.encode(), key))
            self.in_step(b"DEL %b %b\r\n" % (self.ns.encode(), key))
            self.in_step(b"PUT %b %b 1m 4\r\nPING\r\n" % (self.ns.encode(), key))
        self.assertIsNone(self.client.get(self.ns, "a"))

    def test_one_bad_key_among_many(self):
        self.client.put(self.ns, "a", "1")
        self.in_step(b"GET %b a %b a\r\n" % (self.ns.encode(), b"x" * 1025))
        self.in_step(b"DEL %b a %b\r\n" % (self.ns.encode(), b"x" * 1025))
        self.assertEqual(self.client.get(self.ns, "a"), b"1")

    def test_more_than_one_space(self):
        for request in ("GET  a b", "GET a  b", "GET a b ", "DEL a b  ", "TTL a b "):
            self.in_step(request + "\r\n", "^NOT_FOUND$")
        self.in_step("PING  \r\n", "^PONG$")
        self.in_step(" GET a b\r\n", "^(CLIENT_ERROR|ERROR) .")
        self.in_step("GET\ta b\r\n", "^(CLIENT_ERROR|ERROR) .")

    def test_more_than_one_space_before_a_value(self):
        """Accepted where no empty word could mean another extent of the value."""
        value = f"DEL {self.ns} kept"
        for line in ("PUT {}  k", "PUT  {} k", "PUT {} k ", "PUT  {} k  1m  %d " % len(value)):
            self.client.put(self.ns, "kept", "v")
            self.in_step(line.format(self.ns) + f"\r\n{value}\r\n", "^STORED$")
            self.assertEqual(self.client.get(self.ns, "k"), value.encode())
            self.assertEqual(self.client.get(self.ns, "kept"), b"v", line)
        self.in_step(f"PUT {self.ns} k  {len(value)}\r\n{value}\r\n", "empty word")

    def test_bad_times(self):
        for ttl in ("x", "-5", "5x", "1e3", ".", "s", "0x10", "inf", "nan", "5ss", "1,5", "+5",
                    "1.5.5", "forever", "2026-01-01"):
            self.in_step(f"PUT {self.ns} k {ttl} 4\r\nPING\r\n")
            self.in_step(f"PUT {self.ns} k {ttl}\r\nPING\r\n")
            self.in_step(f"TOUCH {self.ns} k {ttl}\r\n")
            self.assertIsNone(self.client.get(self.ns, "k"), ttl)

    def test_byte_counts_that_are_none(self):
        for count in ("x", "-1", "1.5", "5x", "+5", "1e3", "0x5", "99999999999999999999999"):
            self.closes(f"PUT {self.ns} k 1m {count}\r\n")
            self.closes(f"ADD {self.ns} k - {count}\r\n")

    def test_a_value_that_is_longer_than_it_says(self):
        self.closes(f"PUT {self.ns} k 1m 3\r\nhello\r\n")
        self.closes(f"PUT {self.ns} k 1m 0\r\nhello\r\n")
        self.closes(f"PUT {self.ns} k 1m 3\r\nabc\rx\n")
        self.assertIsNone(self.client.get(self.ns, "k"))

    def test_a_large_value_that_is_longer_than_it_says(self):
        self.closes(f"PUT {self.ns} k 1m 300000\r\n{'x' * 300001}\r\n")
        self.assertIsNone(self.client.get(self.ns, "k"))

    def test_a_refused_value_that_is_longer_than_it_says(self):
        with self.connect(self.daemon) as client:
            client.send(f"PUT {self.ns} k soon 3\r\nhello\r\nPUT {self.ns} k\r\nv\r\n")
            replies = client.rest().decode()
        self.assertRegex(replies, r"^CLIENT_ERROR .*\r\n(CLIENT_ERROR .*\r\n)?$")
        self.assertIsNone(self.client.get(self.ns, "k"))

    def test_a_put_whose_value_cannot_be_found(self):
        for request in ("PUT", f"PUT {self.ns}", f"PUT {self.ns} k 1m 5 6", f"PUT {self.ns} k  5",
                        f"PUT {self.ns} k 1m ", "ADD", f"PUT {self.ns} k   5",
                        f"PUT {self.ns} k 1m 5 "):
            self.never_obeys(request)

    def test_a_value_beyond_the_limit(self):
        size = (1 << 20) + 1
        self.client.put(self.ns, "k", "old")
        self.client.pipelined(f"PUT {self.ns} k 1m {size}\r\n{'x' * size}\r\nPING\r\n", 0)
        self.assertRegex(self.client.line(), self.CLIENT)
        self.client.expect("PONG\r\n")
        self.assertEqual(self.client.get(self.ns, "k"), b"old")

    def test_a_line_past_64_KiB(self):
        self.closes("GET " + "x" * 70000 + "\r\n")
        self.closes(f"TTL {self.ns} " + "x " * 40000)

    def test_a_line_past_64_KiB_that_never_ends(self):
        with self.connect(self.daemon) as client:
            try:
                for _ in range(100):
                    client.send("x" * 65536)
            except OSError:
                return
            self.assertRegex(client.line(), "^(CLIENT_ERROR|ERROR) ")
            client.expect_closed()

    def test_the_longest_line(self):
        keys = " ".join(["k" * 1024] * 63)
        line = f"GET {self.ns} {keys}"
        line += " k" * ((65534 - len(line)) // 2)
        line += "k" * (65534 - len(line))
        replies = self.client.pipelined(line + "\r\n", line.count(" ") - 1)
        self.assertEqual(set(replies), {"NOT_FOUND"})
        self.assertEqual(self.client.ask("PING"), "PONG")

    def test_browsers(self):
        for request in ("POST / HTTP/1.1\r\n", "POST /x\r\n", "Host: localhost\r\n",
                        "GET / HTTP/1.1\r\n", "GET / HTTP/1.0\n", "PUT /x HTTP/1.1\r\nv\r\n",
                        "OPTIONS * HTTP/1.1\r\n"):
            before = self.client.stat("closed_http")
            with self.connect(self.daemon) as client:
                client.send(f"{request}PUT {self.ns} k 1m\r\nstolen\r\nPING\r\n")
                self.assertEqual(client.rest(), HTTP_ANSWER)
            self.assertEqual(self.client.stat("closed_http"), before + 1)
        self.assertIsNone(self.client.get(self.ns, "k"))
        self.daemon.wait_log("closed: it speaks HTTP")

    def test_http_as_its_clients_understand_it(self):
        connection = http.client.HTTPConnection(*self.daemon.address)
        connection.sock = self.kept(self.connect(self.daemon)).socket
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        self.assertEqual(response.status, 400)
        self.assertEqual(response.getheader("Content-Type"), "text/plain")
        self.assertRegex(response.read(), b"^this listener speaks kvcached's own protocol.*\n$")

    def test_redis(self):
        """One error in its own protocol, which its clients show."""
        before = self.client.stat("closed_redis")
        with self.connect(self.daemon) as client:
            client.send(b"*1\r\n$4\r\nPING\r\n")
            self.assertRegex(client.rest(), rb"^-ERR this listener speaks kvcached's own protocol, "
                                            rb"not Redis's;[^\r\n]*\r\n$")
        self.assertEqual(self.client.stat("closed_redis"), before + 1)

    def test_a_line_that_begins_with_a_verb_is_no_browsers(self):
        self.client.put(self.ns, "HTTP/1.1", "v")
        self.assertEqual(self.client.get(self.ns, "HTTP/1.1"), b"v")
        self.assertEqual(self.client.ask(f"DEL {self.ns} HTTP/1.0"), "NOT_FOUND")
        self.assertRegex(self.client.ask(f"TTL {self.ns} k HTTP/1.1"), self.CLIENT)

    def test_browser_after_honest_requests(self):
        with self.connect(self.daemon) as client:
            client.send("PING\r\nPING\r\nPOST / HTTP/1.1\r\n")
            client.expect("PONG\r\nPONG\r\n")
            self.assertEqual(client.rest(), HTTP_ANSWER)

    def test_a_value_may_look_like_a_browser(self):
        value = b"POST / HTTP/1.1\r\nHost: x\r\n"
        self.assertEqual(self.client.put(self.ns, "k", value), "STORED")
        self.assertEqual(self.client.get(self.ns, "k"), value)

    def test_errors_are_one_printable_line(self):
        for request in (b"\x1b[31mRED\x00\xff\r\n", b"GET \x1b[31m k\r\n", b"TTL a \x1b\r\n"):
            self.client.send(request)
            self.assertRegex(self.client.line(), r"^[A-Z_]*ERROR [ -~]+$")


class Elsewhere(Case):
    def test_memcached_where_it_is_spoken(self):
        """The answer names the listeners that speak it, one after the other."""
        listen = ('listen = ( { address = "127.0.0.1"; port = 0; },\n'
                  '{ address = "127.0.0.1"; port = 0; protocol = "memcache"; },\n'
                  '{ path = "@/memcache.sock"; protocol = "memcache"; } );\n')
        daemon = self.start(listen=listen, ready=False)
        daemon.wait_listening(3)
        native, memcached, path = daemon.addresses()
        client = self.kept(Client(native))
        self.assertEqual(client.ask("mg k v"),
                         "ERROR this listener speaks kvcached's own protocol; memcached's is at "
                         f"{memcached[0]}:{memcached[1]}, {path}")
        self.assertEqual(client.ask("PING"), "PONG")


if __name__ == "__main__":
    unittest.main()
