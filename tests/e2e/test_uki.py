# SPDX-License-Identifier: Apache-2.0
"""A guest that systemd-boot boots by a unified kernel image whose tries are counted: what needs no boot store is
applied, the next image gets the tokens by /etc/kernel/cmdline, and the counter is left to systemd."""

import json
import re
import shutil

import image
from checks import test
from qemu import Guest
from test_main import TUNABLE, haltpoll

PACKAGES = ("systemd-boot", "systemd-boot-efi", "systemd-ukify")
ESP, KERNEL_CMDLINE = "/boot/efi", "/etc/kernel/cmdline"
IMAGES = f"{ESP}/EFI/Linux"
FILES = {
    "etc/kernel/install.conf": f"layout=uki\nuki_generator=ukify\nBOOT_ROOT={ESP}\n",
    "etc/kernel/tries": "3\n",
    "etc/kernel/entry-token": "e2e\n",
    KERNEL_CMDLINE.lstrip("/"): image.CMDLINE + "\n",
    "etc/gtuned/gtuned.conf.d/60-uki.conf": "[qga-policy]\nblock = exec\n",
    f"{ESP}/loader/loader.conf".lstrip("/"): "timeout 0\n",
}
DROP_IN = "/etc/systemd/system/qemu-guest-agent.service.d/90-gtuned.conf"
TOKEN = b" cpuidle_haltpoll.force=Y"
COUNTER = re.compile(r"\+\d+(-\d+)?\.efi$")  # a version may have a "+", too
SLOW = 240  # under emulation, for what restarts a service or builds an image
UNIT, BLESS = "gtuned-apply.service", "systemd-bless-boot.service"


def images(guest):
    """The names of the images on the ESP."""
    return guest.check(f"ls {IMAGES}").split()


def add_kernel(release):
    """The command that builds an image of a kernel."""
    return ("kernel-install", "add", release, f"/boot/vmlinuz-{release}", f"/boot/initrd.img-{release}")


def lay_out(root):
    """systemd-boot in the place of GRUB, of which nothing is left, and an image as kernel-install builds it."""
    esp, boot = root / ESP.lstrip("/"), root / "usr/lib/systemd/boot/efi/systemd-bootx64.efi"
    shutil.rmtree(esp / "EFI")
    for path in ("EFI/BOOT/BOOTX64.EFI", f"EFI/systemd/{boot.name}"):
        (esp / path).parent.mkdir(parents=True)
        shutil.copy(boot, esp / path)
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (esp / "EFI/Linux").mkdir()
    image.run("chroot", root, *add_kernel(next(root.glob("boot/vmlinuz-*")).name.removeprefix("vmlinuz-")))


def build_image(guest, checks, release):
    """The only image, built in the guest, with three tries."""
    guest.check(f"rm -rf {IMAGES}; mkdir -p {IMAGES} && {' '.join(add_kernel(release))} && sync -f {ESP}", timeout=SLOW)
    checks.ok("the new image has three tries", [name[-len("+3.efi"):] for name in images(guest)] == ["+3.efi"])


def applied(guest, checks):
    """All but the tokens of this boot. At boot an emulated qemu-ga may be too slow to be asked about its new arguments;
    then qga-policy waits for the next apply."""
    guest.shell(f"systemctl start {UNIT}", timeout=SLOW)
    checks.equal("the apply unit succeeds, and says what cannot be", guest.check(
        f"systemctl show -P Result -P ExecMainStatus {UNIT}").split(), ["success", "5"])
    checks.contains("qga-policy is applied", guest.read_file(DROP_IN), b"guest-exec")
    checks.equal("the tunable is applied", guest.read_file(TUNABLE), b"400000\n")
    checks.contains("the next image gets the token", guest.read_file(KERNEL_CMDLINE), TOKEN)
    checks.ok("this boot does not have it", TOKEN not in guest.read_file("/proc/cmdline"))
    found = haltpoll(guest)
    checks.equal("haltpoll says so", (found["state"], found["reason_code"]), ("conflict", "image-not-built"))


def counted(guest, checks):
    """systemd-boot has counted the boot, and systemd-bless-boot has ended the count after the apply."""
    found = images(guest)
    checks.ok("there is one image, without a counter", len(found) == 1 and not COUNTER.search(found[0]), repr(found))
    done, begun = (int(guest.check(f"systemctl show -P {what} {unit}")) for what, unit in
                   (("ExecMainExitTimestampMonotonic", UNIT), ("ExecMainStartTimestampMonotonic", BLESS)))
    checks.ok("the entry was renamed after the apply", 0 < done <= begun, f"{done}, {begun}")


def without_template(guest, checks):
    """No store can be changed: the parameters are left out by name, and the rest is applied."""
    guest.check(f"gtune revert && mv {KERNEL_CMDLINE} /root/cmdline", timeout=SLOW)
    checks.ok("revert takes the drop-in away", guest.shell(f"test -e {DROP_IN}")[0] == 1)
    status, _, err = guest.shell("gtune apply", timeout=SLOW)
    checks.equal("without a template apply exits with 5", status, 5)
    checks.contains("it says why", err, "haltpoll: its kernel parameters stay as they are: " + IMAGES)
    checks.contains("qga-policy is applied all the same", guest.read_file(DROP_IN), b"guest-exec")
    last = json.loads(guest.shell("gtune --json status")[1])["last_apply"]
    checks.equal("the report names who is left out", [row["practice"] for row in last["left_out"]], ["haltpoll"])
    guest.check(f"mv /root/cmdline {KERNEL_CMDLINE}")
    checks.equal("with a template it exits with 5, too", guest.shell("gtune apply", timeout=SLOW)[0], 5)


@test("uki", needs_tree=True, boots=3)
def uki(environment, checks):
    """From a boot by the image of the installation to one by an image that was built anew."""
    disk = image.build(environment.cache, environment.work / "image", environment.tree, (UNIT,), extra=PACKAGES,
                       bake=lay_out)
    with Guest(disk, "uki", environment.work) as guest:
        guest.boot()
        counted(guest, checks)
        applied(guest, checks)
        without_template(guest, checks)
        build_image(guest, checks, disk.release)
        guest.reboot()
        checks.equal("the kernel has the token once", guest.read_file("/proc/cmdline").count(TOKEN), 1)
        checks.equal("haltpoll is active", haltpoll(guest)["state"], "active")
        for practice in ("haltpoll", "qga-policy"):
            checks.equal(f"{practice} is as it should be", guest.shell(f"gtune status {practice}")[0], 0)
        counted(guest, checks)
        guest.shell("gtune revert", timeout=SLOW)
        checks.equal("revert gives the template back", guest.read_file(KERNEL_CMDLINE).decode(),
                     FILES[KERNEL_CMDLINE.lstrip("/")])
        checks.ok("and takes the drop-in away", guest.shell(f"test -e {DROP_IN}")[0] == 1)
