# SPDX-License-Identifier: Apache-2.0
"""What is measured on the machine itself: `gtune apply` on boot menus that grow, and the start of gtuned."""

import collections
import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

from report import Row, median

ROOTS = pathlib.Path(__file__).resolve().parent.parent / "roots"
DROP_INS = "qga-later-drop-in"
SHARED_MEMORY = "/dev/shm"
RUNS = 11
SIZES = (20, 1000, 10000)
CHANGES = 3  # there is something to do
APPLIED = 4  # and a reboot is pending
PATIENCE = 10.0
PING = b'{"execute": "guest-ping"}'
LINEAR = 1.3

GRUB_CFG = "boot/efi/EFI/openEuler/grub.cfg"
ENTRY = """menuentry 'openEuler (5.10.0-%d) 22.03 LTS' --class openeuler --class gnu-linux {
\tset root='hd0,gpt2'
\tlinux\t/vmlinuz-5.10.0-%d root=/dev/mapper/openeuler-root ro crashkernel=512M
\tinitrd\t/initramfs-5.10.0-%d.img
}
"""
BLS_SIZES = (20, 1000, 4000)
BLS_ENTRY = """title openEuler (5.10.0-%d) 22.03 LTS
version 5.10.0-%d
linux /vmlinuz-5.10.0-%d
initrd /initramfs-5.10.0-%d.img
options root=/dev/mapper/openeuler-root ro crashkernel=512M
"""
TOKEN = "cpuidle_haltpoll.force=Y"
TREE = {
    "etc/default/grub": 'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX="quiet"\n',
    "sys/module/haltpoll/parameters/guest_halt_poll_ns": "200000\n",
    "sys/devices/system/cpu/cpuidle/current_driver": "none\n",
    "sys/devices/system/cpu/cpuidle/current_governor": "menu\n",
    "boot/config-5.10.0-1": "CONFIG_HALTPOLL_CPUIDLE=y\nCONFIG_CPU_IDLE_GOV_HALTPOLL=y\n",
    "proc/cmdline": "root=/dev/mapper/openeuler-root ro crashkernel=512M\n",
    "proc/sys/kernel/random/boot_id": "5f6c1a86-5a2e-4a53-9c38-2f8de5a64f11\n",
    "etc/gtuned/gtuned.conf": "[guest]\nvcpu = dedicated\n[haltpoll]\nguest_halt_poll_ns = 400000\n",
    "gtuned-machine.json": '{"schema": 1, "arch": "x86_64", "kernel": "5.10.0-1", "hypervisor": "KVMKVMKVM",'
                           ' "dedicated_hint": false, "kernel_log": {"reach": "complete", "lines": []}}\n',
}


class NativeError(Exception):
    """A program under test did not do its work, so that there is nothing to measure."""


def grub_cfg(entries):
    """A grub.cfg with so many entries, as grub2-mkconfig writes them."""
    return "set timeout=5\n" + "".join(ENTRY % (n, n, n) for n in range(1, entries + 1))


def menu(entries):
    """The files of a menu in one grub.cfg."""
    return {GRUB_CFG: grub_cfg(entries)}


def bls_menu(entries):
    """The files of a menu with so many boot loader specification entries."""
    files = {f"boot/loader/entries/5.10.0-{n}.conf": BLS_ENTRY % (n, n, n, n) for n in range(1, entries + 1)}
    return {GRUB_CFG: "set timeout=5\ninsmod blscfg\nblscfg\n", **files}


@contextlib.contextmanager
def tree(entries, make=menu):
    """A guest in a directory in memory."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gtuned-bench-", dir=SHARED_MEMORY))
    try:
        for path, content in {**TREE, **make(entries)}.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(content)
        yield directory
    finally:
        shutil.rmtree(directory)


def run(command, status):
    """Runs a command to its end, and returns its seconds and what it said on standard error."""
    began = time.perf_counter()
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - began
    said = done.stderr.decode(errors="replace")
    if done.returncode != status:
        raise NativeError(f"{command[0]} ended with {done.returncode}, not {status}: {said[-500:]}")
    return seconds, said


def apply(gtune, entries, *before, make=menu):
    """One `gtune apply` on a fresh tree, run by another program where before names one."""
    with tree(entries, make) as directory:
        result = run((*before, gtune, "--root", directory, "apply"), APPLIED)
        if any(TOKEN not in (directory / path).read_text() for path, text in make(entries).items() if "root=" in text):
            raise NativeError("gtune apply left entries as they were")
    return result


def bls_seconds(gtune, entries):
    """A plan, an apply and a revert, one after the other, on entry files."""
    with tree(entries, bls_menu) as directory:
        return [run((gtune, "--root", directory, verb), status)[0]
                for verb, status in (("plan", CHANGES), ("apply", APPLIED), ("revert", 0))]


def milliseconds(function, *arguments):
    """The median of some runs of a function that returns seconds."""
    return median([function(*arguments) for _ in range(RUNS)]) * 1000


def status_seconds(gtune, entries):
    """One `gtune status`."""
    with tree(entries) as directory:
        return run((gtune, "--root", directory, "status"), 3)[0]


def grub_check_seconds(entries):
    """What GRUB's own parser takes for the same file."""
    with tree(entries) as directory:
        return run(("grub-script-check", directory / GRUB_CFG), 0)[0]


def floor_seconds():
    """What it takes to start and await a process that does nothing."""
    return run(("true",), 0)[0]


# gtuned

