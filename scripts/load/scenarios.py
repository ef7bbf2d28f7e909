"""scenarios.py - what is measured, by name, in the order in which it runs.

Each scenario is a function that takes the bench (its servers, its tools, its
sizes) and adds figures to the report. It starts its own servers, and ends them;
the servers take turns, so that what the machine does meanwhile is shared out
fairly. Where no time is measured they may run side by side.
"""

from scenario_abuse import abuse
from scenario_cluster import cluster
from scenario_cpu import cpu, threads, values
from scenario_fill import fill
from scenario_instructions import instructions
from scenario_memory import connections, misses, mixed, overhead
from scenario_namespaces import namespaces, pressure
from scenario_observed import observed
from scenario_restart import restart
from scenario_tail import expiry, tail
from scenario_tls import tls

ALL = {"cpu": cpu, "values": values, "threads": threads, "overhead": overhead,
       "connections": connections, "misses": misses, "mixed": mixed, "fill": fill, "expiry": expiry,
       "tail": tail, "namespaces": namespaces, "pressure": pressure, "restart": restart,
        "abuse": abuse, "tls": tls, "instructions": instructions,
        "observed": observed, "cluster": cluster}
