# SPDX-License-Identifier: Apache-2.0
"""What an answer of gtuned costs on the machine itself, of one daemon and of very many: rows of tests/bench/versus."""

import contextlib
import ctypes
import functools
import json
import math
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
from typing import NamedTuple

import natively
from comparison import Missing, Row, tool
from report import median

MACHINE = "haltpoll-active"
SILENCE_SECONDS = 1.2  # the age at which a report counts as old
ASKS = 7
STATUS = b'{"execute": "gtune-status"}\n'
WATCH = b'{"execute": "gtune-watch"}\n'
PARAMETER = "sys/module/haltpoll/parameters/guest_halt_poll_ns"
WRITES = 40
WRITE_PAUSE = 0.4
BURST = 20
BURST_SECONDS = 1.0
BURST_EVENTS = 5
FLEET = 1000
# An unprivileged user has 128 inotify instances (fs.inotify.max_user_instances), and root has no more.
FLEET_OF_USER = 100
FLEET_USER = 1_000_000
FLEET_PATIENCE = 120
CALL = re.compile(rb"^\d+ +\w+\(", re.M)


# One daemon

class Host:
    """The host's end of a daemon's socket."""

    def __init__(self, path, process):
        self._socket = socket.socket(socket.AF_UNIX)
        natively.connect(self._socket, path, process)
        self._lines = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lines.close()
        self._socket.close()

    def line(self, seconds=natively.PATIENCE):
        """The next line, or b"" if there is none in time."""
        self._socket.settimeout(seconds)
        try:
            return self._lines.readline()
        except TimeoutError:
            # What is read after a time limit is refused by the old buffer.
            self._lines = self._socket.makefile("rb")
            return b""

    def ask(self, request):
        """Sends a request, and returns its answer."""
        self._socket.sendall(request)
        answer = self.line()
        if not answer.startswith(b'{"return": '):
            raise natively.NativeError(f"gtuned answered {answer!r}")
        return answer


@contextlib.contextmanager
def serving(side):
    """A daemon of that build on the golden machine, in memory: the tree, its process, and a host that was answered."""
    with tempfile.TemporaryDirectory(prefix="gtuned-bench-", dir=natively.SHARED_MEMORY) as folder:
        folder = pathlib.Path(folder)
        tree = shutil.copytree(side.served, folder / "machine", symlinks=True)
        path = folder / "listen.sock"
        with subprocess.Popen([side.gtuned, "--root", tree, "--listen", path]) as process:
            try:
                with Host(path, process) as host:
                    host.ask(STATUS)
                    yield tree, process, host
            finally:
                process.kill()


def cpu_seconds(pid):
    """What a process has used of the CPU, its threads that have ended included, to the nanosecond."""
    clock = ctypes.c_int()
    error = ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise natively.NativeError(f"process {pid}: {os.strerror(error)}")
    return time.clock_gettime(clock.value)


def cold_cpu(side):
    """The milliseconds of CPU from one request to the next, after a silence each: with all that follows an answer."""
    taken = []
    with serving(side) as (_, process, host):
        for _ in range(ASKS + 1):
            time.sleep(SILENCE_SECONDS)
            taken.append(cpu_seconds(process.pid))
            host.ask(STATUS)
    return median([after - before for before, after in zip(taken, taken[1:])]) * 1000


def is_traced(process):
    """Whether a tracer has attached itself to a process."""
    return re.search(r"^TracerPid:\s+[1-9]", pathlib.Path(f"/proc/{process.pid}/status").read_text(), re.M) is not None


@contextlib.contextmanager
def traced(process):
    """The file to which strace writes the system calls of a process, a line each."""
    with tempfile.NamedTemporaryFile() as log:
        with subprocess.Popen([tool("strace"), "-f", "-qq", "-o", log.name, "-p", str(process.pid)]) as strace:
            try:
                while not is_traced(process):
                    if strace.poll() is not None:
                        raise Missing("strace may not trace here")
                    time.sleep(0.01)
                yield pathlib.Path(log.name)
            finally:
                strace.terminate()


def cold_calls(side):
    """The system calls of an answer after a silence, with all that follows it."""
    with serving(side) as (_, process, host), traced(process) as log:
        time.sleep(SILENCE_SECONDS)
        before = log.stat().st_size
        host.ask(STATUS)
        time.sleep(SILENCE_SECONDS)
        return len(CALL.findall(log.read_bytes()[before:]))


# Events

def write_parameter(tree, value):
    """Writes a parameter as the kernel takes it: the file is not cut first."""
    with open(tree / PARAMETER, "r+b", buffering=0) as file:
        file.write(b"%d\n" % value)


def event_milliseconds(side):
    """From the write of a parameter to the event's line at the host, the median."""
    taken = []
    with serving(side) as (tree, _, host):
        host.ask(WATCH)
        for number in range(WRITES):
            time.sleep(WRITE_PAUSE)
            began = time.perf_counter()
            write_parameter(tree, 300000 + number)
            line = host.line()
            taken.append(time.perf_counter() - began)
            if b"%d" % (300000 + number) not in line:
                raise natively.NativeError(f"write {number} is not in the event {line!r}")
    return median(taken) * 1000


