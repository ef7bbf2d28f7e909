"""scenario_abuse.py - how long a well-behaved client waits beside attackers."""

import os
import subprocess
import sys
import tempfile
import time

from scenario_tls import make_certificate
from servers import Trouble

HERE = os.path.dirname(os.path.abspath(__file__))
ATTACKERS = os.path.join(HERE, "..", "..", "tests", "e2e", "lib", "attackers.py")
NAMES = ("silent", "trickle", "deaf", "babble", "endless", "announcer", "globber", "founder",
         "lister", "hauler", "asker", "knocker", "greeter")
# These need nothing but connections: what they do to any server, the floor shows.
ANYWHERE = ("silent", "trickle", "deaf", "announcer", "knocker")

# Gets of records that live, on schedule, so that a pause shows in each that fell into it.
GOOD = {"namespace": "probe", "keys": 500, "ratio": "0:1", "mode": "mix", "rate": 2000,
        "pipeline": 1024}


class Attack:
    """An attacker as a process of its own, on the generators' processor, where the probe goes
    first; a context manager."""

    def __init__(self, bench, server, name):
        pin = ["taskset", "-c", str(bench.tools.cpu)] if bench.pinning else []
        share = "0.1" if bench.quick else "1"
        ports = (server.port, server.twin.port, server.encrypted_port)
        addresses = [f"127.0.0.1:{port}" for port in ports]
        self.name = name
        self.process = subprocess.Popen(
            [*pin, "chrt", "--idle", "0", sys.executable, ATTACKERS, name, share, *addresses],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        if self.process.stdout.readline() != "ready\n":
            self.process.kill()
            raise Trouble(f"attack {self.name}: {self.process.communicate()[1].strip()[-300:]}")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def check(self):
        """It has to have been there all the time, else nothing was measured."""
        if self.process.poll() is not None:
            raise Trouble(f"attack {self.name} ended: {self.process.communicate()[1].strip()[-300:]}")


def abuse(bench):
    """GETs at 2000 a second, alone and beside each kind of attacker."""
    with tempfile.TemporaryDirectory(prefix="bench-certificate-") as directory:
        pair = make_certificate(directory)
        for name in NAMES:
            for kind in bench.turns("kvcached", *(["floor"] if name in ANYWHERE else [])):
                options = {"patient": False} if kind == "floor" else {"encrypted": pair}
                with bench.start(kind, memory=64, pinned=True, namespaces=[("probe", 8)],
                                 **options) as server:
                    beside(bench, server, name)
    bench.report.note("abuse: each quiet time is taken in the same server just before. Attackers "
                      "run on the probe's processor, which goes first.")


def probe(bench, server, seconds):
    return bench.tools.load(server, seconds=seconds, **GOOD)


def beside(bench, server, name):
    add = bench.adder("abuse", server)
    seconds = 0.5 if bench.quick else 3
    bench.tools.fill(server, GOOD["keys"], namespace="probe")
    probe(bench, server, 0.3)
    quiet = probe(bench, server, seconds)["p99_us"]
    with Attack(bench, server, name) as attack:
        time.sleep(0.5)
        waited = probe(bench, server, seconds)
        attack.check()
    add(f"GET p50, {name}", "us", waited["p50_us"])
    add(f"GET p99, {name}", "us", waited["p99_us"])
    add(f"GET p99, {name}: quiet", "", waited["p99_us"] / quiet, at_most=3)
