"""What the newest memcached has and 1.6.18 has not, and what clients look for in its figures.

test_differential_table.py compares with the newest where one is given; here are the rules, for
where none is.
"""

import time

from harness import wait_for
from memcache import NATIVE, Memcache, Wire
from test_memcache import MemcacheCase
from test_users import user, users

VERSION = r"\d+\.\d+\.\d+"
DATE_MAX = 2147483647


class MetaCommands(MemcacheCase):
    def test_routers_flags_do_nothing_anywhere(self):
        for line, answer in (("ms a 1 P L/path\n5", "HD"), ("mg a v Ppath L", "VA 1"),
                             ("ma a P L q", None), ("me a P L", None), ("md a P L", "HD")):
            self.wire.send(line.replace("\n", "\r\n") + "\r\nmn\r\n")
            lines = [self.wire.line()]
            while lines[-1] != "MN":
                lines.append(self.wire.line())
            self.assertNotRegex(" ".join(lines), "ERROR", line)
            if answer:
                self.assertEqual(lines[0], answer, line)

    def test_flags_without_a_meaning_are_taken(self):
        self.say("ms a 1 D5 J3 h l t u v x\n5", "HD")
        self.say("mg a v D5 F7 I J3 MA x", "VA 1", "5")
        self.say("mg a v J", "CLIENT_ERROR invalid numeric initial value")
        self.say("mg a v Dx", "CLIENT_ERROR invalid numeric delta value")
        self.say("ma a v F7 I R30 s u x h", "VA 1", "6")
        self.say("mg a f", "HD f0")
        self.say("md a D5 J3 MS f h s v u", "HD")
        self.say("mg a Y", "CLIENT_ERROR invalid flag")

    def test_a_flag_means_nothing_in_the_mode_of_another(self):
        self.say("ma n N0 F7", "HD")
        self.say("mg n f", "HD f0")
        self.say("ms nothing 1 C1 N100\nx", "NF")
        self.say("ms nothing 1 MR N100\nx", "NS")
        self.say("ms n 1 MA I C7777777\nx", "EX")
        self.say("mg n v", "VA 1", "0")

    def test_a_value_that_the_client_has_is_not_sent(self):
        self.say("ms a 5 E77\nvalue", "HD")
        self.say("mg a v C77 s", "HD s5")
        self.say("mg a v C76 s", "VA 5 s5", "value")
        self.say("mg a C77 T100 t", "HD t100")
        self.say("mg nothing v C77", "EN")
        self.say("mg a v C", "CLIENT_ERROR bad token in command line format")

    def test_an_empty_record_is_left(self):
        self.say("ms a 5 F3 E77 T1000\nvalue", "HD")
        self.say("md a x T500 F9", "HD")
        self.say("mg a v f t c", "VA 0 f9 t500 c77", "")
        self.say("md a x", "HD")
        self.say("mg a v f t c", "VA 0 f0 t-1 c77", "")
        self.say("md a x I", "HD")
        self.assertRegex(self.wire.ask("mg a v c", 2)[0], r"^VA 0 c\d+ X W$")
        self.say("md a x C1", "EX")
        self.say("md nothing x", "NF")
        self.say("md a", "HD")
        self.say("mg a", "EN")

    def test_the_length_that_is_told_is_the_whole_records(self):
        self.say("ms a 2 s\n12", "HD s2")
        self.say("ms a 2 MA s\n34", "HD s4")
        self.say("ms a 3 MP s k\nxyz", "HD s7 ka")
        self.say("mg a s v", "VA 7 s7", "xyz1234")
        self.say("ms b 2 MA N100 s\n12", "HD s2")
        self.say("ms a 0 MA s\n", "HD s7")

    def test_a_missing_word_is_bad_format(self):
        for line in ("get", "gets", "gat", "gat 0", "touch", "touch a", "delete", "incr", "incr a",
                     "decr", "mg", "md", "ma", "me", "verbosity", "verbosity x", ""):
            self.say(line, "CLIENT_ERROR bad command line format")
        self.say("cas a 0 0 1\nx", "CLIENT_ERROR bad command line format")
        self.say("foo", "ERROR")

    def test_old_clients_delete_with_a_time(self):
        self.say("set a 0 0 1\nx", "STORED")
        self.wire.send("delete a 10 noreply\r\n")
        self.say("mn", "MN")
        self.say("delete a 0", "NOT_FOUND")


