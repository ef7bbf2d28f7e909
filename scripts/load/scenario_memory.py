"""scenario_memory.py - what records and connections take, and what memory is good for."""

import time

from servers import Trouble

MIB = 1 << 20
COMPARED = ("kvcached", "memcached", "redis")


# --- a record ------------------------------------------------------------------------


def overhead(bench):
    """Resident bytes beyond key and value. No time is measured: all run at once."""
    for way, ttl, bound in (("with ttl", "3600000:7200000", 24), ("without ttl", "0", 16)):
        with bench.running(*COMPARED, memory=2048) as servers:
            overhead_of(bench, servers, way, ttl, bound)
    bench.report.note("overhead: one round.")


def overhead_of(bench, servers, way, ttl, bound):
    records, key, value = bench.size(5_000_000), 16, 64
    shape = {"keys": records, "key_bytes": key, "value_bytes": value}
    empty = [server.resident() for server in servers]
    bench.tools.load_all(servers, mode="fill", connections=4, pipeline=64, ttl=ttl, **shape)
    time.sleep(1)
    for server, before in zip(servers, empty):
        add = bench.adder("overhead", server)
        full, held = server.resident(), bench.tools.items(server)
        if held != records:
            raise Trouble(f"{server.name}: holds {held} of {records} records")
        bench.tools.load(server, ratio="0:1", pipeline=64, requests=200_000, **shape)
        add(f"{way}: beyond key and value", "bytes/record", (full - before) / records - key - value,
            at_most=bound)
        add(f"{way}: all that is resident", "bytes/record", full / records)


# --- a connection --------------------------------------------------------------------


def connections(bench):
    """Resident bytes of ten thousand connections, each way in a server of its own."""
    held = bench.size(10_000)
    load = {"connections": held, "seconds": 3}
    ways = (("idle", {"mode": "idle", **load}, 10),
            ("asking once a second", {"rate": held, "keys": 1000, "ratio": "1:10", **load}, None))
    for kind in bench.peers(*COMPARED):
        for listener in range(2 if kind == "kvcached" else 1):
            for way, load, bound in ways:
                with bench.running(kind, twins=True, memory=1024) as servers:
                    taken = taken_by(bench, servers[listener], load)
                    add = bench.adder("connections", servers[listener])
                    add(f"10,000 {way}", "MiB", taken / MIB, at_most=bound)
    bench.report.note("connections: one round.")


def taken_by(bench, server, load):
    """What is resident more while the connections are held than before."""
    bench.tools.fill(server, 1000)
    before = server.resident()
    with bench.tools.begin(server, **load) as holding:
        time.sleep(load["seconds"] - 0.5)
        taken = server.resident() - before
        holding.report()
    return taken


# --- what is kept when not all can be --------------------------------------------------


def misses(bench):
    """A cache in front of a slower source: look up, and store what was missed."""
    memory = 4 if bench.quick else 64
    load = {"keys": bench.size(2_000_000), "key_bytes": 14, "value_bytes": 100, "ratio": "0:1",
            "cache_aside": True, "connections": 8, "pipeline": 32, "seconds": 600}
    for skew, bound in (("0.8", 0.32), ("1.0", 0.110)):
        with bench.running(*COMPARED, memory=memory) as servers:
            bench.tools.load_all(servers, zipf=skew, requests=bench.size(20_000_000), **load)
            for part in range(bench.rounds):
                done = bench.tools.load_all(servers, zipf=skew, seed=2 + part,
                                            requests=bench.size(500_000), **load)
                for server, said in zip(servers, done):
                    bench.adder("misses", server)(f"64 MiB, Zipf {skew}: missed", "of gets",
                                                  missed(said), at_most=bound)
            for server in servers:
                bench.adder("misses", server)(f"64 MiB, Zipf {skew}: resident", "MiB",
                                              server.resident() / MIB)
    bench.report.note("misses: two million keys of 14 bytes, values of 100. Twenty million gets "
                      "to warm up; the rounds are half a million each, one after another.")


def missed(said):
    return said["misses"] / (said["hits"] + said["misses"])


def mixed(bench):
    """Half of the records live two seconds, the others long; all must share the memory.

    What has expired is of no use to anybody, so the more of it a server keeps,
    the less it has of the rest. Times pass alike for all: requests come on
    schedule, at a rate that each can serve.
    """
    memory, rate = (4, 5000) if bench.quick else (16, 25_000)
    load = {"keys": bench.size(500_000), "key_bytes": 14, "value_bytes": 100, "ratio": "0:1",
            "cache_aside": True, "zipf": "0.8", "connections": 8, "pipeline": 256, "rate": rate,
            "brief": 2000, "ttl": 3_600_000}
    with bench.running(*COMPARED, memory=memory) as servers:
        bench.tools.load_all(servers, seconds=2 if bench.quick else 30, **load)
        for part in range(bench.rounds):
            done = bench.tools.load_all(servers, seed=2 + part, seconds=1 if bench.quick else 4,
                                        **load)
            for server, said in zip(servers, done):
                add = bench.adder("mixed", server)
                lasting = said["lasting_hits"] + said["lasting_misses"]
                add("all records: missed", "of gets", missed(said),
                    at_most={"memcached": 1, "redis": 1})
                add("those that live long: missed", "of gets", said["lasting_misses"] / lasting,
                    at_most={"memcached": 1, "redis": 1})
                add("asked", "requests/s", said["rate"])
    bench.report.note("mixed: memcached's times are whole seconds, so that its brief records live "
                      "up to a second less; those that live long do not depend on that.")
