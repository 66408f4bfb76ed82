#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the end-to-end tests: real guests under QEMU.

usage: tests/e2e/run.py [--tree DIR|TAR] [--thorough] [NAME...]
"""

import argparse
import collections
import concurrent.futures
import importlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import checks  # noqa: E402 (found through the line above)
import image  # noqa: E402
import qemu  # noqa: E402

JOBS = 2


def _arguments():
    parser = argparse.ArgumentParser(description="Runs the end-to-end tests in real guests under QEMU.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a test, or test_NAME.py; all by default")
    parser.add_argument("--thorough", action="store_true", help="the long repetitions at full count")
    parser.add_argument("--tree", type=pathlib.Path, default=os.environ.get("GTUNED_E2E_TREE"),
                        help="what is tested: a directory as `make install DESTDIR=` leaves it, or a tar")
    parser.add_argument("--rpms", type=pathlib.Path, help="a directory with the packages that some tests install")
    parser.add_argument("--compare", type=pathlib.Path, help="tests/shadow/compare of a build; some tests need it")
    parser.add_argument("--unit", action="append", default=[], help="a unit of the tree to enable; may be repeated")
    parser.add_argument("--cache", type=pathlib.Path, default=os.environ.get("GTUNED_E2E_CACHE"),
                        help="where what comes from Debian is kept; nowhere by default")
    parser.add_argument("--work", type=pathlib.Path, help="where disks and logs go, and stay")
    parser.add_argument("--jobs", type=int, default=JOBS, help="tests at the same time (default %(default)s)")
    parser.add_argument("--list", action="store_true", help="list the tests and exit")
    return parser.parse_args()


def _load_tests():
    """Fills the table: for each test the name of its module."""
    for path in sorted(HERE.glob("test_*.py")):
        importlib.import_module(path.stem)
    return {name: test.run.__module__ for name, test in checks.TESTS.items()}


def _select(names, modules):
    """The tests that were asked for, by their own name or their module's."""
    if not names:
        return list(checks.TESTS.values())
    known = set(modules) | {module[len("test_"):] for module in modules.values()}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no such test: {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    return [test for name, test in checks.TESTS.items() if name in names or modules[name][len("test_"):] in names]


def _run_test(test, environment):
    """Runs one test and returns its counts."""
    report = checks.Checks(test.name)
    if test.needs_tree and not environment.tree:
        report.skip("all of it", "no --tree was given, so there is no gtuned in the guest")
        return report.counts
    began = time.monotonic()
    with report.guard("the test runs to its end"):
        environment.work.mkdir()
        test.run(environment, report)
    report.note(f"{time.monotonic() - began:.1f} s")
    return report.counts


def _rpms(options):
    """The binary packages in the directory that was named."""
    found = sorted(options.rpms.resolve().glob("*.rpm")) if options.rpms else ()
    return tuple(path for path in found if not path.name.endswith(".src.rpm"))


def _run_all(tests, options, building, work):
    """Runs the tests, the longest first and those that want to be alone at the end; the sum of their counts."""
    def start(test):
        return _run_test(test, checks.Environment(building, work / test.name, options.thorough, options.tree,
                                                   options.cache or work / "cache", _rpms(options), options.compare))

    counts = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        together = sorted((test for test in tests if not test.alone), key=lambda test: -test.boots)
        for result in pool.map(start, together):
            counts += result
    for test in tests:
        if test.alone:
            counts += start(test)
    return counts


def _build(options, work):
    began = time.monotonic()
    disk = image.build(options.cache or work / "cache", work / "image", options.tree, options.unit)
    print(f"# image: built in {time.monotonic() - began:.1f} s", flush=True)
    return disk


def _run(tests, options, work):
    """Builds the image and runs the tests, which wait for it; a test that cannot run here is skipped by name."""
    counts = collections.Counter()
    if os.geteuid() != 0:
        for test in tests:
            report = checks.Checks(test.name)
            report.skip("all of it", "only root can build the image of a guest")
            counts += report.counts
        return counts
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        building = pool.submit(_build, options, work)
        counts = _run_all(tests, options, building, work)
    report = checks.Checks("image")
    with report.guard("the image is built"):
        building.result()
    return counts + report.counts


def _interrupted(number, _):
    qemu.kill_all()
    os._exit(128 + number)


def main():
    """Runs what the command line asks for; the status is 0 if nothing failed."""
    options, modules = _arguments(), _load_tests()
    tests = _select(options.names, modules)
    if options.list:
        print("\n".join(test.name for test in tests))
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    if options.work:
        options.work.mkdir(parents=True)
    work = options.work or pathlib.Path(tempfile.mkdtemp(prefix="gtuned-e2e-work-"))
    counts = _run(tests, options, work.resolve())
    if counts["failed"]:
        print(f"# disks and logs are in {work}")
    elif not options.work:
        shutil.rmtree(work)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
