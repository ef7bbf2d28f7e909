"""scenario_tail.py - records that expire, and how long a request waits meanwhile."""

import time

from servers import Trouble

MIB = 1 << 20
SECOND = 1_000_000_000
COMPARED = ("kvcached", "memcached", "redis")


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def sleep_until(moment):
    time.sleep(max(0, (moment - now()) / SECOND))


# --- records that expire ----------------------------------------------------------


def expiry(bench):
    """When a million dead records are gone, and their memory with them."""
    for kind in bench.turns(*COMPARED):
        with bench.start(kind, memory=1024) as server:
            expire_all(bench, server)
    bench.report.note("expiry: memcached's times are whole seconds, rounded up here; memcached "
                      "and Redis count expired records until they come across them, so their "
                      "count may stay above 0 for long, or for ever.")


def expire_all(bench, server):
    records = bench.size(1_000_000)
    add = bench.adder("expiry", server)
    empty = server.resident()
    watch = bench.tools.watch(server, 10, 60_000)
    fill = bench.tools.fill(server, records, ttl="2000:4000")
    last = int(fill["last_deadline_ns"])
    sleep_until(last + int(5.5 * SECOND))
    samples = watch.stop()
    filled = [s for s in samples if s[0] >= fill["ended_ns"]]
    gone = next((at for at, items, _ in filled if items == 0), None)
    peak = max(bytes for _, _, bytes in samples)
    after = next(bytes for at, _, bytes in filled if at >= last + 5 * SECOND)
    add("none left, after the last one's time", "ms", gone and (gone - last) / 1e6, at_most=500)
    add("resident when empty", "MiB", empty / MIB)
    add("resident at most", "MiB", peak / MIB)
    add("resident 5 s after the last one's time", "MiB", after / MIB)
    add("given back", "%", 100 * (peak - after) / peak, at_least=80)


# --- how long a get waits ---------------------------------------------------------------

# Gets of records that live, on schedule, so that a pause shows in each that fell into it.
PROBE = {"namespace": "probe", "keys": 500, "ratio": "0:1", "mode": "mix", "rate": 5000,
         "pipeline": 1024}

# Another client that asks as fast as it is answered. Its core is the probe's, which goes first.
COMPANY = {"connections": 1, "pipeline": 16, "value_bytes": 100, "mode": "mix"}
READING = {**COMPANY, "keys": 500, "ratio": "0:1", "namespace": "probe"}
STORING = {**COMPANY, "keys": 2_000_000_000, "ratio": "1:0", "ttl": 3_600_000}


def tail(bench):
    """GETs at 5000 a second, alone and while the server is at its other work."""
    for kind in bench.turns(*COMPARED):
        with bench.start(kind, memory=2048, pinned=True) as server:
            while_it_grows(bench, server)
        with bench.start(kind, memory=64, pinned=True) as server:
            while_it_evicts(bench, server)
        with bench.start(kind, memory=1024, pinned=True) as server:
            while_it_purges(bench, server)
    bench.report.note("tail: each quiet time is taken in the same server just before. Beside the "
                      "reading client nothing is stored: what exceeds that is the storing itself.")


def probe(bench, server, seconds=None):
    """p99.9 in microseconds."""
    seconds = seconds or (0.5 if bench.quick else 2)
    return bench.tools.load(server, seconds=round(seconds, 3), **PROBE)["p99.9_us"]


def beside(bench, server, company):
    """The same with another client beside it; and what that one reports."""
    lasting = 1.5 if bench.quick else 3
    with bench.tools.begin(server, yielding=True, seconds=lasting, **company) as other:
        time.sleep(0.5)
        waited = probe(bench, server)
        return waited, other.report(forgiving=True)


def prepare(bench, server):
    bench.tools.fill(server, PROBE["keys"], namespace="probe")
    probe(bench, server, 0.3)
    return probe(bench, server)


def add_ratio(add, way, waited, quiet, at_most=2):
    add(f"GET p99.9, {way}", "us", waited)
    add(f"GET p99.9, {way}: quiet", "", waited / quiet, at_most=at_most)


def while_it_grows(bench, server):
    """Beside one that reads, and one that stores ever more."""
    add = bench.adder("tail", server)
    quiet = prepare(bench, server)
    add("GET p99.9, quiet", "us", quiet)
    waited, _ = beside(bench, server, READING)
    add_ratio(add, "another reads", waited, quiet, at_most=None)
    waited, other = beside(bench, server, STORING)
    add_ratio(add, "the index grows", waited, quiet)
    add("stored meanwhile", "records/s", other["stored"] / other["seconds"])


def while_it_evicts(bench, server):
    """As fast as another client can store, when memory is full."""
    add = bench.adder("tail", server)
    bench.tools.fill(server, bench.size(1_000_000), value_bytes=100)
    quiet = prepare(bench, server)
    waited, other = beside(bench, server, STORING)
    add_ratio(add, "it evicts", waited, quiet)
    add("evicted meanwhile", "records/s", other["stored"] / other["seconds"])
    add("refused meanwhile", "of sets", other["errors"] / other["requests"], at_most=0)


def while_it_purges(bench, server):
    """While a million records expire, within two seconds or as fast as they were stored."""
    records = bench.size(1_000_000)
    quiet = prepare(bench, server)
    trial = bench.tools.fill(server, records // 50, ttl=1)
    patience = int(1000 * (2 + 75 * trial["seconds"]))  # storing them all must have ended
    fill = bench.tools.fill(server, records, ttl=f"{patience}:{patience + 2000}")
    if fill["first_deadline_ns"] < now():
        raise Trouble(f"{server.name}: storing {records} records took too long to compare")
    sleep_until(int(fill["first_deadline_ns"]))
    waited = probe(bench, server, (int(fill["last_deadline_ns"]) - now()) / SECOND + 0.5)
    add_ratio(bench.adder("tail", server), "a million expire", waited, quiet)
