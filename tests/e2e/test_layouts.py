# SPDX-License-Identifier: Apache-2.0
"""Boot layouts that GRUB itself has to read: a stub on the ESP that hands over to the real grub.cfg."""

import image
from checks import test
from qemu import Guest
from test_main import haltpoll

STUB = f"/boot/efi/{image.GRUB_CFG}"
REAL = "/boot/grub2/grub.cfg"
STUB_TEXT = f"""search --no-floppy --label --set=dev root
set prefix=($dev){REAL.rsplit('/', 1)[0]}
export $prefix
configfile $prefix/grub.cfg
"""


@test("stub", needs_tree=True)
def stub(environment, checks):
    """Debian's, Fedora's and SUSE's layout: the ESP holds a stub, and the real file lies in /boot."""
    with Guest(environment.image, "stub", environment.work) as guest:
        guest.boot()
        guest.shell("gtune revert")
        guest.check(f"mkdir -p /boot/grub2 && cp {STUB} {REAL}")
        guest.write_file(STUB, STUB_TEXT)
        original = guest.read_file(REAL)
        checks.equal("apply leaves a reboot to do", guest.shell("gtune apply")[0], 4)
        checks.contains("the real file has the token", guest.read_file(REAL), b" cpuidle_haltpoll.force=Y\n")
        checks.equal("the stub is as it was", guest.read_file(STUB), STUB_TEXT.encode())
        guest.reboot()
        checks.contains("the kernel has the token", guest.read_file("/proc/cmdline"), b"cpuidle_haltpoll.force=Y")
        checks.equal("haltpoll is active", haltpoll(guest)["state"], "active")
        guest.shell("gtune revert")
        checks.equal("revert gives the real file back", guest.read_file(REAL), original)
