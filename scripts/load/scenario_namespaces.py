"""scenario_namespaces.py - what it costs to empty and list one, and what one may take."""

from servers import Trouble

MIB = 1 << 20


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
