"""scenarios.py - what is measured, a function for each scenario.

Each takes the bench (its servers, its tools, its sizes) and adds figures to the
report. A scenario starts its own servers, and ends them; the servers take
turns, so that what the machine does meanwhile is shared out fairly.
"""

import time

from servers import Trouble

MIB = 1 << 20
SECOND = 1_000_000_000


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def sleep_until(moment):
    time.sleep(max(0, (moment - now()) / SECOND))


# --- records that expire ----------------------------------------------------------


def expiry(bench):
    """When a million dead records are gone, and their memory with them."""
    for kind in bench.turns("kvcached", "memcached", "redis"):
        with bench.start(kind, memory=1024) as server:
            expire_all(bench, server)
        with bench.start(kind, memory=1024) as server:
            for way, options in (("5000/s", {"rate": 5000, "pipeline": 1024}), ("closed loop", {})):
                probe_while_purging(bench, server, way, options)
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


def probe_while_purging(bench, server, way, options):
    """GETs of records that live, before the others expire and while they do."""
    records, living = bench.size(1_000_000), 10_000
    patience, quiet = (3, 1) if bench.quick else (5, 3)
    spread = f"{(patience + quiet) * 1000}:{(patience + quiet + 2) * 1000}"
    probe = {"namespace": "probe", "keys": living, "ratio": "0:1", "mode": "mix", **options}
    add = bench.adder("expiry", server)
    bench.tools.fill(server, living, namespace="probe", ttl=600_000)
    fill = bench.tools.fill(server, records, ttl=spread)
    if fill["first_deadline_ns"] - now() < quiet * SECOND:
        raise Trouble(f"{server.name}: storing {records} records took too long to compare")
    before = bench.tools.load(server, seconds=quiet, **probe)
    sleep_until(int(fill["first_deadline_ns"]))
    lasting = (int(fill["last_deadline_ns"]) - now()) / SECOND + 0.5
    during = bench.tools.load(server, seconds=round(lasting, 3), **probe)
    if before["misses"] or during["misses"]:
        raise Trouble(f"{server.name}: lost living records while others expired")
    add(f"GET p99.9, {way}, before", "us", before["p99.9_us"])
    add(f"GET p99.9, {way}, while purging", "us", during["p99.9_us"])
    add(f"GET p99.9, {way}, ratio", "", during["p99.9_us"] / before["p99.9_us"], at_most=2)


# --- memory ------------------------------------------------------------------------


def overhead(bench):
    """Resident bytes beyond key and value."""
    records, key, value = bench.size(5_000_000), 16, 64
    for kind in bench.turns("kvcached", "memcached", "redis", rounds=1):
        with bench.start(kind, memory=2048) as server:
            add = bench.adder("overhead", server)
            empty = server.resident()
            shape = {"key_bytes": key, "value_bytes": value,
                     "namespace": "bench" if kind == "kvcached" else ""}
            bench.tools.fill(server, records, ttl="3600000:7200000", **shape)
            time.sleep(1)
            full = server.resident()
            held = bench.tools.items(server)
            if held != records:
                raise Trouble(f"{server.name}: holds {held} of {records} records")
            bench.tools.load(server, keys=records, ratio="0:1", pipeline=64,
                             requests=200_000, **shape)
            add("beyond key and value", "bytes/record", (full - empty) / records - key - value,
                at_most=24)
            add("all that is resident", "bytes/record", full / records)


# --- namespaces --------------------------------------------------------------------


def namespaces(bench):
    """FLUSH and LIST follow the namespace and not the cache."""
    million, many, few = bench.size(1_000_000), bench.size(5_000_000), 100
    shape = {"value_bytes": 16, "ttl": 3_600_000}
    with bench.start("kvcached", memory=2048) as server:
        add = bench.adder("namespaces", server)
        bench.tools.fill(server, many, namespace="large", **shape)
        bench.tools.fill(server, few, namespace="small", **shape)
        for lasted, lines, _ in bench.tools.ask(server, *["LIST small"] * 20):
            if lines != few + 1:
                raise Trouble(f"LIST gave {lines - 1} of {few} records")
            add("LIST of 100 beside 5 million", "ms", lasted, at_most=10)
        for _ in range(bench.rounds):
            bench.tools.fill(server, million, namespace="doomed", **shape)
            [(lasted, _, said)] = bench.tools.ask(server, "FLUSH doomed")
            left = bench.tools.load(server, namespace="doomed", keys=million, ratio="0:1",
                                    requests=10_000, pipeline=32)
            if said != f"FLUSHED {million}" or left["hits"]:
                raise Trouble(f"FLUSH said {said}, and {left['hits']:.0f} were found after it")
            add("FLUSH of a million", "ms", lasted, at_most=1)
        if bench.tools.items(server) != many + few:
            raise Trouble("FLUSH took records of another namespace")
    peers_of_namespaces(bench, million, many, few, shape)


