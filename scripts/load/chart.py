"""chart.py - the figures that say most, drawn by gnuplot as bars.

Letters are the viewer's own sans-serif, so that the picture is the same file
wherever it was made.
"""

import subprocess

from report import COLUMNS

COLOURS = {"kvcached": "#1f5fa8", "kvcached-mc": "#7fb2e5", "memcached": "#6b8e23",
           "redis": "#b5452c", "valkey": "#d99a2b", "floor": "#b0b0b0"}
TITLES = {"kvcached": "kvcached", "kvcached-mc": "kvcached, as memcached",
          "memcached": "memcached", "redis": "Redis", "valkey": "Valkey", "floor": "bare libevent"}

# Of each panel: its title, the server whose figure counts as one (or none does), and
# its groups of bars, each a label, a scenario and a figure.
PANELS = (
    ("CPU a request (memcached = 1)", "memcached",
     (("100 B\\npipeline 32", "cpu", "pipeline 32: CPU"),
      ("100 B", "cpu", "pipeline 1: CPU"),
      ("1 KiB", "values", "1 KiB: CPU"),
      ("16 KiB", "values", "16 KiB: CPU"),
      ("1 MiB", "values", "1 MiB: CPU"))),
    ("Bytes a record beyond key and value", None,
     (("with ttl", "overhead", "with ttl: beyond key and value"),
      ("without ttl", "overhead", "without ttl: beyond key and value"))),
    ("Miss ratio in equal memory", None,
     (("Zipf 0.8", "misses", "64 MiB, Zipf 0.8: missed"),
      ("Zipf 1.0", "misses", "64 MiB, Zipf 1.0: missed"),
      ("half expires", "mixed", "those that live long: missed"))),
)


def draw(report, path):
    """Panels of which nothing was measured are left out; without any, no file. False: it failed."""
    panels = [(title, rows) for title, unit, groups in PANELS
              if (rows := rows_of(report, unit, groups))]
    if not panels:
        return True
    servers = [[name for name in COLUMNS if any(name in row for _, row in rows)]
               for _, rows in panels]
    numbers = range(len(panels))
    blocks = [block(n, servers[n], panels[n][1]) for n in numbers]
    plots = [plot(n, panels[n][0], servers[n]) for n in numbers]
    script = "\n".join([*blocks, head(path, len(panels)), *plots])
    return subprocess.run(["gnuplot"], input=script, text=True).returncode == 0


def rows_of(report, unit, groups):
    """A (label, {server: value}) for each group that was measured."""
    rows = []
    for label, scenario, name in groups:
        figure = report.figures.get((scenario, name))
        if not figure:
            continue
        one = figure.median(unit) if unit else 1
        medians = {server: figure.median(server) for server in COLUMNS}
        row = {server: value / one for server, value in medians.items()
               if value is not None and one}
        if row:
            rows.append((label, row))
    return rows


def block(number, servers, rows):
    lines = [f"$panel{number} << end"]
    lines += [" ".join([f'"{label}"', *(f"{row[s]:.4g}" if s in row else "NaN" for s in servers)])
              for label, row in rows]
    return "\n".join(lines + ["end"])


def head(path, panels):
    return f"""
set terminal svg size 880,{40 + 270 * panels} font "sans-serif,13" background "white"
set output "{path}"
set multiplot layout {panels},1
set style data histogram
set style histogram clustered gap 1
set style fill solid noborder
set boxwidth 0.9
set lmargin at screen 0.07
set rmargin at screen 0.69
set yrange [0:*]
set ytics nomirror
set xtics nomirror scale 0
set border 3
set grid ytics linecolor "#dddddd"
"""


def plot(number, title, servers):
    legend = "set key outside right top Left reverse" if number == 0 else "set key off"
    bars = [f'$panel{number} using {column}:xtic(1) title "{TITLES[s]}" '
            f'linecolor rgb "{COLOURS[s]}"' for column, s in enumerate(servers, 2)]
    return "\n".join([legend, f'set title "{title}"', "plot " + ", ".join(bars)])
