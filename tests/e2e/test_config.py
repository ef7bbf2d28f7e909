"""kvcached.conf and the command line: checked, explained, reloaded whole or not at all."""

import os
import re
import signal
import subprocess
import unittest

from harness import DAEMON, Case, Client, seconds, wait_for


class CommandLine(Case):
    def run_daemon(self, *arguments):
        """Runs it to its end; returns its status, and what it said."""
        done = subprocess.run([DAEMON, *arguments], stdin=subprocess.DEVNULL, cwd="/",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=seconds(10))
        return done.returncode, done.stdout, done.stderr

    def file(self, text):
        """A configuration of that text, as it stands."""
        daemon = self.start(run=False)
        daemon.write_conf(text)
        return daemon.conf

    def check(self, text):
        path = self.file(text)
        status, out, err = self.run_daemon("-t", "-c", path)
        return status, out + err, path

    def test_version(self):
        status, out, _ = self.run_daemon("-V")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"^kvcached \d+\.\d+\.\d+\n")

    def test_help(self):
        status, out, _ = self.run_daemon("-h")
        self.assertEqual(status, 0)
        for option in ("-c", "-t", "-d", "-v", "-V", "-h", "--hash-secret"):
            self.assertIn(option, out)

    def test_unknown_option(self):
        status, out, err = self.run_daemon("-Z")
        self.assertGreater(status, 0)
        self.assertEqual(out, "")
        self.assertIn("Z", err)

    def test_long_options(self):
        for long, short in (("--version", "-V"), ("--help", "-h")):
            self.assertEqual(self.run_daemon(long), self.run_daemon(short))
        path = self.file("memory = 5;")
        self.assertEqual(self.run_daemon("--check", "--config", path),
                         self.run_daemon("-t", "-c", path))
        self.assertEqual(self.run_daemon("--check", f"--config={path}")[0], 1)

    def test_options_are_refused_in_one_voice(self):
        for words, said in ((["-Z"], "kvcached: -Z: there is no such option"),
                            (["--nonsense"], "kvcached: --nonsense: there is no such option"),
                            (["-c"], "kvcached: -c: it needs the name of a file"),
                            (["--config"], "kvcached: --config: it needs the name of a file"),
                            (["-o"], "kvcached: -o: it needs a setting, such as -o 'memory"),
                            (["--option"], "kvcached: --option: it needs a setting"),
                            (["-p", "11211"], "kvcached: -p: there is no such option, write -o "
                                              "'listen = ( { port = 11211; "),
                            (["-m", "64"], "write -o 'memory = \"64M\"', or that into the file"),
                            (["--port=11211"], "--port=11211: there is no such option, write -o "
                                               "'listen = ( { port"),
                            (["--threads", "4"], "write -o 'threads = 4'"),
                            (["-U", "0"], "kvcached: -U: there is no UDP here, leave it out"),
                            (["-t", "4"], "-t checks the configuration, for threads write -o "
                                          "'threads = 4'"),
                            (["help"], 'kvcached: unexpected argument "help"; name a '
                                       "configuration with -c, see kvcached --help")):
            status, out, err = self.run_daemon(*words)
            self.assertEqual((status, out), (64, ""))
            self.assertTrue(err.startswith("kvcached: "), err)
            self.assertIn(said, err)
            self.assertIn("usage: kvcached", err)

    def test_a_number_is_no_file(self):
        status, _, err = self.run_daemon("-c", "1024")
        self.assertGreater(status, 0)
        self.assertIn("-c names a file, for a number of connections write -o "
                      "'max_connections = 1024'", err)

    def test_settings_of_the_command_line(self):
        path = self.file('memory = "nonsense"; ttl = 5; threads = 3;')
        self.assertEqual(self.run_daemon("-t", "-c", path)[0], 1)
        self.assertEqual(self.run_daemon("-t", "-c", path, "-o", 'memory = "32M"'),
                         (0, f"{path} and the command line: configuration is good\n", ""))
        status, _, err = self.run_daemon("-t", "-o", "ttl = 5", "--option=memory = 64M")
        self.assertEqual((status, err), (1, '-o 2: memory: write "64M" in quotation marks\n'))

    def test_they_hold_after_a_reload(self):
        daemon = self.start("ttl = 5;", arguments=("-o", 'namespaces = ( { name = "own"; } )', "-o",
                                                   'memory = "32M"'))
        client = self.connect(daemon)
        daemon.wait_log(rf"configuration: {daemon.conf} and the command line \(users")
        self.assertEqual(client.stat("limit_maxbytes"), 32 << 20)
        daemon.configure('memory = "16M"; ttl = 9; namespaces = ( );')
        daemon.reload(r"reloaded the configuration: ttl 9s \(was 5s\)\n")
        self.assertEqual(client.stat("limit_maxbytes"), 32 << 20)
        self.assertIn("NAMESPACE own", "\n".join(client.ask_all("NAMESPACES")))
        daemon.write_conf("")
        daemon.reload(r"the file has no setting, and had some before")

    def test_the_log_says_what_was_read(self):
        daemon = self.start('users = ( ); namespaces = ( { name = "a"; }, { name = "b"; } );')
        daemon.wait_log(rf"configuration: {daemon.conf} \(users: 0, namespaces: 2, "
                        r"records in (memory|file)\)")

    def test_the_log_says_what_a_reload_changed(self):
        daemon = self.start('ttl = "5m"; namespaces = ( { name = "a"; }, { name = "b"; } );')
        for conf, said in (
                ('ttl = "10m"; namespaces = ( { name = "a"; ttl = "1h"; } );',
                 "ttl 10m (was 5m), namespace a: ttl 1h (was unset), namespace b removed"),
                ('# more\nttl = "10m"; namespaces = ( { name = "a"; ttl = "1h"; } );',
                 "no option changed")):
            daemon.configure(conf)
            daemon.reload(re.escape(f"reloaded the configuration: {said}\n"))

    def test_unknown_argument(self):
        status, _, err = self.run_daemon("surplus")
        self.assertGreater(status, 0)
        self.assertIn("surplus", err)

    def test_option_without_its_file(self):
        status, _, err = self.run_daemon("-c")
        self.assertGreater(status, 0)
        self.assertNotEqual(err, "")

    def test_missing_file(self):
        for options in (["-c", "/nonexistent/kvcached.conf"],
                        ["-t", "-c", "/nonexistent/kvcached.conf"]):
            status, _, err = self.run_daemon(*options)
            self.assertGreater(status, 0)
            self.assertIn("/nonexistent/kvcached.conf", err)
            self.assertEqual("kvcached: /nonexistent/kvcached.conf: cannot be read: "
                             "No such file or directory\n", err)

    def test_a_directory_for_a_file(self):
        status, _, err = self.run_daemon("-t", "-c", "/tmp")
        self.assertGreater(status, 0)
        self.assertIn("/tmp", err)

    def test_built_in_defaults_are_good(self):
        self.assertEqual(self.run_daemon("-t")[0], 0)

    def test_good_files(self):
        for text in ("", "# nothing\n", "# nothing", "// nothing", "/* nothing */", "\ufeff",
                     "\ufeff# nothing", 'memory = "64M";\n# end', 'memory = "64M"; // end',
                     '\ufeffmemory = "64M";', 'memory = "64M";\r\n# end\r\n', 'memory = "64M"; ttl = 30;\n',
                     'log = "stderr";\n', 'log = { to = "stderr"; level = "debug"; };\n',
                     'listen = ( { address = "::1"; port = 1; }, { path = "/tmp/x"; mode = "0600"; } );',
                     'namespaces = ( { name = "a"; ttl = "30m"; max_ttl = "1h"; memory = "1M"; '
                     'require_ttl = true; }, { name = "b"; } ); namespaces_policy = "declared";',
                     'users = ( { name = "web"; secret = "$6$saltstring$nk7Qohr7tOmwY2mX639VRP.Lyvj3uhcgpatqHuLC867qfSHKq1LDuKa/h7Es9Nv0aL08pbF.cnQlRqhaoKT/D."; read = [ "a.*", "b" ]; '
                     'write = "a.*"; }, { name = "root"; unix_user = "root"; admin = "*"; } );',
                     'users = ( { name = "web"; } ); listen = ( { address = "0.0.0.0"; '
                     'tls_certificate = "/c.pem"; tls_key = "/k.pem"; } );',
                     'insecure = true; listen = ( { address = "0.0.0.0"; } ); core_dumps = true;',
                     'idle_timeout = "5m"; purge_interval = "500ms"; threads = 4; '
                     'max_connections = 10; max_value = 1000;'):
            status, said, _ = self.check(text)
            self.assertEqual((status, text), (0, text), said)

    def test_each_error_names_its_place(self):
        for line, option in (
                ('memry = "64M";', "memry"),
                ("memory = true;", "memory"),
                ('memory = "lots";', "memory"),
                ('memory = "1K";', "memory"),
                ("memory = -1;", "memory"),
                ('ttl = "soon";', "ttl"),
                ("threads = 1000;", "threads"),
                ('threads = "two";', "threads"),
                ('max_value = "65M";', "max_value"),
                ("max_connections = 0;", "max_connections"),
                ('purge_interval = "1ms";', "purge_interval"),
                ('namespaces_policy = "closed";', "namespaces_policy"),
                ('namespace = "a/b";', "namespace"),
                ('user = "no-such-user-here";', "user"),
                ('listen = ( { port = 70000; } );', "port"),
                ('listen = ( { address = "localhost.example"; port = 1; } );', "address"),
                ('listen = ( { path = "/tmp/x"; port = 1; } );', "port|path"),
                ('listen = ( { path = "/tmp/x"; mode = "9"; } );', "mode"),
                ('listen = ( { portt = 1; } );', "portt"),
                ('listen = ( { protocol = "gopher"; } );', "protocol"),
                ('listen = "127.0.0.1";', "listen"),
                ('log = { to = "stderr"; level = "loud"; };', "level"),
                ('namespaces = ( { ttl = "1m"; } );', "name"),
                ('namespaces = ( { name = "a"; }, { name = "a"; } );', "name"),
                ('namespaces = ( { name = "a"; memory = "1T"; } );', "memory"),
                ('namespaces = ( { name = "a"; ttl = "2h"; max_ttl = "1h"; } );', "ttl"),
                ('memory = "4M"; namespaces = ( ' +
                 ", ".join('{ name = "n%d"; }' % i for i in range(8193)) + " );", "namespaces"),
                ('users = ( { secret = "$6$saltstring$nk7Qohr7tOmwY2mX639VRP.Lyvj3uhcgpatqHuLC867qfSHKq1LDuKa/h7Es9Nv0aL08pbF.cnQlRqhaoKT/D."; } );', "name"),
                ('users = ( { name = "a"; read = "-"; } );', "read"),
                ('users = ( { name = "a"; secret = "$argon2id$v=19$m=1,t=1,p=1$c2E$aGFz"; } );',
                 "no such method"),
                ('users = ( { name = "a"; secret = "$6$saltstring$abc"; } );', "not whole"),
                ('users = ( { name = "a"; unix_user = "no-such-user-here"; } );', "unix_user"),
                ('listen = ( { tls_certificate = "/c.pem"; } );', "tls_key"),
                ("memory = ;", "syntax"),
                ('memory = "64M', "syntax")):
            status, said, path = self.check(f"# one\n\n{line}\n")
            self.assertGreater(status, 0, line)
            self.assertRegex(said, rf"{re.escape(path)}:[345]: ", line)
            self.assertRegex(said, f"(?i){option}", line)

    def test_values_without_quotation_marks(self):
        status, said, path = self.check("memory = 64M;\nttl = 30m\nlisten = (\n"
                                        "  { address = 127.0.0.1; port = 0; },\n"
                                        "  { path = /tmp/x; }\n);\nnamespaces_policy = open\n")
        self.assertEqual(status, 1)
        self.assertEqual(re.findall(rf"{re.escape(path)}:(\d+): (.*)", said),
                         [("1", 'memory: write "64M" in quotation marks'),
                          ("2", 'ttl: write "30m" in quotation marks'),
                          ("4", 'listen.address: write "127.0.0.1" in quotation marks'),
                          ("5", 'listen.path: write "/tmp/x" in quotation marks'),
                          ("7", 'namespaces_policy: write "open" in quotation marks')])

    def test_options_of_other_servers(self):
        for line, wanted in (
                ('bind = "127.0.0.1";', "bind: there is no such option, write address in a group of listen"),
                ("port = 11211;", "port: it is no option here, write it in a group of listen"),
                ("maxmemory = 64mb;", "maxmemory: there is no such option, write memory"),
                ('requirepass = "hunter2";',
                 "requirepass: there is no such option, write secret in a group of users"),
                ('users = ( { name = "a"; password = "hunter2"; } );',
                 "users.password: there is no such option, write secret in a group of users"),
                ("tls-port = 6380;", "tls-port: there is no such option, write port, "
                                     "tls_certificate and tls_key in a group of listen"),
                ("http = true;", "http: there is no such option, see kvcached.conf(5) for those there are")):
            status, said, path = self.check(line)
            self.assertEqual(status, 1)
            self.assertRegex(said, rf"{re.escape(path)}:1: {re.escape(wanted)}\n$")
            self.assertNotIn("hunter2", said)

    def test_others_than_this_machine_are_not_let_in_by_chance(self):
        text = 'listen = (\n  { port = 0; },\n  { port = 0; address = "0.0.0.0"; }\n);\n'
        status, said, path = self.check(text)
        self.assertEqual(status, 1)
        self.assertRegex(said, rf'{re.escape(path)}:3: listen\.address: .*"0\.0\.0\.0"')
        for word in ("users", "tls_certificate", "tls_key", "insecure = true", "kvcached(8)"):
            self.assertIn(word, said)
        lines = [line.split("kvcached.conf:", 1)[1] for line in said.splitlines()]
        self.assertEqual(len(lines), 2)
        self.assertLess(max(map(len, lines)), 125)
        daemon = self.start(text, listen="", ready=False)
        self.assertEqual(daemon.wait_exit(), os.EX_CONFIG)
        self.assertNotIn("listening", daemon.log())
        self.assertIn("listen.address", daemon.log())
        self.assertEqual(self.check(text + "insecure = true;")[0], 0)

    def test_a_secret_in_place_of_its_hash_is_not_repeated(self):
        line = 'users = ( { name = "web"; secret = "hunter2"; read = "*"; } );\n'
        status, said, path = self.check("\n" + line)
        self.assertEqual(status, 1)
        self.assertRegex(said, rf"{re.escape(path)}:2: users\.secret: .*kvcached --hash-secret")
        self.assertNotIn("hunter2", said)
        daemon = self.start(line, ready=False)
        self.assertEqual(daemon.wait_exit(), os.EX_CONFIG)
        self.assertIn("--hash-secret", daemon.log())
        self.assertNotIn("hunter2", daemon.log())

    def test_the_statuses_are_those_of_the_manual(self):
        folder = os.path.dirname(self.file(""))
        taken = self.start()
        here = 'listen = ( { address = "%s"; port = %d; } );\n' % taken.address
        for wanted, arguments in ((os.EX_USAGE, ["surplus"]),
                                  (os.EX_NOINPUT, ["-c", "/nonexistent/kvcached.conf"]),
                                  (os.EX_NOINPUT, ["-c", folder]),
                                  (os.EX_CONFIG, ["-c", self.file("thread = 1;")]),
                                  (os.EX_UNAVAILABLE, ["-c", self.file(here)]),
                                  (os.EX_CANTCREAT, ["-c", self.file(
                                      'listen = ( { port = 0; } ); pid_file = "/nonexistent/pid";')])):
            with self.subTest(wanted=wanted, arguments=arguments):
                status, _, said = self.run_daemon(*arguments)
                self.assertEqual(status, wanted, said)
                self.assertNotEqual(said, "")

    def test_all_errors_in_one_go(self):
        status, said, path = self.check('memry = "64M";\nttl = "soon";\nthreads = 1000;\n'
                                        'namespaces = (\n{ name = "a b"; },\n'
                                        '{ name = "c"; max_tll = 5; }\n);\nport = 5;\n')
        self.assertGreater(status, 0)
        lines = set(re.findall(rf"{re.escape(path)}:(\d+): ", said))
        self.assertEqual(lines, {"1", "2", "3", "5", "6", "8"}, said)

    def test_a_duplicate_option(self):
        status, said, path = self.check("ttl = 5;\n\nttl = 6;\n")
        self.assertGreater(status, 0)
        self.assertRegex(said, rf"{re.escape(path)}:3: ")

    def test_a_wrong_file_starts_nothing(self):
        daemon = self.start("threads = 1000;", ready=False)
        self.assertGreater(daemon.wait_exit(), 0)
        self.assertNotIn("listening", daemon.log())
        self.assertRegex(daemon.log(), rf"{re.escape(daemon.conf)}:2: .*threads")

    def test_checking_opens_no_port(self):
        running = self.start()
        path = self.file('listen = ( { address = "127.0.0.1"; port = %d; } );'
                         % running.address[1])
        self.assertEqual(self.run_daemon("-t", "-c", path)[0], 0)


