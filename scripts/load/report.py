"""report.py - figures gathered over the rounds, their medians, and the table.

A figure may have a bound that kvcached is held to: a number, or a share of
another server's median in the same run.
"""

import csv
import statistics

OURS = ("kvcached", "kvcached-mc")  # the native listener, and the one for memcached's clients
PEERS = ("memcached", "redis", "valkey", "floor")
COLUMNS = OURS + PEERS


class Figure:
    def __init__(self, name, unit, at_most, at_least):
        self.name = name
        self.unit = unit
        self.at_most = at_most  # a number, or {"server": share, …}
        self.at_least = at_least
        self.values = {}  # by server: a list, a value for each round; None: never came

    def median(self, server):
        values = self.values.get(server)
        if not values or None in values:
            return None
        return statistics.median(values)

    def bound(self):
        if isinstance(self.at_most, dict):
            return "<= " + ", ".join(f"{share:g} {server}" for server, share in self.at_most.items())
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return f">= {self.at_least:g}" if self.at_least is not None else ""

    def ratio(self, ours, peer):
        """Our median as a share of the peer's, or None."""
        mine, theirs = self.median(ours), self.median(peer)
        if mine is None or not theirs or self.unit == "%":
            return None
        return mine / theirs

    def met(self, ours):
        """True, False, or None where there is nothing to compare."""
        if not self.bound() or ours not in self.values:
            return None
        ours = self.median(ours)
        if ours is None:
            return False
        if self.at_least is not None:
            return ours >= self.at_least
        if not isinstance(self.at_most, dict):
            return ours <= self.at_most
        theirs = {server: self.median(server) for server in self.at_most}
        if None in theirs.values():
            return None
        return all(ours <= share * theirs[server] for server, share in self.at_most.items())


class Report:
    def __init__(self):
        self.figures = {}  # by (scenario, name), in the order in which they came
        self.notes = []

    def add(self, scenario, name, unit, server, value, at_most=None, at_least=None):
        figure = self.figures.setdefault((scenario, name), Figure(name, unit, at_most, at_least))
        figure.values.setdefault(server, []).append(value)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def peers(self):
        """Valkey only where it was measured."""
        measured = {name for figure in self.figures.values() for name in figure.values}
        return [name for name in PEERS if name != "valkey" or name in measured]

    def table(self):
        """The whole table as text; scenarios are headings."""
        rows, last, peers = [], None, self.peers()
        columns = (*OURS, *peers)
        for (scenario, name), figure in self.figures.items():
            if scenario != last:
                rows.append((scenario,))
                last = scenario
            cells = [show(figure, server) for server in columns]
            ratios = [show_ratios(figure, peer) for peer in peers]
            rows.append(("  " + name, figure.unit, *cells, *ratios, figure.bound(),
                         show_met(figure)))
        heading = ("", "", *columns, *(f": {peer}" for peer in peers), "kvcached shall", "met")
        full = [heading] + [row for row in rows if len(row) > 1]
        widths = [max(len(row[i]) for row in full) for i in range(len(heading))]
        figures = len(columns) + len(peers)
        lines = [line(heading, widths, figures)]
        lines += [line(row, widths, figures) if len(row) > 1 else row[0] for row in rows]
        return "\n".join(lines + [""] + self.notes)

    def write_csv(self, path):
        with open(path, "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(("scenario", "figure", "unit", "server", "median", "least", "most",
                          "rounds", *(f"ratio to {peer}" for peer in self.peers()), "bound", "met"))
            for (scenario, name), figure in self.figures.items():
                for server, values in figure.values.items():
                    came = [v for v in values if v is not None]
                    ours = server in OURS
                    ratios = [figure.ratio(server, peer) if ours else "" for peer in self.peers()]
                    out.writerow((scenario, name, figure.unit, server, figure.median(server),
                                  min(came, default=None), max(came, default=None), len(values),
                                  *ratios, figure.bound() if ours else "",
                                  figure.met(server) if ours else ""))

    def all_met(self):
        return all(figure.met(server) is not False
                   for figure in self.figures.values() for server in OURS)


def show(figure, server):
    if server not in figure.values:
        return "-"
    value = figure.median(server)
    if value is None:
        return "never"
    if value == int(value) and abs(value) < 1e9:
        return f"{value:.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def show_ratios(figure, peer):
    """Of both our listeners, where both were measured."""
    ratios = [figure.ratio(ours, peer) for ours in OURS]
    return " ".join(f"{ratio:.2f}" for ratio in ratios if ratio is not None)


def show_met(figure):
    """One word where our listeners agree, else a word for each."""
    words = [{True: "yes", False: "NO"}[met] for met in map(figure.met, OURS) if met is not None]
    return words[0] if len(set(words)) == 1 else " ".join(words)


def line(cells, widths, figures):
    """Names to the left, so many figures to the right."""
    numbers = range(2, 2 + figures)
    laid = [cell.rjust(width) if i in numbers else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths))]
    return "  ".join(laid).rstrip()
