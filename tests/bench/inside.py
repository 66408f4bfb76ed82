# SPDX-License-Identifier: Apache-2.0
"""What is measured in a real guest, beside qemu-ga in the same guest."""

import contextlib
import json
import os
import random
import re
import socket
import struct
import time

import image
from qemu import PORTS, GuestError
from report import Row, median

PAIRS = 300
ROUNDS = 5
WARM_UP = 20
CPU = 0
PAUSE_SECONDS = 0.001
SILENCE_SECONDS = 1.2  # after that a report is read again before it is given
QUERIES_AFTER_SILENCE = 7
QUOTES = 20
QUOTE_PAUSE = (0.002, 0.008)
PATIENCE = 20
IDLE_SECONDS = 60
SETTLE_SECONDS = 3
STARTS = 5
PROGRAMS = ("echo", "idle")
UNITS = ("gtuned-apply.service", "gtuned-request.socket", "gtuned-tpm.socket")
POLICY = "[guest]\nvcpu = dedicated\n[haltpoll]\nguest_halt_poll_ns = 400000\n"
AGENTS = {"gtuned": "gtuned.service", "qga": "qemu-guest-agent.service"}
# What is asked of gtuned and of qemu-ga, and how many raw echoes it may cost.
ROUND_TRIPS = (("guest-ping", "guest-ping", (1.3, 1.6)), ("gtune-status", "guest-get-osinfo", (2, 2.5)))
EXPOSURES = {"gtuned.service": (1.5, 2.0), "gtuned-apply.service": (3.0, 4.0)}


class Line:
    """A port of the guest, without a line of code that is not needed: what it takes is part of each round trip."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        # The kernel's time limit: with Python's own each read would be two system calls.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", PATIENCE, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def ask(self, request):
        """Sends a request and returns the line that comes back."""
        self._socket.sendall(request)
        reply = self._socket.recv(65536)
        while reply[-1:] != b"\n":
            more = self._socket.recv(65536)
            if not more:
                raise GuestError(f"a port was closed in the middle of {reply[:80]!r}")
            reply += more
        return reply

    def seconds(self, request, size):
        """How long it takes to get an answer of that size."""
        began = time.perf_counter()
        reply = self.ask(request)
        seconds = time.perf_counter() - began
        if len(reply) != size:
            raise GuestError(f"{request!r} was answered with {len(reply)} bytes instead of {size}: {reply[:200]!r}")
        return seconds


# Round trips

def echo_request(size, reply_size):
    """A request of the same size whose answer has the same size."""
    return str(reply_size).encode().ljust(size - 1, b" ") + b"\n"


def pairs(guest, port, command, pause=0):
    """The medians of a command and of the echo, asked in turn, in seconds.

    Without a pause the echo pays for what the agent still does after its answer, and so it flatters an agent that
    does much then. After a pause each request meets a guest that sleeps.
    """
    request = b'{"execute": "%s"}' % command.encode()
    with guest.channel(port) as channel:
        channel.sync()
    with Line(guest.sockets[port]) as agent, Line(guest.sockets["echo"]) as echo:
        size = len(agent.ask(request))
        turns = ((echo, echo_request(len(request), size), []), (agent, request, []))
        for _ in range(WARM_UP + PAIRS):
            for line, bytes_, taken in turns:
                if pause:
                    time.sleep(pause)
                taken.append(line.seconds(bytes_, size))
    echoed, asked = (median(taken[WARM_UP:]) for _, _, taken in turns)
    return asked, echoed


def typical_pairs(guest, port, command, pause):
    """The round with the median ratio: under emulation a round as a whole can be lucky or not."""
    rounds = sorted((pairs(guest, port, command, pause) for _ in range(ROUNDS)), key=lambda r: r[0] / r[1])
    return rounds[ROUNDS // 2]


def after_silence(guest, port, command):
    """The median of a command that comes alone, as that of a host that asks now and then, in seconds."""
    request, taken = b'{"execute": "%s"}' % command.encode(), []
    with Line(guest.sockets[port]) as agent:
        for _ in range(QUERIES_AFTER_SILENCE):
            time.sleep(SILENCE_SECONDS)
            began = time.perf_counter()
            agent.ask(request)
            taken.append(time.perf_counter() - began)
    return median(taken)


def pin(guest, pid):
    """Puts a process on the one virtual CPU of the round trips: on which of two it lies is worth a third of a ratio."""
    guest.check(f"taskset -a -p -c {CPU} {pid}")


def _round_trip_row(guest, command, peer, goals, pause):
    """A command of ours and one of qemu-ga in units of raw echoes of their sizes."""
    asked, echoed = typical_pairs(guest, "gtuned", command, pause)
    other, other_echoed = typical_pairs(guest, "qga", peer, pause)
    how = f", the guest asleep for {pause * 1e3:g} ms" if pause else ""
    return Row(f"{command} round trip / raw echo{how}", asked / echoed, "", *goals,
               f"qemu-ga {peer} {other / other_echoed:.3g} ({other * 1e6:,.0f} µs / {other_echoed * 1e6:,.0f} µs)",
               f"{asked * 1e6:,.0f} µs / {echoed * 1e6:,.0f} µs")


def round_trips(guest, pids):
    """What the host waits for."""
    guest.check(f"systemd-run --quiet --unit=bench-echo /root/echo /dev/virtio-ports/{PORTS['echo']}")
    for pid in (*pids.values(), main_pid(guest, "bench-echo")):
        pin(guest, pid)
    for command, peer, goals in ROUND_TRIPS:
        yield _round_trip_row(guest, command, peer, goals, 0)
        yield _round_trip_row(guest, command, peer, (None, None), PAUSE_SECONDS)
    guest.check("systemctl stop bench-echo")
    yield Row(f"gtune-status after {SILENCE_SECONDS} s of silence", after_silence(guest, "gtuned", "gtune-status") * 1e3,
              "ms", peer=f"qemu-ga guest-get-osinfo {after_silence(guest, 'qga', 'guest-get-osinfo') * 1e3:.3g} ms")


# Round trips while a quote is made

class Lines:
    """The port of an agent whose answers may come in another order than the questions."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.settimeout(PATIENCE)
        self._read = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, request):
        """Sends a request and waits for nothing."""
        self._socket.sendall(request)

    def line(self):
        """The next line."""
        while b"\n" not in self._read:
            more = self._socket.recv(65536)
            if not more:
                raise GuestError("a port was closed")
            self._read += more
        line, _, self._read = self._read.partition(b"\n")
        return line + b"\n"


