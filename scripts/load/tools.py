"""tools.py - runs the generator and the probe, and reads what they say.

Both are C programs; what they measure never passes through here while it is
being measured.
"""

import contextlib
import subprocess

from servers import Trouble


class Tools:
    def __init__(self, directory, cpu=None):
        self.directory = directory
        self.cpu = cpu  # where the generators are pinned, when the server is too

    def path(self, name):
        return f"{self.directory}/{name}"

    def command(self, name, server, arguments):
        pin = ["taskset", "-c", str(self.cpu)] if server.cpu is not None else []
        return pin + [self.path(name), *server.flags(), *arguments]

    def begin(self, server, yielding=False, **options):
        """Starts a generator. One that is yielding lets another on its core go first, at once:
        being nice would still hold it up for a slice of time."""
        arguments = []
        for name, value in options.items():
            name = name.replace("_", "-")
            arguments.append(f"--{name}" if value is True else f"--{name}={value}")
        idle = ["chrt", "--idle", "0"] if yielding else []
        return Load(server, idle + self.command("loadgen", server, arguments))

    def load(self, server, **options):
        """One run of the generator: its report as a dictionary of numbers."""
        with self.begin(server, **options) as load:
            return load.report()

    def load_all(self, servers, **options):
        """The same run for several servers at once: their reports, in order."""
        with contextlib.ExitStack() as stack:
            loads = [stack.enter_context(self.begin(s, pid=s.pid, **options)) for s in servers]
            return [load.report() for load in loads]

    def fill(self, server, keys, **options):
        options = {"connections": 4, "pipeline": 64, **options}
        return self.load(server, mode="fill", keys=keys, **options)

    def read_all(self, server, keys, **options):
        options = {"connections": 4, "pipeline": 64, **options}
        return self.load(server, mode="read", keys=keys, **options)

    def greet(self, server, seconds, resume):
        """Handshakes for so long, one after the other: a report as the generator's."""
        pin = ["taskset", "-c", str(self.cpu)] if server.cpu is not None else []
        command = [*pin, self.path("greet"), f"--port={server.port}", f"--pid={server.pid}",
                   f"--seconds={seconds}", *(["--resume"] if resume else [])]
        with Load(server, command) as load:
            return load.report()

    def watch(self, server, every, lasting):
        """Starts polling, in milliseconds; the samples come from Watch.stop()."""
        arguments = ["watch", f"--pid={server.pid}", f"--every={every}", f"--for={lasting}"]
        flags = [f"--port={server.port}", f"--protocol={server.dialect}"]
        return Watch(subprocess.Popen([self.path("probe"), *flags, *arguments],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))

    def items(self, server):
        return self.watch(server, 10, 1).wait()[-1][1]

    def ask(self, server, *requests):
        """A (milliseconds, lines, first line) for each request."""
        flags = [f"--port={server.port}", f"--protocol={server.dialect}"]
        done = subprocess.run([self.path("probe"), *flags, "ask", *requests],
                              capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise Trouble(f"{server.name}: {done.stderr.strip()}")
        answers = [line.split(" ", 2) for line in done.stdout.splitlines()]
        return [(int(lasted) / 1e6, int(lines), first) for lasted, lines, first in answers]


class Load:
    """A generator at work; a context manager, which ends one that nobody waited for."""

    def __init__(self, server, command):
        self.server = server
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def report(self, forgiving=False):
        """Waits for it. Refused requests are trouble, unless it is forgiving."""
        name = self.server.name
        said, complaint = self.process.communicate(timeout=900)
        if self.process.returncode != 0:
            self.server.resident()  # explains a server that died
            raise Trouble(f"{name}: {complaint.strip()}")
        report = dict(line.split("=") for line in said.split())
        report = {name: float(value) for name, value in report.items()}
        if report.get("errors") and not forgiving:
            raise Trouble(f"{name}: {report['errors']:.0f} refused: {complaint.strip()}")
        return report


class Watch:
    """Samples (nanoseconds, records, resident bytes), in order of time."""

    def __init__(self, process):
        self.process = process

    def stop(self):
        self.process.terminate()
        return self.wait()

    def wait(self):
        said, complaint = self.process.communicate(timeout=120)
        samples = [tuple(map(int, line.split())) for line in said.splitlines() if
                   line.count(" ") == 2]
        if not samples:
            raise Trouble(f"probe: {complaint.strip() or 'no samples'}")
        return samples