def peers_of_namespaces(bench, million, many, few, shape):
    for kind in bench.peers("memcached", "redis"):
        with bench.start(kind, memory=2048) as server:
            add = bench.adder("namespaces", server)
            if kind == "redis":
                bench.tools.fill(server, many, namespace="large", **shape)
                bench.tools.fill(server, few, namespace="small", **shape)
                for lasted, _, _ in bench.tools.ask(server, *["KEYS small:*"] * 3):
                    add("LIST of 100 beside 5 million", "ms", lasted)
                bench.tools.ask(server, "FLUSHALL")
            for _ in range(bench.rounds):
                bench.tools.fill(server, million, **shape)
                flush = "flush_all" if kind == "memcached" else "FLUSHALL"
                add("FLUSH of a million", "ms", bench.tools.ask(server, flush)[0][0])
    bench.report.note("namespaces: the peers have none. There LIST is KEYS small:* (memcached "
                      "has no such thing), and FLUSH empties the whole server.")


# --- memory pressure -----------------------------------------------------------------


def pressure(bench):
    """What a namespace that asks for too much takes from another."""
    calm, greedy = bench.size(300_000), bench.size(2_000_000)
    quota, memory = (4, 16) if bench.quick else (16, 64)  # MiB
    shape = {"value_bytes": 64, "ttl": 3_600_000}
    for kind in bench.peers("kvcached", "memcached", "redis"):
        groups = (("calm", 0), ("greedy", quota))
        with bench.start(kind, memory=memory, namespaces=groups) as server:
            add = bench.adder("pressure", server)
            bench.tools.fill(server, calm, namespace="calm", **shape)
            bench.tools.fill(server, greedy, namespace="greedy", **shape)
            kept = bench.tools.read_all(server, calm, namespace="calm", value_bytes=64)
            took = bench.tools.read_all(server, greedy, namespace="greedy", value_bytes=64)
            add("lost beside a namespace that overran its quota", "records", kept["misses"],
                at_most=0)
            add("kept in the one that did", "records", took["hits"])
    many_namespaces(bench)


def many_namespaces(bench):
    spaces = bench.size(10_000)
    with bench.start("kvcached", memory=64) as server:
        add = bench.adder("pressure", server)
        shape = {"namespace": "n", "namespaces": spaces, "value_bytes": 32}
        bench.tools.fill(server, spaces * 10, ttl=3_600_000, **shape)
        kept = bench.tools.read_all(server, spaces * 10, **shape)
        add("lost of ten each in 10,000 namespaces in 64M", "records", kept["misses"], at_most=0)
        add("resident with them", "MiB", server.resident() / MIB)


# --- CPU -----------------------------------------------------------------------------


def cpu(bench):
    """The server's own CPU time for a request, one thread, pinned."""
    keys, seconds = bench.size(1_000_000), 1 if bench.quick else 3
    mix = {"keys": keys, "value_bytes": 100, "ratio": "1:10", "ttl": "3600000:7200000"}
    kinds = bench.peers("kvcached", "memcached", "redis", "floor")
    running = [bench.start(kind, memory=1024, pinned=True) for kind in kinds]
    try:
        for server in running:
            server.__enter__()
            if server.name != "floor":
                bench.tools.fill(server, keys, ttl=mix["ttl"], value_bytes=100)
        for _ in range(bench.rounds):
            for pipeline in (32, 1):
                for server in running:
                    one_mixture(bench, server, pipeline, seconds, mix)
    finally:
        for server in running:
            if hasattr(server, "process"):
                server.__exit__()


def one_mixture(bench, server, pipeline, seconds, mix):
    add = bench.adder("cpu", server)
    bounds = {32: {"memcached": 0.40, "redis": 0.55}, 1: {"memcached": 0.87, "floor": 1.08}}
    done = bench.tools.load(server, connections=50, pipeline=pipeline, seconds=seconds,
                            warmup=0.5, pid=server.pid, **mix)
    if done["misses"]:
        raise Trouble(f"{server.name}: {done['misses']:.0f} misses though everything was stored")
    way = f"pipeline {pipeline}"
    add(f"{way}: CPU", "us/request", done["cpu_us"], at_most=bounds[pipeline])
    add(f"{way}: of it user", "us/request", done["user_us"])
    add(f"{way}: served", "requests/s", done["rate"])
    add(f"{way}: server busy", "%", 100 * done["cpu_share"])
    for share in ("p50", "p99", "p99.9"):
        add(f"{way}: {share}", "us", done[f"{share}_us"])


ALL = {"expiry": expiry, "overhead": overhead, "namespaces": namespaces, "pressure": pressure,
       "cpu": cpu}
