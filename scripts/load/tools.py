"""tools.py - runs the generator and the probe, and reads what they say.

Both are C programs; what they measure never passes through here while it is
being measured.
"""

import os
import subprocess

from servers import Trouble


class Tools:
    def __init__(self, directory, cpu=None):
        self.directory = directory
        self.cpu = cpu  # where the generator is pinned, when the server is too

    def path(self, name):
        return os.path.join(self.directory, name)

    def command(self, name, server, arguments):
        pin = ["taskset", "-c", str(self.cpu)] if server.cpu is not None else []
        return pin + [self.path(name), *server.flags(), *arguments]

    def load(self, server, **options):
        """One run of the generator: its report as a dictionary of numbers."""
        arguments = []
        for name, value in options.items():
            name = name.replace("_", "-")
            arguments.append(f"--{name}" if value is True else f"--{name}={value}")
        done = subprocess.run(self.command("loadgen", server, arguments), capture_output=True,
                              text=True, timeout=900)
        if done.returncode != 0:
            server.resident()  # explains a server that died
            raise Trouble(f"{server.name}: {done.stderr.strip()}")
        report = dict(line.split("=") for line in done.stdout.split())
        report = {name: float(value) for name, value in report.items()}
        if report["errors"]:
            raise Trouble(f"{server.name}: {report['errors']:.0f} refused: {done.stderr.strip()}")
        return report

    def fill(self, server, keys, **options):
        options = {"connections": 4, "pipeline": 64, **options}
        return self.load(server, mode="fill", keys=keys, **options)

    def read_all(self, server, keys, **options):
        options = {"connections": 4, "pipeline": 64, **options}
        return self.load(server, mode="read", keys=keys, **options)

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
