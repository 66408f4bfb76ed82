# SPDX-License-Identifier: Apache-2.0
"""Runs gtune-host, whose path is the first argument of the program, and counts the checks."""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

TOOL = os.path.abspath(sys.argv[1])
TIMEOUT = 2.0
MARGIN = 1.5
RSS_MAX_KIB = 220 * 1024  # gtune-host may use 64 MiB, 16 KiB for each guest, and memory for the values of one line
with open(TOOL, "rb") as tool:
    SANITIZED = b"__asan_init" in tool.read()
counts = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, good, detail=""):
    counts["passed" if good else "failed"] += 1
    print(f"{'ok' if good else 'not ok'} - {name}" + ("" if good else f": {detail}"), flush=True)


def skip(name, reason):
    counts["skipped"] += 1
    print(f"skipped - {name}: {reason}", flush=True)


def peak_memory(pid):
    """VmHWM in KiB. ru_maxrss would count the 80 MB of the Python process that forked the child."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return max((int(line.split()[1]) for line in status if line.startswith("VmHWM")), default=0)
    except ProcessLookupError:
        return 0


class Run:
    """One run of the tool: its exit status, output, time and peak memory."""

    def __init__(self, *args, files=None, stdout=None, env=None):
        out = stdout or tempfile.TemporaryFile()
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None
        start = time.monotonic()
        with tempfile.TemporaryFile() as err:
            process = subprocess.Popen([TOOL, "--timeout", str(TIMEOUT), *args], stdout=out, stderr=err,
                                       preexec_fn=limit, env={**os.environ, **(env or {})})
            self.rss = 0
            while process.poll() is None:
                self.rss = max(self.rss, peak_memory(process.pid))
                time.sleep(0.005)
            self.status = process.returncode
            self.seconds = time.monotonic() - start
            err.seek(0)
            self.err = err.read().decode()
        if not stdout:
            out.seek(0)
            self.raw = out.read()
            self.out = self.raw.decode("ascii", "replace")

    def objects(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def outcomes(self):
        return [o["outcome"] for o in self.objects()]

    def clean(self):
        return all(byte == 10 or 32 <= byte < 127 for byte in self.raw)


def check_rss(name, run):
    if SANITIZED:
        skip(f"{name}: memory", "AddressSanitizer is in the program")
    else:
        check(f"{name}: {run.rss} KiB of memory", run.rss < RSS_MAX_KIB, run.rss)


def finish():
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return counts["failed"] > 0
