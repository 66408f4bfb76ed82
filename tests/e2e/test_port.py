# SPDX-License-Identifier: Apache-2.0
"""The channel on a real virtio-serial port: hosts of every kind, QEMU's own client, and a port that comes and goes."""

import importlib.util
import os
import pathlib
import re
import socket
import subprocess
import time

import image
from channel import ChannelError
from checks import side_by_side, test
from qemu import Guest

HOSTILE = pathlib.Path(__file__).resolve().parents[1] / "channel" / "hostile-host.py"
POLICY = "/etc/gtuned/gtuned.conf.d/99-e2e.conf"


def load_cases():
    """tests/channel/hostile-host.py as a module."""
    spec = importlib.util.spec_from_file_location("hostile_host", HOSTILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hostile = load_cases()


class PortStage(hostile.Stage):
    """gtuned in a guest, behind QEMU's socket of its port."""

    name = "virtio port"

    def __init__(self, guest):
        self.guest, self.count = guest, 0

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(self.guest.sockets["gtuned"]))
        return hostile.Host(sock)

    def change(self):
        self.count += 1
        text = f"[haltpoll]\nguest_halt_poll_ns = {300000 + self.count}\n"
        self.guest.check(f"mkdir -p $(dirname {POLICY}) && cat > {POLICY}.new && mv {POLICY}.new {POLICY}", stdin=text.encode())

    def proc(self, name, pattern):
        pid = daemon_pid(self.guest)
        text = self.guest.read_file(f"/proc/{pid}/{name}").decode()
        return sum(int(number) for number in re.findall(pattern, text, re.MULTILINE))

    def memory(self):
        return self.proc("smaps_rollup", r"^Private_Dirty: +(\d+)")

    def switches(self):
        return self.proc("status", r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)")


def daemon_pid(guest):
    """The daemon's process."""
    return int(guest.check("systemctl show -P MainPID gtuned.service"))


def hosts_of_every_kind(guest, checks):
    """All cases of tests/channel; a watch event can take longer than a second when nothing but QEMU is slow."""
    def say(line):
        verdict, _, text = line.partition(" - ")
        if "# SKIP" in text:
            checks.skip(text, "see there")
        else:
            checks.ok(text, verdict == "ok")
    hostile.run_cases(PortStage(guest), say=say)


def unplug_and_plug(guest, checks):
    """The daemon ends with its port and comes back with it."""
    with guest.channel() as host:
        host.query("guest-ping")
    guest.unplug()
    time.sleep(1)
    checks.equal("the daemon ends with its port", guest.shell("systemctl is-active gtuned.service")[1].strip(), "inactive")
    checks.equal("it did not fail", guest.shell("systemctl is-failed gtuned.service")[0], 1)
    guest.plug()
    with guest.channel() as host:
        checks.equal("it answers on the new port", host.query("guest-ping", timeout=30), {})


def no_port(guest, checks):
    """Without a port nothing starts, and nothing loops."""
    guest.unplug()
    time.sleep(2)
    checks.equal("without a port the unit does not start", guest.shell("systemctl start gtuned.service", timeout=120)[0] != 0,
                 True)
    status, _, err = guest.shell("gtuned --port /dev/virtio-ports/org.gtuned.agent.0")
    checks.ok("started by hand it names the port", status != 0 and "org.gtuned.agent.0" in err, err)
    guest.plug()
    with guest.channel() as host:
        host.query("guest-ping", timeout=30)


def soft_reboot(guest, checks):
    """After a soft reboot, which the port does not notice, the daemon answers again; without a port nothing runs."""
    before = daemon_pid(guest)
    checks.equal("a soft reboot comes up", guest.soft_reboot(), "running")
    with checks.guard("the daemon answers after a soft reboot"), guest.channel() as host:
        checks.equal("the daemon answers after a soft reboot", host.query("guest-ping", timeout=30), {})
        checks.ok("… and it is another process", daemon_pid(guest) not in (0, before), daemon_pid(guest))
    guest.unplug()
    time.sleep(1)
    guest.check("systemctl restart gtuned-soft-reboot.service")
    checks.equal("without a port nothing is run", guest.check("systemctl show -P ConditionResult gtuned-soft-reboot.service")
                 .strip(), "no")
    guest.plug()
    with guest.channel() as host:
        host.query("guest-ping", timeout=30)


def second_daemon(guest, checks):
    """The port has one opener: the second is told who it is."""
    status, _, err = guest.shell("gtuned --port /dev/virtio-ports/org.gtuned.agent.0")
    checks.ok("a second daemon names the holder", status != 0 and str(daemon_pid(guest)) in err, err)


def fetch_qemu_client(work):
    """QEMU's own Python client from Debian's source package of qemu."""
    apt = work / "apt"
    options = image.apt_options(apt, f"deb-src [signed-by={image.KEYRING}] {image.mirror()} {image.SUITE} main")
    subprocess.run(["apt-get", *options, "update", "-qq"], check=True, capture_output=True)
    subprocess.run(["apt-get", *options, "source", "--download-only", "-qq", "qemu"], cwd=apt, check=True,
                   capture_output=True)
    archive = next(apt.glob("qemu_*.orig.tar.*"))
    subprocess.run(["tar", "-C", apt, "--strip-components=1", "--wildcards", "-xf", archive, "*/python/qemu",
                    "*/scripts/qmp"], check=True)
    return apt


def qemu_client(guest, checks, source):
    """qemu-ga-client of QEMU's source tree gets ping and info answered."""
    for command in ("ping", "info"):
        done = subprocess.run(["/usr/bin/python3", source / "scripts/qmp/qemu-ga-client",
                               f"--address={guest.sockets['gtuned']}", command],
                              env={**os.environ, "PYTHONPATH": str(source / "python")}, capture_output=True, text=True,
                              timeout=60, check=False)
        checks.equal(f"qemu-ga-client {command}", (done.returncode, "guest-ping" in done.stdout or command == "ping"),
                     (0, True))


def idle(guest, checks):
    """60 s without a host, and 60 s with one that is silent."""
    with checks.guard("an idle daemon is never woken, without a host and with a silent one"):
        hostile.idle(PortStage(guest))
        checks.ok("0 wake-ups in 60 s without a host, and 0 in 60 s with a silent one")


@test("port", needs_tree=True, boots=4)
def port(environment, checks):
    """One guest; the port is its own, so nothing else runs in it."""
    with Guest(environment.image, "port", environment.work) as guest:
        _, source = side_by_side(guest.boot, lambda: fetch_qemu_client(environment.work))
        second_daemon(guest, checks)
        hosts_of_every_kind(guest, checks)
        qemu_client(guest, checks, source)
        if environment.thorough:  # the bench measures it in every run
            idle(guest, checks)
        unplug_and_plug(guest, checks)
        no_port(guest, checks)
        soft_reboot(guest, checks)
        with checks.guard("the daemon answers at the end"), guest.channel() as host:
            checks.equal("the daemon answers at the end", host.query("guest-ping"), {})
        checks.raises("nobody answers on a port without an agent", ChannelError, guest.channel("echo").sync, 1.5)
