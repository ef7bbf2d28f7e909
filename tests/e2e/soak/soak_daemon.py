"""The daemon of the soak: with all doors that it can have, reloaded, watched and compared.

What it can do is asked of itself, by `kvcached -t` with a configuration that has it: doors with
TLS, and users.
"""

import os
import random
import re
import subprocess

from harness import DAEMON, SANITIZER, Daemon, seconds, wait_for
from soak_model import LEAST_LIMIT, LIMIT, SLACK, Journal, Model, Step, Space, Wrong, clock, length
from soak_wire import Door, Porch

MIB = 1 << 20
MEMORY = 256 * MIB
MEMORIES = (128 * MIB, MEMORY, 512 * MIB)  # of which each has room for all
GROWTH = (32 if SANITIZER else 8) * MIB  # of resident memory beside records, after the warm-up
RECORD_MOST = 48  # bytes of a record beside key and value
CACHE = 'protocol = "memcache"; namespace = "cache"; prefix = ":";'

SHARED = [Space("cache"), Space("short", ttl=2.0), Space("capped", max_ttl=4.0),
          Space("quota"), Space("timed", require_ttl=True), Space("varied"),
          Space("free", declared=False)]
OPTIONS = {"short": "ttl = \"2s\";", "capped": "max_ttl = \"4s\";", "quota": "memory = \"32M\";",
           "timed": "require_ttl = true;"}
MISTAKES = ("listen = (;", "what = 1;", "ttl = \"tomorrow\";", "max_value = \"1T\";",
            "namespaces = ( { name = \"a\"; ttl = \"2h\"; max_ttl = \"1h\"; } );",
            "namespaces = ( { name = \"a\"; memory = \"1G\"; } );")


def spaces_of(number):
    """The namespaces of one client; the last two are nobody else's."""
    return [*SHARED, Space(f"own{number}"), Space(f"wild{number}", declared=False)]


class Listening(Daemon):
    """A daemon whose doors speak anything."""

    LISTENING = re.compile(rb"listening on (\S+) \(([^)\n]*)\)")


def speaks_tls(listen):
    """Whether it was built with TLS: it knows the options in any case."""
    try:
        probe = Listening(listen=listen)
    except AssertionError:
        return False
    try:
        return b"with TLS" in probe.log_bytes()
    finally:
        probe.stop()
        probe.clean()


