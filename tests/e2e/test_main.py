# SPDX-License-Identifier: Apache-2.0
"""The main job: declare, plan, apply, verify, report, over three boots of a real guest."""

import json
import time

import image
import journal
from channel import ChannelTimeout
from checks import test
from qemu import Guest

CPUIDLE = "/sys/devices/system/cpu/cpuidle"
TUNABLE = "/sys/module/haltpoll/parameters/guest_halt_poll_ns"
GRUB_CFG = f"/boot/efi/{image.GRUB_CFG}"
PATIENCE = 20


def practice(report, name="haltpoll"):
    """A practice of a report or of an event."""
    return next(p for p in report["practices"] if p["name"] == name)


def haltpoll(guest):
    """What the host reads of haltpoll."""
    with guest.channel() as host:
        return practice(host.query("gtune-status"))


def wait_state(host, wanted, seconds=PATIENCE):
    """Reads events until haltpoll is in a state; returns the seconds it took, or None."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            event = host.event(seconds)
        except ChannelTimeout:
            return None
        for found in event["data"]["practices"]:
            if found["name"] == "haltpoll" and found["state"] == wanted:
                return time.monotonic() - began
    return None


def original_grub_cfg(guest):
    """What the image was made with."""
    return image.grub_cfg(guest.image.release, guest.image.cmdline).encode()


def first_boot(guest, checks):
    """The boot unit has applied the policy; the kernel does not have the token yet."""
    checks.equal("boot 1 ends in a running system", guest.boot(), "running")
    found = haltpoll(guest)
    checks.equal("boot 1: the host reads pending-reboot", found["state"], "pending-reboot")
    checks.equal("boot 1: systemd complains of nothing in our units", journal.complaints(guest), [])
    with guest.channel() as host:
        checks.equal("boot 1: no credential is offered", host.query("gtune-status")["policy"].get("credential"), None)
    checks.equal("boot 1: the tunable reads 400000", guest.read_file(TUNABLE), b"400000\n")
    checks.contains("boot 1: the report has the setting", found["settings"],
                    {"name": "guest_halt_poll_ns", "wanted": "400000", "actual": "400000"})
    checks.contains("boot 1: grub.cfg has the token", guest.read_file(GRUB_CFG), b" cpuidle_haltpoll.force=Y\n")
    checks.equal("boot 1: reboot-needed says yes", guest.shell("gtune reboot-needed")[0], 0)
    journal.check_sent(guest, checks, "APPLIED", 1, 5, GRUB_CFG, GTUNED_FILE=GRUB_CFG, GTUNED_ATTRIBUTE=TUNABLE,
                       _SYSTEMD_UNIT="gtuned-apply.service")
    checks.contains("journalctl -x explains it", journal.explained(guest, "APPLIED"), "gtune revert")
    checks.equal("boot 1: a second apply changes nothing", guest.shell(
        f"stat -c %Y.%y {GRUB_CFG} /var/lib/gtuned/* > /run/before; gtune apply >/dev/null; "
        f"stat -c %Y.%y {GRUB_CFG} /var/lib/gtuned/* | cmp - /run/before")[0], 0)


def second_boot(guest, checks):
    """In effect, with evidence of the kernel; drift is seen, mended, and everything is taken back."""
    guest.reboot()
    found = haltpoll(guest)
    for name in ("current_driver", "current_governor"):
        checks.equal(f"boot 2: {name}", guest.read_file(f"{CPUIDLE}/{name}"), b"haltpoll\n")
        checks.contains(f"boot 2: {name} is evidence", found["evidence"],
                        {"source": f"{CPUIDLE}/{name}", "value": "haltpoll"})
    checks.equal("boot 2: the host reads active", found["state"], "active")
    checks.equal("boot 2: gtune status agrees", guest.shell("gtune status")[0], 0)
    checks.equal("boot 2: reboot-needed says no", guest.shell("gtune reboot-needed")[0], 1)
    checks.note("what a person sees:\n" + guest.shell("gtune status haltpoll")[1])
    drift(guest, checks)
    journal.check_sent(guest, checks, "DRIFTED", 1, 4, TUNABLE.rpartition("/")[2], PRACTICE="haltpoll", GTUNED_STATE="drifted")
    checks.equal("boot 2: revert says that a reboot is pending", guest.shell("gtune revert")[0], 4)
    journal.check_sent(guest, checks, "REVERTED", 1, 5, GRUB_CFG, GTUNED_FILE=GRUB_CFG)
    checks.equal("boot 2: after revert grub.cfg is the original", guest.read_file(GRUB_CFG), original_grub_cfg(guest))
    checks.equal("boot 2: after revert the tunable is the kernel's", guest.read_file(TUNABLE), b"200000\n")


def drift(guest, checks):
    """A process writes another value, and a host that watches sees it."""
    with guest.channel() as host:
        checks.equal("watch: begins with the report", practice(host.watch())["state"], "active")
        guest.check(f"echo 123456 > {TUNABLE}")
        seconds = wait_state(host, "drifted")
        checks.ok("watch: drifted within a second", seconds is not None and seconds < 1, f"{seconds} s")
        checks.note(f"watch: the host saw the drift after {seconds} s")
        checks.contains("watch: the evidence names file and value", haltpoll_of(guest)["evidence"],
                        {"source": TUNABLE, "value": "123456"})
        guest.shell("gtune apply")
        checks.ok("watch: active after apply", wait_state(host, "active") is not None)
    checks.equal("apply mended the value", guest.read_file(TUNABLE), b"400000\n")


def haltpoll_of(guest):
    """The same, asked inside: the port is taken by the host that watches."""
    return practice(json.loads(guest.shell("gtune status --json")[1]))


def third_boot(guest, checks):
    """As before gtuned."""
    guest.reboot()
    found = haltpoll(guest)
    checks.equal("boot 3: no driver", guest.read_file(f"{CPUIDLE}/current_driver"), b"none\n")
    checks.equal("boot 3: the tunable is the kernel's", guest.read_file(TUNABLE), b"200000\n")
    checks.equal("boot 3: grub.cfg is the original", guest.read_file(GRUB_CFG), original_grub_cfg(guest))
    checks.equal("boot 3: held", (found["state"], found["held"]), ("off", True))


@test("main", needs_tree=True, boots=3)
def main_job(environment, checks):
    """Three boots through GRUB."""
    with Guest(environment.image, "main", environment.work) as guest:
        first_boot(guest, checks)
        second_boot(guest, checks)
        third_boot(guest, checks)


@test("not-read", needs_tree=True, boots=2)
def not_read(environment, checks):
    """A guest whose host passes the command line: grub.cfg is edited and never read."""
    with Guest(environment.image, "not-read", environment.work) as guest:
        guest.boot(direct=True)
        checks.equal("the first boot is pending-reboot", haltpoll(guest)["state"], "pending-reboot")
        guest.reboot()
        found = haltpoll(guest)
        checks.equal("the second one is a conflict", (found["state"], found["reason_code"]),
                     ("conflict", "boot-config-not-read"))