class Times(MemcacheCase):
    def test_what_is_beyond_the_last_date_is_over_at_once(self):
        """-1 comes as 4294967295 from libmemcached."""
        for number in (DATE_MAX + 1, 4294967295, 2**63 - 1):
            for verb in ("set", "replace"):
                self.say("set a 0 0 1\nx", "STORED")
                self.say(f"{verb} a 0 {number} 1\ny", "STORED")
                self.say("get a", "END")
            self.say(f"add b 0 {number} 1\nx", "STORED")
            self.say("get b", "END")
            self.say("ms a 1 E5\nx", "HD")
            self.say(f"cas a 0 {number} 1 5\ny", "STORED")
            self.say("get a", "END")
        self.say(f"set a 0 {DATE_MAX} 1\nx", "STORED")
        self.say("get a", "VALUE a 0 1", "x", "END")

    def test_elsewhere_it_is_refused(self):
        self.say("set a 0 0 1\nx", "STORED")
        for number in (DATE_MAX + 1, 4294967295, 2**63 - 1, 2**64):
            for line in (f"touch a {number}", f"gat {number} a", f"gats {number} a a"):
                self.say(line, "CLIENT_ERROR invalid exptime argument")
            for line in (f"mg a T{number}", f"mg b N{number}", f"md a I T{number}"):
                self.say(line, "CLIENT_ERROR bad token in command line format")
        self.say("mg a t v", "VA 1 t-1", "x")

    def test_seconds_since_a_read_are_not_low(self):
        """A second that has passed is told of, in whichever part of one it began."""
        began = {}
        for number in range(25):
            began[number] = time.monotonic()
            self.say(f"set key{number} 0 0 1\nx", "STORED")
            nearly = time.monotonic() + 0.01
            wait_for(lambda: time.monotonic() > nearly, 5, "the next part of a second")
        last = time.monotonic()
        wait_for(lambda: time.monotonic() > last + 1.003, 5, "a second")
        for number in range(25):
            told = int(self.wire.ask(f"mg key{number} l u")[4:])
            self.assertGreaterEqual(told, int(last + 1.003 - began[number]), number)
            self.assertLessEqual(told, time.monotonic() - began[number])


class Login(MemcacheCase):
    def setUp(self):
        self.daemon = Memcache(users(user("web", "open-sesame", read="*", write="*", admin="*")))
        self.addCleanup(self._end, self.daemon)
        self.wire = self.talk()

    def test_nothing_but_the_value_matters(self):
        for head in ("set auth 0 0", "set _ _ _", "set a x -", "set " + "k" * 300 + " 0 0"):
            wire = self.talk()
            self.assertEqual(wire.ask(f"{head} 15\nweb open-sesame"), "STORED", head)
            self.assertEqual(wire.ask("get auth"), "END")

    def test_what_is_no_login_is_no_guess_either(self):
        for request in ("ms _ 15\nweb open-sesame", "add _ 0 0 15\nweb open-sesame", "get a", "mn"):
            wire = self.talk()
            self.assertEqual(wire.ask(request), "CLIENT_ERROR unauthenticated", request)
        self.assertEqual(self.wire.ask("set _ _ _ 15\nweb open-sesame"), "STORED")
        stats = self.wire.stats()
        self.assertEqual((stats["auth_cmds"], stats["auth_errors"]), ("1", "0"))


class Figures(MemcacheCase):
    def test_the_version_is_digits_and_the_same_everywhere(self):
        said = self.wire.ask("version")
        self.assertRegex(said, f"^VERSION {VERSION}$")
        stats = self.wire.stats()
        self.assertEqual(f"VERSION {stats['version']}", said)
        self.assertGreaterEqual(tuple(map(int, stats["version"].split("."))), (1, 6, 18))
        own = self.asked("VERSION").split(" ")[-1]
        self.assertIn(own, [value for name, value in stats.items() if name != "version"])

    def test_every_figure_has_a_value(self):
        """One word, and a number wherever memcached has a number."""
        self.say("set sessions:a 0 0 1\nx", "STORED")
        for what in ("", "items", "slabs", "settings", "sizes", "conns", "reset"):
            for line in self.until_end(f"stats {what}".rstrip()):
                self.assertRegex(line, r"^STAT \S+ \S.*$", what)
        for what, pattern in (("items", r"^STAT items:\d+:\w+ \d+$"),
                              ("slabs", r"^STAT (\d+:)?\w+ \d+$")):
            for line in self.until_end(f"stats {what}"):
                self.assertRegex(line, pattern)

    def until_end(self, request):
        """Up to END; nothing, where the answer is one line of another kind."""
        self.wire.send(request + "\r\nmn\r\n")
        lines = [self.wire.line()]
        while lines[-1] != "MN":
            lines.append(self.wire.line())
        if lines[0].startswith("STAT"):
            self.assertEqual(lines[-2], "END", request)
            return lines[:-2]
        self.assertIn(len(lines), (1, 2), request)
        return []

    def test_whatever_is_asked_for_ends(self):
        for what in ("items", "slabs", "cachedump", "cachedump 1 0", "cachedump 1 10", "reset",
                     "malloc", "sizes", "conns", "maps", "detail dump", "settings", "foo", "foo bar"):
            self.wire.send(f"stats {what}\r\nmn\r\n")
            lines = [self.wire.line()]
            while lines[-1] != "MN":
                lines.append(self.wire.line())
            self.assertRegex(lines[-2], r"^(END|RESET|OK|((CLIENT|SERVER)_)?ERROR.*)$", what)

    def test_without_a_prefix_there_is_a_value_too(self):
        memcache = '{ address = "127.0.0.1"; port = 0; protocol = "memcache"; }'
        daemon = self.start(listen=f"listen = ( {NATIVE}, {memcache} );\n")
        daemon.wait_listening(2)
        wire = Wire(daemon.addresses()[1])
        self.addCleanup(wire.close)
        for line in wire.until_end("stats settings"):
            self.assertRegex(line, r"^STAT \S+ \S")