class Soaked(Listening):
    """`clients`: how many there will be. `arena`: a directory, or None."""

    def __init__(self, clients, arena):
        self.clients = clients
        self.memory = MEMORY
        self.arena = arena and os.path.join(arena, "arena")
        self.users = self.guests = ""
        self.basic = ""
        super().__init__(listen="", run=False, environment=self.calm())
        self.listen = "".join(self.listeners())
        self.varied, self.max_value = "1h", LIMIT
        self.mend()

    @staticmethod
    def calm():
        """A sanitizer keeps what was freed for a while; not so much that it looks like a leak."""
        before = os.environ.get("ASAN_OPTIONS")
        return {"ASAN_OPTIONS": (before + ":" if before else "") + "quarantine_size_mb=8"}

    # --- what it can do ---

    def accepts(self, text):
        """Whether it takes a configuration with this in it."""
        path = self.path("probe.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([DAEMON, "-t", "-c", path], capture_output=True, check=False,
                              timeout=seconds(10)).returncode == 0

    def listeners(self):
        self.groups = [  # group, protocol, transport, namespace, prefix
            ('{ address = "127.0.0.1"; port = 0; }', "native", "tcp", None, None),
            ('{ path = "@/native"; }', "native", "unix", None, None),
            ('{ address = "127.0.0.1"; port = 0; %s }' % CACHE, "memcache", "tcp", "cache", ":"),
            ('{ path = "@/memcache"; %s }' % CACHE, "memcache", "unix", "cache", ":"),
            ('{ port = 0; protocol = "memcache"; namespace = "own0"; }',
             "memcache", "tcp", "own0", None)]
        self.authority = self.make_certificate()
        if self.authority:
            tls = f'address = "127.0.0.1"; port = 0; tls_certificate = "{self.authority}"; ' \
                  f'tls_key = "{self.path("key.pem")}";'
            self.groups += [("{ %s }" % tls, "native", "tls", None, None),
                            ("{ %s %s }" % (tls, CACHE), "memcache", "tls", "cache", ":")]
        if self.accepts("core_dumps = true;"):
            self.basic = "core_dumps = true;\n"  # else only root may look at what it has open
        self.secrets = self.make_users()
        text = "listen = ( " + ",\n".join(group[0] for group in self.groups) + " );\n"
        return text.replace("@", self.folder)

    def make_certificate(self):
        """The path of a certificate that vouches for itself, or None."""
        certificate, key = self.path("certificate.pem"), self.path("key.pem")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=kvcached",
                   "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=seconds(30))
        except FileNotFoundError:
            return None
        if done.returncode != 0:
            raise Wrong(f"{' '.join(command)}: {done.stderr.decode()}")
        listen = f'listen = ( {{ port = 0; tls_certificate = "{certificate}"; tls_key = "{key}"; }} );'
        return certificate if self.accepts(listen) and speaks_tls(listen) else None

    def make_users(self):
        """A user who may do everything, with two secrets for one who is changed now and then."""
        names = ("open-sesame", "first", "second")
        hashes = []
        for secret in names:
            done = subprocess.run([DAEMON, "--hash-secret"], input=secret.encode() + b"\n",
                                  capture_output=True, check=False, timeout=seconds(10))
            if done.returncode != 0:
                return None
            hashes.append(done.stdout.decode().strip())
        everything = 'read = "*"; write = "*"; admin = "*";'
        users = 'users = ( { name = "soak"; secret = "%s"; %s },\n  %s );\n'
        guests = ['{ name = "guest"; secret = "%s"; read = "free"; }' % hashes[1],
                  '{ name = "guest"; secret = "%s"; write = "free"; }' % hashes[2]]
        if not self.accepts(users % (hashes[0], everything, guests[0])):
            return None
        self.users = users % (hashes[0], everything, "%s")
        self.guests = guests
        return names

    def user(self):
        return ("soak", self.secrets[0]) if self.secrets else None

    def doors(self, number):
        """Those that a client may use: the one without a prefix leads to the first one's only."""
        return [Door(protocol, transport, address, self.user(), self.authority, namespace, prefix)
                for (_, protocol, transport, namespace, prefix), address
                in zip(self.groups, self.addresses()) if namespace != "own0" or number == 0]

    def start(self, ready=True):
        """Its log begins anew with every start, and so do the addresses in it."""
        if os.path.exists(self.log_path):
            os.unlink(self.log_path)
        super().start(ready)
        self.log_seen = len(self.log())
        self.porch = Porch(self.pid, self.path("lock"))

    def wait_listening(self, count=1):
        super().wait_listening(len(self.groups) * count)

    def enter(self):
        return self.porch.enter(self.doors(1)[0], timeout=30.0)[0]

    # --- reloads ---

    def conf_of(self, varied, max_value, idle, guest):
        groups = [f'{{ name = "{space.name}"; {OPTIONS.get(space.name, "")} }}'
                  for space in SHARED if space.declared and space.name != "varied"]
        groups += [f'{{ name = "own{number}"; }}' for number in range(self.clients)]
        groups.append(f'{{ name = "varied"; ttl = "{varied}"; }}')
        return (f'memory = "{self.memory // MIB}M";\nmax_value = {max_value};\nidle_timeout = "{idle}";\n'
                f'log = {{ to = "stderr"; level = "notice"; }};\n{self.basic}'
                + (f'arena = {{ file = "{self.arena}"; }};\n' if self.arena else "")
                + (self.users % self.guests[guest] if self.users else "")
                + "namespaces = ( " + ",\n  ".join(groups) + " );\n")

    def mend(self):
        """The file is a good one: the last reload may have been of one that was refused."""
        self.configure(self.conf_of(self.varied, self.max_value, "never", 0))

    def read_on(self, pattern):
        """Waits for the log to say it, behind what it had said before."""
        def found():
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                log.seek(self.log_seen)
                return re.search(pattern, log.read())
        self.log_seen += wait_for(found, 10, f"/{pattern}/ in the log").end()

    def reload_by_chance(self, chance, control):
        """Another configuration, or one that is refused; what holds then is looked at."""
        self.log_seen = os.path.getsize(self.log_path)
        if chance.random() < 0.15:
            before = self.varied
            self.write_conf(self.listen + chance.choice(MISTAKES) + "\n")
            self.hang_up("reload refused")
        else:
            before = self.varied = chance.choice(("1h", "2h", "90s"))
            guest = chance.randrange(2)
            self.max_value = chance.choice((LIMIT, LEAST_LIMIT))
            idle = chance.choice(("never", "1h"))
            self.memory = chance.choice(MEMORIES)
            self.configure(self.conf_of(before, self.max_value, idle, guest))
            self.hang_up("reloaded the configuration")
            if self.users and chance.random() < 0.2:
                self.come_as_guest(guest)
        wanted = {"1h": "3600.000", "2h": "7200.000", "90s": "90.000"}[before]
        wait_for(lambda: control.stats("varied")["ttl"] == wanted, 5, f"a ttl of {wanted} s")
        if control.stat("limit_maxbytes") != self.memory:
            raise Wrong(f"the memory is not {self.memory} bytes")

    def hang_up(self, said):
        os.kill(self.pid, 1)
        self.read_on(said)

    def come_as_guest(self, guest):
        """By the secret that holds now, with the rights that hold now."""
        door = self.doors(1)[0]._replace(user=("guest", self.secrets[1 + guest]))
        with self.porch.enter(door, timeout=30.0)[0] as line:
            answers = line.ask("GET free none"), line.ask("DEL free none")
            for right, answer in enumerate(answers):
                allowed = right == guest
                if answer.startswith("CLIENT_ERROR not allowed") == allowed:
                    raise Wrong(f"a guest who may {('read', 'write')[guest]} was told {answers}")

    # --- what it holds ---

    def known(self, journals):
        """The union of what all clients know; `journals`: for each its spaces, keys and file."""
        everything = Model([], [])
        for spaces, keys, path in journals:
            model = Model(spaces, keys)
            if Journal(path, model).asked:
                raise Wrong(f"{path}: a client did not come to its end")
            everything.spaces.update(model.spaces)
            everything.states.update(model.states)
        return everything

    def compare(self, control, model):
        """Every record of every namespace, by name and value, and no others."""
        names = {line.split(" ")[1] for line in control.ask_all("NAMESPACES")}
        found = 0
        for ns in sorted(names | set(model.spaces)):
            sent = clock()
            records = control.ask_all(f"ALL {ns}")
            keys = [(ns, head.split(" ")[1]) for head, _ in records]
            model.listed(keys, set(model.of(ns)), sent, clock(), f"ALL {ns} at the end")
            for key, (_, data) in zip(keys, records):
                model.see_value(key, data)
            found += len(set(keys))
        return found

    def compare_figures(self, control, model):
        """Records and bytes in all, and of each namespace."""
        def agree():
            sent = clock()
            stats, lines = control.stats(), control.ask_all("NAMESPACES")
            problem[0] = self.disagreement(model, stats, lines, sent, clock())
            return not problem[0]
        problem = [None]
        try:
            wait_for(agree, 10, "figures to agree")
        except AssertionError:
            raise Wrong(problem[0]) from None

    @staticmethod
    def disagreement(model, stats, lines, sent, now):
        figures = {line.split(" ")[1]: tuple(map(int, line.split(" ")[2:])) for line in lines}
        for place, kind in enumerate(("curr_items", "bytes")):
            if int(stats[kind]) != sum(figure[place] for figure in figures.values()):
                return f"{kind} is {stats[kind]}, and by namespace {figures}"
        for ns in set(model.spaces) | set(figures):
            sizes = {key: [len(key[1]) + length(state.value) for state in model.states[key]
                           if state.may_live(sent)] for key in model.of(ns)}
            sure = [sizes[key] for key in sizes if model.must_live(key, now)]
            most = [max(size) for size in sizes.values() if size]
            items, held = figures.get(ns, (0, 0))
            if not len(sure) <= items <= len(most):
                return f"{ns}: {items} records instead of {len(sure)} to {len(most)}"
            if not sum(map(min, sure)) <= held <= sum(most) + RECORD_MOST * len(most):
                return f"{ns}: {held} bytes instead of {sum(map(min, sure))} to {sum(most)} and heads"
        return None

    def check_log(self):
        """Nobody meant the daemon to warn of anything but configurations."""
        for line in self.log().splitlines():
            if re.search(r" (error|warning): ", line) and not re.search(
                    re.escape(self.conf) + "|reload refused|running as root", line):
                raise Wrong(f"the log says: {line}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
