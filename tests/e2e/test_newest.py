# SPDX-License-Identifier: Apache-2.0
"""A guest of the newest Debian, from its kernel to its boot loader: a first boot by cloud-init, the main job, qga-policy,
the verdict with the log of user space, a quote, and a soft reboot."""

import json

import image
from checks import test
from test_cloud_init import CloudGuest, check_before, check_rebooted, check_settled, has_packages, packages, prepare
from test_main import GRUB_CFG, drift, haltpoll
from test_qga import call, disabled
from test_tpm import ask_tpm, gtune_host

POLICY = """\
#cloud-config
write_files:
  - path: /etc/gtuned/gtuned.conf.d/50-cloud.conf
    content: |
      [guest]
      vcpu = dedicated
      [haltpoll]
      guest_halt_poll_ns = 400000
      [qga-policy]
      block = exec
power_state:
  mode: reboot
  condition: [gtune, reboot-needed]
"""
# Without a measured image, systemd measures and keeps its log only if it is told to.
CMDLINE = f"{image.CMDLINE_PARTUUID} systemd.tpm2_measured_os=1"
VERSIONS = ("uname -r", "systemctl --version | head -1", "qemu-ga --version", "cloud-init --version", "tpm2_pcrread --version")
OURS = ("gtuned", "gtuned-apply", "gtuned-cloud-init", "gtuned-soft-reboot", "gtuned-request", "gtuned-tpm")
SLOW = 240  # under emulation, for what restarts a service
# They fail in this guest, which has no initrd; they set up systemd's PCRs in NV memory, which gtuned does not read.
MASKED = ("systemd-tpm2-setup-early.service", "systemd-pcrproduct.service")


def bake(root):
    """As for the other tests of a first boot, without the units that cannot do their work."""
    prepare(root)
    image.run("systemctl", f"--root={root}", "mask", *MASKED)


def newest_image(environment):
    """The image with cloud-init and gtuned's packages."""
    return image.build(environment.cache, environment.work / "image", rpms=packages(environment.rpms), bake=bake,
                       cmdline=CMDLINE, debian=image.NEWEST)


def first_boots(guest, checks):
    """The policy comes from user data, and the guest reboots once."""
    guest.seed("i-1", POLICY)
    check_rebooted(guest, checks, "boot 1")
    guest.start()
    check_settled(guest, checks, "boot 2", asked=False)
    check_before(guest, checks, "boot 1")
    for command in VERSIONS:
        checks.note(guest.shell(command)[1].strip())


def in_effect(guest, checks):
    """What the policy asks for is so, with evidence of the kernel, and drift is seen."""
    checks.equal("haltpoll is active", haltpoll(guest)["state"], "active")
    checks.contains("the kernel has the token", guest.read_file("/proc/cmdline"), b"cpuidle_haltpoll.force=Y")
    drift(guest, checks)


def agent_is_bound(guest, checks):
    """qemu-ga refuses what the policy blocks."""
    checks.contains("guest-exec is disabled", disabled(guest), "guest-exec")
    checks.ok("guest-exec is refused", "disabled" in str(call(guest, "guest-exec", {"path": "/bin/true"})))
    checks.equal("qga-policy is as it should be", guest.shell("gtune status qga-policy")[0], 0)


def judged(guest, environment, checks):
    """Both logs, of the firmware and of systemd, lead to the PCRs; a host verifies a quote of them."""
    verdict = ask_tpm(guest, "verdict")
    checks.equal("the logs lead to the PCRs", (verdict["state"], verdict["log"]["status"]), ("measured", "match"))
    checks.contains("the event log has the command line", guest.check("gtune eventlog"), "systemd.tpm2_measured_os=1")
    compared = verdict["log"]["banks"]["sha256"]["compared"]
    checks.ok("what user space measured, into PCR 11 and 15, is in a log", {11, 15} <= set(compared), repr(compared))
    done = gtune_host(environment, "quote", "--name", "vm", "--keys", guest.dir / "keys", str(guest.sockets["gtuned"]))
    checks.ok("gtune-host quote verifies", done.returncode in (0, 3, 4, 5), done.stdout + done.stderr)


def without_complaint(guest, checks):
    """This systemd knows all that the units ask for, and none of them failed."""
    failed = guest.shell("systemctl list-units --failed --plain --no-legend 'gtuned*'")[1]
    checks.equal("no unit of gtuned failed", failed, "")
    said = guest.shell("journalctl -q -b --no-pager _PID=1 | grep -E '/(%s)[@.][^ ]*:[0-9]+: '" % "|".join(OURS))[1]
    checks.equal("systemd has nothing to say of their files", said, "")


def softly_rebooted(guest, checks):
    """The daemon comes back, and the practices are as they were."""
    checks.equal("a soft reboot comes up", guest.soft_reboot(), "running")
    checks.equal("haltpoll is active after a soft reboot", haltpoll(guest)["state"], "active")


def taken_back(guest, checks):
    """revert gives grub.cfg back."""
    guest.shell("gtune revert", timeout=SLOW)
    checks.equal("after revert grub.cfg is the original", guest.read_file(GRUB_CFG),
                 image.grub_cfg(guest.image.release, CMDLINE).encode())


@test("newest", needs_tree=True, boots=5)
def newest(environment, checks):
    """Two boots, and one of user space alone. A guest that cannot be built today is left out by name."""
    if not has_packages(environment, checks):
        return
    try:
        disk = newest_image(environment)
    except image.ImageError as error:
        checks.skip("all of it", f"no guest of Debian {image.NEWEST.suite} can be built: {error}")
        return
    with CloudGuest(disk, "newest", environment.work, tpm=True) as guest:
        first_boots(guest, checks)
        for case in (in_effect, agent_is_bound, without_complaint):
            with checks.guard(case.__name__):
                case(guest, checks)
        with checks.guard("judged"):
            judged(guest, environment, checks)
        softly_rebooted(guest, checks)
        taken_back(guest, checks)
