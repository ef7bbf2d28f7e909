"""scenario_observed.py - what it costs the server that it is looked at."""

import contextlib
import threading
import urllib.request

from scenario_cpu import LASTING, cpu_of, lasts
from servers import Trouble

SPACES = 1000


def observed(bench):
    """Turns that are timed, and a scrape every second, each beside a run without."""
    if not bench.peers("kvcached"):
        return
    timed(bench)
    scraped(bench)


def shape_of(bench):
    return {"keys": bench.size(200_000), "value_bytes": 100, "ttl": LASTING}


def timed(bench):
    """metrics.latency: two servers that differ in nothing else take turns."""
    shape = shape_of(bench)
    with (bench.start("kvcached", memory=256, pinned=True) as plain,
          bench.start("kvcached", memory=256, pinned=True,
                      more="metrics = { latency = true; };") as both):
        add = bench.adder("observed", both)
        for server in (plain, both):
            bench.tools.fill(server, **shape)
        for pipeline in (32, 1):
            spent = {plain: [], both: []}
            for _ in range(4 * bench.rounds):
                for server, reports in spent.items():
                    reports.append(bench.tools.load(server, pid=server.pid, connections=50,
                                                    ratio="1:10", pipeline=pipeline,
                                                    **lasts(bench), **shape))
            add(f"pipeline {pipeline}: CPU, turns are not timed", "us/request",
                cpu_of(spent[plain]))
            add(f"pipeline {pipeline}: CPU, turns are timed", "us/request", cpu_of(spent[both]))
            add(f"pipeline {pipeline}: grows to", "", cpu_of(spent[both]) / cpu_of(spent[plain]),
                at_most=1.01)


@contextlib.contextmanager
def scraping(server, path):
    """Asks for /metrics once a second, from the start on."""
    ended = threading.Event()
    troubles = []

    def work():
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}{path}",
                                            timeout=10) as answer:
                    answer.read()
            except OSError as error:
                troubles.append(error)
            if ended.wait(1):
                return
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if troubles:
        raise Trouble(f"a scrape failed: {troubles[0]}")


def scraped(bench):
    """A server with a thousand namespaces, with series for each of them."""
    shape = {"namespace": "n", "namespaces": SPACES, **shape_of(bench)}
    load = {"connections": 50, "ratio": "1:10", "seconds": 1 if bench.quick else 4, **shape}
    with bench.start("kvcached", memory=256, pinned=True, http=True) as server:
        add = bench.adder("observed", server)
        bench.tools.fill(server, **shape)
        without, beside = [], []
        for _ in range(bench.rounds):
            without.append(bench.tools.load(server, pid=server.pid, **load))
            with scraping(server, "/metrics?namespaces=all"):
                beside.append(bench.tools.load(server, pid=server.pid, **load))
        for way, reports in (("without", without), ("a scrape a second", beside)):
            add(f"{SPACES} namespaces, {way}: CPU", "us/request", cpu_of(reports))
            for report in reports:
                add(f"{SPACES} namespaces, {way}: p99", "us", report["p99_us"])
        add(f"{SPACES} namespaces, a scrape a second: CPU grows to", "",
            cpu_of(beside) / cpu_of(without), at_most=1.01)
