# SPDX-License-Identifier: Apache-2.0
"""Checks the test infrastructure itself; nothing of gtuned is in it."""

import time

from channel import ChannelError
from checks import side_by_side, test
from image import GRUB_CFG
from qemu import PORTS, STATUS_TIMEOUT, Guest

CPUIDLE = "/sys/devices/system/cpu/cpuidle"
TOKEN = b" cpuidle_haltpoll.force=Y"


def _boot(guest, checks, how, **options):
    """Boots and reports how long it took."""
    checks.equal(f"{guest.name}: {how} ends in a running system", guest.boot(**options), "running")
    checks.note(f"{guest.name}: {how} took {guest.boot_seconds:.1f} s")


def _check_shell(guest, checks):
    """The shell gives back exactly what a command did."""
    checks.equal("shell: status, output, errors", guest.shell("echo out; echo err >&2; exit 3"), (3, "out\n", "err\n"))
    every_byte = bytes(range(256)) * 4096
    checks.equal("shell: 1 MiB of every byte comes back", guest.shell_bytes("cat", stdin=every_byte)[1], every_byte)
    checks.equal("shell: a signal", guest.shell("kill -9 $$")[0], 128 + 9)
    checks.equal("shell: a command without an end", guest.shell("echo begun; sleep 99", timeout=1),
                 (STATUS_TIMEOUT, "begun\n", ""))
    began = time.monotonic()
    checks.equal("shell: a process left behind", guest.shell("sleep 30 & echo done")[:2], (0, "done\n"))
    checks.ok("shell: nobody waits for it", time.monotonic() - began < 20)
    guest.write_file("/root/a file", b"\0\xff\n")
    checks.equal("files: written and read", guest.read_file("/root/a file"), b"\0\xff\n")


def _check_machine(guest, checks):
    """The guest is what gtuned will meet."""
    checks.contains("the kernel is the image's", guest.check("uname -r"), guest.image.release)
    checks.equal("the hypervisor is KVM", guest.check("systemd-detect-virt").strip(), "kvm")
    values = guest.check("cd /sys/module/haltpoll/parameters && grep . *").split()
    checks.contains("the haltpoll tunables are readable", values, "guest_halt_poll_ns:200000")
    checks.equal("haltpoll is not in effect", guest.check(f"cat {CPUIDLE}/current_driver"), "none\n")
    ports = guest.check("ls /dev/virtio-ports").split()
    checks.equal("every port is there", sorted(ports), sorted(PORTS.values()))


def _check_ports(guest, checks):
    """A real agent answers, and a port can be unplugged and plugged."""
    with guest.channel("qga") as qga:
        checks.equal("qemu-ga answers guest-ping", qga.query("guest-ping"), {})
    gone = f"! test -e /dev/virtio-ports/{PORTS['gtuned']}"
    guest.unplug("gtuned")
    checks.equal("an unplugged port is gone", guest.shell("udevadm settle; " + gone)[0], 0)
    guest.plug("gtuned")
    checks.equal("a plugged port is back", guest.shell("udevadm settle; " + gone)[0], 1)
    with guest.channel("gtuned") as nobody:
        checks.raises("a port without an agent does not answer", ChannelError, nobody.sync, 1.5)


def _force_haltpoll(guest):
    """What an administrator would do by hand: the token on the command line of the first entry."""
    path = f"/boot/efi/{GRUB_CFG}"
    text = guest.read_file(path)
    old = guest.image.cmdline.encode()
    guest.write_file(path, text.replace(old, old + TOKEN, 1))


@test("smoke")
def smoke(environment, checks):
    """A guest that boots by GRUB, and obeys its grub.cfg."""
    with Guest(environment.image, "grub", environment.work) as guest:
        _boot(guest, checks, "first boot")
        _check_shell(guest, checks)
        _check_machine(guest, checks)
        _check_ports(guest, checks)
        _force_haltpoll(guest)
        boot_id = guest.boot_id()
        began = time.monotonic()
        guest.reboot()
        checks.note(f"grub: reboot took {time.monotonic() - began:.1f} s")
        checks.ok("a reboot is a new boot", guest.boot_id() != boot_id)
        checks.contains("the kernel has the token of grub.cfg", guest.read_file("/proc/cmdline"), TOKEN)
        for attribute in ("current_driver", "current_governor"):
            checks.equal(f"{attribute} is haltpoll", guest.read_file(f"{CPUIDLE}/{attribute}"), b"haltpoll\n")


@test("smoke-direct")
def smoke_direct(environment, checks):
    """A measured boot, and beside it a guest that boots without its boot loader, loses power and boots again."""
    with Guest(environment.image, "tpm", environment.work, tpm=True) as measured, \
            Guest(environment.image, "direct", environment.work) as direct:
        side_by_side(lambda: _boot(measured, checks, "boot with a TPM"),
                     lambda: _boot(direct, checks, "direct boot", direct=True, append="e2e.word"))
        log = measured.read_file("/sys/kernel/security/tpm0/binary_bios_measurements")
        checks.contains("the event log knows GRUB's command line", log, b"grub_cmd: ")
        words = direct.read_file("/proc/cmdline").split()
        checks.contains("a direct boot has the words it was given", words, b"e2e.word")
        checks.ok("a direct boot has no boot loader", not any(w.startswith(b"BOOT_IMAGE") for w in words), f"{words}")
        checks.equal("and firmware all the same", direct.shell("test -d /sys/firmware/efi")[0], 0)
        direct.write_file("/root/kept", "kept")
        direct.kill()
        _boot(direct, checks, "direct boot without firmware, after a power loss", direct=True, efi=False)
        checks.equal("what was flushed is there", direct.read_file("/root/kept"), b"kept")
