"""scenario_cpu.py - the server's own CPU time for a request, and how long requests take."""

from servers import Trouble

COMPARED = ("kvcached", "memcached", "redis")
LASTING = "3600000:7200000"  # milliseconds, an hour or two: nothing expires meanwhile


def lasts(bench):
    return {"seconds": 0.5 if bench.quick else 1.5, "warmup": 0.2 if bench.quick else 0.4}


def closed_loop(bench, server, way, add, at_most=None, **load):
    """One run, and the figures that every one of them gives."""
    done = bench.tools.load(server, pid=server.pid, **lasts(bench), **load)
    if done["misses"]:
        raise Trouble(f"{server.name}: {done['misses']:.0f} misses though everything was stored")
    add(f"{way}: CPU", "us/request", done["cpu_us"], at_most=at_most)
    add(f"{way}: of it user", "us/request", done["user_us"])
    add(f"{way}: of it system", "us/request", done["system_us"])
    add(f"{way}: served", "requests/s", done["rate"])
    add(f"{way}: server busy", "%", 100 * done["cpu_share"])
    for share in ("p50", "p99", "p99.9"):
        add(f"{way}: {share}", "us", done[f"{share}_us"])


# --- small values ------------------------------------------------------------------


def cpu(bench):
    """A hundred bytes, 50 connections, one set to ten gets; one thread, pinned."""
    keys = bench.size(1_000_000)
    shape = {"keys": keys, "value_bytes": 100, "ttl": LASTING}
    load = {"connections": 50, "ratio": "1:10", **shape}
    ways = (("pipeline 32", 32, "", {"memcached": 0.40, "redis": 0.55}),
            ("pipeline 1", 1, "", {"memcached": 0.87, "floor": 1.08}),
            ("Zipf 1.0, pipeline 32", 32, "1.0", None))
    with bench.running(*COMPARED, "floor", twins=True, memory=1024, pinned=True) as servers:
        for server in servers:
            if server.name not in ("floor", "kvcached-mc"):
                bench.tools.fill(server, **shape)
        for _ in range(bench.rounds):
            for way, pipeline, skew, bound in ways:
                for server in servers:
                    skewed = {"zipf": skew} if skew else {}
                    closed_loop(bench, server, way, bench.adder("cpu", server), at_most=bound,
                                pipeline=pipeline, **skewed, **load)
    bench.report.note("cpu: the floor answers every line with the same bytes; where it is busy, "
                      "the generator is faster than any server here.")


# --- larger values -------------------------------------------------------------------


def values(bench):
    """From a KiB to a MiB, without pipeline."""
    for way, size, keys in (("1 KiB", 1 << 10, bench.size(200_000)),
                            ("16 KiB", 16 << 10, bench.size(20_000)),
                            ("1 MiB", 1 << 20, bench.size(300))):
        values_of(bench, way, size, keys)


def values_of(bench, way, size, keys):
    shape = {"keys": keys, "value_bytes": size, "ttl": LASTING}
    with bench.running(*COMPARED, twins=True, memory=1024, pinned=True, large=True) as servers:
        for server in servers:
            if server.name != "kvcached-mc":
                bench.tools.fill(server, **{**shape, "pipeline": 4})
        for _ in range(bench.rounds):
            for server in servers:
                closed_loop(bench, server, way, bench.adder("values", server),
                            at_most={"memcached": 1}, connections=50, ratio="1:10", **shape)


# --- two workers -----------------------------------------------------------------------


def threads(bench):
    """What two workers of one server cost each other.

    Two servers with a worker each, and one server with two workers, are measured in
    turns, each time with two generators of 25 connections: as many threads are busy
    and as many wake up, so what a request costs more is locks and cache lines. (One
    worker beside one generator is no comparison: it never sleeps, and takes its
    requests in larger helpings.)
    """
    for kind in bench.peers("kvcached", "memcached"):
        with (bench.start(kind, memory=1024, threads=1) as one,
              bench.start(kind, memory=1024, threads=1) as other,
              bench.start(kind, memory=1024, threads=2) as both):
            threads_of(bench, (one, other), (both, both))


def cpu_of(reports):
    """Microseconds a request. Each report has all CPU time of the server that it asked."""
    spent = [report["cpu_us"] * report["requests"] for report in reports]
    return sum(spent) / sum(report["requests"] for report in reports)


def threads_of(bench, apart, together):
    shape = {"keys": bench.size(1_000_000), "value_bytes": 100, "ttl": LASTING}
    add = bench.adder("threads", together[0])
    for server in (*apart, together[0]):
        bench.tools.fill(server, **shape)
    for _ in range(bench.rounds):
        for pipeline in (32, 1):
            load = {"connections": 25, "pipeline": pipeline, "ratio": "1:10", **lasts(bench), **shape}
            single = cpu_of(bench.tools.load_all(apart, **load))
            double = cpu_of(bench.tools.load_all(together, **load)) / 2
            add(f"pipeline {pipeline}: CPU, a worker each", "us/request", single)
            add(f"pipeline {pipeline}: CPU, two workers", "us/request", double)
            add(f"pipeline {pipeline}: grows to", "", double / single, at_most=1.1)
