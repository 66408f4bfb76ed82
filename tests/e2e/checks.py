# SPDX-License-Identifier: Apache-2.0
"""What a test reports with, and the table of tests."""

import collections
import contextlib
import dataclasses
import threading
import traceback

TESTS = {}
_print_lock = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Test:
    """A row of the table."""
    name: str
    run: object
    alone: bool
    needs_tree: bool
    boots: int


@dataclasses.dataclass(frozen=True)
class Environment:
    """What a test is given: the image that is being built, a directory of its own, how much to do, what makes another
    image, and a program of tests/shadow."""
    building: object
    work: object
    thorough: bool
    tree: object
    cache: object = None
    rpms: tuple = ()
    compare: object = None

    @property
    def image(self):
        """The image with the tree that is tested, as soon as it is built."""
        return self.building.result()


def test(name, alone=False, needs_tree=False, boots=1):
    """Registers a function f(environment, checks) as a test.

    alone: no other test runs beside it; needs_tree: it is skipped when no gtuned was put into the image; boots: how
    many boots it makes, or takes the time of, because the longest tests begin first.
    """
    def register(function):
        assert name not in TESTS, name
        TESTS[name] = Test(name, function, alone, needs_tree, boots)
        return function
    return register


class Checks:
    """Prints one line for each check and counts them."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.counts = collections.Counter()

    def _report(self, result, verdict, name, detail=""):
        with _print_lock:
            self.counts[result] += 1
            print(f"{verdict} - {self.prefix}: {name}" + (f": {detail}" if detail else ""), flush=True)

    def ok(self, name, condition=True, why=""):
        """Passes if the condition holds; why says what was seen instead."""
        if condition:
            self._report("passed", "ok", name)
        else:
            self._report("failed", "not ok", name, why or "it does not hold")
        return bool(condition)

    def equal(self, name, actual, expected):
        """Passes if both are equal."""
        return self.ok(name, actual == expected, f"got {actual!r}, expected {expected!r}")

    def contains(self, name, text, part):
        """Passes if the part is in the text (or another container)."""
        return self.ok(name, part in text, f"{part!r} is not in {text!r}")

    def skip(self, name, reason):
        """Names what cannot be tested here, and why."""
        self._report("skipped", "skip", name, reason)

    def note(self, text):
        """A line for people, such as a measured time."""
        with _print_lock:
            print(f"# {self.prefix}: {text}", flush=True)

    @contextlib.contextmanager
    def guard(self, name):
        """Turns an exception in the block into one failed check, so that what follows still runs."""
        try:
            yield
        except Exception as error:  # whatever goes wrong in a test is the test's result
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._report("failed", "not ok", name, f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})")

    def raises(self, name, kind, function, *arguments):
        """Passes if the call raises an exception of that kind, and returns it."""
        try:
            value = function(*arguments)
        except kind as error:
            self._report("passed", "ok", name)
            return error
        self._report("failed", "not ok", name, f"no {kind.__name__}, but {value!r}")
        return None


def side_by_side(*functions):
    """Calls the functions at the same time, each in a thread, and returns their results in order.

    The first exception is raised again after all have ended.
    """
    results, errors = [None] * len(functions), []

    def call(index, function):
        try:
            results[index] = function()
        except BaseException as error:  # handed on to the caller below
            errors.append(error)

    threads = [threading.Thread(target=call, args=pair, daemon=True) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
