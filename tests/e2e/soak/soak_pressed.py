"""The second daemon of the soak: small in every way, so that all of its limits are reached.

Memory is full all the time and max_connections is reached. Secrets change, and the log stands
still for stretches: it is a pipe, and what reads it is an actor.
"""

import fcntl
import json
import os
import subprocess

from harness import DAEMON, SANITIZER, seconds
from soak_actor import Actor, Place, login
from soak_daemon import Listening, Soaked
from soak_log import LogReader

MIB = 1 << 20
MEMORY = 64 * MIB
CONNECTIONS = 128
GROWTH = (48 if SANITIZER else 12) * MIB  # of resident memory beside records, after the warm-up
SITES = 4  # addresses with a user each whose secret changes, in turn
PIPE = 16384  # bytes that the log's pipe takes
STEADY = ("steady", "never-changed")  # a user that may do everything, always


def hashed(secret):
    done = subprocess.run([DAEMON, "--hash-secret"], input=secret.encode() + b"\n",
                          capture_output=True, check=True, timeout=seconds(10))
    return done.stdout.decode().strip()


class Pressed(Listening):
    SITES = SITES
    CONNECTIONS = CONNECTIONS
    MEMORY = MEMORY
    steady_user = STEADY
    hashed = staticmethod(hashed)

    def __init__(self):
        self.steady = hashed(STEADY[1])
        self.hashes = [hashed(self.secret_of(site, 0)) for site in range(SITES)]
        self.log_reader = None
        listen = ('listen = ( { address = "127.0.0.1"; port = 0; },\n'
                  '  { address = "127.0.0.1"; port = 0; protocol = "memcache"; } );\n')
        super().__init__(listen=listen, run=False, environment=Soaked.calm())
        self.configure(self.conf_of(self.hashes))

    @staticmethod
    def secret_of(site, generation):
        return f"secret-{site}-{generation}"

    def conf_of(self, secrets, ttl="1h", level="debug"):
        """`secrets`: the hashes of the sites' users, as they are now."""
        users = [f'{{ name = "{STEADY[0]}"; secret = "{self.steady}"; read = "*"; write = "*";'
                 ' admin = "*"; }']
        users += [f'{{ name = "site{site}"; secret = "{secret}"; read = "*"; write = "*"; }}'
                  for site, secret in enumerate(secrets)]
        return (f'memory = "{MEMORY // MIB}M";\nmax_connections = {CONNECTIONS};\n'
                f'buffers = "8M";\nlog = {{ to = "stderr"; level = "{level}"; }};\n'
                f'namespaces = ( {{ name = "varied"; ttl = "{ttl}"; }} );\n'
                "users = ( " + ",\n  ".join(users) + " );\n")

    def begin(self, told, load, seed):
        """Its log goes to a pipe, and an actor reads it from the start."""
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE)
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=writer,
                                        stderr=writer, cwd="/", env=self.environment)
        os.close(writer)
        self.log_end = reader
        self.log_reader = Place(LogReader, self, told, load, seed)
        os.close(reader)
        self.wait_listening()
        self.told_addresses = self.addresses()
        with open(self.path("addresses"), "w", encoding="utf-8") as file:
            json.dump(self.told_addresses, file)

    def wait_listening(self, count=1):
        super().wait_listening(2)

    @property
    def address(self):
        """Its log does not tell for ever."""
        return self.told_addresses[0]

    def log_bytes(self):
        before = b""
        if os.path.exists(self.log_path + ".before"):
            with open(self.log_path + ".before", "rb") as file:
                before = file.read()
        return before + super().log_bytes()

    def control(self):
        """A connection of the steady user."""
        return login(Actor(self, None, 1, 0), STEADY)