def burst_events(side):
    """How many events a burst of writes makes; too many if the last one does not have the last value."""
    with serving(side) as (tree, _, host):
        host.ask(WATCH)
        time.sleep(SILENCE_SECONDS)
        for number in range(BURST):
            write_parameter(tree, 300000 + number)
            time.sleep(BURST_SECONDS / BURST)
        lines = list(iter(functools.partial(host.line, SILENCE_SECONDS), b""))
    return len(lines) if lines and b"%d" % (300000 + BURST - 1) in lines[-1] else math.inf


# A fleet

class Round(NamedTuple):
    """What it took to ask all daemons once."""
    cpu: float
    wall: float
    late: int


def start_daemon(gtuned, tree, path, user):
    """Starts one daemon of a fleet, which ends with us whatever happens."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", f"--reuid={user}", f"--regid={user}", "--clear-groups",
                             gtuned, "--root", tree, "--listen", path])


def start_fleet(side, folder, processes):
    """Starts all daemons, each on a tree of its own; returns their sockets. Other users must reach all of it."""
    folder.chmod(0o755)
    gtuned = shutil.copy(side.gtuned, folder)
    paths = []
    for number in range(FLEET):
        user = FLEET_USER + number // FLEET_OF_USER
        place = folder / str(number)
        place.mkdir()
        os.chown(place, user, user)
        tree = shutil.copytree(side.served, place / "machine", symlinks=True)
        paths.append(place / "listen.sock")
        processes.append(start_daemon(gtuned, tree, paths[-1], user))
    return paths


def await_fleet(paths, processes):
    """Waits until each daemon listens."""
    deadline = time.monotonic() + FLEET_PATIENCE
    while not all(map(pathlib.Path.exists, paths)):
        ended = [process for process in processes if process.poll() is not None]
        if ended:
            raise natively.NativeError(f"{len(ended)} of {FLEET} daemons ended, one with {ended[0].returncode}")
        if time.monotonic() > deadline:
            raise natively.NativeError(f"not all of {FLEET} daemons listen")
        time.sleep(0.1)


@contextlib.contextmanager
def fleet(side):
    """A thousand daemons, and their sockets."""
    if os.geteuid() != 0:
        raise Missing("only root can start daemons as several users")
    tool("setpriv")
    processes = []
    with tempfile.TemporaryDirectory(prefix="gtuned-fleet-", dir=natively.SHARED_MEMORY) as folder:
        try:
            paths = start_fleet(side, pathlib.Path(folder), processes)
            await_fleet(paths, processes)
            yield processes, paths
        finally:
            for process in processes:
                process.kill()
            for process in processes:
                process.wait()


def ask_fleet(side, paths):
    """Asks each daemon once: the seconds, and how many gave no answer."""
    began = time.perf_counter()
    done = subprocess.run([side.host, "--json", "status", *paths], stdout=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - began
    outcomes = [json.loads(line)["outcome"] for line in done.stdout.splitlines()]
    if len(outcomes) != len(paths):
        raise natively.NativeError(f"gtune-host told of {len(outcomes)} targets and ended with {done.returncode}")
    return seconds, sum(outcome != "ok" for outcome in outcomes)


@functools.cache
def fleet_rounds(side):
    """The rounds of a fleet, each after a silence; what a daemon does in the silence after a round belongs to it."""
    rounds = []
    with fleet(side) as (processes, paths):
        time.sleep(SILENCE_SECONDS)
        for _ in range(side.fleet_runs):
            before = sum(cpu_seconds(process.pid) for process in processes)
            wall, late = ask_fleet(side, paths)
            time.sleep(SILENCE_SECONDS)
            rounds.append(Round(sum(cpu_seconds(process.pid) for process in processes) - before, wall, late))
    return rounds


def fleet_cpu(side):
    """The CPU of all daemons in a round."""
    return median([each.cpu for each in fleet_rounds(side)])


def fleet_wall(side):
    """How long a round takes."""
    return median([each.wall for each in fleet_rounds(side)])


def fleet_late(side):
    """How many targets gave no answer in time, in all rounds."""
    return sum(each.late for each in fleet_rounds(side))


ROWS = (
    Row("cold-cpu", f"gtuned, asked after {SILENCE_SECONDS} s: CPU", "ms", 1, cold_cpu),
    Row("cold-calls", "… system calls", "", 1, cold_calls),
    Row("event-time", "gtuned: a parameter's write to its event", "ms", 1, event_milliseconds),
    Row("event-burst", f"… events of {BURST} writes in {BURST_SECONDS:g} s", "", 1, burst_events, BURST_EVENTS),
    Row("fleet-cpu", f"{FLEET:,} daemons asked after {SILENCE_SECONDS} s: their CPU", "s", 1, fleet_cpu),
    Row("fleet-wall", "… the round", "s", 1, fleet_wall),
    Row("fleet-late", "… no answer in time, all rounds", "", 1, fleet_late, 0),
)
