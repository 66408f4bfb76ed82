# SPDX-License-Identifier: Apache-2.0
"""What was measured: the rows of the table, and the verdict on each."""

import dataclasses
import statistics

HEAD = ("what", "measured", "goal", "fails at", "peer in the same run")


@dataclasses.dataclass(frozen=True)
class Row:
    """A number. Without a goal it is for information only; detail says what it was made of."""
    what: str
    measured: float
    unit: str = ""
    goal: float = None
    limit: float = None
    peer: str = ""
    detail: str = ""

    def passes(self):
        """A goal that is missed is no failure yet."""
        return self.measured <= self.goal or self.measured < self.limit

    def cells(self):
        """The row as texts."""
        measured = quantity(self.measured, self.unit) + (f" ({self.detail})" if self.detail else "")
        goal, limit = (("≤ " + quantity(self.goal, self.unit), quantity(self.limit, self.unit))
                       if self.goal is not None else ("", ""))
        return self.what, measured, goal, limit, self.peer


def quantity(value, unit):
    """A number for people."""
    text = f"{value:,.0f}" if value >= 1000 or float(value).is_integer() else f"{value:.3g}"
    return f"{text} {unit}".strip()


def median(values):
    """The median; with few values it is one of them."""
    return statistics.median(values)


def print_table(rows):
    """The rows, aligned."""
    print_cells([HEAD, *(row.cells() for row in rows)])


def print_cells(table):
    """Rows of texts, aligned; the first is the head."""
    widths = [max(len(cells[column]) for cells in table) for column in range(len(table[0]))]
    for number, cells in enumerate(table):
        print(" | ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip())
        if number == 0:
            print("-|-".join("-" * width for width in widths))


def judge(rows, checks):
    """One line for each row that has a goal."""
    for row in rows:
        if row.goal is None:
            continue
        missed = "" if row.measured <= row.goal else f" (the goal of {quantity(row.goal, row.unit)} is missed)"
        checks.ok(f"{row.what}: {quantity(row.measured, row.unit)}{missed}", row.passes(),
                  f"it fails at {quantity(row.limit, row.unit)}")
