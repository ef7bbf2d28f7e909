"""scenario_fill.py - how full the memory may be before what lives is evicted."""

MIB = 1 << 20
COMPARED = ("kvcached", "memcached", "redis")

KEY = 16
FILLS = (40, 50, 60, 70, 75, 80, 85, 90, 95)
SHAPES = (("400 B", 400), ("4 KiB", 4096), ("60 KiB", 61440))
MUST_STAY = 75  # per cent of the memory in keys and values: with the rest more live


def fill(bench):
    """The curve of losses: records of one size take a share of the memory with their keys and
    values, and every second one is written again and again. What is missing then was evicted.
    """
    memory = 16 if bench.quick else 64
    for name, value in SHAPES:
        for percent in FILLS:
            with bench.running(*COMPARED, memory=memory) as servers:
                fill_to(bench, servers, name, value, percent, memory)
    bench.report.note("fill: one round. The share of the memory is that of keys and values; the "
                      "first half of the keys is written three times, as fast as four connections "
                      "can.")


def fill_to(bench, servers, name, value, percent, memory):
    keys = memory * MIB * percent // 100 // (KEY + value)
    shape = {"key_bytes": KEY, "value_bytes": value}
    bench.tools.load_all(servers, mode="fill", keys=keys, connections=4, pipeline=16, **shape)
    bench.tools.load_all(servers, keys=keys // 2, ratio="1:0", connections=4, pipeline=16,
                         requests=keys * 3 // 2, **shape)
    for server in servers:
        lost = 1 - bench.tools.items(server) / keys
        bound = {"at_most": 0} if percent <= MUST_STAY else {}
        bench.adder("fill", server)(f"{name}, {percent} %: lost", "of records", lost, **bound)