def connect(connection, path, process):
    """Connects as soon as the process listens."""
    deadline = time.monotonic() + PATIENCE
    while connection.connect_ex(str(path)) != 0:
        if process.poll() is not None or time.monotonic() > deadline:
            raise NativeError("gtuned does not listen")
        time.sleep(0.0002)


def ask(path, process, request):
    """Connects as soon as the process listens, and returns the line that it answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connect(connection, path, process)
        connection.settimeout(PATIENCE)
        connection.sendall(request)
        with connection.makefile("rb") as answers:
            answer = answers.readline()
    if not answer.startswith(b'{"return": '):
        raise NativeError(f"gtuned answered {answer!r}")
    return answer


def start_seconds(gtuned):
    """From the start of gtuned to its first answer."""
    with tree(SIZES[0]) as directory:
        path = directory / "listen.sock"
        began = time.perf_counter()
        with subprocess.Popen([gtuned, "--root", directory, "--listen", path]) as process:
            try:
                ask(path, process, PING)
                return time.perf_counter() - began
            finally:
                process.terminate()


# Rows

def _time_apply(gtune):
    peer = shutil.which("grub-script-check")
    for entries in SIZES:
        goals = {"goal": 15, "limit": 30} if entries == SIZES[0] else {}
        words = [f"true {milliseconds(floor_seconds):.2g} ms"]
        if peer:
            words.append(f"grub-script-check {milliseconds(grub_check_seconds, entries):.3g} ms")
        yield Row(f"gtune apply, {entries:,} entries", milliseconds(lambda n=entries: apply(gtune, n)[0]), "ms", **goals,
                  peer=", ".join(words))


def _time_bls(gtune):
    for entries in (1000, 4000, SIZES[-1]):
        seconds = bls_seconds(gtune, entries)
        yield Row(f"gtune plan, apply and revert, {entries:,} BLS entries", sum(seconds) * 1000, "ms",
                  detail=", ".join(f"{value * 1000:.3g}" for value in seconds))


def timings(build):
    """Wall times: nothing else should run."""
    gtune, gtuned = build / "gtune", build / "gtuned"
    yield from _time_apply(gtune)
    yield from _time_bls(gtune)
    yield Row(f"gtune status, {SIZES[-1]:,} entries", milliseconds(status_seconds, gtune, SIZES[-1]), "ms")
    yield Row("gtuned start to first answer", milliseconds(start_seconds, gtuned), "ms", 50, 100,
              f"true {milliseconds(floor_seconds):.2g} ms")


def count_flushes(gtune, entries):
    """How often an apply waits for the disk."""
    with tempfile.NamedTemporaryFile("r") as log:
        apply(gtune, entries, "strace", "-f", "-c", "-o", log.name, "-e", "trace=fsync,fdatasync,sync,syncfs")
        return sum(int(calls) for calls in re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+).*sync", log.read(), re.M))


def count_instructions(gtune, entries, make=menu):
    """How many instructions an apply executes, the loader's included."""
    _, said = apply(gtune, entries, "valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", make=make)
    return int(re.search(r"Collected : (\d+)", said).group(1))


def read_twice(gtune):
    """The files that one `gtune status` reads more than once, on a golden machine whose services have drop-ins."""
    with tempfile.TemporaryDirectory(prefix="gtuned-bench-") as directory, tempfile.NamedTemporaryFile("r") as log:
        subprocess.run([ROOTS / "run", "--unpack", directory, DROP_INS], check=True)
        subprocess.run(["strace", "-f", "-y", "-o", log.name, "-e", "trace=openat,openat2", gtune, "--root", directory,
                        "status"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        opened = re.findall(rf"^(?!.*(?:O_PATH|O_DIRECTORY)).* = \d+<{re.escape(directory)}(/.*)>$", log.read(), re.M)
    if not opened:
        raise NativeError("gtune status has read no file")
    return sorted(path for path, times in collections.Counter(opened).items() if times > 1)


def _linear(what, instructions):
    """The cost of one more entry, between each two sizes, and how much it grows."""
    sizes = list(instructions)
    slopes = [(instructions[large] - instructions[small]) / (large - small)
              for small, large in zip(sizes, sizes[1:])]
    return Row(f"gtune apply: growth of the instructions per {what}", slopes[1] / slopes[0], "", LINEAR, LINEAR,
               detail=" → ".join(f"{slope:,.0f}" for slope in slopes))


def counts(build, checks):
    """Numbers that do not depend on what else runs."""
    gtune = build / "gtune"
    if shutil.which("strace"):
        flushes = {entries: count_flushes(gtune, entries) for entries in SIZES}
        yield Row("gtune apply: flushes", flushes[SIZES[0]], detail=_listed(flushes))
        twice = read_twice(gtune)
        yield Row("gtune status: files that are read twice", len(twice), "", 0, 1, detail=", ".join(twice))
    else:
        checks.skip("gtune apply: flushes", "strace is missing")
    if shutil.which("valgrind"):
        instructions = {entries: count_instructions(gtune, entries) for entries in SIZES}
        yield Row("gtune apply: instructions", instructions[SIZES[0]], detail=_listed(instructions))
        yield _linear("entry", instructions)
        yield _linear("BLS entry", {entries: count_instructions(gtune, entries, bls_menu) for entries in BLS_SIZES})
    else:
        checks.skip("gtune apply: instructions", "valgrind is missing")


def _listed(values):
    return ", ".join(f"{value:,} at {entries:,}" for entries, value in values.items())