class Reload(Case):
    def setUp(self):
        self.daemon = self.start('ttl = "1h"; max_value = "2K";\n'
                                 'namespaces = ( { name = "a"; ttl = "10m"; } );')
        self.client = self.connect(self.daemon)

    def left(self, ns, key):
        return float(self.client.ask(f"TTL {ns} {key}").split()[1])

    def reload(self, conf):
        self.daemon.configure(conf)
        before = len(self.daemon.log())
        self.daemon.send_signal(signal.SIGHUP)
        return before

    def wait_ttl(self, ns, wanted):
        def is_it():
            self.client.put(ns, "probe", "v")
            return wanted - 10 < self.left(ns, "probe") <= wanted
        wait_for(is_it, what=f"a ttl of {wanted} s in {ns}")

    def test_new_settings_count_at_once(self):
        self.client.put("a", "old", "v")
        self.reload('ttl = "2h"; max_value = "10K";\n'
                    'namespaces = ( { name = "a"; ttl = "20m"; }, { name = "b"; ttl = "5m"; } );')
        self.wait_ttl("a", 1200)
        self.wait_ttl("b", 300)
        self.wait_ttl("other", 7200)
        self.assertLessEqual(self.left("a", "old"), 600)
        self.assertEqual(self.client.get("a", "old"), b"v")
        self.assertEqual(self.client.put("a", "larger", "v" * 9000), "STORED")

    def test_a_lower_max_value_counts_too(self):
        self.client.put("a", "k", "v" * 2000)
        self.reload('max_value = "1K";')
        wait_for(lambda: self.client.put("a", "l", "v" * 2000) != "STORED", what="the new limit")
        self.assertEqual(self.client.get("a", "k"), b"v" * 2000)
        self.assertEqual(self.client.put("a", "l", "v" * 1000), "STORED")

    def test_not_at_all_when_something_is_wrong(self):
        before = self.reload('ttl = "2h"; max_value = "10K"; threds = 5;')
        self.daemon.wait_log(rf"{re.escape(self.daemon.conf)}:\d+: .*threds", after=before)
        self.client.put("a", "k", "v")
        self.assertLessEqual(self.left("a", "k"), 600)
        self.client.put("other", "k", "v")
        self.assertLessEqual(self.left("other", "k"), 3600)
        self.assertRegex(self.client.put("a", "larger", "v" * 9000), "^(CLIENT|SERVER)_ERROR ")
        self.reload('ttl = "2h";')
        self.wait_ttl("other", 7200)

    def test_a_secret_in_place_of_its_hash_is_not_logged(self):
        before = self.reload('users = ( { name = "web"; secret = "hunter2"; } );')
        self.daemon.wait_log("reload refused", after=before)
        self.daemon.wait_log("--hash-secret")
        self.assertNotIn("hunter2", self.daemon.log())
        self.assertEqual(self.client.ask("PING"), "PONG")

    def test_what_needs_a_restart_is_named(self):
        port = self.daemon.address[1]
        before = self.reload('threads = 3;\nttl = "2h";')
        self.wait_ttl("other", 7200)
        line = self.daemon.wait_log(r".*restart.*", after=before).group(0)
        self.assertIn("threads", line)
        self.assertNotIn("ttl", line)
        self.assertEqual(self.client.stat("threads"), 2)
        before = self.reload('memory = "32M";\nttl = "3h"; core_dumps = true;')
        self.wait_ttl("other", 10800)
        line = self.daemon.wait_log(r".*restart.*", after=before).group(0)
        self.assertIn("core_dumps", line)
        self.assertNotIn("memory", line)
        self.daemon.listen = self.daemon.listen.replace("port = 0", f"port = {port + 1}")
        before = self.reload("threads = 2;")
        self.assertIn("listen", self.daemon.wait_log(r".*restart.*", after=before).group(0))
        self.assertEqual(self.connect(self.daemon).ask("PING"), "PONG")

    def test_localhost_stays_where_it_is(self):
        listen = 'listen = ( { address = "localhost"; port = 0; } );\n'
        daemon = self.start(listen=listen)
        places = daemon.addresses()
        self.assertEqual(places[0][0], "127.0.0.1")
        self.assertEqual({port for _, port in places}, {places[0][1]})
        said = daemon.reload("reload(ed| refused)")
        self.assertNotIn("restart", said)
        for place in places:
            self.assertEqual(self.kept(Client(place)).ask("PING"), "PONG")
        daemon.listen = listen.replace("localhost", "127.0.0.1")
        daemon.configure("")
        self.assertIn("until a restart: listen", daemon.reload("reload(ed| refused)"))

    def test_a_file_that_is_gone(self):
        before = len(self.daemon.log())
        os.unlink(self.daemon.conf)
        self.daemon.send_signal(signal.SIGHUP)
        self.daemon.wait_log("No such file", after=before)
        self.client.put("a", "k", "v")
        self.assertLessEqual(self.left("a", "k"), 600)

    def test_max_connections(self):
        self.reload("max_connections = 1;")

        def refused():
            with self.daemon.connect() as more:
                more.send("PING\r\n")
                try:
                    return more.line() == "SERVER_ERROR too many connections"
                except EOFError:
                    return False
        wait_for(refused, what="the new limit")
        self.assertEqual(self.client.ask("PING"), "PONG")

    def test_idle_timeout(self):
        idle = self.connect(self.daemon)
        idle.ask("PING")
        self.reload('idle_timeout = "100ms";')
        self.assertEqual(idle.rest(), b"")
        self.client = self.connect(self.daemon)
        self.assertEqual(self.client.ask("PING"), "PONG")

    def test_policy(self):
        self.client.put("other", "k", "v")
        self.reload('namespaces_policy = "declared"; namespaces = ( { name = "a"; } );')
        wait_for(lambda: self.client.ask("GET other k") not in (("VALUE 1", b"v"),),
                 what="the new policy")
        self.assertRegex(self.client.ask("GET other k"), "^CLIENT_ERROR ")
        self.assertEqual(self.client.ask("GET a k"), "NOT_FOUND")

    def test_a_quota(self):
        self.reload('namespaces = ( { name = "a"; memory = "1M"; } );')
        wait_for(lambda: self.client.stat("quota", "a") == 1 << 20, what="the quota")
        for start in range(0, 4000, 500):
            self.client.pipelined("".join(f"PUT a k{i} 1h\n{'v' * 1000}\n"
                                          for i in range(start, start + 500)), 500)
        self.assertLessEqual(self.client.stat("bytes", "a"), 1 << 20)
        self.assertGreater(self.client.stat("evictions", "a"), 0)

    def test_many_reloads_under_load(self):
        for turn in range(20):
            self.reload(f'ttl = "{turn + 1}h"; namespaces = ( { "{" } name = "n{turn}"; { "}" } );')
            replies = self.client.pipelined("".join(
                f"PUT n{i % 25} k{i} 1h\nv\nGET n{i % 25} k{i}\n" for i in range(200)), 400)
            self.assertEqual(replies[0::2], ["STORED"] * 200)
            self.assertEqual(set(replies[1::2]), {("VALUE 1", b"v")})
        self.wait_ttl("other", 20 * 3600)


