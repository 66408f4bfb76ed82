# SPDX-License-Identifier: Apache-2.0
"""The recipe of an image builder: a tree is tuned before it becomes a disk, and its first boot has it all."""

import functools
import pathlib
import subprocess

import image
from checks import test
from qemu import Guest
from test_cloud_init import packages
from test_main import TUNABLE, haltpoll, original_grub_cfg

GRUB_CFG = f"boot/efi/{image.GRUB_CFG}"
TOKEN = " cpuidle_haltpoll.force=Y"
POLICY = "etc/gtuned/gtuned.conf.d/50-image.conf"
POLICY_TEXT = "[guest]\nvcpu = dedicated\n\n[haltpoll]\nguest_halt_poll_ns = 400000\n"
VIRTUAL = ("dev", "proc", "run", "sys")


def _gtune(root, *words):
    """Runs the tree's own gtune on the machine that builds, as an image builder does."""
    program = pathlib.Path(root) / "usr/bin/gtune"
    return subprocess.run([program, "--root", root, *words], capture_output=True, text=True, check=False)


def _virtual(root):
    """What lies in the tree where a running machine has file systems that are no files."""
    return sorted(str(path.relative_to(root)) for name in VIRTUAL for path in (root / name).rglob("*"))


def _bake(checks, root):
    """The steps of the recipe, each with what an image builder can rely on."""
    policy = root / POLICY
    policy.parent.mkdir(parents=True, exist_ok=True)
    policy.write_text(POLICY_TEXT)
    before, original = _virtual(root), (root / GRUB_CFG).read_text()
    plan = _gtune(root, "plan")
    checks.equal("plan: changes are needed", plan.returncode, 3)
    checks.contains("plan: the diff has the token", plan.stdout, TOKEN + "\n")
    done = _gtune(root, "apply")
    checks.ok("apply exits with 0", done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}")
    baked = (root / GRUB_CFG).read_text()
    checks.equal("grub.cfg has the token, and nothing else is new", baked.replace(TOKEN, ""), original)
    checks.ok("grub.cfg has the token", TOKEN + "\n" in baked, baked)
    for verb in ("status", "plan"):
        done = _gtune(root, verb)
        checks.ok(f"{verb} exits with 0", done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}")
    checks.equal("nothing below /dev, /proc, /run and /sys", _virtual(root), before)


def _boot(guest, checks):
    """The only boot: all is in effect, and nothing was left to do."""
    checks.equal("the first boot ends in a running system", guest.boot(), "running")
    checks.note(f"first boot: {guest.boot_seconds:.1f} s")
    checks.contains("the kernel has the token", guest.read_file("/proc/cmdline").decode(), TOKEN)
    found = haltpoll(guest)
    checks.equal("the host reads active at the first boot", (found["state"], found["reason"]), ("active", None))
    checks.equal("the tunable is the policy's", guest.read_file(TUNABLE), b"400000\n")
    checks.equal("gtune status agrees", guest.shell("gtune status")[0], 0)
    checks.equal("no reboot is needed", guest.shell("gtune reboot-needed")[0], 1)


@test("bake")
def bake(environment, checks):
    """A tree with gtuned's packages and a policy, tuned by `gtune --root`, and booted once."""
    if not environment.rpms:
        checks.skip("all of it", "no --rpms was given, so there is nothing to install")
        return
    disk = image.build(environment.cache, environment.work / "image", rpms=packages(environment.rpms, ("gtuned",)),
                       bake=functools.partial(_bake, checks))
    with Guest(disk, "baked", environment.work) as guest:
        _boot(guest, checks)
        guest.check("gtune revert || test $? -eq 4")
        checks.equal("what was baked can be reverted", guest.read_file(f"/{GRUB_CFG}"), original_grub_cfg(guest))