def quote_request():
    """A new quote."""
    return json.dumps({"execute": "gtune-quote", "id": "quote", "arguments": {
        "nonce": os.urandom(16).hex(), "bank": "sha256", "selection": "0-7"}}).encode()


def pings_and_echoes(agent, echo):
    """Asks for a quote, and until it is there in turn for an echo and a ping: how long each took, in seconds.

    Before each is a pause, of another length each time, so that both meet a CPU that works on the quote: what is asked
    while the other's answer is still being sent finds the scheduler at work already.
    """
    ping, pong = b'{"execute": "guest-ping"}', b'{"return": {}}\n'
    echoes, pings, under_way = [], [], True
    agent.send(quote_request())
    while under_way:
        time.sleep(random.uniform(*QUOTE_PAUSE))
        echoes.append(echo.seconds(echo_request(len(ping), len(pong)), len(pong)))
        time.sleep(random.uniform(*QUOTE_PAUSE))
        began = time.perf_counter()
        agent.send(ping)
        while (line := agent.line()) != pong:
            if b'"error"' in line[:10]:
                raise GuestError(f"no quote: {line[:200]!r}")
            under_way = False
        pings.append(time.perf_counter() - began)
    return echoes, pings


def quote_round(guest):
    """How long pings and echoes take while some quotes are made, in seconds."""
    guest.check(f"systemd-run --quiet --unit=quotes-echo /root/echo /dev/virtio-ports/{PORTS['echo']}")
    pin(guest, main_pid(guest, "quotes-echo"))
    echoes, pings = [], []
    with guest.channel() as channel:
        channel.sync()
    with Lines(guest.sockets["gtuned"]) as agent, Line(guest.sockets["echo"]) as echo:
        for _ in range(QUOTES):
            for taken, more in zip((echoes, pings), pings_and_echoes(agent, echo)):
                taken += more
    guest.check("systemctl stop quotes-echo")
    return echoes, pings


def during_quotes(guest):
    """A ping costs what it costs while the TPM is asked beside it."""
    echoes, pings = quote_round(guest)
    asked, echoed = median(pings), median(echoes)
    yield Row(f"guest-ping round trip / raw echo, during {QUOTES} quotes", asked / echoed, "", 1.3, 1.6,
              detail=f"{asked * 1e6:,.0f} µs / {echoed * 1e6:,.0f} µs, {len(pings)} pairs")
    yield Row("the longest of these pings", max(pings) * 1e3, "ms", detail=f"echo {max(echoes) * 1e3:.3g} ms")


# Wake-ups

def main_pid(guest, unit):
    """The process of a unit."""
    pid = guest.check(f"systemctl show --value -p MainPID {unit}").strip()
    if pid == "0":
        raise GuestError(f"{unit} does not run:\n" + guest.shell(f"systemctl status {unit}")[1])
    return pid


def switches(guest, pids):
    """How often each agent was switched to so far, all threads."""
    for name, pid in pids.items():
        text = guest.check(f"grep -h ctxt_switches /proc/{pid}/task/*/status")
        yield name, sum(int(line.split()[1]) for line in text.splitlines())


def idle_window(guest, pids):
    """The context switches of each agent while nothing happens."""
    time.sleep(SETTLE_SECONDS)
    before = dict(switches(guest, pids))
    time.sleep(IDLE_SECONDS)
    return {name: count - before[name] for name, count in switches(guest, pids)}