class Reachable(Case):
    """A listener that other machines can reach, in a network that has no others."""

    ALONE = ["unshare", "--user", "--map-root-user", "--net"]
    LISTEN = 'listen = ( { address = "0.0.0.0"; port = 0; } );\n'

    def setUp(self):
        try:
            subprocess.run([*self.ALONE, "true"], check=True, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            raise unittest.SkipTest("this process may not have a network of its own") from None

    def reload(self, daemon, listen, conf):
        """What it logs of a reload."""
        daemon.listen = listen
        daemon.configure(conf)
        return daemon.reload("reload(ed| refused)")

    def test_a_reload_leaves_no_listener_open(self):
        """Without its listener a file is good; but the listener stays until a restart."""
        daemon = self.start("insecure = true;", listen=self.LISTEN, launcher=self.ALONE)
        said = self.reload(daemon, daemon.LISTEN, 'ttl = "2h";')
        self.assertIn("reload refused", said)
        self.assertRegex(said, r"other machines can reach 0\.0\.0\.0 until a restart: .*insecure = true")
        said = self.reload(daemon, self.LISTEN, 'ttl = "2h";')
        self.assertIn("reload refused", said)
        self.assertRegex(said, rf"{re.escape(daemon.conf)}:1: listen\.address: ")
        said = self.reload(daemon, daemon.LISTEN, 'insecure = true; ttl = "2h";')
        self.assertIn("reloaded", said)


if __name__ == "__main__":
    unittest.main()
