"""report.py - figures gathered over the rounds, their medians, and the table.

A figure may have a bound that kvcached is held to: a number, or a share of
another server's median in the same run.
"""

import csv
import statistics

COLUMNS = ("kvcached", "memcached", "redis", "floor")


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
            return " and ".join(f"<= {share:g} {server}" for server, share in self.at_most.items())
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return f">= {self.at_least:g}" if self.at_least is not None else ""

    def met(self):
        """True, False, or None where there is nothing to compare."""
        if not self.bound() or "kvcached" not in self.values:
            return None
        ours = self.median("kvcached")
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

    def table(self):
        """The whole table as text; scenarios are headings."""
        rows, last = [], None
        for (scenario, name), figure in self.figures.items():
            if scenario != last:
                rows.append((scenario,))
                last = scenario
            met = {True: "yes", False: "NO", None: ""}[figure.met()]
            cells = [show(figure, server) for server in COLUMNS]
            rows.append(("  " + name, figure.unit, *cells, figure.bound(), met))
        heading = ("", "", *COLUMNS, "kvcached shall", "met")
        full = [heading] + [row for row in rows if len(row) > 1]
        widths = [max(len(row[i]) for row in full) for i in range(len(heading))]
        lines = [line(heading, widths)]
        lines += [line(row, widths) if len(row) > 1 else row[0] for row in rows]
        return "\n".join(lines + [""] + self.notes)

    def write_csv(self, path):
        with open(path, "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(("scenario", "figure", "unit", "server", "median", "least", "most",
                          "rounds", "bound", "met"))
            for (scenario, name), figure in self.figures.items():
                for server, values in figure.values.items():
                    came = [v for v in values if v is not None]
                    ours = server == "kvcached"
                    out.writerow((scenario, name, figure.unit, server, figure.median(server),
                                  min(came, default=None), max(came, default=None), len(values),
                                  figure.bound() if ours else "", figure.met() if ours else ""))

    def all_met(self):
        return all(figure.met() is not False for figure in self.figures.values())


def show(figure, server):
    if server not in figure.values:
        return "-"
    value = figure.median(server)
    if value is None:
        return "never"
    if value == int(value) and abs(value) < 1e9:
        return f"{value:.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def line(cells, widths):
    left = [cells[0].ljust(widths[0]), cells[1].ljust(widths[1])]
    right = [cell.rjust(width) for cell, width in zip(cells[2:6], widths[2:6])]
    return "  ".join(left + right + [cells[6].ljust(widths[6]), cells[7]]).rstrip()