def wake_ups(guest, pids):
    """First with no host at the ports, then with one that says nothing."""
    for attached in (False, True):
        with contextlib.ExitStack() as hosts:
            for port in pids if attached else ():
                hosts.enter_context(guest.channel(port))
            counted = idle_window(guest, pids)
        host = "a silent host attached" if attached else "no host attached"
        yield Row(f"wake-ups in {IDLE_SECONDS} s, {host}", counted["gtuned"], "", 0, 1, f"qemu-ga {counted['qga']:,}")


# Memory

def memory(guest, pid):
    """Kilobytes of a process, by their kind."""
    text = guest.read_file(f"/proc/{pid}/smaps_rollup").decode()
    return {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}


def start_gtuned(guest):
    """Starts gtuned anew and has it answer, at once and after a silence."""
    guest.check("systemctl reset-failed gtuned.service && systemctl restart gtuned.service")
    with guest.channel("gtuned") as host:
        host.query("gtune-status")
        time.sleep(SILENCE_SECONDS)
        host.query("gtune-status")
    return AGENTS["gtuned"]


def start_idle(guest):
    """Starts the program that does nothing with the same libraries."""
    guest.check("systemd-run --quiet --unit=bench-idle /root/idle")
    time.sleep(SILENCE_SECONDS)
    return "bench-idle.service"


def median_pss(guest, start):
    """The PSS over some starts: the kernel maps files in windows whose places are drawn by lot at each start.

    After each the program is stopped: two that run would share what they map.
    """
    values = []
    for _ in range(STARTS):
        unit = start(guest)
        values.append(memory(guest, main_pid(guest, unit))["Pss"])
        guest.check(f"systemctl stop {unit}")
    return median(values)


def memories(guest, pids):
    """What the agents hold after all that they were asked, and what gtuned maps beside a program that is idle."""
    ours, peer = memory(guest, pids["gtuned"]), memory(guest, pids["qga"])
    yield Row("daemon memory: private dirty", ours["Private_Dirty"], "kB", 400, 400,
              f"qemu-ga {peer['Private_Dirty']} kB")
    guest.check("systemctl stop gtuned.service")
    idle, pss = median_pss(guest, start_idle), median_pss(guest, start_gtuned)
    yield Row("daemon memory: PSS / idle program", pss / idle, "", 1.25, 1.25, f"qemu-ga PSS {peer['Pss']:,} kB",
              f"{pss:,} kB / {idle:,} kB")


# Exposure

def exposure(guest, unit):
    """What systemd-analyze thinks of a unit, from 0 to 10."""
    text = guest.check(f"systemd-analyze security --no-pager {unit}")
    return float(re.search(r"Overall exposure level for \S+: ([\d.]+)", text).group(1))


def exposures(guest):
    """The sandboxes."""
    peer = f"{AGENTS['qga']} {exposure(guest, AGENTS['qga'])}"
    for unit, (goal, limit) in EXPOSURES.items():
        yield Row(f"systemd-analyze security {unit}", exposure(guest, unit), "", goal, limit, peer)


# All of it

def make(build, *words):
    """make in the build directory, quiet unless it fails."""
    image.run("make", "-C", build, "--no-print-directory", *words)


def installed(build, work):
    """A tree as a package would leave it, with a policy that wants something."""
    tree = work / "tree"
    make(build, "install", f"DESTDIR={tree}")
    policy = tree / "etc/gtuned/gtuned.conf"
    policy.parent.mkdir(parents=True, exist_ok=True)
    policy.write_text(POLICY)
    return tree


def disk(build, work, cache=None, tree=None):
    """An image with what the build installs, or with another tree; builds what is measured beside it as well."""
    began = time.monotonic()
    tree = tree or installed(build, work)
    make(build, *(f"tests/bench/{name}" for name in PROGRAMS))
    made = image.build(cache or work.parent / "cache", work / "image", tree, UNITS)
    print(f"# image: built in {time.monotonic() - began:.1f} s", flush=True)
    return made


def prepare(guest, build):
    """Boots, and brings in what is measured beside gtuned."""
    state = guest.boot(direct=True, efi=False)
    for name in PROGRAMS:
        guest.write_file(f"/root/{name}", (build / "tests/bench" / name).read_bytes())
        guest.check(f"chmod 755 /root/{name}")
    return state


def measure(guest, build, checks):
    """The rows of a guest."""
    checks.equal("the guest runs", prepare(guest, build), "running")
    checks.note(f"the boot took {guest.boot_seconds:.0f} s")
    pids = {name: main_pid(guest, unit) for name, unit in AGENTS.items()}
    rows = []
    for part in (round_trips(guest, pids), during_quotes(guest), wake_ups(guest, pids), memories(guest, pids),
                 exposures(guest)):
        with checks.guard("the guest is measured"):
            rows += part
    return rows
