#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what gtuned costs, beside a peer in the same run.

usage: tests/bench/run.py --build DIR [--work DIR] [--tree DIR] [--cache DIR]
"""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import checks  # noqa: E402 (found through the line above, as all of these)
import inside  # noqa: E402
import natively  # noqa: E402
import qemu  # noqa: E402
import report  # noqa: E402


def _arguments():
    parser = argparse.ArgumentParser(description="Measures what gtuned costs, beside a peer in the same run.")
    parser.add_argument("--build", type=pathlib.Path, required=True, help="a configured build without sanitizers")
    parser.add_argument("--tree", type=pathlib.Path, help="what is put into the guest: a directory as "
                        "`make install DESTDIR=` leaves it, with a policy; made from the build by default")
    parser.add_argument("--cache", type=pathlib.Path, default=os.environ.get("GTUNED_E2E_CACHE"),
                        help="where what comes from Debian is kept; below the work directory by default")
    parser.add_argument("--work", type=pathlib.Path, help="where disks and logs go; a temporary one by default")
    parser.add_argument("--native", action="store_true", help="leave the guest out")
    return parser.parse_args()


def _measure_guest(options, work, checked):
    """The rows of the guest, and those of the machine itself that do not mind a guest beside them."""
    disk = inside.disk(options.build, work, options.cache, options.tree)
    with qemu.Guest(disk, "bench", work, tpm=True) as guest:
        return sum(checks.side_by_side(lambda: inside.measure(guest, options.build, checked),
                                       lambda: _counts(options, checked)), [])


def _counts(options, checked):
    with checked.guard("flushes and instructions are counted"):
        return list(natively.counts(options.build, checked))
    return []


def _measure(options, work, checked):
    """All rows. Times are taken while nothing else runs."""
    rows = []
    with checked.guard("times are taken"):
        rows += natively.timings(options.build)
    if options.native or os.geteuid() != 0:
        checked.skip("the guest", "--native was given" if options.native else "only root can build a guest's image")
        return rows + _counts(options, checked)
    with checked.guard("the guest is measured"):
        rows += _measure_guest(options, work, checked)
    return rows


def _work_directory(options):
    """A new directory below the one that was given."""
    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
    return pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=options.work)).resolve()


def _interrupted(number, _):
    qemu.kill_all()
    os._exit(128 + number)


def main():
    """Measures, prints and judges; the status is 0 if nothing failed."""
    options = _arguments()
    options.build = options.build.resolve()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    work, checked, began = _work_directory(options), checks.Checks("bench"), time.monotonic()
    rows = _measure(options, work, checked)
    report.print_table(rows)
    report.judge(rows, checked)
    counts = checked.counts
    if counts["failed"]:
        print(f"# disks and logs are in {work}")
    else:
        shutil.rmtree(work)
    print(f"# {time.monotonic() - began:.0f} s")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
