"""servers.py - starts and stops the servers that are compared.

Each runs on loopback at a port that the kernel had free, in a directory of its
own that goes away with it, without persistence. Only what was started here is
ended, by its process id; a memcached or Redis that runs as a service is not
touched.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time


class Trouble(Exception):
    """A run that could not be made; its text is for the person."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def resident(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


class Server:
    """One running server; a context manager. `name` is its column's heading."""

    dialect = "native"
    space = ""  # the namespace of its keys, where nobody names one
    connections = 12000  # at most
    lasts_in = None  # the directory for what outlives the process; None: any on a disk

    def __init__(self, path, memory=64, threads=1, cpu=None, namespaces=(), large=False,
                 lasting=False, tls=None):
        self.path = path
        self.memory = memory  # MiB
        self.threads = threads
        self.cpu = cpu  # the one to be pinned to, or None
        self.namespaces = namespaces  # (name, quota in MiB or 0), where there are any
        self.large = large  # whether values may be of a MiB
        self.lasting = lasting  # whether records shall outlive the process
        self.tls = tls  # the files of a certificate and its key, or None

    def arguments(self):
        raise NotImplementedError

    def flags(self):
        """How the generator and the probe find it."""
        return [f"--port={self.port}", f"--protocol={self.dialect}",
                f"--namespace={self.space}"] + (["--tls"] if self.tls else [])

    def __enter__(self):
        for _ in range(3):  # somebody may have taken the port in between
            self.port = free_port()
            self.directory = tempfile.mkdtemp(prefix=f"bench-{self.name}-",
                                              dir=self.lasts_in if self.lasting else None)
            if self.launch():
                return self
            said = self.said()
            self.__exit__()
        raise Trouble(f"{self.name} did not start ({self.path}): {said}")

    def launch(self):
        pin = ["taskset", "-c", str(self.cpu)] if self.cpu is not None else []
        self.log = os.path.join(self.directory, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(pin + self.arguments(), cwd=self.directory,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self.process.pid
        limit = time.monotonic() + 10
        while time.monotonic() < limit and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            except OSError:
                time.sleep(0.02)
        return False

    def said(self):
        with open(self.log, errors="replace") as log:
            return log.read()[-600:].strip() or "it said nothing"

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def resident(self):
        if self.process.poll() is not None:
            raise Trouble(f"{self.name} died: {self.said()}")
        return resident(self.pid)


PAIR = 'tls_certificate = "%s"; tls_key = "%s"; '


class Kvcached(Server):
    """It listens twice: `twin` is its listener for memcached's clients, with the same records.
    With `encrypted`, a certificate and its key, there is a third, for TLS alone; with `http` one
    for HTTP. `more` is further configuration."""

    name = "kvcached"
    space = "bench"
    lasts_in = "/dev/shm"

    def __init__(self, *arguments, encrypted=None, http=False, more="", **options):
        super().__init__(*arguments, **options)
        self.twin = Twin(self)
        self.encrypted = encrypted
        self.encrypted_port = None
        self.http_port = free_port() if http else None
        self.more = more

    def arguments(self):
        self.twin.port = free_port()
        groups = ",\n".join(
            f'    {{ name = "{name}";' + (f' memory = "{quota}M";' if quota else "") + " }"
            for name, quota in self.namespaces)
        path = os.path.join(self.directory, "kvcached.conf")
        pair = PAIR % self.tls if self.tls else ""
        third = ""
        if self.encrypted:
            self.encrypted_port = free_port()
            third = (f',\n    {{ address = "127.0.0.1"; port = {self.encrypted_port}; '
                     f'{PAIR % self.encrypted}}}')
        if self.http_port:
            third += (f',\n    {{ address = "127.0.0.1"; port = {self.http_port}; '
                      'protocol = "http"; }')
        with open(path, "w") as conf:
            conf.write(f'listen = ( {{ address = "127.0.0.1"; port = {self.port}; {pair}}},\n'
                       f'    {{ address = "127.0.0.1"; port = {self.twin.port}; {pair}\n'
                       f'      protocol = "memcache"; namespace = "{self.space}"; }}{third} );\n'
                       f'memory = "{self.memory}M";\nthreads = {self.threads};\n'
                       f'max_connections = {self.connections};\n{self.more}\n')
            if self.lasting:
                conf.write(f'arena = {{ file = "{self.directory}/arena"; }};\n')
            if groups:
                conf.write(f"namespaces = (\n{groups}\n);\n")
        return [self.path, "-c", path]


class Twin:
    """The other listener of a kvcached, as if it were a server of its own."""

    name = "kvcached-mc"
    dialect = "memcache"
    space = ""

    def __init__(self, owner):
        self.owner = owner
        self.port = None

    def __getattr__(self, name):
        return getattr(self.owner, name)

    def flags(self):
        return Server.flags(self)


class Memcached(Server):
    name = "memcached"
    dialect = "memcache"
    lasts_in = "/dev/shm"

    def arguments(self):
        who = ["-u", "root"] if os.geteuid() == 0 else []
        large = ["-I", "2m"] if self.large else []
        lasting = ["-e", os.path.join(self.directory, "arena")] if self.lasting else []
        tls = ["-Z", "-o", "ssl_chain_cert=%s,ssl_key=%s" % self.tls] if self.tls else []
        return [self.path, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m",
                str(self.memory), "-t", str(self.threads), "-c", str(self.connections), *large,
                *lasting, *tls, *who]


class Redis(Server):
    name = "redis"
    dialect = "redis"

    def arguments(self):
        port = ["--port", str(self.port)]
        if self.tls:
            port = ["--port", "0", "--tls-port", str(self.port), "--tls-cert-file", self.tls[0],
                    "--tls-key-file", self.tls[1], "--tls-auth-clients", "no"]
        return [self.path, "--bind", "127.0.0.1", *port, "--save", "",
                "--appendonly", "yes" if self.lasting else "no", "--appendfsync", "everysec",
                "--dir", self.directory, "--maxclients", str(self.connections),
                "--maxmemory", f"{self.memory}mb", "--maxmemory-policy", "allkeys-lru"]


class Valkey(Redis):
    """It takes the options of Redis, of which it is a fork."""

    name = "valkey"


class Floor(Server):
    """Answers every line with a fixed reply: what libevent and the kernel cost. Where it is
    `patient` it waits for whoever does not read, else it leaves him alone."""

    name = "floor"
    space = "bench"
    value_bytes = 100
    encrypted_port = 0

    def __init__(self, *arguments, patient=True, **options):
        super().__init__(*arguments, **options)
        self.send_bytes = [] if patient else ["16384"]
        self.twin = self

    def arguments(self):
        return [self.path, str(self.port), str(self.value_bytes), *self.send_bytes]

    def flags(self):
        return super().flags() + ["--trust"]
