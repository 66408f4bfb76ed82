# SPDX-License-Identifier: Apache-2.0
"""The rows that tests/bench/versus compares: one number of each of two builds, measured side by side."""

import math
import shutil
from typing import Any, Callable, NamedTuple

import report

HEAD = ("name", "what", "old", "new", "ratio", "limit")


class Missing(Exception):
    """Something that a row needs is not there, so that the row is left out."""


def tool(name):
    """The name of a program that is installed."""
    if not shutil.which(name):
        raise Missing(f"{name} is missing")
    return name


class Row(NamedTuple):
    """A number that is measured so many times of old and new in turn; the median counts.

    most is what new may be at most, whatever old is.
    """
    name: str
    what: str
    unit: str
    runs: int
    measure: Callable[[Any], float]
    most: float = math.inf


class Limits(NamedTuple):
    """What the command line allows, by the row's name: new / old, and new itself."""
    ratio: dict
    most: dict

    def names(self):
        """The rows that are limited."""
        return {*self.ratio, *self.most}

    def most_of(self, row):
        """What new may be at most."""
        return self.most.get(row.name, row.most)

    def words(self, row):
        """The limits of a row as the table shows them."""
        words = []
        if row.name in self.ratio:
            words.append(f"≤ {self.ratio[row.name]:g}")
        if self.most_of(row) < math.inf:
            words.append(f"new ≤ {report.quantity(self.most_of(row), row.unit)}")
        return ", ".join(words)

    def keeps(self, row, times, new):
        """Whether a row is within its limits."""
        return times <= self.ratio.get(row.name, math.inf) and new <= self.most_of(row)


def measure(row, sides):
    """The medians of old and new."""
    samples = [[] for _ in sides]
    for _ in range(row.runs):
        for side, values in zip(sides, samples):
            values.append(row.measure(side))
    return [report.median(values) for values in samples]


def ratio(old, new):
    """How many times the old value the new one is."""
    if old == 0:
        return 1.0 if new == 0 else math.inf
    return new / old


def compare(rows, sides, limits):
    """Prints the table, and returns the names of the rows that do not keep to their limits."""
    table, failed = [HEAD], []
    for row in rows:
        words = limits.words(row)
        try:
            old, new = measure(row, sides)
        except Missing as reason:
            print(f"skip - {row.name}: {reason}")
            failed += [row.name] if words else []
            continue
        if old == new == 0 and not words:
            continue
        times = ratio(old, new)
        table.append((row.name, row.what, report.quantity(old, row.unit), report.quantity(new, row.unit),
                      f"{times:.3f}", words))
        if not limits.keeps(row, times, new):
            failed.append(row.name)
    report.print_cells(table)
    return failed
