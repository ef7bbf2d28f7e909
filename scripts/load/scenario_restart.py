"""scenario_restart.py - what it costs to forget nothing, and what is forgotten all the same.

kvcached has its arena, and memcached its -e file, in memory that outlives the process; Redis
keeps an append-only file on the disk and flushes it every second.
"""

import time

from servers import Trouble

COMPARED = ("kvcached", "memcached", "redis")
SHAPE = {"value_bytes": 100, "ttl": "3600000:7200000"}


def restart(bench):
    """What a request costs more, and then SIGKILL and a new process."""
    for kind in bench.peers(*COMPARED):
        with (bench.start(kind, memory=1024, pinned=True) as plain,
              bench.start(kind, memory=1024, pinned=True, lasting=True) as lasting):
            what_it_costs(bench, plain, lasting)
    for kind in bench.peers(*COMPARED):
        for words, records, rounds in (("a million", 1_000_000, 3), ("five million", 5_000_000, 1)):
            for _ in range(min(bench.rounds, rounds)):
                after_a_kill(bench, kind, words, bench.size(records))
    bench.report.note("restart: killed with SIGKILL as soon as the last record was acknowledged. "
                      "memcached's -e file serves restarts that were announced. Redis puts off "
                      "writing to its file while that is being flushed to the disk, so that what "
                      "was acknowledged in the last second or two can be lost.")


def what_it_costs(bench, plain, lasting):
    add = bench.adder("restart", plain)
    keys, seconds = bench.size(1_000_000), 0.5 if bench.quick else 1.5
    for server in (plain, lasting):
        bench.tools.fill(server, keys, **SHAPE)
    for _ in range(bench.rounds):
        for what, ratio, bound in (("one set to ten gets", "1:10", 1.05), ("sets", "1:0", None)):
            for pipeline in (32, 1):
                in_memory, in_a_file = (
                    bench.tools.load(server, pid=server.pid, keys=keys, ratio=ratio, warmup=0.3,
                                     connections=50, pipeline=pipeline, seconds=seconds,
                                     **SHAPE)["cpu_us"] for server in (plain, lasting))
                way = f"{what}, pipeline {pipeline}"
                add(f"{way}: CPU, in memory", "us/request", in_memory)
                add(f"{way}: CPU, in a file", "us/request", in_a_file)
                add(f"{way}: grows to", "", in_a_file / in_memory, at_most=bound)


def after_a_kill(bench, kind, words, records):
    shape = {"value_bytes": 64}
    with bench.start(kind, memory=2048, lasting=True) as server:
        add = bench.adder("restart", server)
        bench.tools.fill(server, records, ttl=SHAPE["ttl"], **shape)
        server.process.kill()
        server.process.wait()
        began = time.monotonic()
        if not server.launch():
            raise Trouble(f"{server.name} did not start again: {server.said()}")
        wait_until_it_answers(bench, server)
        add(f"{words} records: back after", "ms", 1000 * (time.monotonic() - began),
            at_most=3000 if kind == "kvcached" else None)
        add(f"{words} records: lost", "records",
            records - bench.tools.read_all(server, records, **shape)["hits"], at_most=0)


def wait_until_it_answers(bench, server, patience=60):
    limit = time.monotonic() + patience
    while True:
        try:
            bench.tools.items(server)
            return
        except Trouble:  # it is still reading
            if time.monotonic() > limit:
                raise
