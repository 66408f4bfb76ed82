# SPDX-License-Identifier: Apache-2.0
"""What an answer of gtuned costs in a real guest, both builds in one boot: rows of tests/bench/versus."""

import contextlib
import functools
import time

import inside
from comparison import Row
from qemu import PORTS, Guest, GuestError
from report import median

PORT = f"/dev/virtio-ports/{PORTS['gtuned']}"
DROP_IN = "/run/systemd/system/gtuned.service.d/versus.conf"
PARAMETER = "/sys/module/haltpoll/parameters/guest_halt_poll_ns"
# Writes each line that comes from a port, without a process that would have to be started for it.
WRITER = f"while read -r value; do echo $value >{PARAMETER}; done </dev/virtio-ports/{PORTS['echo']}"
WRITES = 40
WRITE_PAUSE = 0.4
QUOTE_ROUNDS = 5


class Turns:
    """A guest in which the gtuned of either build serves in turn, under the unit as it is shipped."""

    def __init__(self, guest, sides):
        self.guest, self._serving = guest, None
        self._programs = {side: f"/usr/sbin/gtuned-{number}" for number, side in enumerate(sides)}
        for side, program in self._programs.items():
            guest.write_file(program, side.gtuned.read_bytes())
            guest.check(f"chmod 755 {program}")
        inside.pin(guest, inside.main_pid(guest, inside.AGENTS["qga"]))

    def serve(self, side):
        """Has the gtuned of that build serve, if it does not yet; returns the guest."""
        if side is self._serving:
            return self.guest
        unit = inside.AGENTS["gtuned"]
        self.guest.write_file(DROP_IN, f"[Service]\nExecStart=\nExecStart={self._programs[side]} --port {PORT}\n")
        self.guest.check(f"systemctl daemon-reload && systemctl reset-failed {unit} && systemctl restart {unit}")
        inside.pin(self.guest, inside.main_pid(self.guest, unit))
        with self.guest.channel() as host:
            host.query("gtune-status")
        # What follows a start, such as the answer of the service manager, is no part of what is measured.
        time.sleep(inside.SETTLE_SECONDS)
        self._serving = side
        return self.guest


@contextlib.contextmanager
def booted(sides, work, cache):
    """Boots a guest with what the new build installs, and hands it to both sides."""
    build = sides[-1].build
    with Guest(inside.disk(build, work, cache), "versus", work, tpm=True) as guest:
        state = inside.prepare(guest, build)
        if state != "running":
            raise GuestError(f"the guest is {state}")
        turns = Turns(guest, sides)
        for side in sides:
            side.turns = turns
        yield


@functools.cache
def cold_seconds(side):
    """gtune-status after a silence, and beside it what qemu-ga takes for its nearest command."""
    guest = side.turns.serve(side)
    return inside.after_silence(guest, "gtuned", "gtune-status"), inside.after_silence(guest, "qga", "guest-get-osinfo")


def cold_milliseconds(side):
    """gtune-status after a silence."""
    return cold_seconds(side)[0] * 1000


def cold_beside_qga(side):
    """gtune-status after a silence, in units of what qemu-ga takes then."""
    ours, peer = cold_seconds(side)
    return ours / peer


@functools.cache
def event_times(side):
    """From the moment when the host has the guest write a parameter to the event's line at the host, in milliseconds.

    The way of the value into the guest is part of it.
    """
    guest, taken = side.turns.serve(side), []
    with inside.Lines(guest.sockets["echo"]) as writer, guest.channel() as host:
        guest.check(f"systemd-run --quiet --unit=versus-writer sh -c '{WRITER}'")
        host.watch()
        for number in range(WRITES):
            time.sleep(WRITE_PAUSE)
            began = time.perf_counter()
            writer.send(b"%d\n" % (300000 + number))
            event = host.event()
            taken.append((time.perf_counter() - began) * 1000)
            if str(300000 + number) not in str(event):
                raise GuestError(f"write {number} is not in the event {event}")
        guest.check("systemctl stop versus-writer")
    return taken


def event_milliseconds(side):
    """The median of these times."""
    return median(event_times(side))


def event_longest(side):
    """The longest of these times."""
    return max(event_times(side))


def ping_during_quotes(side):
    """The longest ping while quotes are made, in units of the longest echo that takes turns with it."""
    echoes, pings = inside.quote_round(side.turns.serve(side))
    return max(pings) / max(echoes)


ROWS = (
    Row("guest-cold", f"guest: gtune-status after {inside.SILENCE_SECONDS} s", "ms", 1, cold_milliseconds),
    Row("guest-cold-qga", "… in units of guest-get-osinfo", "", 1, cold_beside_qga),
    Row("guest-event", "guest: a parameter's write to its event", "ms", 1, event_milliseconds),
    Row("guest-event-longest", "… the longest", "ms", 1, event_longest),
    Row("guest-ping-quote", f"guest: longest ping / echo, {inside.QUOTES} quotes", "", QUOTE_ROUNDS,
        ping_during_quotes),
)
