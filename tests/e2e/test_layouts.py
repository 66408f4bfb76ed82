# SPDX-License-Identifier: Apache-2.0
"""Boot layouts that GRUB itself has to read: a stub on the ESP that hands over to the real grub.cfg, and entries of the
Boot Loader Specification, with their own command line and with that of grubenv."""

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


def stub(guest, checks):
    """Debian's, Fedora's and SUSE's layout: the ESP holds a stub, and the real file lies in /boot."""
    guest.check(f"mkdir -p /boot/grub2 && cp {STUB} {REAL}")
    guest.write_file(STUB, STUB_TEXT)
    original = guest.read_file(REAL)
    checks.equal("stub: apply leaves a reboot to do", guest.shell("gtune apply")[0], 4)
    checks.contains("stub: the real file has the token", guest.read_file(REAL), b" cpuidle_haltpoll.force=Y\n")
    checks.equal("stub: the stub is as it was", guest.read_file(STUB), STUB_TEXT.encode())
    guest.reboot()
    checks.contains("stub: the kernel has the token", guest.read_file("/proc/cmdline"), b"cpuidle_haltpoll.force=Y")
    checks.equal("stub: haltpoll is active", haltpoll(guest)["state"], "active")
    guest.shell("gtune revert")
    checks.equal("stub: revert gives the real file back", guest.read_file(REAL), original)


# The first GRUB of Debian that has blscfg is 2.14. Only its modules are taken, and made into one program.
BLS_SUITE, BLS_PACKAGE, BLS_MODULES = "forky", image.GRUB_PACKAGE, ("blsuki",)
LOADER = "/boot/efi/EFI/BOOT/BOOTX64.EFI"
ENTRY, ENVIRONMENT, KERNEL_CMDLINE = "/boot/loader/entries/e2e.conf", "/boot/grub2/grubenv", "/etc/kernel/cmdline"
BLS_CFG = """set timeout=0
load_env --file $prefix/grubenv
search --no-floppy --label --set=root root
blscfg --path ($root)/boot/loader/entries
"""
TOKEN = b" cpuidle_haltpoll.force=Y"


def bls_grub(environment):
    """A GRUB with blscfg, as one EFI program. The package is fetched once into the cache."""
    packages = image.cached((environment.cache or environment.work) / f"{BLS_PACKAGE}-{BLS_SUITE}",
                            lambda directory: image.fetch_packages(directory, BLS_SUITE, BLS_PACKAGE))
    program = environment.work / "bls.efi"
    image.make_grub(packages, program, BLS_MODULES)
    return program.read_bytes()


def environment_block(text):
    """GRUB's environment block: always 1024 bytes (grub-core/lib/envblk.c)."""
    return ("# GRUB Environment Block\n" + text).encode().ljust(1024, b"#")


def lay_out_bls(guest, grub):
    """Fedora's layout: a stub, a grub.cfg that holds blscfg and no entry, and the entries."""
    guest.check(f"mkdir -p /boot/grub2 {ENTRY.rsplit('/', 1)[0]}")
    guest.write_file(LOADER, grub)
    guest.write_file(STUB, STUB_TEXT)
    guest.write_file(REAL, BLS_CFG)


def entry(release, options):
    """The entry file of the kernel of the image."""
    return (f"title Debian GNU/Linux ({release})\nversion {release}\nlinux /boot/vmlinuz-{release}\n"
            f"initrd /boot/initrd.img-{release}\noptions {options}\ngrub_class debian\n")


def bls_round(guest, checks, kind, path):
    """apply, a boot, and revert: the file that holds the command line changes, and comes back."""
    original, cfg = guest.read_file(path), guest.read_file(REAL)
    running = TOKEN in guest.read_file("/proc/cmdline")
    # The hold of a revert is in it, and the unit heeds that. Its rights are tested, too.
    guest.check("rm -f /var/lib/gtuned/ledger.json && systemctl start gtuned-apply.service")
    checks.equal(f"{kind}: apply, {'which this boot has already' if running else 'and a reboot is left to do'}",
                 guest.shell("gtune reboot-needed")[0], 1 if running else 0)
    checks.equal(f"{kind}: what new kernels get has it, too", guest.read_file(KERNEL_CMDLINE).count(TOKEN), 1)
    changed = guest.read_file(path)
    checks.equal(f"{kind}: the token is in {path} once", changed.count(TOKEN), 1)
    checks.equal(f"{kind}: the size of grubenv stays", len(changed) if path == ENVIRONMENT else 1024, 1024)
    checks.equal(f"{kind}: grub.cfg is as it was", guest.read_file(REAL), cfg)
    guest.reboot()
    checks.equal(f"{kind}: the kernel has the token once", guest.read_file("/proc/cmdline").count(TOKEN), 1)
    checks.equal(f"{kind}: haltpoll is active", haltpoll(guest)["state"], "active")
    guest.shell("gtune revert")
    checks.equal(f"{kind}: revert gives the file back", guest.read_file(path), original)
    checks.ok(f"{kind}: and that of new kernels", TOKEN not in guest.read_file(KERNEL_CMDLINE))


def bls(guest, environment, checks):
    """RHEL 9's entries with their own options, and RHEL 8's with those of grubenv, read by a GRUB that has blscfg."""
    try:
        grub = bls_grub(environment)
    except image.ImageError as error:
        checks.skip("bls", f"Debian {BLS_SUITE}'s GRUB cannot be had: {str(error).splitlines()[-1]}")
        return
    lay_out_bls(guest, grub)
    guest.write_file(KERNEL_CMDLINE, environment.image.cmdline + "\n")
    guest.write_file(ENVIRONMENT, environment_block(""))
    guest.write_file(ENTRY, entry(environment.image.release, environment.image.cmdline))
    bls_round(guest, checks, "options in the entry", ENTRY)
    guest.write_file(ENVIRONMENT, environment_block(f"kernelopts={environment.image.cmdline}\n"))
    guest.write_file(ENTRY, entry(environment.image.release, "$kernelopts"))
    bls_round(guest, checks, "kernelopts in grubenv", ENVIRONMENT)


@test("layouts", needs_tree=True, boots=4)
def layouts(environment, checks):
    """One guest, whose layout changes after each revert."""
    with Guest(environment.image, "layouts", environment.work) as guest:
        guest.boot()
        guest.shell("gtune revert")
        with checks.guard("stub"):
            stub(guest, checks)
        bls(guest, environment, checks)
